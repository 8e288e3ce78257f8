"""Importing people and paying them, on SQLite: beside the library's own way, and beside bare `executemany`."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from benchmarks.office import (
    AMOUNT,
    import_people,
    new_ledger,
    payments_file,
    people_file,
    propose_and_approve,
    run_batch,
    stored_rows,
)
from benchmarks.timing import Result, median_seconds, seconds
from ledger.application.folder import EVENTS, VAULT
from ledger.application.ledger import Ledger
from ledger.store.entries import StoredRow
from projections.audit.vault_law import check_vault
from projections.relation.archive import ARCHIVE, SEGMENT_EVENTS, Archive

PEER_PAYMENTS = 20_000
PEER_SAVES = 1_000
"""Aggregates a `save`."""
PEER_RATIO_MIN = 10.0
RUN_RATIO_MIN = 0.5
IMPORT_RATIO_MIN = 0.25
CHECK_PEOPLE = 400_000
CHECK_PEOPLE_MIN = 100_000
"""A second."""


class Payment(Aggregate):
    """A payment as the library's tutorial would write it."""

    @event("Disbursed")
    def __init__(self, program: str, tranche: int, recipient_id: str, amount: int, batch_id: str) -> None:
        self.program, self.tranche, self.recipient_id = program, tranche, recipient_id
        self.amount, self.batch_id = amount, batch_id


def imported_and_paid(folder: Path, count: int) -> list[Result]:
    """People and payments a second, from file to durable events; leaves the ledger in `folder`/ledger."""
    people, payments = people_file(folder, count), payments_file(folder, count)
    ledger = new_ledger(folder / "ledger", count)
    first = ledger.store.size()
    importing = count / seconds(partial(import_people, ledger, people))
    import_limit = count / bare_seconds(folder / "bare.db", stored_rows(ledger, first, count))
    propose_and_approve(ledger, payments)
    first = ledger.store.size()
    running = count / seconds(partial(run_batch, ledger))
    run_limit = count / bare_seconds(folder / "bare.db", stored_rows(ledger, first, count))
    ledger.close()
    peer = PEER_PAYMENTS / seconds(partial(_library, folder / "library.db"))
    people.unlink()
    payments.unlink()
    return [
        Result(
            work=f"disburse run, {count:,} payments",
            measured=f"{running:,.0f}/s",
            peer=f"Aggregate + save: {peer:,.0f}/s ({running / peer:.1f} x)",
            limit=f"executemany: {run_limit:,.0f}/s ({running / run_limit:.2f} x)",
            reach=f">= {PEER_RATIO_MIN:.0f} x, >= {RUN_RATIO_MIN} x",
            is_reached=running / peer >= PEER_RATIO_MIN and running / run_limit >= RUN_RATIO_MIN,
            seconds_each={"run": 1 / running},
        ),
        Result(
            work=f"recipient import, {count:,} people",
            measured=f"{importing:,.0f}/s",
            limit=f"executemany: {import_limit:,.0f}/s ({importing / import_limit:.2f} x)",
            reach=f">= {IMPORT_RATIO_MIN} x",
            is_reached=importing / import_limit >= IMPORT_RATIO_MIN,
            seconds_each={"import": 1 / importing},
        ),
    ]


def vault_checked(folder: Path, count: int = CHECK_PEOPLE) -> Result:
    """People a second whose commitments and index entries are recomputed, on a vault that two processes share."""
    people = people_file(folder, count)
    ledger = new_ledger(folder / "checked", count)
    import_people(ledger, people)
    people.unlink()
    law, _ = check_vault(ledger.place, ledger.store, is_audit=False)
    assert law.holds
    assert law.checked == count
    checking = count / median_seconds(partial(check_vault, ledger.place, ledger.store, is_audit=False), times=3)
    ledger.close()
    rmtree(folder / "checked")
    return Result(
        work=f"check of the vault, {count:,} people",
        measured=f"{checking:,.0f}/s",
        reach=f">= {CHECK_PEOPLE_MIN:,}/s",
        is_reached=checking >= CHECK_PEOPLE_MIN,
        seconds_each={"check": 1 / checking},
    )


def _library(path: Path) -> None:
    app = Application[UUID](env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)})
    for first in range(0, PEER_PAYMENTS, PEER_SAVES):
        numbers = range(first, first + PEER_SAVES)
        app.save(*(Payment("bsu-2020", 1, f"R{number:09d}", AMOUNT, "bsu-1") for number in numbers))
    app.close()


def bare_seconds(path: Path, parts: Iterable[list[StoredRow]]) -> float:
    """How long `executemany` takes for rows into a new table like the store's; a part is a transaction."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute(
        "CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB,"
        " PRIMARY KEY (originator_id, originator_version))"
    )

    def insert(rows: list[StoredRow]) -> None:
        database.execute("BEGIN")
        database.executemany("INSERT INTO stored_events VALUES (?,?,?,?)", rows)
        database.execute("COMMIT")

    took = sum(seconds(partial(insert, rows)) for rows in parts)
    database.close()
    path.unlink()
    return took


@dataclass(frozen=True)
class Stored:
    """What a closed ledger takes on the disk."""

    events: int
    sealed_events: int
    people: int
    store_bytes: int
    vault_bytes: int
    archive_bytes: int
    """Of the events that are sealed."""


def stored_bytes(folder: Path) -> Stored:
    """What the ledger in a folder takes on the disk."""
    ledger = Ledger(folder)
    events, people = ledger.store.size(), ledger.vault.count()
    segments = Archive(folder / ARCHIVE, ledger.store).segments()
    ledger.close()
    store, vault = ((folder / name).stat().st_size for name in (EVENTS, VAULT))
    sealed_events = sum(each.last - each.first + 1 for each in segments)
    return Stored(events, sealed_events, people, store, vault, sum(each.path.stat().st_size for each in segments))


def bytes_an_event(folder: Path) -> Result:
    """The same by event and by person, once most of the events are sealed."""
    ledger = Ledger(folder)
    Archive(folder / ARCHIVE, ledger.store, segment_events=min(SEGMENT_EVENTS, ledger.store.size() // 2)).seal()
    ledger.close()
    found = stored_bytes(folder)
    return Result(
        work=f"bytes stored, {found.events:,} events of {found.people:,} people",
        measured=f"store {found.store_bytes / found.events:.0f}, archive {found.archive_bytes / found.sealed_events:.0f}"
        f" an event; vault {found.vault_bytes / found.people:.0f} a person",
    )
