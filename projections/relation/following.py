"""A second process that takes events into the transparency log and the archive while a long command records them.

It does what `Log.grow` and `Archive.seal` do at the command's end, only earlier and on another core, so that little is
left to do then. Whatever becomes of it, the command finds and tells at its end.
"""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ledger.application.folder import require_ledger
from ledger.store.recorder import LedgerRecorder
from projections.relation.archive import ARCHIVE, Archive

if TYPE_CHECKING:
    from subprocess import Popen

DELAY_S = 0.5
"""A command that is done by then has no follower: to start one takes longer than to take in what it recorded."""
PAUSE_S = 0.1
EVENTS_MIN = 20_000
"""Fewer are left to the next look, or to the command's end."""
EVENTS_MAX = 200_000
"""More are taken in several times, so that the command's end does not wait long for one of them."""
SEGMENTS_MAX = 2
"""Sealed at a time, for the same reason."""
NICENESS = 5
"""What nobody waits for yet leaves the cores to what somebody waits for."""


@contextmanager
def followed(folder: Path) -> Iterator[None]:
    """Let a second process take in what is recorded in this block, if it lasts.

    Not on Windows, where nothing waits for a pipe with a time limit: the command takes all of it in at its end.
    """
    if os.name == "nt":
        yield
        return
    from threading import Timer

    started: list[Popen[bytes]] = []
    timer = Timer(DELAY_S, lambda: started.append(_start(folder)))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for process in started:
            process.communicate()  # its input ends, and so does it


def _start(folder: Path) -> "Popen[bytes]":
    from subprocess import DEVNULL, PIPE, Popen

    # Of a session of its own: an interruption from the keyboard is the command's to answer.
    words = [
        sys.executable,
        "-P",
        "-c",
        "from projections.relation.following import follow; follow()",
        str(folder.absolute()),
    ]
    return Popen(words, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True)  # noqa: S603  # our own words


def follow() -> None:
    """Take in what others record, until the input ends, as it also does when the process at its other end is killed."""
    from ledger.transparency.log import Log

    os.nice(NICENESS)
    place = require_ledger(Path(sys.argv[1]))
    with closing(place.factory()) as factory:
        recorder = cast("LedgerRecorder", factory.application_recorder())
        place.require_own(recorder)
        log = Log(place.log.folder, recorder, key=place.log.key) if place.log and place.has_own_log else None
        archive = Archive(place.folder / ARCHIVE, recorder)
        while not select.select([sys.stdin], [], [], PAUSE_S)[0]:
            if log and recorder.size() - log.checkpoint().size >= EVENTS_MIN:
                log.grow(events_max=EVENTS_MAX)
            elif archive.is_due():
                archive.seal(segments_max=SEGMENTS_MAX)
