"""The tables of the vault's format 1 on PostgreSQL."""

from collections.abc import Callable
from typing import Any

from ledger.vault.older import OLDER, OlderRow
from ledger.vault.postgres import PostgresPersonRows
from ledger.vault.postgres_tables import SCHEMA, TURN, create_tables
from ledger.vault.rows import NewPerson
from ledger.vault.sqlite import of_known_format


class PostgresOlderTables:
    """The tables of format 1 in a PostgreSQL database; brought over by the owner of the database."""

    def __init__(self, rows: PostgresPersonRows) -> None:
        self._rows = rows

    def _is_there(self, table: str) -> bool:
        return bool(self._rows.read("SELECT to_regclass(%s) IS NOT NULL", f"{SCHEMA}.{table}")[0][0])

    def key_check(self) -> bytes | None:
        rows = self._rows.read(f"SELECT mac FROM {SCHEMA}.key_check") if self._is_there("key_check") else []
        return rows[0][0] if rows else None

    def keyring(self) -> bytes | None:
        rows: list[tuple[Any, ...]] = []
        if self._is_there("vault"):
            rows = self._rows.read(f"SELECT format, keyring FROM {TURN}")
        return of_known_format(*rows[0]) if rows else None

    def page(self, after: int, limit: int) -> list[OlderRow]:
        table = OLDER if self._is_there(OLDER) else "person" if self._is_there("key_check") else None
        if table is None:
            return []
        statement = f"SELECT * FROM {SCHEMA}.{table} WHERE number>%s ORDER BY number LIMIT %s"
        return list(map(OlderRow._make, self._rows.read(statement, after, limit)))

    def put_aside(self, keyring: Callable[[], bytes]) -> None:
        def work() -> None:
            if not self._is_there("key_check"):
                return
            [(highest,)] = self._rows.read(f"SELECT COALESCE(MAX(number), 0) FROM {SCHEMA}.given")
            held = self._rows.held
            held.execute(f"DROP TABLE {SCHEMA}.given, {SCHEMA}.key_check")
            held.execute(f"DROP INDEX {SCHEMA}.one_recipient_an_account, {SCHEMA}.shared_accounts")
            held.execute(f"ALTER TABLE {SCHEMA}.person RENAME TO {OLDER}")
            held.execute(f"ALTER INDEX {SCHEMA}.person_pkey RENAME TO {OLDER}_pkey")
            create_tables(held)
            statement = f"INSERT INTO {TURN} VALUES (true, 2, %s, %s)"
            held.execute(statement, (highest, keyring()))

        self._rows.while_made(work)

    def move(self, convert: Callable[[OlderRow], NewPerson], limit: int) -> int:
        def work() -> int:
            page = self.page(0, limit) if self._is_there(OLDER) else []
            self._rows.add([convert(row) for row in page])
            if page:
                self._rows.held.execute(f"DELETE FROM {SCHEMA}.{OLDER} WHERE number<=%s", (page[-1].number,))
            return len(page)

        return self._rows.alone(work)

    def drop(self) -> None:
        def work() -> None:
            self._rows.held.execute(f"DROP TABLE IF EXISTS {SCHEMA}.{OLDER}")

        self._rows.alone(work)
