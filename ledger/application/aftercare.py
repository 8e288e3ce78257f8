"""What happens to payments after they left: settled, returned, reissued, refunded, reversed."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from ledger.application.agreements import rules_bind
from ledger.application.attempt import Attempt, Command
from ledger.application.chunks import Chunk, OnProgress, OnReject, Tally, in_chunks
from ledger.application.given import require_texts
from ledger.application.ledger import Ledger
from ledger.domain import payment as payments
from ledger.domain import program as programs
from ledger.domain.errors import LedgerError, Said, SameOfficerError, ValueInvalidError
from ledger.domain.event import Event, Role
from ledger.domain.payment import (
    Payment,
    PaymentRef,
    PaymentUnknownError,
    ReturnReason,
    Status,
    TrancheReissued,
    TrancheReversed,
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
    decision = _decision(step, officer_id=command.by or "")

    def fill(attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
        attempt.officer(ROLE[step])
        states = attempt.load_many(sorted(set(filter(None, map(_stream, rows)))), payments.evolve)
        funds, binds = _Funds(attempt), rules_bind(attempt)

        def decide(row: Row) -> list[Event]:
            ref = PaymentRef.parse(row.values[0])
            if (payment := states.get(ref.stream)) is None:
                raise PaymentUnknownError(payment_id=ref.payment_id, nearest=ledger.nearest(ref.stream))
            events = decision(payment, ref.attempt, row.values[1] or reason, row.values[2] or treasury_ref)
            if events and payment.status is Status.REVERSED and binds and _last_by(ledger, ref) == command.by:
                raise SameOfficerError(officer_id=command.by or "", thing=f"payment {ref.payment_id}")
            funds.book(events)
            for event in events:
                states[ref.stream] = payments.evolve(payment, event) or payment
            return events

        chunk.each(rows, FIELDS, decide)
        chunk.events = funds.around(chunk.events)

    return in_chunks(ledger, command, rows, fill, on_reject=on_reject, on_progress=on_progress)


def _last_by(ledger: Ledger, ref: PaymentRef) -> str | None:
    """The officer who took the last step with a payment."""
    return ledger.load(ref.stream)[-1].meta.by


def _stream(row: Row) -> str | None:
    """The stream of the payment that a row names, or None where the name is unfit."""
    try:
        return PaymentRef.parse(row.values[0]).stream
    except LedgerError:
        return None


_Decision = Callable[[Payment, int, str, str], list[Event]]


def _decision(step: Step, *, officer_id: str) -> _Decision:
    def settle(payment: Payment, attempt: int, _reason: str, _ref: str) -> list[Event]:
        return payments.settle(payment, attempt=attempt)

    def return_(payment: Payment, attempt: int, reason: str, _ref: str) -> list[Event]:
        return payments.return_(payment, attempt=attempt, return_reason=_return_reason(reason), officer_id=officer_id)

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
