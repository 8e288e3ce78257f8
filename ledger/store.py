"""The only room that knows how events are kept: in SQLite, through the eventsourcing library's recorders.

A row of the store is (stream, version, topic, state). `state` is one compact JSON object: the event's `Meta` and its
own fields side by side, and the officer's signature last. The line of an event is that object with the row's other
three columns put in front; it is what projections read and what `history -o json` prints.
"""

import json
import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    JSONTranscoder,
    Mapper,
    Notification,
    PersistenceError,
    StoredEvent,
)
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
)
from pydantic_core import from_json

from ledger.errors import DiskFullError, EventTooLargeError, IntegrityBrokenError, StoreFailedError, StoreLockedError
from ledger.events import EVENT_CLASSES, UPCASTERS, Event, Meta, Stored
from ledger.signatures import split, with_signature

LOCK_TIMEOUT_S = 60
"""How long a writer waits for another; five seconds failed one heavy concurrent write in twenty."""
IDS_PER_QUERY = 10_000
LINES_PER_BLOCK = 1_000
DAMAGES_MAX = 20
"""Told of one database."""
LINE_BYTES_MAX = 65_535
"""Of an event's line in the log: those who read logs write its length in two bytes (C2SP tlog-tiles)."""

Conflict = IntegrityError
"""Raised by an append when one of its (stream, version) pairs is already taken; nothing of it was stored."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event at its place in a stream."""

    originator_id: str
    """The stream, e.g. `program/bsu-2020`."""
    originator_version: int
    """1 for the first event of the stream."""
    meta: Meta
    event: Event
    signature: str | None = None
    """Of the officer who acted, if the event is signed."""


# Between entries and stored rows


_quoted = json.encoder.encode_basestring


@lru_cache(maxsize=64)
def _meta_json(meta: Meta) -> bytes:
    return meta.model_dump_json(exclude_none=True).encode()[:-1]


def to_stored_event(entry: Entry) -> StoredEvent:
    """The row of an entry."""
    event = entry.event
    body: bytes = event.__pydantic_serializer__.to_json(event, exclude_none=True)
    state = _meta_json(entry.meta) + b"," + body[1:]
    if entry.signature:
        state = with_signature(state, entry.signature)
    return StoredEvent(entry.originator_id, entry.originator_version, event.TOPIC, state)


Row = tuple[str, int, str, bytes]
"""Stream, version, topic, state: what the store's table holds of an event."""


@dataclass(frozen=True, slots=True)
class Series:
    """Many events of one kind, each the first of its stream, that differ only in the fields named.

    Their rows are written from the bytes of one example, which is a third of the work of building each event. The
    values must be such that JSON needs no escapes for them, as the ids of recipients are.
    """

    example: Event
    fields: tuple[str, ...]
    streams: Sequence[str]
    values: Sequence[tuple[object, ...]]
    """Of each event, in the order of `fields`."""

    def rows(self, meta: Meta) -> list[Row]:
        """The row of each event."""
        topic = self.example.TOPIC
        body = self.example.__pydantic_serializer__.to_json(self.example, exclude_none=True).decode()
        state = (_meta_json(meta).decode() + "," + body[1:]).replace("%", "%%")
        for name in self.fields:
            value = getattr(self.example, name)
            old, new = (
                (f'"{name}":"{value}"', f'"{name}":"%s"')
                if isinstance(value, str)
                else (f'"{name}":{value}', f'"{name}":%d')
            )
            if state.count(old) != 1:
                raise ValueError(f"{name} cannot be told apart in {topic}")
            state = state.replace(old, new)
        rows = [
            (stream, 1, topic, (state % values).encode())
            for stream, values in zip(self.streams, self.values, strict=True)
        ]
        if len(state) > LINE_BYTES_MAX // 2:  # the fields named are short: only long rows need a look of their own
            rows = [_within_bounds(row) for row in rows]
        return rows


def to_row(entry: Entry) -> Row:
    """The row of an entry."""
    stored = to_stored_event(entry)
    return _within_bounds((entry.originator_id, entry.originator_version, stored.topic, stored.state))


