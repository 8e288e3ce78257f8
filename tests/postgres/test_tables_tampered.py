"""Tables that somebody has rebuilt, or whose rows are numbered otherwise, are found before a word of them is believed."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import cli
from ledger.application import programs
from ledger.application.folder import Place, write_settings
from ledger.application.ledger import Ledger
from ledger.application.rights import grants_at, roles_of, wider_rights
from ledger.domain.errors import IntegrityBrokenError
from ledger.store.numbering import looked_for
from ledger.store.postgres import PostgresLedgerFactory
from ledger.store.postgres_tables import FORMS, LOCK
from ledger.store.recorder import Conflict
from ledger.store.server import Database
from tests.acts import BUDI, PROGRAM, now
from tests.memory import code_and_memory
from tests.postgres.server import Home, Server

MEMORY_BYTES_MAX = 500_000_000
WRITE = ("program", "budget", PROGRAM, "90000000", "--officer", "budi")
READS = (("report", "programs"), ("check",), ("seal",), ("log", "create"), ("audit", "verify", "{folder}"))


@pytest.fixture
def own(home_of_2020: Home, server: Server, tmp_path: Path) -> Home:
    """A ledger in a database of its own, which may be spoilt; the folder works as its owner."""
    name = server.new_database(template=home_of_2020.name)
    server.execute(
        "TRUNCATE salur.stored_events",
        "UPDATE salur.log_end SET size=0",
        "INSERT INTO salur.stored_events SELECT * FROM salur.at_first",
        name=name,
    )
    folder = tmp_path / "ledger"
    shutil.copytree(home_of_2020.folder, folder)
    write_settings(Place(folder, server.address(name)))
    return Home(folder, name)


def content(server: Server, name: str) -> list[tuple[object, ...]]:
    """The events that are stored, wherever they were put."""
    tables = server.execute(
        "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid=c.relnamespace"
        " WHERE n.nspname='salur' AND c.relkind='r' AND c.relname<>'at_first' ORDER BY 1",
        name=name,
    )
    return [row for (table,) in tables for row in server.execute(f"SELECT * FROM {table}", name=name)]


SWALLOW = (
    "CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE TRIGGER swallow BEFORE INSERT ON salur.stored_events FOR EACH ROW EXECUTE FUNCTION public.swallow()",
)
EVENTS = "salur.stored_events"
REBUILT = {
    "a trigger that swallows": (SWALLOW, f"the trigger swallow of {EVENTS} is none that this program makes"),
    "a rule": (
        (f"CREATE RULE nothing AS ON INSERT TO {EVENTS} DO INSTEAD NOTHING",),
        f"the rule nothing of {EVENTS} is none that this program makes",
    ),
    "a view in the place of the table": (
        (f"ALTER TABLE {EVENTS} RENAME TO kept", f"CREATE VIEW {EVENTS} AS SELECT * FROM salur.kept"),
        f"{EVENTS} is a view",
    ),
    "a view in the place of the end of the log": (
        ("ALTER TABLE salur.log_end RENAME TO kept", "CREATE VIEW salur.log_end AS SELECT * FROM salur.kept"),
        "salur.log_end is a view",
    ),
    "row-level security": (
        (f"ALTER TABLE {EVENTS} ENABLE ROW LEVEL SECURITY",),
        f"{EVENTS} is a table, with row-level security",
    ),
    "a policy": (
        (f"CREATE POLICY hidden ON {EVENTS} USING (topic<>'BudgetSet.v1')",),
        f"the policy hidden of {EVENTS} is none that this program makes",
    ),
    "a generated column": (
        (f"ALTER TABLE {EVENTS} ADD COLUMN shown text GENERATED ALWAYS AS (topic) STORED",),
        f"the column shown of {EVENTS} is none that this program makes",
    ),
    "a default": (
        (f"ALTER TABLE {EVENTS} ALTER COLUMN topic SET DEFAULT 'x'",),
        f"the column topic of {EVENTS} is another than the one it makes",
    ),
    "another type": (
        (f"ALTER TABLE {EVENTS} ALTER COLUMN topic TYPE varchar(40)",),
        f"the column topic of {EVENTS} is another than the one it makes",
    ),
    "another order of names": (
        (f'ALTER TABLE {EVENTS} ALTER COLUMN originator_id TYPE text COLLATE pg_catalog."default"',),
        f"the column originator_id of {EVENTS} is another than the one it makes",
    ),
    "a value that may be left out": (
        (f"ALTER TABLE {EVENTS} ALTER COLUMN state DROP NOT NULL",),
        f"the column state of {EVENTS} is another than the one it makes",
    ),
    "no primary key": (
        (f"ALTER TABLE {EVENTS} DROP CONSTRAINT stored_events_pkey",),
        f"the constraint PRIMARY KEY (originator_id, originator_version) of {EVENTS} is missing",
    ),
    "a constraint": (
        (f"ALTER TABLE {EVENTS} ADD CONSTRAINT few CHECK (notification_id < 100)",),
        f"the constraint CHECK ((notification_id < 100)) of {EVENTS} is none that this program makes",
    ),
    "ids that need not be unique": (
        (
            "DROP INDEX salur.stored_events_notification_id_idx",
            f"CREATE INDEX stored_events_notification_id_idx ON {EVENTS} (notification_id)",
        ),
        f"the index stored_events_notification_id_idx of {EVENTS} is another than the one it makes",
    ),
    "an index out of use": (
        ("UPDATE pg_index SET indisvalid=false WHERE indexrelid='salur.stored_events_pkey'::regclass",),
        f"the index stored_events_pkey of {EVENTS} is none that this program makes",
    ),
    "an index that runs a function": (
        (
            "CREATE FUNCTION public.f(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1'",
            f"CREATE INDEX runs ON {EVENTS} (public.f(topic))",
        ),
        f"the index runs of {EVENTS} is none that this program makes",
    ),
    "rows of another table": (
        (f"CREATE TABLE public.more () INHERITS ({EVENTS})",),
        f"the inheritance public.more of {EVENTS} is none that this program makes",
    ),
    "a reference from another table": (
        (f"CREATE TABLE public.more (id bigint REFERENCES {EVENTS} (notification_id))",),
        f"the constraint more_id_fkey of {EVENTS} is none that this program makes",
    ),
    "a table that does not survive a crash": (
        (f"ALTER TABLE {EVENTS} SET UNLOGGED",),
        f"{EVENTS} is a table, that does not survive a crash",
    ),
    "the end is kept no more": (
        (f"DROP TRIGGER log_grows ON {EVENTS}",),
        f"the trigger log_grows of {EVENTS} is missing",
    ),
    "its trigger is out of use": (
        (f"ALTER TABLE {EVENTS} DISABLE TRIGGER log_grows",),
        f"the trigger log_grows of {EVENTS} is another than the one it makes",
    ),
    "its function is another": (
        ("CREATE OR REPLACE FUNCTION salur.log_grows() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",),
        "the function salur.log_grows is another than the one it makes",
    ),
    "its function runs with the rights of who inserts": (
        ("ALTER FUNCTION salur.log_grows() SECURITY INVOKER",),
        "the function salur.log_grows is another than the one it makes",
    ),
}


@pytest.mark.parametrize(("statements", "words"), REBUILT.values(), ids=REBUILT)
def test_rebuilt_tables_are_named_before_a_word_of_them_is_used(
    own: Home, server: Server, capsys: pytest.CaptureFixture[str], statements: tuple[str, ...], words: str
) -> None:
    server.execute(*statements, name=own.name)
    before = content(server, own.name)
    for command in (WRITE, *READS[:2]):
        assert cli.run(["--store", str(own.folder), *command]) == cli.BROKEN
        assert words in capsys.readouterr().err
    assert content(server, own.name) == before


def test_who_only_reads_is_told_as_well(own: Home, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.execute(*SWALLOW, name=own.name)
    assert cli.run(["audit", "verify", str(own.folder)]) == cli.BROKEN
    assert "the trigger swallow of salur.stored_events" in capsys.readouterr().err


def test_tables_beside_ours_disturb_nobody(own: Home, server: Server) -> None:
    server.execute("CREATE TABLE salur.notes (a int)", "CREATE VIEW salur.seen AS SELECT 1 AS a", name=own.name)
    with closing(Ledger(own.folder, now=now)) as ledger:
        programs.set_budget(ledger, BUDI, program=PROGRAM, budget=90_000_000)


def test_what_lies_in_public_is_not_met(own: Home, server: Server) -> None:
    """A function or operator that fits better than PostgreSQL's own would otherwise be taken in its place."""
    server.execute(
        "CREATE FUNCTION public.count(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'",
        "CREATE FUNCTION public.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false'",
        "CREATE OPERATOR public.= (leftarg=text, rightarg=text, function=public.never)",
        f"ALTER DATABASE {own.name} SET search_path=public, pg_catalog",
        name=own.name,
    )
    with closing(Ledger(own.folder, now=now)) as ledger:
        assert ledger.store.streams("officer/") == ["officer/budi", "officer/siti"]
        assert ledger.store.select_first(["officer/siti"]).keys() == {"officer/siti"}
        programs.set_budget(ledger, BUDI, program=PROGRAM, budget=90_000_000)


