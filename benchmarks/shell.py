"""What an officer waits for at the prompt: one write at two sizes of a ledger, and `salur --help`."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks.payments import approved_batch
from benchmarks.timing import Result, median_seconds
from ledger import disbursement
from ledger.application import Command

SMALL, LARGE = 1, 50_000
"""Payments; with their registrations the large ledger holds 100,000 events."""
TIMES = 15
ONE_WRITE_RATIO_MAX = 1.1
"""A tenth over equal is the noise of two medians."""
HELP_RATIO_MAX = 2.0
EMPTY = "import click\n@click.group()\ndef main(): pass\nmain()\n"


def one_write(folder: Path) -> Result:
    """One write from the shell on a ledger of 100,000 events, beside the same on an empty one."""
    took = {}
    for payments in (SMALL, LARGE):
        ledger, batch_id = approved_batch(folder / str(payments), payments)
        disbursement.run(ledger, Command("siti", ledger.now().date()), batch_id=batch_id, on_reject=_ignore)
        size = ledger.store.size()
        ledger.close()
        # A first write of its own settles the write-ahead log that the building left.
        _stock(folder / str(payments))
        took[payments] = (median_seconds(partial(_stock, folder / str(payments)), times=TIMES), size)
    (small, _), (large, size) = took[SMALL], took[LARGE]
    return Result(
        work=f"one CLI write, {size:,} events",
        measured=f"{large * 1000:.0f} ms",
        peer="",
        limit=f"empty ledger: {small * 1000:.0f} ms ({large / small:.2f} x)",
        reach=f"<= {ONE_WRITE_RATIO_MAX} x",
        is_reached=large / small <= ONE_WRITE_RATIO_MAX,
    )


def start_up() -> Result:
    """`salur --help` beside the help of a click program without commands."""
    ours = median_seconds(lambda: _run([_salur(), "--help"]), times=TIMES)
    empty = median_seconds(lambda: _run([sys.executable, "-c", EMPTY, "--help"]), times=TIMES)
    return Result(
        work="salur --help",
        measured=f"{ours * 1000:.0f} ms",
        peer="",
        limit=f"empty click program: {empty * 1000:.0f} ms ({ours / empty:.2f} x)",
        reach=f"< {HELP_RATIO_MAX} x",
        is_reached=ours / empty < HELP_RATIO_MAX,
    )


def _salur() -> str:
    return str(Path(sys.executable).with_name("salur"))


def _stock(store: Path) -> None:
    words = ["goods", "stock", "mask", "10", "--unit", "piece", "--from", "BLK Bekasi", "--officer", "siti"]
    _run([_salur(), "--store", str(store), *words])


def _run(words: list[str]) -> None:
    # As on anybody's machine, modules are compiled once and not at every start.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=env)


def _ignore(reject: object, error: Exception | None) -> None:
    raise AssertionError(reject) from error
