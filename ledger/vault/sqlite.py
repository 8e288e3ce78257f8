"""The vault's tables in a SQLite file."""

import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

from ledger.domain.errors import IntegrityBrokenError
from ledger.store.errors import StoreLockedError
from ledger.store.sqlite import LOCK_TIMEOUT_S, is_unsettled, refusal_of
from ledger.store.sqlite_schema import require_schema
from ledger.vault.errors import VaultNewerError, VaultOlderError
from ledger.vault.keys import FORMAT
from ledger.vault.rows import (
    GAPS,
    HASHES_PER_QUERY,
    NUMBER_MAX,
    OUT_OF_RANGE,
    Entry,
    Index,
    MarkRow,
    NewPerson,
    PersonRow,
    RefusedRow,
    Stored,
)

CACHE_KIB = 512 * 1024
"""At most this much of the tables stays in memory during a transaction; a smaller one writes its pages several times."""

T = TypeVar("T")

_HALVES = struct.Struct(">qq")
_TABLES = (
    "CREATE TABLE {unless}vault (format INTEGER NOT NULL, highest INTEGER NOT NULL, keyring BLOB NOT NULL)",
    # No row id: the rows lie in the order of numbers, and one number has few.
    (
        "CREATE TABLE {unless}person (number INTEGER NOT NULL, version INTEGER NOT NULL, agreement TEXT NOT NULL,"
        " sealed BLOB NOT NULL, PRIMARY KEY (number, version, agreement)) WITHOUT ROWID"
    ),
    "CREATE TABLE {unless}mark (mac BLOB PRIMARY KEY, number INTEGER NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID",
    (
        "CREATE TABLE {unless}refused (file TEXT NOT NULL, line INTEGER NOT NULL, mac BLOB NOT NULL,"
        " sealed BLOB NOT NULL, PRIMARY KEY (file, line)) WITHOUT ROWID"
    ),
    "CREATE INDEX {unless}refused_by_mac ON refused (mac)",
)


