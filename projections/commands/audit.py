"""`salur audit export`, `verify`, `prove` and `receipt`: evidence that stands without the ledger."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.console.options import (
    FILE,
    FOLDER,
    NEW_FILE,
    Session,
    VerifierKeyOption,
    kept_checkpoints_option,
    output_option,
    pass_session,
    reads,
    trusted_key_option,
)
from ledger.console.output import Broken, counted, present, print_json, progress_bar
from ledger.console.working import opened
from projections.commands.archive import archive_of
from projections.commands.check import LAW_COLUMNS, law_rows, tell_breaches

if TYPE_CHECKING:
    from ledger.notes import VerifierKey

audit = click.Group()


@audit.command("export")
@click.argument("folder", type=FOLDER)
@pass_session
def audit_export(session: Session, folder: Path) -> None:
    """Write to FOLDER all that a stranger needs to verify the ledger up to its newest checkpoint, and no personal data.

    FOLDER/README.md says how, with tools of others. Run again it goes on, after an interruption as well as after the
    log has grown.
    """
    from projections.audit_export import export

    with opened(session) as ledger:
        found = ledger.transparency_log
        steps, size, done = 2, max(found.checkpoint().size, 1), 0
        with progress_bar(lambda: done / size / steps, "export") as advance:

            def on_progress(what: str, events: int) -> None:
                nonlocal done
                if what != "journal":
                    done += events
                    advance(events)

            written = export(
                found, folder, archive=archive_of(ledger), lists=ledger.batches_folder, on_progress=on_progress
            )
    for batch_id in written.lists_missing:
        click.echo(f"The list of batch {batch_id} is not in the ledger's folder, and so not in the export.", err=True)
    click.echo(f"{folder} holds {counted(written.size, 'event')} of {written.origin}; read {folder / 'README.md'}")


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
    output: str,
) -> None:
    """Establish of a ledger's folder, or of an export, that its history is complete, unchanged and agreed by two.

    It needs neither the vault nor a private key nor, for an export, a network, and writes nothing there. Exit code 4
    names every event and file that is not as it must be.
    """
    from dataclasses import asdict

    from projections.audit import Witnesses
    from projections.audit import audit as audited

    if (quorum or 0) > len(witness_keys):
        raise click.UsageError("a --quorum needs at least as many --witness keys")
    witnesses = Witnesses(witness_keys, quorum or len(witness_keys)) if witness_keys else None
    with progress_bar(lambda: 0.0, "audit") as advance:
        found = audited(path, key=key, expected=checkpoints, witnesses=witnesses, on_progress=advance)
    if output == "json":
        print_json(asdict(found) | {"holds": found.holds})
    else:
        present(session, output, law_rows(found.laws), LAW_COLUMNS)
    tell_breaches(found.laws)
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
    from ledger.durable import write_whole
    from projections.receipts import prove

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
    from projections.receipts import verified

    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    found = verified(data, key)
    if output == "table":
        for sentence in found.words():
            click.echo(sentence)
    else:
        signed = found.checkpoint
        place = {"origin": signed.origin, "index": found.index, "size": signed.size, "root": signed.root.hex()}
        print_json(place | {"event": found.event})
