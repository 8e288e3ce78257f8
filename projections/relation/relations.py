"""The relations `log`, `events` and `context` that every projection reads.

`log` holds one wide, typed row an event: all of them, those sealed in segments and those only in the store. `events` is
what is seen of it as of a date and as known at a size of the log or an instant. `context` is one row that says so, with
the ledger's currency.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ledger.domain.registry import EVENT_CLASSES
from ledger.store.numbering import require_all
from ledger.store.recorder import EventLog
from projections.errors import LogSizeError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

T = TypeVar("T")

EVENTS_A_FILE = 250_000
"""On the way from the store: while one is read by the database, the next is written."""

_AMOUNT = "DECIMAL(18,0)"
"""Money and quantities of one event, below 2^53; their sums are DECIMAL(38,0), on DuckDB as on Spark."""

_INTEGER_MAX = 2**31 - 1


def _sql_type(annotation: Any, bounds: Sequence[object] = ()) -> str:
    """The column's type for a field's own type; raises `TypeError` for a type that no column holds yet."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _sql_type(inner, [*bounds, *more])
    if isinstance(annotation, UnionType) or get_origin(annotation) is Union:  # a field that may be left out
        return _sql_type(next(each for each in get_args(annotation) if each is not NoneType), bounds)
    if get_origin(annotation) is tuple:
        return f"{_sql_type(get_args(annotation)[0])}[]"
    if get_origin(annotation) is Literal:
        return "VARCHAR"
    if isinstance(annotation, type):
        if issubclass(annotation, str):
            return "VARCHAR"
        if issubclass(annotation, date):
            return "DATE"
        if issubclass(annotation, int):
            most = min((each for each in map(_le, bounds) if each is not None), default=None)
            return "INTEGER" if most is not None and most <= _INTEGER_MAX else _AMOUNT
        if issubclass(annotation, BaseModel):
            parts = {
                name: "BIGINT" if each.annotation is int else "VARCHAR"
                for name, each in annotation.model_fields.items()
            }
            return f"STRUCT({', '.join(f'{name} {sql}' for name, sql in parts.items())})"
    raise TypeError(f"no column holds {annotation}: write in projections/relation/relations.py which SQL type does")


def _le(bound: object) -> int | None:
    """The upper bound that a constraint sets."""
    if isinstance(bound, FieldInfo):
        return min((each for each in map(_le, bound.metadata) if each is not None), default=None)
    most = getattr(bound, "le", None)
    return most if isinstance(most, int) else None


def _fields() -> dict[str, str]:
    found = {"agreement": "VARCHAR"}  # of the meta, and in a column where the event may bear one
    for cls in EVENT_CLASSES.values():
        for name, field in cls.model_fields.items():
            sql = _sql_type(field.annotation, field.metadata)
            if found.setdefault(name, sql) != sql:
                raise TypeError(
                    f"{cls.__name__}.{name} is {sql}, and {found[name]} in another event: give it another name"
                )
    return found


FIELDS = _fields()
"""Field of an event → its type in the relation."""

_PLACE = {
    "log_index": "BIGINT",
    "stream": "VARCHAR",
    "version": "INTEGER",
    "topic": "VARCHAR",
    # Without a zone, always UTC: a zoned type is shown in the session's zone, here and on Spark.
    "recorded_at": "TIMESTAMP",
    "effective_on": "DATE",
    "by": "VARCHAR",
    "reference": "VARCHAR",
    "note": "VARCHAR",
}

_MADE = {
    "event": ("topic", "split_part(topic, '.', 1)"),
    "officer": ("by", '"by"'),
    # A number is counted and grouped several times faster than a text.
    "recipient": ("recipient_id", "TRY_CAST(substr(recipient_id, 2) AS INTEGER)"),
}
"""Column of the relation → the field it is made from, and how."""

_COLUMNS = (
    "log_index", "stream", "version", "event", "recorded_at", "effective_on", "officer", "reference", "note", *FIELDS,
    "recipient",
)  # fmt: skip

