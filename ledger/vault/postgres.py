"""The vault's tables on PostgreSQL: a schema of their own, for a role of its own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from ledger.store.errors import StoreFailedError
from ledger.store.server import Connection, Database
from ledger.vault.errors import VaultOlderError
from ledger.vault.keys import FORMAT
from ledger.vault.rows import (
    GAPS,
    HASHES_PER_QUERY,
    NUMBER_MAX,
    Index,
    MarkRow,
    NewPerson,
    PersonRow,
    RefusedRow,
    Stored,
    T,
)
from ledger.vault.sqlite import SQLitePersonRows, of_known_format

SCHEMA = "salur_vault"
TURN = f"{SCHEMA}.vault"
"""The table of one row that whoever adds people locks, so that numbers have no gaps."""
MAKING_LOCK = 0x5A1D_0002
"""The number of the advisory lock for making the tables."""
WITH_DATA = ("person", "identity", "account", "mark", "refused")
"""The tables that hold something of people."""

TABLES = f"""
CREATE SCHEMA IF NOT EXISTS {SCHEMA};
CREATE TABLE IF NOT EXISTS {SCHEMA}.vault (
    turn boolean PRIMARY KEY DEFAULT true CHECK (turn),
    format integer NOT NULL,
    highest bigint NOT NULL,
    keyring bytea NOT NULL
);
CREATE TABLE IF NOT EXISTS {SCHEMA}.person (
    number bigint NOT NULL,
    version integer NOT NULL,
    agreement text COLLATE "C" NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (number, version, agreement)
);
CREATE TABLE IF NOT EXISTS {SCHEMA}.identity (mac bytea PRIMARY KEY, number bigint NOT NULL);
CREATE TABLE IF NOT EXISTS {SCHEMA}.account (mac bytea, number bigint, PRIMARY KEY (mac, number));
CREATE TABLE IF NOT EXISTS {SCHEMA}.mark (mac bytea PRIMARY KEY, number bigint NOT NULL, sealed bytea NOT NULL);
CREATE TABLE IF NOT EXISTS {SCHEMA}.refused (
    file text COLLATE "C" NOT NULL,
    line bigint NOT NULL,
    mac bytea NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (file, line)
);
CREATE INDEX IF NOT EXISTS refused_by_mac ON {SCHEMA}.refused (mac);

-- New people have the numbers after the highest, without a gap: nobody's INSERT uses numbers up. It waits for its turn.
-- The owner, who copies a ledger in which people were erased, may leave gaps.
CREATE OR REPLACE FUNCTION {SCHEMA}.give_numbers() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
DECLARE
    before bigint;
    last bigint;
    given bigint;
BEGIN
    SELECT highest INTO before FROM {SCHEMA}.vault FOR UPDATE;
    SELECT MAX(number), COUNT(DISTINCT number) INTO last, given FROM {SCHEMA}.person WHERE number > before;
    IF given = 0 THEN
        RETURN NULL;
    END IF;
    IF (last - before <> given OR last > {NUMBER_MAX}) AND NOT pg_has_role(session_user, current_user, 'USAGE') THEN
        RAISE EXCEPTION 'a new person has the number after %, and no number is left out', before
            USING ERRCODE = 'check_violation';
    END IF;
    UPDATE {SCHEMA}.vault SET highest = last;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER give_numbers AFTER INSERT ON {SCHEMA}.person
    FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.give_numbers();

-- Looked at when the transaction ends: by then the event that allows the deletion is stored.
CREATE OR REPLACE FUNCTION {SCHEMA}.require_erasure() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
BEGIN
    IF NOT pg_has_role(session_user, current_user, 'USAGE') AND NOT EXISTS (
        SELECT 1 FROM salur.stored_events
        WHERE originator_id = 'recipient/R' || lpad(OLD.number::text, 9, '0') AND topic LIKE 'RecipientErased.%'
    ) THEN
        RAISE EXCEPTION 'no event says that R% is erased', lpad(OLD.number::text, 9, '0')
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
"""
GUARDS = "".join(
    f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname='erased_{table}' AND tgrelid='{SCHEMA}.{table}'::regclass) THEN
        CREATE CONSTRAINT TRIGGER erased_{table} AFTER DELETE OR UPDATE ON {SCHEMA}.{table}
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.require_erasure();
    END IF;
END $$;
"""
    for table in ("person", "identity", "account")
)
_FOR_NOBODY = f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {SCHEMA} FROM PUBLIC;"


class PostgresPersonRows:
    """The vault's tables in a PostgreSQL database."""

    def __init__(self, address: str) -> None:
        self.database = Database(address)
        self._connection: Connection | None = None
        """The connection of the transaction under way."""
        self._rehearsed: SQLitePersonRows | None = None

    def create(self, keyring: Callable[[], bytes]) -> None:
        def work(connection: Connection, _: bool) -> None:
            create_tables(connection)
            if connection.execute(f"SELECT 1 FROM {TURN}").fetchone() is None:
                statement = f"INSERT INTO {TURN} (format, highest, keyring) VALUES (%s, 0, %s)"
                connection.execute(statement, (FORMAT, keyring()))

        self.database.write(MAKING_LOCK, work)

    def close(self) -> None:
        self.database.close()

    def keyring(self) -> bytes | None:
        named = "SELECT to_regclass(%s) IS NOT NULL"
        if any(self.read(named, f"{SCHEMA}.{name}")[0][0] for name in ("key_check", "older_person")):
            raise VaultOlderError()
        if not self.read(named, TURN)[0][0]:
            return None
        rows = self.read(f"SELECT format, keyring FROM {TURN}")
        return of_known_format(*rows[0]) if rows else None

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
        [(highest,)] = self.read(f"SELECT highest FROM {TURN}")
        return max(int(highest), self._rehearsed.highest() if self._rehearsed else 0)

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

    def entries(self, index: Index) -> Iterator[tuple[bytes, int]]:
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
        for table in ("person", "identity", "account"):
            self.held.execute(f"DELETE FROM {SCHEMA}.{table} WHERE number=%s", (number,))

    def forget(self) -> list[str]:
        # FULL writes the table and its indexes anew: a plain one leaves a removed row's bytes in its page's free space.
        left = []
        for table in ("person", "identity", "account"):
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
                for table in ("person", "identity", "account"):
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


def create_tables(connection: Connection) -> None:
    """Make what today's format consists of, where it is not there."""
    connection.execute(TABLES + GUARDS + _FOR_NOBODY)
