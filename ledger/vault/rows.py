"""The port of the vault's rows, and the SQLite file behind it; rows are sealed before they come here."""

import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Protocol, TypeVar

from ledger.store.errors import StoreLockedError
from ledger.store.sqlite import LOCK_TIMEOUT_S, refusal_of

MACS_PER_QUERY = 8_192
NUMBER_MAX = 999_999_999
"""A recipient's id has nine digits."""
GAPS = """
SELECT before+1, number-1
FROM (SELECT number, COALESCE(LAG(number) OVER (ORDER BY number), 0) AS before FROM {person}) AS people
WHERE number>before+1 ORDER BY 1
"""
"""The ranges of numbers below the highest that nobody in the table has."""
CACHE_KIB = 512 * 1024
"""At most this much of the table stays in memory during a transaction; a smaller one writes its pages several times."""

T = TypeVar("T")
PersonRow = tuple[int, bytes, bytes | None, str | None, bytes]
"""Number, keyed hash of the NIK, of the account, why the account may be shared, and the sealed data."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS person (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice, also after its row is deleted
    nik_mac BLOB NOT NULL,
    account_mac BLOB,
    shared_account TEXT,
    sealed BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS shared_accounts ON person (account_mac) WHERE shared_account IS NOT NULL;
CREATE TABLE IF NOT EXISTS key_check (mac BLOB NOT NULL)
"""


class PersonRows(Protocol):
    """The vault's table of people. Every method may raise a refusal, and then nothing has changed."""

    def create(self, key_check: Callable[[], bytes]) -> None:
        """Make what is not there yet; the key's check is asked for where there is none, while nobody else makes one."""

    def close(self) -> None: ...

    def key_check(self) -> bytes | None:
        """A hash by which the vault recognises its key."""

    def alone(self, work: Callable[[], T]) -> T:
        """Run work in one transaction while nobody else adds; it may be run again when the database was lost."""

    def rehearsal(self) -> AbstractContextManager[None]:
        """Undo at the end of the block whatever is added in it."""

    def of_niks(self, nik_macs: Sequence[bytes]) -> dict[bytes, int]:
        """Hash of a national id → number, of the people who are there."""

    def sealed(self, numbers: Sequence[int]) -> Iterator[tuple[int, bytes, bytes]]:
        """Number, hash of the national id and sealed data of these people, in any order."""

    def taken(self, account_macs: Sequence[bytes]) -> set[bytes]:
        """The hashes, of those asked for, whose account serves somebody."""

    def next_number(self) -> int:
        """The number that the next person gets."""

    def add(self, rows: list[PersonRow]) -> None:
        """Store people, in order of their numbers; within `alone` or a rehearsal."""

    def count(self) -> int:
        """How many people there are."""

    def page(self, after: int, limit: int) -> list[PersonRow]:
        """People in order, from a number on."""

    def absent(self) -> list[tuple[int, int]]:
        """The numbers that nobody there has, in ranges (first, last); the last range ends with the highest number."""

    def remove(self, number: int) -> None:
        """Delete a person's row, if there is one; within `alone`. The bytes may remain in the file until `forget`."""

    def forget(self) -> list[str]:
        """Overwrite the bytes of deleted rows; returns a sentence for each step that only somebody else can take."""

    def follow(self, rows: list[PersonRow], after: int, until: int) -> None:
        """Replace the people between two numbers by these, and never give a number up to the second again."""


