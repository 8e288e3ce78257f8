"""A file of people with every kind of dirt in it, and what must become of each of its rows.

`python -m tests.survival.dirty_file [--rows N] [--seed S] [--folder F]` makes such a file, imports it with the real
command, holds every refused row's line and code against what was put there, and prints the speed and the peak memory
of the process.
"""

import csv
import json
import random
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from seeds.nation import Nation, Person
from tests.survival.office import SALUR, Ended, Office

HEADER = "nik,name,account,category,region,shared_account"
ELSEWHERE = 500
"""People, the first of the nation, who are registered before from another file."""
LONG_CELL = "panjang " * 600
NARROW = (
    "import sys, cli; from ledger.vault import rows; from ledger.application import registration;"
    " registration.CHUNK_ROWS, rows.CACHE_KIB = 5_000, 2_000; sys.exit(cli.run(sys.argv[1:]))"
)
"""The command with small chunks and a small cache, so that whatever grows with the file shows early."""
MEASURED = (
    "import resource, subprocess, sys; code = subprocess.call(sys.argv[2:]);"
    " peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss; print(code, peak, file=open(sys.argv[1], 'w'))"
)
"""Runs a command from a process that is small itself: what is forked counts the memory of whom it was forked from."""


@dataclass
class Dirty:
    """What was put into a file."""

    taken: int
    refused: Counter[str]
    """Code → rows."""
    refused_path: Path
    """A CSV file of the line and code of each refused row, in their order."""


class Crowd:
    """Those who may stand in a row: somebody new, somebody whom the file has registered, somebody known before."""

    def __init__(self, nation: Nation, chance: random.Random) -> None:
        self._nation, self.chance = nation, chance
        self.taken = 0
        self._without_account: set[int] = set()

    def new(self) -> Person:
        """The first of the nation who is not registered; of a refused row they remain so."""
        return self._one(ELSEWHERE + self.taken)

    def without_account(self) -> Person:
        """As `new`, of whom the ledger gets no account that would be theirs alone."""
        self._without_account.add(ELSEWHERE + self.taken)
        return self.new()

    def old(self) -> Person:
        """Somebody whom an earlier row of the file registered, with their own account."""
        while (number := self.chance.randrange(ELSEWHERE, ELSEWHERE + self.taken)) in self._without_account:
            pass
        return self._one(number)

    def known(self) -> Person:
        """Somebody whom another file registered before."""
        return self._one(self.chance.randrange(ELSEWHERE))

    def _one(self, number: int) -> Person:
        return next(self._nation.people(range(number, number + 1)))


Make = Callable[[Crowd], str]
"""Writes the text of a row."""


def _row(person: Person, **cells: str) -> str:
    values = {**person._asdict(), "category": "worker", "shared_account": ""} | cells
    return ",".join(values[name] for name in HEADER.split(","))


CLEAN: dict[str, Make] = {
    "blanks": lambda crowd: ", ".join(_row(crowd.new()).split(",")) + "  ",
    "quotes": lambda crowd: _row(crowd.new(), name='"Intan, ""Neng"" Sawah"'),
    "accents": lambda crowd: _row(crowd.new(), name="André Müller"),
    "two lines": lambda crowd: _row(crowd.new(), name='"Intan\nSawah"'),
    "control characters": lambda crowd: _row(crowd.new(), name="In\x07tan\x1b[31m Sa\x7fwah"),
    "long cell": lambda crowd: _row(crowd.new(), name=LONG_CELL),
    "no account": lambda crowd: _row(crowd.without_account(), account=""),
    "account shared for a reason": lambda crowd: _row(
        crowd.without_account(), account=crowd.old().account, shared_account="household"
    ),
}
DIRT: dict[str, tuple[str, Make]] = {
    "nik too short": ("value_invalid", lambda crowd: _row(crowd.new(), nik="327301550190000")),
    "nik too long": ("value_invalid", lambda crowd: _row(crowd.new(), nik="0" * 5_000)),
    "nik with a letter": ("value_invalid", lambda crowd: _row(crowd.new(), nik="O000000101900001")),
    "nik of no day": ("value_invalid", lambda crowd: _row(crowd.new(), nik="0000003213900001")),
    "nik with a control character": ("value_invalid", lambda crowd: _row(crowd.new(), nik="00000001\x0701900001")),
    "nik as a number": ("identifier_as_number", lambda crowd: _row(crowd.new(), nik="3.27302E+15")),
    "account as a number": ("identifier_as_number", lambda crowd: _row(crowd.new(), account="7.0012E+12")),
    "no nik": ("value_missing", lambda crowd: _row(crowd.new(), nik="")),
    "no name": ("value_missing", lambda crowd: _row(crowd.new(), name='"  "')),
    "no category": ("value_invalid", lambda crowd: _row(crowd.new(), category="")),
    "category unknown": ("value_invalid", lambda crowd: _row(crowd.new(), category="Pekerja Lepas!")),
    "region unknown": ("value_invalid", lambda crowd: _row(crowd.new(), region="32-73")),
    "reason unknown": ("value_invalid", lambda crowd: _row(crowd.new(), shared_account="cousin")),
    "too few cells": ("row_incomplete", lambda crowd: _row(crowd.new()).rpartition(",")[0]),
    "too many cells": ("row_incomplete", lambda crowd: _row(crowd.new()) + ",,"),
    "twice": ("duplicate_in_file", lambda crowd: _row(crowd.old())),
    "twice, once without account": ("duplicate_in_file", lambda crowd: _row(crowd.old(), account="")),
    "known from elsewhere": ("recipient_registered", lambda crowd: _row(crowd.known())),
    "account of another": ("account_shared", lambda crowd: _row(crowd.new(), account=crowd.old().account)),
}
"""What is wrong → its code, and such a row."""
NOTHING = ("", "  ", HEADER, ",,,,,")
"""Lines that are no rows."""


