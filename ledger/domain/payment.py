"""A payment: one tranche to one recipient, from leaving the program to settled, refunded or reversed.

A payment is named `program/tranche/recipient`, its later attempts `…/2`, `…/3`: the name is the ISO 20022 EndToEndId
of the transfer (at most 35 characters), so a bank's answer about an old attempt is never taken for the newest one.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Literal, TypedDict

from pydantic import Field

from ledger.domain.errors import LedgerError, Said, SameOfficerError
from ledger.domain.event import Event, Role, Stream
from ledger.domain.fields import Amount, BatchId, OfficerId, ProgramCode, RecipientId, Text, TrancheNumber


class ReturnReason(StrEnum):
    """Why a bank sent a payment back (ISO 20022 ExternalReturnReason1Code)."""

    INCORRECT_ACCOUNT = "AC01"
    CLOSED_ACCOUNT = "AC04"
    BLOCKED_ACCOUNT = "AC06"
    TRANSACTION_FORBIDDEN = "AG01"
    DUPLICATION = "AM05"
    NAME_MISMATCH = "BE01"
    CREDITOR_DECEASED = "MD07"
    NOT_SPECIFIED = "MS03"
    REGULATORY = "RR04"


payment_stream = Stream(
    "payment/{program}/{tranche}/{recipient_id}",
    "a tranche reaching a recipient twice: the stream's name is the idempotency key",
)


class _PaymentEvent(Event):
    STREAM = payment_stream
    NEEDS_OPEN = False
    NEEDS_ELIGIBLE = False
    program: ProgramCode
    tranche: TrancheNumber
    recipient_id: RecipientId


class TrancheDisbursed(_PaymentEvent):
    """Money of one tranche left the program for one recipient."""

    TOPIC = "TrancheDisbursed.v1"
    IS_SIGNED = False
    NEEDS_OPEN = True
    NEEDS_ELIGIBLE = True
    amount: Amount
    batch_id: BatchId


class TrancheSettled(_PaymentEvent):
    """The bank confirmed that the recipient has the money."""

    TOPIC = "TrancheSettled.v1"
    IS_SIGNED = False
    amount: Amount
    attempt: Annotated[int, Field(ge=1, le=99)]


class TrancheReturned(_PaymentEvent):
    """The bank sent the money back."""

    TOPIC = "TrancheReturned.v1"
    ROLE = Role.MAKER
    ACTOR = "recorded_by"
    amount: Amount
    attempt: Annotated[int, Field(ge=1, le=99)]
    return_reason: ReturnReason
    recorded_by: OfficerId
    """Whoever reissues the payment must be another officer."""


class TrancheReissued(_PaymentEvent):
    """Money that had come back, or had never left, was paid again to the same recipient."""

    TOPIC = "TrancheReissued.v1"
    AGREED = "batches"
    ROLE = Role.CHECKER
    amount: Amount
    attempt: Annotated[int, Field(ge=2, le=99)]
    after: Literal["return", "reversal"]
    batch_id: BatchId | None = None
    """The batch that it was agreed to in."""


class TrancheRefunded(_PaymentEvent):
    """Money that had come back was given to the treasury."""

    TOPIC = "TrancheRefunded.v1"
    AGREED = "batches"
    ROLE = Role.MAKER
    amount: Amount
    treasury_ref: Text
    batch_id: BatchId | None = None
    """The batch that it was agreed to in."""


class TrancheReversed(_PaymentEvent):
    """The ledger's own mistake is corrected: this payment never left the program."""

    TOPIC = "TrancheReversed.v1"
    ROLE = Role.CHECKER
    amount: Amount
    reason: Text


class AlreadyPaidError(LedgerError):
    """This tranche has already reached this recipient."""

    code = "already_paid"
    sentence = "this tranche was already paid in batch {batch_id}; see `salur history {payment_id}`"
    payment_id: str
    batch_id: str


