"""Every report, law and explanation, row by row: on DuckDB, and on Sail, which has Spark's SQL.

`python -m tests.projections.conformance --events N` makes a ledger of so many events, with every law broken again and
again, and compares all of it; a fault of an engine may show with a million rows and not with a hundred.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from projections.audit.check import ABSENT
from projections.laws.law import law_names, law_sql
from projections.relation.archive import Archive
from projections.relation.database import database
from projections.relation.relations import empty_log, load, view
from projections.reports.catalogue import PROJECTIONS, RELATIONS, REPORTS, read_alone
from projections.reports.engine import create_shared
from projections.reports.explain import STEPS, create_steps
from projections.reports.record import explained
from tests.projections.book_of_events import Book, break_laws
from tests.projections.spark_side import result, sail, show_events, show_log

ABSENT_PEOPLE = ((3, 3), (9, 999_999_999))
"""Numbers that nobody in the vault has, for the law that asks for them."""
PROGRAMS_COPIED = 20
SHOWN = 5


def reports() -> dict[str, str]:
    """Name → text of all that depends on a date and on what was known."""
    with_sums = [name for name, each in REPORTS.items() if each.sums]
    return {name: PROJECTIONS[name].sql for name in (*read_alone(), *RELATIONS)} | {
        f"{name} explained": explained(f"{name.replace('-', '_')}.sql") for name in (*with_sums, *STEPS)
    }


def laws() -> dict[str, str]:
    """Name → text of all that is asked of the whole log."""
    return {f"law {name}": law_sql(name) for name in law_names()}


@dataclass
class Both:
    """The relations of one ledger, on both engines."""

    connection: Any
    """Of DuckDB."""
    session: Any
    """Of Spark."""

    def look(self, as_of: date, known_at: int | None = None) -> None:
        """Let both show what had happened by a date and was known at a size of the log."""
        view(self.connection, as_of, known_at)
        create_shared(self.connection)
        create_steps(self.connection)
        [(log_size,)] = self.connection.execute("SELECT log_size FROM context").fetchall()
        show_events(self.session, as_of, log_size)

    def log_size(self) -> int:
        """The number of events in all."""
        [(size,)] = self.connection.execute("SELECT size FROM extent").fetchall()
        return int(size)

    def compare(self, name: str, query: str) -> "Compared":
        """Ask both, and hold each row of the one against a row of the other."""
        begun = perf_counter()
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE ours AS SELECT * FROM ({query}\n) AS found")
        between = perf_counter()
        table = result(self.session, query)
        ended = perf_counter()
        self.connection.register("theirs", table)
        found = self._differences(name)
        self.connection.unregister("theirs")
        return Compared(name, table.num_rows, between - begun, ended - between, found)

    def _differences(self, name: str) -> list[str]:
        ours, theirs = self._columns("ours"), self._columns("theirs")
        if ours != theirs:
            return [f"columns {ours}, on Spark {theirs}"]
        place = ", ROW_NUMBER() OVER () AS place" if self._is_ordered(name) else ""
        sides = [f"SELECT *{place} FROM {side}" for side in ("ours", "theirs")]
        found = []
        for side, (these, those) in (("DuckDB", sides), ("Spark", reversed(sides))):
            rows = self.connection.execute(f"{these} EXCEPT ALL {those} LIMIT {SHOWN}").fetchall()
            found += [f"only on {side}: {row}" for row in rows]
        return found

    def _columns(self, side: str) -> list[tuple[str, str]]:
        return [(name, _kind(kind)) for name, kind, *_ in self.connection.execute(f"DESCRIBE {side}").fetchall()]

    def _is_ordered(self, name: str) -> bool:
        """Whether the rows are in an order that leaves no choice: a report's, where its keys tell all of them apart."""
        if name not in REPORTS:
            return False
        keys = f"SELECT COUNT(*), COUNT(DISTINCT ({', '.join(REPORTS[name].keys)}, 0)) FROM ours"
        [(count, distinct)] = self.connection.execute(keys).fetchall()
        return bool(count == distinct)


def _kind(sql_type: str) -> str:
    """What a type's values are: both engines may keep whole numbers in more or fewer digits."""
    is_whole = sql_type in ("INTEGER", "BIGINT", "HUGEINT", "SMALLINT", "TINYINT")
    return "whole number" if is_whole or (sql_type.startswith("DECIMAL") and sql_type.endswith(",0)")) else sql_type


@dataclass(frozen=True)
class Compared:
    """What became of one query on both engines."""

    name: str
    rows: int
    duckdb_seconds: float
    sail_seconds: float
    differences: list[str]


@contextmanager
def on_both(session: Any, book: Book, folder: Path, segment_events: int) -> Iterator[Both]:
    """A ledger on both engines: from its store and archive on DuckDB, from the archive and a file of the rest on Sail."""
    segments = Archive(folder / "archive", book.recorder, segment_events=segment_events).brought_up_to_date()
    tail = folder / "tail.parquet"
    with database() as connection:
        load(connection, book.recorder, segments, with_gaps=True)
        connection.execute(f"COPY tail TO '{tail}' (FORMAT parquet)")
        _name_absent(connection)
        show_log(session, [*(segment.path for segment in segments), tail], ABSENT_PEOPLE)
        yield Both(connection, session)


