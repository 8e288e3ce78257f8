"""`salur payment`: what happened to payments after they left."""

from functools import partial

import click

from ledger.console.options import Decorator, Reading, Request, reads_file, stacked, writes
from ledger.console.working import Job, work_one_or_file

payment = click.Group()


def _add_step(step: str, done: str, *options: Decorator, help_text: str) -> None:
    """Add the command of one step, for one payment, of which it says that it is `done`, or for a file of them."""

    @payment.command(step, help=help_text)
    @click.argument("payment", metavar="PAYMENT|FILE")
    @stacked(*options)
    @reads_file
    @writes
    def command(request: Request, payment: str, reading: Reading, reason: str = "", treasury_ref: str = "") -> None:
        from ledger.application import aftercare
        from ledger.domain.payment import is_payment_id

        work = partial(aftercare.change, step=aftercare.Step(step), reason=reason, treasury_ref=treasury_ref)
        inputs = {"reason": reason, "treasury_ref": treasury_ref}
        job = Job(f"payment-{step}", aftercare.FIELDS, work, inputs=inputs)
        sentence = f"Payment {payment}: {done}."
        work_one_or_file(request, reading, payment, job, is_name=is_payment_id, sentence=sentence)


_reason_option = click.option("--reason", default="", help="For payments that name none.")
_treasury_option = click.option(
    "--treasury-ref", default="", help="Receipt of the treasury, for payments that name none."
)
_add_step("settle", "settled", help_text="The bank confirmed that the recipient has the money.")
_add_step(
    "return",
    "returned, and open until it is reissued or refunded",
    _reason_option,
    help_text="The bank sent the money back (ISO 20022 reason, e.g. AC04).",
)
_add_step("reissue", "paid again", help_text="Pay again what had come back; another officer than recorded the return.")
_add_step(
    "refund", "refunded to the treasury", _treasury_option, help_text="Give money that had come back to the treasury."
)
_add_step("reverse", "reversed", _reason_option, help_text="Correct the ledger's own mistake: the payment never left.")
