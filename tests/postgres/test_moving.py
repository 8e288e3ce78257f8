"""A ledger moves between SQLite and PostgreSQL event for event; a second machine joins it."""

import json
import shutil
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cli import run as salur
from ledger.application import moving, officers, programs
from ledger.application.aftercare import Step
from ledger.application.creation import create
from ledger.application.ledger import Ledger
from ledger.application.moving import Move, join
from ledger.domain.event import Role
from ledger.domain.opening import LedgerOpened
from ledger.store.errors import (
    CopyDiffersError,
    DatabaseEmptyError,
    DatabaseTakenError,
    FolderNotEmptyError,
    LedgerExistsError,
    LedgerMissingError,
    RightsMissingError,
    StoreTimeoutError,
)
from ledger.store.server import Database
from ledger.vault.errors import VaultKeyError
from ledger.vault.rows import PersonRow
from projections.audit.check import check
from projections.reports.engine import Reports
from tests.acts import PROGRAM, SITI, by, fund, members, now, pay, propose, register, step
from tests.postgres.server import OFFICER, Home, Server

OPENED = LedgerOpened(name="New", currency="IDR", decimals=0)


@pytest.fixture
def lived_in(folder_of_2020: Path, tmp_path: Path) -> Path:
    """A ledger on SQLite with something of every kind in it, and a number that was given and is gone."""
    folder = tmp_path / "lived-in"
    shutil.copytree(folder_of_2020, folder)
    with closing(Ledger(folder, now=now)) as ledger:
        ids = register(ledger, 30)
        pay(ledger, ids[:20])
        step(ledger, Step.RETURN, f"{PROGRAM}/1/{ids[0]}")
        fund(ledger, *members("g1", *ids[:3]))
        propose(ledger, ids[20:], tranche=1)
        ledger.vault.rows.follow([ledger.vault.with_hashes(each) for each in ledger.vault.rows.page(28, 1)], 28, 30)
    return folder


def state(folder: Path) -> tuple[bytes, list[PersonRow], int, dict[str, bytes], bytes]:
    """Everything that a copy has to have."""
    with closing(Ledger(folder, now=now)) as ledger:
        lists = {path.name: path.read_bytes() for path in ledger.batches_folder.iterdir()}
        people = list(ledger.vault.rows.page(0, 1_000))
        key = (folder / "vault.key").read_bytes()
        return b"".join(ledger.store.lines()), people, ledger.vault.rows.highest() + 1, lists, key


def test_a_ledger_moves_to_postgresql_and_back_byte_for_byte(lived_in: Path, server: Server, tmp_path: Path) -> None:
    there = Move(lived_in, tmp_path / "there", database=server.address(server.new_database())).carry_out()
    back = Move(tmp_path / "there", tmp_path / "back").carry_out()
    assert state(tmp_path / "there") == state(tmp_path / "back") == state(lived_in)
    assert there == back
    assert (there.people, there.events) == (29, state(lived_in)[0].count(b"\n"))
    with closing(Ledger(tmp_path / "there", now=now)) as ledger, closing(Ledger(lived_in, now=now)) as original:
        assert all(law.holds for law in check(ledger.store))
        assert register(ledger, 1, first=99) == register(original, 1, first=99) == ["R000000031"]
    for name in ("there", "back"):
        assert stat.S_IMODE((tmp_path / name / "vault.key").stat().st_mode) == 0o600


