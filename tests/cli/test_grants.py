"""Grants at the prompt: proposed by one officer, seen and approved by another, then run or called off."""

import json
from pathlib import Path

import pytest

import cli
from tests.acts import nik

PAPERS = ("--amount", "1000", "--proposal", "P 1", "--decree", "SK 1", "--decree-on", "2026-03-01")


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Siti, a maker, and budi, a checker, with keys; a program of grants, four people, and rules that bind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SALUR_STORE", "ledger")
    monkeypatch.setenv("SALUR_KEYS", "keys")
    Path("people.csv").write_text("nik,name\n" + "".join(f"{nik(n)},Person {n}\n" for n in range(1, 5)))
    for words in (
        "init",
        "officer enroll siti --role maker --no-passphrase --officer siti",
        "officer enroll budi --role checker --no-passphrase --officer siti",
        "program open tkm --name TKM --kind group-grant --fiscal-year 2026 --officer siti",
        "program budget tkm 9000 --officer siti",
        "recipient import people.csv --category household --officer siti",
        "rules adopt --officer siti",
        "approve rules --officer budi",
    ):
        assert cli.run(words.split()) == cli.DONE, words
    return tmp_path


def salur(words: str, *more: str) -> int:
    return cli.run([*words.split(), *more])


def told(capsys: pytest.CaptureFixture[str], words: str) -> list[dict[str, object]]:
    capsys.readouterr()
    assert salur(words, "-o", "json") == cli.DONE
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_a_file_of_grants_from_the_proposal_to_the_report(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "group,recipient,proposal\nG1,R000000001,P 1\nG1,R000000002,\nG2,R000000003,P 2\n"
    Path("groups.csv").write_text(rows)
    asked = ("--program", "tkm", *PAPERS, "--batch", "tkm-1", "--officer", "siti")
    assert salur("group fund groups.csv", *asked[:-4], *asked[-2:]) == cli.REFUSED
    assert "[agreement_needed]" in capsys.readouterr().err

    assert salur("group propose groups.csv", *asked) == cli.DONE
    said = capsys.readouterr()
    assert "Proposed batch tkm-1: 2 grants, IDR 2,000." in said.out.replace("\N{NO-BREAK SPACE}", " ")
    assert "salur show batch/tkm-1" in said.err
    assert [each["id"] for each in told(capsys, "waiting --officer budi")] == ["batch/tkm-1"]
    assert told(capsys, "waiting --officer siti") == []
    assert salur("group run tkm-1 --officer siti") == cli.REFUSED
    assert salur("show batch/tkm-1") == cli.DONE
    assert "grants of groups" in capsys.readouterr().out
    assert salur("approve batch/tkm-1 --officer budi") == cli.DONE
    assert salur("group run tkm-1 --officer siti") == cli.DONE

    [program] = told(capsys, "report groups")
    assert (program["groups"], program["people"], program["funded"]) == (2, 3, 2000)
    [batch] = told(capsys, "report batches")
    assert (batch["status"], batch["tranche"], batch["paid_count"], batch["paid_total"]) == ("executed", None, 2, 2000)
    assert salur("check") == cli.DONE
    capsys.readouterr()
    assert salur("group propose groups.csv", *asked) == cli.DONE
    assert capsys.readouterr().out.startswith("Already proposed: batch tkm-1: 2 grants")
    assert salur("group propose groups.csv", *asked, "--batch", "tkm-2") == cli.REFUSED
    assert "[grants_made]" in capsys.readouterr().err


def test_one_group_is_proposed_in_words_and_called_off(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = ("--program", "tkm", "--member", "R000000001", "--member", nik(2), *PAPERS, "--officer", "siti")
    assert salur("group propose G1", *one, "--batch", "g1") == cli.DONE
    assert salur("group propose G2 --program tkm --member R000000099 --officer siti", *PAPERS) == cli.REFUSED
    assert "[recipient_unknown]" in capsys.readouterr().err
    assert salur("approve batch/g1 --officer budi") == cli.DONE
    assert salur("group cancel g1 --reason wrong --officer siti") == cli.DONE
    assert salur("approve batch/g1 --officer budi") == cli.DONE
    assert salur("group run g1 --officer siti") == cli.REFUSED
    assert told(capsys, "report groups") == []
    [batch] = told(capsys, "report batches")
    assert (batch["status"], batch["paid_count"]) == ("cancelled", 0)
    assert salur("check") == cli.DONE


def test_a_returned_payment_is_paid_again_as_a_batch(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        "program open bsu --name BSU --kind cash --tranche 1200 --fiscal-year 2026 --officer siti",
        "approve program/bsu --officer budi",
        "program budget bsu 9000 --officer siti",
        "approve program/bsu --officer budi",
        "disburse one R000000001 --program bsu --tranche 1 --batch october --officer siti",
        "approve batch/october --officer budi",
        "disburse run october --officer siti",
        "payment return bsu/1/R000000001 --reason AC04 --officer siti",
    ):
        assert salur(words) == cli.DONE, words
    capsys.readouterr()

    assert salur("payment reissue bsu/1/R000000001 --officer siti") == cli.DONE
    said = capsys.readouterr()
    assert said.out.replace("\N{NO-BREAK SPACE}", " ").startswith("Proposed batch reissues-bsu-")
    [waiting] = told(capsys, "waiting --officer budi")
    batch_id = str(waiting["id"]).removeprefix("batch/")
    assert salur("payment refund bsu/1/R000000001 --treasury-ref NTPN-1 --batch back --officer siti") == cli.DONE
    assert salur(f"show batch/{batch_id}") == cli.DONE
    assert "payments made again" in capsys.readouterr().out
    assert salur(f"approve batch/{batch_id} --officer budi") == cli.DONE
    assert salur(f"disburse run {batch_id} --officer budi") == cli.DONE
    assert salur("approve batch/back --officer budi") == cli.DONE
    Path("again.csv").write_text("payment\nbsu/1/R000000001\nbsu/1/R000000001/2\n")
    capsys.readouterr()
    assert salur("disburse run back --officer siti") == cli.SOME_REJECTED
    assert Path("back.rejects.csv").read_text().splitlines()[1].split(",")[3] == "payment_state"
    assert salur("payment reissue again.csv --officer siti") == cli.REFUSED
    assert "[payment" in capsys.readouterr().err
    kinds = {str(each["batch_id"]): each["paid_count"] for each in told(capsys, "report batches")}
    assert kinds == {"october": 1, batch_id: 1, "back": 0}
    assert salur("check") == cli.DONE


def test_before_the_rules_a_payment_is_paid_again_in_no_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SALUR_STORE", "ledger")
    assert salur("init") == cli.DONE
    assert salur("payment reissue bsu/1/R000000001 --batch x --officer siti") == cli.USAGE
    assert "once the rules are adopted" in capsys.readouterr().err
