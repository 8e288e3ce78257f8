"""A log that requires witnesses gives outsiders only what enough of them cosigned."""

import shutil
import threading
from pathlib import Path

import pytest

from ledger.application.folder import LOG
from ledger.domain.errors import IntegrityBrokenError
from ledger.transparency.errors import CheckpointUnpublishedError, QuorumMissedError
from ledger.transparency.log import Log, create_log
from ledger.transparency.notes import Note, VerifierKey, checkpoint_of
from ledger.transparency.quorum import (
    PUBLISHED,
    Required,
    RequiredWitness,
    publish,
    published,
    require_quorum,
    require_witnesses,
    required,
)
from projections.audit.log_check import verify
from projections.audit.published import export
from tests.logged import append, execute, recorder_of, turn
from tests.witnessing import NAMES


def size_published(log: Log) -> int:
    return checkpoint_of(published(log), log.key).size


def test_a_published_checkpoint_carries_its_cosignatures(log: Log, witnesses: list[RequiredWitness]) -> None:
    require_witnesses(log, Required(tuple(witnesses), 3))
    found = publish(log)
    assert (found.cosigned, found.problems) == (3, ())
    assert found.note == published(log) == Note.parse((log.folder / PUBLISHED).read_bytes())
    assert found.note.text == log.note().text
    keys = [each.key for each in witnesses]
    assert require_quorum(found.note, log.key, keys, 3) == log.checkpoint()
    assert [key for key, _ in found.note.verified([log.key, *keys])] == [log.key, *keys]


def test_a_log_goes_on_by_itself_and_its_witnesses_follow(
    log: Log, folder: Path, witnesses: list[RequiredWitness]
) -> None:
    require_witnesses(log, Required(tuple(witnesses), 3))
    publish(log)
    before = 700
    for size in (701, 767, 768, 1_025):
        append(folder, before, size)
        log.grow()
        assert size_published(log) == before
        publish(log)
        assert size_published(log) == size
        before = size


def test_a_checkpoint_that_is_published_is_not_asked_for_again(log: Log, witnesses: list[RequiredWitness]) -> None:
    require_witnesses(log, Required(tuple(witnesses), 2))
    first = publish(log).note
    elsewhere = tuple(RequiredWitness(each.key, "http://127.0.0.1:1") for each in witnesses)
    require_witnesses(log, Required(elsewhere, 3))
    assert publish(log).note == first


def test_a_witness_at_another_size_is_proved_to_from_there(
    log: Log, folder: Path, witnesses: list[RequiredWitness]
) -> None:
    """The second has missed a checkpoint, the third has seen one that was never published."""
    require_witnesses(log, Required(tuple(witnesses[:1]), 1))
    publish(log)
    append(folder, 700, 750)
    log.grow()
    require_witnesses(log, Required((witnesses[2], RequiredWitness(witnesses[1].key, "http://127.0.0.1:1")), 2))
    with pytest.raises(QuorumMissedError):
        publish(log)
    append(folder, 750, 800)
    log.grow()
    require_witnesses(log, Required(tuple(witnesses), 3))
    assert publish(log).cosigned == 3


def test_below_the_quorum_the_checkpoint_published_before_stays(
    log: Log, folder: Path, witnesses: list[RequiredWitness]
) -> None:
    require_witnesses(log, Required(tuple(witnesses), 3))
    with pytest.raises(CheckpointUnpublishedError):
        published(log)
    before = publish(log).note
    append(folder, 700, 710)
    log.grow()
    away = RequiredWitness(witnesses[2].key, "http://127.0.0.1:1")
    require_witnesses(log, Required((*witnesses[:2], away), 3))

    with pytest.raises(QuorumMissedError) as missed:
        publish(log)

    assert (missed.value.cosigned, missed.value.quorum, missed.value.size) == (2, 3, 710)
    assert missed.value.problems == "three.example: it cannot be reached (Connection refused)"
    assert published(log) == before
    assert log.checkpoint().size == 710
    require_witnesses(log, Required((*witnesses[:2], away), 2))
    found = publish(log)
    assert (found.cosigned, found.problems) == (2, (missed.value.problems,))
    assert size_published(log) == 710


def test_a_greater_quorum_unpublishes_what_has_too_few(log: Log, witnesses: list[RequiredWitness]) -> None:
    require_witnesses(log, Required(tuple(witnesses[:1]), 1))
    publish(log)
    require_witnesses(log, Required(tuple(witnesses), 2))
    with pytest.raises(CheckpointUnpublishedError):
        published(log)
    publish(log)
    assert size_published(log) == 700


