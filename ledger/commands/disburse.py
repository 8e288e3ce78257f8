"""`salur disburse`: pay a tranche; one officer proposes, another approves, and either runs it."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.commands.proposals import propose_file, propose_rows, sha256_of
from ledger.console.options import FILE, Reading, Request, program_option, reads_file, reason_option, stacked, writes
from ledger.console.output import counted, counted_bar, money, tell_tally, tell_word
from ledger.console.working import opened_to_write, record

if TYPE_CHECKING:
    from ledger.application.batches import Proposed
    from ledger.console.working import Work

disburse = click.Group()

_program_and_tranche = stacked(
    program_option,
    click.option("--tranche", type=int, required=True, help="1, 2, …"),
    click.option("--batch", "batch_id", help="Id of the batch; made from its content if not given."),
)


@disburse.command("propose")
@click.argument("file", type=FILE)
@_program_and_tranche
@reads_file
@writes
def disburse_propose(
    request: Request, file: Path, code: str, tranche: int, batch_id: str | None, reading: Reading
) -> None:
    """Propose to pay the rows of FILE (columns recipient and amount; no amount means the tranche's own)."""
    from ledger.application import disbursement

    def work_of(file_sha256: str) -> "Work[Proposed]":
        asked = disbursement.PaymentList(code, tranche, file_sha256, batch_id, reading.decimal)
        return partial(disbursement.propose, asked=asked)

    propose_file(request, reading, file, disbursement.FIELDS, work_of)


@disburse.command("one")
@click.argument("recipient_id")
@click.option("--amount", default="", help="The tranche's own if not given.")
@_program_and_tranche
@writes
def disburse_one(
    request: Request, recipient_id: str, amount: str, code: str, tranche: int, batch_id: str | None
) -> None:
    """Propose a batch of one payment, to RECIPIENT_ID."""
    from ledger.application import disbursement, privacy
    from ledger.application.people import is_nik_shaped
    from ledger.files.tables import Row

    with opened_to_write(request) as ledger:
        if is_nik_shaped(recipient_id):  # the hash of what was typed is stored, and would give a NIK away
            recipient_id = privacy.recipient_named(ledger, recipient_id)
        asked = disbursement.PaymentList(code, tranche, sha256_of(f"{recipient_id},{amount}\n"), batch_id)
        propose_rows(request, ledger, [Row(1, (recipient_id, amount))], partial(disbursement.propose, asked=asked))


@disburse.command("approve")
@click.argument("batch_id")
@writes
def disburse_approve(request: Request, batch_id: str) -> None:
    """Agree that exactly the proposed rows of BATCH_ID are paid; holds the money."""
    from ledger.application import batches
    from ledger.application.attempt import Attempt

    with opened_to_write(request) as ledger:
        entries = batches.approve(ledger, request.command, batch_id=batch_id)
        proposal = Attempt(ledger, request.command).batch(batch_id).proposal
        total = money(request.session, ledger, proposal.total)
    sentence = f"Approved batch {batch_id}: {counted(proposal.count, 'payment')}, {total}."
    is_last = not entries.waiting
    tell_word(request, entries, f"batch {batch_id}", sentence)
    if entries and is_last and not request.command.dry_run:
        click.echo(f"Next: `salur disburse run {batch_id}`", err=True)


@disburse.command("reject")
@click.argument("batch_id")
@reason_option
@writes
def disburse_reject(request: Request, batch_id: str, reason: str) -> None:
    """Refuse the proposed BATCH_ID; its maker may withdraw it so."""
    from ledger.application import batches

    work = partial(batches.reject, batch_id=batch_id, reason=reason)
    record(request, work, f"Batch {batch_id} is rejected; nothing of it will be paid.")


@disburse.command("cancel")
@click.argument("batch_id")
@reason_option
@writes
def disburse_cancel(request: Request, batch_id: str, reason: str) -> None:
    """Call off the approved BATCH_ID, or what of it is not paid yet; its money is free again."""
    from ledger.application import batches

    work = partial(batches.cancel, batch_id=batch_id, reason=reason)
    record(request, work, f"Batch {batch_id} is called off, and what it held is free again.")


@disburse.command("run")
@click.argument("batch_id")
@click.option("--rejects", type=click.Path(path_type=Path), help="Where rows refused now go.")
@writes
def disburse_run(request: Request, batch_id: str, rejects: Path | None) -> None:
    """Pay every row of the approved BATCH_ID; interrupted, the same command goes on."""
    from ledger.application import batches
    from ledger.application.attempt import Attempt
    from ledger.files.rejects import RejectsFile

    rejects_path = rejects or Path(f"{batch_id}.rejects.csv")
    with opened_to_write(request) as ledger, RejectsFile(rejects_path) as file:
        count = Attempt(ledger, request.command).batch(batch_id).proposal.count
        with counted_bar(count, batch_id) as advance:
            tally = batches.run(
                ledger,
                request.command,
                batch_id=batch_id,
                on_reject=lambda reject, _: file.add(reject),
                on_progress=advance,
            )
        total = money(request.session, ledger, tally.total)
    verb = "Would pay" if request.command.dry_run else "Paid"
    before = f" ({tally.repeated:,} of them before)" if tally.repeated else ""
    payments = f"{counted(tally.taken + tally.repeated, 'payment')}{before}"
    sentence = f"{verb} {payments} of batch {batch_id}: {total}."
    tell_tally(request, tally, rejects_path, sentence=sentence)
