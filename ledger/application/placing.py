"""A second process that places people in the vault, a chunk ahead of the one that is being registered.

Sealing and finding people is half of the work of registering them, and it shares nothing with the other half.
"""

import gc
import marshal
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, BinaryIO

from ledger.application.folder import require_ledger
from ledger.domain.recipient import SharedAccount
from ledger.vault.person import Person
from ledger.vault.vault import AccountShared, Placed

People = Sequence[tuple[Person, SharedAccount | None]]
Places = list[Placed | AccountShared]
_LENGTH = struct.Struct(">Q")


class PlacingAhead:
    """The vault in a process of its own: hand people over, do something else, and take where they stand."""

    def __init__(self, folder: Path) -> None:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603  # this program itself
            [sys.executable, "-P", "-m", "ledger.application.placing", str(folder.resolve())],
            stdin=theirs_in,
            stdout=theirs_out,
            stderr=subprocess.DEVNULL,  # the first process meets the same trouble again, and says it
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._from, self._to = open(ours_in, "rb"), open(ours_out, "wb")  # noqa: PTH123, SIM115  # pipes, closed by `close`

    def hand_over(self, people: People) -> None:
        """Have people placed; before the next ones are handed over, take these."""
        with suppress(BrokenPipeError):
            _send(self._to, [(tuple(person), str(shared or "")) for person, shared in people])

    def take(self) -> Places | None:
        """The places of the people handed over; None where the second process failed."""
        with suppress(EOFError):
            return [Placed(*each) if each else AccountShared() for each in _received(self._from)]
        return None

    def close(self) -> None:
        """Let the process end, once it has finished what it does."""
        with suppress(BrokenPipeError):
            self._to.close()
        self._from.close()
        self._process.wait()


def _send(pipe: BinaryIO, rows: list[Any]) -> None:
    data = marshal.dumps(rows)
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _received(pipe: BinaryIO) -> list[Any]:
    header = pipe.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        raise EOFError
    rows: list[Any] = marshal.loads(pipe.read(*_LENGTH.unpack(header)))  # noqa: S302  # this program's own, on a pipe of its own
    return rows


def _serve(folder: Path) -> None:
    """Place the people that standard input brings, until it ends."""
    # The officer interrupts the first process; this one ends when the first is gone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # no objects here hold each other, and Python's search for such takes a quarter of the time
    with closing(require_ledger(folder).vault()) as vault, suppress(EOFError, BrokenPipeError):
        while True:
            handed = _received(sys.stdin.buffer)
            placed = vault.place(
                [(Person(*person), SharedAccount(shared) if shared else None) for person, shared in handed]
            )
            _send(sys.stdout.buffer, [tuple(each) if isinstance(each, Placed) else None for each in placed])


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
