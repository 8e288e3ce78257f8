"""Runs one command line again and again on fresh copies of a ledger and stops it by a signal, each time elsewhere.

`stops.py BASE WORK SIGNAL POINTS CHUNK_ROWS ARGUMENT…`: the command's processes are forked from this one, which has
everything loaded, and counted call by call: those that the ledger's own code and the event store's make, into Python
and into C (a statement of SQLite, an fsync, a rename). A first copy runs to its end and is counted; each of the others
is stopped at a point of its own, evenly spread from the first call to the last, and then the same command is run again
to its end. `@` in an argument stands for the desk's folder. Prints a JSON object for each point.
"""

import contextlib
import io
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

import eventsourcing.sqlite

import cli
import ledger
from ledger.application import chunks, disbursement, grants, listed, registration

COUNTED = (
    str(Path(ledger.__file__).parent),
    str(Path(eventsourcing.sqlite.__file__).parent),
    cli.__file__,
    tempfile.__file__,
)
"""Files whose calls are points to stop at: those of other libraries are many, and nothing happens between them."""


def forked(desk: Path, arguments: list[str], name: str, watch: Callable[[], None] = lambda: None) -> int:
    """Carry out the command line in a process of its own; its exit code, or the negative number of its signal."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.chdir(desk)
        for number, channel in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"{name}.{channel}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        watch()
        code = cli.run(arguments)
        sys.setprofile(None)
        sys.stdout.flush()
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def count_calls(into: Path) -> None:
    """Write the number of calls made from now on into a file, until `sys.setprofile` is called."""
    calls = 0

    def on_call(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += frame.f_code.co_filename.startswith(COUNTED)
        if argument is sys.setprofile:
            into.write_text(str(calls))

    sys.setprofile(on_call)


def stop_at(point: int, by: signal.Signals) -> None:
    """Send this process the signal at the call of that number, or at the return from it."""
    calls = 0

    def on_call(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += frame.f_code.co_filename.startswith(COUNTED)
        # Python tells of an interruption in a destructor, and goes on.
        if calls >= point and not (by is signal.SIGINT and _in_destructor(frame)):
            sys.setprofile(None)
            os.kill(os.getpid(), by)

    sys.setprofile(on_call)


def _in_destructor(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


def main(base: Path, work: Path, by: signal.Signals, points: int, chunk_rows: int, arguments: list[str]) -> None:
    for module in (chunks, registration, grants, listed, disbursement):
        module.CHUNK_ROWS = chunk_rows  # type: ignore[attr-defined]

    def prepared(name: str) -> tuple[Path, list[str]]:
        desk = work / name
        shutil.copytree(base, desk)
        return desk, [argument.replace("@", str(desk)) for argument in arguments]

    # Everything that a command imports and loads late is there once it has run in this process.
    desk, whole = prepared("warm")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), contextlib.chdir(desk):
        cli.run(whole)
    desk, whole = prepared("whole")
    code = forked(desk, whole, "first", lambda: count_calls(work / "calls"))
    calls = int((work / "calls").read_text())
    print(json.dumps({"desk": str(desk), "point": calls, "stopped": code, "again": code}))
    for index in range(points):
        desk, whole = prepared(f"{index:03}")
        point = 3 + index * (calls - 6) // (points - 1)  # not before the command's first line, nor after its last
        stopped = forked(desk, whole, "first", partial(stop_at, point, by))
        again = forked(desk, whole, "again")
        print(json.dumps({"desk": str(desk), "point": point, "stopped": stopped, "again": again}))


if __name__ == "__main__":
    _, base, work, by, points, chunk_rows, *arguments = sys.argv
    main(Path(base), Path(work), signal.Signals[by], int(points), int(chunk_rows), arguments)
