"""An outsider who has an export, a key and a checkpoint establishes all, and is told what cannot be established."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

import cli
from ledger.domain.errors import ProofFailedError
from ledger.store.errors import FolderNotEmptyError, StoreFailedError
from ledger.transparency.notes import VerifierKey
from projections.audit.export import SUMS, sums
from projections.audit.receipts import verified
from projections.audit.verification import audit
from projections.relation import spans
from tests.evidence.audited import salur
from tests.logged import append, execute, turn

TRUSTED = "--checkpoint kept --key key"
Captured = pytest.CaptureFixture[str]


def broken(place: Path, path: str, capsys: Captured) -> dict[str, list[str]]:
    """Law → its breaches in words, as the command tells programs."""
    capsys.readouterr()
    code = salur(place, f"audit verify {path} {TRUSTED} -o json")
    told = json.loads(capsys.readouterr().out)
    found = {
        law["name"]: [" ".join(str(each[key]) for key in ("log_index", "stream", "detail")) for each in law["broken"]]
        for law in told["laws"]
        if law["broken_count"]
    }
    assert code == (cli.BROKEN if found else cli.DONE)
    return found


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("path", ["ledger", "export"])
def test_a_true_history_is_established_with_every_law_and_nothing_is_written(
    office: Path, path: str, capsys: Captured
) -> None:
    before = files(office / path)
    assert broken(office, path, capsys) == {}
    assert salur(office, f"audit verify {path} {TRUSTED}") == cli.DONE
    told = capsys.readouterr()
    laws = {"log-signed", "readable", "signatures-valid", "archive-true", "lists-signed", "lists-paid", "paid-once"}
    laws |= {"files-listed", "journal-true", "keys-listed", "queries-own"} if path == "export" else set()
    assert laws <= set(told.out.split())
    assert files(office / path) == before


def test_an_export_is_audited_where_there_is_no_ledger_and_nothing_can_be_written(office: Path, tmp_path: Path) -> None:
    export = Path(shutil.copytree(office / "export", tmp_path / "alone"))
    for path in [export, *export.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert audit(export).holds
    finally:
        for path in [export, *export.rglob("*")]:
            path.chmod(0o755)


def test_who_brings_nothing_is_told_what_that_does_not_show(office: Path, capsys: Captured) -> None:
    assert salur(office, "audit verify export") == cli.DONE
    told = capsys.readouterr().err
    assert "No --key was given" in told
    assert "No --checkpoint was given" in told
    assert salur(office, f"audit verify export {TRUSTED}") == cli.DONE
    told = capsys.readouterr().err
    assert "was given" not in told
    assert "ask each of them" in told


def test_events_that_no_checkpoint_has_yet_are_told(office: Path, capsys: Captured) -> None:
    append(office / "ledger", 0, 2)
    capsys.readouterr()
    salur(office, f"audit verify ledger {TRUSTED}")
    assert "The last 2 events are in no checkpoint yet" in capsys.readouterr().err


def test_a_store_whose_process_was_killed_is_audited_as_it_lies_there(office: Path, tmp_path: Path) -> None:
    """Its last events are in SQLite's write-ahead log only; to read them there SQLite would make files beside it."""
    with closing(sqlite3.connect(office / "ledger" / "events.db")) as database, database:
        database.execute("PRAGMA wal_autocheckpoint=0")
        database.execute("INSERT INTO stored_events SELECT 'thing/1', 1, topic, state FROM stored_events LIMIT 1")
        database.commit()
        copy = Path(shutil.copytree(office / "ledger", tmp_path / "copy"))
    (copy / "events.db-shm").unlink()
    before = files(copy)
    found = audit(copy)
    assert found.size == 631
    assert files(copy) == before


def test_a_database_whose_own_message_cannot_be_read_is_told_as_damaged(office: Path, capsys: Captured) -> None:
    path = office / "ledger" / "events.db"
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE", b"CRE\xefTE TABLE", 1))
    assert "the database is damaged" in broken(office, "ledger", capsys)["log-signed"][0]


