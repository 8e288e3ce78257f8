"""The 2020 case command by command, each in a process of its own: its time, its memory, and what is stored at the end.

`python -m benchmarks.nation --scale N FOLDER`; FOLDER is new, and keeps the ledger and its files.
"""

import os
import shlex
import subprocess
import sys
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from time import perf_counter

import click

from benchmarks.payments import stored_bytes
from benchmarks.timing import keep
from cli import DONE, SOME_REJECTED
from seeds.case import CEILING, SEED, script
from seeds.files_2020 import WORKERS_PLANNED, tables
from seeds.nation import Nation

CHECK = "salur check"
KIBIBYTE = 1_024
"""The unit in which Linux tells a process's memory."""


@dataclass(frozen=True)
class Step:
    """One command of the case."""

    command: str
    seconds: float
    peak_bytes: int
    """Of its memory; less than this process has itself, some 50 MB, cannot be told."""


@click.command()
@click.option("--scale", type=int, default=1_000, show_default=True, help="One worker here for so many of the nation.")
@click.argument("folder", type=click.Path(path_type=Path, exists=False))
def main(scale: int, folder: Path) -> None:
    """Measure every command of the case in a new FOLDER."""
    folder = folder.absolute()
    files, store = folder / "files", folder / "ledger"
    files.mkdir(parents=True)
    begun = perf_counter()
    for table in tables(Nation(SEED), scale):
        table.write(files)
    writing = perf_counter() - begun
    values = {
        "NAME": f"The nation at 1:{scale:,}",
        "FILES": str(files),
        "BUDGET": str(CEILING * (WORKERS_PLANNED // scale)),
    }
    steps = []
    for line in script():
        if not line.startswith("## "):
            steps.append(_carried_out(line, store, values))
            click.echo(f"{steps[-1].seconds:9.2f} s {steps[-1].peak_bytes / 1e6:7.0f} MB  {steps[-1].command}")
    seconds_by_command: defaultdict[str, float] = defaultdict(float)
    for step in steps:
        seconds_by_command[" ".join(step.command.split()[1:3])] += step.seconds
    to_reports = sum(step.seconds for step in steps if step.command != CHECK)
    found = {
        "scale": scale,
        "seconds_to_reports": to_reports,
        "seconds": sum(step.seconds for step in steps),
        "seconds_writing_files": writing,
        "seconds_by_command": dict(sorted(seconds_by_command.items(), key=lambda each: -each[1])),
        "peak_bytes": max(step.peak_bytes for step in steps),
        "stored": asdict(stored_bytes(store)),
        "steps": [asdict(step) for step in steps],
    }
    keep("nation", found)
    peak = max(step.peak_bytes for step in steps) / 1e6
    click.echo(f"{to_reports:9.2f} s {peak:7.0f} MB  in all, but for the check; files written in {writing:.0f} s")


def _carried_out(line: str, store: Path, values: dict[str, str]) -> Step:
    """Do what a line of the case says; rows are refused where, and only where, it begins with `!`."""
    _, *arguments = [Template(word).substitute(values) for word in shlex.split(line.removeprefix("! "))]
    salur = Path(sys.executable).with_name("salur")
    with (store.parent / "told").open("ab") as told:
        begun = perf_counter()
        process = subprocess.Popen(
            [salur, "--store", store.absolute(), *arguments],
            cwd=store.parent, stdin=subprocess.DEVNULL, stdout=told, stderr=told,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        took = perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != (SOME_REJECTED if line.startswith("! ") else DONE):
        raise click.ClickException(f"ended with {process.returncode}: {line}; see {store.parent / 'told'}")
    return Step(line.removeprefix("! "), took, usage.ru_maxrss * KIBIBYTE)


if __name__ == "__main__":
    main()