def _within_bounds(row: Row) -> Row:
    """Refuse a row whose line no log can hold."""
    if len(row[3]) > LINE_BYTES_MAX // 2 and (size := len(line_of(row))) > LINE_BYTES_MAX:
        raise EventTooLargeError(size_bytes=size, size_bytes_max=LINE_BYTES_MAX)
    return row


def line_of(row: Row) -> bytes:
    """The line of a row, without its index in the log: byte for byte what `LedgerRecorder.lines` tells of it."""
    stream, version, topic, state = row
    place = f'{{"stream":{_quoted(stream)},"version":{version},"topic":{_quoted(topic)},'
    return place.encode() + state[1:]


def to_entry(stored: StoredEvent) -> Entry:
    """The entry of a row, brought to its event's newest version.

    Raises `IntegrityBrokenError` where the row is not an event that this program ever wrote.
    """
    try:
        topic, state = _newest(stored)
        meta = Meta.model_validate_json(state, extra="ignore")
        event = EVENT_CLASSES[topic].model_validate_json(state, extra="ignore")
    except (KeyError, ValueError) as error:
        raise _unreadable(stored) from error
    signature = split(stored.state)[1] if event.IS_SIGNED else None
    return Entry(str(stored.originator_id), stored.originator_version, meta, event, signature)


def to_event(stored: StoredEvent) -> Event:
    """Only the event of a row, which is half the work; raises as `to_entry`."""
    try:
        topic, state = _newest(stored)
        return EVENT_CLASSES[topic].model_validate_json(state, extra="ignore")
    except (KeyError, ValueError) as error:
        raise _unreadable(stored) from error


def _newest(stored: StoredEvent) -> tuple[str, bytes]:
    topic, state = stored.topic, stored.state
    if not isinstance(state, bytes):  # SQLite keeps a text or a number in that column as well
        raise ValueError("not bytes")  # noqa: TRY004  # told like any other unreadable row
    if topic in UPCASTERS:
        topic, upcast = upcast_to_newest(topic, from_json(state))
        state = json.dumps(upcast).encode()
    return topic, state


def _unreadable(stored: StoredEvent) -> IntegrityBrokenError:
    place = f"{stored.originator_id} version {stored.originator_version}"
    return IntegrityBrokenError(f"{place}: not a readable {stored.topic}")


def upcast_to_newest(topic: str, stored: Stored) -> tuple[str, Stored]:
    """Bring a stored object, whose event has changed since, to the version that is written today."""
    while topic in UPCASTERS:
        topic, upcast = UPCASTERS[topic]
        stored = upcast(stored)
    return topic, stored


class EntryMapper(Mapper[str]):
    """Lets the library's event store and repository read and write entries."""

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        if not isinstance(domain_event, Entry):
            raise TypeError(f"not an entry: {type(domain_event).__name__}")
        return to_stored_event(domain_event)

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        return to_entry(stored_event)


class EventLog(ABC):
    """A log that can be read: what projections, checks and the transparency log ask of a store, or of an export."""

    @abstractmethod
    def size(self) -> int:
        """How many events there are."""

    @abstractmethod
    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events in order of the log from an id on, at most so many; an id is the event's index plus one."""

    def lines(self, *, first: int = 0, until: int | None = None) -> Iterator[bytes]:
        """The log from an index up to a size in blocks of lines, each line one event as JSON; all of one moment.

        A line begins with `log_index` (0, 1, …), `stream`, `version` and `topic`.
        """
        for block in self.blocks(first=first, until=until):
            yield block.newest().lines

    @abstractmethod
    def blocks(self, *, first: int = 0, until: int | None = None, numbered: bool = True) -> Iterator["Block"]:
        """As `lines`, with each event in the form it was stored in; not numbered, they are without `log_index`."""

    def leaves(self, *, first: int = 0, until: int | None = None) -> Iterator[list[bytes]]:
        """The events of the log as the transparency log holds them, in blocks: their lines without `log_index`.

        Raises `IntegrityBrokenError` where an event is missing or is none that this program stored.
        """
        for block in self.blocks(first=first, until=until, numbered=False):
            lines = block.lines.split(b"\n")[:-1]
            # Ids are unique and in order: where as many were found as there are between the first and the last, all were.
            are_all = len(lines) == block.events == block.end - first
            if not are_all or b"?" in lines or max(map(len, lines)) > LINE_BYTES_MAX:
                raise IntegrityBrokenError(
                    f"events {first} to {block.end - 1} are not all as this program stores them; run `salur check`"
                )
            yield lines
            first = block.end

    def leaf(self, index: int) -> bytes:
        """The line of one event; raises `IntegrityBrokenError` where there is none."""
        for [line] in self.leaves(first=index, until=index + 1):
            return line
        raise IntegrityBrokenError(f"event {index} is not in the store; run `salur check`")


