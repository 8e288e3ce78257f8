"""A process that is killed anywhere between an event, the bytes of its hashes and the checkpoint over them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ledger.application.folder import LOG
from ledger.domain.errors import ProofFailedError
from ledger.transparency.log import Log
from ledger.transparency.merkle import Tree, verify_consistency
from tests.logged import add_log, append, assert_whole, level_files, lines, recorder_of, root_of

POINTS = 600
DRIVER = Path(__file__).with_name("log_stops.py")


@pytest.fixture(scope="module")
def base(folder_of_2020: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with its log, of 500 events, so that a tile ends soon."""
    folder = tmp_path_factory.mktemp("base") / "ledger"
    shutil.copytree(folder_of_2020, folder)
    append(folder, len(lines(folder)), 500)
    add_log(folder)
    return folder


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Path]:
    """In memory where that can be had: a kill asks nothing of a disk, and thousands of waits for one take minutes."""
    memory = Path("/dev/shm")  # noqa: S108  # a folder of its own is made in it
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(prefix="salur-", dir=memory) as folder:
        yield Path(folder)


def test_a_log_killed_anywhere_goes_on_and_never_signs_another_history(base: Path, room: Path) -> None:
    told = subprocess.run(
        [sys.executable, str(DRIVER), str(base), str(room), str(POINTS)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert told.returncode == 0, told.stderr
    assert int(told.stdout) > POINTS  # each point is another call
    whole = lines(room / "whole")
    expected = {size: root_of(whole[:size]) for size in (500, 560, 600, 660, 700, 750, 800, 850, 900, 950, 1070)}
    seen: set[tuple[bool, bool, int]] = set()

    for folder in sorted(room.glob("[0-9][0-9][0-9]")):
        recorder = recorder_of(folder)
        log = Log(folder / LOG, recorder)
        stored, signed = lines(folder), log.checkpoint()
        assert stored == whole[: len(stored)]
        assert signed.size <= len(stored)
        assert signed.root == expected.get(signed.size, b"") or signed.root == root_of(whole[: signed.size])
        hashes = log.levels.path(0).stat().st_size
        seen.add((signed.size < len(stored), hashes != 32 * signed.size, signed.size))
        old = signed
        new = log.grow()
        assert_whole(folder)
        proof = Tree(new.size, log.levels.read).consistency(old.size)
        verify_consistency(old_size=old.size, old_root=old.root, size=new.size, root=new.root, proof=proof)
        assert [each.name for each in log.folder.iterdir() if each.name.startswith("rebuild-")] == []
        recorder.datastore.close()  # type: ignore[attr-defined]

    # Stops were seen in each gap: event without hashes, hashes (whole or in part) without checkpoint, and all in step.
    assert {each[:2] for each in seen} == {(True, False), (True, True), (False, False)}
    assert len({size for *_, size in seen}) >= 5


def test_hashes_cut_off_at_any_byte_beyond_the_checkpoint_are_taken_up(base: Path, room: Path) -> None:
    """What a loss of power can leave of a file that grew: any part of it, or room without content."""
    folder = Path(shutil.copytree(base, room / "ledger"))
    append(folder, 500, 530)
    good = level_files(lines(folder))
    recorder = recorder_of(folder)
    log = Log(folder / LOG, recorder)
    checkpoint = (log.folder / "checkpoint").read_bytes()

    for cut in range(500 * 32, 530 * 32 + 1, 7):
        for rest in (b"", bytes(530 * 32 - cut)):
            log.levels.path(0).write_bytes(good["level-0"][:cut] + rest)
            log.levels.path(1).write_bytes(good["level-1"][: 32 + cut % 33])
            (log.folder / "checkpoint").write_bytes(checkpoint)
            log.grow()
            assert {path.name: path.read_bytes() for path in log.folder.glob("level-*")} == good

    recorder.datastore.close()  # type: ignore[attr-defined]


def test_two_histories_of_one_size_cannot_both_be_continued(base: Path, tmp_path: Path) -> None:
    """What a witness would see of an operator who shows each of two people another log."""
    roots = []
    for name in ("one", "other"):
        folder = Path(shutil.copytree(base, tmp_path / name))
        append(folder, 10_000 * len(name), 10_000 * len(name) + 20)
        with closing(recorder_of(folder).datastore):  # type: ignore[attr-defined]
            roots.append(Log(folder / LOG, recorder_of(folder)).grow().root)
    with pytest.raises(ProofFailedError):
        verify_consistency(old_size=520, old_root=roots[0], size=520, root=roots[1], proof=[])