def test_a_store_that_is_written_to_meanwhile_is_refused(office: Path) -> None:
    def write(_: int) -> None:
        with closing(sqlite3.connect(office / "ledger" / "events.db")) as database, database:
            database.execute(
                "INSERT OR IGNORE INTO stored_events SELECT 'a/1', 1, topic, state FROM stored_events LIMIT 1"
            )

    with pytest.raises(StoreFailedError, match="written to meanwhile"):
        audit(office / "ledger", on_progress=write)


def test_an_export_holds_no_personal_data_and_no_private_key(office: Path) -> None:
    whole = b"".join(path.read_bytes() for path in (office / "export").rglob("*") if path.is_file())
    for secret in (b"Person", b"000101019000", (office / "ledger" / "log" / "key").read_bytes()):
        assert secret not in whole
    assert b"PRIVATE KEY" not in whole


def test_an_export_goes_on_after_an_interruption_and_after_the_log_has_grown(office: Path, capsys: Captured) -> None:
    whole = {name: content for name, (content, _) in files(office / "export").items()}
    for name in ("SHA256SUMS", "journal.hledger", "log/checkpoint", "log/tile/entries/001", "batches/october.csv"):
        (office / "export" / name).unlink()
    shutil.rmtree(office / "export" / "archive")
    assert salur(office, "audit export export") == cli.DONE
    again = {name: content for name, (content, _) in files(office / "export").items()}
    assert {name for name in whole if again.get(name) != whole[name]} <= {"SHA256SUMS", "README.md"} | {
        name for name in whole if name.startswith("archive/")
    }
    assert broken(office, "export", capsys) == {}
    assert salur(office, "payment settle bsu/1/R000000004 --officer siti") == cli.DONE
    assert salur(office, "audit export export") == cli.DONE
    assert broken(office, "export", capsys) == {}
    assert len(list((office / "export" / "archive").iterdir())) == 1


def test_an_export_never_goes_into_a_folder_with_other_files(office: Path) -> None:
    assert salur(office, "audit export ledger") == cli.REFUSED
    (office / "letters").mkdir()
    (office / "letters" / "letter.txt").touch()
    assert salur(office, "audit export letters") == cli.REFUSED
    assert FolderNotEmptyError.code == "folder_not_empty"


# What is found


def resigned(export: Path) -> None:
    """What a forger does last: list the files as they are now."""
    (export / SUMS).write_bytes(b"".join(sums(export)))


def change_columns(export: Path) -> None:
    [segment] = (export / "archive").iterdir()
    [(label,)] = duckdb.execute(
        f"SELECT decode(value) FROM parquet_kv_metadata('{segment}') WHERE decode(key) = 'salur'"
    ).fetchall()
    query = f"SELECT * REPLACE (CASE WHEN log_index = 400 THEN 700 ELSE amount END AS amount) FROM '{segment}'"
    typed = f"SELECT * REPLACE (CAST(amount AS DECIMAL(18,0)) AS amount) FROM ({query})"
    quoted = label.replace("'", "''")
    duckdb.sql(f"COPY ({typed}) TO '{segment}.new' (FORMAT parquet, KV_METADATA {{salur: '{quoted}'}})")
    Path(f"{segment}.new").replace(segment)


FORGED: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "a payment's amount in its list": (
        lambda export: (export / "batches/october.csv").write_text("recipient_id,amount\nR000000001,600\n"),
        "lists-signed",
        "october.csv is not the list that was signed",
    ),
    "a transaction of the journal": (
        lambda export: (export / "journal.hledger").write_text(
            (export / "journal.hledger").read_text().replace("600", "601", 1)
        ),
        "journal-true",
        "journal.hledger differs",
    ),
    "an officer's key": (
        lambda export: next((export / "officers").iterdir()).write_text("another"),
        "keys-listed",
        ".pem is not what the events say",
    ),
    "the columns of a segment": (
        change_columns,
        "archive-true",
        "differs from the store in amount",
    ),
    "a segment": (
        lambda export: next((export / "archive").iterdir()).unlink(),
        "archive-true",
        "no segment holds events 0 to 629",
    ),
    "a tile": (lambda export: turn(export / "log/tile/0/001", 77), "log-signed", "tile/0/001: hash 256"),
    "an entry": (
        lambda export: turn(export / "log/tile/entries/001", 8 * 40),
        "log-signed",
        "event 256 is not the one that was signed",
    ),
    "the checkpoint, which is gone": (
        lambda export: (export / "log/checkpoint").unlink(),
        "log-signed",
        "log/checkpoint",
    ),
    "the checkpoint": (lambda export: turn(export / "log/checkpoint", 8 * 40), "log-signed", "log/checkpoint"),
}


