"""Records events and grows the log in a forked process, again and again on fresh copies, and kills it each time elsewhere.

`log_stops.py BASE WORK POINTS`: as `tests/survival/stops.py`, the calls that the ledger's own code makes are counted,
into Python and into C (a statement of SQLite, a write, an fsync, a rename); the process is killed at points evenly
spread from the first call to the last. Prints the number of calls.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from ledger.application.folder import LOG
from ledger.store import durable, recorder, sqlite
from ledger.transparency import log as logs
from tests.logged import recorder_of, some_rows

COUNTED = {logs.__file__, durable.__file__, recorder.__file__, sqlite.__file__}


def work(folder: Path) -> None:
    """Three appends, each followed by the log's growth in several signed steps across the edges of tiles."""
    store = recorder_of(folder)
    log = logs.Log(folder / LOG, store)
    for number in range(3):
        first = store.size()
        store.append(some_rows(first, first + 60 + 130 * number))
        log.grow()


def counting(until: int | None = None) -> Callable[[], int]:
    """Count calls from now on, and kill this process at the one of that number; returns what tells the count."""
    calls = 0

    def on_call(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += frame.f_code.co_filename in COUNTED
        if calls == until:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(on_call)
    return lambda: calls


def forked(act: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        act()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(base: Path, into: Path, points: int) -> None:
    logs.STEP_EVENTS = 100
    shutil.copytree(base, into / "warm")
    work(into / "warm")  # what is loaded late is there from now on
    shutil.copytree(base, into / "whole")
    count = counting()
    work(into / "whole")
    sys.setprofile(None)
    calls = count()
    for index in range(points):
        folder = into / f"{index:03}"
        shutil.copytree(base, folder)
        point = 1 + index * (calls - 20) // (points - 1)

        def stopped(folder: Path = folder, point: int = point) -> None:
            counting(point)
            work(folder)

        if forked(stopped) != -signal.SIGKILL:
            raise RuntimeError(f"not stopped at {point} of {calls}")
    print(calls)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
