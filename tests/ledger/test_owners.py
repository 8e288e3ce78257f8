"""The files of a ledger are their owner's, or one group's too; keys are their owner's alone, from their first byte on."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import closing
from grp import getgrall, getgrgid
from pathlib import Path
from typing import Any

import pytest

import cli
from ledger.application.creation import create
from ledger.application.folder import SETTINGS
from ledger.application.ledger import Ledger
from ledger.application.moving import Move
from ledger.store import owners
from ledger.store.errors import OwnersGroupError
from tests.acts import by, nik, now, register
from tests.conftest import OPENED

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def open_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing but the program itself takes rights from new files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SALUR_KEYS", "keys")
    monkeypatch.setenv("SALUR_OFFICER", "siti")
    before = os.umask(0)
    yield
    os.umask(before)


def a_group() -> str:
    """A group that this user may give files to, another one than their first if they may choose."""
    gids = {*os.getgroups()} if os.geteuid() else {each.gr_gid for each in getgrall()}
    return getgrgid(max(gids - {os.getegid()}, default=os.getegid())).gr_name


def salur(*words: str) -> None:
    assert cli.run(["--store", "office", *words]) in (cli.DONE, cli.SOME_REJECTED), words


def work() -> None:
    """Commands that make every kind of file."""
    salur("officer", "enroll", "siti", "--role", "maker", "--role", "checker", "--no-passphrase")
    salur("officer", "enroll", "budi", "--role", "checker", "--without-key")
    salur(
        *[
            "program",
            "open",
            "aid",
            "--name",
            "Aid",
            "--kind",
            "cash",
            "--tranche",
            "1000",
            "--fiscal-year",
            "2020",
            "--category",
            "worker",
        ]
    )
    Path("people.csv").write_text(f"nik,name\n{nik(1)},Warga Satu\nbad,Warga Dua\n")
    salur("recipient", "import", "people.csv", "--category", "worker")
    salur("seal")
    salur("log", "seal", "--rebuild")
    salur("copy", "office", "copied")
    salur("audit", "export", "handed-over")


def modes(folder: Path) -> dict[str, int]:
    return {str(path): stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}


def is_key(path: str) -> bool:
    return path.endswith(("vault.key", "log/key", ".pem"))


def test_whatever_is_made_of_a_ledger_is_its_owners_alone() -> None:
    salur("init")
    with closing(Ledger(Path("office"))):  # with SQLite's own files of a database in use
        work()
        found = {**modes(Path("office")), **modes(Path("copied")), **modes(Path("keys")), **modes(Path("handed-over"))}
    assert {path: oct(mode) for path, mode in found.items() if mode & 0o077} == {}
    assert {"office/events.db-wal", "office/archive", "office/log/level-0", "office/log/lock"} <= found.keys()
    assert oct(Path("people.rejects.csv").stat().st_mode & 0o777) == "0o600"


def test_a_group_that_is_named_reads_and_writes_all_but_the_keys() -> None:
    salur("init", "--group", a_group())
    with closing(Ledger(Path("office"))):
        work()
        found = modes(Path("office"))
        groups = {Path(path).group() for path in found if not is_key(path)}
    assert found["office"] == 0o2770
    for path, mode in found.items():
        wanted = 0o600 if is_key(path) else 0o2770 if Path(path).is_dir() else 0o660
        assert (path, oct(mode)) == (path, oct(wanted))
    assert groups == {a_group()}


def test_functions_close_a_folder_without_a_command_line_around_them(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir(mode=0o777)
    create(tmp_path / "made", by(None), opened=OPENED, now=now, with_log=True).close()
    Move(tmp_path / "made", tmp_path / "copied").carry_out()
    for folder in ("made", "copied"):
        found = modes(tmp_path / folder)
        assert {path: oct(mode) for path, mode in found.items() if mode & 0o077} == {}
    assert os.umask(0) == 0


def test_no_key_is_anybody_elses_at_any_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str]] = []
    opened = os.open

    def noted(path: Any, *more: Any, **others: Any) -> int:
        handle = opened(path, *more, **others)
        if (name := Path(os.fsdecode(path)).name.strip(".")).startswith(("vault.key", "key", "budi.pem")):
            seen.append((name.partition(".new")[0].partition(".pem")[0], oct(os.fstat(handle).st_mode & 0o777)))
        return handle

    monkeypatch.setattr(os, "open", noted)
    salur("init", "--group", a_group())
    salur("officer", "enroll", "budi", "--role", "maker", "--no-passphrase", "--officer", "budi")
    salur("copy", "office", "copied")
    assert {name for name, _ in seen} == {"vault.key", "key", "budi"}
    assert {mode for _, mode in seen} == {"0o600"}


def test_a_group_that_is_not_there_or_not_ones_own_is_refused_and_nothing_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    assert cli.run(["--store", "office", "init", "--group", "no-such-group"]) == cli.REFUSED
    assert "[owners_group]" in capsys.readouterr().err
    group = a_group()
    monkeypatch.setattr(os, "geteuid", lambda: 1)
    monkeypatch.setattr(os, "getgroups", list)
    monkeypatch.setattr(os, "getegid", lambda: -1)
    with pytest.raises(OwnersGroupError, match="you are not in it"):
        create(Path("office"), by(None), opened=OPENED, now=now, group=group)
    assert not Path("office").exists()


def test_a_ledger_that_is_open_to_others_is_told_of_with_the_command_that_closes_it(capsys: Captured) -> None:
    salur("init")
    salur("check")
    assert "open to others" not in capsys.readouterr().err
    Path("office").chmod(0o755)
    Path("office/vault.key").chmod(0o640)
    salur("check")
    told = capsys.readouterr().err
    assert "Notice rights: office is open to others than its owner: close it with `chmod -R go= office`" in told
    assert "Notice rights: office/vault.key is open to others than its owner: close it with `chmod 600" in told
    assert cli.run(["--store", "office", "audit", "verify", "office"]) == cli.DONE


def test_where_files_have_no_modes_nothing_is_asked_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "_IS_WINDOWS", True)
    create(Path("office"), by(None), opened=OPENED, now=now, group="Users").close()
    assert owners.open_to_others(Path("office"), [], "Users") == []


def test_the_vaults_key_may_lie_elsewhere(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    register(ledger, 1)
    ledger.close()
    shutil.move(ledger.folder / "vault.key", "mine")
    disclose = [
        "--store",
        str(ledger.folder),
        "recipient",
        "disclose",
        "R000000001",
        "--reason",
        "letter",
        "--officer",
        "siti",
    ]
    assert cli.run(disclose) == cli.REFUSED
    assert "[vault_key]" in capsys.readouterr().err
    monkeypatch.setenv("SALUR_VAULT_KEY", "mine")
    assert cli.run(disclose) == cli.DONE
    assert cli.run(["--store", "x", "copy", str(ledger.folder), "copied"]) == cli.DONE
    assert Path("copied/vault.key").read_bytes() == Path("mine").read_bytes()
    assert SETTINGS in {path.name for path in Path("copied").iterdir()}
