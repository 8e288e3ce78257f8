"""Programs and recipients."""

from pathlib import Path
from typing import Any

from ledger.application import privacy, programs, services
from ledger.application.ledger import Ledger
from ledger.domain.program import Kind, ProgramOpened
from ledger.files.tables import Row
from tests.acts import (  # fmt: skip
    BUDI,
    PROGRAM,
    SITI,
    TRANCHE,
    approve,
    erase,
    nik,
    pay,
    person,
    propose,
    register,
    stop,
)
from tests.refusals.case import refusal
from tests.refusals.officers import register_as

OTHER_TERMS = ProgramOpened(program=PROGRAM, name="Other", kind=Kind.CASH, fiscal_year=2020)


# Programs


@refusal
def program_unknown(ledger: Ledger, folder: Path) -> Any:
    fields = {"program": "bsu-2021", "nearest": " (did you mean bsu-2020?)"}
    return fields, lambda: programs.set_budget(ledger, BUDI, program="bsu-2021", budget=1)


@refusal
def program_exists(ledger: Ledger, folder: Path) -> Any:
    return {"program": PROGRAM}, lambda: programs.open_program(ledger, SITI, terms=OTHER_TERMS)


@refusal
def program_too_deep(ledger: Ledger, folder: Path) -> Any:
    opened = OTHER_TERMS.model_copy(update={"program": "level-1"})
    programs.open_program(ledger, SITI, terms=opened)
    for level in range(2, 10):
        opened = opened.model_copy(update={"program": f"level-{level}", "parent": opened.program})
        if level <= 8:
            programs.open_program(ledger, SITI, terms=opened)
    fields = {"program": "level-9", "parent": "level-8", "levels_max": 8}
    return fields, lambda: programs.open_program(ledger, SITI, terms=opened)


@refusal
def program_closed(ledger: Ledger, folder: Path) -> Any:
    recipients = register(ledger, 1)
    programs.close_program(ledger, BUDI, program=PROGRAM, reason="year-end")
    return {"program": PROGRAM}, lambda: propose(ledger, recipients)


@refusal
def program_busy(ledger: Ledger, folder: Path) -> Any:
    approve(ledger, propose(ledger, register(ledger, 2)))
    fields = {"program": PROGRAM, "reserved": 2 * TRANCHE}
    return fields, lambda: programs.close_program(ledger, BUDI, program=PROGRAM, reason="year-end")


@refusal
def tranche_paid(ledger: Ledger, folder: Path) -> Any:
    pay(ledger, register(ledger, 1))
    changed = {"schedule": (TRANCHE + 1,)}
    fields = {"program": PROGRAM, "tranche": 1, "amount": TRANCHE}
    return fields, lambda: programs.amend(ledger, BUDI, program=PROGRAM, reason="decree 16", changed=changed)


@refusal
def schedule_over_ceiling(ledger: Ledger, folder: Path) -> Any:
    terms = OTHER_TERMS.model_copy(update={"program": "new", "ceiling": 10, "schedule": (6, 5)})
    fields = {"program": "new", "total": 11, "ceiling": 10}
    return fields, lambda: programs.open_program(ledger, SITI, terms=terms)


@refusal
def budget_exceeded(ledger: Ledger, folder: Path) -> Any:
    programs.set_budget(ledger, BUDI, program=PROGRAM, budget=TRANCHE)
    batch_id = propose(ledger, register(ledger, 2))
    return {"program": PROGRAM, "asked": 2 * TRANCHE, "available": TRANCHE}, lambda: approve(ledger, batch_id)


@refusal
def umbrella_exceeded(ledger: Ledger, folder: Path) -> Any:
    umbrella = ProgramOpened(program="jps", name="JPS", kind=Kind.UMBRELLA, fiscal_year=2020)
    programs.open_program(ledger, SITI, terms=umbrella)
    programs.set_budget(ledger, SITI, program="jps", budget=100)
    for code in ("one", "two"):
        terms = ProgramOpened(program=code, parent="jps", name=code, kind=Kind.CASH, fiscal_year=2020)
        programs.open_program(ledger, SITI, terms=terms)
    programs.set_budget(ledger, SITI, program="one", budget=60)
    told = {"umbrella": "jps", "total": 101, "budget": 100}
    return told, lambda: programs.set_budget(ledger, SITI, program="two", budget=41)


@refusal
def budget_below_committed(ledger: Ledger, folder: Path) -> Any:
    pay(ledger, register(ledger, 1))
    fields = {"program": PROGRAM, "committed": TRANCHE, "budget": TRANCHE - 1}
    return fields, lambda: programs.set_budget(ledger, BUDI, program=PROGRAM, budget=TRANCHE - 1)


# Recipients


@refusal
def recipient_unknown(ledger: Ledger, folder: Path) -> Any:
    return {}, lambda: propose(ledger, [nik(1)])


@refusal
def recipient_registered(ledger: Ledger, folder: Path) -> Any:
    [recipient_id] = register(ledger, 1)
    return {"recipient_id": recipient_id}, lambda: register(ledger, 1)


@refusal
def recipient_erased(ledger: Ledger, folder: Path) -> Any:
    [recipient_id] = register(ledger, 1)
    erase(ledger, recipient_id)
    return {"recipient_id": recipient_id}, lambda: privacy.reject_erasure(
        ledger, BUDI, recipient_id=recipient_id, reason="late"
    )


@refusal
def erasure_not_requested(ledger: Ledger, folder: Path) -> Any:
    [recipient_id] = register(ledger, 1)
    return {"recipient_id": recipient_id}, lambda: privacy.approve_erasure(ledger, BUDI, recipient_id=recipient_id)


@refusal
def account_shared(ledger: Ledger, folder: Path) -> Any:
    register(ledger, 1)
    return {}, lambda: register_as(ledger, "siti", person(2, account=person(1).values[2]))


@refusal
def category_not_eligible(ledger: Ledger, folder: Path) -> Any:
    recipients = register(ledger, 1, category="civil-servant")
    fields = {"program": PROGRAM, "category": "civil-servant", "categories": "worker"}
    return fields, lambda: propose(ledger, recipients)


@refusal
def duplicate_in_file(ledger: Ledger, folder: Path) -> Any:
    recipients = register(ledger, 1)
    return {"first": "line 2"}, lambda: propose(ledger, [*recipients, nik(1)])


@refusal
def already_referred(ledger: Ledger, folder: Path) -> Any:
    [recipient_id] = register(ledger, 1)

    def refer(channel: str) -> None:
        row = Row(1, (recipient_id, "kartu-prakerja", channel))
        services.refer(ledger, SITI, [row], on_reject=stop)

    refer("bp2mi")
    fields = {"recipient_id": recipient_id, "scheme": "kartu-prakerja", "channel": "bp2mi"}
    return fields, lambda: refer("p3mi")
