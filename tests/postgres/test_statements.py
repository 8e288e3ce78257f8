"""What each login can do to a ledger's database with any client it likes: statements that matter, tried as everybody.

The owner made the ledger and is no superuser. The maker sees personal data, the checker does not, the auditor reads.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import quote

import psycopg
import pytest
from psycopg import errors

from ledger.application import programs
from ledger.application.folder import Place, write_settings
from ledger.application.ledger import Ledger
from ledger.application.moving import Move
from ledger.application.rights import NAME_BYTES_MAX, grants_at, roles_of, wider_rights
from ledger.store.errors import StoreLockedError, StoreUnreachableError
from ledger.store.server import Database
from tests.acts import BUDI, PROGRAM, now, register
from tests.postgres.server import Server

OWNER, MAKER, CHECKER, AUDITOR = "kantor", "sari", "wayan", "putu"
LOGINS = {"O": OWNER, "M": MAKER, "C": CHECKER, "A": AUDITOR}
ADVISORY = (0x5A1D_0001, 0x5A1D_0002, 0x5A1D_0003)
"""The locks that writers of earlier versions wait for."""


@dataclass(frozen=True)
class Team:
    """A ledger in a database whose owner is no superuser."""

    server: Server
    folder: Path
    name: str

    def address(self, login: str) -> str:
        return self.server.address(self.name, login)

    @contextmanager
    def ledger(self, login: str) -> Iterator[Ledger]:
        write_settings(Place(self.folder, self.address(login)))
        with closing(Ledger(self.folder, now=now)) as opened:
            yield opened


def owned(server: Server, owner: str) -> str:
    """A new database of an owner."""
    name = server.new_database()
    server.execute(f"ALTER DATABASE {name} OWNER TO {owner}")
    return name


def made(server: Server, source: Path, folder: Path) -> Team:
    """A ledger that its owner made, and gave each login their role in."""
    known = {row[0] for row in server.execute("SELECT rolname FROM pg_roles")}
    for login in LOGINS.values():
        if login not in known:
            server.execute(f"CREATE ROLE {login} LOGIN {'CREATEROLE' if login == OWNER else ''}")
    name = owned(server, OWNER)
    address = server.address(name, OWNER)
    Move(source, folder, database=address).carry_out()
    assert run(server, grants_at(address), name) == (0, "")
    roles = roles_of(name)
    as_owner(
        server, name, f"GRANT {roles.officer}, {roles.vault} TO {MAKER}", f"GRANT {roles.officer} TO {CHECKER}",
        f"GRANT {roles.auditor} TO {AUDITOR}",
    )  # fmt: skip
    return Team(server, folder, name)


def run(server: Server, script: str, name: str, user: str = OWNER) -> tuple[int, str]:
    done: CompletedProcess[str] = server.run_script(script, name, user)
    return done.returncode, done.stderr


def as_owner(server: Server, name: str, *statements: str) -> None:
    with closing(psycopg.connect(server.address(name, OWNER), autocommit=True)) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture(scope="module")
def team(server: Server, folder_of_2020: Path, tmp_path_factory: pytest.TempPathFactory) -> Team:
    return made(server, folder_of_2020, tmp_path_factory.mktemp("team") / "ledger")


# A statement → who may carry it out. {next} is the number of the next event.
INSERT = (
    "INSERT INTO salur.stored_events SELECT 'test/'||id, 1, 'Test.v1', '', id FROM unnest(ARRAY[{ids}]::bigint[]) AS id"
)
MAY = {
    "SELECT count(*) FROM salur.stored_events": "OMCA",
    "SELECT count(*) FROM salur.lists": "OMCA",
    "SELECT size FROM salur.log_end": "OMCA",
    INSERT.format(ids="{next}"): "OMC",
    INSERT.format(ids="{next}, {next}+1, {next}+2"): "OMC",
    "INSERT INTO salur.lists VALUES ('x', 0, '')": "OMC",
    "UPDATE salur.stored_events SET topic=topic": "O",
    "DELETE FROM salur.stored_events": "O",
    "TRUNCATE salur.stored_events": "O",
    "DROP TABLE salur.stored_events": "O",
    "UPDATE salur.lists SET content=''": "O",
    "DELETE FROM salur.lists": "O",
    "TRUNCATE salur.lists": "O",
    "UPDATE salur.log_end SET size=0": "O",
    "UPDATE salur.log_end SET turn=true": "OMC",  # it says what it said
    "DELETE FROM salur.log_end": "O",
    "TRUNCATE salur.log_end": "O",
    "INSERT INTO salur.stored_events VALUES ('program/bsu-2020', 1, 'Test.v1', '', {next})"
    " ON CONFLICT (originator_id, originator_version) DO UPDATE SET state=excluded.state": "O",
    "ALTER TABLE salur.stored_events DISABLE TRIGGER log_grows": "O",
    "ALTER TABLE salur.stored_events ADD COLUMN x text": "O",
    "ALTER TABLE salur.stored_events ENABLE ROW LEVEL SECURITY": "O",
    "CREATE POLICY p ON salur.stored_events USING (false)": "O",
    "CREATE RULE r AS ON INSERT TO salur.stored_events DO INSTEAD NOTHING": "O",
    "CREATE TRIGGER t BEFORE INSERT ON salur.stored_events FOR EACH ROW"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()": "O",
    "DROP TRIGGER log_grows ON salur.stored_events": "O",
    "CREATE INDEX i ON salur.stored_events (topic)": "O",
    "REINDEX TABLE salur.stored_events": "O",
    "CREATE FUNCTION salur.f() RETURNS int LANGUAGE sql AS 'SELECT 1'": "O",
    "CREATE OR REPLACE FUNCTION salur.log_grows() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'": "O",
    "ALTER FUNCTION salur.log_grows() SECURITY INVOKER": "O",
    "CREATE TABLE salur.t (a int)": "O",
    "CREATE TABLE salur_vault.t (a int)": "O",
    "CREATE SCHEMA mine": "O",
    "CREATE TEMPORARY TABLE t (a int)": "O",
    "DROP SCHEMA salur CASCADE": "O",
    "SELECT turn FROM salur.log_end FOR UPDATE": "OMC",
    "SELECT turn FROM salur.log_end FOR SHARE": "OMC",
    "SELECT turn FROM salur.log_end FOR KEY SHARE": "OMC",
    "SELECT 1 FROM salur.stored_events LIMIT 1 FOR UPDATE": "O",
    "SELECT 1 FROM salur.stored_events LIMIT 1 FOR KEY SHARE": "O",
    "LOCK TABLE salur.stored_events IN ACCESS SHARE MODE": "OMCA",
    "LOCK TABLE salur.stored_events IN ROW EXCLUSIVE MODE": "OMC",
    "LOCK TABLE salur.stored_events IN SHARE MODE": "O",
    "LOCK TABLE salur.stored_events IN ACCESS EXCLUSIVE MODE": "O",
    "LOCK TABLE salur.log_end IN SHARE MODE": "O",
    "LOCK TABLE salur.log_end IN ACCESS EXCLUSIVE MODE": "O",
    "SELECT count(*) FROM salur_vault.person": "OM",
    "DELETE FROM salur_vault.vault": "O",
    "UPDATE salur_vault.vault SET keyring='x'": "O",
    "UPDATE salur_vault.vault SET highest=999999999": "O",
    "UPDATE salur_vault.identity SET number=1": "O",
    "DELETE FROM salur_vault.mark": "O",
    "UPDATE salur_vault.person SET number=number": "O",
    "TRUNCATE salur_vault.person": "O",
    "SET ROLE kantor": "O",
    "SET session_replication_role=replica": "",  # under which triggers do not run
    "COPY salur.stored_events TO PROGRAM 'true'": "",
    "COPY salur.stored_events TO '/tmp/x'": "",
}


@pytest.mark.parametrize(("statement", "who"), MAY.items(), ids=lambda given: given.replace("/", "|"))
def test_each_login_can_do_what_it_needs_and_no_more(team: Team, statement: str, who: str) -> None:
    found = {letter for letter, login in LOGINS.items() if outcome(team, login, statement) is None}
    assert found == set(who)


def outcome(team: Team, login: str, statement: str) -> type[Exception] | None:
    """The error of a statement that is undone again, None where there is none; a right that is missing is one."""
    with closing(psycopg.connect(team.address(login))) as connection:
        [(size,)] = connection.execute("SELECT max(notification_id) FROM salur.stored_events").fetchall()
        try:
            connection.execute(statement.format(next=size + 1) if "{" in statement else statement)
        except errors.InsufficientPrivilege as error:
            return type(error)
        finally:
            connection.rollback()
    return None


NUMBERED: dict[str, Callable[[int], list[int]]] = {
    "2^62": lambda _: [1 << 62],
    "the highest number there is": lambda _: [(1 << 63) - 1],
    "one left out": lambda size: [size + 2],
    "one left out between": lambda size: [size + 1, size + 3],
    "zero": lambda _: [0],
    "below zero": lambda _: [-1],
    "zero beside the next": lambda size: [size + 1, 0],
}


@pytest.mark.parametrize("numbers", NUMBERED.values(), ids=NUMBERED)
def test_nobody_numbers_an_event_otherwise_than_after_the_last(team: Team, numbers: Callable[[int], list[int]]) -> None:
    for login in (OWNER, MAKER, CHECKER):
        with closing(psycopg.connect(team.address(login))) as connection:
            [(size,)] = connection.execute("SELECT size FROM salur.log_end").fetchall()
            with pytest.raises(errors.IntegrityConstraintViolation, match=f"events go on from {size + 1}"):
                connection.execute(INSERT.format(ids=", ".join(map(str, numbers(size)))))
            connection.rollback()
            with pytest.raises(errors.IntegrityConstraintViolation, match=f"events go on from {size + 1}"):
                copy_in(connection, [(f"test/{number}", 1, "Test.v1", b"{}", number) for number in numbers(size)])


def copy_in(connection: "psycopg.Connection[tuple[object, ...]]", rows: list[tuple[object, ...]]) -> None:
    with connection.cursor().copy("COPY salur.stored_events FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def test_the_functions_of_the_tables_are_for_nobody_to_call(team: Team) -> None:
    for login in (MAKER, CHECKER, AUDITOR):
        with closing(psycopg.connect(team.address(login))) as connection:
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute("SELECT salur.log_grows()")
            connection.rollback()
    with closing(psycopg.connect(team.address(OWNER))) as connection, pytest.raises(errors.FeatureNotSupported):
        connection.execute("SELECT salur.log_grows()")


def test_a_table_of_ones_own_is_not_taken_for_the_end_of_the_log(team: Team) -> None:
    """The trigger's function runs with its owner's rights, and finds its tables whatever a session would find."""
    with closing(psycopg.connect(team.address(OWNER))) as connection:  # who alone may make a temporary table
        connection.execute("CREATE TEMPORARY TABLE log_end (turn boolean, size bigint)")
        connection.execute("CREATE TEMPORARY TABLE stored_events (notification_id bigint)")
        [(size,)] = connection.execute("SELECT size FROM salur.log_end").fetchall()
        with pytest.raises(errors.IntegrityConstraintViolation):
            connection.execute(INSERT.format(ids=size + 2))


# Who only reads stops nobody


def hold_all(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Take whatever an auditor can take, and keep it."""
    for number in ADVISORY:
        connection.execute("SELECT pg_try_advisory_lock(%s)", (number,))
    connection.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
    for table in ("stored_events", "lists", "log_end"):
        connection.execute(f"LOCK TABLE salur.{table} IN ACCESS SHARE MODE")
        connection.execute(f"SELECT * FROM salur.{table}")
    connection.execute("DECLARE kept CURSOR FOR SELECT * FROM salur.stored_events, salur.log_end")
    connection.execute("FETCH 1 FROM kept")


