"""`salur report` and the commands that print one of its reports, and `salur history`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from ledger.console.options import NEW_FILE, Session, as_of_option, known_at_option, reads
from ledger.console.output import EVENT_COLUMNS, counted, event_row, present, print_json, stored_object
from ledger.console.working import opened
from projections.commands.archive import opened_reports

if TYPE_CHECKING:
    from datetime import date, datetime

    from projections.engine import Reports

ROWS_MAX = 1_000
"""Of a table on a screen; other forms have all rows."""
REPORTS = {
    "programs": "One line a program: budget, reserved, disbursed, returned, refunded, people.",
    "tranches": "One line a tranche: payments and what became of them.",
    "balances": "One line a recipient and program: entitled, disbursed, outstanding.",
    "groups": "Group grants by program, with the accountability reports (LPJ) still owed.",
    "aid": "Goods shipped and delivered, by item and destination.",
    "people": "People helped, by program and kind of help.",
    "returns": "Returned payments still open, oldest first.",
    "refusals": "Rows refused, by command and reason.",
    "referrals": "People referred to other schemes, by channel.",
    "training": "Sessions held and people reached, by program.",
    "destinations": "Countries reopened for placement.",
    "batches": "Batches, who proposed and who approved them.",
    "trial-balance": "Debits, credits and balance of every account.",
    "journal": "Every posting, as a journal that hledger reads.",
}

program, disburse = click.Group(), click.Group()


@click.command()
@click.argument("name", type=click.Choice(list(REPORTS)))
@as_of_option
@known_at_option
@click.option(
    "--publish",
    type=NEW_FILE,
    help="Write it to this file as a note signed with the log's key, as known at its newest checkpoint.",
)
@reads
def report(session: Session, name: str, as_of: "date | None", known_at: Any, publish: Path | None, output: str) -> None:
    """Print a report, rebuilt from the events alone."""
    if publish is None:
        print_report(session, name, output, as_of=as_of, known_at=known_at)
    elif known_at is None:
        publish_report(session, name, publish, as_of=as_of)
    else:
        raise click.UsageError("what is published is known at the log's newest checkpoint: leave --known-at out")


report.epilog = "\n\n".join(["\b", "\n".join(f"{name:<14} {about}" for name, about in REPORTS.items())])


def print_report(
    session: Session,
    name: str,
    output: str,
    *,
    as_of: "date | None" = None,
    known_at: "int | datetime | None" = None,
    only: tuple[str, str] | None = None,
) -> None:
    """Print a report, or only its rows that have a value in a column."""
    import shutil
    from datetime import datetime

    from ledger.console.headings import phrase
    from ledger.console.tables import format_number
    from projections.journal import journal_text

    with opened_reports(session) as (ledger, reports):
        moment: dict[str, Any] = {"as_of": as_of or datetime.now().astimezone().date(), "known_at": known_at}
        if output == "csv" and only is None:
            with written_report(reports, name, "csv", moment) as file:
                shutil.copyfileobj(file, sys.stdout)
            return
        found = reports.run(name, **moment, rows_max=None if only else ROWS_MAX)
        if found.is_cut and (output == "json" or name == "journal"):
            with written_report(reports, name, "json", moment) as file:
                print_long_report(output, file)
            return
        title = ledger.opened.name
    rows = [row for row in found.rows if row[only[0]] == only[1]] if only else found.rows
    if name == "journal" and output == "table":
        for transaction in journal_text(rows):
            click.echo(transaction, nl=False)
        return
    present(
        session,
        output,
        rows,
        found.columns,
        name="" if found.is_cut else name,
        currency=found.currency,
        decimals=found.decimals,
        heading=f"{title}: {name}",
        footer=true_for(session, found.as_of, found.log_size)
        + (
            " " + phrase("cut", session.lang).format(rows=format_number(len(rows), lang=session.lang))
            if found.is_cut
            else ""
        ),
    )


def true_for(session: Session, as_of: "date", log_size: int) -> str:
    """The sentence that says as of when and from which events figures are true."""
    from ledger.console.headings import phrase
    from ledger.console.tables import format_date, format_number

    day, size = format_date(as_of, lang=session.lang), format_number(log_size, lang=session.lang)
    return phrase("true for", session.lang).format(as_of=day, log_size=size)


def publish_report(session: Session, name: str, path: Path, *, as_of: "date | None") -> None:
    """Write a report as a signed note, and say so."""
    from datetime import datetime

    from ledger.durable import write_whole
    from ledger.notes import Checkpoint
    from projections.figures import publish

    with opened_reports(session) as (ledger, reports):
        checkpoint = ledger.transparency_log.note()
        day = as_of or datetime.now().astimezone().date()
        note = publish(reports, ledger.transparency_log, name, as_of=day, checkpoint=checkpoint)
    write_whole(path, str(note).encode())
    size = Checkpoint.parse(checkpoint.text).size
    click.echo(f"Published {name} as of {day}, from the first {counted(size, 'event')}, in {path}.")


@contextmanager
def written_report(reports: "Reports", name: str, form: Any, moment: dict[str, Any]) -> "Iterator[TextIO]":
    """A report's rows in a temporary file: millions of them would not fit into memory."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="salur-") as folder:
        path = Path(folder) / "report"
        reports.write(name, path, form=form, **moment)
        with path.open(encoding="utf-8", newline="") as file:
            yield file


def print_long_report(output: str, lines: "Iterator[str]") -> None:
    """A report of millions of rows, row by row: as one JSON list, or as a journal."""
    from projections.journal import journal_of

    if output == "json":
        separator = "[\n"
        for line in lines:
            click.echo(separator + line.rstrip("\n"), nl=False)
            separator = ",\n"
        click.echo("\n]")
        return
    for transaction in journal_of(lines):
        click.echo(transaction, nl=False)


@click.command()
@click.argument("thing")
@reads
# Reports under other names


@program.command("list")
@reads
def program_list(session: Session, output: str) -> None:
    """All programs with their figures as of today."""
    print_report(session, "programs", output)


@disburse.command("status")
@click.argument("batch_id", required=False)
@reads
def disburse_status(session: Session, batch_id: str | None, output: str) -> None:
    """What became of BATCH_ID, or of every batch."""
    if batch_id:
        from datetime import date

        from ledger.application import Attempt, Command

        with opened(session) as ledger:
            Attempt(ledger, Command(None, date.min)).batch(batch_id)
    print_report(session, "batches", output, only=("batch_id", batch_id) if batch_id else None)


# Events


@click.command()
@click.argument("thing")
@reads
def history(session: Session, thing: str, output: str) -> None:
    """Every event of THING in order: a recipient, program, batch, group, payment, shipment, item or officer."""
    with opened(session) as ledger:
        objects = [stored_object(entry) for entry in ledger.history(thing)]
        if output == "json":
            print_json(objects)
            return
        rows = [event_row(session, ledger, each) for each in objects]
    present(session, output, rows, EVENT_COLUMNS)
