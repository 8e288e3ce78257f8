"""What officers do, in one line each, for tests of a real ledger."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ledger.application import aftercare, batches, disbursement, grants, privacy, registration
from ledger.application.aftercare import Step
from ledger.application.attempt import Command
from ledger.application.batches import Proposed
from ledger.application.chunks import Tally
from ledger.application.creation import create
from ledger.application.ledger import Ledger
from ledger.application.people import RegisteredPeople
from ledger.domain.errors import LedgerError
from ledger.domain.event import Event
from ledger.domain.opening import LedgerOpened
from ledger.files.rejects import Reject
from ledger.files.tables import Row
from ledger.store.entries import Entry, to_entry
from ledger.vault.person import Person
from ledger.vault.rows import NewPerson

NOW = datetime(2020, 10, 15, 3, 0, tzinfo=UTC)
TODAY = date(2020, 10, 15)
PROGRAM = "bsu-2020"
TRANCHE = 1_200_000
FILE_SHA256 = "f" * 64


def now() -> datetime:
    return NOW


def by(officer_id: str | None, **said: Any) -> Command:
    """A command of today."""
    return Command(by=officer_id, **{"effective_on": TODAY, **said})


SITI, BUDI = by("siti"), by("budi")


def nik(number: int) -> str:
    """A national id that cannot belong to anyone: no province has the code 00."""
    return f"000000010190{number:04}"


def person(number: int, line: int | None = None, **cells: str) -> Row:
    """A row of `registration.FIELDS`."""
    values = {"nik": nik(number), "name": f"Person {number}", "account": f"900{number:06}"} | cells
    return Row(line or number + 1, tuple(values.get(field.name, "") for field in registration.FIELDS))


def stop(_: Reject, error: LedgerError | None) -> None:
    """The way a single row is refused."""
    raise error or AssertionError("a row that cannot be read")


class Told:
    """What a run of a file told of its refused rows."""

    def __init__(self) -> None:
        self.rejects: list[Reject] = []

    def __call__(self, reject: Reject, _: LedgerError | None) -> None:
        self.rejects.append(reject)

    @property
    def codes(self) -> list[tuple[int, str, str]]:
        return [(reject.line, reject.field, reject.code) for reject in self.rejects]


def older_ledger(folder: Path) -> None:
    """A ledger that was opened before there were rules, with its log."""
    opened = LedgerOpened(name="Older", currency="IDR", decimals=0)
    today = Command(None, datetime.now().astimezone().date())
    create(folder, today, opened=opened, now=lambda: datetime.now(UTC), with_log=True).close()


def register(
    ledger: Ledger, count: int, *, first: int = 1, category: str = "worker", command: Command = SITI
) -> list[str]:
    """Register so many people and return their ids."""
    rows = [person(number) for number in range(first, first + count)]
    registration.register(ledger, command, rows, file_sha256=None, category=category, on_reject=stop)
    return [
        f"R{number:09}"
        for number in sorted(each.number for each in ledger.vault.find([row.values[0] for row in rows]).values())
    ]


def propose(
    ledger: Ledger, rows: Sequence[str | tuple[str, str]], *, command: Command = SITI, tranche: int = 1, **more: Any
) -> str:
    """Propose to pay recipients, each with an amount or the tranche's own; returns the batch's id."""
    pairs = [row if isinstance(row, tuple) else (row, "") for row in rows]
    proposed = disbursement.propose(
        ledger,
        command,
        [Row(line, pair) for line, pair in enumerate(pairs, start=2)],
        asked=disbursement.PaymentList(
            more.pop("program", PROGRAM),
            tranche,
            more.pop("file_sha256", FILE_SHA256),
            more.pop("batch_id", None),
            more.pop("decimal_mark", None),
        ),
        **{"on_reject": stop, **more},
    )
    return proposed.proposal.batch_id


def approve(ledger: Ledger, batch_id: str, *, command: Command = BUDI) -> list[Entry]:
    return batches.approve(ledger, command, batch_id=batch_id)


def run(ledger: Ledger, batch_id: str, *, command: Command = SITI, on_reject: Any = stop) -> Tally:
    return batches.run(ledger, command, batch_id=batch_id, on_reject=on_reject)


def pay(ledger: Ledger, recipients: Sequence[str], *, tranche: int = 1) -> str:
    """Propose, approve and run; returns the batch's id."""
    batch_id = propose(ledger, recipients, tranche=tranche)
    approve(ledger, batch_id)
    run(ledger, batch_id)
    return batch_id


