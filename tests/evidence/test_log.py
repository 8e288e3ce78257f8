"""The log holds every event, signs nothing that contradicts what it signed before, and mends what is not lost."""

import multiprocessing
import shutil
import stat
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledger.application import officers
from ledger.application.folder import LOG
from ledger.application.ledger import Ledger
from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.event import Role
from ledger.transparency import log as logs
from ledger.transparency.errors import LogKeyError
from ledger.transparency.log import Log, create_log
from ledger.transparency.merkle import Tree, leaf_hash, verify_consistency, verify_inclusion
from ledger.transparency.notes import Note, Proof
from projections.relation.archive import Archive
from tests.acts import SITI, now
from tests.logged import (
    append,
    assert_whole,
    cut_to,
    execute,
    level_files,
    lines,
    recorder_of,
    root_of,
    some_rows,
    turn,
)

SIZE = 700
"""Of the log in `folder`."""


def checkpoint_bytes(log: Log) -> bytes:
    return (log.folder / logs.CHECKPOINT).read_bytes()


def test_the_log_has_the_root_of_all_events_and_a_file_a_level(folder: Path) -> None:
    assert_whole(folder)


def test_a_leaf_is_the_line_that_the_archive_keeps(ledger: Ledger, tmp_path: Path) -> None:
    [segment] = Archive(tmp_path / "archive", ledger.store, segment_events=ledger.store.size()).seal()
    kept = duckdb.execute(f"SELECT encode(line) FROM read_parquet('{segment.path}') ORDER BY log_index").fetchall()
    assert [line for block in ledger.store.leaves() for line in block] == [line for (line,) in kept]
    assert ledger.fingerprint == sha256(kept[0][0]).hexdigest()


def test_a_new_log_is_named_after_the_first_event_unless_it_is_given_a_name(
    log: Log, folder: Path, tmp_path: Path
) -> None:
    assert log.key.name == f"salur/{leaf_hash(lines(folder)[0]).hex()[:16]}"
    named = create_log(tmp_path / "named", log.recorder, origin="kemnaker.go.id/bsu")
    assert named.grow().origin == "kemnaker.go.id/bsu"


def test_only_its_owner_can_read_the_key(log: Log) -> None:
    assert stat.S_IMODE((log.folder / logs.KEY).stat().st_mode) == 0o600


@pytest.mark.parametrize("steps", [[701], [702, 703, 767, 768, 769], [1023, 1024, 1025], [1300], [701, 1281]])
def test_however_a_log_grows_it_comes_to_the_same(folder: Path, log: Log, steps: list[int]) -> None:
    signed = [log.checkpoint()]
    before = SIZE
    for size in steps:
        append(folder, before, size)
        signed.append(log.grow())
        before = size
    assert_whole(folder)
    for later in signed:
        for earlier in signed:
            if earlier.size <= later.size:
                verify_consistency(
                    old_size=earlier.size,
                    old_root=earlier.root,
                    size=later.size,
                    root=later.root,
                    proof=Tree(later.size, log.levels.read).consistency(earlier.size),
                )