def test_an_auditor_who_holds_all_they_can_take_stops_nobody(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALUR_DATABASE_TIMEOUT", "1")
    with ExitStack() as held:
        for _ in range(3):
            other = held.enter_context(closing(psycopg.connect(team.address(AUDITOR), autocommit=True)))
            hold_all(other)
        with team.ledger(CHECKER) as ledger:
            size = ledger.store.size()
            for budget in range(90_000_000, 90_000_020):
                programs.set_budget(ledger, BUDI, program=PROGRAM, budget=budget)
            assert ledger.store.size() == size + 20


def test_who_may_write_can_hold_the_turn_and_the_wait_has_an_end(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALUR_DATABASE_TIMEOUT", "1")
    with closing(psycopg.connect(team.address(MAKER))) as other:
        other.execute("SELECT turn FROM salur.log_end FOR UPDATE")
        with team.ledger(CHECKER) as ledger, pytest.raises(StoreLockedError):
            programs.set_budget(ledger, BUDI, program=PROGRAM, budget=80_000_000)


# Several ledgers on one server


def test_a_login_of_one_ledger_is_not_let_into_another(
    team: Team, server: Server, folder_of_2020: Path, tmp_path: Path
) -> None:
    other = made(server, folder_of_2020, tmp_path / "other")
    server.execute("DROP ROLE IF EXISTS made_elsewhere", "CREATE ROLE made_elsewhere LOGIN")
    roles = roles_of(team.name)
    as_owner(server, team.name, f"GRANT {roles.officer}, {roles.vault}, {roles.auditor} TO made_elsewhere")
    with (
        closing(Database(server.address(other.name, "made_elsewhere"))) as database,
        pytest.raises(StoreUnreachableError, match="permission denied for database"),
    ):
        database.read("SELECT 1")
    # Let in by mistake, they read nothing all the same.
    server.execute(f"GRANT CONNECT ON DATABASE {other.name} TO PUBLIC")
    with closing(psycopg.connect(server.address(other.name, "made_elsewhere"), autocommit=True)) as connection:
        for table in ("salur.stored_events", "salur.lists", "salur.log_end", "salur_vault.person"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(f"SELECT * FROM {table}")
    with closing(Database(other.address(OWNER))) as database:
        assert any(f"every login of the server may connect to {other.name}" in each for each in wider_rights(database))


# Giving the rights


def rights(server: Server, name: str) -> list[tuple[object, ...]]:
    """Every right given on the database, its schemas, tables, columns and functions."""
    return server.execute(
        "SELECT 'd', datname::text, datacl::text FROM pg_database WHERE datname=current_database()"
        " UNION ALL SELECT 's', nspname::text, nspacl::text FROM pg_namespace"
        " UNION ALL SELECT 't', oid::regclass::text, relacl::text FROM pg_class WHERE relkind='r'"
        " UNION ALL SELECT 'c', attrelid::regclass||'.'||attname, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL"
        " UNION ALL SELECT 'f', oid::regprocedure::text, proacl::text FROM pg_proc WHERE proname='log_grows'"
        " UNION ALL SELECT 'r', rolname::text, '' FROM pg_roles ORDER BY 1, 2",
        name=name,
    )


def test_rights_given_twice_are_those_given_once(team: Team, server: Server) -> None:
    before = rights(server, team.name)
    assert run(server, grants_at(team.address(OWNER)), team.name) == (0, "")
    assert rights(server, team.name) == before


def test_rights_that_were_given_beside_are_taken_back(team: Team, server: Server) -> None:
    before = rights(server, team.name)
    roles = roles_of(team.name)
    as_owner(
        server, team.name, f"GRANT DELETE ON salur.stored_events TO {roles.auditor}",
        "GRANT SELECT ON salur.stored_events TO PUBLIC", f"GRANT CONNECT ON DATABASE {team.name} TO PUBLIC",
        "GRANT EXECUTE ON FUNCTION salur.log_grows() TO PUBLIC", f"GRANT CREATE ON SCHEMA salur TO {roles.officer}",
    )  # fmt: skip
    assert run(server, grants_at(team.address(OWNER)), team.name) == (0, "")
    assert rights(server, team.name) == before


def test_an_owner_who_may_not_make_roles_is_told_and_nothing_is_done_by_half(
    server: Server, folder_of_2020: Path, tmp_path: Path
) -> None:
    server.execute("DROP ROLE IF EXISTS kecil", "CREATE ROLE kecil LOGIN")
    name = owned(server, "kecil")
    address = server.address(name, "kecil")
    Move(folder_of_2020, tmp_path / "ledger", database=address).carry_out()
    before, script = rights(server, name), grants_at(address)
    code, told = run(server, script, name, "kecil")
    assert code != 0
    roles = roles_of(name)
    assert f"the role {roles.officer} is missing, and kecil may not make roles: nothing was changed" in told
    assert f"CREATE ROLE {roles.officer} NOLOGIN ADMIN kecil" in told
    assert rights(server, name) == before
    server.execute(*(f"CREATE ROLE {role} NOLOGIN ADMIN kecil" for role in vars(roles).values()))
    assert run(server, script, name, "kecil") == (0, "")
    with closing(psycopg.connect(address, autocommit=True)) as connection:
        connection.execute(f"GRANT {roles.auditor} TO {AUDITOR}")
    with closing(psycopg.connect(server.address(name, AUDITOR))) as connection:
        assert connection.execute("SELECT size FROM salur.log_end").fetchone() is not None


def test_the_roles_of_an_earlier_version_lose_their_rights(
    server: Server, folder_of_2020: Path, tmp_path: Path
) -> None:
    name = owned(server, OWNER)
    Move(folder_of_2020, tmp_path / "ledger", database=server.address(name, OWNER)).carry_out()
    server.execute("CREATE ROLE salur_officer NOLOGIN", "CREATE ROLE salur_auditor NOLOGIN")
    try:
        as_owner(
            server, name, "GRANT USAGE ON SCHEMA salur TO salur_officer, salur_auditor",
            "GRANT SELECT, INSERT ON salur.stored_events TO salur_officer",
        )  # fmt: skip
        assert run(server, grants_at(server.address(name, OWNER)), name) == (0, "")
        found = server.execute(
            "SELECT has_schema_privilege('salur_officer', 'salur', 'USAGE'),"
            " has_table_privilege('salur_officer', 'salur.stored_events', 'SELECT')",
            name=name,
        )
        assert found == [(False, False)]
    finally:
        server.execute("DROP OWNED BY salur_officer, salur_auditor", name=name)
        server.execute("DROP ROLE salur_officer, salur_auditor")


NAMES = ['Kemnaker "2020"; --', "kas'", "bantuan$roles$", "ä" * 31, "n" * 63, "order"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_database_is_quoted(server: Server, folder_of_2020: Path, tmp_path: Path, name: str) -> None:
    quoted = name.replace('"', '""')
    server.execute(f'CREATE DATABASE "{quoted}" TEMPLATE template0 OWNER {OWNER}')
    address = server.address(quote(name, safe=""), OWNER)
    Move(folder_of_2020, tmp_path / "ledger", database=address).carry_out()
    assert run(server, grants_at(address), quote(name, safe="")) == (0, "")
    known = {row[0] for row in server.execute("SELECT rolname FROM pg_roles")}
    assert set(vars(roles_of(name)).values()) <= known


def test_no_two_databases_have_a_role_in_common() -> None:
    names = [*NAMES, "n" * 62, "n" * 55, "n" * 56, "n" * 56 + "m", "ä" * 30, "a", "a_officer", "a_officer_officer"]
    roles = [role for name in names for role in vars(roles_of(name)).values()]
    assert len(set(roles)) == 3 * len(names)
    assert max(len(role.encode()) for role in roles) == NAME_BYTES_MAX


def test_an_officer_of_a_ledger_records_and_an_auditor_reads(team: Team) -> None:
    with team.ledger(MAKER) as ledger:
        register(ledger, 2)
        size = ledger.store.size()
    with team.ledger(AUDITOR) as ledger:
        assert ledger.store.size() == size
        assert ledger.place.wider_rights() == []