def test_outsiders_are_given_no_more_than_is_published(
    log: Log, folder: Path, witnesses: list[RequiredWitness], tmp_path: Path
) -> None:
    require_witnesses(log, Required(tuple(witnesses), 3))
    with pytest.raises(CheckpointUnpublishedError):
        export(log, tmp_path / "out")
    publish(log)
    append(folder, 700, 710)
    log.grow()
    assert export(log, tmp_path / "out") == 700
    assert (tmp_path / "out" / "checkpoint").read_bytes() == str(published(log)).encode()
    publish(log)
    assert export(log, tmp_path / "out") == 710
    require_witnesses(log, None)
    assert required(log.folder) is None
    assert published(log) == log.note()
    append(folder, 710, 711)
    log.grow()
    assert export(log, tmp_path / "out") == 711


# Rewritten histories


def test_a_ledger_whose_history_was_rewritten_is_not_cosigned(
    log: Log, folder: Path, made: Path, witnesses: list[RequiredWitness], tmp_path: Path
) -> None:
    """The operator has the key, and makes the whole log anew over other events: of the same size, shorter, longer."""
    require_witnesses(log, Required(tuple(witnesses), 1))
    publish(log)
    reasons = {
        700: "it has cosigned another history of this size",
        690: "it has already cosigned 700 events, which this log has not",
        750: "it has cosigned another history",
    }
    for size, reason in reasons.items():
        other = Path(shutil.copytree(made, tmp_path / f"other-{size}"))
        execute(other, "DELETE FROM stored_events WHERE rowid > 600")
        append(other, 5_000, 5_000 + size - 600)
        sign_anew(other)
        with_other_history = Log(other / LOG, recorder_of(other))
        require_witnesses(with_other_history, Required(tuple(witnesses), 1))

        with pytest.raises(QuorumMissedError) as missed:
            publish(with_other_history)

        assert missed.value.cosigned == 0
        assert missed.value.problems == ", ".join(f"{name}: {reason}" for name in NAMES)
        with pytest.raises(CheckpointUnpublishedError):
            published(with_other_history)
        with_other_history.recorder.datastore.close()  # type: ignore[attr-defined]
    append(folder, 700, 750)
    log.grow()
    assert publish(log).cosigned == 3


def sign_anew(folder: Path) -> None:
    """What somebody with the key and the database can do: a true log of other events, under the same name."""
    place = folder / LOG
    name = VerifierKey.parse((place / "verifier-key").read_text().strip()).name
    for path in [*place.glob("level-*"), place / "checkpoint"]:
        path.unlink()
    recorder = recorder_of(folder)
    create_log(place, recorder, origin=name).grow()
    recorder.datastore.close()  # type: ignore[attr-defined]


def test_a_log_that_does_not_continue_what_it_published_asks_nobody(
    log: Log, folder: Path, made: Path, witnesses: list[RequiredWitness], tmp_path: Path
) -> None:
    require_witnesses(log, Required(tuple(witnesses), 3))
    publish(log)
    other = Path(shutil.copytree(made, tmp_path / "other"))
    execute(other, "DELETE FROM stored_events WHERE rowid > 600")
    append(other, 5_000, 5_200)
    sign_anew(other)
    for name in ("witnesses", PUBLISHED):
        shutil.copy(log.folder / name, other / LOG / name)
    changed = Log(other / LOG, recorder_of(other))
    with pytest.raises(IntegrityBrokenError, match="does not continue"):
        publish(changed)
    assert verify(changed).broken == (
        f"{changed.folder / PUBLISHED}: the log's first 700 events are not those it was signed over",
    )
    changed.recorder.datastore.close()  # type: ignore[attr-defined]


def test_no_bit_of_a_published_checkpoint_can_be_turned(log: Log, witnesses: list[RequiredWitness]) -> None:
    require_witnesses(log, Required(tuple(witnesses), 3))
    good = publish(log).note
    path = log.folder / PUBLISHED
    for bit in range(0, 8 * path.stat().st_size, 3):
        turn(path, bit)
        # A bit of a witness's name or key id makes a stranger of it, who is not counted.
        with pytest.raises((IntegrityBrokenError, CheckpointUnpublishedError)):
            published(log)
        turn(path, bit)
    assert published(log) == good


def test_several_who_publish_at_once_publish_the_newest(
    log: Log, folder: Path, witnesses: list[RequiredWitness]
) -> None:
    require_witnesses(log, Required(tuple(witnesses), 3))
    problems: list[Exception] = []

    def go_on(number: int) -> None:
        recorder = recorder_of(folder)
        mine = Log(folder / LOG, recorder)
        try:
            for each in range(5):
                append(folder, 10_000 * number + each, 10_000 * number + each + 1)
                mine.grow()
                publish(mine)
        except Exception as error:  # noqa: BLE001  # raised below
            problems.append(error)
        recorder.datastore.close()  # type: ignore[attr-defined]

    threads = [threading.Thread(target=go_on, args=(number,)) for number in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert size_published(log) == log.checkpoint().size == 720
