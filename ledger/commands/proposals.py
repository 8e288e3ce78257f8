"""How a command proposes a batch: from the rows of a file, or from what was typed."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.console.options import Reading, Request
from ledger.console.output import counted, money, tell_tally
from ledger.console.working import Work, given_file, refuse

if TYPE_CHECKING:
    from ledger.application.batches import Proposed
    from ledger.application.ledger import Ledger
    from ledger.files.tables import Field, Row


def propose_file(
    request: Request,
    reading: Reading,
    path: Path,
    fields: "tuple[Field, ...]",
    work_of: "Callable[[str], Work[Proposed]]",
    noun: str = "payment",
) -> None:
    """Propose a batch of a file's rows, by the work that its SHA-256 leads to, and say what became of them."""
    with given_file(request, reading, path, fields) as given:
        made = given.carry_out(work_of(given.sha256))
        sentence, more = _words(request, given.ledger, made, noun)
    tell_tally(request, made.tally, given.rejects.path, sentence=sentence, more=more)


def propose_rows(
    request: Request, ledger: "Ledger", rows: "list[Row]", work: "Work[Proposed]", noun: str = "payment"
) -> None:
    """Propose a batch of what was typed; what refuses a row refuses the command."""
    made = work(ledger, request.command, rows=rows, on_reject=refuse, on_progress=lambda _: None)
    sentence, more = _words(request, ledger, made, noun)
    tell_tally(request, made.tally, Path(), sentence=sentence, more=more)


def sha256_of(typed: str) -> str:
    """What stands for a file's SHA-256 where the rows were typed."""
    return hashlib.sha256(typed.encode()).hexdigest()


def _words(request: Request, ledger: "Ledger", made: "Proposed", noun: str) -> tuple[str, dict[str, object]]:
    """What was proposed, in a sentence and for JSON; the officer is told what comes next."""
    proposal, total = made.proposal, money(request.session, ledger, made.proposal.total)
    refused = sum(made.tally.refused.values())
    verb = "Would propose" if request.command.dry_run else "Proposed" if made.is_new else "Already proposed:"
    without = f" Left out: {counted(refused, 'row')}." if refused else ""
    if made.is_new and not request.command.dry_run:
        batch = f"batch/{proposal.batch_id}"
        approving = f"`salur show {batch}`, then `salur disburse approve {proposal.batch_id}`"
        click.echo(f"Next, another officer: {approving}", err=True)
    sentence = f"{verb} batch {proposal.batch_id}: {counted(proposal.count, noun)}, {total}.{without}"
    return sentence, {"batch_id": proposal.batch_id, "rows_sha256": proposal.rows_sha256}