# How the rows are numbered


def past_the_trigger(*statements: str) -> tuple[str, ...]:
    """What somebody does who may do anything."""
    return ("SET session_replication_role=replica", *statements, "SET session_replication_role=origin")


def row(number: int) -> str:
    return f"INSERT INTO {EVENTS} VALUES ('officer/mallory-{number}', 1, 'OfficerEnrolled.v2', '{{}}', {number})"


def all_looked_for(size: int) -> list[str]:
    top = 1 << 40
    rows = [row(number) for number in (*looked_for(top), top) if number > size]
    return [*rows, f"UPDATE salur.log_end SET size={top}"]


NUMBERED: dict[str, tuple[Callable[[int], list[str]], str]] = {
    "2^62": (lambda _: [row(1 << 62)], "an event numbered 4,611,686,018,427,387,904"),
    "2^62, and the end set to it": (
        lambda _: [row(1 << 62), f"UPDATE salur.log_end SET size={1 << 62}"],
        "an event numbered 4,611,686,018,427,387,904",
    ),
    "the highest number there is": (lambda _: [row((1 << 63) - 1)], "an event numbered 9,223,372,036,854,775,807"),
    "below zero": (lambda _: [row(-7)], "an event numbered -7"),
    "zero": (lambda _: [row(0)], "an event numbered 0"),
    "one more than was stored": (lambda size: [row(size + 1)], "events were removed or put in past this program"),
    "one less than was stored": (
        lambda size: [f"DELETE FROM {EVENTS} WHERE notification_id={size}"],
        "events were removed or put in past this program",
    ),
    "a row at every number that is looked for": (all_looked_for, "have no room for so many"),
    "no row for the turn": (lambda _: ["DELETE FROM salur.log_end"], "salur.log_end|0 events were stored"),
}


