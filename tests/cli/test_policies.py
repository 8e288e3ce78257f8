"""Policies at the prompt: money in the ledger's currency, goods in units of the item."""

import json
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

import cli
from ledger.application.ledger import Ledger
from tests.acts import nik


def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *more: str, currency: str = "IDR") -> None:
    """A ledger with siti, a maker, and budi, a checker, in which these commands were carried out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SALUR_STORE", "ledger")
    monkeypatch.setenv("SALUR_KEYS", "keys")
    for words in (
        f"init --currency {currency}",
        "officer enroll siti --role maker --no-passphrase --officer siti",
        "officer enroll budi --role checker --no-passphrase --officer siti",
        *more,
    ):
        assert cli.run(words.split()) == cli.DONE, words


def test_amounts_of_a_policy_are_money_or_units_of_goods(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    office(
        tmp_path,
        monkeypatch,
        "rules adopt --officer siti",
        "approve rules --officer budi",
        "policy set goods --over 1,000 --checkers 1 --officer siti",
        "approve policy/goods --officer budi",
        "policy set batches --over 1,000 --checkers 1 --officer siti",
        "approve policy/batches --officer budi",
        currency="USD",
    )
    capsys.readouterr()
    assert cli.run(["policy", "show", "-o", "json"]) == cli.DONE
    told = {row["kind"]: row["over"] for row in json.loads(capsys.readouterr().out) if row["over"]}
    assert told == {"goods": 1_000, "batches": 100_000}  # cents
    assert cli.run(["policy", "show"]) == cli.DONE
    table = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.split()}
    assert "$1,000.00" in table["batches"]
    assert "$" not in table["goods"]
    assert "1,000" in table["goods"]
    assert cli.run(["policy", "set", "officers", "--over", "5", "--checkers", "1", "--officer", "siti"]) == cli.REFUSED
    assert "[value_invalid]" in capsys.readouterr().err


def test_all_that_is_adopted_is_seen_on_one_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    office(
        tmp_path,
        monkeypatch,
        "program open aid --name Aid --kind cash --tranche 600 --category household --fiscal-year 2026 --officer siti",
        "program budget aid 5000 --officer siti",
        "rules adopt --officer siti",
    )
    capsys.readouterr()
    assert cli.run(["show", "rules"]) == cli.DONE
    page = capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ")
    for each in ("siti", "maker", "budi", "checker", "program aid", "schedule 600", "household", "budget IDR 5,000"):
        assert each in page
    assert cli.run(["show", "rules", "-o", "json"]) == cli.DONE
    told = json.loads(capsys.readouterr().out)
    assert [each["officer"] for each in told["officers"]] == ["budi", "siti"]
    assert told["programs"][0]["budget"] == 5_000
    assert told["policies"]["batches"] == {"0": 1}


def test_what_waits_is_shown_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "people.csv").write_text(f"nik,name\n{nik(1)},Person 1\n")
    office(
        tmp_path,
        monkeypatch,
        "program open aid --name Aid --kind cash --tranche 600 --fiscal-year 2026 --officer siti",
        "program budget aid 5000 --officer siti",
        "recipient import people.csv --category household --officer siti",
        "rules adopt --officer siti",
        "approve rules --officer budi",
        "program budget aid 7000 --officer siti",
        "disburse one R000000001 --program aid --tranche 1 --batch october --officer siti",
    )
    capsys.readouterr()
    assert cli.run(["show", "program/aid", "-o", "json"]) == cli.DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["id"], told["act"][0]["budget"], told["outcome"]) == ("program/aid", 7_000, "waiting")
    assert date.fromisoformat(told["lapses_on"]) > date(2026, 1, 1)
    assert cli.run(["show", "batch/october", "-o", "json"]) == cli.DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["count"], told["total"], told["asks"]) == (1, 600, "disburse approve")


def test_a_ledger_that_goes_on_for_another_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["--store", "old", "init"]) == cli.DONE
    assert cli.run(["--store", "new", "init", "--continues", "old"]) == cli.DONE
    with closing(Ledger(Path("old"))) as old, closing(Ledger(Path("new"))) as new:
        assert new.opened.continues == old.fingerprint
        fingerprint = old.fingerprint
    capsys.readouterr()
    assert cli.run(["--store", "new", "check"]) == cli.DONE
    assert f"goes on for the ledger of fingerprint {fingerprint}" in capsys.readouterr().err
    assert cli.run(["--store", "newer", "init", "--continues", "."]) == cli.REFUSED
    assert "[ledger_missing]" in capsys.readouterr().err
    assert not Path("newer").exists()
