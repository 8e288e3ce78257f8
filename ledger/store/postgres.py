"""The events on PostgreSQL: the library's table, filled so that its ids have no gaps and follow the order of commits.

Officers need INSERT and SELECT on the table, and the right to lock the row of `log_end`, on which writers queue. So a
reader that goes on from the last id it saw misses nothing. That row also holds the size of the log: a trigger keeps it,
and refuses whatever does not go on from there, whoever inserts it.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
)

from ledger.domain.errors import Said
from ledger.store.entries import StoredRow
from ledger.store.errors import StoreFailedError
from ledger.store.postgres_tables import FORMS, LISTS, LOCK, TABLE, TURN, make, numbering, size_of
from ledger.store.recorder import (
    IDS_PER_QUERY,
    LAST_SIGN,
    LINES_PER_BLOCK,
    AppendCondition,
    Block,
    Conflict,
    LedgerRecorder,
)
from ledger.store.server import Connection, Database

PART_BYTES = 1 << 20
_EVENT = "originator_id, originator_version, topic, state"
_LINES = (
    "SELECT string_agg(convert_to('{<number>\"stream\":'||to_json(originator_id)::text"
    "||',\"version\":'||originator_version||',\"topic\":'||to_json(topic)::text||',', 'UTF8')||substring(state FROM 2)"
    "||'\\x0a'::bytea, ''::bytea ORDER BY notification_id)<whole>, array_agg(DISTINCT topic), COUNT(*), MAX(notification_id)"
    f" FROM (SELECT * FROM {TABLE} WHERE notification_id>%s AND notification_id<=%s ORDER BY notification_id LIMIT %s) AS e"
)
_WHOLE = " FILTER (WHERE substring(state FROM 1 FOR 1)='\\x7b'::bytea)"
"""The columns replace the state's first byte, a brace. Where it was another byte, the line must not look sound."""
_NUMBER = "\"log_index\":'||notification_id-1||',"