@pytest.mark.parametrize(("statements", "words"), NUMBERED.values(), ids=NUMBERED)
def test_a_row_numbered_otherwise_is_named_and_nothing_is_written_behind_it(
    own: Home,
    server: Server,
    capsys: pytest.CaptureFixture[str],
    statements: Callable[[int], list[str]],
    words: str,
) -> None:
    [(size,)] = server.execute(f"SELECT max(notification_id) FROM {EVENTS}", name=own.name)
    assert isinstance(size, int)
    server.execute(*past_the_trigger(*statements(size)), name=own.name)
    before = content(server, own.name)
    for command in (WRITE, *READS):
        given = [each.format(folder=own.folder) for each in command]
        assert cli.run(["--store", str(own.folder), *given]) == cli.BROKEN, command
        assert re.search(words, capsys.readouterr().err), command
    with closing(PostgresLedgerFactory(server.address(own.name))) as factory, pytest.raises(IntegrityBrokenError):
        factory.application_recorder().append([("officer/x", 1, "OfficerEnrolled.v2", b"{}")])
    assert content(server, own.name) == before


def test_it_takes_little_memory_to_find_a_row_numbered_2_62(own: Home, server: Server) -> None:
    end = f"UPDATE salur.log_end SET size={1 << 62}"
    server.execute(*past_the_trigger(row(1 << 62), end), name=own.name)
    for command in (WRITE, *READS):
        given = [each.format(folder=own.folder) for each in command]
        code, memory_bytes = code_and_memory(own.folder, given)
        assert (code, memory_bytes < MEMORY_BYTES_MAX) == (cli.BROKEN, True), command


# The database of an earlier version

EARLIER = (
    f"DROP TRIGGER log_grows ON {EVENTS}",
    "DROP FUNCTION salur.log_grows()",
    "DROP TABLE salur.log_end, salur.lists",
)


@pytest.fixture
def earlier(own: Home, server: Server) -> Iterator[Home]:
    """The same as version 0.1.0 made it; the folder works as an officer."""
    server.execute(*EARLIER, name=own.name)
    roles = "earlier_officer"
    server.execute(
        f"DROP ROLE IF EXISTS {roles}",
        f"CREATE ROLE {roles} LOGIN",
        f"GRANT CONNECT ON DATABASE {own.name} TO {roles}",
        f"GRANT USAGE ON SCHEMA salur TO {roles}",
        f"GRANT SELECT, INSERT ON {EVENTS} TO {roles}",
        name=own.name,
    )
    write_settings(Place(own.folder, server.address(own.name, roles)))
    yield own
    server.execute(f"DROP OWNED BY {roles}", f"DROP ROLE {roles}", name=own.name)


def up_to_date(server: Server, name: str) -> None:
    with closing(PostgresLedgerFactory(server.address(name))) as factory:
        factory.application_recorder().create_table()


def size_kept(server: Server, name: str) -> object:
    [(size,)] = server.execute("SELECT size FROM salur.log_end", name=name)
    return size