@pytest.mark.parametrize("what", FORGED)
def test_what_is_forged_in_an_export_is_named_also_if_the_list_of_hashes_is_made_anew(
    office: Path, what: str, capsys: Captured
) -> None:
    forge, law, words = FORGED[what]
    forge(office / "export")
    assert "files-listed" in broken(office, "export", capsys)
    resigned(office / "export")
    found = broken(office, "export", capsys)
    assert "files-listed" not in found
    assert any(words in each for each in found[law]), found


def test_a_payment_slipped_into_a_batch_is_named_also_where_rows_of_it_were_refused(
    office: Path, capsys: Captured
) -> None:
    """By somebody with rights on the database, before it is signed: one of 300 rows was refused, so the counts fit."""
    state = '{"recorded_at":"2026-11-22T05:00:00.000001Z","effective_on":"2026-11-22","by":"siti","program":"bsu",'
    state += '"tranche":1,"recipient_id":"R000000301","amount":600,"batch_id":"october"}'
    execute(
        office / "ledger",
        f"INSERT INTO stored_events VALUES ('payment/bsu/1/R000000301', 1, 'TrancheDisbursed.v1', CAST('{state}' AS BLOB))",
    )
    found = broken(office, "ledger", capsys)
    assert found["lists-signed"] == ["630 payment/bsu/1/R000000301 is not on the list of batch october that was signed"]


def test_another_amount_than_the_list_says_is_named(office: Path, capsys: Captured) -> None:
    execute(
        office / "ledger",
        "UPDATE stored_events SET state=CAST(replace(CAST(state AS TEXT), '\"amount\":600', '\"amount\":599') AS BLOB)"
        " WHERE originator_id='payment/bsu/1/R000000020'",
    )
    found = broken(office, "ledger", capsys)
    assert "pays 599, the list that was signed says 600" in found["lists-signed"][0]
    assert "is not the one that was signed" in found["log-signed"][0]


def test_columns_that_no_event_says_are_named_and_nothing_else_follows_from_them(
    office: Path, capsys: Captured
) -> None:
    [segment] = (office / "export" / "archive").glob("events-*.parquet")
    with duckdb.connect() as database:
        told = "SELECT decode(value) FROM parquet_kv_metadata(?) WHERE decode(key) = 'salur'"
        [(label,)] = database.execute(told, [str(segment)]).fetchall()
        # Goods of no item: nothing that a journal could be written of.
        changed = f"SELECT * REPLACE (IF(log_index = 500, 'GoodsStocked', event) AS event) FROM '{segment}'"
        database.execute(f"CREATE TABLE changed AS {changed}")
        segment.unlink()
        database.execute(f"COPY changed TO '{segment}' (FORMAT parquet, KV_METADATA {{salur: '{label}'}})")
    found = broken(office, "export", capsys)
    assert any(segment.name in words for words in found["archive-true"])
    assert found.keys() == {"archive-true", "files-listed"}


