"""The vault's tables on PostgreSQL are compared before they are believed, and guarded from those who may write there."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

import cli
from ledger.application import vaults
from ledger.application.folder import Place, write_settings
from ledger.application.ledger import Ledger
from ledger.application.moving import Move
from ledger.application.rights import grants_at
from ledger.domain.errors import IntegrityBrokenError
from ledger.store.server import Connection
from ledger.vault.errors import VaultOlderError
from projections.audit.check import check
from projections.audit.vault_law import check_vault
from tests.acts import entries, nik, now, numbers_of, register
from tests.ledger.test_vault_older import ERASED, PEOPLE, registered_in_format_1, require_all
from tests.postgres.server import OFFICER, Home, Server

SWALLOW = "CREATE FUNCTION salur_vault.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
_OTHERS = [
    (
        [
            SWALLOW,
            "CREATE TRIGGER a BEFORE INSERT ON salur_vault.person FOR EACH ROW EXECUTE FUNCTION salur_vault.swallow()",
        ],
        "DROP FUNCTION salur_vault.swallow CASCADE",
        "the trigger a of salur_vault.person is none that this program makes",
    ),
    (
        ["ALTER TABLE salur_vault.person DISABLE TRIGGER erased_person"],
        "ALTER TABLE salur_vault.person ENABLE TRIGGER erased_person",
        "the trigger erased_person of salur_vault.person is another than the one it makes",
    ),
    (
        ["CREATE RULE swallow AS ON INSERT TO salur_vault.identity DO INSTEAD NOTHING"],
        "DROP RULE swallow ON salur_vault.identity",
        "the rule swallow of salur_vault.identity is none that this program makes",
    ),
    (
        ["ALTER TABLE salur_vault.account ADD COLUMN more text"],
        "ALTER TABLE salur_vault.account DROP COLUMN more",
        "the column more of salur_vault.account is none that this program makes",
    ),
]


@pytest.mark.parametrize(("statements", "undone", "named"), _OTHERS)
def test_other_tables_of_the_vault_are_not_believed(
    ledger: Ledger, home: Home, server: Server, statements: list[str], undone: str, named: str
) -> None:
    size = ledger.store.size()
    server.execute(*statements, name=home.name)
    try:
        with closing(Ledger(home.folder, now=now)) as other, pytest.raises(IntegrityBrokenError, match=named):
            register(other, 1)
    finally:
        server.execute(undone, name=home.name)
    assert ledger.store.size() == size


@pytest.mark.parametrize(
    ("statements", "error"),
    [
        (["DELETE FROM salur_vault.person WHERE number=1"], "no event says that R000000001 is erased"),
        (["DELETE FROM salur_vault.identity WHERE number=1"], "no event says that R000000001 is erased"),
        (["DELETE FROM salur_vault.account WHERE number=2"], "no event says that R000000002 is erased"),
        (["UPDATE salur_vault.person SET sealed=''"], "permission denied"),
        (["UPDATE salur_vault.identity SET number=2"], "permission denied"),
        (["INSERT INTO salur_vault.person VALUES (999999999, 1, '', '')"], "people go on from 5"),
        (["INSERT INTO salur_vault.person VALUES (6, 1, '', '')"], "people go on from 5"),
        (["INSERT INTO salur_vault.person VALUES (-1, 1, '', '')"], "people go on from 5"),
        (["UPDATE salur_vault.vault SET highest=999999999"], "permission denied"),
        (["DELETE FROM salur_vault.mark"], "permission denied"),
        (["SET session_replication_role=replica"], "permission denied"),
        (["SET CONSTRAINTS ALL DEFERRED", "DELETE FROM salur_vault.person WHERE number=1"], "no event says"),
        (["SELECT salur_vault.give_numbers()"], "permission denied"),
        (["ALTER TABLE salur_vault.person DISABLE TRIGGER ALL"], "must be owner"),
    ],
)
def test_an_officer_takes_nobody_out_of_the_vault_by_hand(
    ledger: Ledger, home: Home, server: Server, statements: list[str], error: str
) -> None:
    register(ledger, 4)
    *before, last = statements
    with closing(psycopg.connect(server.address(home.name, OFFICER))) as connection:
        for statement in before:
            connection.execute(statement)
        with pytest.raises(psycopg.Error, match=error), connection:  # what is deferred is looked at when this ends
            connection.execute(last)
    assert numbers_of(ledger, [nik(number) for number in range(1, 5)]) == {
        nik(number): number for number in range(1, 5)
    }
    assert register(ledger, 1, first=5) == ["R000000005"]


def test_a_forged_erasure_that_lets_somebody_be_deleted_is_found(ledger: Ledger, home: Home, server: Server) -> None:
    register(ledger, 2)
    size = len(entries(ledger))
    with closing(psycopg.connect(server.address(home.name, OFFICER), autocommit=True)) as connection:
        connection.execute(
            "INSERT INTO salur.stored_events SELECT 'recipient/R000000001', 2, 'RecipientErased.v1', convert_to("
            '\'{"recorded_at":"2020-10-20T00:00:00Z","effective_on":"2020-10-20","by":"budi",'
            '"recipient_id":"R000000001","checker":"budi","reason":"r","legal_basis":"b"}\', \'UTF8\'), %s',
            (size + 1,),
        )
        connection.execute("DELETE FROM salur_vault.person WHERE number=1")
    laws = check(ledger.store, absent=ledger.place.absent_people)
    assert {law.name for law in laws if not law.holds} >= {"erased-by-two"}


OLDER_TABLES = """
CREATE SCHEMA salur_vault;
CREATE TABLE salur_vault.person (
    number bigint PRIMARY KEY,
    nik_mac bytea NOT NULL UNIQUE,
    account_mac bytea,
    shared_account text,
    sealed bytea NOT NULL
);
CREATE UNIQUE INDEX one_recipient_an_account ON salur_vault.person (account_mac) WHERE shared_account IS NULL;
CREATE INDEX shared_accounts ON salur_vault.person (account_mac) WHERE shared_account IS NOT NULL;
CREATE TABLE salur_vault.given (number bigint PRIMARY KEY);
CREATE TABLE salur_vault.key_check (mac bytea NOT NULL)
"""
"""What version 0.1.0 made of an empty database."""


@pytest.fixture
def older(folder_of_2020: Path, server: Server, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger in a database of its own whose vault is of format 1; its folder works as the owner."""
    folder, name = tmp_path / "ledger", server.new_database()
    Move(folder_of_2020, folder, database=server.address(name)).carry_out()
    with closing(Ledger(folder, now=now)) as ledger:
        made = registered_in_format_1(ledger)
        server.execute("DROP SCHEMA salur_vault CASCADE", *OLDER_TABLES.split(";"), name=name)
        with closing(psycopg.connect(server.address(name), autocommit=True)) as connection:
            connection.execute("INSERT INTO salur_vault.key_check VALUES (%s)", (made.derived(b"check"),))
            connection.execute("INSERT INTO salur_vault.given VALUES (%s)", (PEOPLE + 1,))
            for row in made.rows:
                if row[0] not in ERASED:
                    connection.execute("INSERT INTO salur_vault.person VALUES (%s, %s, %s, %s, %s)", row)
        yield ledger