class LedgerRecorder(ApplicationRecorder, EventLog):
    """What the ledger asks of its store: the library's recorder, and the reads in bulk that a file of payments needs.

    A notification's id is the event's index in the log plus one; there are no gaps.
    """

    @abstractmethod
    def create_table(self) -> None:
        """Make what holds the events, where there is nothing yet."""

    def is_there(self) -> bool:
        """Whether there is something that holds the events of a ledger."""
        return True

    @abstractmethod
    def append(self, rows: list[Row]) -> None:
        """Store events in one transaction, all or none; raises `Conflict` where a place in a stream is taken."""

    @abstractmethod
    def select_first_between(self, first: str, last: str, *, limit: int) -> list[StoredEvent]:
        """The first events of the streams from one name to another, at most so many."""

    def select_first(self, streams: Iterable[str]) -> dict[str, StoredEvent]:
        """Stream → its first event, of those streams that have one."""
        rows = self._select_in(streams, only_first=True)
        return {row.originator_id: row for row in rows}  # type: ignore[misc]  # ids are text here

    def select_streams(self, streams: Iterable[str]) -> dict[str, list[StoredEvent]]:
        """Stream → its events in order, of those streams that have any."""
        found: dict[str, list[StoredEvent]] = {}
        for row in self._select_in(streams, only_first=False):
            found.setdefault(str(row.originator_id), []).append(row)
        return found

    @abstractmethod
    def _select_in(self, streams: Iterable[str], *, only_first: bool) -> Iterator[StoredEvent]:
        """The events of streams, those of one stream in order, or only the first of each."""

    @abstractmethod
    def streams(self, prefix: str, *, limit: int = -1) -> list[str]:
        """The streams whose names begin so, in order of name."""

    def size(self) -> int:
        """How many events the ledger holds."""
        return self.max_notification_id() or 0

    def damages(self) -> list[str]:
        """What the database itself finds damaged, such as an event that its index does not lead to."""
        return []

    @abstractmethod
    def position(self, stream: str, version: int) -> int:
        """The index of an event in the log; the first is 0."""


# SQLite, durable


class _Pool(SQLiteConnectionPool):
    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        # FULL is only a build default of SQLite: without it a commit may be lost with the power.
        connection.cursor().execute("PRAGMA synchronous=FULL")
        return connection


class _Datastore(SQLiteDatastore):
    def __init__(self, path: Path, *, read_only: bool) -> None:
        super().__init__(str(path), lock_timeout=LOCK_TIMEOUT_S, originator_id_type="text")
        self.is_writable = os.access(path.parent, os.W_OK) and not read_only
        uri = path.absolute().as_uri()
        if read_only and is_unsettled(path):
            uri += "?mode=ro"
        elif not self.is_writable:
            # An auditor's copy on a medium that takes no writes: nobody can be writing to it.
            _require_settled(path)
            uri += "?immutable=1"
        self.pool = _Pool(db_name=uri, lock_timeout=LOCK_TIMEOUT_S)

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        try:
            with super().transaction(commit=commit) as cursor:
                yield cursor
        except Conflict:
            raise
        except (PersistenceError, sqlite3.Error) as error:
            raise told(error) from error
        except UnicodeDecodeError as error:  # in a damaged schema SQLite's own message is none that Python can read
            raise IntegrityBrokenError("the database is damaged; restore a copy and run `salur check`") from error


