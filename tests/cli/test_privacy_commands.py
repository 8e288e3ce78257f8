"""Erasing and disclosing from the command line; a national id is never an argument."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import cli

NIK = "0000000101900001"
ID = "R000000001"
Salur = Callable[..., int]


@pytest.fixture
def salur(folder_of_2020: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Salur:
    """Run a command in a ledger with one registered person, as siti; `stdin` is what is typed."""
    shutil.copytree(folder_of_2020, tmp_path / "ledger")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SALUR_STORE", "ledger")

    def run(*words: str, stdin: str = "", officer: str = "siti") -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        monkeypatch.setenv("SALUR_OFFICER", officer)
        return cli.run([*words])

    assert run("recipient", "register", "--nik", NIK, "--name", "Warga Satu", "--category", "worker") == cli.DONE
    return run


def request(salur: Salur, *who: str, stdin: str = "") -> int:
    return salur(
        "recipient", "erase", "request", *who, "--reason", "letter", "--legal-basis", "UU 27/2022 art. 8", stdin=stdin
    )


def test_two_officers_erase_a_person(salur: Salur, capsys: pytest.CaptureFixture[str]) -> None:
    assert request(salur, stdin=f"{NIK}\n") == cli.DONE
    told = capsys.readouterr()
    assert f"The erasure of {ID} is asked for." in told.out
    assert f"Next, another officer: `salur recipient erase approve {ID}`" in told.err
    assert salur("recipient", "erase", "approve", ID) == cli.REFUSED
    assert salur("recipient", "erase", "approve", ID, officer="budi") == cli.DONE
    assert f"{ID} is erased." in capsys.readouterr().out
    assert salur("recipient", "erase", "approve", ID, officer="budi") == cli.DONE
    assert "Nothing new" in capsys.readouterr().out
    assert salur("check") == cli.DONE
    assert salur("history", ID) == cli.DONE
    assert "RecipientErased" in capsys.readouterr().out
    assert request(salur, stdin=f"{NIK}\n") == cli.REFUSED
    assert "[recipient_unknown]" in capsys.readouterr().err


def test_a_request_is_withdrawn(salur: Salur, capsys: pytest.CaptureFixture[str]) -> None:
    assert request(salur, ID) == cli.DONE
    assert salur("recipient", "erase", "reject", ID, "--reason", "another person was meant") == cli.DONE
    assert f"{ID} is not erased." in capsys.readouterr().out
    assert salur("recipient", "erase", "approve", ID, officer="budi") == cli.REFUSED
    assert "[erasure_not_requested]" in capsys.readouterr().err


def test_who_asks_is_told_what_is_under_way_for_the_person(salur: Salur, capsys: pytest.CaptureFixture[str]) -> None:
    assert salur("disburse", "one", ID, "--program", "bsu-2020", "--tranche", "1", "--batch", "b-1") == cli.DONE
    assert request(salur, ID) == cli.DONE
    assert "Notice: batch b-1 is not run to its end" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("erase", "request", NIK, "--reason", "letter", "--legal-basis", "UU 27/2022"),
        ("erase", "approve", NIK),
        ("erase", "reject", NIK, "--reason", "late"),
        ("disclose", NIK, "--reason", "asked"),
    ],
)
def test_a_national_id_is_no_argument(salur: Salur, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert salur("recipient", *words) == cli.USAGE
    told = capsys.readouterr()
    assert "standard input" in told.err
    assert NIK not in told.out + told.err


def test_a_disclosure_is_json_with_everything_held(salur: Salur, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert salur("recipient", "disclose", "--reason", "asked", "-o", "json", stdin=f"{NIK}\n") == cli.DONE
    told = json.loads(capsys.readouterr().out)
    assert told["recipient_id"] == ID
    assert told["person"] == {"nik": NIK, "name": "Warga Satu", "account": "", "phone": "", "address": "", "bank": ""}
    assert told["erased"] is None
    assert [event["topic"] for event in told["events"]] == ["RecipientRegistered.v1", "DataDisclosed.v1"]


def test_a_disclosure_after_the_erasure_says_who_erased(salur: Salur, capsys: pytest.CaptureFixture[str]) -> None:
    request(salur, ID)
    salur("recipient", "erase", "approve", ID, officer="budi")
    capsys.readouterr()
    assert salur("recipient", "disclose", ID, "--reason", "asked") == cli.DONE
    told = capsys.readouterr().out
    assert "Warga" not in told
    assert "nothing: erased" in told
    assert "asked by siti, agreed by budi" in told


def test_a_rehearsed_disclosure_shows_nothing(salur: Salur, capsys: pytest.CaptureFixture[str]) -> None:
    assert salur("recipient", "disclose", ID, "--reason", "asked", "--dry-run") == cli.DONE
    told = capsys.readouterr()
    assert "Warga" not in told.out + told.err
    assert salur("recipient", "disclose", ID, "--reason", "asked", "-o", "csv") == cli.USAGE
