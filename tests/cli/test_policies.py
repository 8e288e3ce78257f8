"""Policies at the prompt: money in the ledger's currency, goods in units of the item."""

import json
from pathlib import Path

import pytest

import cli


def test_amounts_of_a_policy_are_money_or_units_of_goods(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SALUR_STORE", "ledger")
    monkeypatch.setenv("SALUR_KEYS", "keys")
    for words in (
        "init --currency USD",
        "officer enroll siti --role maker --no-passphrase --officer siti",
        "officer enroll budi --role checker --no-passphrase --officer siti",
        "rules adopt --officer siti",
        "approve rules --officer budi",
        "policy set goods --over 1,000 --checkers 1 --officer siti",
        "approve policy/goods --officer budi",
        "policy set batches --over 1,000 --checkers 1 --officer siti",
        "approve policy/batches --officer budi",
    ):
        assert cli.run(words.split()) == cli.DONE, words
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
