"""Programs: opened, given a budget, closed."""

import json
from collections.abc import Mapping
from typing import Any

from ledger.application.agreements import Act, Entries, act_of, record
from ledger.application.attempt import Attempt, Command
from ledger.application.given import built, require_texts
from ledger.application.ledger import Ledger
from ledger.application.requests import Request
from ledger.domain import program as programs
from ledger.domain.agreement import ActKind
from ledger.domain.event import Event
from ledger.domain.payment import payment_stream
from ledger.domain.program import Program, ProgramAmended, ProgramOpened, program_stream


def open_program(ledger: Ledger, command: Command, *, terms: ProgramOpened) -> Entries:
    """Begin a program."""
    return record(ledger, command, _opening(ledger, terms.model_dump(mode="json")))


@act_of("program open")
def _opening(ledger: Ledger, inputs: dict[str, Any]) -> Act:
    del ledger
    terms = ProgramOpened.model_validate_json(json.dumps(inputs))

    def decide(attempt: Attempt) -> list[Event]:
        above = _above(attempt, terms)
        known = attempt.load(program_stream(terms.program), programs.evolve)
        return programs.open_program(known, terms=terms, above=above)

    return Act(ActKind.PROGRAMS, f"program/{terms.program}", Request("program open", inputs), decide)


def _above(attempt: Attempt, terms: ProgramOpened) -> list[Program]:
    """The programs above a program, the nearest first; the search ends where there are too many."""
    above: list[Program] = []
    while terms.parent and len(above) < programs.LEVELS_MAX:
        above.append(attempt.program(terms.parent))
        terms = above[-1].terms
    return above


def amend(ledger: Ledger, command: Command, *, program: str, reason: str, changed: Mapping[str, Any]) -> Entries:
    """Give a program other terms: those named in `changed`, as fields of `ProgramAmended`; the others stay."""
    require_texts(reason=reason)
    current = ledger.view().program(program).terms.model_dump()
    kept = {name: value for name, value in current.items() if name in ProgramAmended.model_fields}
    amended = built(ProgramAmended, **{**kept, **changed, "program": program, "reason": reason})
    said = amended.model_dump(mode="json", include=set(changed))
    cleared = sorted(name for name, value in said.items() if value in (None, []))
    asked = {name: value for name, value in said.items() if name not in cleared}
    return record(
        ledger, command, _amending(ledger, {**asked, "cleared": cleared, "program": program, "reason": reason})
    )


@act_of("program amend")
def _amending(ledger: Ledger, inputs: dict[str, Any]) -> Act:
    program, cleared = inputs["program"], inputs.get("cleared", ())

    def decide(attempt: Attempt) -> list[Event]:
        current = attempt.program(program)
        kept = current.terms.model_dump(mode="json", include=ProgramAmended.model_fields.keys() - set(cleared))
        amended = ProgramAmended.model_validate_json(
            json.dumps({**kept, **{name: value for name, value in inputs.items() if name != "cleared"}})
        )
        paid = [
            tranche
            for tranche in range(1, len(current.terms.schedule) + 1)
            if attempt.has_any(payment_stream(program, tranche, ""))
        ]
        return programs.amend(current, amended=amended, tranches_paid=paid)

    del ledger
    return Act(ActKind.PROGRAMS, f"program/{program}", Request("program amend", inputs), decide)


def set_budget(ledger: Ledger, command: Command, *, program: str, budget: int) -> Entries:
    """Set aside money for a program: so much in all."""
    return record(ledger, command, _budget(ledger, {"program": program, "budget": budget}))


@act_of("program budget")
def _budget(ledger: Ledger, inputs: dict[str, Any]) -> Act:
    del ledger
    program, budget = inputs["program"], inputs["budget"]

    def decide(attempt: Attempt) -> list[Event]:
        # All programs are read, so that two of one umbrella cannot both take what is left under it.
        others = list(attempt.load_range("program/", programs.evolve).values())
        return programs.set_budget(attempt.program(program), budget=budget, others=others)

    request = Request("program budget", inputs)
    return Act(ActKind.PROGRAMS, f"program/{program}", request, decide, amount=budget)


def close_program(ledger: Ledger, command: Command, *, program: str, reason: str) -> Entries:
    """End a program."""
    require_texts(reason=reason)
    return record(ledger, command, _closing(ledger, {"program": program, "reason": reason}))


@act_of("program close")
def _closing(ledger: Ledger, inputs: dict[str, Any]) -> Act:
    del ledger
    program, reason = inputs["program"], inputs["reason"]

    def decide(attempt: Attempt) -> list[Event]:
        return programs.close(attempt.program(program), reason=reason)

    return Act(ActKind.PROGRAMS, f"program/{program}", Request("program close", inputs), decide)
