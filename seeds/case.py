"""Plays the 2020 case: writes the files of its invented people and carries out its commands, one after another."""

import os
import shlex
import shutil
from collections.abc import Iterator
from importlib.resources import files as resources
from pathlib import Path
from string import Template
from time import monotonic

import click

from ledger.application.folder import BATCHES, EVENTS, LOG, SETTINGS, VAULT, VAULT_KEY
from ledger.application.ledger import Ledger
from ledger.console.output import Rejected
from ledger.store.errors import FolderNotEmptyError
from ledger.transparency.keys import FINGERPRINT_DIGITS
from projections.relation.archive import ARCHIVE
from seeds.files_2020 import WORKERS_PLANNED, tables
from seeds.nation import Nation

SEED = 2020
CEILING = 2_400_000
CHECKED_SCALE_MIN = 10
"""A case of a larger scale is not checked at its end."""
DEMONSTRATION = "Demonstration (invented people; "
"""How the name of every ledger that the demo made begins."""
LEDGER_PARTS = {
    SETTINGS,
    BATCHES,
    LOG,
    ARCHIVE,
    *(name + end for name in (EVENTS, VAULT, VAULT_KEY) for end in ("", "-wal", "-shm")),
}


def play(command: click.Command, *, store: Path, keys: Path, files: Path, scale: int) -> None:
    """Record the case in a new ledger in `store` and print its reports; a demo's ledger that is there is replaced.

    One that was interrupted goes on instead: every command of the case may be given again. The files go into a folder
    of their own in `files`, and are written once; the officers' private keys go into `keys`. Raises what a command
    raises.
    """
    begun = monotonic()
    folder = files / f"scale-{scale}-seed-{SEED}"
    unfinished = folder / "unfinished"
    goes_on = unfinished.exists() and unfinished.read_text() == str(store.resolve()) and (store / SETTINGS).exists()
    if not goes_on:
        remove_demonstration(store, keys)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished.write_text(str(store.resolve()))
    _echo(f"The files of the invented people are in {folder}; they are written once.")
    for table in tables(Nation(SEED), scale):
        table.write(folder)
    ratio = "full size" if scale == 1 else f"1:{scale:,}"
    values = {
        "NAME": f"{DEMONSTRATION}wage subsidy and job expansion at {ratio})",
        "FILES": str(folder),
        "BUDGET": str(CEILING * (WORKERS_PLANNED // scale)),
    }
    _echo(f"$ export SALUR_STORE={shlex.quote(str(store))} SALUR_KEYS={shlex.quote(str(keys))}", dim=True)
    for line in script():
        if line.startswith("## "):
            _echo("\n" + line.removeprefix("## "), bold=True)
        elif line == "salur check" and scale < CHECKED_SCALE_MIN:
            _echo("$ salur check  # takes longer than all before at this size: run it when you have the time", dim=True)
        elif not (goes_on and line.startswith("salur init ")):
            carry_out(command, line, store=store, keys=keys, values=values)
    unfinished.unlink()
    _tell_end(store, keys, ratio, seconds=monotonic() - begun)


def script() -> Iterator[str]:
    """The headings and commands of the case, in order."""
    text = resources("seeds").joinpath("case_2020.sh").read_text(encoding="utf-8")
    return (line for line in text.splitlines() if line and (line[0] != "#" or line.startswith("## ")))


def carry_out(command: click.Command, line: str, *, store: Path, keys: Path, values: dict[str, str]) -> None:
    """Show a line and do what it says; rows are refused where, and only where, the line begins with `!`."""
    refuses = line.startswith("! ")
    _, *arguments = [Template(word).substitute(values) for word in shlex.split(line.removeprefix("! "))]
    _echo("$ salur " + shlex.join(arguments), dim=True)
    language = click.get_current_context().find_root().params["lang"]
    options = ["--store", str(store), "--keys", str(keys), *(["--lang", language] if language else [])]
    try:
        command.main([*options, *arguments], prog_name="salur", standalone_mode=False)
    except Rejected:
        if not refuses:
            raise
    else:
        if refuses:
            raise RuntimeError(f"no row was refused: {line}")


def remove_demonstration(store: Path, keys: Path) -> None:
    """Remove the ledger that an earlier demo made, and its officers' keys; raises `FolderNotEmptyError` for a folder
    with anything else."""
    if not (store / SETTINGS).exists():
        return
    ledger = Ledger(store)
    is_ours = ledger.opened.name.startswith(DEMONSTRATION)
    fingerprint = ledger.fingerprint
    ledger.close()
    if not is_ours or not {each.name for each in store.iterdir()} <= LEDGER_PARTS:
        raise FolderNotEmptyError(folder=str(store))
    # The folder is renamed first: an interruption must not leave half a ledger under the old name.
    folder = store.resolve()
    removed = folder.with_name(f".{folder.name}.removed-{os.getpid()}")
    folder.rename(removed)
    folder.mkdir()
    shutil.rmtree(removed)
    shutil.rmtree(keys / fingerprint[:FINGERPRINT_DIGITS], ignore_errors=True)


def _tell_end(store: Path, keys: Path, ratio: str, *, seconds: float) -> None:
    named = f"salur --store {shlex.quote(str(store))} --keys {shlex.quote(str(keys))}"
    _echo("\nWhat this is", bold=True)
    click.echo(
        f"The wage subsidy and job expansion are at {ratio}; groups, their members and goods at full size. All people\n"
        "are invented, and so are amounts of group grants, quantities of goods, and numbers of migrant workers."
    )
    _echo("\nWhat to try next", bold=True)
    for sentence, arguments in NEXT:
        click.echo(f"  {sentence}\n      {named} {arguments}")
    click.echo(f"\nDone in {seconds:.0f} s.")


NEXT = (
    ("Everything one worker's money went through: paid, returned, paid again", "history R000000004"),
    ("The same figures of another day", "report programs --as-of 2021-01-31"),
    ("Sari proposed tranche 2, so she cannot approve it …", "disburse approve bsu-2-1 --officer sari"),
    ("… but Budi can", "disburse approve bsu-2-1 --officer budi"),
    ("… and then it is paid, once, however often you say so", "disburse run bsu-2-1 --officer sari"),
    ("The events that a figure is the sum of", "audit explain programs/bsu-2020/disbursed"),
    ("A receipt for one payment, which stands without the ledger", "audit prove bsu-2020/1/R000000004"),
    ("Who was referred to the Kartu Prakerja program, in Indonesian", "--lang id report referrals"),
)


def _echo(text: str, *, bold: bool = False, dim: bool = False) -> None:
    click.secho(text, bold=bold or None, dim=dim or None, color=False if "NO_COLOR" in os.environ else None)
