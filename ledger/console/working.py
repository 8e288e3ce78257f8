"""How a command works on the ledger: opened to read or to write, with the rows of a file or with what was typed."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeVar

import click

from ledger.console.options import Reading, Request, Session
from ledger.console.output import print_json, progress_bar, tell, tell_tally

if TYPE_CHECKING:
    from ledger.application import requests
    from ledger.application.attempt import Command
    from ledger.application.chunks import OnProgress, OnReject, Tally
    from ledger.application.ledger import Ledger
    from ledger.domain.errors import LedgerError
    from ledger.files.rejects import Reject, RejectsFile
    from ledger.files.tables import Field, Row, Table
    from ledger.store.entries import Entry

Done = TypeVar("Done", covariant=True)


class Work(Protocol[Done]):
    """A function of the application that carries out rows, with everything else given to it by `partial`."""

    def __call__(
        self,
        ledger: "Ledger",
        command: "Command",
        *,
        rows: "Iterable[Row | Reject]",
        on_reject: "OnReject",
        on_progress: "OnProgress",
    ) -> Done:
        """Carry out the rows; tells of each refused one, and of those done since the last call."""


@dataclass(frozen=True)
class Job:
    """A kind of work that a file or a single thing in words can be given to."""

    name: str
    """As reports of refused rows name it."""
    fields: "tuple[Field, ...]"
    work: "Work[Tally]"
    program: str | None = None
    inputs: Mapping[str, object] = field(default_factory=dict)
    """Those of the command beside what it is given and the program: with them a reference stands for one request."""
    noun: str = "row"


# Opening


@contextmanager
def opened(session: Session) -> "Iterator[Ledger]":
    """The session's ledger, to read."""
    from ledger.application.folder import require_ledger
    from ledger.application.ledger import Ledger
    from ledger.store.owners import mask_of

    require_ledger(session.store)
    ledger = Ledger(session.store)
    os.umask(mask_of(ledger.place.group))
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def opened_to_write(request: Request) -> "Iterator[Ledger]":
    """The session's ledger, for the request of somebody who acts."""
    with opened(request.session) as ledger:
        require_acting(request.command)
        ledger.require_log()
        with request.session.upkeep(ledger, request.command):
            yield ledger


def require_acting(command: "Command") -> None:
    """Whoever writes must say who they are."""
    if command.by is None:
        raise click.UsageError("say who acts: --officer ID, or set SALUR_OFFICER")


def record(request: Request, work: "Callable[[Ledger, Command], Sequence[Entry]]", sentence: str) -> None:
    """Carry out one function of the application, with everything else given to it by `partial`, and say what it did."""
    with opened_to_write(request) as ledger:
        entries = work(ledger, request.command)
    tell(request, entries, sentence)


# Rows of a file


class GivenFile:
    """A file that was given to a command, while the ledger is open for it."""

    def __init__(
        self, request: Request, ledger: "Ledger", table: "Table", rejects: "RejectsFile", reading: Mapping[str, object]
    ) -> None:
        """`reading` is how the table is read, as far as it was said."""
        self.request, self.ledger, self.sha256 = request, ledger, table.sha256
        self._table, self.rejects, self._reading = table, rejects, reading
        self._tally: Tally | None = None

    def carry_out(self, work: Work[Done]) -> Done:
        """Carry out its rows, with a bar; refused ones go into the rejects file."""
        with progress_bar(lambda: self._table.progress, Path(self._table.name).stem) as advance:
            return work(
                self.ledger,
                self.request.command,
                rows=self._table.rows(),
                on_reject=lambda reject, _: self.rejects.add(reject),
                on_progress=advance,
            )

    def take(self, job: Job) -> None:
        """Carry out its rows and record that it was read to its end, unless its reference says that this was done."""
        from ledger.application import requests
        from ledger.application.chunks import finish_file

        command, program = self.request.command, job.program
        file = {"file_sha256": self.sha256, "program": program, **self._reading}
        asked = requests.Request(job.name, {**file, **job.inputs})
        if self.ledger.was_carried_out(command, asked):
            return
        self._tally = self.carry_out(job.work)
        if not command.dry_run:
            finish_file(self.ledger, command, self._tally, name=job.name, file_sha256=self.sha256, program=program)
            self.ledger.mark_carried_out(command, asked)

    def tell(self, noun: str = "row") -> None:
        """Say what became of its rows."""
        if self._tally is None:
            tell(self.request, [], "")
        else:
            tell_tally(self.request, self._tally, self.rejects.path, noun=noun)