def _require_settled(path: Path) -> None:
    """Refuse a database part of which lies in its write-ahead log, where no reader of an unwritable folder finds it."""
    if is_unsettled(path):
        raise StoreFailedError(
            reason=f"{wal_of(path)} holds events and the folder cannot be written: copy it to one that can be"
        )


def wal_of(path: Path) -> Path:
    """Where SQLite writes what is new before it stands in the database's file."""
    return path.with_name(f"{path.name}-wal")


def is_unsettled(path: Path) -> bool:
    """Whether part of a database lies in its write-ahead log: it is in use, or was when its process was killed."""
    wal = wal_of(path)
    return wal.exists() and wal.stat().st_size > 0


def told(error: Exception) -> Exception:
    """The refusal, or broken integrity, behind a database's error."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return StoreLockedError()
    if is_disk_full(error):
        return DiskFullError()
    if "malformed" in text or "not a database" in text:
        return IntegrityBrokenError(f"the database is damaged ({text}); restore a copy and run `salur check`")
    return StoreFailedError(reason=text)


def is_disk_full(error: BaseException) -> bool:
    """Whether a database found no room on the disk, be it for its rows or for the index of its log."""
    cause = error if isinstance(error, sqlite3.Error) else error.__cause__
    return getattr(cause, "sqlite_errorname", "") in ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")


class SQLiteLedgerRecorder(SQLiteApplicationRecorder, LedgerRecorder):
    """The library's recorder for one SQLite file, and the reads in bulk."""

    def append(self, rows: list[Row]) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            cursor.executemany(self.insert_events_statement, rows)

    def damages(self) -> list[str]:
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(f"PRAGMA integrity_check({DAMAGES_MAX})")
            return [row[0].replace("\n", " ") for row in cursor.fetchall() if row[0] != "ok"]

    def select_first_between(self, first: str, last: str, *, limit: int) -> list[StoredEvent]:
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                f"SELECT originator_id, originator_version, topic, state FROM {self.events_table_name}"
                " WHERE originator_id BETWEEN ? AND ? AND originator_version=1 LIMIT ?",
                (first, last, limit),
            )
            return [StoredEvent(*row) for row in cursor.fetchall()]

    def _select_in(self, streams: Iterable[str], *, only_first: bool) -> Iterator[StoredEvent]:
        wanted = list(streams)
        condition = "AND e.originator_version=1" if only_first else ""
        statement = (
            "SELECT e.originator_id, e.originator_version, e.topic, e.state"
            f" FROM json_each(?) AS wanted CROSS JOIN {self.events_table_name} AS e"
            f" ON e.originator_id=wanted.value {condition} ORDER BY wanted.key, e.originator_version"
        )
        for start in range(0, len(wanted), IDS_PER_QUERY):
            with self.datastore.transaction(commit=False) as cursor:
                cursor.execute(statement, (json.dumps(wanted[start : start + IDS_PER_QUERY]),))
                rows = cursor.fetchall()
            # The transaction has ended: a caller who is interrupted here leaves nothing open.
            yield from (StoredEvent(*row) for row in rows)

    def streams(self, prefix: str, *, limit: int = -1) -> list[str]:
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                f"SELECT originator_id FROM {self.events_table_name}"
                " WHERE originator_id>=? AND originator_id<? AND originator_version=1 ORDER BY 1 LIMIT ?",
                (prefix, prefix + "\U0010ffff", limit),
            )
            return [row[0] for row in cursor.fetchall()]

    def position(self, stream: str, version: int) -> int:
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                f"SELECT rowid-1 FROM {self.events_table_name} WHERE originator_id=? AND originator_version=?",
                (stream, version),
            )
            return int(cursor.fetchone()[0])

    def blocks(self, *, first: int = 0, until: int | None = None, numbered: bool = True) -> Iterator["Block"]:
        # One text a block: SQLite puts it together several times faster than Python would from rows.
        # A line that is null would be left out of it unseen: its place is taken by what no reader takes for JSON.
        number = "\"log_index\":'||(rowid-1)||'," if numbered else ""
        # The state's first byte gives way to the columns in front: where it was no brace, the line must not look whole.
        brace = "'{'" if numbered else "iif(substr(state,1,1)=x'7B', '{', NULL)"
        statement = (
            "SELECT CAST(group_concat(line, char(10))||char(10) AS BLOB), CAST(group_concat(DISTINCT topic) AS BLOB),"
            f" COUNT(*), MAX(rowid) FROM (SELECT rowid, topic, ifnull({brace}||'{number}\"stream\":'||json_quote(originator_id)"
            "||',\"version\":'||originator_version||',\"topic\":'||json_quote(topic)||','"
            "||CAST(substr(state,2) AS TEXT), '?') AS line"
            f" FROM {self.events_table_name} WHERE rowid>? AND rowid<=? ORDER BY rowid LIMIT ?)"
        )
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(f"SELECT ifnull(MAX(rowid), 0) FROM {self.events_table_name}")
            size = int(cursor.fetchone()[0])
            last = size if until is None else min(size, until)
            while first < last:
                cursor.execute(statement, (first, last, LINES_PER_BLOCK))
                stored, topics, events, end = cursor.fetchone()
                if end is None:
                    return
                try:
                    named = frozenset((topics or b"").decode().split(","))
                except UnicodeDecodeError as error:
                    raise IntegrityBrokenError(
                        f"events {first} to {end - 1}: a topic is not text; run `salur check`"
                    ) from error
                yield Block(stored, named, events, end)
                first = end


