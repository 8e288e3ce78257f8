"""`salur seal`, and how log and archive keep up with what is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ledger.console.options import Session, output_option, pass_session
from ledger.console.output import counted, counted_bar, present, progress_bar
from ledger.console.working import opened

if TYPE_CHECKING:
    from ledger.application.attempt import Command
    from ledger.application.ledger import Ledger
    from projections.relation.archive import Archive
    from projections.reports.engine import Reports


@click.command()
@click.option("--rebuild", is_flag=True, help="Remove all segments first, and make the archive anew from the store.")
@output_option
@pass_session
def seal(session: Session, rebuild: bool, output: str) -> None:
    """Seal events into the archive: files of columns from which reports are rebuilt in seconds.

    It also happens by itself, after a write or before a report, whenever enough events for a segment have come together.
    """
    with opened(session) as ledger:
        archive = archive_of(ledger)
        if rebuild:
            archive.discard()
        with progress_bar(lambda: archive.progress, "archive") as advance:
            new = len(archive.seal(advance))
        segments = archive.segments()
        sealed = sum(segment.last - segment.first + 1 for segment in segments)
        row = {"segments": len(segments), "new": new, "sealed": sealed, "waiting": ledger.store.size() - sealed}
    if output == "table":
        click.echo(
            f"{counted(len(segments), 'segment')} with {counted(sealed, 'event')}, {new:,} of them new;"
            f" {row['waiting']:,} wait in the store."
        )
    else:
        present(session, output, [row], tuple(row))


def archive_of(ledger: "Ledger") -> "Archive":
    """The ledger's archive; what must be made anew of it is told on the error channel."""
    from projections.relation.archive import ARCHIVE, Archive

    return Archive(ledger.folder / ARCHIVE, ledger.store, tell=lambda sentence: click.echo(sentence, err=True))


def bring_up_to_date(archive: "Archive") -> "Archive":
    """Seal what is due, with a bar."""
    if archive.is_due():
        with progress_bar(lambda: archive.progress, "archive") as advance:
            archive.brought_up_to_date(advance)
    return archive


@contextmanager
def opened_reports(session: Session) -> "Iterator[tuple[Ledger, Reports]]":
    """The session's ledger, and its reports from an archive that is up to date."""
    from projections.reports.engine import Reports

    with opened(session) as ledger, Reports(ledger.store, bring_up_to_date(archive_of(ledger))) as reports:
        yield ledger, reports


# Around a write


@contextmanager
def upkeep(ledger: "Ledger", command: "Command") -> Iterator[None]:
    """Take what is recorded in this block into the transparency log, if it is the ledger's own, and into the archive."""
    from projections.relation.following import followed

    with followed(ledger.folder):
        yield
    # Also where this command recorded nothing: an earlier run of it may have been interrupted before the log grew.
    if (ledger.recorded or not command.dry_run) and ledger.place.has_own_log:
        _take_into_log(ledger)
    _seal_what_is_due(ledger)


def _take_into_log(ledger: "Ledger") -> None:
    """After a write, where the log is the ledger's own; what was recorded stands, whatever comes of the log."""
    from ledger.domain.errors import IntegrityBrokenError, LedgerError

    try:
        with counted_bar(ledger.store.size(), "log") as advance:
            ledger.transparency_log.grow(advance)
    except (OSError, LedgerError) as error:
        click.echo(f"Recorded, but not yet in the transparency log: {error}", err=True)
    except IntegrityBrokenError:
        click.echo("Recorded, but not taken into the transparency log:", err=True)
        raise


def _seal_what_is_due(ledger: "Ledger") -> None:
    """After a write that filled a segment; what was recorded stands, whatever comes of the archive."""
    from projections.errors import SegmentMismatchError

    try:
        bring_up_to_date(archive_of(ledger))
    except SegmentMismatchError as error:
        click.echo(str(error), err=True)
