"""Officers need INSERT and SELECT on events, and nothing more."""

from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from ledger.application import programs
from ledger.application.folder import Place, write_settings
from ledger.application.ledger import Ledger
from ledger.application.rights import roles_of
from ledger.store.errors import RightsMissingError, StoreUnreachableError
from ledger.store.server import Database
from projections.audit.check import check
from tests.acts import SITI, approve, now, pay, propose, register, run
from tests.postgres.server import AUDITOR, OFFICER, Home, Line, Server


def test_who_may_only_add_and_read_pays_and_examines(ledger: Ledger, home: Home, server: Server) -> None:
    rights = server.execute(
        f"SELECT string_agg(p, ',') FROM unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE']) AS p"
        f" WHERE has_table_privilege('{OFFICER}', 'salur.stored_events', p)",
        name=home.name,
    )
    assert rights == [("SELECT,INSERT",)]
    pay(ledger, register(ledger, 3))
    assert all(law.holds for law in check(ledger.store))
    assert ledger.place.wider_rights() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE salur.stored_events SET state=state",
        "DELETE FROM salur.stored_events",
        "TRUNCATE salur.stored_events",
        "DROP TABLE salur.stored_events",
        "ALTER TABLE salur.stored_events DISABLE TRIGGER ALL",
        "LOCK TABLE salur.stored_events IN ACCESS EXCLUSIVE MODE",
        "TRUNCATE salur_vault.person",
        "UPDATE salur_vault.person SET number=number",
        "DELETE FROM salur_vault.vault",
        "UPDATE salur_vault.vault SET keyring=keyring",
    ],
)
def test_an_officer_can_neither_change_nor_remove_what_is_stored(home: Home, server: Server, statement: str) -> None:
    with (
        closing(psycopg.connect(server.address(home.name, OFFICER))) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


def test_an_auditor_reads_everything_but_personal_data_and_records_nothing(
    ledger: Ledger, home: Home, server: Server
) -> None:
    register(ledger, 2)
    write_settings(Place(home.folder, server.address(home.name, AUDITOR)))
    with closing(Ledger(home.folder, now=now)) as audited:
        assert list(audited.store.lines()) == list(ledger.store.lines())
        assert all(law.holds for law in check(audited.store))
        with pytest.raises(RightsMissingError, match="permission denied for schema salur_vault"):
            audited.vault.count()
        with pytest.raises(RightsMissingError, match="permission denied for table log_end"):
            programs.set_budget(audited, SITI, program="bsu-2020", budget=7)
    assert ledger.store.size() == audited_size(server, home)


def audited_size(server: Server, home: Home) -> int:
    [(size,)] = server.execute("SELECT COUNT(*) FROM salur.stored_events", name=home.name)
    assert isinstance(size, int)
    return size


def test_an_officer_without_the_vaults_role_approves_and_runs(ledger: Ledger, home: Home, server: Server) -> None:
    batch_id = propose(ledger, register(ledger, 2))
    server.execute(
        "DROP ROLE IF EXISTS budi",
        "CREATE ROLE budi LOGIN",
        f"GRANT {roles_of(home.name).officer} TO budi",
        name=home.name,
    )
    write_settings(Place(home.folder, server.address(home.name, "budi")))
    with closing(Ledger(home.folder, now=now)) as other:
        approve(other, batch_id)
        assert run(other, batch_id).taken == 2


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("GRANT DELETE, UPDATE ON salur.stored_events TO siti", "siti has DELETE, UPDATE on salur.stored_events"),
        ("GRANT UPDATE (state) ON salur.stored_events TO siti", "siti has UPDATE on salur.stored_events"),
        ("GRANT TRUNCATE ON salur.stored_events TO PUBLIC", "siti has TRUNCATE on salur.stored_events"),
        ("GRANT TRUNCATE ON salur_vault.person TO {officer}", "siti has TRUNCATE on salur_vault.person"),
        ("GRANT DELETE ON salur_vault.person TO tari", "tari has DELETE on salur_vault.person"),
        ("GRANT DELETE ON salur_vault.mark TO siti", "siti has DELETE on salur_vault.mark"),
        ("GRANT INSERT ON salur.stored_events TO tari", "tari has INSERT on salur.stored_events"),
        ("GRANT UPDATE (turn) ON salur.log_end TO tari", "tari has UPDATE on salur.log_end"),
        ("GRANT UPDATE (size) ON salur.log_end TO siti", "siti has UPDATE on salur.log_end"),
        ("GRANT CREATE ON SCHEMA salur TO siti", "siti has CREATE on salur"),
        ("GRANT CONNECT ON DATABASE {database} TO PUBLIC", "every login of the server may connect to {database}"),
        ("GRANT pg_write_all_data TO tari", "tari has DELETE, INSERT, UPDATE on salur.stored_events"),
        ("GRANT postgres TO siti", "you work as siti, the owner of the tables"),
    ],
)
def test_wider_rights_are_told(ledger: Ledger, home: Home, server: Server, given: str, sentence: str) -> None:
    names = {"officer": roles_of(home.name).officer, "database": home.name}
    given, sentence = given.format(**names), sentence.format(**names)
    server.execute(given, name=home.name)
    try:
        assert [each for each in ledger.place.wider_rights() if each.startswith(sentence)]
    finally:
        taken = given.replace("GRANT", "REVOKE").replace(" TO ", " FROM ")
        server.execute(taken, name=home.name)
    assert ledger.place.wider_rights() == []


def test_a_service_file_may_hold_what_the_address_does_not(
    server: Server, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = tmp_path / "service.conf"
    service.write_text(f"[salur]\nhost={server.folder}\ndbname={home.name}\nuser={OFFICER}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    with closing(Database("service=salur")) as database:
        assert database.read("SELECT current_user::text, current_setting('statement_timeout')") == [(OFFICER, "10s")]


def test_a_password_comes_from_the_file_that_libpq_reads(
    server: Server, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.require_password("karin", "a-secret")
    server.execute(f"GRANT {roles_of(home.name).auditor} TO karin")
    passwords = tmp_path / "pgpass"
    passwords.write_text("*:*:*:karin:a-secret\n")
    passwords.chmod(0o600)
    with closing(Database(server.address(home.name, "karin"))) as database:
        with pytest.raises(StoreUnreachableError, match="no password supplied"):
            database.read("SELECT 1")
        monkeypatch.setenv("PGPASSFILE", str(passwords))
        assert database.read("SELECT current_user::text") == [("karin",)]


def test_tls_settings_of_the_address_are_kept_to(server: Server, home: Home) -> None:
    with closing(Line(server, is_cut=lambda _: False)) as line:
        address = line.address(home.name).replace("sslmode=disable", "sslmode=require")
        with closing(Database(address)) as database, pytest.raises(StoreUnreachableError, match="SSL"):
            database.read("SELECT 1")
