"""`salur payment`: what happened to payments after they left."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.commands.proposals import propose_file, propose_rows, sha256_of
from ledger.console.options import Decorator, Reading, Request, reads_file, stacked, writes
from ledger.console.working import Job, opened, opened_to_write, work_one_or_file

if TYPE_CHECKING:
    from ledger.application.batches import Proposed
    from ledger.console.working import Work

payment = click.Group()


def _take(
    request: Request, reading: Reading, step: str, payment: str, done: str, *, reason: str = "", treasury_ref: str = ""
) -> None:
    """Take a step with one payment, of which it is said that it is `done`, or with a file of them."""
    from ledger.application import aftercare
    from ledger.domain.payment import is_payment_id

    work = partial(aftercare.change, step=aftercare.Step(step), reason=reason, treasury_ref=treasury_ref)
    inputs = {"reason": reason, "treasury_ref": treasury_ref}
    job = Job(f"payment-{step}", aftercare.FIELDS, work, inputs=inputs)
    sentence = f"Payment {payment}: {done}."
    work_one_or_file(request, reading, payment, job, is_name=is_payment_id, sentence=sentence)


def _add_step(step: str, done: str, *options: Decorator, help_text: str) -> None:
    """Add the command of a step that one officer takes."""

    @payment.command(step, help=help_text)
    @click.argument("payment", metavar="PAYMENT|FILE")
    @stacked(*options)
    @reads_file
    @writes
    def command(request: Request, payment: str, reading: Reading, reason: str = "") -> None:
        _take(request, reading, step, payment, done, reason=reason)


_reason_option = click.option("--reason", default="", help="For payments that name none.")
_add_step("settle", "settled", help_text="The bank confirmed that the recipient has the money.")
_add_step(
    "return",
    "returned, and open until it is reissued or refunded",
    _reason_option,
    help_text="The bank sent the money back (ISO 20022 reason, e.g. AC04).",
)
_add_step("reverse", "reversed", _reason_option, help_text="Correct the ledger's own mistake: the payment never left.")


def _add_agreed_step(step: str, done: str, *options: Decorator, help_text: str) -> None:
    """Add the command of a step that other officers agree to as a batch, once two officers have adopted the rules."""

    @payment.command(step, help=help_text)
    @click.argument("payment", metavar="PAYMENT|FILE")
    @stacked(*options)
    @click.option("--batch", "batch_id", help="Id of the batch; made from its content if not given.")
    @reads_file
    @writes
    def command(request: Request, payment: str, reading: Reading, batch_id: str | None, treasury_ref: str = "") -> None:
        from ledger.application import aftercare
        from ledger.application.agreements import rules_bind
        from ledger.domain.payment import is_payment_id
        from ledger.files.tables import Row

        with opened(request.session) as ledger:
            is_agreed = rules_bind(ledger.view())
        if not is_agreed:
            if batch_id:
                raise click.UsageError("--batch: payments go together as batches once the rules are adopted")
            _take(request, reading, step, payment, done, treasury_ref=treasury_ref)
            return

        def work_of(file_sha256: str) -> "Work[Proposed]":
            return partial(
                aftercare.propose,
                step=aftercare.Step(step),
                treasury_ref=treasury_ref,
                file_sha256=file_sha256,
                batch_id=batch_id,
            )

        if is_payment_id(payment) and not Path(payment).exists():
            with opened_to_write(request) as ledger:
                propose_rows(request, ledger, [Row(1, (payment, "", ""))], work_of(sha256_of(payment)))
        else:
            propose_file(request, reading, Path(payment), aftercare.FIELDS, work_of)


_add_agreed_step(
    "reissue",
    "paid again",
    help_text="Propose to pay again, as a batch, what had come back or never left; other officers agree to it.",
)
_add_agreed_step(
    "refund",
    "refunded to the treasury",
    click.option("--treasury-ref", default="", help="Receipt of the treasury, for payments that name none."),
    help_text="Propose to give money that had come back to the treasury, as a batch; other officers agree to it.",
)