class _MacIndex:
    """Where keyed hashes lead, each to one number: half of the hash is the place in the table, half is compared.

    As a table keyed by integers it is half the size and a third of the work of an index over the whole hashes, and a
    chunk's hashes are looked up and added in its order: on a nation's size that decides the speed. Two hashes that
    share the first half meet once in some hundred thousand nations; the second of them lies in a table of its own.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.schema = f"""
            CREATE TABLE IF NOT EXISTS {name} (place INTEGER PRIMARY KEY, rest INTEGER NOT NULL, number INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS {name}_met (mac BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
        """

    def find(self, database: sqlite3.Connection, macs: Sequence[bytes]) -> dict[bytes, int]:
        """Hash → number, of those that are there."""
        wanted, found = set(macs), {}
        for places in _parts(sorted(_integers(macs)[::2])):
            marks = ",".join("?" * len(places))
            for place, rest, number in database.execute(f"SELECT * FROM {self._name} WHERE place IN ({marks})", places):
                if (mac := _HALVES.pack(place, rest)) in wanted:
                    found[mac] = number
        if database.execute(f"SELECT 1 FROM {self._name}_met LIMIT 1").fetchone():
            for part in _parts(macs):
                marks = ",".join("?" * len(part))
                found.update(database.execute(f"SELECT * FROM {self._name}_met WHERE mac IN ({marks})", part))
        return found

    def add(self, database: sqlite3.Connection, macs: Sequence[bytes], numbers: Sequence[int]) -> None:
        """Let hashes lead to numbers; a hash that is there already raises SQLite's IntegrityError."""
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
            if there[0] == rest and there[1] != number:
                raise sqlite3.IntegrityError(f"{self._name}: the hash of number {number} leads to another already")
            if there[0] != rest:
                database.execute(f"INSERT INTO {self._name}_met VALUES (?,?)", (mac, number))

    def remove(self, database: sqlite3.Connection, macs: Sequence[bytes]) -> None:
        """Let hashes lead nowhere."""
        statement = f"DELETE FROM {self._name} WHERE place=? AND rest=?"
        database.executemany(statement, map(_HALVES.unpack, macs))
        database.executemany(f"DELETE FROM {self._name}_met WHERE mac=?", ((mac,) for mac in macs))


_HALVES = struct.Struct(">qq")


def _integers(macs: Sequence[bytes]) -> tuple[int, ...]:
    """Both halves of each hash of 16 bytes."""
    return struct.unpack(f">{2 * len(macs)}q", b"".join(macs))


def _parts(keys: Iterable[T]) -> Iterator[list[T | None]]:
    """The keys in lists that fit into one statement, filled up with nulls, which match no key.

    Filled up, the lists have few lengths: SQLite's driver keeps a hundred statements prepared, of up to a megabyte each.
    """
    remaining = iter(keys)
    while part := list(islice(remaining, MACS_PER_QUERY)):
        yield part + [None] * ((1 << (len(part) - 1).bit_length()) - len(part))


_NIKS, _ACCOUNTS = _MacIndex("nik"), _MacIndex("account")
"""The index of national ids, and that of accounts that nobody shares."""


class SQLitePersonRows:
    """The vault's table in a SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: sqlite3.Connection | None = None

    def create(self, key_check: Callable[[], bytes]) -> None:
        self._path.touch(mode=0o600)
        with refusing(), closing(sqlite3.connect(self._path, timeout=LOCK_TIMEOUT_S, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(_SCHEMA + ";" + _NIKS.schema + _ACCOUNTS.schema)
            database.execute("BEGIN IMMEDIATE")
            if database.execute("SELECT 1 FROM key_check").fetchone() is None:
                database.execute("INSERT INTO key_check VALUES (?)", (key_check(),))
            database.execute("COMMIT")

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    @property
    def _database(self) -> sqlite3.Connection:
        if self._opened is None:
            # A vault that is gone is refused, not made anew.
            uri = self._path.absolute().as_uri() + "?mode=rw"
            # Python may close a forgotten ledger from any thread, and a second time.
            self._opened = sqlite3.connect(
                uri, uri=True, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            self._opened.execute("PRAGMA synchronous=FULL")
            # SQLite overwrites freed bytes. Set before the first row: the split of a page leaves copies of rows behind.
            self._opened.execute("PRAGMA secure_delete=ON")
            self._opened.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        return self._opened

    def key_check(self) -> bytes | None:
        with refusing():
            row = self._database.execute("SELECT mac FROM key_check").fetchone()
        return row[0] if row else None

    def alone(self, work: Callable[[], T]) -> T:
        with self._transaction("COMMIT"):
            return work()

    def rehearsal(self) -> AbstractContextManager[None]:
        return self._transaction("ROLLBACK")

    @contextmanager
    def _transaction(self, end: str) -> Iterator[None]:
        with refusing():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute(end)
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    def of_niks(self, nik_macs: Sequence[bytes]) -> dict[bytes, int]:
        with refusing():
            return _NIKS.find(self._database, nik_macs)

    def sealed(self, numbers: Sequence[int]) -> Iterator[tuple[int, bytes, bytes]]:
        statement = "SELECT number, nik_mac, sealed FROM person WHERE number IN"
        with refusing():
            for part in _parts(numbers):
                yield from self._database.execute(f"{statement} ({','.join('?' * len(part))})", part)

    def taken(self, account_macs: Sequence[bytes]) -> set[bytes]:
        statement = "SELECT account_mac FROM person WHERE shared_account IS NOT NULL AND account_mac IN"
        with refusing():
            found = set(_ACCOUNTS.find(self._database, account_macs))
            if self._database.execute("SELECT 1 FROM person WHERE shared_account IS NOT NULL LIMIT 1").fetchone():
                for part in _parts(account_macs):
                    rows = self._database.execute(f"{statement} ({','.join('?' * len(part))})", part)
                    found.update(row[0] for row in rows)
        return found

    def next_number(self) -> int:
        with refusing():
            return int(self._database.execute("SELECT COALESCE(MAX(seq), 0)+1 FROM sqlite_sequence").fetchone()[0])

    def add(self, rows: list[PersonRow]) -> None:
        with refusing():
            self._database.executemany("INSERT INTO person VALUES (?,?,?,?,?)", rows)
            numbers, nik_macs, account_macs, shared, _ = zip(*rows, strict=True) if rows else ((),) * 5
            _NIKS.add(self._database, nik_macs, numbers)
            own = [index for index, mac in enumerate(account_macs) if mac is not None and shared[index] is None]
            _ACCOUNTS.add(self._database, [account_macs[index] for index in own], [numbers[index] for index in own])

    def count(self) -> int:
        with refusing():
            return int(self._database.execute("SELECT COUNT(*) FROM person").fetchone()[0])

    def page(self, after: int, limit: int) -> list[PersonRow]:
        with refusing():
            statement = "SELECT * FROM person WHERE number>? ORDER BY number LIMIT ?"
            return self._database.execute(statement, (after, limit)).fetchall()

    def absent(self) -> list[tuple[int, int]]:
        with refusing():
            gaps: list[tuple[int, int]] = self._database.execute(GAPS.format(person="person")).fetchall()
            (highest,) = self._database.execute("SELECT COALESCE(MAX(number), 0) FROM person").fetchone()
        return [*gaps, (highest + 1, NUMBER_MAX)]

    def remove(self, number: int) -> None:
        self._remove(number - 1, number)

    def _remove(self, after: int, until: int) -> None:
        """Take out the people of the numbers between two."""
        within = "FROM person WHERE number>? AND number<=?", (after, until)
        gone = self._database.execute("SELECT nik_mac, account_mac, shared_account " + within[0], within[1]).fetchall()
        _NIKS.remove(self._database, [nik_mac for nik_mac, _, _ in gone])
        _ACCOUNTS.remove(self._database, [mac for _, mac, shared in gone if mac is not None and shared is None])
        self._database.execute("DELETE " + within[0], within[1])

    def forget(self) -> list[str]:
        with refusing():
            is_busy, _, _ = self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_busy:  # another process still reads the state before the deletion
            raise StoreLockedError()
        return []

    def follow(self, rows: list[PersonRow], after: int, until: int) -> None:
        with self._transaction("COMMIT"):
            self._remove(after, until)
            self.add(rows)
            # The highest number ever given is kept, also when its person is erased.
            known = self._database.execute("UPDATE sqlite_sequence SET seq=max(seq, ?) WHERE name='person'", (until,))
            if not known.rowcount:
                self._database.execute("INSERT INTO sqlite_sequence VALUES ('person', ?)", (until,))


@contextmanager
def refusing() -> Iterator[None]:
    """Turn SQLite's errors into refusals, or broken integrity."""
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
        raise  # a bug of ours, such as a hash added twice, must not read as a damaged file
    except sqlite3.Error as error:
        raise refusal_of(error, what="the vault") from error
