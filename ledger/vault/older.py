"""Bringing a vault of format 1 over to today's.

Format 1 had one row a person, sealed for the hash of their national id and not for their number, with both hashes in it,
and keys that were derived from `vault.key` itself. The first step puts its tables aside, under names that no program
uses; each further one moves a page of people in one transaction, and the last drops what is empty then. So an
interruption at any point leaves every person in exactly one of the two places, and the same call goes on.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from hmac import compare_digest
from pathlib import Path
from typing import NamedTuple, Protocol

from ledger.domain.errors import IntegrityBrokenError
from ledger.store.sqlite_schema import require_schema
from ledger.vault.errors import VaultKeyError
from ledger.vault.keys import Keyring, derived, master_key, person_place
from ledger.vault.person import commitment_of, person_of
from ledger.vault.rows import NewPerson, PersonRow, PersonRows
from ledger.vault.sqlite import SQLitePersonRows, create_tables, of_known_format, refusing

PAGE_ROWS = 10_000
OLDER = "older_person"
"""The table of people of format 1 while they are moved."""


# As format 1 made them, to the byte: SQLite keeps a statement as it was given.
_SCRIPT = """
CREATE TABLE IF NOT EXISTS person (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice, also after its row is deleted
    nik_mac BLOB NOT NULL,
    account_mac BLOB,
    shared_account TEXT,
    sealed BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS shared_accounts ON person (account_mac) WHERE shared_account IS NOT NULL;
CREATE TABLE IF NOT EXISTS key_check (mac BLOB NOT NULL);
""" + "".join(
    f"CREATE TABLE IF NOT EXISTS {name} (place INTEGER PRIMARY KEY, rest INTEGER NOT NULL, number INTEGER NOT NULL);"
    f"CREATE TABLE IF NOT EXISTS {name}_met (mac BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;"
    for name in ("nik", "account")
)


class OlderRow(NamedTuple):
    """A person as format 1 kept them."""

    number: int
    nik_mac: bytes
    account_mac: bytes | None
    shared_account: str | None
    sealed: bytes


class OlderTables(Protocol):
    """The tables of format 1, and what is done with them."""

    def key_check(self) -> bytes | None:
        """The hash by which format 1 recognised its key; None once the tables are put aside, or where there are none."""

    def keyring(self) -> bytes | None:
        """The wrapped keyring, once the tables are put aside."""

    def page(self, after: int, limit: int) -> list[OlderRow]:
        """People in order of their numbers."""

    def put_aside(self, keyring: Callable[[], bytes]) -> None:
        """Rename the tables of format 1 and make today's, in one transaction; nothing if that is done."""

    def move(self, convert: Callable[[OlderRow], NewPerson], limit: int) -> int:
        """Move so many people in one transaction, and return how many were moved."""

    def drop(self) -> None:
        """Drop the tables of format 1, which are empty."""


class Older:
    """A vault of format 1, or on its way from there."""

    def __init__(self, tables: OlderTables, key_path: Path) -> None:
        """Raises `VaultKeyError` where the key is another's."""
        self._tables = tables
        self._master = master_key(key_path)
        check, wrapped = tables.key_check(), tables.keyring()
        self.is_begun = wrapped is not None
        keyring = Keyring.unwrapped(wrapped, self._master) if wrapped is not None else self._new_keyring()
        if keyring is None or (check is not None and not compare_digest(check, derived(self._master, b"check"))):
            raise VaultKeyError(path=str(key_path))
        self.keyring = keyring
        self._older = Keyring(derived(self._master, b"seal"), (), b"")

    def _new_keyring(self) -> Keyring:
        # Hashes of requests stand in events, and must stay what they are.
        return replace(Keyring.new(), request_key=derived(self._master, b"request"))

    def pages(self) -> Iterator[tuple[int, int, list[tuple[int, str | None]]]]:
        """The people who are still to be moved, in pages: first and last number, and each number with its commitment.

        None stands for a row that does not open.
        """
        after = 0
        while page := self._tables.page(after, PAGE_ROWS):
            plains = ((row.number, self._plain(row)) for row in page)
            found = [(number, commitment_of(plain) if plain is not None else None) for number, plain in plains]
            yield page[0].number, page[-1].number, found
            after = page[-1].number

    def bring_over(self, on_progress: Callable[[int], None] = lambda _: None) -> int:
        """Move everybody, or who is left of them; returns how many were moved."""
        self._tables.put_aside(lambda: self.keyring.wrapped(self._master))
        wrapped = self._tables.keyring()  # another process may have begun at the same time, with keys of its own
        keyring = Keyring.unwrapped(wrapped, self._master) if wrapped is not None else None
        if keyring is None:
            raise IntegrityBrokenError("the vault was begun to be brought over with another key; put that one back")
        self.keyring = keyring
        moved = 0
        while count := self._tables.move(self._converted, PAGE_ROWS):
            moved += count
            on_progress(count)
        self._tables.drop()
        return moved

    def _plain(self, row: OlderRow) -> bytes | None:
        return self._older.opened(row.sealed, row.nik_mac)

    def _converted(self, row: OlderRow) -> NewPerson:
        plain = self._plain(row)
        if plain is None:  # taken along as it is: it opens nowhere, and `check` names it
            return NewPerson(PersonRow(row.number, 1, "", row.sealed), row.nik_mac, None)
        person = person_of(plain)
        sealed = self.keyring.sealed(plain, person_place(row.number, 1, ""))
        return NewPerson(PersonRow(row.number, 1, "", sealed), *self.keyring.leading_to(person))


def older_tables(rows: PersonRows) -> OlderTables:
    """The tables of format 1 beside a vault's rows."""
    if isinstance(rows, SQLitePersonRows):
        return SQLiteOlderTables(rows)
    from ledger.vault.older_postgres import PostgresOlderTables  # only a vault on a server waits for the driver
    from ledger.vault.postgres import PostgresPersonRows

    if not isinstance(rows, PostgresPersonRows):
        raise TypeError(f"no vault had rows like {type(rows).__name__}")
    return PostgresOlderTables(rows)


class SQLiteOlderTables:
    """The tables of format 1 in a SQLite file."""

    def __init__(self, rows: SQLitePersonRows) -> None:
        self._rows = rows

    def _is_there(self, table: str) -> bool:
        statement = "SELECT 1 FROM sqlite_schema WHERE type='table' AND name=?"
        return self._rows.database.execute(statement, (table,)).fetchone() is not None

    def key_check(self) -> bytes | None:
        with refusing():
            if not self._is_there("key_check"):
                return None
            require_schema(self._rows.database, _SCRIPT, what="the vault")
            row = self._rows.database.execute("SELECT mac FROM key_check").fetchone()
        return row[0] if row else None

    def keyring(self) -> bytes | None:
        with refusing():
            if not self._is_there("vault"):
                return None
            row = self._rows.database.execute("SELECT format, keyring FROM vault").fetchone()
        return of_known_format(*row) if row else None

    def page(self, after: int, limit: int) -> list[OlderRow]:
        with refusing():
            table = OLDER if self._is_there(OLDER) else "person" if self._is_there("key_check") else None
            if table is None:
                return []
            statement = f"SELECT * FROM {table} WHERE number>? ORDER BY number LIMIT ?"
            return list(map(OlderRow._make, self._rows.database.execute(statement, (after, limit))))

    def put_aside(self, keyring: Callable[[], bytes]) -> None:
        def work() -> None:
            database = self._rows.database
            if not self._is_there("key_check"):
                return
            (highest,) = database.execute("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence").fetchone()
            for table in ("nik", "nik_met", "account", "account_met", "key_check"):
                database.execute(f"DROP TABLE IF EXISTS {table}")
            database.execute("DROP INDEX IF EXISTS shared_accounts")
            database.execute(f"ALTER TABLE person RENAME TO {OLDER}")
            create_tables(database)
            database.execute("INSERT INTO vault VALUES (2, ?, ?)", (highest, keyring()))

        self._rows.alone(work)

    def move(self, convert: Callable[[OlderRow], NewPerson], limit: int) -> int:
        def work() -> int:
            page = self.page(0, limit) if self._is_there(OLDER) else []
            self._rows.add([convert(row) for row in page])
            if page:
                self._rows.database.execute(f"DELETE FROM {OLDER} WHERE number<=?", (page[-1].number,))
            return len(page)

        return self._rows.alone(work)

    def drop(self) -> None:
        def work() -> None:
            self._rows.database.execute(f"DROP TABLE IF EXISTS {OLDER}")

        self._rows.alone(work)
        self._rows.forget()