class PostgresLedgerRecorder(LedgerRecorder):
    """The ledger's store in a PostgreSQL database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._there: set[str] = set()
        """Tables that were found: none is ever taken away."""

    def create_table(self) -> None:
        """Make what is not there yet, also in the database of an earlier version; for the owner of the database."""
        [(encoding,)] = self.database.read("SHOW server_encoding")
        if encoding != "UTF8":
            raise StoreFailedError(
                reason=Said("the database's encoding is {encoding}; make one with ENCODING 'UTF8'", encoding=encoding)
            )
        self.database.write(LOCK, lambda connection, _: make(connection))

    def is_up_to_date(self) -> bool:
        """Whether the database has all that this version makes; if not, its owner brings it up to date."""
        return self._has(TURN) and self._has(LISTS)

    def is_there(self) -> bool:
        """Whether the database has the table of a ledger."""
        return self._has(TABLE)

    def _has(self, table: str) -> bool:
        """Whether a table is there: a database that an earlier version made lacks some until its owner makes them."""
        if table not in self._there:
            [(name,)] = self.database.read("SELECT to_regclass(%s)::text", (table,))
            if name is None:
                return False
            self._there.add(table)
        return True

    @property
    def _turn(self) -> str | int:
        """What writers queue on."""
        return TURN if self._has(TURN) else LOCK

    def keep_list(self, rows_sha256: str, path: Path) -> None:
        if not self._has(LISTS):
            return
        known = {
            part for (part,) in self.database.read(f"SELECT part FROM {LISTS} WHERE rows_sha256=%s", (rows_sha256,))
        }
        with path.open("rb") as file:
            for part, content in enumerate(iter(partial(file.read, PART_BYTES), b"")):
                if part not in known:
                    self._keep_part(rows_sha256, part, content)

    def _keep_part(self, rows_sha256: str, part: int, content: bytes) -> None:
        # A transaction each, so that nobody who records waits for a whole list.
        statement = f"INSERT INTO {LISTS} VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
        self.database.write(
            self._turn, lambda connection, _: connection.execute(statement, (rows_sha256, part, content))
        )

    def fetch_list(self, rows_sha256: str) -> Iterator[bytes]:
        if not self._has(LISTS):
            return
        part = 0
        statement = f"SELECT content FROM {LISTS} WHERE rows_sha256=%s AND part=%s"
        while found := self.database.read(statement, (rows_sha256, part)):
            yield found[0][0]
            part += 1

    # Appending

    def append(self, rows: list[StoredRow], condition: AppendCondition | None = None) -> None:
        self._append(rows, condition)

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        if not stored_events:
            return None
        rows = [(str(each.originator_id), each.originator_version, each.topic, each.state) for each in stored_events]
        return list(self._append(rows))

    def _append(self, rows: list[StoredRow], condition: AppendCondition | None = None) -> Sequence[int]:
        turn = self._turn

        def work(connection: Connection, is_unsure: bool) -> Sequence[int]:
            if is_unsure and (first := _first_id_of(connection, rows)) is not None:
                return range(first, first + len(rows))
            # A statement of its own, begun in this transaction's turn: it sees what was stored in the turn before.
            size = size_of(connection.execute(numbering(turn), binary=True).fetchall(), turn)
            if condition and size > condition.after:
                _require(condition, connection)
            with connection.cursor().copy(f"COPY {TABLE} FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(["text", "int8", "text", "bytea", "int8"])
                for notification_id, row in enumerate(rows, start=size + 1):
                    copy.write_row((*row, notification_id))
            return range(size + 1, size + 1 + len(rows))

        try:
            return self.database.write(turn, work)
        except psycopg.IntegrityError as error:
            raise Conflict(str(error.diag.message_primary)) from error

    # Reading

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        statement, values = f"SELECT {_EVENT} FROM {TABLE} WHERE originator_id=%s", [originator_id]
        for condition, value in ((" AND originator_version>%s", gt), (" AND originator_version<=%s", lte)):
            if value is not None:
                statement += condition
                values.append(value)  # type: ignore[arg-type]
        statement += f" ORDER BY originator_version {'DESC' if desc else 'ASC'} LIMIT %s"
        return self._events(statement, *values, limit)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        first = 0 if start is None else start if inclusive_of_start else start + 1
        conditions, values = ["notification_id>=%s"], [first]
        for condition, value in (("notification_id<=%s", stop), ("topic=ANY(%s)", list(topics) or None)):
            if value is not None:
                conditions.append(condition)
                values.append(value)  # type: ignore[arg-type]
        statement = (
            f"SELECT {_EVENT}, notification_id FROM {TABLE} WHERE {' AND '.join(conditions)}"
            " ORDER BY notification_id LIMIT %s"
        )
        return [Notification(*row) for row in self.database.read(statement, (*values, limit))]

    def max_notification_id(self) -> int | None:
        [(found,)] = self.database.read(f"SELECT MAX(notification_id) FROM {TABLE}")
        return None if found is None else int(found)

    def size(self) -> int:
        turn = self._turn
        return size_of(self.database.read(numbering(turn)), turn)

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        raise NotImplementedError("the log is read from a place on, with select_notifications or lines")

    def select_first_between(self, first: str, last: str, *, limit: int) -> list[StoredEvent]:
        return self._events(
            f"SELECT {_EVENT} FROM {TABLE} WHERE originator_id BETWEEN %s AND %s AND originator_version=1 LIMIT %s",
            *(first, last, limit),
        )

    def select_texts_between(
        self, first: str, last: str, topic: str, names: Sequence[str], *, limit: int
    ) -> list[tuple[str | None, ...]]:
        # Bytes that are no text, or no JSON, are nobody's values, and no error that hides the others.
        text = "CASE WHEN state IS JSON THEN convert_from(state, 'UTF8')::json END"
        values = ", ".join("body->>%s" for _ in names)
        statement = (
            f"SELECT originator_id, {values} FROM (SELECT originator_id, {text} AS body FROM {TABLE}"
            " WHERE originator_id BETWEEN %s AND %s AND originator_version=1 AND topic=%s) AS e WHERE body IS NOT NULL"
            " ORDER BY originator_id LIMIT %s"
        )
        return self.database.read(statement, (*names, first, last, topic, limit))

    def _select_in(self, streams: Iterable[str], *, only_first: bool) -> Iterator[StoredEvent]:
        wanted = list(streams)
        statement = (
            f"SELECT {_EVENT} FROM {TABLE} WHERE originator_id=ANY(%s)"
            f"{' AND originator_version=1' if only_first else ''} ORDER BY originator_id, originator_version"
        )
        for start in range(0, len(wanted), IDS_PER_QUERY):
            part = wanted[start : start + IDS_PER_QUERY]
            found: dict[str, list[StoredEvent]] = {}
            for row in self._events(statement, part):
                found.setdefault(str(row.originator_id), []).append(row)
            for stream in part:
                yield from found.pop(stream, ())

    def select_mentioning(self, prefix: str, text: str) -> list[StoredEvent]:
        rows = self.database.read(
            f"SELECT {_EVENT} FROM {TABLE} WHERE originator_id>=%s AND originator_id<%s AND position(%s::bytea IN state)>0",
            (prefix, prefix + LAST_SIGN, json.dumps(text).encode()),
        )
        return [StoredEvent(*row) for row in rows]

    def streams(self, prefix: str, *, limit: int = -1) -> list[str]:
        rows = self.database.read(
            f"SELECT originator_id FROM {TABLE} WHERE originator_id>=%s AND originator_id<%s AND originator_version=1"
            " ORDER BY originator_id LIMIT %s",
            (prefix, prefix + LAST_SIGN, None if limit < 0 else limit),
        )
        return [row[0] for row in rows]

    def last_stream(self, first: str, last: str) -> str | None:
        statement = f"SELECT MAX(originator_id) FROM {TABLE} WHERE originator_id BETWEEN %s AND %s"
        [(found,)] = self.database.read(statement, (first, last))
        return found if found is None else str(found)

    def position(self, stream: str, version: int) -> int:
        [(found,)] = self.database.read(
            f"SELECT notification_id-1 FROM {TABLE} WHERE originator_id=%s AND originator_version=%s", (stream, version)
        )
        return int(found)

    def blocks(self, *, first: int = 0, until: int | None = None, numbered: bool = True) -> Iterator[Block]:
        statement = _LINES.replace("<number>", _NUMBER if numbered else "").replace(
            "<whole>", "" if numbered else _WHOLE
        )
        # Stored events never change and new ones come after them: all pages up to the size show one moment.
        size = self.size()
        last = size if until is None else min(size, until)
        while first < last:
            [(lines, topics, events, end)] = self.database.read(statement, (first, last, LINES_PER_BLOCK))
            if end is None:
                return
            yield Block(lines, frozenset(topics), events, end)
            first = end

    def _events(self, statement: str, *values: object) -> list[StoredEvent]:
        return [StoredEvent(*row) for row in self.database.read(statement, values)]


def _require(condition: AppendCondition, connection: Connection) -> None:
    """Raise `Conflict` where the log's tail holds what a decision rests on; the turn is this transaction's."""
    among = " OR ".join(["originator_id=ANY(%s)"] + ["originator_id BETWEEN %s AND %s"] * len(condition.ranges))
    found = connection.execute(
        f"SELECT originator_id FROM {TABLE} WHERE notification_id>%s AND ({among}) LIMIT 1",
        (condition.after, sorted(condition.streams), *chain(*condition.ranges)),
    ).fetchall()
    if found:
        raise Conflict(f"{found[0][0]} has changed since the decision read it")


def _first_id_of(connection: Connection, rows: list[StoredRow]) -> int | None:
    """The id of the first of these events if all of them are stored, byte for byte.

    They belong to one transaction, and this transaction holds the lock: either all of them are stored, or none will be.
    """
    streams, versions, topics, states = map(list, zip(*rows, strict=True))
    found = connection.execute(
        "SELECT COUNT(*), MIN(e.notification_id)"
        " FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::bytea[]) AS sent (stream, version, topic, state)"
        f" JOIN {TABLE} AS e ON e.originator_id=sent.stream AND e.originator_version=sent.version"
        " AND e.topic=sent.topic AND e.state=sent.state",
        (streams, versions, topics, states),
    ).fetchall()
    [(count, first)] = found
    return int(first) if count == len(rows) else None


class PostgresLedgerFactory(InfrastructureFactory[Any]):
    """Builds the library's infrastructure on one PostgreSQL database."""

    def __init__(self, address: str) -> None:
        super().__init__({})
        self.database = Database(address, *FORMS)

    def application_recorder(self) -> PostgresLedgerRecorder:
        return PostgresLedgerRecorder(self.database)

    def close(self) -> None:
        self.database.close()

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        raise NotImplementedError(purpose)

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> Any:
        raise NotImplementedError(tracking_recorder_class)

    def process_recorder(self) -> ProcessRecorder:
        raise NotImplementedError
