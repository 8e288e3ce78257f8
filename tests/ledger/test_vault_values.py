"""Whatever a hand puts into a column of the vault's file, the law of the vault names it and ends in order."""

import sqlite3
from contextlib import closing, suppress
from typing import Any

import pytest

from ledger.application import registration
from ledger.application.ledger import Ledger
from ledger.domain.errors import IntegrityBrokenError, LedgerError
from projections.audit.vault_law import check_vault
from tests.acts import SITI, person, register, stop

VALUES: tuple[Any, ...] = ("text", "", b"", b"blob", -1, 0, 3, 2**62, -(2**63), 0.5, "\x1b[2J")
COLUMNS = (
    ("vault", "format"), ("vault", "highest"), ("vault", "keyring"),
    ("person", "number"), ("person", "version"), ("person", "agreement"), ("person", "sealed"),
    ("identity", "place"), ("identity", "rest"), ("identity", "number"),
    ("account", "place"), ("account", "rest"), ("account", "number"),
    ("account_met", "mac"), ("account_met", "number"),
)  # fmt: skip


@pytest.fixture
def people(ledger: Ledger) -> Ledger:
    rows = [person(n, account="77" if n > 2 else f"9{n}", shared_account="household") for n in range(1, 5)]
    registration.register(ledger, SITI, rows, file_sha256=None, category="worker", on_reject=stop)
    return ledger


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_any_value_in_a_column_is_named(people: Ledger, table: str, column: str) -> None:
    people.vault.rows.forget()
    people.vault.close()
    sound = (people.folder / "vault.db").read_bytes()
    changed = 0
    for value in VALUES:
        for path in people.folder.glob("vault.db*"):
            path.unlink()
        (people.folder / "vault.db").write_bytes(sound)
        with closing(sqlite3.connect(people.folder / "vault.db", isolation_level=None)) as database:
            before = database.execute(f"SELECT {column} FROM {table} LIMIT 1").fetchone()
            try:
                database.execute(f"UPDATE {table} SET {column}=? WHERE {column}=?", (value, *before))
            except sqlite3.IntegrityError:  # what SQLite itself refuses in that column
                continue
            if before not in database.execute(f"SELECT {column} FROM {table}").fetchall():
                changed += 1
                law, _ = check_vault(people.place, people.store, is_audit=False)
                assert law.broken_count, (value, law)
        # No more is asked of a command than that it ends in order, and that what it did not say is said by the law.
        with suppress(IntegrityBrokenError, LedgerError), closing(Ledger(people.folder, now=people.now)) as other:
            register(other, 1)
    assert changed >= len(VALUES) // 2
