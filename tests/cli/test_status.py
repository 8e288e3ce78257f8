"""`salur status` tells what waits, and what is due."""

import json
from pathlib import Path

import pytest

import cli
from tests.acts import nik, older_ledger


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SALUR_STORE", "ledger")
    monkeypatch.setenv("SALUR_KEYS", "keys")
    older_ledger(Path("ledger"))
    for words in (
        "officer enroll siti --role maker --no-passphrase --officer siti",
        "officer enroll budi --role checker --no-passphrase --officer siti",
        "program open aid --name Aid --kind cash --tranche 1000 --fiscal-year 2026 --officer siti",
        "program budget aid 9000 --officer siti",
    ):
        assert cli.run(words.split()) == cli.DONE
    Path("people.csv").write_text("nik,name\n" + "".join(f"{nik(n)},Person {n}\n" for n in (1, 2, 3)))
    assert cli.run(["recipient", "import", "people.csv", "--category", "household", "--officer", "siti"]) == cli.DONE
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], officer: str) -> dict[str, tuple[str, str]]:
    capsys.readouterr()
    assert cli.run(["status", "--officer", officer, "-o", "json"]) == cli.DONE
    return {row["about"]: (row["what"], row["next"]) for row in json.loads(capsys.readouterr().out)}


def salur(words: str) -> None:
    assert cli.run(words.split()) == cli.DONE, words


def test_a_ledger_at_rest_tells_of_its_log_and_its_witnesses(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "siti")
    assert list(found) == ["log", "witnesses"]
    # Opened, its log; siti, her key, entrusted; budi, his key; the program, its budget; three people and their file.
    assert found["log"][0] == "checkpoint of 13 events, all there are"
    assert found["witnesses"] == ("none are required", "salur log require-witnesses")


def test_it_tells_what_waits_for_me_and_what_for_others(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, batch in ((1, "b1"), (2, "b2")):
        Path("pay.csv").write_text(f"recipient,amount\n{nik(number)},1000\n")
        salur(f"disburse propose pay.csv --program aid --tranche 1 --batch {batch} --officer siti")
    salur("disburse approve b2 --officer budi")
    salur("rules adopt --officer siti")
    assert told(capsys, "budi")["rules"][1] == "salur show rules"
    assert told(capsys, "siti")["rules"][1] == "another officer's word"
    assert told(capsys, "budi")["batch/b1"] == (
        "siti proposed 1 payment, IDR 1,000",
        "salur disburse approve b1",
    )
    assert told(capsys, "siti")["batch/b1"][1] == "another officer's word"
    assert told(capsys, "siti")["batch/b2"] == (
        "approved and not run to its end: 0 of 1 payment, IDR 1,000 paid",
        "salur disburse run b2",
    )
    salur("disburse run b2 --officer siti")
    assert "batch/b2" not in told(capsys, "siti")


def test_it_tells_of_payments_that_came_back(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("pay.csv").write_text("recipient,amount\n" + "".join(f"{nik(n)},1000\n" for n in (1, 2)))
    salur("disburse propose pay.csv --program aid --tranche 1 --batch b1 --officer siti")
    salur("disburse approve b1 --officer budi")
    salur("disburse run b1 --officer siti")
    salur("payment return aid/1/R000000001 --reason AC04 --officer siti")
    assert told(capsys, "siti")["returns"] == (
        "1 payment returned since and still open: IDR 1,000",
        "salur report returns",
    )


def test_it_tells_of_a_log_that_is_behind_and_of_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--store", str(tmp_path / "ledger"), "init", "--without-log"]) == cli.DONE
    capsys.readouterr()
    assert cli.run(["--store", str(tmp_path / "ledger"), "status", "-o", "json"]) == cli.DONE
    [row] = json.loads(capsys.readouterr().out)
    assert (row["about"], row["next"]) == ("log", "salur log create")
