"""`salur audit explain` and `figure`: a figure's events, and what became of figures that were published."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.console.options import (
    FOLDER,
    KEPT_FILE,
    Session,
    as_of_option,
    known_at_option,
    reads,
    trusted_key_option,
)
from ledger.console.output import counted, present
from projections.commands.archive import opened_reports
from projections.commands.report import ROWS_MAX, true_for

if TYPE_CHECKING:
    from datetime import date, datetime

    from ledger.notes import VerifierKey
    from projections.explain import Explanation
    from projections.figures import Recheck

audit = click.Group()


@audit.command("explain")
@click.argument("figure")
@as_of_option
@known_at_option
@click.option("--page", type=click.IntRange(min=1), help="Only this page of the events; on a terminal the first.")
@click.option(
    "--proofs",
    type=FOLDER,
    help="Write a proof from the transparency log for each event shown into this folder.",
)
@reads
def audit_explain(
    session: Session,
    figure: str,
    as_of: "date | None",
    known_at: "int | datetime | None",
    page: int | None,
    proofs: Path | None,
    output: str,
) -> None:
    """Print the events that FIGURE is the sum of; exit code 4 if they do not sum to it.

    FIGURE names a report, a row by its keys, and a column: programs/bsu-2020/disbursed, tranches/bsu-2020/1/returned.
    """
    from datetime import datetime
    from tempfile import TemporaryDirectory

    from projections.explain import explain

    with opened_reports(session) as (ledger, reports):
        day = as_of or datetime.now().astimezone().date()
        found = explain(reports, figure, as_of=day, known_at=known_at)
        if page is not None and page > found.page_count():
            raise click.UsageError(f"--page {page}: there are {counted(found.page_count(), 'page')}")
        shown = page or (1 if output == "table" else None)
        if proofs is not None:
            written = found.prove(ledger.transparency_log, proofs, page=shown)
            click.echo(f"{counted(written, 'proof')} in {proofs}.", err=True)
        if output == "table":
            print_explanation(session, found, shown or 1)
            return
        with TemporaryDirectory(prefix="salur-") as folder:
            path = Path(folder) / "events"
            found.write(path, form=output, page=page)  # type: ignore[arg-type]  # csv or json
            if output == "csv":
                click.echo(f"{found.file} WHERE {found.figure.where()}", err=True)
            print_file(output, path, found.head(), "events")


def print_explanation(session: Session, found: "Explanation", page: int) -> None:
    """One page of the events behind a figure, for people."""
    from ledger.console.headings import phrase
    from ledger.console.tables import format_amount, format_number
    from projections.explain import EVENT_COLUMNS

    def text(value: int) -> str:
        if found.is_money:
            return format_amount(value, lang=session.lang, currency=found.currency, decimals=found.decimals)
        return format_number(value, lang=session.lang)

    told = phrase("explained", session.lang).format(
        page=page,
        pages=found.page_count(),
        count=format_number(found.count, lang=session.lang),
        file=found.file,
        where=found.figure.where(),
    )
    present(
        session,
        "table",
        [row | {"contribution": text(row["contribution"])} for row in found.page(page)],
        EVENT_COLUMNS,
        heading=f"{found.figure} = {text(found.value)}",
        footer=f"{told} {true_for(session, found.as_of, found.log_size)}",
    )


def print_file(output: str, path: Path, head: dict[str, Any], name: str) -> None:
    """Rows that were written to a file: as they are for CSV, for JSON in an object beside what they are of."""
    import json
    import shutil

    with path.open(encoding="utf-8", newline="") as file:
        if output == "csv":
            shutil.copyfileobj(file, sys.stdout)
            return
        sys.stdout.write(json.dumps(head, ensure_ascii=False, indent=2).removesuffix("\n}") + f',\n  "{name}": [')
        sys.stdout.writelines(f"{',' if number else ''}\n    {line.rstrip()}" for number, line in enumerate(file))
        sys.stdout.write("\n  ]\n}\n")


@audit.command("figure")
@click.argument("file", type=KEPT_FILE)
@trusted_key_option
@reads
def audit_figure(session: Session, file: Path, key: "VerifierKey | None", output: str) -> None:
    """Check figures published in FILE, compute them again, and tell what has changed since and by which events.

    Exit code 4 if the signature, the log or the events of that time do not bear them out.
    """
    from tempfile import TemporaryDirectory

    from projections.figures import recheck

    with opened_reports(session) as (ledger, reports):
        found = recheck(reports, ledger.transparency_log, file.read_bytes(), key=key)
        for name in found.sql_changed:
            click.echo(f"Notice sql: {name} is not the file that these figures were published with.", err=True)
        click.echo(found.sentence(), err=True)
        if output == "table":
            print_recheck(session, found)
            return
        with TemporaryDirectory(prefix="salur-") as folder:
            path = Path(folder) / "changes"
            found.write(path, form=output)  # type: ignore[arg-type]  # csv or json
            print_file(output, path, found.head(), "changes")


def print_recheck(session: Session, found: "Recheck") -> None:
    """What has changed since figures were published, and by which events, for people."""
    from dataclasses import asdict

    from ledger.console.headings import phrase
    from projections.explain import EVENT_COLUMNS

    if not found.changes:
        return
    rows = [asdict(each) | {"difference": each.difference if each.is_sum else None} for each in found.changes]
    present(session, "table", rows, ("figure", "was", "now", "difference"))
    events = found.events(ROWS_MAX + 1)
    cut = phrase("cut", session.lang).format(rows=ROWS_MAX) if len(events) > ROWS_MAX else None
    present(session, "table", events[:ROWS_MAX], ("figure", *EVENT_COLUMNS), footer=cut)
