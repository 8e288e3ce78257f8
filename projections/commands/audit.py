"""`salur audit`: figures traced to their events, and evidence that stands without the ledger."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.console.options import (
    FILE,
    FOLDER,
    KEPT_FILE,
    NEW_FILE,
    Output,
    Session,
    VerifierKeyOption,
    as_of_option,
    kept_checkpoints_option,
    known_at_option,
    output_option,
    pass_session,
    reads,
    today,
    trusted_key_option,
)
from ledger.console.output import Broken, counted, counted_bar, present, print_json, progress_bar
from ledger.console.working import opened
from projections.commands.archive import archive_of, opened_reports
from projections.commands.check import require_sound, tell_laws
from projections.commands.report import ROWS_MAX, print_objects, true_for, written

if TYPE_CHECKING:
    from ledger.transparency.notes import VerifierKey
    from projections.audit.figures import Recheck
    from projections.reports.explain import Explanation

audit = click.Group()


@audit.command("explain")
@click.argument("figure")
@as_of_option
@known_at_option
@click.option("--page", type=click.IntRange(min=1), help="Only this page of the events; on a terminal the first.")
@click.option(
    "--proofs", type=FOLDER, help="Write a proof from the transparency log for each event shown into this folder."
)
@reads
def audit_explain(
    session: Session, figure: str, page: int | None, proofs: Path | None, output: Output, **moment: Any
) -> None:
    """Print the events that FIGURE is the sum of; exit code 4 if they do not sum to it.

    FIGURE names a report, a row by its keys, and a column: programs/bsu-2020/disbursed, tranches/bsu-2020/1/returned.
    """
    from projections.reports.explain import explain

    with opened_reports(session) as (ledger, reports):
        found = explain(reports, figure, as_of=moment["as_of"] or today(), known_at=moment["known_at"])
        if page is not None and page > found.page_count():
            raise click.UsageError(f"--page {page}: there are {counted(found.page_count(), 'page')}")
        shown = page or (1 if output == "table" else None)
        if proofs is not None:
            count = found.prove(ledger.transparency_log, proofs, page=shown)
            click.echo(f"{counted(count, 'proof')} in {proofs}.", err=True)
        if output == "table":
            _print_explanation(session, found, shown or 1)
            return
        if output == "csv":
            click.echo(f"{found.file} WHERE {found.figure.where()}", err=True)
        _print_all(output, partial(found.write, form=output, page=page), found.head(), "events")


def _print_explanation(session: Session, found: "Explanation", page: int) -> None:
    """One page of the events behind a figure, for people."""
    from ledger.console.headings import phrase
    from ledger.console.tables import format_amount, format_number
    from projections.reports.explain import EVENT_COLUMNS

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
    rows = [row | {"contribution": text(row["contribution"])} for row in found.page(page)]
    heading, footer = f"{found.figure} = {text(found.value)}", true_for(session, found.as_of, found.log_size)
    present(session, "table", rows, EVENT_COLUMNS, heading=heading, footer=f"{told} {footer}")


def _print_all(output: Output, write: Callable[[Path], None], head: dict[str, Any], name: str) -> None:
    """All rows: as they are for CSV, for JSON in an object beside what they are of."""
    with written(write) as file:
        if output == "csv":
            shutil.copyfileobj(file, sys.stdout)
            return
        before = json.dumps(head, ensure_ascii=False, indent=2).removesuffix("\n}") + f',\n  "{name}": ['
        print_objects(file, before, "\n  ]\n}\n", indent="    ")


@audit.command("figure")
@click.argument("file", type=KEPT_FILE)
@trusted_key_option
@reads
def audit_figure(session: Session, file: Path, key: "VerifierKey | None", output: Output) -> None:
    """Check figures published in FILE, compute them again, and tell what has changed since and by which events.

    Exit code 4 if the signature, the log or the events of that time do not bear them out.
    """
    from projections.audit.figures import recheck

    with opened_reports(session) as (ledger, reports):
        found = recheck(reports, ledger.transparency_log, file.read_bytes(), key=key)
        for name in found.sql_changed:
            click.echo(
                f"Notice sql: the SQL of {name} is not the one that these figures were published with.", err=True
            )
        click.echo(found.sentence(), err=True)
        if output == "table":
            _print_recheck(session, found)
        else:
            _print_all(output, partial(found.write, form=output), found.head(), "changes")


def _print_recheck(session: Session, found: "Recheck") -> None:
    """What has changed since figures were published, and by which events, for people."""
    from ledger.console.headings import phrase
    from projections.reports.explain import EVENT_COLUMNS

    if not found.changes:
        return
    rows = [asdict(each) | {"difference": each.difference if each.is_sum else None} for each in found.changes]
    present(session, "table", rows, ("figure", "was", "now", "difference"))
    events = found.events(ROWS_MAX + 1)
    cut = phrase("cut", session.lang).format(rows=ROWS_MAX) if len(events) > ROWS_MAX else None
    present(session, "table", events[:ROWS_MAX], ("figure", *EVENT_COLUMNS), footer=cut)


@audit.command("export")
@click.argument("folder", type=FOLDER)
@pass_session
def audit_export(session: Session, folder: Path) -> None:
    """Write to FOLDER all that a stranger needs to verify the ledger up to its newest checkpoint, and no personal data.

    FOLDER/README.md says how, with tools of others. Run again it goes on, after an interruption as well as after the
    log has grown. What is handed over is verified first; exit code 4 names what is not as it was signed.
    """
    from ledger.application.batches import fetch_lists
    from projections.audit.export import export

    with opened(session) as ledger:
        found = ledger.transparency_log
        require_sound(ledger)
        fetch_lists(ledger)
        with counted_bar(2 * found.checkpoint().size, "export") as advance:  # each event is read twice
            exported = export(
                found,
                folder,
                archive=archive_of(ledger),
                lists=ledger.batches_folder,
                on_progress=lambda what, events: None if what == "journal" else advance(events),
            )
    for batch_id in exported.lists_missing:
        click.echo(f"The list of batch {batch_id} is not in the ledger's folder, and so not in the export.", err=True)
    click.echo(f"{folder} holds {counted(exported.size, 'event')} of {exported.origin}; read {folder / 'README.md'}")


@audit.command("verify")
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False))
@kept_checkpoints_option
@trusted_key_option
@click.option(
    "--witness",
    "witness_keys",
    multiple=True,
    type=VerifierKeyOption(),
    help="The verifier key of a witness you trust, in a file; may be given several times.",
)
@click.option("--quorum", type=click.IntRange(min=1), help="How many of them must have cosigned; all if not given.")
@reads
def audit_verify(
    session: Session,
    path: Path,
    checkpoints: tuple[Path, ...],
    key: "VerifierKey | None",
    witness_keys: "tuple[VerifierKey, ...]",
    quorum: int | None,
    output: Output,
) -> None:
    """Establish of a ledger's folder, or of an export, that its history is complete, unchanged and agreed by two.

    It needs neither the vault nor a private key nor, for an export, a network, and writes nothing there. Exit code 4
    names every event and file that is not as it must be.
    """
    from projections.audit.verification import Witnesses
    from projections.audit.verification import audit as audited

    if (quorum or 0) > len(witness_keys):
        raise click.UsageError("a --quorum needs at least as many --witness keys")
    witnesses = Witnesses(witness_keys, quorum or len(witness_keys)) if witness_keys else None
    with progress_bar(lambda: 0.0, "audit") as advance:
        found = audited(path, key=key, expected=checkpoints, witnesses=witnesses, on_progress=advance)
    tell_laws(session, output, found.laws, whole=asdict(found) | {"holds": found.holds})
    for sentence in found.not_shown:
        click.echo(f"Not shown: {sentence}", err=True)
    if not found.holds:
        raise Broken()
    click.echo(
        f"Every law holds over {counted(found.size, 'event')} of {found.origin or 'a ledger without a log'}.", err=True
    )


@audit.command("prove")
@click.argument("event", metavar="PAYMENT|INDEX|STREAM/VERSION")
@click.option("-o", "--output", "file", type=NEW_FILE, help="Write it to this file.")
@pass_session
def audit_prove(session: Session, event: str, file: Path | None) -> None:
    """Give a receipt that shows, without the ledger, that one event is in its log.

    PAYMENT is one such as bsu-2020/1/R000000123, or its second attempt bsu-2020/1/R000000123/2.
    """
    from ledger.store.durable import write_whole
    from projections.audit.receipts import prove

    with opened(session) as ledger:
        receipt = str(prove(ledger.transparency_log, event))
    if file is None:
        click.echo(receipt, nl=False)
    else:
        write_whole(file, receipt.encode())
        click.echo(f"{file} proves {event}; verify it with `salur audit receipt {file} --key VERIFIER-KEY`.", err=True)


@audit.command("receipt")
@click.argument("file", type=FILE)
@click.option("--key", type=VerifierKeyOption(), required=True, help="The verifier key you trust, in a file.")
@output_option
def audit_receipt(file: Path, key: "VerifierKey", output: str) -> None:
    """Verify the receipt in FILE (- reads standard input) and say what it proves; nothing but the key is needed."""
    from projections.audit.receipts import verified

    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    found = verified(data, key)
    if output == "table":
        for sentence in found.words():
            click.echo(sentence)
    else:
        signed = found.checkpoint
        place = {"origin": signed.origin, "index": found.index, "size": signed.size, "root": signed.root.hex()}
        print_json(place | {"event": found.event})
