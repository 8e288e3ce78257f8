"""The vault's tables on PostgreSQL: a schema of their own, for a role of its own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from ledger.domain.errors import IntegrityBrokenError
from ledger.store.errors import StoreFailedError
from ledger.store.postgres_schema import require_schema
from ledger.store.server import Connection, Database
from ledger.vault.errors import VaultOlderError
from ledger.vault.keys import FORMAT
from ledger.vault.postgres_tables import FORM, LEADING, MAKING_LOCK, SCHEMA, TURN, WITH_DATA, create_tables
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
    T,
)
from ledger.vault.sqlite import SQLitePersonRows, of_known_format


class PostgresPersonRows:
    """The vault's tables in a PostgreSQL database."""

    def __init__(self, address: str) -> None:
        self.database = Database(address)
        self._connection: Connection | None = None
        """The connection of the transaction under way."""
        self._rehearsed: SQLitePersonRows | None = None

    def create(self, keyring: Callable[[], bytes]) -> None:
        def work(connection: Connection, _: bool) -> None:
            self._require_not_older()
            create_tables(connection)
            if connection.execute(f"SELECT 1 FROM {TURN}").fetchone() is None:
                statement = f"INSERT INTO {TURN} VALUES (true, %s, 0, %s)"
                connection.execute(statement, (FORMAT, keyring()))

        self.database.write(MAKING_LOCK, work)

    def close(self) -> None:
        self.database.close()

    def keyring(self) -> bytes | None:
        self._require_not_older()
        if not require_schema(self.database.read, FORM):
            return None
        rows = self.read(f"SELECT format, keyring FROM {TURN}")
        return of_known_format(*rows[0]) if rows else None

    def _require_not_older(self) -> None:
        named = "SELECT to_regclass(%s) IS NOT NULL"
        if any(self.read(named, f"{SCHEMA}.{name}")[0][0] for name in ("key_check", "older_person")):
            raise VaultOlderError()

    def alone(self, work: Callable[[], T]) -> T:
        return self._within(TURN, work)

    def while_made(self, work: Callable[[], T]) -> T:
        """Run work in one transaction while nobody else makes or changes the tables."""
        return self._within(MAKING_LOCK, work)

    def _within(self, turn: str | int, work: Callable[[], T]) -> T:
        def within(connection: Connection, _: bool) -> T:  # a second run finds the people that the first added
            self._connection = connection
            try:
                return work()
            finally:
                self._connection = None

        try:
            return self.database.write(turn, within)
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

    # Reading

    def of_ids(self, macs: Sequence[bytes]) -> dict[bytes, int]:
        found: dict[bytes, int] = dict(self._in("SELECT mac, number FROM {}.identity WHERE mac=ANY(%s)", macs))
        return found | self._rehearsed.of_ids(macs) if self._rehearsed else found

    def holders(self, macs: Sequence[bytes]) -> set[tuple[bytes, int]]:
        found = {
            (mac, number) for mac, number in self._in("SELECT mac, number FROM {}.account WHERE mac=ANY(%s)", macs)
        }
        return found | self._rehearsed.holders(macs) if self._rehearsed else found

    def people(self, numbers: Sequence[int]) -> Iterator[PersonRow]:
        yield from map(PersonRow._make, self._in("SELECT * FROM {}.person WHERE number=ANY(%s)", numbers))
        if self._rehearsed:
            yield from self._rehearsed.people(numbers)

    def highest(self) -> int:
        rows = self.read(f"SELECT highest FROM {TURN}")
        if not rows:
            raise IntegrityBrokenError("the vault's counter is gone; put a copy of the vault back")
        [(highest,)] = rows
        return max(int(highest), self._rehearsed.highest() if self._rehearsed else 0)

    def last(self) -> int:
        statement = f"SELECT COALESCE(MAX(number), 0) FROM {SCHEMA}.person WHERE number<=%s"
        return int(self.read(statement, NUMBER_MAX)[0][0])

    def out_of_range(self) -> list[int]:
        return [number for (number,) in self.read(OUT_OF_RANGE.format(person=f"{SCHEMA}.person", most=NUMBER_MAX))]

    def count(self) -> int:
        return int(self.read(f"SELECT COUNT(*) FROM {SCHEMA}.person")[0][0])

    def page(self, after: int, limit: int) -> list[PersonRow]:
        statement = f"""
            SELECT * FROM {SCHEMA}.person WHERE number>%s AND number<=(
                SELECT MAX(number) FROM (
                    SELECT DISTINCT number FROM {SCHEMA}.person WHERE number>%s ORDER BY number LIMIT %s) AS page)
            ORDER BY number, version, agreement
        """
        return list(map(PersonRow._make, self.read(statement, after, after, limit)))

    def missing(self, index: Index, entries: Sequence[Entry]) -> set[Entry]:
        statement = f"SELECT mac, number FROM {{}}.{index} WHERE mac=ANY(%s)"
        return set(entries).difference(
            (mac, number) for mac, number in self._in(statement, [mac for mac, _ in entries])
        )

    def meeting(self) -> Iterator[list[int]]:
        statement = f"SELECT array_agg(number ORDER BY number) FROM {SCHEMA}.account GROUP BY mac HAVING COUNT(*)>1"
        yield from (numbers for (numbers,) in self.read(statement))

    def between(self, first: int, last: int, limit: int) -> list[PersonRow]:
        statement = (
            f"SELECT * FROM {SCHEMA}.person WHERE number BETWEEN %s AND %s ORDER BY number, version, agreement LIMIT %s"
        )
        return list(map(PersonRow._make, self.read(statement, first, last, limit)))

    def following(self, number: int) -> int | None:
        [(found,)] = self.read(f"SELECT MIN(number) FROM {SCHEMA}.person WHERE number>=%s", number)
        return None if found is None else int(found)

    def entries(self, index: Index) -> Iterator[Entry]:
        after: tuple[bytes, int] = (b"", -1)
        statement = f"""
            SELECT mac, number FROM {SCHEMA}.{index} WHERE (mac, number)>(%s, %s::bigint) ORDER BY mac, number LIMIT %s
        """
        while page := self.read(statement, *after, HASHES_PER_QUERY):
            yield from ((mac, number) for mac, number in page)
            after = (page[-1][0], page[-1][1])

    def entry_count(self, index: Index) -> int:
        return int(self.read(f"SELECT COUNT(*) FROM {SCHEMA}.{index}")[0][0])

    def marks(self) -> list[MarkRow]:
        return list(map(MarkRow._make, self.read(f"SELECT * FROM {SCHEMA}.mark ORDER BY number")))

    def refused(self) -> list[RefusedRow]:
        return list(map(RefusedRow._make, self.read(f"SELECT * FROM {SCHEMA}.refused ORDER BY file, line")))

    def absent(self) -> list[tuple[int, int]]:
        gaps = [(first, last) for first, last in self.read(GAPS.format(person=f"{SCHEMA}.person"))]
        [(highest,)] = self.read(f"SELECT COALESCE(MAX(number), 0) FROM {SCHEMA}.person")
        return [*gaps, (highest + 1, NUMBER_MAX)]

    # Writing

    def add(self, people: Sequence[NewPerson]) -> None:
        if self._rehearsed:
            self._rehearsed.add(people)
        elif people:
            self._add(people)

    def remove(self, number: int) -> None:
        for table in LEADING:
            self.held.execute(f"DELETE FROM {SCHEMA}.{table} WHERE number=%s", (number,))

    def forget(self) -> list[str]:
        # FULL writes the table and its indexes anew: a plain one leaves a removed row's bytes in its page's free space.
        left = []
        for table in LEADING:
            remedy = f"let the database's owner run `VACUUM (FULL) {SCHEMA}.{table}`"
            left += [
                f"the row is deleted, and its bytes are still in the table's file ({each}); {remedy}"
                for each in self.database.maintain(f"VACUUM (FULL) {SCHEMA}.{table}")
            ]
        return left

    def follow(self, people: Sequence[NewPerson], after: int, until: int) -> None:
        def work() -> None:
            within = f"FROM {SCHEMA}.person WHERE number>%s AND number<=%s"
            if self.read(f"SELECT 1 {within} LIMIT 1", after, until):  # else no index need be looked through
                for table in LEADING:
                    self.held.execute(f"DELETE FROM {SCHEMA}.{table} WHERE number>%s AND number<=%s", (after, until))
            self._add(people)
            self.held.execute(f"UPDATE {TURN} SET highest=GREATEST(highest, %s)", (until,))

        self.alone(work)

    def replace(self, stored: Stored, keyring: bytes) -> None:
        self.held.execute(f"TRUNCATE {', '.join(f'{SCHEMA}.{table}' for table in WITH_DATA)}")
        self._copy("person", ["int8", "int4", "text", "bytea"], stored.people)
        self._copy("identity", ["bytea", "int8"], stored.identity)
        self._copy("account", ["bytea", "int8"], stored.account)
        self._copy("mark", ["bytea", "int8", "bytea"], stored.marks)
        self._copy("refused", ["text", "int8", "bytea", "bytea"], stored.refused)
        self.held.execute(f"UPDATE {TURN} SET keyring=%s", (keyring,))

    @property
    def held(self) -> Connection:
        """The connection of the transaction under way."""
        if self._connection is None:
            raise RuntimeError("nothing is added outside of a transaction")
        return self._connection

    def _add(self, people: Sequence[NewPerson]) -> None:
        self._copy("person", ["int8", "int4", "text", "bytea"], [each.row for each in people])
        self._copy("identity", ["bytea", "int8"], sorted((each.identity, each.row.number) for each in people))
        accounts = sorted((each.account, each.row.number) for each in people if each.account is not None)
        self._copy("account", ["bytea", "int8"], accounts)

    def _copy(self, table: str, types: list[str], rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        with self.held.cursor().copy(f"COPY {SCHEMA}.{table} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def _in(self, statement: str, keys: Sequence[bytes] | Sequence[int]) -> Iterator[tuple[Any, ...]]:
        pages = (list(keys[start : start + HASHES_PER_QUERY]) for start in range(0, len(keys), HASHES_PER_QUERY))
        return chain.from_iterable(self.read(statement.format(SCHEMA), page) for page in pages)

    def read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a statement, within the transaction under way if there is one."""
        if self._connection is not None:
            return self._connection.execute(statement, values, binary=True).fetchall()
        return self.database.read(statement, values)
