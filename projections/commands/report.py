"""`salur report` and the commands that print one of its reports, and `salur history`."""

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import click

from ledger.console.options import NEW_FILE, Output, Session, as_of_option, known_at_option, reads, today
from ledger.console.output import EVENT_COLUMNS, counted, event_row, present, print_json, stored_object
from ledger.console.working import opened
from ledger.domain.money import Currency
from projections.commands.archive import archive_of, bring_up_to_date, opened_reports
from projections.commands.check import require_sound

ROWS_MAX = 1_000
"""Of a table on a screen; other forms have all rows."""

program, disburse = click.Group(), click.Group()


class ReportName(click.ParamType[str]):
    """A report's name; the records are read when somebody asks for a report, and not for any other command."""

    name = "report"

    def choice(self) -> click.Choice[str]:
        """The reports to choose from."""
        from projections.reports.catalogue import REPORTS

        return click.Choice(list(REPORTS))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return self.choice().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        return self.choice().shell_complete(ctx, param, incomplete)


class ReportCommand(click.Command):
    """A command whose help lists the reports."""

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from projections.reports.catalogue import REPORTS

        with formatter.indentation():
            formatter.write("\n")
            formatter.write_dl([(name, each.tells) for name, each in REPORTS.items()])


@click.command(cls=ReportCommand)
@click.argument("name", type=ReportName())
@as_of_option
@known_at_option
@click.option(
    "--publish",
    type=NEW_FILE,
    help="Write it to this file as a note signed with the log's key, as known at its newest checkpoint.",
)
@reads
def report(
    session: Session,
    name: str,
    as_of: date | None,
    known_at: int | datetime | None,
    publish: Path | None,
    output: Output,
) -> None:
    """Print a report, rebuilt from the events alone."""
    if publish is None:
        print_report(session, name, output, as_of=as_of, known_at=known_at)
    elif known_at is None:
        publish_report(session, name, publish, as_of=as_of)
    else:
        raise click.UsageError("what is published is known at the log's newest checkpoint: leave --known-at out")


@program.command("list")
@reads
def program_list(session: Session, output: Output) -> None:
    """All programs with their figures as of today."""
    print_report(session, "programs", output)


@disburse.command("status")
@click.argument("batch_id", required=False)
@reads
def disburse_status(session: Session, batch_id: str | None, output: Output) -> None:
    """What became of BATCH_ID, or of every batch."""
    if batch_id:
        with opened(session) as ledger:
            ledger.view().batch(batch_id)
    print_report(session, "batches", output, only=("batch_id", batch_id) if batch_id else None)


def print_report(
    session: Session,
    name: str,
    output: Output,
    *,
    as_of: date | None = None,
    known_at: int | datetime | None = None,
    only: tuple[str, str] | None = None,
) -> None:
    """Print a report, or only its rows that have a value in a column."""
    from ledger.console.headings import phrase
    from ledger.console.tables import format_number
    from projections.reports.journal import journal_of, journal_text

    with opened_reports(session) as (ledger, reports):
        moment: dict[str, Any] = {"as_of": as_of or today(), "known_at": known_at}
        if output == "csv" and only is None:
            with written(partial(reports.write, name, form="csv", **moment)) as file:
                shutil.copyfileobj(file, sys.stdout)
            return
        found = reports.run(name, **moment, rows_max=None if only else ROWS_MAX)
        if found.is_cut and (output == "json" or name == "journal"):
            with written(partial(reports.write, name, form="json", **moment)) as file:
                if output == "json":
                    print_objects(file)
                else:
                    sys.stdout.writelines(journal_of(file))
            return
        heading = f"{ledger.opened.name}: {name}"
    rows = [row for row in found.rows if row[only[0]] == only[1]] if only else found.rows
    if name == "journal" and output == "table":
        sys.stdout.writelines(journal_text(rows))
        return
    footer = true_for(session, found.as_of, found.log_size)
    if found.is_cut:
        footer += " " + phrase("cut", session.lang).format(rows=format_number(len(rows), lang=session.lang))
    table: dict[str, Any] = {"layout": found.layout, "heading": heading, "footer": footer}
    present(session, output, rows, found.columns, currency=Currency(found.currency, found.decimals), **table)


def true_for(session: Session, as_of: date, log_size: int) -> str:
    """The sentence that says as of when and from which events figures are true."""
    from ledger.console.headings import phrase
    from ledger.console.tables import format_date, format_number

    day, size = format_date(as_of, lang=session.lang), format_number(log_size, lang=session.lang)
    return phrase("true for", session.lang).format(as_of=day, log_size=size)


def publish_report(session: Session, name: str, path: Path, *, as_of: date | None) -> None:
    """Write a report as a signed note, and say so; what it is computed from is verified first."""
    from ledger.store.durable import write_whole
    from ledger.transparency.notes import Checkpoint
    from projections.audit.figures import publish
    from projections.errors import SegmentMismatchError

    with opened(session) as ledger:
        # A segment that is none of the ledger's is named by what is verified next.
        with suppress(SegmentMismatchError):
            bring_up_to_date(archive_of(ledger))
        require_sound(ledger)
    with opened_reports(session) as (ledger, reports):
        checkpoint = ledger.transparency_log.note()
        day = as_of or today()
        note = publish(reports, ledger.transparency_log, name, as_of=day, checkpoint=checkpoint)
    write_whole(path, str(note).encode())
    size = Checkpoint.parse(checkpoint.text).size
    click.echo(f"Published {name} as of {day}, from the first {counted(size, 'event')}, in {path}.")


@contextmanager
def written(write: Callable[[Path], None]) -> Iterator[TextIO]:
    """Rows as they are written to a temporary file: millions of them would not fit into memory."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="salur-") as folder:
        path = Path(folder) / "rows"
        write(path)
        with path.open(encoding="utf-8", newline="") as file:
            yield file


def print_objects(lines: Iterable[str], before: str = "[", after: str = "\n]\n", indent: str = "") -> None:
    """A JSON list of the objects in these lines, one after another."""
    sys.stdout.write(before)
    sys.stdout.writelines(f"{',' if number else ''}\n{indent}{line.rstrip()}" for number, line in enumerate(lines))
    sys.stdout.write(after)


@click.command()
@click.argument("thing")
@reads
def history(session: Session, thing: str, output: Output) -> None:
    """Every event of THING in order: a recipient, program, batch, group, payment, shipment, item or officer."""
    with opened(session) as ledger:
        objects = [stored_object(entry) for entry in ledger.history(thing)]
        if output == "json":
            print_json(objects)
            return
        rows = [event_row(session, ledger, each) for each in objects]
    present(session, output, rows, EVENT_COLUMNS)
