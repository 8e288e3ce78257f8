"""The second process that takes events into the log while a command is still recording them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ledger.transparency.log import Log
from projections.relation.archive import ARCHIVE, SEGMENT_EVENTS, Archive
from projections.relation.following import EVENTS_MIN, followed
from tests.logged import append, assert_whole

WAIT_S = 60
COMMAND = """
import sys, time
from pathlib import Path
from projections.relation.following import followed
with followed(Path(sys.argv[1])):
    print("begun", flush=True)
    time.sleep(600)
"""


def wait_for(what: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def followers(folder: Path) -> list[int]:
    """The processes that follow a ledger, by their command lines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(word.endswith(b"; follow()") for word in words) and str(folder).encode() in words:
            found.append(int(path.parent.name))
    return found


def test_events_are_in_the_log_before_the_command_that_records_them_ends(folder: Path, log: Log) -> None:
    with followed(folder):
        append(folder, 700, 700 + EVENTS_MIN)
        wait_for(lambda: log.checkpoint().size == 700 + EVENTS_MIN)
        append(folder, 700 + EVENTS_MIN, 710 + EVENTS_MIN)  # too few to be worth a look of its own

    assert log.checkpoint().size == 700 + EVENTS_MIN
    assert followers(folder) == []
    assert log.grow().size == 710 + EVENTS_MIN


def test_segments_are_sealed_before_the_command_that_fills_them_ends(folder: Path, log: Log) -> None:
    with followed(folder):
        append(folder, 700, SEGMENT_EVENTS)
        wait_for(lambda: list((folder / ARCHIVE).glob("events-*")))
    archive = Archive(folder / ARCHIVE, log.recorder)
    assert [(each.first, each.last) for each in archive.segments()] == [(0, SEGMENT_EVENTS - 1)]
    assert not archive.is_due()


def test_a_command_that_is_soon_done_has_no_follower(folder: Path, log: Log) -> None:
    with followed(folder):
        append(folder, 700, 710)
        assert followers(folder) == []
    log.grow()
    assert_whole(folder)


def test_a_follower_ends_with_its_command_and_not_before(folder: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", COMMAND, str(folder)], stdout=subprocess.PIPE)
    try:
        wait_for(lambda: followers(folder))
        [follower] = followers(folder)
        assert os.getsid(follower) != os.getsid(process.pid)  # an interruption from the keyboard does not reach it
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    wait_for(lambda: not followers(folder))
