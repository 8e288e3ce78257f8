"""Balances and the program report, rebuilt from the store alone and from the archive.

From the store they stand beside the library's notification log, hledger and beancount; from the archive beside bare
`GROUP BY`s over the same Parquet columns.
"""

import sqlite3
import sys
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path

from benchmarks.journals import journal_seconds
from benchmarks.office import new_ledger
from benchmarks.timing import Result, median_seconds, report, seconds
from ledger.application.folder import EVENTS
from ledger.application.ledger import Ledger
from ledger.domain.payment import TrancheDisbursed
from ledger.store.entries import Entry
from projections.relation.archive import ARCHIVE, Archive
from projections.relation.database import database
from projections.relation.relations import view
from projections.reports.catalogue import PROJECTIONS
from projections.reports.engine import Reports

PEOPLE = 1_000_100
"""Three events each, and few more than whole segments hold: the open cost is that of any size."""
FIRST = 10
PAYMENTS = (PEOPLE - FIRST) * 2
TIMES = 3
PEER_EVENTS = 100_000
PAGE_EVENTS = 10_000
JOURNAL_RATIO_MIN = 50.0
LIBRARY_RATIO_MIN = 10.0
REBUILD_RATIO_MAX = 2.0
SEALED_A_SECOND = 200_000
META = '{"recorded_at":"2020-10-15T03:00:00.000000Z","effective_on":"2020-10-15","by":"siti"'
BARE = (
    "SELECT recipient, program, SUM(amount) FROM {log} WHERE event = 'TrancheDisbursed' GROUP BY recipient, program",
    "SELECT program, SUM(amount), COUNT(DISTINCT recipient) FROM {log} WHERE event = 'TrancheDisbursed' GROUP BY program",
)
"""What the two reports ask for at the least."""
EVERY_CELL = "SELECT SUM(CAST(hash(COLUMNS(*)) AS HUGEINT)) FROM ({query})"
"""Makes a query compute all it says, and hands over one row."""
PAID = '"program":"bsu-2020","tranche":TRANCHE,"recipient_id":"R{:09}","amount":1200000,"batch_id":"bsu-1"'


def reports_rebuilt(folder: Path, journal_of: Path) -> list[Result]:
    """Both reports from the store alone, events sealed a second, and both reports from the archive.

    `folder` gets the ledger of three million events; `journal_of` is a ledger whose journal others read.
    """
    large_ledger(folder)
    ledger = Ledger(folder)
    archive = Archive(ledger.folder / ARCHIVE, ledger.store)
    readers = journal_seconds(journal_of)
    results = [*rebuilt_from_store(ledger, readers), sealed(ledger, archive)]
    results.append(rebuilt_from_archive(ledger, archive, readers))
    ledger.close()
    return results


def rebuilt_from_store(ledger: Ledger, readers: Mapping[str, float]) -> list[Result]:
    """Both reports without an archive, beside the library's way, reading the rows, and readers of a journal.

    A reader is given with its seconds a payment.
    """
    size = ledger.store.size()
    ours = seconds(partial(_rebuild, ledger, None))
    reading = seconds(partial(_read, ledger.folder / EVENTS))
    library = seconds(partial(_fold, ledger, size - PEER_EVENTS)) / PEER_EVENTS * size
    hledger = readers.get("hledger", 0.0) / ours * PAYMENTS
    return [
        Result(
            work=f"balances and programs from the store, {size:,} events",
            measured=f"{ours:.1f} s",
            peer=f"select_notifications + fold: {library:.0f} s ({library / ours:.1f} x)",
            limit=f"reading the rows: {reading:.1f} s ({ours / reading:.1f} x)",
            reach=f">= {LIBRARY_RATIO_MIN:.0f} x",
            is_reached=library / ours >= LIBRARY_RATIO_MIN,
        ),
        Result(
            work="the same a payment",
            measured=f"{ours / PAYMENTS * 1e6:.1f} us",
            peer=_beside(readers, ours / PAYMENTS),
            reach=f">= {JOURNAL_RATIO_MIN:.0f} x hledger",
            is_reached=hledger >= JOURNAL_RATIO_MIN or "hledger" not in readers,
        ),
    ]