_SPARK_FUNCTIONS = (
    "explode(list) AS unnest(list)",
    "sequence(first, last) AS generate_series(first, last)",
    "array_size(list) AS len(list)",
    "element_at(list, nth) AS list_extract(list, nth)",
    "shiftleft(number, places) AS number << places",
    "shiftright(number, places) AS number >> places",
    "datediff(end_on, start_on) AS end_on - start_on",
    "array_join(list, separator) AS array_to_string(list, separator)",
    "sha2(text, bits) AS sha256(text)",
)
"""What Spark has and DuckDB names otherwise, so that one file runs on both."""


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A file that holds the events of a range of the log."""

    first: int
    last: int
    path: Path


def fields_of(topics: Iterable[str]) -> tuple[str, ...]:
    """The fields that events of these topics may have; all where one of the topics is not known."""
    named: set[str] = set()
    for topic in topics:
        cls = EVENT_CLASSES.get(topic)
        named |= {*cls.model_fields, *(["agreement"] if cls.AGREED else [])} if cls else set(FIELDS)
    return tuple(name for name in FIELDS if name in named)


def columns_of(fields: Sequence[str]) -> list[str]:
    """The columns of the relation that have a value in events with these fields."""
    return [name for name in _COLUMNS if (name not in FIELDS and name != "recipient") or _source(name) in fields]


def column_types(topics: Iterable[str]) -> dict[str, str]:
    """The columns that events of these topics have a value in, with their types."""
    return {name: _type(name) for name in columns_of(fields_of(topics))}


def _source(column: str) -> str:
    return _MADE[column][0] if column in _MADE else column


def typed(fields: Sequence[str]) -> str:
    """What to select for `columns_of` from a file's lines."""
    return ", ".join(f"{_MADE[name][1]} AS {name}" if name in _MADE else name for name in columns_of(fields))


def lines_of(fields: Sequence[str]) -> str:
    """The relation of a file of lines, named as the query's next value."""
    types = ", ".join(f"'{name}': '{(_PLACE | FIELDS)[name]}'" for name in (*_PLACE, *fields))
    return f"read_json(?, format='newline_delimited', columns={{{types}}})"


def load(
    connection: "DuckDBPyConnection",
    recorder: EventLog,
    segments: Sequence[Segment] = (),
    *,
    with_gaps: bool = False,
) -> None:
    """Let `log` show every event of the ledger: those of the segments, and from the store all others.

    Raises `duckdb.Error` where a stored line is not JSON of the expected types, and `IntegrityBrokenError` where an event
    is missing, unless gaps are to be examined as well.
    """
    size = recorder.size()
    for statement in empty_log():
        connection.execute(statement)
    connection.execute(f"CREATE OR REPLACE TABLE extent AS SELECT {size} AS size")
    for first, end in gaps(segments, size):
        _load_tail(connection, partial(_write_lines, recorder, with_gaps), first, end)
    files = ["'" + str(segment.path).replace("'", "''") + "'" for segment in segments]
    connection.execute(f"CREATE OR REPLACE VIEW log AS {log_of(', '.join(files))}")


def empty_log() -> list[str]:
    """The statements that make what every projection stands on: the functions named otherwise, and a tail without rows."""
    nothing = ", ".join(f"CAST(NULL AS {_type(name)}) AS {name}" for name in _COLUMNS)
    functions = [f"CREATE OR REPLACE MACRO {function}" for function in _SPARK_FUNCTIONS]
    return [*functions, f"CREATE OR REPLACE TABLE tail AS SELECT {nothing} WHERE FALSE"]


def gaps(segments: Sequence[Segment], size: int) -> list[tuple[int, int]]:
    """The ranges (first, end) of a log of so many events that no segment holds."""
    starts = [0, *(segment.last + 1 for segment in segments)]
    ends = [*(segment.first for segment in segments), size]
    return [(first, end) for first, end in zip(starts, ends, strict=True) if first < end]


def _load_tail(
    connection: "DuckDBPyConnection", write: Callable[[int, int, Path], frozenset[str]], first: int, end: int
) -> None:
    # No report asks for the order of the tail's rows, and to keep it costs a third of the time.
    connection.execute("SET preserve_insertion_order = false")
    with TemporaryDirectory(prefix="salur-") as room:
        starts = range(first, end, EVENTS_A_FILE)
        ends = [min(start + EVENTS_A_FILE, end) for start in starts]
        paths = [Path(room) / f"{start}.ndjson" for start in starts]
        for path, topics in zip(paths, _ahead(write, starts, ends, paths), strict=True):
            fields = fields_of(topics)
            connection.execute(
                f"INSERT INTO tail BY NAME SELECT {typed(fields)} FROM {lines_of(fields)}",  # noqa: S608  # our own names
                [str(path)],
            )
            path.unlink()
    connection.execute("RESET preserve_insertion_order")


