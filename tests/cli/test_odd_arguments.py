"""Settings, numbers and names that nobody would write are refused in a sentence, whatever command meets them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import cli
from ledger.application.placing import PlacingAhead

DIGITS = "9" * 5000


@pytest.mark.parametrize(
    "settings",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b'{"format": true}',
        b'{"format": 1e400}',
        b'{"format": 1, "database": 5}',
        b'{"format": 1, "log": "log"}',
        b'{"format": 1, "log": {"folder": 7}}',
        b'{"format": 1, "log": {"folder": "log", "key": []}}',
    ],
)
def test_settings_of_another_type_are_refused_by_every_command(
    settings: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ledger.json").write_bytes(settings)
    for command in (["report", "programs"], ["history", "aid"], ["check"], ["log", "verify"]):
        assert cli.run(["--store", str(tmp_path), *command]) == cli.REFUSED, command
        assert "Refused [settings_unfit]" in capsys.readouterr().err


def test_a_newer_ledger_is_told_apart_from_a_damaged_one_whatever_else_its_settings_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ledger.json").write_text(json.dumps({"format": 2, "log": ["of", "another", "form"]}))
    assert cli.run(["--store", str(tmp_path), "report", "programs"]) == cli.REFUSED
    assert "Refused [ledger_newer]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["report", "programs", "--known-at", DIGITS], cli.USAGE),
        (["report", "programs", "--known-at", "²"], cli.USAGE),
        (["history", DIGITS], cli.REFUSED),
        (["payment", "settle", f"bsu/{DIGITS}/R000000001", "--officer", "siti"], cli.REFUSED),
        (["program", "budget", "bsu", DIGITS, "--officer", "siti"], cli.REFUSED),
    ],
)
def test_a_number_of_thousands_of_digits_is_refused(folder_of_2020: Path, words: list[str], code: int) -> None:
    assert cli.run(["--store", str(folder_of_2020), *words]) == code


def test_the_second_process_of_an_import_runs_nothing_of_the_working_folder(
    folder_of_2020: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / "__init__.py").write_text("from pathlib import Path\nPath('was_run').touch()\n")
    monkeypatch.chdir(tmp_path)
    planted = subprocess.run([sys.executable, "-c", "import ledger"], check=False)
    assert (planted.returncode, Path("was_run").exists()) == (0, True)
    Path("was_run").unlink()

    PlacingAhead(folder_of_2020).close()

    assert not Path("was_run").exists()
