"""A ledger to measure in: its officers and program, its people and payments, read from files through the real intake."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from ledger.application import batches, disbursement, officers, programs, registration
from ledger.application.attempt import Command
from ledger.application.creation import create
from ledger.application.ledger import Ledger
from ledger.domain.event import Role
from ledger.domain.opening import LedgerOpened
from ledger.domain.program import Kind, ProgramOpened
from ledger.files.tables import open_table
from ledger.store.entries import StoredRow
from seeds.nation import Nation, Table

AMOUNT = 1_200_000
PROGRAM, BATCH = "bsu-2020", "bsu-1"
ON = date(2020, 10, 15)
MAKER, CHECKER = Command("siti", ON), Command("budi", ON)
ROWS_A_READ = 100_000
"""Rows that are handed to a limit at a time, so that its memory stays flat."""


def new_ledger(folder: Path, payments: int, *, database: str | None = None) -> Ledger:
    """A ledger with two officers and a program of two tranches, whose budget is so many payments."""
    opened = LedgerOpened(name="Benchmark", currency="IDR", decimals=0)
    ledger = create(folder, MAKER, opened=opened, now=lambda: datetime.now(UTC), database=database)
    officers.enroll(ledger, MAKER, officer_id="siti", roles=(Role.MAKER,))
    officers.enroll(ledger, MAKER, officer_id="budi", roles=(Role.CHECKER,))
    schedule = (AMOUNT, AMOUNT)
    terms = ProgramOpened(program=PROGRAM, name="BSU", kind=Kind.CASH, schedule=schedule, fiscal_year=2020)
    programs.open_program(ledger, MAKER, terms=terms)
    programs.set_budget(ledger, MAKER, program=PROGRAM, budget=AMOUNT * payments)
    return ledger


def people_file(folder: Path, people: int) -> Path:
    """A registration file of invented people, each with an account of their own."""
    header = ("NIK", "Nama", "No Rekening", "Kode Wilayah", "Kategori")
    rows = ((*person, "worker") for person in Nation(2020).people(range(people)))
    return _written(folder, Table(f"people-{people}.csv", header, rows))


def payments_file(folder: Path, payments: int) -> Path:
    """A file that pays the first so many recipients of a ledger."""
    rows = ((f"R{number:09d}", "") for number in range(1, payments + 1))
    return _written(folder, Table(f"payments-{payments}.csv", ("recipient", "amount"), rows))


def _written(folder: Path, table: Table) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    table.write(folder)
    return folder / table.name


def import_people(ledger: Ledger, path: Path) -> None:
    """What `recipient import` does."""
    with open_table(path, registration.FIELDS, {}) as table:
        registration.register(ledger, MAKER, table.rows(), file_sha256=table.sha256, on_reject=never)


def propose_and_approve(ledger: Ledger, path: Path) -> None:
    """What `disburse propose` and `disburse approve` do."""
    with open_table(path, disbursement.FIELDS, {}) as table:
        disbursement.propose(
            ledger, MAKER, table.rows(), asked=disbursement.PaymentList(PROGRAM, 1, table.sha256, BATCH), on_reject=never,
        )  # fmt: skip
    batches.approve(ledger, CHECKER, batch_id=BATCH)


def run_batch(ledger: Ledger) -> None:
    """What `disburse run` does."""
    batches.run(ledger, MAKER, batch_id=BATCH, on_reject=never)


def never(reject: object, error: Exception | None) -> None:
    """Stop at a refused row: none is expected."""
    raise AssertionError(reject) from error


def stored_rows(ledger: Ledger, first: int, count: int) -> Iterator[list[StoredRow]]:
    """So many events of the store from an index of the log on, in parts, as rows of its table."""
    for start in range(first, first + count, ROWS_A_READ):
        found = ledger.store.select_notifications(start + 1, min(ROWS_A_READ, first + count - start))
        yield [(str(each.originator_id), each.originator_version, each.topic, each.state) for each in found]
