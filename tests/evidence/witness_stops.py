"""Asks a witness over HTTP in a forked process, again and again on fresh folders, and kills it each time at another call.

`witness_stops.py WORK`: the calls that a request makes in the witness and in Python's own HTTP server are counted, into
Python and into C (a write, an fsync, a rename, a send), over two requests, and the process is killed at the first, the
third, the fifth and so on, until it outlives both. Then the witness is opened again and asked for another history. Prints a JSON
object for each stop: the sizes cosigned to whoever asked, the size on disk, and what was cosigned of the other history.
"""

import http.client
import http.server
import json
import os
import shutil
import signal
import socketserver
import sys
import threading
from itertools import count
from pathlib import Path
from types import FrameType

from ledger.application import folder as folders
from ledger.transparency import witness as witnesses
from ledger.transparency import witness_server
from ledger.transparency.witness import Witness
from ledger.transparency.witness_server import WitnessServer
from tests.witnessing import History, ask, clock, history, witness_of

COUNTED = {each.__file__ for each in (witnesses, witness_server, folders, http.server, socketserver)}
LOG = history("log.example")


def serve_until_killed(server: WitnessServer, at: int) -> None:
    calls = 0

    def on_call(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += frame.f_code.co_filename in COUNTED
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(on_call)
    server.serve_forever()


def answered(url: str) -> list[int]:
    """The sizes of the true history that were cosigned to whoever asked."""
    sizes: list[int] = []
    for before, size in ((0, 20), (20, 40)):
        try:
            status, _, body = ask(url, LOG.request(before, size))
        except (OSError, http.client.HTTPException):
            continue
        if status == 200 and body.endswith(b"=\n"):
            sizes.append(size)
    return sizes


def cosigned(witness: Witness, other: History) -> list[int]:
    """The sizes of the other history that the witness cosigns now."""
    asked = [(0, 20), (0, 40), (20, 40), (40, 40), (20, 20)]
    return [
        size
        for before, size in asked
        if witness.add_checkpoint(other.request(before, size), now=clock).status == http.HTTPStatus.OK
    ]


def main(work: Path) -> None:
    made = witness_of(work / "made", "witness.example", LOG.verifier_key)
    for at in count(1, 2):
        folder = Path(shutil.copytree(made.folder, work / str(at)))
        server = WitnessServer(("127.0.0.1", 0), Witness(folder), now=clock)
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            serve_until_killed(server, at)
        server.server_close()
        sizes = answered(server.url())
        if len(sizes) == 2:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return
        os.waitpid(child, 0)
        witness = Witness(folder)
        [(_, held)] = witness.logs()
        print(json.dumps({"answered": sizes, "held": held.size, "other": cosigned(witness, LOG.rewritten(5))}))
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
