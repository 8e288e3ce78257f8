"""`disburse run` beside the library's own way and beside bare `executemany` into the same table."""

import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from benchmarks.timing import Result, seconds
from ledger import administration, disbursement, registration
from ledger.application import Command, Ledger, create
from ledger.events import Kind, LedgerOpened, ProgramOpened, Role
from ledger.intake import Row

PAYMENTS = 11_950
PEER_PAYMENTS = 2_000
AMOUNT = 1_200_000
PAYMENTS_A_SECOND = 20_000
PEOPLE = 100_000
IMPORT_RATIO_MIN = 0.25


class Payment(Aggregate):
    """A payment as the library's tutorial would write it."""

    @event("Disbursed")
    def __init__(self, program: str, tranche: int, recipient_id: str, amount: int, batch_id: str) -> None:
        self.program, self.tranche, self.recipient_id = program, tranche, recipient_id
        self.amount, self.batch_id = amount, batch_id


def approved_batch(folder: Path, payments: int) -> tuple[Ledger, str]:
    """A ledger in which a batch of so many payments waits to be run."""
    on = date(2020, 10, 15)
    maker, checker = Command("siti", on), Command("budi", on)
    opened = LedgerOpened(name="Benchmark", currency="IDR", decimals=0)
    ledger = create(folder, maker, opened=opened, now=lambda: datetime.now(UTC))
    administration.enroll(ledger, maker, officer_id="siti", roles=(Role.MAKER,))
    administration.enroll(ledger, maker, officer_id="budi", roles=(Role.CHECKER,))
    terms = ProgramOpened(program="bsu-2020", name="BSU", kind=Kind.CASH, schedule=(AMOUNT,), fiscal_year=2020)
    administration.open_program(ledger, maker, terms=terms)
    administration.set_budget(ledger, maker, program="bsu-2020", budget=AMOUNT * payments)
    registration.register(ledger, maker, people(1, payments), file_sha256="0" * 64, on_reject=_never)
    rows = [Row(line, (f"R{line:09d}", "")) for line in range(1, payments + 1)]
    proposed = disbursement.propose(
        ledger, maker, rows, program="bsu-2020", tranche=1, file_sha256="0" * 64, on_reject=_never
    )
    batch_id = proposed.proposal.batch_id
    disbursement.approve(ledger, checker, batch_id=batch_id)
    return ledger, batch_id


def people(first: int, last: int) -> list[Row]:
    """Rows of a registration file, each with an account of its own."""
    return [
        Row(
            line,
            (
                f"00{line // 10_000:04d}010190{line % 10_000:04d}",
                f"Person {line}",
                f"{line:010d}",
                "",
                "",
                "worker",
                "32.73",
                "",
            ),
        )
        for line in range(first, last + 1)
    ]


def registrations_per_second(folder: Path) -> list[Result]:
    """People a second of `recipient import`, with vault, encryption and uniqueness, and of bare `executemany`."""
    ledger, _ = approved_batch(folder / "register", 1)
    maker = Command("siti", date(2020, 10, 15))
    rows, size_before = people(2, PEOPLE + 1), ledger.store.size()
    ours = PEOPLE / seconds(lambda: registration.register(ledger, maker, rows, file_sha256="1" * 64, on_reject=_never))
    stored = [
        (str(row.originator_id), row.originator_version, row.topic, row.state)
        for row in ledger.store.select_notifications(size_before + 1, PEOPLE)
    ]
    ledger.close()
    limit = PEOPLE / seconds(lambda: _bare(folder / "bare-people.db", stored))
    return [
        Result(
            work=f"recipient import, {PEOPLE:,} people",
            measured=f"{ours:,.0f}/s",
            peer="",
            limit=f"executemany: {limit:,.0f}/s ({ours / limit:.2f} x)",
            reach=f">= {IMPORT_RATIO_MIN} x",
            is_reached=ours / limit >= IMPORT_RATIO_MIN,
        )
    ]


def _never(reject: object, error: Exception | None) -> None:
    raise AssertionError(reject) from error


def payments_per_second(folder: Path) -> list[Result]:
    """Payments a second of `disburse run`, of one `save` a payment, and of bare `executemany`."""
    ledger, batch_id = approved_batch(folder / "ledger", PAYMENTS)
    maker = Command("siti", date(2020, 10, 15))
    size_before = ledger.store.size()
    ours = PAYMENTS / seconds(lambda: disbursement.run(ledger, maker, batch_id=batch_id, on_reject=_never))
    rows = [
        (str(row.originator_id), row.originator_version, row.topic, row.state)
        for row in ledger.store.select_notifications(size_before + 1, PAYMENTS)
    ]
    ledger.close()
    peer = PEER_PAYMENTS / seconds(lambda: _library(folder / "library.db"))
    limit = PAYMENTS / seconds(lambda: _bare(folder / "bare.db", rows))
    return [
        Result(
            work=f"disburse run, {PAYMENTS:,} payments",
            measured=f"{ours:,.0f}/s",
            peer=f"Aggregate + save: {peer:,.0f}/s ({ours / peer:.1f} x)",
            limit=f"executemany: {limit:,.0f}/s ({ours / limit:.2f} x)",
            reach=f">= {PAYMENTS_A_SECOND:,}/s",
            is_reached=ours >= PAYMENTS_A_SECOND,
        )
    ]


def _library(path: Path) -> None:
    app = Application[UUID](env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)})
    for number in range(PEER_PAYMENTS):
        app.save(Payment("bsu-2020", 1, f"R{number:09d}", AMOUNT, "bsu-2020-1-00000000"))
    app.close()


def _bare(path: Path, rows: list[tuple[str, int, str, bytes]]) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute(
        "CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB,"
        " PRIMARY KEY (originator_id, originator_version))"
    )
    database.execute("BEGIN")
    database.executemany("INSERT INTO stored_events VALUES (?,?,?,?)", rows)
    database.execute("COMMIT")
    database.close()
