"""The vault's table on PostgreSQL: a schema of its own, for a role of its own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from ledger.store.errors import StoreFailedError
from ledger.store.server import Connection, Database
from ledger.vault.rows import GAPS, MACS_PER_QUERY, NUMBER_MAX, PersonRow, SQLitePersonRows, T

SCHEMA = "salur_vault"
LOCK = 0x5A1D_0002
"""The number of the advisory lock for adding people, so that numbers have no gaps."""

_SCHEMA = f"""
CREATE SCHEMA IF NOT EXISTS {SCHEMA};
CREATE TABLE IF NOT EXISTS {SCHEMA}.person (
    number bigint PRIMARY KEY,
    nik_mac bytea NOT NULL UNIQUE,
    account_mac bytea,
    shared_account text,
    sealed bytea NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_recipient_an_account ON {SCHEMA}.person (account_mac) WHERE shared_account IS NULL;
CREATE INDEX IF NOT EXISTS shared_accounts ON {SCHEMA}.person (account_mac) WHERE shared_account IS NOT NULL;
-- the highest number given, a row a transaction: numbers are never given twice, also when their people are gone
CREATE TABLE IF NOT EXISTS {SCHEMA}.given (number bigint PRIMARY KEY);
CREATE TABLE IF NOT EXISTS {SCHEMA}.key_check (mac bytea NOT NULL);
"""


class PostgresPersonRows:
    """The vault's table in a PostgreSQL database."""

    def __init__(self, address: str) -> None:
        self.database = Database(address)
        self._connection: Connection | None = None
        """The connection of the transaction under way."""
        self._rehearsed: SQLitePersonRows | None = None

    def create(self, key_check: Callable[[], bytes]) -> None:
        def work(connection: Connection, _: bool) -> None:
            connection.execute(_SCHEMA)
            if connection.execute(f"SELECT 1 FROM {SCHEMA}.key_check").fetchone() is None:
                connection.execute(f"INSERT INTO {SCHEMA}.key_check VALUES (%s)", (key_check(),))

        self.database.write(LOCK, work)

    def close(self) -> None:
        self.database.close()

    def key_check(self) -> bytes | None:
        rows = self._read(f"SELECT mac FROM {SCHEMA}.key_check")
        return rows[0][0] if rows else None

    def alone(self, work: Callable[[], T]) -> T:
        def within(connection: Connection, _: bool) -> T:  # a second run finds the people that the first added
            self._connection = connection
            try:
                return work()
            finally:
                self._connection = None

        try:
            return self.database.write(LOCK, within)
        except psycopg.IntegrityError as error:
            raise StoreFailedError(reason=str(error.diag.message_primary)) from error

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Nobody waits for a rehearsal: the people added lie in a temporary file, which nobody else sees."""
        with TemporaryDirectory(prefix="salur-") as folder:
            rehearsed = SQLitePersonRows(Path(folder) / "rehearsal.db")
            rehearsed.create(lambda: b"")
            try:
                with rehearsed.rehearsal():
                    self._rehearsed = rehearsed
                    yield
            finally:
                self._rehearsed = None
                rehearsed.close()

    def of_niks(self, nik_macs: Sequence[bytes]) -> dict[bytes, int]:
        statement = f"SELECT nik_mac, number FROM {SCHEMA}.person WHERE nik_mac=ANY(%s)"
        found: dict[bytes, int] = dict(self._in(statement, nik_macs))
        return found | self._rehearsed.of_niks(nik_macs) if self._rehearsed else found

    def sealed(self, numbers: Sequence[int]) -> Iterator[tuple[int, bytes, bytes]]:
        yield from self._in(f"SELECT number, nik_mac, sealed FROM {SCHEMA}.person WHERE number=ANY(%s)", numbers)
        if self._rehearsed:
            yield from self._rehearsed.sealed(numbers)

    def taken(self, account_macs: Sequence[bytes]) -> set[bytes]:
        # Each half has an index of its own, so that most people are in one of them only.
        taken: set[bytes] = set()
        for half in ("shared_account IS NULL", "shared_account IS NOT NULL"):
            statement = f"SELECT account_mac FROM {SCHEMA}.person WHERE {half} AND account_mac=ANY(%s)"
            taken.update(row[0] for row in self._in(statement, account_macs))
        return taken | self._rehearsed.taken(account_macs) if self._rehearsed else taken

    def next_number(self) -> int:
        [(highest,)] = self._read(f"SELECT COALESCE(MAX(number), 0) FROM {SCHEMA}.given")
        return max(int(highest) + 1, self._rehearsed.next_number() if self._rehearsed else 0)

    def add(self, rows: list[PersonRow]) -> None:
        if self._rehearsed:
            self._rehearsed.add(rows)
        elif rows:
            self._add(rows)
            self._given(rows[-1][0])

    def count(self) -> int:
        return int(self._read(f"SELECT COUNT(*) FROM {SCHEMA}.person")[0][0])

    def page(self, after: int, limit: int) -> list[PersonRow]:
        statement = f"SELECT * FROM {SCHEMA}.person WHERE number>%s ORDER BY number LIMIT %s"
        return [(row[0], row[1], row[2], row[3], row[4]) for row in self._read(statement, after, limit)]

    def absent(self) -> list[tuple[int, int]]:
        gaps = [(first, last) for first, last in self._read(GAPS.format(person=f"{SCHEMA}.person"))]
        [(highest,)] = self._read(f"SELECT COALESCE(MAX(number), 0) FROM {SCHEMA}.person")
        return [*gaps, (highest + 1, NUMBER_MAX)]

    def remove(self, number: int) -> None:
        self._held.execute(f"DELETE FROM {SCHEMA}.person WHERE number=%s", (number,))

    def forget(self) -> list[str]:
        # FULL writes the table and its indexes anew: a plain one leaves a removed row's bytes in its page's free space.
        warnings = self.database.maintain(f"VACUUM (FULL) {SCHEMA}.person")
        remedy = f"let the database's owner run `VACUUM (FULL) {SCHEMA}.person`"
        return [
            f"the row is deleted, and its bytes are still in the table's file ({each}); {remedy}" for each in warnings
        ]

    def follow(self, rows: list[PersonRow], after: int, until: int) -> None:
        def work() -> None:
            self._held.execute(f"DELETE FROM {SCHEMA}.person WHERE number>%s AND number<=%s", (after, until))
            self._add(rows)
            self._given(until)

        self.alone(work)

    @property
    def _held(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("nothing is added outside of a transaction")
        return self._connection

    def _add(self, rows: list[PersonRow]) -> None:
        with self._held.cursor().copy(f"COPY {SCHEMA}.person FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "bytea", "bytea", "text", "bytea"])
            for row in rows:
                copy.write_row(row)

    def _given(self, number: int) -> None:
        self._held.execute(f"INSERT INTO {SCHEMA}.given VALUES (%s) ON CONFLICT DO NOTHING", (number,))

    def _in(self, statement: str, keys: Sequence[bytes] | Sequence[int]) -> Iterator[Any]:
        for start in range(0, len(keys), MACS_PER_QUERY):
            yield from self._read(statement, list(keys[start : start + MACS_PER_QUERY]))

    def _read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        if self._connection is not None:
            return self._connection.execute(statement, values, binary=True).fetchall()
        return self.database.read(statement, values)
