"""What happens to payments after they left: settled, returned, reissued, refunded, reversed."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import chain
from typing import Any, TypeVar

from ledger.application import listed
from ledger.application.agreements import rules_bind
from ledger.application.attempt import Attempt, Command
from ledger.application.batches import Proposed
from ledger.application.chunks import Chunk, Fill, OnProgress, OnReject, Tally, in_chunks
from ledger.application.given import require_texts
from ledger.application.ledger import Ledger
from ledger.application.listed import Asked, Listing
from ledger.domain import payment as payments
from ledger.domain import program as programs
from ledger.domain.agreement import AgreementNeededError
from ledger.domain.batch import BatchEmptyError, ListKind, line_of
from ledger.domain.errors import LedgerError, Said, ValueInvalidError
from ledger.domain.event import Event, Role
from ledger.domain.payment import (
    OtherProgramError,
    Payment,
    PaymentMovedError,
    PaymentRef,
    PaymentsDoneError,
    PaymentUnknownError,
    ReturnReason,
    TrancheRefunded,
    TrancheReissued,
    TrancheReversed,
    is_payment_id,
)
from ledger.domain.program import FundsRecovered, FundsSpent, Program
from ledger.files.rejects import Reject
from ledger.files.tables import Field, Row


class Step(StrEnum):
    """A step of a payment after it left."""

    SETTLE = "settle"
    RETURN = "return"
    REISSUE = "reissue"
    REFUND = "refund"
    REVERSE = "reverse"


FIELDS = (
    Field("payment", ("payment", "payment id", "end to end id", "endtoendid"), required=True),
    Field("reason", ("reason", "return reason", "alasan", "kode alasan")),
    Field("treasury_ref", ("treasury ref", "ntpn", "bukti setor")),
)
ROLE = {
    Step.SETTLE: Role.MAKER,
    Step.RETURN: Role.MAKER,
    Step.REFUND: Role.MAKER,
    Step.REISSUE: Role.CHECKER,
    Step.REVERSE: Role.CHECKER,
}
"""Who may take a step: money that leaves again, and corrections, are a checker's."""