def _ahead(work: Callable[..., T], *arguments: Sequence[object]) -> Iterator[T]:
    """The work's result for each, while a thread is at the next: the store reads outside of Python."""
    if len(arguments[0]) == 1:
        yield from map(work, *arguments)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as worker:
        yield from worker.map(work, *arguments)


def _write_lines(recorder: EventLog, with_gaps: bool, first: int, end: int, path: Path) -> frozenset[str]:
    """Write the events of a range in the newest form, a line each; returns their topics."""
    topics: set[str] = set()
    events = 0
    with path.open("wb") as file:
        for block in recorder.blocks(first=first, until=end):
            newest = block.newest()
            file.write(newest.lines)
            topics |= newest.topics
            events += block.events
    if not with_gaps:
        require_all(events=events, first=first, end=end)
    return frozenset(topics)


def log_of(files: str) -> str:
    """The query for all events: those of the tail, and those of the segments, given as a list of quoted names."""
    if not files:
        return "SELECT * FROM tail"
    # How files become the relation is each engine's own: Spark is told all columns, here they follow from the files.
    sealed = f"read_parquet([{files}], union_by_name=true)"
    return f"SELECT * FROM tail UNION ALL BY NAME SELECT * EXCLUDE (line) FROM {sealed}"  # noqa: S608  # our own names


def _type(column: str) -> str:
    made = {"event": "VARCHAR", "officer": "VARCHAR", "recipient": "INTEGER"}
    return (made | _PLACE | FIELDS)[column]


def view(
    connection: "DuckDBPyConnection",
    as_of: date,
    known_at: int | datetime | None,
    *,
    span: tuple[int, int] | None = None,
) -> None:
    """Let `events` and `context` show what had happened by a date and was known at a point of the log.

    A number is a size of the log. An instant means all before the first event recorded later than it, in log order,
    so that a clock that runs backwards moves nothing. Raises `LogSizeError` for a size the log has not reached.
    A span (first, end) leaves of `events` only that range of the log, and `context` as it is.
    """
    log_size = _log_size(connection, known_at)
    for statement in view_of(as_of, log_size, _cut(connection, as_of, log_size, span)):
        connection.execute(statement)


def view_of(as_of: date, log_size: int, cut: str = "") -> list[str]:
    """The statements that make `events` and `context`."""
    events = f"CREATE OR REPLACE VIEW events AS SELECT * FROM log{cut}"  # noqa: S608  # numbers and a date
    context = (
        f"CREATE OR REPLACE TABLE context AS SELECT DATE '{as_of.isoformat()}' AS as_of,"  # noqa: S608  # the same
        f" CAST({log_size} AS BIGINT) AS log_size, MAX(currency) AS currency, MAX(decimals) AS decimals"
        " FROM log WHERE event = 'LedgerOpened'"
    )
    return [events, context]


def _cut(connection: "DuckDBPyConnection", as_of: date, log_size: int, span: tuple[int, int] | None) -> str:
    """The condition on `events`, without what all of the log fulfils: each part is a column more to read."""
    conditions = []
    if span or log_size < _number(connection, "SELECT size FROM extent"):
        first, end = span or (0, log_size)
        conditions += [f"log_index >= {first}", f"log_index < {min(end, log_size)}"]
    on = as_of.isoformat()
    if as_of < date.max and _number(connection, f"SELECT COALESCE(MAX(effective_on) > DATE '{on}', FALSE) FROM log"):  # noqa: S608  # a date
        conditions.append(f"effective_on <= DATE '{on}'")
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _log_size(connection: "DuckDBPyConnection", known_at: int | datetime | None) -> int:
    size = _number(connection, "SELECT size FROM extent")
    if known_at is None:
        return size
    if isinstance(known_at, int):
        if not 0 <= known_at <= size:
            raise LogSizeError(size=size, asked=known_at)
        return known_at
    if known_at.tzinfo is None:
        raise ValueError("an instant needs a zone")
    later = "SELECT COALESCE(MIN(log_index), ?) FROM log WHERE recorded_at > ?"
    return _number(connection, later, size, known_at.astimezone(UTC).replace(tzinfo=None))


def _number(connection: "DuckDBPyConnection", query: str, *values: object) -> int:
    found = connection.execute(query, values).fetchone()
    return int(found[0]) if found else 0
