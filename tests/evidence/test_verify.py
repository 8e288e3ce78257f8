"""Whoever kept one checkpoint finds any change to what it covers, and is told where."""

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

import cli
from ledger.application.folder import LOG
from ledger.application.ledger import Ledger
from ledger.domain.errors import IntegrityBrokenError
from ledger.transparency.log import Log, create_log
from ledger.transparency.merkle import leaf_hashes
from ledger.transparency.notes import Proof, VerifierKey
from projections.audit.log_check import Verified, verify
from projections.audit.tree import recompute
from projections.relation.archive import Archive
from projections.relation.spans import Held
from tests.logged import append, cut_to, execute, lines, recorder_of, turn

STATE = "CAST('{\"number\":0}' AS BLOB)"
CHANGES = {
    "changed": (f"UPDATE stored_events SET state={STATE} WHERE rowid=301", 300),
    "one bit of its stream": ("UPDATE stored_events SET originator_id='uhing/000000' WHERE rowid=21", 20),
    "another topic": ("UPDATE stored_events SET topic='Thing.v2' WHERE rowid=556", 555),
    "removed and the tail numbered again": (
        (
            "DELETE FROM stored_events WHERE rowid=100; UPDATE stored_events SET rowid=rowid-1 WHERE rowid>100;"
            f" INSERT INTO stored_events VALUES ('thing/new', 1, 'Thing.v1', {STATE})"
        ),
        99,
    ),
    "inserted and the tail numbered again": (
        (
            "UPDATE stored_events SET rowid=rowid+10000 WHERE rowid>=400;"
            "UPDATE stored_events SET rowid=rowid-9999 WHERE rowid>=10000;"
            f" INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state)"
            f" VALUES (400, 'thing/new', 1, 'Thing.v1', {STATE})"
        ),
        399,
    ),
    "two in another order": (
        (
            "UPDATE stored_events SET rowid=-1 WHERE rowid=500; UPDATE stored_events SET rowid=500 WHERE rowid=501;"
            " UPDATE stored_events SET rowid=501 WHERE rowid=-1"
        ),
        499,
    ),
    "the tail cut off and numbered again": (
        (
            "DELETE FROM stored_events WHERE rowid>650;"
            " INSERT INTO stored_events SELECT 'other/'||rowid, 1, topic, state FROM stored_events LIMIT 60"
        ),
        650,
    ),
}


def verified(folder: Path, **options: object) -> Verified:
    recorder = recorder_of(folder)
    with closing(recorder.datastore):  # type: ignore[attr-defined]
        return verify(Log(folder / LOG, recorder), **options)  # type: ignore[arg-type]


def test_a_true_log_is_verified_with_every_checkpoint_it_ever_signed(folder: Path, log: Log, tmp_path: Path) -> None:
    kept = []
    for size in (700, 701, 767, 768, 1030):
        if size > 700:
            append(folder, log.checkpoint().size, size)
            log.grow()
        kept.append(Path(shutil.copy(log.folder / "checkpoint", tmp_path / f"checkpoint-{size}")))
    append(folder, 1030, 1035)

    found = verified(folder, expected=kept)

    assert found == Verified(log.key.name, size=1030, waiting=5, expected=5, broken=(), is_named=False)


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_store_is_found_by_its_first_changed_event(folder: Path, change: str) -> None:
    statement, index = CHANGES[change]
    execute(folder, statement)
    assert verified(folder).broken == (f"event {index} is not the one that was signed",)


def test_no_bit_of_a_stored_event_can_be_turned_unseen(folder: Path, log: Log) -> None:
    stored = lines(folder)
    before, after = stored[2], [stored[1], stored[3]]
    with closing(sqlite3.connect(folder / "events.db", isolation_level=None)) as database:
        for column in ("originator_id", "topic", "state"):
            [(good,)] = database.execute(f"SELECT CAST({column} AS BLOB) FROM stored_events WHERE rowid=3").fetchall()
            kind = "BLOB" if column == "state" else "TEXT"
            update = f"UPDATE stored_events SET {column}=CAST(? AS {kind}) WHERE rowid=3"
            for bit in range(8 * len(good)):
                turned = (int.from_bytes(good, "big") ^ 1 << (8 * len(good) - 1 - bit)).to_bytes(len(good), "big")
                database.execute(update, (turned,))
                try:
                    found = [line for block in log.recorder.leaves(first=1, until=4) for line in block]
                except IntegrityBrokenError:
                    continue
                assert found[1] != before, (column, bit)
                assert [found[0], found[2]] == after
            database.execute(update, (good,))
        for version in (0, 3, -1, 2**40):
            database.execute("UPDATE stored_events SET originator_version=? WHERE rowid=3", (version,))
            assert log.recorder.leaf(2) != before


def test_events_that_are_gone_when_they_are_read_again_are_told(folder: Path, log: Log) -> None:
    """As a page of a damaged database may lead to them from one side and not from the other."""
    anew = recompute(Held(log.recorder), log.recorder, 700)
    execute(folder, "DELETE FROM stored_events WHERE rowid>650")
    with pytest.raises(IntegrityBrokenError, match="are not all there"):
        anew.root(690)


