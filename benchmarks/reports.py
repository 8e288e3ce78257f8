"""Balances and the program report rebuilt from the archive, beside bare GROUP BYs over the same Parquet columns."""

import sqlite3
import sys
from datetime import date
from functools import partial
from pathlib import Path

from benchmarks.payments import approved_batch
from benchmarks.timing import Result, median_seconds, report, seconds
from ledger.application import Ledger
from ledger.folder import EVENTS
from projections.archive import ARCHIVE, Archive
from projections.database import database
from projections.engine import Reports, projection_sql
from projections.events import view

PEOPLE = 1_000_100
"""Three events each, and few more than whole segments hold: the open cost is that of any size."""
TIMES = 3
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
PAID = (
    '"program":"bsu-2020","tranche":TRANCHE,"recipient_id":"R{:09}","amount":1200000,"batch_id":"bsu-2020-1-00000000"'
)


def reports_rebuilt(folder: Path) -> list[Result]:
    """Events sealed a second, and both reports from the archive and from the store alone."""
    approved_batch(folder / "large", 1)[0].close()
    _fill(folder / "large" / EVENTS)
    ledger = Ledger(folder / "large")
    archive = Archive(ledger.folder / ARCHIVE, ledger.store)
    size, took = ledger.store.size(), seconds(archive.seal)
    sealing = Result(
        work=f"seal, {size:,} events",
        measured=f"{size / took:,.0f}/s",
        peer="",
        limit="",
        reach=f">= {SEALED_A_SECOND:,}/s",
        is_reached=size / took >= SEALED_A_SECOND,
    )
    results = [sealing, rebuilt_from(ledger, archive, beside_the_store=True)]
    ledger.close()
    return results


def rebuilt_from(ledger: Ledger, archive: Archive, *, beside_the_store: bool) -> Result:
    """Both reports from the archive, its examination and the log's tail included, beside the bare queries."""
    ours = median_seconds(partial(_rebuild, ledger, archive), times=TIMES)
    bare = median_seconds(partial(_group, archive), times=TIMES)
    from_store = seconds(lambda: _rebuild(ledger, None)) if beside_the_store else 0.0
    return Result(
        work=f"balances and programs, {ledger.store.size():,} events",
        measured=f"{ours:.2f} s",
        peer=f"from the store alone: {from_store:.1f} s ({from_store / ours:.1f} x)" if beside_the_store else "",
        limit=f"bare GROUP BY: {bare:.2f} s ({ours / bare:.2f} x)",
        reach=f"<= {REBUILD_RATIO_MAX} x",
        is_reached=ours / bare <= REBUILD_RATIO_MAX,
    )


def _rebuild(ledger: Ledger, archive: Archive | None) -> None:
    with Reports(ledger.store, archive) as reports:
        view(reports.connection, date(2020, 12, 31), None)
        for name in ("balances", "programs"):
            reports.connection.execute(EVERY_CELL.format(query=projection_sql(name)))


def _group(archive: Archive) -> None:
    with database() as connection:
        for query in BARE:
            files = f"read_parquet('{archive.folder}/events-*', union_by_name=true)"
            connection.execute(EVERY_CELL.format(query=query.format(log=files)))


def _fill(path: Path) -> None:
    """Register many people and pay each two tranches, in the store's own form and without asking its rules."""
    database = sqlite3.connect(path)
    with database:
        for stream, topic, fields in (
            (
                "recipient/R{:09}",
                "RecipientRegistered.v1",
                '"recipient_id":"R{:09}","commitment":"{:064x}","category":"worker"',
            ),
            ("payment/bsu-2020/2/R{:09}", "TrancheDisbursed.v1", PAID.replace("TRANCHE", "2")),
            ("payment/bsu-2020/3/R{:09}", "TrancheDisbursed.v1", PAID.replace("TRANCHE", "3")),
        ):
            database.executemany(
                "INSERT INTO stored_events VALUES (?, 1, ?, ?)",
                (
                    (stream.format(number), topic, f"{META},{fields.format(number, number**9)}}}".encode())
                    for number in range(10, PEOPLE)
                ),
            )
    database.close()


def main() -> int:
    """Measure a ledger that is there: `python -m benchmarks.reports FOLDER`."""
    ledger = Ledger(Path(sys.argv[1]))
    result = rebuilt_from(ledger, Archive(ledger.folder / ARCHIVE, ledger.store), beside_the_store=False)
    ledger.close()
    report("reports", [result])
    return 0 if result.is_reached else 1


if __name__ == "__main__":
    sys.exit(main())
