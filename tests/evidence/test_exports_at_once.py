"""Exports into one folder at once: of one ledger they take turns, and that of another ledger is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import cli
from ledger.store.durable import alone
from tests.acts import older_ledger

SALUR = str(Path(sys.executable).with_name("salur"))


def start(room: Path, store: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [SALUR, "--store", store, "audit", "export", "out"],
        cwd=room, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    _, told = process.communicate(timeout=180)
    return process.returncode, told


def test_exports_of_one_ledger_into_one_folder_take_turns(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(office)
    for _ in range(2):  # of nothing, and of one that is there
        found = [ended(each) for each in [start(office, "ledger") for _ in range(3)]]
        assert [code for code, _ in found] == [cli.DONE] * 3, found
        assert cli.run(["audit", "verify", "out", "--key", "key", "--checkpoint", "kept"]) == cli.DONE
    assert not (office / "out" / "lock").exists()


def test_an_export_of_another_ledger_into_the_folder_is_refused_and_disturbs_nothing(
    office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(office)
    older_ledger(office / "other")
    found = [ended(each) for each in (start(office, "ledger"), start(office, "other"))]
    assert sorted(code for code, _ in found) == [cli.DONE, cli.REFUSED], found
    [told] = [told for code, told in found if code == cli.REFUSED]
    assert "[folder_not_empty]" in told
    assert cli.run(["audit", "verify", "out"]) == cli.DONE


def test_an_export_waits_for_who_holds_the_folder(office: Path) -> None:
    (office / "out").mkdir()
    with alone(office / "out" / "lock", is_removed=True):
        waiting = start(office, "ledger")
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.communicate(timeout=6)
        assert os.listdir(office / "out") == ["lock"]  # noqa: PTH208  # names alone
    assert ended(waiting)[0] == cli.DONE
    assert not (office / "out" / "lock").exists()


def test_a_file_named_as_the_lock_is_no_part_of_an_export(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(office)
    (office / "export" / "lock").write_text("anything")
    assert cli.run(["audit", "verify", "export"]) == cli.BROKEN
