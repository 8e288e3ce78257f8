"""`salur log verify`, `export` and `serve`: the transparency log as outsiders read it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.console.options import (
    FOLDER,
    Session,
    host_option,
    kept_checkpoints_option,
    output_option,
    pass_session,
    trusted_key_option,
)
from ledger.console.output import Broken, counted, counted_bar, present, print_json
from ledger.console.working import opened

if TYPE_CHECKING:
    from ledger.transparency.notes import VerifierKey

log = click.Group()


@log.command("verify")
@kept_checkpoints_option
@trusted_key_option
@output_option
@pass_session
def log_verify(session: Session, checkpoints: tuple[Path, ...], key: "VerifierKey | None", output: str) -> None:
    """Compute the whole log anew from the store, and compare; exit code 4 names the first event or file that differs.

    Without a checkpoint that was kept elsewhere this shows no more than that store and log agree with each other.
    """
    from dataclasses import asdict

    from projections.audit.log_check import verify
    from projections.relation.spans import Stored

    with opened(session) as ledger, counted_bar(ledger.store.size(), "verify") as advance:
        found = verify(
            ledger.transparency_log, key=key, expected=checkpoints, source=Stored(ledger.place), on_progress=advance
        )
    if output == "json":
        print_json(asdict(found))
    else:
        row = asdict(found) | {"broken": len(found.broken)}
        present(session, output, [row], ("origin", "size", "waiting", "expected", "broken"))
    for sentence in found.broken:
        click.echo(f"BROKEN log: {sentence}", err=True)
    if found.broken:
        raise Broken()
    kept = f" and continues {counted(found.expected, 'checkpoint')} that were kept" if found.expected else ""
    click.echo(f"The log is that of the store's first {counted(found.size, 'event')}{kept}.", err=True)


@log.command("export")
@click.argument("folder", type=FOLDER)
@pass_session
def log_export(session: Session, folder: Path) -> None:
    """Write the log to FOLDER as files that any web server can offer and any reader of C2SP tiles can verify.

    Run again it goes on, after an interruption as well as after the log has grown.
    """
    from projections.audit.published import export

    with opened(session) as ledger, counted_bar(ledger.store.size(), "export") as advance:
        size = export(ledger.transparency_log, folder, advance)
    click.echo(f"{folder} holds the log of {counted(size, 'event')}.")


@log.command("serve")
@host_option
@click.option("--port", type=click.IntRange(0, 65_535), default=8_480, show_default=True, help="0 takes a free one.")
@pass_session
def log_serve(session: Session, host: str, port: int) -> None:
    """Offer the log over HTTP as it is now and as it grows, read-only, until interrupted."""
    from projections.audit.published import LogServer

    with opened(session) as ledger, LogServer((host, port), ledger.transparency_log) as server:
        click.echo(f"The log is offered at {server.url()}", err=True)
        server.serve_forever()