def test_a_log_grows_in_steps_each_of_which_is_signed(folder: Path, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    append(folder, SIZE, 1_500)
    monkeypatch.setattr(logs, "STEP_EVENTS", 100)
    told: list[int] = []

    assert log.grow(told.append, events_max=250).size == SIZE + 250
    log.grow(told.append)

    assert sum(told) == 1_500 - SIZE
    assert_whole(folder)


def test_nothing_is_signed_where_nothing_is_new(log: Log) -> None:
    before = checkpoint_bytes(log), (log.folder / logs.CHECKPOINT).stat().st_mtime_ns
    log.grow()
    assert (checkpoint_bytes(log), (log.folder / logs.CHECKPOINT).stat().st_mtime_ns) == before


def test_every_event_is_proved_with_its_line(folder: Path, log: Log) -> None:
    stored = lines(folder)
    for index in (0, 1, 255, 256, 511, 512, SIZE - 1):
        proof = Proof.parse(str(log.prove(index)).encode())
        assert proof.extra == stored[index]
        assert proof.verify(stored[index], log.key).size == SIZE


def test_a_checkpoint_is_proved_to_continue_an_earlier_one(folder: Path, log: Log) -> None:
    old = log.checkpoint()
    append(folder, SIZE, 1_000)
    new = log.grow()

    head, _, note = log.prove_consistency(old.size).partition("\n\n")

    said, *hashes = head.split("\n")
    assert said == f"old {SIZE}"
    assert Note.parse(note.encode()) == log.note()
    proof = [b64decode(each) for each in hashes]
    verify_consistency(old_size=old.size, old_root=old.root, size=new.size, root=new.root, proof=proof)


# What contradicts the log


CHANGES: dict[str, str] = {
    "the last event changed": "UPDATE stored_events SET state=CAST('{\"number\":0}' AS BLOB) WHERE rowid=700",
    "the last event of another stream": "UPDATE stored_events SET originator_id='thing/x' WHERE rowid=700",
    "the last event of another version": "UPDATE stored_events SET originator_version=2 WHERE rowid=700",
    "the last event of another topic": "UPDATE stored_events SET topic='Thing.v2' WHERE rowid=700",
    "the last event removed": "DELETE FROM stored_events WHERE rowid=700",
    "the tail removed": "DELETE FROM stored_events WHERE rowid>600",
    "everything removed": "DELETE FROM stored_events",
    "an event removed and the tail numbered again": "DELETE FROM stored_events WHERE rowid=650;"
    " UPDATE stored_events SET rowid=rowid-1 WHERE rowid>650;"
    " INSERT INTO stored_events VALUES ('thing/new', 1, 'Thing.v1', CAST('{\"number\":1}' AS BLOB))",
    "the tail numbered again": "DELETE FROM stored_events WHERE rowid>690;"
    " INSERT INTO stored_events SELECT 'other/'||rowid, 1, topic, state FROM stored_events LIMIT 50",
    "the first event removed": "DELETE FROM stored_events WHERE rowid=1; DELETE FROM stored_events WHERE rowid=700",
    "a line's end in the last event": "UPDATE stored_events SET state=CAST(state AS TEXT)||char(10) WHERE rowid=700",
    "no state in the last event": "UPDATE stored_events SET state=zeroblob(0) WHERE rowid=700",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("more", [0, 10])
def test_a_store_that_contradicts_the_log_is_never_signed(folder: Path, log: Log, change: str, more: int) -> None:
    before = checkpoint_bytes(log)
    execute(folder, CHANGES[change])
    with suppress(IntegrityBrokenError):  # the store looks for the first event, and stores nothing where it is gone
        append(folder, 10_000, 10_000 + more)

    for act in (log.grow, log.rebuild):
        with pytest.raises(IntegrityBrokenError):
            act()

    assert checkpoint_bytes(log) == before


def test_an_old_store_put_back_is_never_signed(folder: Path, log: Log, tmp_path: Path) -> None:
    execute(folder, "PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(folder / "events.db", tmp_path / "old.db")
    append(folder, SIZE, 800)
    log.grow()
    before = checkpoint_bytes(log)
    log.recorder.datastore.close()  # type: ignore[attr-defined]

    shutil.copy(tmp_path / "old.db", folder / "events.db")
    append(folder, 900, 1_000)  # as many events as before, but others

    with pytest.raises(IntegrityBrokenError):
        Log(folder / LOG, recorder_of(folder)).grow()
    assert checkpoint_bytes(log) == before


def test_a_gap_in_the_new_events_is_not_signed(folder: Path, log: Log) -> None:
    before = checkpoint_bytes(log)
    append(folder, SIZE, 720)
    execute(folder, "DELETE FROM stored_events WHERE rowid=710")

    with pytest.raises(IntegrityBrokenError, match="events 700 to"):
        log.grow()

    assert checkpoint_bytes(log) == before


# Files that are damaged


def on_file(name: str, damage: Callable[[Path], object], folder: Path) -> None:
    damage(folder / name)


def _cut(size_bytes: int, path: Path) -> None:
    cut_to(path, size_bytes)


def _zero(size_bytes: int, path: Path) -> None:
    path.write_bytes(bytes(size_bytes))


def _turn(bit: int, path: Path) -> None:
    turn(path, bit)


def damages() -> Iterator[tuple[str, Callable[[Path], None]]]:
    for name, size_bytes in (("level-0", 32 * SIZE), ("level-1", 64)):
        for cut in {0, 1, 31, 32, 33, size_bytes // 2, size_bytes - 32, size_bytes - 1}:
            yield f"{name} cut to {cut}", partial(on_file, name, partial(_cut, cut))
        yield f"{name} gone", partial(on_file, name, Path.unlink)
        yield f"{name} zeroed", partial(on_file, name, partial(_zero, size_bytes))
        yield (
            f"{name} with more",
            partial(on_file, name, lambda path: path.write_bytes(path.read_bytes() + b"x" * 1_000)),
        )
    # Of those hashes that the signed root is computed from at once; of the others `verify` tells.
    for name, places in (("level-0", (512, 600, 699)), ("level-1", (0, 1))):
        for place in places:
            for bit in (0, 131, 255):
                yield (
                    f"{name} hash {place} bit {bit}",
                    partial(on_file, name, partial(_turn, place * 256 + bit)),
                )


@pytest.mark.parametrize("damage", [pytest.param(act, id=name) for name, act in damages()])
@pytest.mark.parametrize("more", [0, 100])
def test_damaged_files_of_hashes_are_made_anew_from_the_store(
    folder: Path, log: Log, damage: Callable[[Path], None], more: int
) -> None:
    damage(log.folder)
    append(folder, SIZE, SIZE + more)

    log.grow()

    stored = lines(folder)
    assert log.checkpoint().root == root_of(stored)
    log.rebuild()  # also what no root was computed from yet, such as what lies beyond the end
    assert_whole(folder)


def test_a_hash_that_is_damaged_deep_inside_is_found_when_it_is_asked_for(log: Log, folder: Path) -> None:
    turn(log.levels.path(0), 256 * 7)
    with pytest.raises(IntegrityBrokenError, match="event 6 is not proved"):
        log.prove(6)
    log.rebuild()
    assert_whole(folder)


def test_no_bit_of_the_checkpoint_can_be_turned(log: Log) -> None:
    path = log.folder / logs.CHECKPOINT
    good = path.read_bytes()
    for bit in range(0, 8 * len(good), 3):
        turn(path, bit)
        with pytest.raises(IntegrityBrokenError, match="checkpoint"):
            log.grow()
        path.write_bytes(good)


def test_a_log_whose_checkpoint_is_gone_is_not_begun_again(folder: Path, log: Log) -> None:
    (log.folder / logs.CHECKPOINT).unlink()
    with pytest.raises(IntegrityBrokenError, match="no checkpoint"):
        create_log(log.folder, log.recorder)


def test_what_a_killed_rebuilding_left_is_cleared_away_by_the_next(log: Log) -> None:
    (log.folder / "rebuild-abc").mkdir()
    (log.folder / "rebuild-abc" / "level-0").write_bytes(bytes(1_000))
    log.rebuild()
    assert [path.name for path in log.folder.glob("rebuild-*")] == []


# Keys


def test_the_key_may_lie_elsewhere_as_bytes_or_as_pem(folder: Path, log: Log, tmp_path: Path) -> None:
    seed = (log.folder / logs.KEY).read_bytes()
    (log.folder / logs.KEY).unlink()
    pem = Ed25519PrivateKey.from_private_bytes(seed).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for number, content in enumerate((seed, pem)):
        path = tmp_path / f"key-{number}"
        path.write_bytes(content)
        append(folder, SIZE + number, SIZE + number + 1)
        assert Log(log.folder, log.recorder, key=path).grow().size == SIZE + number + 1
    assert_whole(folder)


def test_a_log_can_be_read_without_its_key_but_not_signed(folder: Path, log: Log) -> None:
    (log.folder / logs.KEY).unlink()
    before = checkpoint_bytes(log)
    assert log.prove(3).index == 3
    assert log.grow().size == SIZE
    append(folder, SIZE, SIZE + 1)
    with pytest.raises(LogKeyError):
        log.grow()
    assert checkpoint_bytes(log) == before


@pytest.mark.parametrize("content", [b"", bytes(31), bytes(32), bytes(33), b"-----BEGIN PRIVATE KEY-----\n"])
def test_another_key_signs_nothing(folder: Path, log: Log, content: bytes) -> None:
    (log.folder / logs.KEY).write_bytes(content)
    append(folder, SIZE, SIZE + 1)
    before = checkpoint_bytes(log)
    with pytest.raises(LogKeyError):
        log.grow()
    assert checkpoint_bytes(log) == before


# Several at once


def _grow_many(folder: Path, number: int) -> None:
    recorder = recorder_of(folder)
    log = Log(folder / LOG, recorder)
    for each in range(25):
        recorder.append(some_rows(10_000 * (number + 1) + 10 * each, 10_000 * (number + 1) + 10 * each + 10))
        log.grow()


def test_processes_that_grow_the_log_at_once_grow_one_log(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_grow_many, args=(folder, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0

    assert len(lines(folder)) == SIZE + 4 * 25 * 10
    assert_whole(folder)


def test_the_log_of_a_real_ledger_proves_what_its_officers_did(ledger: Ledger) -> None:
    log = create_log(ledger.folder / LOG, ledger.store)
    officers.enroll(ledger, SITI, officer_id="tari", roles=(Role.CHECKER,))
    signed = log.grow()
    index = ledger.store.position("officer/tari", 1)
    proof = log.prove(index)
    assert proof.extra is not None
    assert b'"officer_id":"tari"' in proof.extra
    verify_inclusion(
        index=index, size=signed.size, leaf=leaf_hash(proof.extra), proof=list(proof.hashes), root=signed.root
    )
    assert now().date().isoformat().encode() in proof.extra


def test_the_levels_written_here_are_those_of_the_definition() -> None:
    # 70,000 leaves: the example of C2SP tlog-tiles.
    files = level_files([b"%d" % number for number in range(70_000)])
    assert [len(files[f"level-{level}"]) // 32 for level in range(3)] == [70_000, 273, 1]
