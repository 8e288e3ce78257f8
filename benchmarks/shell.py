"""What an officer waits for at the prompt: one payment and one history at two sizes of a ledger, and `salur --help`."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.office import (
    PROGRAM,
    import_people,
    new_ledger,
    payments_file,
    people_file,
    propose_and_approve,
    run_batch,
)
from benchmarks.timing import Result, median_seconds
from ledger.application.ledger import Ledger

SMALL = 100
"""Payments."""
FIRST = 20
"""Recipient from whom on both ledgers have payments."""
TIMES = 11
COMMAND_RATIO_MAX = 1.5
HELP_RATIO_MAX = 1.4
EMPTY = "import click\n@click.group()\ndef main(): pass\nmain()\n"
LOADED = (
    "import atexit, pathlib, sys, cli\n"
    "into = pathlib.Path(sys.argv.pop(1))\n"
    "atexit.register(lambda: into.write_text(' '.join(sys.modules)))\n"
    "cli.main()\n"
)
"""Runs a command and tells the modules that it loaded, in their order."""
LOAD = (
    "import contextlib, importlib, sys\n"
    "for name in sys.argv[1:]:\n"
    "    with contextlib.suppress(ImportError): importlib.import_module(name)\n"
)
"""Imports them; a few have names under which only their own package finds them."""


def one_command(folder: Path, large: Path) -> list[Result]:
    """One payment settled and one history, on a ledger of few events and on a large one, beside the bare imports."""
    small = folder / "small"
    ledger = new_ledger(small, SMALL)
    import_people(ledger, people_file(folder, SMALL))
    propose_and_approve(ledger, payments_file(folder, SMALL))
    run_batch(ledger)
    ledger.close()
    sizes = {each: _size(each) for each in (small, large)}
    results = []
    for name, words in (("payment settle", _settling(FIRST)), ("history", _histories(FIRST))):
        took = {each: _median(each, words()) for each in sizes}
        imports = _imports_seconds(small, next(words()))
        results.append(
            Result(
                work=f"salur {name}, {sizes[large]:,} events",
                measured=f"{took[large] * 1000:.0f} ms",
                peer=f"{sizes[small]:,} events: {took[small] * 1000:.0f} ms",
                limit=f"its imports: {imports * 1000:.0f} ms ({max(took.values()) / imports:.2f} x)",
                reach=f"<= {COMMAND_RATIO_MAX} x",
                is_reached=max(took.values()) / imports <= COMMAND_RATIO_MAX,
            )
        )
    return results


def start_up() -> Result:
    """`salur --help` beside the help of a click program without commands."""
    ours = median_seconds(lambda: _run([_salur(), "--help"]), times=TIMES)
    empty = median_seconds(lambda: _run([sys.executable, "-c", EMPTY, "--help"]), times=TIMES)
    return Result(
        work="salur --help",
        measured=f"{ours * 1000:.0f} ms",
        limit=f"empty click program: {empty * 1000:.0f} ms ({ours / empty:.2f} x)",
        reach=f"<= {HELP_RATIO_MAX} x",
        is_reached=ours / empty <= HELP_RATIO_MAX,
    )


def _settling(first: int) -> Callable[[], Iterator[list[str]]]:
    """Commands, each of which settles another payment."""

    def words() -> Iterator[list[str]]:
        for number in range(first, first + TIMES + 2):
            yield ["payment", "settle", f"{PROGRAM}/1/R{number:09d}", "--officer", "siti"]

    return words


def _histories(first: int) -> Callable[[], Iterator[list[str]]]:
    def words() -> Iterator[list[str]]:
        for number in range(first, first + TIMES + 2):
            yield ["history", f"R{number:09d}"]

    return words


def _median(store: Path, words: Iterator[list[str]]) -> float:
    # The first settles the write-ahead log that the building left, and has the disk read what all commands read.
    _run([_salur(), "--store", str(store), *next(words)])
    return median_seconds(lambda: _run([_salur(), "--store", str(store), *next(words)]), times=TIMES)


def _imports_seconds(store: Path, words: list[str]) -> float:
    """How long Python takes to start and import what a command imports."""
    with TemporaryDirectory() as folder:
        told = Path(folder) / "modules"
        _run([sys.executable, "-c", LOADED, str(told), "--store", str(store), *words])
        modules = [name for name in told.read_text().split() if name != "__main__"]
    return median_seconds(lambda: _run([sys.executable, "-c", LOAD, *modules]), times=TIMES)


def _size(folder: Path) -> int:
    ledger = Ledger(folder)
    size = ledger.store.size()
    ledger.close()
    return size


def _salur() -> str:
    return str(Path(sys.executable).with_name("salur"))


def _run(words: list[str]) -> None:
    # As on anybody's machine, modules are compiled once and not at every start.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=env)
