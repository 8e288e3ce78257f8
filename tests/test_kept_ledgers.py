"""A ledger that an earlier version wrote opens, checks, reports, verifies and goes on: what is stored is a promise."""

import csv
import shutil
import sqlite3
from contextlib import closing
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import cli
from ledger.application.ledger import Ledger
from ledger.transparency.notes import Note
from projections.audit.figures import Figures

KEPT = Path(__file__).parent / "kept" / "ledger-0.1"
YEAR_END = "2020-12-31"
EVENTS = 92
TOPICS = 42
"""Version 0.1.0 had so many, and each of them is in the ledger."""
SIGNED_WITH = {"sari": "sari", "budi": "budi-2", "tari": "tari"}
"""Officer → the name that their newest key follows from."""


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return Path(shutil.copytree(KEPT / "ledger", tmp_path / "ledger"))


@pytest.fixture
def keys(ledger: Path, tmp_path: Path) -> Path:
    """The officers' private keys, which are not kept: `made.sh` tells what they follow from."""
    with closing(Ledger(ledger)) as opened:
        folder = tmp_path / "keys" / opened.fingerprint[:16]
    folder.mkdir(parents=True)
    for officer, name in SIGNED_WITH.items():
        key = Ed25519PrivateKey.from_private_bytes(sha256(f"a key that guards nothing: {name}".encode()).digest())
        (folder / f"{officer}.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder.parent


def salur(ledger: Path, *words: Any) -> int:
    return cli.run(["--store", str(ledger), "--keys", str(ledger.parent / "keys"), *map(str, words)])


def rows_of(ledger: Path, capsys: pytest.CaptureFixture[str], *words: Any) -> list[dict[str, str]]:
    """What a command prints as CSV."""
    capsys.readouterr()
    assert salur(ledger, *words, "-o", "csv") == cli.DONE
    return list(csv.DictReader(StringIO(capsys.readouterr().out)))


def report(ledger: Path, capsys: pytest.CaptureFixture[str], name: str, columns: str) -> list[str]:
    """Some columns of a report as of the end of the year, a row a line."""
    rows = rows_of(ledger, capsys, "report", name, "--as-of", YEAR_END)
    return [" ".join(row[column] or "-" for column in columns.split()) for row in rows]


def test_every_kind_of_event_of_that_version_is_kept(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger / "events.db")) as database:
        rows = database.execute("SELECT COUNT(*), COUNT(DISTINCT topic) FROM stored_events").fetchall()
    assert rows == [(EVENTS, TOPICS)]


def test_every_law_holds_of_it_and_its_log_is_that_of_its_events(ledger: Path) -> None:
    assert salur(ledger, "check") == cli.DONE
    assert salur(ledger, "log", "verify", "--checkpoint", KEPT / "ledger/log/checkpoint") == cli.DONE
    assert salur(ledger, "audit", "verify", ledger, "--key", KEPT / "verifier-key") == cli.DONE