def step(ledger: Ledger, taken: Step, *payment_ids: str, command: Command | None = None, **more: Any) -> Tally:
    """Take one step with payments, by whoever may."""
    default = BUDI if taken in (Step.REISSUE, Step.REVERSE) else SITI
    given = {"reason": {Step.RETURN: "AC04", Step.REVERSE: "wrong list"}.get(taken, ""), "treasury_ref": "NTPN 1"}
    rows = [Row(line, (payment_id, "", "")) for line, payment_id in enumerate(payment_ids, start=2)]
    return aftercare.change(ledger, command or default, taken, rows, **{**given, "on_reject": stop, **more})


def propose_step(
    ledger: Ledger, taken: Step, *payment_ids: str, command: Command, batch_id: str, **more: Any
) -> Proposed:
    """Propose, as a batch, to take a step with payments."""
    rows = [Row(line, (payment_id, "", "")) for line, payment_id in enumerate(payment_ids, start=2)]
    given = {"treasury_ref": "NTPN 1", "file_sha256": FILE_SHA256, "on_reject": stop, **more}
    return aftercare.propose(ledger, command, rows, step=taken, batch_id=batch_id, **given)


PAPERS = grants.Terms(amount="40000000", proposal="P 1", decree="SK 1", decree_on="2020-09-01")


def members(group_id: str, *recipients: str, first_line: int = 2, proposal: str | None = None) -> list[Row]:
    """Rows of `grants.FIELDS` without papers of their own, but for a proposal of the group's name."""
    return [
        Row(line, (group_id, recipient, "", f"P {group_id}" if proposal is None else proposal, "", "", ""))
        for line, recipient in enumerate(recipients, start=first_line)
    ]


def fund(
    ledger: Ledger, *rows: Row, terms: grants.Terms = PAPERS, command: Command = SITI, on_reject: Any = stop
) -> Tally:
    return grants.fund(ledger, command, rows, program="tkm-2020", terms=terms, on_reject=on_reject)


LETTER = {"reason": "letter of the person", "legal_basis": "UU 27/2022 art. 8"}


def erase(ledger: Ledger, recipient_id: str) -> list[Entry]:
    """Ask for an erasure and agree to it."""
    privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER)
    return privacy.approve_erasure(ledger, BUDI, recipient_id=recipient_id)


# What the ledger holds


SET_UP = 8
"""Events of the fixtures' ledger before a test begins."""


def log(ledger: Ledger, since: int = 0) -> list[Event]:
    """The events from a place in the log on."""
    return [entry.event for entry in entries(ledger, since)]


def entries(ledger: Ledger, since: int = 0) -> list[Entry]:
    return [to_entry(row) for row in ledger.store.select_notifications(since + 1, 100_000)]


def kept(ledger: Ledger) -> tuple[bytes, int]:
    """Everything recorded: the log as bytes, and how many people the vault holds."""
    return b"".join(ledger.store.lines()), ledger.vault.count()


def held(ledger: Ledger, number: int) -> Person | None:
    """What the vault holds of a person, held against their registration."""
    known = RegisteredPeople(ledger.store).registered(number, number, 1).get(number)
    opened = ledger.vault.open(number, commitment=known[0] or "") if known else None
    return opened.person if opened else None


def row_in_vault(ledger: Ledger, number: int) -> NewPerson:
    """A person's row as it lies in the vault, and the hashes that lead to it."""
    [row] = [each for each in ledger.vault.rows.people([number]) if each.number == number]
    return ledger.vault.with_hashes(row)


def numbers_of(ledger: Ledger, national_ids: Sequence[str]) -> dict[str, int]:
    """National id → number, of the people whom the vault knows."""
    return {each: placed.number for each, placed in ledger.vault.find(list(national_ids)).items()}
