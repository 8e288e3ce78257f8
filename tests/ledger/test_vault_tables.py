"""A vault's SQLite file that consists of anything else than its tables is not believed; on PostgreSQL: test_vault_schema."""

import sqlite3
from contextlib import closing

import pytest

from ledger.application.ledger import Ledger
from ledger.domain.errors import IntegrityBrokenError
from tests.acts import register


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "CREATE TRIGGER swallow AFTER INSERT ON person BEGIN DELETE FROM person; END",
            "the trigger swallow of person",
        ),
        ("CREATE VIEW people AS SELECT * FROM person", "the view people"),
        ("ALTER TABLE person ADD COLUMN more TEXT", "the table person is another"),
        ("DROP INDEX refused_by_mac", "the index refused_by_mac is missing"),
    ],
)
def test_a_vault_of_other_tables_is_not_believed(ledger: Ledger, statement: str, named: str) -> None:
    register(ledger, 1)
    with closing(sqlite3.connect(ledger.folder / "vault.db")) as database:
        database.execute(statement)
    with pytest.raises(IntegrityBrokenError, match=named), closing(Ledger(ledger.folder, now=ledger.now)) as other:
        register(other, 1, first=9)
