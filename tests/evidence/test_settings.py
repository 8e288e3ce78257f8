"""The settings of a ledger's folder name the ledger that they are of: those of another one are found before their use."""

import json
import shutil
from pathlib import Path

import pytest

import cli
from ledger.application.folder import SETTINGS
from tests.acts import older_ledger

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        older_ledger(Path(name))
    return Path("a"), Path("b")


def salur(store: Path, *words: str) -> int:
    return cli.run(["--store", str(store), *words])


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


ENROLL = ("officer", "enroll", "siti", "--role", "maker", "--officer", "siti", "--without-key")


def test_settings_of_another_ledger_are_refused_by_whatever_reads_or_writes(
    two: tuple[Path, Path], capsys: Captured
) -> None:
    one, other = two
    shutil.copy(other / SETTINGS, one / SETTINGS)
    before = files(one)
    commands = [ENROLL, ("log", "seal"), ("log", "create"), ("report", "programs"), ("check",), ("copy", "a", "c")]
    for words in commands:
        capsys.readouterr()
        assert salur(one, *words) == cli.REFUSED, words
        assert "[settings_of_another]" in capsys.readouterr().err
    assert salur(one, "audit", "verify", "a") == cli.BROKEN
    assert "BROKEN store-whole: event 0, ledger.json" in capsys.readouterr().err
    assert files(one) == before
    assert not Path("c").exists()


def test_settings_of_earlier_versions_name_no_ledger_until_they_are_written_again(two: tuple[Path, Path]) -> None:
    one, _ = two
    said = json.loads((one / SETTINGS).read_text())
    named = said.pop("ledger")
    (one / SETTINGS).write_text(json.dumps(said))
    assert salur(one, *ENROLL) == cli.DONE
    assert "ledger" not in json.loads((one / SETTINGS).read_text())
    assert salur(one, "log", "create") == cli.DONE
    assert salur(one, "copy", "a", "c") == cli.DONE
    assert [json.loads((Path(folder) / SETTINGS).read_text())["ledger"] for folder in ("a", "c")] == [named, named]
