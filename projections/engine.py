"""Runs projections: the rows of a report as of a date and as known at a point of the log."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Self

from ledger.store import LedgerRecorder
from projections.events import load, view

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHARED = {
    "schedules": "program, tranche",
    "branches": "program, member",
    "payments": "program, tranche, recipient_id",
    "helped": "program, kind, recipient_id",
    "postings": "log_index, posting",
}
"""Relation that other projections read → the order of its rows as a report of its own."""


_PARTS = {"schedules", "helped"}
"""Relations that serve others and tell nothing by themselves."""


@dataclass(frozen=True, slots=True)
class Report:
    """Rows of a projection, and what they are true for."""

    name: str
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    """Money and counts are `int`, dates `date`; a key a column."""
    as_of: date
    log_size: int
    currency: str
    decimals: int


def report_names() -> list[str]:
    """The projections there are, by name."""
    found = (file.name for file in files("projections").iterdir())
    names = {name.removesuffix(".sql").replace("_", "-") for name in found if name.endswith(".sql")}
    return sorted(names - _PARTS)


@lru_cache
def projection_sql(name: str) -> str:
    """The text of a projection; raises `KeyError` for a name that is none."""
    if name not in {*report_names(), *_PARTS}:
        raise KeyError(name)
    return files("projections").joinpath(name.replace("-", "_") + ".sql").read_text(encoding="utf-8")


def connect() -> "DuckDBPyConnection":
    """A database in memory, which fetches nothing from anywhere."""
    import duckdb

    return duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})


def create_shared(connection: "DuckDBPyConnection") -> None:
    """Create the relations that projections share, over `events` and `context`."""
    for name in SHARED:
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {projection_sql(name)}")


class Reports:
    """The reports of a ledger at the moment it was opened; close it, or use it as a context."""

    def __init__(self, recorder: LedgerRecorder) -> None:
        self.connection = connect()
        load(self.connection, recorder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget what was loaded."""
        self.connection.close()

    def run(self, name: str, *, as_of: date, known_at: int | datetime | None = None) -> Report:
        """The rows of a report; raises `KeyError` for an unknown name, `LogSizeError` for a size not reached."""
        query = projection_sql(name)
        if order := SHARED.get(name):
            query = f"SELECT * FROM {name} ORDER BY {order}"  # noqa: S608  # our own names
        view(self.connection, as_of, known_at)
        create_shared(self.connection)
        columns, rows = fetch(self.connection, query)
        context = fetch(self.connection, "SELECT * FROM context")[1][0]
        return Report(
            name=name,
            columns=columns,
            rows=rows,
            as_of=as_of,
            log_size=context["log_size"],
            currency=context["currency"] or "",
            decimals=context["decimals"] or 0,
        )


def fetch(connection: "DuckDBPyConnection", query: str) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """Column names in order, and rows, with whole numbers as `int`."""
    cursor = connection.execute(query)
    described = cursor.description or []
    columns = tuple(column[0] for column in described)
    # DuckDB hands DECIMAL(38,0) over as Decimal; lists of it stay as they are.
    numbers = [index for index, column in enumerate(described) if _is_decimal(str(column[1]))]
    rows = []
    for row in cursor.fetchall():
        values = list(row)
        for index in numbers:
            if values[index] is not None:
                values[index] = int(values[index])
        rows.append(dict(zip(columns, values, strict=True)))
    return columns, rows


def _is_decimal(sql_type: str) -> bool:
    return sql_type.startswith("DECIMAL") and sql_type.endswith(")")