class _HashIndex:
    """Where keyed hashes lead: half of a hash is the place in the table, half is compared.

    As a table keyed by integers it is half the size and a third of the work of an index over the whole hashes, and a
    chunk's hashes are looked up and added in its order: on a nation's size that decides the speed. A further entry at a
    place that is taken lies in a table of its own: an account that serves several people, or, once in some hundred
    thousand nations, another hash with the same first half.
    """

    def __init__(self, name: Index) -> None:
        self._name = name
        self.tables = (
            f"CREATE TABLE {{unless}}{name} (place INTEGER PRIMARY KEY, rest INTEGER NOT NULL, number INTEGER NOT NULL)",
            (
                f"CREATE TABLE {{unless}}{name}_met (mac BLOB NOT NULL, number INTEGER NOT NULL,"
                " PRIMARY KEY (mac, number)) WITHOUT ROWID"
            ),
        )

    def find(self, database: sqlite3.Connection, macs: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
        """Hash and number, of each entry of these hashes."""
        halves = _integers(macs)
        wanted = dict(zip(zip(halves[::2], halves[1::2], strict=True), macs, strict=True))
        for places in _parts(sorted(halves[::2])):
            marks = ",".join("?" * len(places))
            for place, rest, number in database.execute(f"SELECT * FROM {self._name} WHERE place IN ({marks})", places):
                if (mac := wanted.get((place, rest))) is not None:
                    yield mac, _number(number)
        if database.execute(f"SELECT 1 FROM {self._name}_met LIMIT 1").fetchone():
            for part in _parts(macs):
                marks = ",".join("?" * len(part))
                for mac, number in database.execute(f"SELECT * FROM {self._name}_met WHERE mac IN ({marks})", part):
                    yield mac, _number(number)

    def missing(self, database: sqlite3.Connection, entries: Sequence[Entry]) -> set[Entry]:
        """Those of these entries that are not there. They are compared as a whole, which needs no loop over them."""
        places = _integers([mac for mac, _ in entries])
        wanted = set(zip(places[::2], places[1::2], (number for _, number in entries), strict=True))
        for part in _parts(sorted(places[::2])):
            marks = ",".join("?" * len(part))
            wanted.difference_update(database.execute(f"SELECT * FROM {self._name} WHERE place IN ({marks})", part))
        left = [(_HALVES.pack(place, rest), number) for place, rest, number in wanted]
        for macs in _parts([mac for mac, _ in left]):
            marks = ",".join("?" * len(macs))
            left = list(
                set(left).difference(database.execute(f"SELECT * FROM {self._name}_met WHERE mac IN ({marks})", macs))
            )
        return set(left)

    def meeting(self, database: sqlite3.Connection) -> Iterator[list[int]]:
        """The numbers that one hash leads to, of each that leads to several."""
        further: dict[bytes, set[int]] = {}
        for mac, number in database.execute(
            f"SELECT * FROM {self._name}_met WHERE typeof(mac)='blob' AND length(mac)=16"
        ):
            further.setdefault(mac, set()).add(_number(number))
        for mac, number in self.find(database, list(further)):
            further[mac].add(number)
        yield from (sorted(numbers) for numbers in further.values() if len(numbers) > 1)

    def add(self, database: sqlite3.Connection, macs: Sequence[bytes], numbers: Sequence[int]) -> None:
        """Let hashes lead to numbers."""
        places = _integers(macs)
        rows = sorted(zip(places[::2], places[1::2], macs, numbers, strict=True), key=itemgetter(0))
        changes = database.total_changes
        statement = f"INSERT OR IGNORE INTO {self._name} VALUES (?,?,?)"
        database.executemany(statement, [(place, rest, number) for place, rest, _, number in rows])
        if database.total_changes - changes < len(rows):
            self._add_met(database, rows)

    def _add_met(self, database: sqlite3.Connection, rows: Iterable[tuple[int, int, bytes, int]]) -> None:
        for place, rest, mac, number in rows:
            [there] = database.execute(f"SELECT rest, number FROM {self._name} WHERE place=?", (place,))
            if there != (rest, number):
                database.execute(f"INSERT INTO {self._name}_met VALUES (?,?)", (mac, number))

    def remove(self, database: sqlite3.Connection, after: int, until: int) -> None:
        """Let nothing lead to the numbers between two; looks through the whole index."""
        for table in (self._name, f"{self._name}_met"):
            database.execute(f"DELETE FROM {table} WHERE number>? AND number<=?", (after, until))

    def entries(self, database: sqlite3.Connection) -> Iterator[tuple[bytes, int]]:
        """Hash and number, of every entry."""
        for place, rest, number in database.execute(f"SELECT * FROM {self._name}"):
            yield _HALVES.pack(place, rest) if isinstance(rest, int) else b"", _number(number)
        for mac, number in database.execute(f"SELECT * FROM {self._name}_met"):
            yield mac, _number(number)

    def count(self, database: sqlite3.Connection) -> int:
        """How many entries there are."""
        statement = f"SELECT (SELECT COUNT(*) FROM {self._name})+(SELECT COUNT(*) FROM {self._name}_met)"
        return int(database.execute(statement).fetchone()[0])


def _number(stored: object) -> int:
    """A number as it is stored; SQLite keeps a text in a column of numbers as well, which then is nobody's."""
    return stored if isinstance(stored, int) else 0


def _integers(macs: Sequence[bytes]) -> tuple[int, ...]:
    """Both halves of each hash of 16 bytes."""
    return struct.unpack(f">{2 * len(macs)}q", b"".join(macs))


def _parts(keys: Iterable[T]) -> Iterator[list[T | None]]:
    """The keys in lists that fit into one statement, filled up with nulls, which match no key.

    Filled up, the lists have few lengths: SQLite's driver keeps a hundred statements prepared, of up to a megabyte each.
    """
    remaining = iter(keys)
    while part := list(islice(remaining, HASHES_PER_QUERY)):
        yield part + [None] * ((1 << (len(part) - 1).bit_length()) - len(part))


_INDEXES: dict[Index, _HashIndex] = {"identity": _HashIndex("identity"), "account": _HashIndex("account")}
SCHEMA = (*_TABLES, *_INDEXES["identity"].tables, *_INDEXES["account"].tables)
"""What the file is made of; `unless` is filled with nothing, or with `IF NOT EXISTS `."""
_SCRIPT = ";".join(statement.format(unless="") for statement in SCHEMA)
_BROUGHT_OVER = "CREATE TABLE older (number INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE older;" + _SCRIPT
"""A vault of format 1 leaves SQLite's own table of counters behind, which SQLite lets nobody drop."""


class SQLitePersonRows:
    """The vault's tables in a SQLite file."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self._is_read_only = read_only
        self._opened: sqlite3.Connection | None = None

    def create(self, keyring: Callable[[], bytes]) -> None:
        self._path.touch(mode=0o600)
        with refusing(), closing(sqlite3.connect(self._path, timeout=LOCK_TIMEOUT_S, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("BEGIN IMMEDIATE")
            _require_not_older(database)
            create_tables(database)
            if database.execute("SELECT 1 FROM vault").fetchone() is None:
                database.execute("INSERT INTO vault VALUES (?,0,?)", (FORMAT, keyring()))
            database.execute("COMMIT")

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    @property
    def database(self) -> sqlite3.Connection:
        """The connection, opened when it is first needed."""
        if self._opened is None:
            # A vault that is gone is refused, not made anew. One that is settled and only read gets no files beside it.
            mode = "mode=rw" if not self._is_read_only else "mode=ro" if is_unsettled(self._path) else "immutable=1"
            uri = f"{self._path.absolute().as_uri()}?{mode}"
            # Python may close a forgotten ledger from any thread, and a second time.
            self._opened = sqlite3.connect(
                uri, uri=True, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            self._opened.execute("PRAGMA synchronous=FULL")
            # SQLite overwrites freed bytes. Set before the first row: the split of a page leaves copies of rows behind.
            self._opened.execute("PRAGMA secure_delete=ON")
            self._opened.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        return self._opened

    def keyring(self) -> bytes | None:
        with refusing():
            named = _require_not_older(self.database)
            require_schema(self.database, _SCRIPT, _BROUGHT_OVER, what="the vault", may_be_empty=True)
            row = self.database.execute("SELECT format, keyring FROM vault").fetchone() if "vault" in named else None
        return of_known_format(*row) if row else None

    def alone(self, work: Callable[[], T]) -> T:
        with self._transaction("COMMIT"):
            return work()

    def rehearsal(self) -> AbstractContextManager[None]:
        return self._transaction("ROLLBACK")

    @contextmanager
    def _transaction(self, end: str) -> Iterator[None]:
        with refusing():
            self.database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.database.execute(end)
            finally:
                if self.database.in_transaction:
                    self.database.execute("ROLLBACK")

    # Reading

    def of_ids(self, macs: Sequence[bytes]) -> dict[bytes, int]:
        with refusing():
            return dict(_INDEXES["identity"].find(self.database, macs))

    def holders(self, macs: Sequence[bytes]) -> set[tuple[bytes, int]]:
        with refusing():
            return set(_INDEXES["account"].find(self.database, macs))

    def people(self, numbers: Sequence[int]) -> Iterator[PersonRow]:
        with refusing():
            for part in _parts(numbers):
                marks = ",".join("?" * len(part))
                found = self.database.execute(f"SELECT * FROM person WHERE number IN ({marks})", part)
                yield from map(PersonRow._make, found)

    def highest(self) -> int:
        with refusing():
            row = self.database.execute("SELECT highest FROM vault").fetchone()
        if row is None or not isinstance(row[0], int):
            raise IntegrityBrokenError("the vault's counter is no number: it was changed; put a copy of the vault back")
        return row[0]

    def last(self) -> int:
        with refusing():
            statement = "SELECT COALESCE(MAX(number), 0) FROM person WHERE number<=?"
            return int(self.database.execute(statement, (NUMBER_MAX,)).fetchone()[0])

    def out_of_range(self) -> list[int]:
        with refusing():
            rows = self.database.execute(OUT_OF_RANGE.format(person="person", most=NUMBER_MAX)).fetchall()
        return [_number(number) for (number,) in rows]

    def count(self) -> int:
        with refusing():
            return int(self.database.execute("SELECT COUNT(*) FROM person").fetchone()[0])

    def page(self, after: int, limit: int) -> list[PersonRow]:
        statement = """
            SELECT * FROM person WHERE number>?1 AND number<=(
                SELECT MAX(number) FROM (SELECT DISTINCT number FROM person WHERE number>?1 ORDER BY number LIMIT ?2))
            ORDER BY number, version, agreement
        """
        with refusing():
            return list(map(PersonRow._make, self.database.execute(statement, (after, limit))))

    def missing(self, index: Index, entries: Sequence[Entry]) -> set[Entry]:
        with refusing():
            return _INDEXES[index].missing(self.database, entries)

    def meeting(self) -> Iterator[list[int]]:
        with refusing():
            yield from _INDEXES["account"].meeting(self.database)

    def between(self, first: int, last: int, limit: int) -> list[PersonRow]:
        statement = "SELECT * FROM person WHERE number BETWEEN ? AND ? ORDER BY number, version, agreement LIMIT ?"
        with refusing():
            return list(map(PersonRow._make, self.database.execute(statement, (first, last, limit))))

    def following(self, number: int) -> int | None:
        with refusing():
            statement = "SELECT MIN(number) FROM person WHERE number>=? AND number<=?"
            found: int | None = self.database.execute(statement, (number, NUMBER_MAX)).fetchone()[0]
            return found

    def entries(self, index: Index) -> Iterator[Entry]:
        with refusing():
            yield from _INDEXES[index].entries(self.database)

    def entry_count(self, index: Index) -> int:
        with refusing():
            return _INDEXES[index].count(self.database)

    def marks(self) -> list[MarkRow]:
        with refusing():
            rows = self.database.execute("SELECT * FROM mark ORDER BY number").fetchall()
        return [MarkRow(mac, _number(number), sealed) for mac, number, sealed in rows]

    def refused(self) -> list[RefusedRow]:
        with refusing():
            return list(map(RefusedRow._make, self.database.execute("SELECT * FROM refused ORDER BY file, line")))

    def absent(self) -> list[tuple[int, int]]:
        with refusing():
            gaps: list[tuple[int, int]] = self.database.execute(GAPS.format(person="person")).fetchall()
            (highest,) = self.database.execute("SELECT COALESCE(MAX(number), 0) FROM person").fetchone()
        return [*gaps, (highest + 1, NUMBER_MAX)]

    # Writing

    def add(self, people: Sequence[NewPerson]) -> None:
        if not people:
            return
        with refusing():
            self._add(people)
            self._give(people[-1].row.number)

    def _add(self, people: Sequence[NewPerson]) -> None:
        rows, identities, accounts = zip(*people, strict=True)
        self.database.executemany("INSERT INTO person VALUES (?,?,?,?)", rows)
        numbers = [row.number for row in rows]
        _INDEXES["identity"].add(self.database, identities, numbers)
        with_account = [(mac, number) for mac, number in zip(accounts, numbers, strict=True) if mac is not None]
        if with_account:
            _INDEXES["account"].add(self.database, *zip(*with_account, strict=True))

    def _give(self, number: int) -> None:
        self.database.execute("UPDATE vault SET highest=MAX(highest, ?)", (number,))

    def remove(self, number: int) -> None:
        self._remove(number - 1, number)

    def _remove(self, after: int, until: int) -> None:
        """Take out the people of the numbers between two, and whatever leads to them."""
        for index in _INDEXES.values():
            index.remove(self.database, after, until)
        self.database.execute("DELETE FROM person WHERE number>? AND number<=?", (after, until))

    def forget(self) -> list[str]:
        with refusing():
            is_busy, _, _ = self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_busy:  # another process still reads the state before the deletion
            raise StoreLockedError()
        return []

    def follow(self, people: Sequence[NewPerson], after: int, until: int) -> None:
        with self._transaction("COMMIT"):
            within = "SELECT 1 FROM person WHERE number>? AND number<=? LIMIT 1"
            if self.database.execute(within, (after, until)).fetchone():  # else no index need be looked through
                self._remove(after, until)
            if people:
                self._add(people)
            self._give(until)

    def replace(self, stored: Stored, keyring: bytes) -> None:
        for table in ("person", "mark", "refused", *_INDEXES, *(f"{name}_met" for name in _INDEXES)):
            self.database.execute(f"DELETE FROM {table}")
        self.database.executemany("INSERT INTO person VALUES (?,?,?,?)", stored.people)
        self.database.executemany("INSERT INTO mark VALUES (?,?,?)", stored.marks)
        self.database.executemany("INSERT INTO refused VALUES (?,?,?,?)", stored.refused)
        for index, entries in ((_INDEXES["identity"], stored.identity), (_INDEXES["account"], stored.account)):
            if entries:
                index.add(self.database, *zip(*entries, strict=True))
        self.database.execute("UPDATE vault SET keyring=?", (keyring,))


def _require_not_older(database: sqlite3.Connection) -> set[str]:
    """The names of the tables there are; raises `VaultOlderError` where they are those of an earlier format."""
    named = {row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type='table'")}
    if named & {"key_check", "older_person"}:
        raise VaultOlderError()
    return named


def create_tables(database: sqlite3.Connection) -> None:
    """Make the tables of today's format that are not there."""
    for statement in SCHEMA:
        database.execute(statement.format(unless="IF NOT EXISTS "))


def of_known_format(found: int, keyring: bytes) -> bytes:
    """The keyring of a vault; raises `VaultNewerError` for a format that this program does not know."""
    if found != FORMAT:
        raise VaultNewerError(found=found, known=FORMAT)
    return keyring


@contextmanager
def refusing() -> Iterator[None]:
    """Turn SQLite's errors into refusals, or broken integrity."""
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
        raise  # a bug of ours, such as a number given twice, must not read as a damaged file
    except sqlite3.Error as error:
        raise refusal_of(error, what="the vault") from error