@contextmanager
def given_file(request: Request, reading: Reading, path: Path, fields: "tuple[Field, ...]") -> "Iterator[GivenFile]":
    """Open the ledger and a file for it, with a file beside it for the rows that are refused."""
    from ledger.domain.errors import Said
    from ledger.files.errors import ColumnMapError
    from ledger.files.rejects import RejectsFile
    from ledger.files.tables import open_table

    column_map = {}
    for given in reading.column_map:
        field, separator, column = given.partition("=")
        if not separator:
            raise ColumnMapError(given=given, problem=Said("write FIELD=COLUMN"))
        column_map[field] = column
    is_stdin = str(path) == "-"
    rejects_path = reading.rejects or Path(f"{'stdin' if is_stdin else path.stem}.rejects.csv")
    with (
        opened_to_write(request) as ledger,
        open_table(None if is_stdin else path, fields, column_map, reading.sheet) as table,
        RejectsFile(rejects_path) as rejects,
    ):
        how = {"map": column_map, "sheet": reading.sheet, "date_order": reading.date_order, "decimal": reading.decimal}
        yield GivenFile(request, ledger, table, rejects, how)


def work_file(request: Request, reading: Reading, path: Path, job: Job) -> None:
    """Read a file's rows into the ledger, show progress, write the rejects and say what became of the rows."""
    with given_file(request, reading, path, job.fields) as given:
        given.take(job)
    given.tell(job.noun)


# Things given in words


def refuse(reject: "Reject", error: "LedgerError | None") -> NoReturn:
    """Where a single thing was given in words, what refuses it refuses the command."""
    if error is None:
        raise click.UsageError(reject.reason)
    raise error


def work_rows(
    request: Request, rows: "Sequence[Row]", work: "Work[Tally]", sentence: str, asked: "requests.Request"
) -> None:
    """Carry out one thing that is given in words and not in a file; what refuses it refuses the command.

    `asked` is what its reference stands for.
    """
    refused: list[LedgerError] = []

    def on_reject(reject: "Reject", error: "LedgerError | None") -> None:
        if error is None:
            refuse(reject, error)
        refused.append(error)

    with opened_to_write(request) as ledger:
        if ledger.was_carried_out(request.command, asked):
            tell(request, [], "")
            return
        tally = work(ledger, request.command, rows=rows, on_reject=on_reject, on_progress=lambda _: None)
        if refused:  # of a group and its members, the members' errors say what to mend
            raise next((error for error in refused if error.code != "roster_invalid"), refused[0])
        ledger.mark_carried_out(request.command, asked)
    if request.output == "json":
        print_json({"taken": tally.taken, "repeated": tally.repeated})
    elif tally.repeated:
        click.echo("Nothing new: this was already recorded.")
    else:
        click.echo(("Would record: " if request.command.dry_run else "") + sentence)


def work_one_or_file(
    request: Request, reading: Reading, thing: str, job: Job, *, is_name: Callable[[str], bool], sentence: str
) -> None:
    """Carry out one thing that is named, in a row of its own, or a file of them."""
    from ledger.application import requests
    from ledger.files.tables import Row

    if is_name(thing) and not Path(thing).exists():
        row = Row(1, (thing, *[""] * (len(job.fields) - 1)))
        asked = requests.Request(job.name, {job.fields[0].name: thing, "program": job.program, **job.inputs})
        work_rows(request, [row], job.work, sentence, asked)
    else:
        work_file(request, reading, Path(thing), job)