def test_its_reports_give_the_figures_of_what_was_done(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # aid: 6,000,000. Five payments of 600,000, one of them reversed, then two more; 1,200,000 is held for november.
    # tkm: two groups, 40,000,000 and 30,000,000, of 80,000,000. pilot was closed with 100,000 unspent.
    assert report(ledger, capsys, "programs", "program budget reserved disbursed returned refunded available") == [
        "aid 6000000 1200000 3600000 600000 600000 1200000",
        "all 0 0 0 0 0 0",
        "course 0 0 0 0 0 0",
        "pilot 100000 0 0 0 0 100000",
        "tkm 80000000 0 70000000 0 0 10000000",
    ]
    # Paid: 1, 2, 3, 5 and 6. Trained: 5, supported: 1. In groups: 4, 5 and 6.
    assert report(
        ledger, capsys, "programs", "program recipients people groups disbursed_in_all groups_in_all people_in_all"
    ) == ["aid 5 5 0 3600000 0 5", "all 0 0 0 73600000 2 6", "course 0 2 0 0 0 2", "pilot 0 0 0 0 0 0",
          "tkm 0 3 2 70000000 2 3"]  # fmt: skip
    assert report(
        ledger, capsys, "tranches", "program tranche payments disbursed returned reissued settled refunded open_returns"
    ) == [
        "aid 1 4 2400000 600000 600000 600000 600000 1",
        "aid 2 2 1200000 0 0 0 0 0",
        "pilot 1 0 0 0 0 0 0 0",
    ]
    assert report(ledger, capsys, "balances", "recipient_id entitled disbursed returned outstanding refunded") == [
        "R000000001 1200000 600000 0 600000 0",
        "R000000002 1200000 600000 0 600000 0",
        "R000000003 1200000 1200000 0 0 600000",
        "R000000004 1200000 0 0 1200000 0",
        "R000000005 1200000 600000 600000 1200000 0",
        "R000000006 1200000 600000 0 600000 0",
    ]
    assert report(ledger, capsys, "batches", "batch_id status maker checker count refused paid_count paid_total") == [
        "october executed sari budi 5 1 5 3000000",
        "single rejected tari budi 1 0 0 0",
        "again executed sari budi 1 1 0 0",
        "late executed sari budi 2 0 2 1200000",
        "november approved sari budi 2 0 0 0",
    ]
    assert report(ledger, capsys, "groups", "program groups people funded reports_due reports_overdue reports_given") \
        == ["tkm 2 3 70000000 1 1 1"]  # fmt: skip
    assert report(ledger, capsys, "aid", "item country quantity delivered in_transit unit") == [
        "mask HK 300 300 0 piece",
        "staple-package MY 50 20 30 package",
    ]
    assert report(ledger, capsys, "returns", "payment_id amount return_reason returned_on age_days") == [
        "aid/1/R000000005 600000 AC01 2020-10-15 77"
    ]
    assert report(ledger, capsys, "refusals", "command program reason rows") == [
        "disburse propose aid recipient_unknown 1",
        "disburse run aid already_paid 1",
        "recipient import - duplicate_in_file 1",
    ]
    assert report(ledger, capsys, "people", "program kind people") == [
        "aid cash 5",
        "course companion 1",
        "course training 1",
        "kartu-prakerja referral 1",
        "tkm group-grant 3",
    ]
    assert report(ledger, capsys, "destinations", "country decree_ref reopened_on") == [
        "HK Kepmenaker 294/2020 2020-07-30"
    ]
    assert sum(int(row.split()[0]) for row in report(ledger, capsys, "trial-balance", "balance")) == 0


def test_its_history_can_be_read(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = {
        "aid/1/R000000003": ["TrancheDisbursed", "TrancheReturned", "TrancheRefunded"],
        "R000000007": ["RecipientRegistered", "ErasureRequested", "RecipientErased"],
        "budi": ["OfficerEnrolled", "OfficerKeyReplaced"],
        "again": ["BatchProposed", "BatchApproved", "BatchExecuted"],
    }
    for thing, events in taken.items():
        assert [row["event"] for row in rows_of(ledger, capsys, "history", thing)] == events


def test_its_published_figures_verify_and_what_changed_since_is_told(
    ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = {}
    for name in ("programs", "tranches"):
        rows = rows_of(ledger, capsys, "audit", "figure", KEPT / f"{name}.note", "--key", KEPT / "verifier-key")
        changed[name] = {row["figure"]: (row["was"], row["now"]) for row in rows}
        assert set(changed[name]) == {row["figure"] for row in rows if row["contribution"]}
    assert changed["programs"]["programs/aid/disbursed"] == ("3000000", "3600000")
    assert changed["programs"]["programs/all/people_in_all"] == ("5", "6")
    assert len(changed["programs"]) == 18
    assert changed["tranches"] == {
        "tranches/aid/1/payments": ("5", "4"),
        "tranches/aid/1/disbursed": ("3000000", "2400000"),
        "tranches/aid/1/returned": ("0", "600000"),
        "tranches/aid/1/reissued": ("0", "600000"),
        "tranches/aid/1/settled": ("0", "600000"),
        "tranches/aid/1/refunded": ("0", "600000"),
        "tranches/aid/1/open_returns": ("0", "1"),
        "tranches/aid/2/payments": ("0", "2"),
        "tranches/aid/2/disbursed": ("0", "1200000"),
    }


@pytest.mark.parametrize("name", ["programs", "tranches"])
def test_its_published_notes_are_printed_back_byte_for_byte(name: str) -> None:
    note = Note.parse((KEPT / f"{name}.note").read_bytes())
    assert str(Figures.parse(note.text)) == note.text


@pytest.mark.usefixtures("keys")
def test_officers_go_on_in_it(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    on = ("--effective-on", "2020-11-16", "--officer")
    # The approved batch, whose money is held since; a return of it; one more person.
    assert salur(ledger, "disburse", "run", "november", *on, "sari") == cli.DONE
    assert salur(ledger, "payment", "return", "aid/2/R000000001", "--reason", "AC04", *on, "sari") == cli.DONE
    assert salur(ledger, "payment", "reissue", "aid/1/R000000005", *on, "budi") == cli.DONE
    # Its vault is of that version, and says so until it is brought over.
    person = ("--nik", "0000010101900008", "--name", "Warga Delapan", "--category", "worker")
    assert salur(ledger, "recipient", "register", *person, *on, "sari") == cli.REFUSED
    assert "Refused [vault_older]" in capsys.readouterr().err
    assert salur(ledger, "vault", "upgrade") == cli.DONE
    assert "6 rows brought over" in capsys.readouterr().err
    assert salur(ledger, "recipient", "register", *person, *on, "sari") == cli.DONE
    # Who is known is known: the vault opens, and finds by national id.
    again = ("--nik", "0000010101900001", "--name", "Warga Satu", "--category", "worker")
    assert salur(ledger, "recipient", "register", *again, *on, "sari") == cli.REFUSED
    assert salur(ledger, "check") == cli.DONE
    columns = "program budget reserved disbursed returned available"
    assert report(ledger, capsys, "programs", columns)[0] == "aid 6000000 0 4800000 600000 1200000"