def sealed(ledger: Ledger, archive: Archive) -> Result:
    """Events sealed a second."""
    size = ledger.store.size()
    took = seconds(archive.seal)
    return Result(
        work=f"seal, {size:,} events",
        measured=f"{size / took:,.0f}/s",
        reach=f">= {SEALED_A_SECOND:,}/s",
        is_reached=size / took >= SEALED_A_SECOND,
        seconds_each={"seal": took / size},
    )


def _beside(readers: Mapping[str, float], payment_seconds: float) -> str:
    return ", ".join(
        f"{name}: {took * 1e6:.0f} us a payment ({took / payment_seconds:.0f} x)" for name, took in readers.items()
    )


def rebuilt_from_archive(ledger: Ledger, archive: Archive, readers: Mapping[str, float] | None = None) -> Result:
    """Both reports from the archive, its examination and the log's tail included, beside the bare queries."""
    ours = median_seconds(partial(_rebuild, ledger, archive), times=TIMES)
    bare = median_seconds(partial(_group, archive), times=TIMES)
    size = ledger.store.size()
    return Result(
        work=f"balances and programs from the archive, {size:,} events",
        measured=f"{ours:.2f} s",
        peer=_beside(readers, ours / PAYMENTS) if readers else "",
        limit=f"bare GROUP BY: {bare:.2f} s ({ours / bare:.2f} x)",
        reach=f"<= {REBUILD_RATIO_MAX} x",
        is_reached=ours / bare <= REBUILD_RATIO_MAX,
        seconds_each={"rebuild": ours / size},
    )


def _rebuild(ledger: Ledger, archive: Archive | None) -> None:
    with Reports(ledger.store, archive) as reports:
        view(reports.connection, date(2020, 12, 31), None)
        for name in ("balances", "programs"):
            reports.connection.execute(EVERY_CELL.format(query=PROJECTIONS[name].sql))


def _group(archive: Archive) -> None:
    with database() as connection:
        for query in BARE:
            files = f"read_parquet('{archive.folder}/events-*', union_by_name=true)"
            connection.execute(EVERY_CELL.format(query=query.format(log=files)))


def _read(path: Path) -> None:
    """Read every row of the store's table."""
    database = sqlite3.connect(path)
    for _ in database.execute("SELECT originator_id, originator_version, topic, state FROM stored_events"):
        pass
    database.close()


def _fold(ledger: Ledger, first: int) -> None:
    """Fold the last events as the library's readers do: by notifications, each made a domain event."""
    balances: defaultdict[tuple[str, str], int] = defaultdict(int)
    totals: defaultdict[str, int] = defaultdict(int)
    people: defaultdict[str, set[str]] = defaultdict(set)
    for start in range(first, first + PEER_EVENTS, PAGE_EVENTS):
        for notification in ledger.store.select_notifications(start + 1, PAGE_EVENTS):
            entry = ledger.mapper.to_domain_event(notification)
            if isinstance(entry, Entry) and isinstance(paid := entry.event, TrancheDisbursed):
                balances[paid.recipient_id, paid.program] += paid.amount
                totals[paid.program] += paid.amount
                people[paid.program].add(paid.recipient_id)


def large_ledger(folder: Path, people: int = PEOPLE) -> None:
    """A ledger in which many people are paid two tranches, in the store's own form and without asking its rules."""
    new_ledger(folder, 1).close()
    database = sqlite3.connect(folder / EVENTS)
    with database:
        for stream, topic, fields in (
            (
                "recipient/R{:09}",
                "RecipientRegistered.v1",
                '"recipient_id":"R{:09}","commitment":"{:064x}","category":"worker"',
            ),
            ("payment/bsu-2020/1/R{:09}", "TrancheDisbursed.v1", PAID.replace("TRANCHE", "1")),
            ("payment/bsu-2020/2/R{:09}", "TrancheDisbursed.v1", PAID.replace("TRANCHE", "2")),
        ):
            database.executemany(
                "INSERT INTO stored_events VALUES (?, 1, ?, ?)",
                (
                    (stream.format(number), topic, f"{META},{fields.format(number, number**9)}}}".encode())
                    for number in range(FIRST, people)
                ),
            )
    database.close()


def main() -> int:
    """Measure a ledger that is there: `python -m benchmarks.reports FOLDER`."""
    ledger = Ledger(Path(sys.argv[1]))
    result = rebuilt_from_archive(ledger, Archive(ledger.folder / ARCHIVE, ledger.store))
    ledger.close()
    report("reports", [result])
    return 0 if result.is_reached else 1


if __name__ == "__main__":
    sys.exit(main())