def test_a_store_changed_together_with_its_hashes_is_found(folder: Path, log: Log) -> None:
    execute(folder, CHANGES["changed"][0])
    log.levels.path(0).write_bytes(leaf_hashes(lines(folder)))
    assert verified(folder).broken == ("the store's events are not those signed at size 700",)
    turn(log.levels.path(1), 8 * 32)  # of the tile that holds the event changed
    first, *others = verified(folder).broken
    assert first == f"neither the store's events nor the log's hashes give the root in {log.folder / 'checkpoint'}"
    assert others == [f"{log.levels.path(1)}: hash 1 is not that of the store's events"]


def test_a_shorter_store_is_found(folder: Path) -> None:
    execute(folder, "DELETE FROM stored_events WHERE rowid>690")
    [sentence] = verified(folder).broken
    assert "the store holds 690 events, 700 were signed" in sentence


def test_every_turned_bit_of_a_file_of_hashes_is_found_and_named(folder: Path, log: Log) -> None:
    for level, hashes in ((0, 700), (1, 2)):
        path = log.levels.path(level)
        good = path.read_bytes()
        for bit in range(5, 8 * len(good), 8_003 if level == 0 else 37):
            turn(path, bit)
            [*_, sentence] = verified(folder).broken
            assert sentence == f"{path}: hash {bit // 256} is not that of the store's events"
            path.write_bytes(good)
        for cut in (0, 33, len(good) - 1):
            cut_to(path, cut)
            assert f"{path}: hash {cut // 32} is not" in verified(folder).broken[-1]
            path.write_bytes(good)
        path.unlink()
        assert f"{path}: hash 0 is not" in verified(folder).broken[-1]
        path.write_bytes(good)
        assert hashes == len(good) // 32


def test_a_history_written_anew_with_the_key_is_found_by_who_kept_a_checkpoint(
    folder: Path, log: Log, tmp_path: Path
) -> None:
    """The operator has the key: only what others hold stands against them."""
    kept = Path(shutil.copy(log.folder / "checkpoint", tmp_path / "kept"))
    execute(folder, f"UPDATE stored_events SET state={STATE} WHERE rowid=301")
    key = log.folder / "key"
    seed, origin = key.read_bytes(), log.key.name
    shutil.rmtree(log.folder)
    log.folder.mkdir()
    key.write_bytes(seed)
    create_log(log.folder, log.recorder, origin=origin).grow()

    assert verified(folder).broken == ()  # it agrees with itself, which proves nothing
    [sentence] = verified(folder, expected=[kept]).broken
    assert sentence == f"{kept}: the log's first 700 events are not those it was signed over"


