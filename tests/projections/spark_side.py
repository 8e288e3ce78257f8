"""Spark's side of a comparison: a Sail server in this process, and the relations of a ledger over its Parquet files.

Sail speaks Spark's protocol and SQL and needs no Java. It reads the same files that DuckDB reads, each with the columns
that have a value in it; a column that a file lacks is NULL there.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from ledger.domain.registry import EVENT_CLASSES
from projections.relation import relations as events
from projections.reports.catalogue import PROJECTIONS, RELATIONS
from projections.reports.explain import STEPS
from projections.reports.record import explained

_SPARK_TYPE = {"VARCHAR": "STRING", "INTEGER": "INT", "TIMESTAMP": "TIMESTAMP_NTZ"}


def spark_type(duckdb_type: str) -> str:
    """The name that Spark has for a type of the relation."""
    if duckdb_type.endswith("[]"):
        return f"ARRAY<{spark_type(duckdb_type.removesuffix('[]'))}>"
    if fields := re.fullmatch(r"STRUCT\((.*)\)", duckdb_type):
        pairs = (field.split() for field in fields[1].split(", "))
        return "STRUCT<" + ", ".join(f"{name}: {spark_type(kind)}" for name, kind in pairs) + ">"
    return _SPARK_TYPE.get(duckdb_type, duckdb_type)


@contextmanager
def sail() -> Iterator[Any]:
    """A session of a Sail server that ends with it; it listens on this machine only, at a port of its own."""
    os.environ.setdefault("RUST_LOG", "error")
    from pysail.spark import SparkConnectServer  # type: ignore[import-untyped]  # its wheel has no types
    from pyspark.sql import SparkSession

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    try:
        _, port = server.listening_address
        session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
        try:
            yield session
        finally:
            session.stop()
    finally:
        server.stop()


def show_log(session: Any, files: Sequence[Path], absent: Sequence[tuple[int, int]] = ()) -> None:
    """Let `log` show the events in Parquet files, and `absent` the ranges of numbers that nobody in the vault has."""
    schema = ", ".join(f"{name} {spark_type(kind)}" for name, kind in events.column_types(EVENT_CLASSES).items())
    session.read.schema(schema).parquet(*map(str, files)).createOrReplaceTempView("log")
    rows = " UNION ALL ".join(
        f"SELECT CAST({first} AS BIGINT) AS first, CAST({last} AS BIGINT) AS last" for first, last in absent
    )
    none = "SELECT CAST(NULL AS BIGINT) AS first, CAST(NULL AS BIGINT) AS last WHERE FALSE"
    session.sql(f"CREATE OR REPLACE TEMP VIEW absent AS {rows or none}")


def show_events(session: Any, as_of: date, log_size: int) -> None:
    """Let `events`, `context` and what projections share show what had happened by a date, of so many events."""
    on = f"DATE '{as_of.isoformat()}'"
    views = {
        "events": f"SELECT * FROM log WHERE log_index < {log_size} AND effective_on <= {on}",
        "context": f"SELECT {on} AS as_of, CAST({log_size} AS BIGINT) AS log_size, MAX(currency) AS currency,"
        " MAX(decimals) AS decimals FROM log WHERE event = 'LedgerOpened'",
        **{name: PROJECTIONS[name].sql for name in RELATIONS},
        **{name: explained(f"{name.replace('-', '_')}.sql") for name in STEPS},
    }
    for name, query in views.items():
        session.sql(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")


def result(session: Any, query: str) -> Any:
    """The rows of a query, as a table of Arrow."""
    return session.sql(query).toArrow()
