"""Where the vault keeps its rows, sealed as they are: a SQLite file of its own, or what else does the same."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from ledger.errors import DiskFullError, IntegrityBrokenError, StoreFailedError, StoreLockedError
from ledger.store import LOCK_TIMEOUT_S, is_disk_full

MACS_PER_QUERY = 10_000

T = TypeVar("T")
PersonRow = tuple[int, bytes, bytes | None, str | None, bytes]
"""Number, keyed hash of the NIK, of the account, why the account may be shared, and the sealed data."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS person (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice, also after its row is deleted
    nik_mac BLOB NOT NULL UNIQUE,
    account_mac BLOB,
    shared_account TEXT,
    sealed BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_recipient_an_account ON person (account_mac) WHERE shared_account IS NULL;
CREATE INDEX IF NOT EXISTS shared_accounts ON person (account_mac) WHERE shared_account IS NOT NULL;
CREATE TABLE IF NOT EXISTS key_check (mac BLOB NOT NULL)
"""


class PersonRows(Protocol):
    """The vault's table of people. Every method may raise a refusal, and then nothing has changed."""

    def create(self, key_check: Callable[[], bytes]) -> None:
        """Make what is not there yet; the key's check is asked for where there is none, while nobody else makes one."""

    def close(self) -> None: ...

    def key_check(self) -> bytes | None:
        """What the vault's key is recognised by."""

    def alone(self, work: Callable[[], T]) -> T:
        """Run work in one transaction while nobody else adds; it may be run again when the database was lost."""

    def rehearsal(self) -> AbstractContextManager[None]:
        """Keep nothing of what is added within."""

    def of_niks(self, nik_macs: list[bytes]) -> Iterator[tuple[bytes, int, bytes]]:
        """Hash, number and sealed data of those that are there."""

    def taken(self, account_macs: list[bytes]) -> set[bytes | None]:
        """Those of the accounts that serve somebody."""

    def next_number(self) -> int:
        """The number that the next person gets."""

    def add(self, rows: list[PersonRow]) -> None:
        """Store people, in order of their numbers; within `alone` or a rehearsal."""

    def one(self, number: int) -> tuple[bytes, bytes] | None:
        """Hash of the NIK and sealed data of one person."""

    def count(self) -> int:
        """How many people there are."""

    def page(self, after: int, limit: int) -> list[PersonRow]:
        """People in order, from a number on."""

    def follow(self, rows: list[PersonRow], after: int, until: int) -> None:
        """Hold exactly these people of the numbers between two, and give no number below the second again."""


class SQLitePersonRows:
    """The vault's table in a SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: sqlite3.Connection | None = None

    def create(self, key_check: Callable[[], bytes]) -> None:
        self._path.touch(mode=0o600)
        with told(), closing(sqlite3.connect(self._path, timeout=LOCK_TIMEOUT_S, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(_SCHEMA)
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
            # A vault that is gone is told, not made anew.
            uri = self._path.absolute().as_uri() + "?mode=rw"
            self._opened = sqlite3.connect(uri, uri=True, timeout=LOCK_TIMEOUT_S, isolation_level=None)
            self._opened.execute("PRAGMA synchronous=FULL")
        return self._opened

    def key_check(self) -> bytes | None:
        with told():
            row = self._database.execute("SELECT mac FROM key_check").fetchone()
        return row[0] if row else None

    def alone(self, work: Callable[[], T]) -> T:
        with self._transaction("COMMIT"):
            return work()

    def rehearsal(self) -> AbstractContextManager[None]:
        return self._transaction("ROLLBACK")

    @contextmanager
    def _transaction(self, end: str) -> Iterator[None]:
        with told():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute(end)
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    def of_niks(self, nik_macs: list[bytes]) -> Iterator[tuple[bytes, int, bytes]]:
        with told():
            yield from self._in("SELECT nik_mac, number, sealed FROM person WHERE nik_mac IN", nik_macs)

    def taken(self, account_macs: list[bytes]) -> set[bytes | None]:
        # Each half has an index of its own; that of the people who share an account is mostly empty.
        statement = "SELECT account_mac FROM person WHERE shared_account IS {} NULL AND account_mac IN"
        with told():
            found: set[bytes | None] = {row[0] for row in self._in(statement.format(""), account_macs)}
            if self._database.execute("SELECT 1 FROM person WHERE shared_account IS NOT NULL LIMIT 1").fetchone():
                found |= {row[0] for row in self._in(statement.format("NOT"), account_macs)}
        return found

    def _in(self, statement: str, macs: list[bytes]) -> Iterator[tuple[bytes, int, bytes]]:
        for start in range(0, len(macs), MACS_PER_QUERY):
            part = macs[start : start + MACS_PER_QUERY]
            yield from self._database.execute(f"{statement} ({','.join('?' * len(part))})", part)

    def next_number(self) -> int:
        with told():
            return int(self._database.execute("SELECT COALESCE(MAX(seq), 0)+1 FROM sqlite_sequence").fetchone()[0])

    def add(self, rows: list[PersonRow]) -> None:
        with told():
            self._database.executemany("INSERT INTO person VALUES (?,?,?,?,?)", rows)

    def one(self, number: int) -> tuple[bytes, bytes] | None:
        with told():
            row = self._database.execute("SELECT nik_mac, sealed FROM person WHERE number=?", (number,)).fetchone()
        return (row[0], row[1]) if row else None

    def count(self) -> int:
        with told():
            return int(self._database.execute("SELECT COUNT(*) FROM person").fetchone()[0])

    def page(self, after: int, limit: int) -> list[PersonRow]:
        with told():
            statement = "SELECT * FROM person WHERE number>? ORDER BY number LIMIT ?"
            return self._database.execute(statement, (after, limit)).fetchall()

    def follow(self, rows: list[PersonRow], after: int, until: int) -> None:
        with self._transaction("COMMIT"):
            self._database.execute("DELETE FROM person WHERE number>? AND number<=?", (after, until))
            self._database.executemany("INSERT INTO person VALUES (?,?,?,?,?)", rows)
            # The highest number ever given stays known when its person is gone.
            known = self._database.execute("UPDATE sqlite_sequence SET seq=max(seq, ?) WHERE name='person'", (until,))
            if not known.rowcount:
                self._database.execute("INSERT INTO sqlite_sequence VALUES ('person', ?)", (until,))


@contextmanager
def told() -> Iterator[None]:
    """Turn SQLite's errors into refusals, or broken integrity."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "locked" in text:
            raise StoreLockedError from error
        raise DiskFullError() if is_disk_full(error) else StoreFailedError(reason=text) from error
    except sqlite3.DatabaseError as error:
        raise IntegrityBrokenError(f"the vault is damaged ({error}); restore a copy") from error