def test_the_owner_brings_an_older_vault_over(
    older: Ledger, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(VaultOlderError):
        older.place.vault()
    with pytest.raises(VaultOlderError), closing(older.place.person_rows()) as rows:
        rows.create(lambda: b"")
    address = older.place.database or ""
    assert cli.run(["--store", str(older.folder), "vault", "upgrade"]) == cli.DONE
    told = capsys.readouterr()
    assert f"{PEOPLE - 1} rows brought over" in told.err
    assert "R000000011: has one account with R000000010" in told.err
    assert told.out == grants_at(address)
    require_all(older)
    name = address.partition("/")[2].partition("?")[0].rpartition("/")[2]
    server.grant(name)
    write_settings(Place(older.folder, server.address(name, OFFICER)))
    with closing(Ledger(older.folder, now=now)) as officers:
        assert register(officers, 1, first=900) == [f"R{PEOPLE + 2:09}"]
        law, unshown = check_vault(officers.place, officers.store, is_audit=False)
        assert (law.broken, unshown) == ([], None)


def test_an_interruption_at_any_statement_loses_nobody(older: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.vault.older.PAGE_ROWS", 20)
    plain, at = Connection.execute, 0
    stop_at = 1

    def stopping(self: Connection, *words: Any, **named: Any) -> Any:
        nonlocal at
        at += 1
        if at == stop_at:
            raise _Stop
        return plain(self, *words, **named)

    while True:
        at = 0
        with monkeypatch.context() as patch:
            patch.setattr(Connection, "execute", stopping)
            try:
                vaults.upgrade(older.place, older.store)
                break
            except _Stop:
                stop_at += 1
    assert stop_at > 30
    require_all(older)


class _Stop(BaseException):
    """A kill, at a statement."""