class PaymentUnknownError(LedgerError):
    """No such payment was made."""

    code = "payment_unknown"
    sentence = "no payment {payment_id}{nearest}; payments are named PROGRAM/TRANCHE/RECIPIENT"
    payment_id: str
    nearest: Said = Said("")


class PaymentStateError(LedgerError):
    """The payment is not in the state that this step needs."""

    code = "payment_state"
    sentence = "payment {payment_id} is {status}; only a payment that is {needed} can be {step}"
    payment_id: str
    status: str
    needed: str
    step: str


class OtherProgramError(LedgerError):
    """A list of payments is of one program."""

    code = "other_program"
    sentence = "payment {payment_id} is not of {program}, as the first one of the file is; give a file for each program"
    payment_id: str
    program: str


class PaymentMovedError(LedgerError):
    """What officers agreed to does not fit the payment any more."""

    code = "payment_moved"
    sentence = "payment {payment_id} is {status} and has moved since officers agreed to this; propose it anew if it is still needed"
    payment_id: str
    status: str


class PaymentsDoneError(LedgerError):
    """All payments that are named have taken this step already."""

    code = "payments_done"
    sentence = "all {count} payments that could be {done} are {done} already; see `salur report payments`"
    count: int
    done: str


_PAYMENT_ID = re.compile(r"([a-z0-9-]{2,16})/([1-9][0-9]?)/(R[0-9]{9})(?:/([2-9]|[1-9][0-9]))?")


def is_payment_id(text: str) -> bool:
    """Whether the text has the form of a payment's name."""
    return _PAYMENT_ID.fullmatch(text) is not None


def is_recipient_id(text: str) -> bool:
    """Whether the text has the form of a recipient's id."""
    return re.fullmatch(r"R[0-9]{9}", text) is not None


class Status(StrEnum):
    """Where a payment stands."""

    DISBURSED = "disbursed"
    SETTLED = "settled"
    RETURNED = "returned"
    REISSUED = "reissued"
    REFUNDED = "refunded"
    REVERSED = "reversed"


@dataclass(frozen=True)
class PaymentRef:
    """The name of one attempt of a payment."""

    program: str
    tranche: int
    recipient_id: str
    attempt: int = 1

    @classmethod
    def parse(cls, text: str) -> "PaymentRef":
        """Read `program/tranche/recipient[/attempt]`."""
        if not (parts := _PAYMENT_ID.fullmatch(text)):
            raise PaymentUnknownError(payment_id=text if len(text) <= 35 and "/" in text else "of that form")
        return cls(parts[1], int(parts[2]), parts[3], int(parts[4] or 1))

    @property
    def stream(self) -> str:
        """The stream of the payment, the same for all of its attempts."""
        return payment_stream(self.program, self.tranche, self.recipient_id)

    @property
    def payment_id(self) -> str:
        """The attempt's name; the first attempt has no number."""
        suffix = f"/{self.attempt}" if self.attempt > 1 else ""
        return f"{self.program}/{self.tranche}/{self.recipient_id}{suffix}"


@dataclass(frozen=True)
class Payment:
    """What the events of one payment say together."""

    program: str
    tranche: int
    recipient_id: str
    amount: int
    batch_id: str
    status: Status = Status.DISBURSED
    attempt: int = 1
    return_recorded_by: str | None = None
    """The officer who recorded the last return."""
    agreed: TrancheReissued | TrancheRefunded | None = None
    """The last step that officers agreed to in a batch."""

    @property
    def ref(self) -> PaymentRef:
        """The name of the newest attempt."""
        return PaymentRef(self.program, self.tranche, self.recipient_id, self.attempt)