def test_the_same_figures_come_from_both(lived_in: Path, server: Server, tmp_path: Path) -> None:
    Move(lived_in, tmp_path / "there", database=server.address(server.new_database())).carry_out()
    found: list[list[Any]] = []
    for folder in (lived_in, tmp_path / "there"):
        with closing(Ledger(folder, now=now)) as ledger, Reports(ledger.store) as reports:
            names = ("programs", "tranches", "balances", "groups", "returns", "journal")
            found.append([reports.run(name, as_of=now().date(), known_at=None).rows for name in names])
            found[-1].append([reports.run("programs", as_of=now().date(), known_at=20).rows])
    assert found[0] == found[1]


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("way", ["to", "from"])
def test_an_interrupted_copy_is_no_ledger_and_goes_on(
    lived_in: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(moving, "PAGE_ROWS", 7)
    source, target, database = lived_in, tmp_path / "target", server.address(server.new_database())
    if way == "from":
        source = tmp_path / "there"
        Move(lived_in, source, database=database).carry_out()
    options = {"database": database} if way == "to" else {}
    whole = state(source)
    done = 0
    for stop_after in range(1, 40):
        left = stop_after

        def stop(_: int) -> None:
            nonlocal left, done
            done += 1
            left -= 1
            if not left:
                raise StoppedError

        try:
            copied = Move(source, target, **options).carry_out(stop)
        except StoppedError:
            with pytest.raises(LedgerMissingError):
                Ledger(target)
        else:
            break
    assert done == -(-copied.events // 7)  # each page once
    assert state(target) == whole


def test_a_copy_carries_over_what_was_recorded_since(lived_in: Path, server: Server, tmp_path: Path) -> None:
    there = tmp_path / "there"
    Move(lived_in, there, database=server.address(server.new_database())).carry_out()
    with closing(Ledger(lived_in, now=now)) as ledger:
        register(ledger, 2, first=50)
        ledger.vault.rows.follow([], 3, 4)  # and a person is gone
    Move(lived_in, there).carry_out()
    assert state(there) == state(lived_in)


def test_a_copy_never_mixes_two_ledgers(lived_in: Path, home: Home, server: Server, tmp_path: Path) -> None:
    other = tmp_path / "other"
    create(other, by(None), opened=OPENED, now=now).close()
    before = state(other)
    with pytest.raises(LedgerExistsError):
        Move(lived_in, other).carry_out()
    with pytest.raises(DatabaseTakenError):
        Move(other, tmp_path / "new", database=server.address(home.name)).carry_out()
    with pytest.raises(LedgerExistsError):
        Move(lived_in, lived_in).carry_out()
    assert state(other) == before


def test_a_ledger_that_went_on_elsewhere_is_not_copied_over(lived_in: Path, server: Server, tmp_path: Path) -> None:
    there = tmp_path / "there"
    Move(lived_in, there, database=server.address(server.new_database())).carry_out()
    with closing(Ledger(there, now=now)) as ledger:
        programs.set_budget(ledger, SITI, program=PROGRAM, budget=90_000_000)
    with closing(Ledger(lived_in, now=now)) as ledger:
        programs.set_budget(ledger, SITI, program=PROGRAM, budget=80_000_000)
    with pytest.raises(CopyDiffersError):
        Move(lived_in, there).carry_out()


# Making and joining


def test_a_ledger_made_in_a_database_is_joined_and_used_from_another_folder(server: Server, tmp_path: Path) -> None:
    database = server.address(server.new_database())
    one, two = tmp_path / "one", tmp_path / "two"
    create(one, by(None), opened=OPENED, now=now, database=database).close()
    joined = join(two, database=database)
    officers.enroll(joined, SITI, officer_id="siti", roles=(Role.MAKER,))
    joined.close()
    with closing(Ledger(one, now=now)) as ledger:
        assert ledger.store.streams("officer/") == ["officer/siti"]
    join(two, database=database).close()  # again: nothing to do
    assert sorted(path.name for path in two.iterdir()) == ["batches", "ledger.json"]
    with closing(Ledger(two, now=now)) as ledger:
        with pytest.raises(VaultKeyError):
            ledger.vault.count()
        shutil.copy(one / "vault.key", two)
        assert ledger.vault.count() == 0


def test_a_making_that_was_interrupted_is_finished_by_the_same_call(server: Server, tmp_path: Path) -> None:
    database, folder = server.address(server.new_database()), tmp_path / "ledger"
    create(folder, by(None), opened=OPENED, now=now, database=database).close()
    (folder / "ledger.json").unlink()
    create(folder, by(None), opened=OPENED, now=now, database=database).close()
    with closing(Ledger(folder, now=now)) as ledger:
        assert ledger.store.size() == 1


def test_a_second_ledger_does_not_go_into_the_same_database(home: Home, server: Server, tmp_path: Path) -> None:
    """Code `database_taken`."""
    with pytest.raises(DatabaseTakenError) as refused:
        create(tmp_path / "new", by(None), opened=OPENED, now=now, database=server.address(home.name))
    assert vars(refused.value) == {"folder": str(tmp_path / "new")}
    assert not (tmp_path / "new").exists()


def test_a_database_without_a_ledger_is_not_joined(server: Server, tmp_path: Path) -> None:
    """Code `database_empty`."""
    with pytest.raises(DatabaseEmptyError) as refused:
        join(tmp_path / "new", database=server.address(server.new_database()))
    assert vars(refused.value) == {"folder": str(tmp_path / "new")}
    assert not (tmp_path / "new").exists()


def test_a_folder_in_use_is_not_joined(ledger: Ledger, home: Home, server: Server, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(FolderNotEmptyError):
        join(tmp_path, database=server.address(home.name))
    with pytest.raises(LedgerExistsError):
        join(home.folder, database=server.address(server.new_database()))


def test_rights_and_time_that_are_missing_are_told(home: Home, server: Server) -> None:
    """Codes `rights_missing` and `store_timeout`."""
    with closing(Database(server.address(home.name, OFFICER) + "&options=-c%20statement_timeout%3D50")) as database:
        with pytest.raises(RightsMissingError) as refused:
            database.read("SELECT * FROM salur.at_first")
        assert vars(refused.value) == {"reason": "permission denied for table at_first"}
        with pytest.raises(StoreTimeoutError) as slow:
            database.read("SELECT pg_sleep(5)")
        assert vars(slow.value) == {"reason": "canceling statement due to statement timeout"}


def test_a_ledger_on_sqlite_does_not_wait_for_the_driver_of_postgresql(folder_of_2020: Path) -> None:
    program = (
        "import sys, cli; cli.run(['--store', sys.argv[1], 'officer', 'list']); sys.exit('psycopg' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(folder_of_2020)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://siti:secret@host/salur",
        "postgresql://host/salur?password=secret",
        "host=host dbname=salur password=secret",
        "postgresql://host/salur?sslpassword=secret",
    ],
)
@pytest.mark.parametrize("command", [["join"], ["init", "--database"], ["copy", "a", "b", "--database"]])
def test_a_password_in_an_address_is_refused_and_not_repeated(
    address: str, command: list[str], tmp_path: Path, folder_of_2020: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    shutil.copytree(folder_of_2020, tmp_path / "a")
    assert salur(["--store", "new", *command, address]) == 1
    told = capsys.readouterr()
    assert "Refused [password_in_argument]" in told.err
    assert "secret" not in told.err + told.out
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_commands_make_grant_join_copy_and_check(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SALUR_OFFICER", "siti")
    name = server.new_database()
    address = server.address(name)

    def done(*arguments: str) -> str:
        assert salur(list(arguments)) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    grants = done("--store", "one", "init", "--database", address)
    assert f"GRANT SELECT, INSERT ON salur.stored_events, salur.lists TO {name}_officer;" in grants
    assert server.run_script(grants, name).returncode == 0
    server.grant(name)  # once more, and to the logins
    assert "of 1 event." in done("--store", "two", "join", server.address(name, OFFICER))
    done("--store", "two", "officer", "enroll", "siti", "--role", "maker", "--without-key")
    done("--store", "two", "check")
    assert salur(["--store", "one", "check"]) == 0
    assert "Notice rights: you work as postgres, a superuser" in capsys.readouterr().err
    assert "3 events, 0 people" in done("copy", "one", "three")
    there = server.new_database()
    printed = done("copy", "three", "four", "--database", server.address(there))
    assert server.run_script(printed, there).returncode == 0, "what is printed is for psql alone"
    assert f"GRANT CONNECT ON DATABASE {there} TO {there}_officer" in printed
    said = {"salur": "ledger", "format": 1, "ledger": Ledger(tmp_path / "three").fingerprint}
    assert json.loads((tmp_path / "three" / "ledger.json").read_text()) == said
    assert json.loads((tmp_path / "two" / "ledger.json").read_text())["database"] == server.address(name, OFFICER)
