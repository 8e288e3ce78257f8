"""A law over rows written by hand, so that each of its branches can be broken alone."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from duckdb import DuckDBPyConnection

from projections.audit.check import ABSENT
from projections.laws.law import law_sql, verdicts
from projections.relation.database import database
from projections.relation.relations import empty_log
from projections.reports.catalogue import PROJECTIONS

Row = dict[str, Any]
Found = tuple[int, list[tuple[int | None, str]]]
"""How many things were examined, and the place and words of each breach."""


def row(event: str, **values: Any) -> Row:
    """An event as the laws see it."""
    return {"event": event, **values}


def found(law: str, *rows: Row, absent: Sequence[tuple[int, int]] = (), postings: Sequence[Row] = ()) -> Found:
    """What a law finds in these events; each stands where it is written, in the stream it names or in one of its own."""
    with _relations() as connection:
        for index, each in enumerate(rows):
            _insert(connection, "log", {"log_index": index, "stream": f"stream/{index}", "version": 1} | each)
        for each in postings:
            _insert(connection, "postings", each)
        if absent:
            connection.executemany("INSERT INTO absent VALUES (?, ?)", absent)
        checked, count, first = verdicts(connection, law_sql(law))
        assert count == len(first)
        return checked, [(breach.log_index, breach.detail) for breach in first]


@contextmanager
def _relations() -> Iterator[DuckDBPyConnection]:
    with database(threads=1) as connection:
        for statement in empty_log():
            connection.execute(statement)
        connection.execute("CREATE TABLE log AS SELECT * FROM tail")
        connection.execute("CREATE VIEW events AS SELECT * FROM log")
        for name in ("schedules", "offices"):
            connection.execute(f"CREATE VIEW {name} AS {PROJECTIONS[name].sql}")
        connection.execute(
            "CREATE TABLE postings (log_index BIGINT, stream VARCHAR, account VARCHAR, commodity VARCHAR, quantity HUGEINT)"
        )
        connection.execute(ABSENT)
        yield connection


def _insert(connection: DuckDBPyConnection, table: str, values: Mapping[str, object]) -> None:
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))