def evolve(payment: Payment | None, event: Event) -> Payment | None:
    """The payment after one more event."""
    if isinstance(event, TrancheDisbursed):
        return Payment(event.program, event.tranche, event.recipient_id, event.amount, event.batch_id)
    if payment is None:
        return None
    match event:
        case TrancheSettled():
            return replace(payment, status=Status.SETTLED)
        case TrancheReturned():
            return replace(payment, status=Status.RETURNED, return_recorded_by=event.recorded_by)
        case TrancheReissued():
            return replace(payment, status=Status.REISSUED, attempt=event.attempt, agreed=event)
        case TrancheRefunded():
            return replace(payment, status=Status.REFUNDED, agreed=event)
        case TrancheReversed():
            return replace(payment, status=Status.REVERSED)
    return payment


_ON_THE_WAY = (Status.DISBURSED, Status.REISSUED)


def settle(payment: Payment, *, attempt: int) -> list[Event]:
    """Record that the bank confirmed the payment; a second confirmation records nothing."""
    _require_attempt(payment, attempt)
    if payment.status is Status.SETTLED and attempt == payment.attempt:
        return []
    _require(payment, attempt, _ON_THE_WAY, "settled")
    return [TrancheSettled(**_name(payment), attempt=attempt)]


def return_(payment: Payment, *, attempt: int, return_reason: ReturnReason, officer_id: str) -> list[Event]:
    """Record that the bank sent the payment back; it stays open until reissued or refunded."""
    _require_attempt(payment, attempt)
    if attempt < payment.attempt or payment.status in (Status.RETURNED, Status.REFUNDED):
        return []
    _require(payment, attempt, (*_ON_THE_WAY, Status.SETTLED), "returned")
    return [TrancheReturned(**_name(payment), attempt=attempt, return_reason=return_reason, recorded_by=officer_id)]


def reissue(payment: Payment, *, attempt: int, officer_id: str | None) -> list[Event]:
    """Pay again what had come back or had never left.

    The officer who does so alone is another than the one who recorded the return; None where officers agree to it.
    """
    _require_attempt(payment, attempt)
    if attempt < payment.attempt:
        return []
    _require(payment, attempt, (Status.RETURNED, Status.REVERSED), "reissued")
    if officer_id and payment.status is Status.RETURNED and officer_id == payment.return_recorded_by:
        raise SameOfficerError(officer_id=officer_id, thing=f"payment {payment.ref.payment_id}")
    return [
        TrancheReissued(
            **_name(payment),
            attempt=attempt + 1,
            after="return" if payment.status is Status.RETURNED else "reversal",
        )
    ]


def refund(payment: Payment, *, attempt: int, treasury_ref: str) -> list[Event]:
    """Give money that had come back to the treasury."""
    _require_attempt(payment, attempt)
    if payment.status is Status.REFUNDED and attempt == payment.attempt:
        return []
    _require(payment, attempt, (Status.RETURNED,), "refunded")
    return [TrancheRefunded(**_name(payment), treasury_ref=treasury_ref)]


def reverse(payment: Payment, *, attempt: int, reason: str) -> list[Event]:
    """Correct the ledger's own mistake: the payment never left the program."""
    _require_attempt(payment, attempt)
    if payment.status is Status.REVERSED and attempt == payment.attempt:
        return []
    _require(payment, attempt, _ON_THE_WAY, "reversed")
    return [TrancheReversed(**_name(payment), reason=reason)]


class _Name(TypedDict):
    program: str
    tranche: int
    recipient_id: str
    amount: int


def _name(payment: Payment) -> _Name:
    return _Name(
        program=payment.program, tranche=payment.tranche, recipient_id=payment.recipient_id, amount=payment.amount
    )


def _require_attempt(payment: Payment, attempt: int) -> None:
    if attempt > payment.attempt:
        raise PaymentUnknownError(payment_id=replace(payment, attempt=attempt).ref.payment_id)


def _require(payment: Payment, attempt: int, needed: tuple[Status, ...], step: str) -> None:
    if attempt < payment.attempt or payment.status not in needed:
        status = "followed by a later attempt" if attempt < payment.attempt else payment.status
        raise PaymentStateError(
            payment_id=replace(payment, attempt=attempt).ref.payment_id,
            status=status,
            needed=" or ".join(needed),
            step=step,
        )