def _name_absent(connection: Any) -> None:
    connection.execute(ABSENT)
    connection.executemany("INSERT INTO absent VALUES (?, ?)", ABSENT_PEOPLE)


# A large ledger


def multiplied(connection: Any, events: int, folder: Path) -> list[Path]:
    """Write the events of `log` again and again, until they are so many, to two files.

    Each copy has people, batches, groups and shipments of its own, and one of a few sets of programs.
    """
    [(size,)] = connection.execute("SELECT MAX(log_index) + 1 FROM log").fetchall()
    made = {
        "program": f"program || '-' || copy % {PROGRAMS_COPIED}",
        "parent": f"parent || '-' || copy % {PROGRAMS_COPIED}",
        "recipient_id": "'R' || lpad(CAST(recipient + 1000 * copy AS VARCHAR), 9, '0')",
        "batch_id": "batch_id || '-' || copy",
        "group_id": "group_id || '-' || copy",
        "shipment_id": "shipment_id || '-' || copy",
        "file_sha256": "sha256(file_sha256 || copy)",
        "used": "used || copy",
    }
    stream = "stream"
    for name in ("program", "recipient_id", "batch_id", "group_id", "shipment_id", "file_sha256", "used"):
        stream = f"COALESCE(replace({stream}, {name}, {made[name]}), {stream})"
    columns = made | {
        "stream": stream,
        "log_index": f"log_index + {size} * copy",
        "recipient": "CAST(recipient + 1000 * copy AS INTEGER)",
        "members": "list_transform(members, lambda each: 'R' || lpad(CAST(CAST(substr(each, 2) AS INT) + 1000 * copy AS"
        " VARCHAR), 9, '0'))",
        "effective_on": "effective_on + CAST(copy % 60 AS INTEGER)",
        "recorded_at": f"recorded_at + INTERVAL 1 MINUTE * ({size} * copy)",
    }
    replaced = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
    copies = -(-events // size)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE many AS SELECT * EXCLUDE (copy) REPLACE ({replaced})"
        f" FROM log CROSS JOIN range({copies}) AS copies(copy)"
        " WHERE copy = 0 OR (event NOT IN ('LedgerOpened', 'OfficerEnrolled', 'OfficerRevoked')"
        f" AND (event <> 'ProgramOpened' OR copy < {PROGRAMS_COPIED}))"
    )
    paths = [folder / "events-1.parquet", folder / "events-2.parquet"]
    for path, half in zip(paths, (f"< {events * 3 // 4}", f">= {events * 3 // 4}"), strict=True):
        connection.execute(
            f"COPY (SELECT * FROM many WHERE log_index {half} ORDER BY log_index) TO '{path}' (ROW_GROUP_SIZE 125000)"
        )
    connection.execute("DROP TABLE many")
    return paths


@contextmanager
def large(session: Any, events: int, folder: Path) -> Iterator[Both]:
    """A ledger of so many events on both engines, each of which reads the same two files."""
    book = break_laws(Book(folder / "events.db"))
    with database() as connection:
        load(connection, book.recorder, with_gaps=True)
        paths = multiplied(connection, events, folder)
    book.close()
    with database() as connection:
        for statement in empty_log():
            connection.execute(statement)
        files = ", ".join(f"'{path}'" for path in paths)
        connection.execute(f"CREATE VIEW log AS SELECT * FROM read_parquet([{files}])")
        connection.execute("CREATE TABLE extent AS SELECT MAX(log_index) + 1 AS size FROM log")
        _name_absent(connection)
        show_log(session, paths, ABSENT_PEOPLE)
        yield Both(connection, session)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare a large ledger, print a line for each query, and end with 1 where a row differs."""
    parser = ArgumentParser(description=main.__doc__)
    parser.add_argument("--events", type=int, default=1_200_000, help="more than 2^20, the block of some laws")
    events = parser.parse_args(arguments).events
    done = []
    with TemporaryDirectory() as folder, sail() as session, large(session, events, Path(folder)) as both:
        both.look(date.max)
        queries = laws() | reports()
        for name, query in queries.items():
            done.append(both.compare(name, query))
            _print(done[-1])
        both.look(date(2020, 11, 15), events // 2)
        for name, query in reports().items():
            done.append(both.compare(name, query))
            _print(done[-1])
    differing = sum(bool(each.differences) for each in done)
    seconds = [sum(each.duckdb_seconds for each in done), sum(each.sail_seconds for each in done)]
    print(f"{len(done) - differing} of {len(done)} the same; DuckDB {seconds[0]:.1f} s, Sail {seconds[1]:.1f} s")
    return 1 if differing else 0


def _print(each: Compared) -> None:
    print(
        f"{each.duckdb_seconds:8.2f} {each.sail_seconds:8.2f} {each.rows:10,} {each.name}",
        *each.differences,
        sep="\n  ",
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