def test_an_officer_goes_on_in_the_database_of_an_earlier_version(earlier: Home, server: Server) -> None:
    with closing(Ledger(earlier.folder, now=now)) as ledger:
        size = ledger.store.size()
        programs.set_budget(ledger, BUDI, program=PROGRAM, budget=90_000_000)
        assert ledger.store.size() == size + 1
    with closing(Database(server.address(earlier.name))) as database:
        assert any("let its owner run `salur vault upgrade`" in each for each in wider_rights(database))


def test_an_owner_brings_an_earlier_database_up_to_date_while_an_officer_works(earlier: Home, server: Server) -> None:
    with closing(Ledger(earlier.folder, now=now)) as ledger:
        size = ledger.store.size()
        programs.set_budget(ledger, BUDI, program=PROGRAM, budget=90_000_000)
        up_to_date(server, earlier.name)
        assert size_kept(server, earlier.name) == size + 1
        server.execute(
            "GRANT SELECT, UPDATE (turn) ON salur.log_end TO earlier_officer",
            "GRANT SELECT, INSERT ON salur.lists TO earlier_officer",
            name=earlier.name,
        )
        programs.set_budget(ledger, BUDI, program=PROGRAM, budget=80_000_000)
        up_to_date(server, earlier.name)  # again: nothing to do
        programs.set_budget(ledger, BUDI, program=PROGRAM, budget=70_000_000)
        assert size_kept(server, earlier.name) == ledger.store.size() == size + 3
    with closing(Database(server.address(earlier.name), FORMS[0])) as database:
        assert database.read("SELECT 1") == [(1,)], "it has the newest form"


def test_a_program_of_an_earlier_version_goes_on_in_a_database_brought_up_to_date(own: Home, server: Server) -> None:
    """It numbers its events from the highest on behind its advisory lock: in conflict with a later one, it tries again."""
    with closing(Ledger(own.folder, now=now)) as ledger, closing(Database(server.address(own.name))) as old:
        number = ledger.store.size() + 1
        old.write(LOCK, lambda connection, _: connection.execute(row(number)))
        assert size_kept(server, own.name) == ledger.store.size() == number
        with pytest.raises(Exception, match="events go on from"):
            old.write(LOCK, lambda connection, _: connection.execute(row(number + 2)))
        with pytest.raises(Conflict):
            ledger.store.append([(f"officer/mallory-{number}", 1, "OfficerEnrolled.v2", b"{}")])


def test_a_database_with_a_row_numbered_otherwise_is_not_brought_up_to_date(earlier: Home, server: Server) -> None:
    server.execute(row(1 << 62), name=earlier.name)
    with pytest.raises(IntegrityBrokenError, match="the last of them is numbered 4,611,686,018,427,387,904"):
        up_to_date(server, earlier.name)
    assert server.execute("SELECT to_regclass('salur.log_end')", name=earlier.name) == [(None,)]


def test_rights_on_the_vault_are_those_that_are_needed(own: Home, server: Server) -> None:
    tables = {
        "person": {"SELECT", "INSERT", "DELETE", "MAINTAIN"},
        "identity": {"SELECT", "INSERT", "DELETE", "MAINTAIN"},
        "account": {"SELECT", "INSERT", "DELETE", "MAINTAIN"},
        "mark": {"SELECT", "INSERT", "MAINTAIN"},
        "refused": {"SELECT", "INSERT", "MAINTAIN"},
        "vault": {"SELECT"},
    }
    done = server.run_script(grants_at(server.address(own.name)), own.name)
    assert (done.returncode, done.stderr) == (0, "")
    given = server.execute(
        f"SELECT table_name::text, privilege_type::text FROM information_schema.role_table_grants"
        f" WHERE grantee='{roles_of(own.name).vault}' AND table_schema='salur_vault'",
        name=own.name,
    )
    for name, kinds in tables.items():  # the standard's view does not know MAINTAIN
        assert {kind for table, kind in given if table == name} == kinds - {"MAINTAIN"}, name
    maintained = server.execute(
        f"SELECT relname::text FROM pg_class WHERE relnamespace='salur_vault'::regnamespace AND relkind='r'"
        f" AND has_table_privilege('{roles_of(own.name).vault}', oid, 'MAINTAIN') ORDER BY 1",
        name=own.name,
    )
    assert maintained == [("account",), ("identity",), ("mark",), ("person",), ("refused",)]
    columns = server.execute(
        f"SELECT table_name::text, column_name::text FROM information_schema.role_column_grants WHERE"
        f" grantee='{roles_of(own.name).vault}' AND table_schema='salur_vault' AND privilege_type='UPDATE'",
        name=own.name,
    )
    assert columns == [("vault", "turn")]
    with closing(Database(server.address(own.name))) as database:
        assert [each for each in wider_rights(database) if "you work as" not in each] == []