def change(
    ledger: Ledger,
    command: Command,
    step: Step,
    rows: Iterable[Row | Reject],
    *,
    reason: str = "",
    treasury_ref: str = "",
    on_reject: OnReject,
    on_progress: OnProgress = lambda _: None,
) -> Tally:
    """Take one step with each payment named (rows as in `FIELDS`); a step taken before is passed over.

    `reason` and `treasury_ref` serve rows that name none.
    """
    decide = _deciding(ledger, command, step, reason, treasury_ref)

    def fill(attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
        if step in LISTINGS and rules_bind(attempt):
            raise AgreementNeededError(command=f"salur payment {step}")
        attempt.officer(ROLE[step])
        decide(attempt, rows, chunk)

    return in_chunks(ledger, command, rows, fill, on_reject=on_reject, on_progress=on_progress)


def propose(
    ledger: Ledger,
    command: Command,
    rows: Iterable[Row | Reject],
    *,
    step: Step,
    file_sha256: str,
    treasury_ref: str = "",
    batch_id: str | None = None,
    on_reject: OnReject,
    on_progress: OnProgress = lambda _: None,
) -> Proposed:
    """Put up for approval, as a batch, that payments of one program (rows as in `FIELDS`) are paid again or refunded.

    `file_sha256` is that of the file the rows come from. The program is that of the first payment named.
    """
    named, remaining = _program_of(rows)
    decide = _deciding(ledger, command, step, "", treasury_ref, program=named, is_agreed=True, batch_id=batch_id)

    def fill(attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
        attempt.officer(Role.MAKER)
        decide(attempt, rows, chunk)

    return listed.propose(
        ledger,
        command,
        remaining,
        listing=LISTINGS[step],
        asked=Asked(f"payment {step}", named, file_sha256, batch_id, {"treasury_ref": treasury_ref}),
        fill=fill,
        on_reject=on_reject,
        on_progress=on_progress,
    )


def _program_of(rows: Iterable[Row | Reject]) -> tuple[str, Iterable[Row | Reject]]:
    """The program of the first payment that rows name, and the rows."""
    before: list[Row | Reject] = []
    remaining = iter(rows)
    for row in remaining:
        before.append(row)
        if isinstance(row, Row) and is_payment_id(row.values[0]):
            return PaymentRef.parse(row.values[0]).program, chain(before, remaining)
    raise BatchEmptyError(refused=len(before))


def _deciding(
    ledger: Ledger,
    command: Command,
    step: Step,
    reason: str,
    treasury_ref: str,
    *,
    program: str | None = None,
    is_agreed: bool = False,
    batch_id: str | None = None,
) -> Fill:
    """How a chunk of rows takes a step; of one program only where it is named.

    What the batch that is proposed has done belongs to its list: the same file gives the same list again.
    """
    decision = _decision(step, officer_id=None if is_agreed else command.by or "")

    def fill(attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
        states = attempt.load_many(sorted(set(filter(None, map(_stream, rows)))), payments.evolve)
        funds = _Funds(attempt)

        def decide(row: Row) -> list[Event]:
            ref = PaymentRef.parse(row.values[0])
            if program not in (None, ref.program):
                raise OtherProgramError(payment_id=ref.payment_id, program=program or "")
            if (payment := states.get(ref.stream)) is None:
                raise PaymentUnknownError(payment_id=ref.payment_id, nearest=ledger.nearest(ref.stream))
            events = decision(payment, ref.attempt, row.values[1] or reason, row.values[2] or treasury_ref)
            if batch_id is not None and payment.agreed is not None and payment.agreed.batch_id == batch_id:
                return [payment.agreed]
            funds.book(events)
            for event in events:
                states[ref.stream] = payments.evolve(payment, event) or payment
            return events

        chunk.each(rows, FIELDS, decide)
        chunk.events = funds.around(chunk.events)

    return fill


P = TypeVar("P", TrancheReissued, TrancheRefunded)


def _followed(known: list[Event] | None, event: Event) -> list[Event]:
    return [*(known or ()), event]


def _deciding_anew(
    step: Callable[[Payment, P], list[Event]],
) -> Callable[[Attempt, Sequence[P]], Callable[[P], list[Event]]]:
    """How the payments of a chunk take a step as it was agreed to, or not at all."""

    def again(attempt: Attempt, lines: Sequence[P]) -> Callable[[P], list[Event]]:
        histories = attempt.load_many([line.stream for line in lines], _followed)

        def decide(line: P) -> list[Event]:
            history = histories.get(line.stream, [])
            if any(isinstance(each, type(line)) and each.batch_id == line.batch_id for each in history):
                return []
            payment: Payment | None = None
            for event in history:
                payment = payments.evolve(payment, event)
            if payment is None:
                ref = PaymentRef(line.program, line.tranche, line.recipient_id)
                raise PaymentUnknownError(payment_id=ref.payment_id)
            if line_of(line) not in map(line_of, step(payment, line)):
                raise PaymentMovedError(payment_id=payment.ref.payment_id, status=payment.status)
            return [line]

        return decide

    return again


def _reissued(payment: Payment, line: TrancheReissued) -> list[Event]:
    return payments.reissue(payment, attempt=line.attempt - 1, officer_id=None)


def _refunded(payment: Payment, line: TrancheRefunded) -> list[Event]:
    return payments.refund(payment, attempt=payment.attempt, treasury_ref=line.treasury_ref)


REISSUES = Listing(
    kind=ListKind.REISSUES,
    event=TrancheReissued,
    again=_deciding_anew(_reissued),
    name=(
        "payment",
        lambda line: PaymentRef(line.program, line.tranche, line.recipient_id, line.attempt - 1).payment_id,
    ),
    all_done=lambda count: PaymentsDoneError(count=count, done="paid again"),
    # What had been reversed is taken from the program once more; what had come back never was free.
    held=lambda line: line.amount if line.after == "reversal" else 0,
)
REFUNDS = Listing(
    kind=ListKind.REFUNDS,
    event=TrancheRefunded,
    again=_deciding_anew(_refunded),
    name=("payment", lambda line: PaymentRef(line.program, line.tranche, line.recipient_id).payment_id),
    all_done=lambda count: PaymentsDoneError(count=count, done="refunded"),
    held=lambda _: 0,
)
LISTINGS: dict[Step, Listing[Any]] = {Step.REISSUE: REISSUES, Step.REFUND: REFUNDS}
"""The steps that other officers agree to, once the rules bind."""


def _stream(row: Row) -> str | None:
    """The stream of the payment that a row names, or None where the name is unfit."""
    try:
        return PaymentRef.parse(row.values[0]).stream
    except LedgerError:
        return None


_Decision = Callable[[Payment, int, str, str], list[Event]]


def _decision(step: Step, *, officer_id: str | None) -> _Decision:
    def settle(payment: Payment, attempt: int, _reason: str, _ref: str) -> list[Event]:
        return payments.settle(payment, attempt=attempt)

    def return_(payment: Payment, attempt: int, reason: str, _ref: str) -> list[Event]:
        return payments.return_(
            payment, attempt=attempt, return_reason=_return_reason(reason), officer_id=officer_id or ""
        )

    def reissue(payment: Payment, attempt: int, _reason: str, _ref: str) -> list[Event]:
        return payments.reissue(payment, attempt=attempt, officer_id=officer_id)

    def refund(payment: Payment, attempt: int, _reason: str, treasury_ref: str) -> list[Event]:
        _check_text(treasury_ref, "treasury_ref")
        return payments.refund(payment, attempt=attempt, treasury_ref=treasury_ref)

    def reverse(payment: Payment, attempt: int, reason: str, _ref: str) -> list[Event]:
        _check_text(reason, "reason")
        return payments.reverse(payment, attempt=attempt, reason=reason)

    decisions: Mapping[Step, _Decision] = {
        Step.SETTLE: settle,
        Step.RETURN: return_,
        Step.REISSUE: reissue,
        Step.REFUND: refund,
        Step.REVERSE: reverse,
    }
    return decisions[step]


class _Funds:
    """What a chunk's corrections do to the budgets: reversals free money, and reissues after a reversal take it again."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._programs: dict[str, Program] = {}
        self._recovered: Counter[str] = Counter()
        self._taken_again: Counter[str] = Counter()

    def book(self, events: list[Event]) -> None:
        """Take note of a row's events; refuses a payment again that its program has no money for."""
        for event in events:
            if isinstance(event, TrancheReversed):
                self._program(event.program)
                self._recovered[event.program] += event.amount
            elif isinstance(event, TrancheReissued) and event.after == "reversal":
                amount = self._taken_again[event.program] + event.amount
                self._reserve(event.program, amount)
                self._taken_again[event.program] = amount

    def around(self, events: list[Event]) -> list[Event]:
        """The events between the money held before them and the money booked after them, one sum a program."""
        held: list[Event] = []
        booked: list[Event] = []
        for code, amount in sorted(self._recovered.items()):
            booked.append(FundsRecovered(program=code, amount=amount, reserved_for="reversed payments"))
        for code, amount in sorted(self._taken_again.items()):
            held += self._reserve(code, amount)
            booked.append(FundsSpent(program=code, amount=amount, reserved_for="reissued payments"))
        return [*held, *events, *booked]

    def _reserve(self, code: str, amount: int) -> list[Event]:
        return programs.reserve(self._program(code), amount=amount, reserved_for="reissued payments")

    def _program(self, code: str) -> Program:
        if code not in self._programs:
            self._programs[code] = self._attempt.program(code)
        return self._programs[code]


def _return_reason(text: str) -> ReturnReason:
    try:
        return ReturnReason(text.strip().upper())
    except ValueError:
        known = ", ".join(ReturnReason)
        raise ValueInvalidError(
            field="reason", problem=Said("a return has one of the ISO 20022 codes {known}", known=known)
        ) from None


def _check_text(text: str, field: str) -> None:
    """Refuse a missing or unfit text under the name of its own field."""
    if not text:
        raise ValueInvalidError(field=field, problem=Said("missing; add a column or give it with an option"))
    require_texts(**{field: text})