@dataclass(frozen=True, slots=True)
class Block:
    """Events that follow one another in the log."""

    lines: bytes
    """A line an event, as JSON."""
    topics: frozenset[str]
    events: int
    """How many the store counts."""
    end: int
    """The index after that of the last."""

    def newest(self) -> "Block":
        """The block with each event in the form that is written today."""
        if self.topics.isdisjoint(UPCASTERS):
            return self
        lines = "".join(f"{_upcast_line(line)}\n" for line in self.lines.decode().split("\n")[:-1])
        return replace(self, lines=lines.encode(), topics=frozenset(_newest_topic(topic) for topic in self.topics))


def _newest_topic(topic: str) -> str:
    while topic in UPCASTERS:
        topic = UPCASTERS[topic][0]
    return topic


def _upcast_line(line: str) -> str:
    stored = json.loads(line)
    place = {name: stored.pop(name) for name in ("log_index", "stream", "version", "topic")}
    if place["topic"] not in UPCASTERS:
        return line
    place["topic"], upcast = upcast_to_newest(place["topic"], stored)
    return json.dumps({**place, **upcast}, separators=(",", ":"))


class LedgerFactory(SQLiteFactory):
    """Builds the library's infrastructure on one SQLite file."""

    application_recorder_class = SQLiteLedgerRecorder

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        super().__init__({self.SQLITE_DBNAME: str(path), self.ORIGINATOR_ID_TYPE: "text"})
        self.datastore: _Datastore = _Datastore(path, read_only=read_only)

    def application_recorder(self) -> ApplicationRecorder:
        recorder = SQLiteLedgerRecorder(self.datastore)
        if self.datastore.is_writable:
            recorder.create_table()
        return recorder

    def mapper(self, transcoder: Any = None, mapper_class: Any = None) -> Mapper[Any]:  # noqa: ARG002  # the library's signature
        return EntryMapper(transcoder=JSONTranscoder())


def canonical(entries: Sequence[StoredEvent]) -> Iterator[tuple[StoredEvent, bool]]:
    """Each row, and whether its bytes are exactly those that this program writes for the event in it."""
    for stored in entries:
        if stored.topic in UPCASTERS:
            yield stored, True
        else:
            yield stored, to_stored_event(to_entry(stored)).state == bytes(stored.state)
