"""Commands that take one thing in words as well as a file of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import cli


@pytest.fixture
def salur(folder_of_2020: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run a command in a ledger with three registered people; returns its exit code."""
    shutil.copytree(folder_of_2020, tmp_path / "ledger")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SALUR_STORE", "ledger")
    monkeypatch.setenv("SALUR_OFFICER", "siti")

    def run(*words: str) -> int:
        return cli.run([*words])

    for number in (1, 2, 3):
        nik = f"00000101019000{number:02}"
        assert run("recipient", "register", "--nik", nik, "--name", f"Warga {number}", "--category", "worker") == 0
    return run


FUND = ["--program", "tkm-2020", "--amount", "Rp20.000.000", "--proposal", "P-1", "--decree", "SK-1"]


def test_one_group_is_funded_with_the_members_named(
    salur: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    roster = ["--member", "R000000001", "--member", "R000000002", "--decree-on", "2020-09-01"]
    assert salur("group", "fund", "g1", *FUND, *roster) == cli.DONE
    assert "Group g1 of tkm-2020 is funded, with 2 members." in capsys.readouterr().out
    assert salur("group", "fund", "g1", *FUND, *roster) == cli.DONE
    assert "Nothing new" in capsys.readouterr().out


def test_one_group_with_a_member_who_is_not_registered_is_refused_by_that_member(
    salur: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    roster = ["--member", "R000000001", "--member", "R000000009", "--decree-on", "2020-09-01"]
    assert salur("group", "fund", "g1", *FUND, *roster) == cli.REFUSED
    assert "[recipient_unknown]" in capsys.readouterr().err
    assert salur("history", "g1") == cli.REFUSED


def test_one_group_without_its_decree_date_is_refused(
    salur: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert salur("group", "fund", "g1", *FUND, "--member", "R000000001") == cli.REFUSED
    assert "[papers_missing]" in capsys.readouterr().err