def make(folder: Path, *, rows: int, seed: int, encoding: str = "utf-8-sig") -> Dirty:
    """Write `elsewhere.csv` and `dirty.csv`, so many rows of which a quarter is refused."""
    nation = Nation(seed)
    crowd, made = Crowd(nation, random.Random(seed)), Dirty(0, Counter(), folder / "refused.csv")
    with (folder / "elsewhere.csv").open("w") as file:
        file.write(HEADER + "\n" + "".join(f"{_row(each)}\n" for each in nation.people(range(ELSEWHERE))))
    with (
        (folder / "dirty.csv").open("w", encoding=encoding, newline="") as file,
        made.refused_path.open("w") as refused_file,
    ):
        file.write(HEADER + "\n")
        line = 2
        for number in range(rows):
            # The first row is clean, so that there is somebody to stand in the file twice.
            code, text = _made(crowd, crowd.chance.random() if number else 1.0)
            if code:
                made.refused[code] += 1
                refused_file.write(f"{line},{code}\n")
            else:
                crowd.taken += 1
            if crowd.chance.random() < 0.001:
                text += "\n" + crowd.chance.choice(NOTHING)
            file.write(text + "\n")
            line += text.count("\n") + 1
    made.taken = crowd.taken
    return made


def _made(crowd: Crowd, drawn: float) -> tuple[str, str]:
    """A row: the code of its refusal, or none, and its text."""
    if drawn < 0.25:
        code, kind = crowd.chance.choice(list(DIRT.values()))
        return code, kind(crowd)
    if drawn < 0.30:
        return "", crowd.chance.choice(list(CLEAN.values()))(crowd)
    return "", _row(crowd.new())


def open_office(folder: Path) -> Office:
    """A ledger with a maker and the people of `elsewhere.csv`."""
    office = Office(folder)
    office.done("init", officer=None)
    office.done("officer", "enroll", "siti", "--role", "maker", "--without-key", officer=None)
    office.done("recipient", "import", "elsewhere.csv")
    return office


def imported(office: Office, *, is_narrow: bool = False) -> tuple[Ended, float, int]:
    """Import `dirty.csv`: how it ended, the seconds it took, and the bytes of memory that a process of it had at most."""
    measured, program = office.desk / "measured", (sys.executable, "-c", NARROW) if is_narrow else (SALUR,)
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", MEASURED, measured, *program, "--store", office.folder,
         "recipient", "import", "dirty.csv", "-o", "json"],
        cwd=office.desk, env=office.environment("siti"), stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    took_s = time.monotonic() - started
    code, peak_kib = map(int, measured.read_text().split())
    return Ended(code, done.stdout, done.stderr), took_s, peak_kib * 1024


def assert_as_made(office: Office, told: Ended, made: Dirty) -> None:
    """Each row became what it had to, by count and by line."""
    assert told.code == 3, told
    tally = json.loads(told.out)
    assert (tally["taken"], tally["repeated"], tally["refused"]) == (made.taken, 0, dict(made.refused))
    with made.refused_path.open() as expected, (office.desk / "dirty.rejects.csv").open(newline="") as found:
        for line, each in zip(expected, _places(csv.DictReader(found)), strict=True):
            assert line == each


def _places(rejects: Iterator[dict[str, str]]) -> Iterator[str]:
    return (f"{each['line']},{each['code']}\n" for each in rejects)


def main() -> None:
    parser = ArgumentParser(description="Import a file with every kind of dirt in it.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--encoding", default="utf-8-sig")
    parser.add_argument("--folder", type=Path, help="where the files and the ledger are made; else a temporary folder")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="dirty-", dir=given.folder) as folder:
        made = make(Path(folder), rows=given.rows, seed=given.seed, encoding=given.encoding)
        size_bytes = (Path(folder) / "dirty.csv").stat().st_size
        print(f"{given.rows:,} rows ({size_bytes / 1e6:,.0f} MB) made", file=sys.stderr)
        office = open_office(Path(folder))
        told, took_s, peak_bytes = imported(office)
        assert_as_made(office, told, made)
    print(
        f"{given.rows:,} rows in {took_s:,.1f} s: {given.rows / took_s:,.0f} rows/s, peak memory"
        f" {peak_bytes / 1e6:,.0f} MB; {made.taken:,} taken, {made.refused.total():,} refused, each by line and code as"
        f" made: {dict(sorted(made.refused.items()))}"
    )


if __name__ == "__main__":
    main()
