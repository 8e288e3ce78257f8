"""Events in one SQLite file, durable, through the eventsourcing library's recorder."""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from eventsourcing.persistence import ApplicationRecorder, JSONTranscoder, Mapper, PersistenceError, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
)

from ledger.domain.errors import IntegrityBrokenError, Said
from ledger.store.entries import EntryMapper, StoredRow
from ledger.store.errors import DiskFullError, StoreFailedError, StoreLockedError
from ledger.store.numbering import looked_for, require_numbered
from ledger.store.recorder import (
    DAMAGES_MAX,
    IDS_PER_QUERY,
    LAST_SIGN,
    LINES_PER_BLOCK,
    AppendCondition,
    Block,
    Conflict,
    LedgerRecorder,
)
from ledger.store.sqlite_schema import require_schema

LOCK_TIMEOUT_S = 60
"""How long a writer waits for another; five seconds failed one heavy concurrent write in twenty."""

TABLE = "stored_events"
SCHEMA = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB,"
    " PRIMARY KEY (originator_id, originator_version))"
)
"""The library's table; an event's number is its row's id."""
# The ends are two lookups, and so is each number looked for: 0.3 ms of a million events. To count these takes SQLite 20 ms
# if all of it is in memory: too much for every command, and nothing is gained, for who reads all of them counts them.
_ENDS = (
    f"SELECT (SELECT MIN(rowid) FROM {TABLE}), (SELECT MAX(rowid) FROM {TABLE}), page_count*page_size"
    " FROM pragma_page_count, pragma_page_size"
)
_FOUND = f"SELECT COUNT(*) FROM {TABLE} WHERE rowid IN (SELECT value FROM json_each(?))"


class _Pool(SQLiteConnectionPool):
    def __init__(self, name: str, *, may_be_empty: bool) -> None:
        super().__init__(db_name=name, lock_timeout=LOCK_TIMEOUT_S)
        self._may_be_empty = may_be_empty

    def _create_connection(self) -> SQLiteConnection:
        # As the library makes it, except that one which fails here, at a damaged file or a full disk, is closed again.
        connection = sqlite3.connect(
            self.db_name, uri=True, check_same_thread=False, isolation_level=None, timeout=LOCK_TIMEOUT_S
        )
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode=WAL")
            # FULL is only a build default of SQLite: without it a commit may be lost with the power.
            connection.execute("PRAGMA synchronous=FULL")
            require_schema(connection, SCHEMA, what="the database of events", may_be_empty=self._may_be_empty)
        except BaseException:
            connection.close()
            raise
        connection.row_factory = sqlite3.Row
        return SQLiteConnection(sqlite_conn=connection, max_age=self.max_age)


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
        self.pool = _Pool(uri, may_be_empty=self.is_writable)

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        try:
            with super().transaction(commit=commit) as cursor:
                yield cursor
        except Conflict:
            raise
        except (PersistenceError, sqlite3.Error) as error:
            raise refusal_of(error) from error
        except (
            UnicodeDecodeError
        ) as error:  # where the schema is damaged, Python may not be able to read SQLite's message
            raise IntegrityBrokenError("the database is damaged; restore a copy and run `salur check`") from error


def _require_settled(path: Path) -> None:
    """Refuse a database with events in its write-ahead log: in a folder that cannot be written, SQLite does not read
    them."""
    if is_unsettled(path):
        raise StoreFailedError(
            reason=Said(
                "{path} holds events and the folder cannot be written: copy it to one that can be", path=wal_of(path)
            )
        )


def wal_of(path: Path) -> Path:
    """SQLite's write-ahead log, which takes new events before the database's file does."""
    return path.with_name(f"{path.name}-wal")


def is_unsettled(path: Path) -> bool:
    """Whether the write-ahead log holds events: the database is in use, or its process was killed."""
    wal = wal_of(path)
    return wal.exists() and wal.stat().st_size > 0


def refusal_of(error: Exception, *, what: str = "the database") -> Exception:
    """The refusal, or broken integrity, behind SQLite's error: by its code, for its words may change."""
    cause = error if isinstance(error, sqlite3.Error) else error.__cause__
    code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    # A full disk has its own code for the index of the write-ahead log; of other codes the low byte says the kind.
    if code == sqlite3.SQLITE_IOERR_SHMSIZE:
        return DiskFullError()
    match code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreLockedError()
        case sqlite3.SQLITE_FULL:
            return DiskFullError()
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return IntegrityBrokenError(f"{what} is damaged ({error}); restore a copy and run `salur check`")
    return StoreFailedError(reason=str(error))