def test_a_long_log_is_audited_in_processes_with_the_same_result(
    office: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(spans, "EVENTS_MIN", 1)
    monkeypatch.setattr(spans, "SPAN_EVENTS", 256)
    assert broken(office, "ledger", capsys) == {}
    execute(office / "ledger", "UPDATE stored_events SET topic='Thing.v1' WHERE rowid=500")
    turn(office / "export" / "log/tile/entries/001", 8 * 4000)
    assert "event 499 is not the one" in broken(office, "ledger", capsys)["log-signed"][0]
    assert "log-signed" in broken(office, "export", capsys)


# Receipts


def test_a_receipt_proves_a_payment_without_the_ledger(office: Path, tmp_path: Path, capsys: Captured) -> None:
    assert salur(office, "audit prove bsu/1/R000000007 -o receipt") == cli.DONE
    assert salur(office, "audit prove bsu/1/R000000003/2 -o second") == cli.DONE
    shutil.move(office / "ledger", tmp_path / "away")
    capsys.readouterr()
    assert salur(office, "audit receipt receipt --key key") == cli.DONE
    told = capsys.readouterr().out
    assert "TrancheDisbursed, version 1 of payment/bsu/1/R000000007" in told
    assert "amount 600; batch_id early" in told
    assert "The log held 630 events" in told
    assert salur(office, "audit receipt second --key key") == cli.DONE
    assert "TrancheReissued, version 3 of payment/bsu/1/R000000003" in capsys.readouterr().out


def test_every_turned_bit_of_a_receipt_is_found(office: Path) -> None:
    assert salur(office, "audit prove bsu/1/R000000007 -o receipt") == cli.DONE
    good, key = (office / "receipt").read_bytes(), VerifierKey.parse((office / "key").read_text().strip())
    verified(good, key)
    for bit in range(0, 8 * len(good), 5):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ProofFailedError):
            verified(bytes(data), key)


def test_what_is_not_there_has_no_receipt(office: Path, capsys: Captured) -> None:
    for name in ("bsu/1/R000000999", "bsu/1/R000000007/2", "630", "batch/october/9"):
        assert salur(office, f"audit prove {name}") == cli.REFUSED, name


# Verified with what others wrote


def guide_steps(export: Path, kind: str) -> str:
    text = (export / "README.md").read_text(encoding="utf-8")
    wanted = {"", kind}
    steps = re.findall(r"<!-- step ?([a-z]*) -->\n```sh\n(.*?)```", text, re.DOTALL)
    return "set -e\n" + "\n".join(step for label, step in steps if label in wanted)


def run_steps(export: Path, kind: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    return subprocess.run(
        ["bash", "-c", guide_steps(export, kind)], cwd=export, env=env, capture_output=True, text=True
    )


TOOLS = {"": "openssl", "go": "go", "duckdb": "openssl", "hledger": "hledger"}
SAID = {
    "": ["all files are whole", "Signature Verified Successfully\nSignature Verified Successfully"],
    "go": ["630 entries and 1 earlier checkpoints verified"],
    "duckdb": ["[(630, 630)]", "paid_once.sql 303 0", "BatchApproved"],
    "hledger": ["expenses:transfers:bsu:1", "Signature Verified"],
}


@pytest.mark.parametrize("kind", TOOLS)
def test_the_page_for_strangers_verifies_an_export_with_tools_of_others(office: Path, kind: str) -> None:
    if shutil.which(TOOLS[kind]) is None:
        pytest.skip(f"{TOOLS[kind]} is not installed here")
    if kind == "go" and not Path("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog").exists():
        pytest.skip("golang-golang-x-mod-dev is not installed here")
    done = run_steps(office / "export", kind)
    assert done.returncode == 0, done.stderr
    for words in SAID[kind]:
        assert words in done.stdout, done.stdout


def test_the_tools_of_others_do_not_verify_what_was_changed(office: Path) -> None:
    export = office / "export"
    turn(export / "log" / "checkpoint", 8 * 40)
    resigned(export)
    assert run_steps(export, "").returncode != 0


def test_the_archive_of_another_history_is_not_that_of_the_tiles(office: Path) -> None:
    export = office / "export"
    turn(export / "log" / "tile" / "0" / "001", 77)
    before = Path.cwd()
    os.chdir(export)
    try:
        assert duckdb.execute((export / "queries/leaves.sql").read_text()).fetchall() == [(630, 629)]
    finally:
        os.chdir(before)
