"""Runs projections: the rows of a report as of a date and as known at a point of the log."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from ledger.console.columns import PLAIN, Column, Layout
from ledger.domain.errors import Said
from ledger.store.errors import StoreFailedError
from ledger.store.recorder import EventLog
from projections.relation.archive import Archive
from projections.relation.database import database, database_error, out_of_memory, query_error
from projections.relation.relations import load, view
from projections.reports.catalogue import PROJECTIONS, RELATIONS, REPORTS
from projections.reports.record import Projection, flaws

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

T = TypeVar("T")

EVENTS_A_SPAN = 1_000_000


@dataclass(frozen=True, slots=True)
class ReportRows:
    """Rows of a projection, and what they are true for."""

    projection: Projection
    rows: list[dict[str, Any]]
    """Money and counts are `int`, dates `date`; a key a column."""
    as_of: date
    log_size: int
    currency: str
    decimals: int
    is_cut: bool = False
    """Whether there are more rows than were asked for."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns, in order."""
        return self.projection.columns

    @property
    def layout(self) -> Layout:
        """How people see them; of the first rows only, nothing is added up."""
        return PLAIN if self.is_cut else self.projection.layout


def create_shared(connection: "DuckDBPyConnection") -> None:
    """Create the relations that projections share, over `events` and `context`."""
    for statement in shared_views():
        connection.execute(statement)


def shared_views() -> list[str]:
    """The statements that create them."""
    return [f"CREATE OR REPLACE VIEW {name} AS {each.sql}" for name, each in RELATIONS.items()]


class Reports:
    """The reports of a ledger at the moment it was opened; close it, or use it as a context."""

    def __init__(self, recorder: EventLog, archive: Archive | None = None) -> None:
        """Load from the archive what it holds, once it is brought up to date, and the rest from the store.

        Raises `SegmentMismatchError` for an archive that is not of this ledger.
        """
        self.recorder = recorder
        self.archive = archive
        with ExitStack() as opening:
            self.connection = opening.enter_context(database())
            self._load()
            self._opened = opening.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget what was loaded."""
        self._opened.close()

    def _load(self) -> None:
        load(self.connection, self.recorder, self.archive.brought_up_to_date() if self.archive else ())
        view(self.connection, date.max, None)
        create_shared(self.connection)

    def run(
        self, name: str, *, as_of: date, known_at: int | datetime | None = None, rows_max: int | None = None
    ) -> ReportRows:
        """The rows of a report, or the first of them.

        Raises `KeyError` for an unknown name, `LogSizeError` for a size not reached.
        """
        return self._with_the_archive_mended(lambda: self._run(name, as_of, known_at, rows_max))

    def write(
        self,
        name: str,
        path: Path,
        *,
        form: Literal["csv", "json"],
        as_of: date,
        known_at: int | datetime | None = None,
    ) -> None:
        """Write the rows of a report to a file, however many: CSV with a header, or a JSON object a line.

        Raises as `run` does.
        """
        self._with_the_archive_mended(lambda: self._write(name, path, form, as_of, known_at))

    def _write(
        self, name: str, path: Path, form: Literal["csv", "json"], as_of: date, known_at: int | datetime | None
    ) -> None:
        view(self.connection, as_of, known_at)
        size = int(fetch(self.connection, "SELECT log_size FROM context")[1][0]["log_size"])
        step = EVENTS_A_SPAN if PROJECTIONS[name].is_by_event else max(size, 1)

        def spans() -> Iterator[str]:
            for first in range(0, max(size, 1), step):
                view(self.connection, as_of, known_at, span=(first, first + step))
                yield _query(name)

        copy_each(self.connection, path, form, spans())

    def ask(
        self, work: "Callable[[DuckDBPyConnection], T]", *, as_of: date, known_at: int | datetime | None = None
    ) -> T:
        """What some work finds in the relations as of a date and as known at a point; it may be done twice.

        Raises `LogSizeError` for a size not reached.
        """

        def seen() -> T:
            view(self.connection, as_of, known_at)
            return work(self.connection)

        return self._with_the_archive_mended(seen)

    def _with_the_archive_mended(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except out_of_memory() as error:
            raise StoreFailedError(reason=Said("the database was out of memory")) from error
        except database_error() as error:
            if self.archive is None or isinstance(error, query_error()):
                raise
            self.archive.discard_unreadable()
        # Made anew, or by another process since.
        self._load()
        return work()

    def _run(self, name: str, as_of: date, known_at: int | datetime | None, rows_max: int | None) -> ReportRows:
        projection, query = PROJECTIONS[name], _query(name)
        if rows_max is not None:
            query = f"SELECT * FROM ({query}) LIMIT {rows_max + 1}"  # noqa: S608  # our own
        view(self.connection, as_of, known_at)
        names, rows = fetch(self.connection, query)
        if names != projection.names:
            raise LookupError(" ".join(flaws(projection, described(self.connection, query))))
        context = fetch(self.connection, "SELECT * FROM context")[1][0]
        return ReportRows(
            projection=projection,
            rows=rows[:rows_max],
            as_of=as_of,
            log_size=context["log_size"],
            currency=context["currency"] or "",
            decimals=context["decimals"] or 0,
            is_cut=rows_max is not None and len(rows) > rows_max,
        )


def copy_each(
    connection: "DuckDBPyConnection", path: Path, form: Literal["csv", "json"], queries: Iterable[str]
) -> None:
    """Write the rows of one query after the other to a file: CSV with one header, or a JSON object a line."""
    piece = path.with_name(path.name + ".piece")
    quoted = str(piece).replace("'", "''")
    with path.open("wb") as whole:
        for number, query in enumerate(queries):
            header = f", HEADER {number == 0}" if form == "csv" else ""
            connection.execute(f"COPY ({query}) TO '{quoted}' (FORMAT {form}{header})")
            with piece.open("rb") as part:
                copyfileobj(part, whole)
            piece.unlink()


def _query(name: str) -> str:
    if relation := RELATIONS.get(name):
        # Said, because Spark puts what has no value first.
        order = ", ".join(f"{key} NULLS LAST" for key in relation.keys)
        return f"SELECT * FROM {name} ORDER BY {order}"  # noqa: S608  # our own names
    return REPORTS[name].sql


def described(connection: "DuckDBPyConnection", query: str) -> list[tuple[str, str]]:
    """The columns that a query gives, each with its type."""
    return [(name, kind) for name, kind, *_ in connection.execute(f"DESCRIBE {query}").fetchall()]


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