def test_an_older_log_put_back_with_its_store_is_found(folder: Path, log: Log, tmp_path: Path) -> None:
    execute(folder, "PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(folder, tmp_path / "older")
    append(folder, 700, 720)
    log.grow()
    [sentence] = verified(tmp_path / "older", expected=[log.folder / "checkpoint"]).broken
    assert "signed over 720 events, the log has 700" in sentence


def test_a_checkpoint_of_another_log_or_none_at_all_is_not_believed(folder: Path, log: Log, tmp_path: Path) -> None:
    other = create_log(tmp_path / "other", log.recorder)
    other.grow()
    [sentence] = verified(folder, expected=[other.folder / "checkpoint"]).broken
    assert "has not signed this" in sentence
    (tmp_path / "text").write_text("not a checkpoint\n")
    [sentence] = verified(folder, expected=[tmp_path / "text"]).broken
    assert "not a note" in sentence
    [sentence] = verified(folder, key=other.key).broken
    assert "not the log of the key" in sentence


def test_an_event_that_no_log_can_hold_is_found(folder: Path) -> None:
    execute(folder, "UPDATE stored_events SET state=CAST(state AS TEXT)||char(10) WHERE rowid=40")
    with pytest.raises(IntegrityBrokenError, match="not all as this program stores them"):
        verified(folder)


# The commands


@pytest.fixture
def salur(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SALUR_STORE", str(folder))
    monkeypatch.setenv("SALUR_OFFICER", "siti")

    def run(*words: str) -> int:
        return cli.run([*words])

    return run


def test_a_write_is_in_the_log_when_the_command_ends(salur: Callable[..., int], log: Log, folder: Path) -> None:
    assert salur("goods", "stock", "mask", "10", "--unit", "piece", "--from", "BLK") == cli.DONE
    assert log.checkpoint().size == len(lines(folder)) == 701
    assert salur("goods", "stock", "mask", "10", "--unit", "piece", "--from", "BLK", "--dry-run") == cli.DONE
    assert salur("officer", "enroll", "tari", "--role", "checker", "--without-key") == cli.DONE
    assert log.checkpoint().size == len(lines(folder)) == 702


def test_what_was_recorded_stands_where_the_log_cannot_be_signed(
    salur: Callable[..., int], log: Log, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (log.folder / "key").rename(log.folder.parent / "kept-away")
    assert salur("officer", "enroll", "tari", "--role", "checker", "--without-key") == cli.DONE
    assert "not yet in the transparency log" in capsys.readouterr().err
    assert (log.checkpoint().size, len(lines(folder))) == (700, 701)


def test_a_store_that_contradicts_its_log_ends_with_its_own_code(
    salur: Callable[..., int], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    execute(folder, CHANGES["the tail cut off and numbered again"][0])
    assert salur("log", "seal") == cli.BROKEN
    assert salur("officer", "enroll", "tari", "--role", "checker", "--without-key") == cli.BROKEN
    assert "Recorded, but not taken into the transparency log" in capsys.readouterr().err
    assert salur("log", "verify") == cli.BROKEN
    assert "event 650 is not the one that was signed" in capsys.readouterr().err


def test_the_log_is_verified_with_a_kept_checkpoint_and_key(
    salur: Callable[..., int], log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert salur("log", "checkpoint") == cli.DONE
    (tmp_path / "kept").write_text(capsys.readouterr().out)
    (tmp_path / "trusted").write_text(f"{log.key}\n")
    assert salur("log", "verify", "--checkpoint", "kept", "--key", "trusted") == cli.DONE
    assert "first 700 events and continues 1 checkpoint that were kept" in capsys.readouterr().err
    turn(tmp_path / "kept", 8 * 40)
    assert salur("log", "verify", "--checkpoint", "kept") == cli.BROKEN
    assert "BROKEN log: kept: " in capsys.readouterr().err


@pytest.mark.parametrize(("named", "index"), [("699", 699), ("officer/budi/1", 3), ("ledger/1", 0)])
def test_an_event_is_proved_by_its_index_or_name(
    salur: Callable[..., int], log: Log, folder: Path, named: str, index: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert salur("log", "prove", named) == cli.DONE
    proof = Proof.parse(capsys.readouterr().out.encode())
    assert proof.index == index
    assert proof.verify(lines(folder)[index], VerifierKey.parse(str(log.key))).size == 700


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("700",), "not_in_log"),
        (("officer/nobody/1",), "thing_unknown"),
        (("officer/budi/2",), "thing_unknown"),
        (("budi",), "thing_unknown"),
        (("--consistency", "701"), "not_in_log"),
    ],
)
def test_what_is_not_in_the_log_is_not_proved(
    salur: Callable[..., int], words: tuple[str, ...], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert salur("log", "prove", *words) == cli.REFUSED
    assert f"[{code}]" in capsys.readouterr().err


def test_openssl_verifies_a_checkpoint_as_the_documents_say(log: Log, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "evidence.md").read_text(encoding="utf-8")
    [block] = re.findall(r"<!-- openssl -->\n```sh\n(.*?)```", page, re.DOTALL)
    for name in ("checkpoint", "verifier-key"):
        shutil.copy(log.folder / name, tmp_path / name)

    def openssl() -> str:
        return subprocess.run(["bash", "-c", block], cwd=tmp_path, capture_output=True, text=True).stdout

    assert "Signature Verified Successfully" in openssl()
    turn(tmp_path / "checkpoint", 8 * 25)
    assert "Signature Verified Successfully" not in openssl()


def test_duckdb_computes_the_leaves_from_the_archive_as_the_documents_say(ledger: Ledger, tmp_path: Path) -> None:
    log = create_log(tmp_path / "log", ledger.store)
    log.grow()
    [segment] = Archive(tmp_path / "archive", ledger.store, segment_events=ledger.store.size()).seal()
    expression = "sha256('\\x00'::BLOB || encode(line))"
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "evidence.md").read_text(encoding="utf-8")
    assert expression in page
    rows = duckdb.execute(f"SELECT {expression} FROM read_parquet('{segment.path}') ORDER BY log_index").fetchall()
    assert "".join(row[0] for row in rows) == log.levels.path(0).read_bytes().hex()


def test_a_new_ledger_has_its_log_unless_told_otherwise(salur: Callable[..., int], tmp_path: Path) -> None:
    assert salur("--store", "a", "init") == cli.DONE
    assert salur("--store", "a", "log", "verify") == cli.DONE
    assert salur("--store", "b", "init", "--without-log") == cli.DONE
    assert not (tmp_path / "b" / "log").exists()
    assert salur("--store", "b", "log", "seal") == cli.REFUSED


def test_a_log_kept_away_from_the_ledger_is_sealed_by_hand(
    salur: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert salur("--store", "b", "init", "--without-log") == cli.DONE
    made = ("log", "create", "--origin", "office/b", "--folder", "safe/log", "--key", "safe-key")
    assert salur("--store", "b", *made) == cli.DONE
    assert salur("--store", "b", "officer", "enroll", "siti", "--role", "maker", "--without-key") == cli.DONE
    capsys.readouterr()
    assert salur("--store", "b", "log", "seal") == cli.DONE
    assert capsys.readouterr().out == "Log office/b holds 4 events, 2 of them new.\n"
    assert salur("--store", "b", "log", "create") == cli.REFUSED
    assert salur("--store", "b", *made) == cli.DONE
    assert sorted(path.name for path in (tmp_path / "safe" / "log").iterdir()) == [
        *("checkpoint", "level-0", "lock"),
        "verifier-key",
    ]