class SQLiteLedgerRecorder(SQLiteApplicationRecorder, LedgerRecorder):
    """The library's recorder for one SQLite file, and the reads in bulk."""

    def append(self, rows: list[StoredRow], condition: AppendCondition | None = None) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            cursor.executemany(self.insert_events_statement, rows)
            # Looked at after the insert: from then on this transaction holds the lock that every writer needs.
            before = _size_of(cursor) - len(rows)
            if condition:
                self._require(condition, cursor, before=before)

    def size(self) -> int:
        with self.datastore.transaction(commit=False) as cursor:
            return _size_of(cursor)

    def construct_create_table_statements(self) -> list[str]:
        return [SCHEMA]

    def _require(self, condition: AppendCondition, cursor: SQLiteCursor, *, before: int) -> None:
        """Raise `Conflict` where the log's tail, of what was stored before, holds what a decision rests on."""
        if before <= condition.after:
            return
        among = " OR ".join(
            ["originator_id IN (SELECT value FROM json_each(?))"]
            + ["originator_id BETWEEN ? AND ?"] * len(condition.ranges)
        )
        cursor.execute(
            f"SELECT originator_id FROM {self.events_table_name} WHERE rowid>? AND rowid<=? AND ({among}) LIMIT 1",
            (condition.after, before, json.dumps(sorted(condition.streams)), *chain(*condition.ranges)),
        )
        if found := cursor.fetchone():
            raise Conflict(f"{found[0]} has changed since the decision read it")

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

    def select_texts_between(
        self, first: str, last: str, topic: str, names: Sequence[str], *, limit: int
    ) -> list[tuple[str | None, ...]]:
        paths = ", ".join("json_extract(state, ?)" for _ in names)
        statement = (
            f"SELECT originator_id, {paths} FROM (SELECT originator_id, CAST(state AS TEXT) AS state"
            f" FROM {self.events_table_name} WHERE originator_id BETWEEN ? AND ? AND originator_version=1 AND topic=?)"
            " WHERE json_valid(state) ORDER BY originator_id LIMIT ?"
        )
        with self.datastore.transaction(commit=False) as cursor:
            cursor.sqlite_cursor.row_factory = None
            cursor.execute(statement, (*(f"$.{name}" for name in names), first, last, topic, limit))
            found: list[tuple[str | None, ...]] = cursor.fetchall()
            return found

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

    def select_mentioning(self, prefix: str, text: str) -> list[StoredEvent]:
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                f"SELECT originator_id, originator_version, topic, state FROM {self.events_table_name}"
                " WHERE originator_id>=? AND originator_id<? AND instr(state, ?)>0",
                (prefix, prefix + LAST_SIGN, json.dumps(text).encode()),
            )
            return [StoredEvent(*row) for row in cursor.fetchall()]

    def streams(self, prefix: str, *, limit: int = -1) -> list[str]:
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                f"SELECT originator_id FROM {self.events_table_name}"
                " WHERE originator_id>=? AND originator_id<? AND originator_version=1 ORDER BY 1 LIMIT ?",
                (prefix, prefix + LAST_SIGN, limit),
            )
            return [row[0] for row in cursor.fetchall()]

    def last_stream(self, first: str, last: str) -> str | None:
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                f"SELECT MAX(originator_id) FROM {self.events_table_name} WHERE originator_id BETWEEN ? AND ?",
                (first, last),
            )
            found: str | None = cursor.fetchone()[0]
            return found

    def position(self, stream: str, version: int) -> int:
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                f"SELECT rowid-1 FROM {self.events_table_name} WHERE originator_id=? AND originator_version=?",
                (stream, version),
            )
            return int(cursor.fetchone()[0])

    def blocks(self, *, first: int = 0, until: int | None = None, numbered: bool = True) -> Iterator["Block"]:
        # One text a block: SQLite puts it together several times faster than Python would from rows.
        # A null would vanish from the text unseen: a question mark takes its place, which no reader takes for JSON.
        number = "\"log_index\":'||(rowid-1)||'," if numbered else ""
        # The columns replace the state's first byte, a brace. Where it was another byte, the line must not look sound.
        brace = "'{'" if numbered else "iif(substr(state,1,1)=x'7B', '{', NULL)"
        statement = (
            "SELECT CAST(group_concat(line, char(10))||char(10) AS BLOB), CAST(group_concat(DISTINCT topic) AS BLOB),"
            " COUNT(*), MAX(rowid), group_concat(iif(?, rowid, NULL))"
            f" FROM (SELECT rowid, topic, ifnull({brace}||'{number}\"stream\":'||json_quote(originator_id)"
            "||',\"version\":'||originator_version||',\"topic\":'||json_quote(topic)||','"
            "||CAST(substr(state,2) AS TEXT), '?') AS line"
            f" FROM {self.events_table_name} WHERE rowid>? AND rowid<=? ORDER BY rowid LIMIT ?)"
        )
        with self.datastore.transaction(commit=False) as cursor:
            size = _size_of(cursor)
            last, is_first = size if until is None else min(size, until), True
            while first < last:
                cursor.execute(statement, (is_first, first, last, LINES_PER_BLOCK))
                stored, topics, events, end, ids = cursor.fetchone()
                if end is None:
                    return
                if is_first:
                    _require_in_order(ids, end - events, end)
                    is_first = False
                try:
                    named = frozenset((topics or b"").decode().split(","))
                except UnicodeDecodeError as error:
                    raise IntegrityBrokenError(
                        f"events {first} to {end - 1}: a topic is not text; run `salur check`"
                    ) from error
                yield Block(stored, named, events, end)
                first = end


def _size_of(cursor: SQLiteCursor) -> int:
    """The number of events; raises `IntegrityBrokenError` where they are not numbered without a gap up to it."""
    cursor.execute(_ENDS)
    lowest, highest, size_bytes = cursor.fetchone()
    cursor.execute(_FOUND, (json.dumps(looked_for(highest or 0)),))
    [found] = cursor.fetchone()
    return require_numbered(lowest=lowest, highest=highest, found=found, size_bytes=size_bytes)


def _require_in_order(ids: str, before: int, last: int) -> None:
    """Refuse rows that SQLite put together in another order than that of their ids.

    SQLite keeps the order of a subquery but does not promise it; a query can demand the order only since 3.44.
    put together. The ids pass through the same loop as the lines, and SQLite makes one program of the statement for all
    blocks: the first, which is the longest, tells of all. To join lines in Python takes half as long again.
    """
    if ids != ",".join(map(str, range(before + 1, last + 1))):  # the usual case: no id is missing
        found = list(map(int, ids.split(",")))
        if found != sorted(found):
            raise StoreFailedError(
                reason=Said(
                    "SQLite {sqlite_version} gave events out of their order", sqlite_version=sqlite3.sqlite_version
                )
            )


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
