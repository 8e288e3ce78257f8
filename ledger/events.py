"""Every fact that the ledger stores; add only.

An event says what happened to one thing; the stream it belongs to follows from its fields. When, by whom and under
which reference it was recorded is its `Meta`, the same for every event of a command. Both are stored side by side in
one JSON object, so their field names never overlap.

Stored events never change: a class is found by its `TOPIC`, not by its name or file. A changed event is a new class
with a new version in its topic, and an upcaster in `UPCASTERS` that turns the old stored object into the new one.
"""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from ledger.money import AMOUNT_MAX

ROSTER_MAX = 1_000
"""Members of a group, at most: an event stays below the 65,535 bytes of a transparency log's entry."""


def _no_personal_number(text: str) -> str:
    digits = 0
    for sign in text:
        digits = digits + 1 if sign.isdigit() else 0
        if digits >= 10:
            raise ValueError("holds a number of ten or more digits, which may be a person's; leave it out")
    return text


def _pattern(pattern: str) -> StringConstraints:
    return StringConstraints(pattern=pattern)


_ChosenByOfficer = AfterValidator(_no_personal_number)
"""A name that an officer types or a file brings, where a person's number may stand by mistake."""


Amount = Annotated[int, Field(gt=0, le=AMOUNT_MAX)]
"""Whole minor units of the ledger's currency."""
BudgetAmount = Annotated[int, Field(ge=0, le=AMOUNT_MAX)]
Quantity = Annotated[int, Field(gt=0, le=AMOUNT_MAX)]
"""Whole units of an item."""
Count = Annotated[int, Field(ge=0, le=AMOUNT_MAX)]
ProgramCode = Annotated[str, _pattern(r"^[a-z0-9][a-z0-9-]{0,14}[a-z0-9]$")]
"""2 to 16 characters, so that a payment's id stays within the 35 of an ISO 20022 EndToEndId."""
TrancheNumber = Annotated[int, Field(ge=1, le=99)]
RecipientId = Annotated[str, _pattern(r"^R[0-9]{9}$")]
OfficerId = Annotated[str, _pattern(r"^[a-z][a-z0-9.-]{1,31}$")]
BatchId = Annotated[str, _pattern(r"^[A-Za-z0-9][A-Za-z0-9.-]{1,34}$")]
GroupId = Annotated[str, _pattern(r"^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$"), _ChosenByOfficer]
ShipmentId = GroupId
Slug = Annotated[str, _pattern(r"^[a-z][a-z0-9-]{1,31}$"), _ChosenByOfficer]
"""A word of the program's own vocabulary: a category, an item, a unit."""
Country = Annotated[str, _pattern(r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""
Region = Annotated[str, _pattern(r"^[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?$")]
"""Kemendagri code of a province, regency, district or village, e.g. 32.73."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_no_personal_number)]
"""Words of an officer; a number that could be a person's is refused."""
Sha256 = Annotated[str, _pattern(r"^[0-9a-f]{64}$")]
PublicKey = Annotated[str, _pattern(r"^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$")]
"""An Ed25519 public key, 32 bytes in base64; only the one text that encodes them, with no bit left unused."""


class Role(StrEnum):
    """What an officer may do."""

    MAKER = "maker"
    CHECKER = "checker"


class Kind(StrEnum):
    """The kind of help that a program gives."""

    CASH = "cash"
    GROUP_GRANT = "group-grant"
    PUBLIC_WORKS = "public-works"
    TRAINING = "training"
    INCUBATION = "incubation"
    TECHNOLOGY = "technology"
    DIGITAL = "digital"
    COMPANION = "companion"
    GOODS = "goods"
    REFERRAL = "referral"
    UMBRELLA = "umbrella"


class Channel(StrEnum):
    """Who refers a person to another scheme."""

    REGIONAL_GOVERNMENT = "regional-government"
    BP2MI = "bp2mi"
    P3MI = "p3mi"


class SharedAccount(StrEnum):
    """Why one bank account may serve several recipients."""

    HOUSEHOLD = "household"
    GUARDIAN = "guardian"
    NO_BANK_NEARBY = "no-bank-nearby"


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


class _Frozen(BaseModel):
    # A class is made ready when it is first used: a command uses few of them.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)


class Meta(_Frozen):
    """When and by whom the events of one command were recorded, and under which reference."""

    recorded_at: AwareDatetime
    """The instant of appending, UTC."""
    effective_on: date
    """The business date."""
    by: OfficerId | None = None
    """The officer who acted; nobody when the ledger itself is opened."""
    reference: Text | None = None
    note: Text | None = None


class Event(_Frozen):
    """A fact about one thing."""

    TOPIC: ClassVar[str]
    IS_SIGNED: ClassVar[bool] = True
    """Whether the officer who acts signs it; never changed for a topic, for audits demand it of old events as well.

    Not signed is only what is recorded a person at a time, from files of millions: what pays and binds people among it
    (TrancheDisbursed, GroupJoined) is covered by the signed list or roster that names them.
    """

    @property
    def stream(self) -> str:
        """The name of the stream that the event belongs to."""
        raise NotImplementedError


class RefusedRows(_Frozen):
    """How many rows of a file were refused for one reason."""

    code: str
    rows: Count


# The ledger itself


class LedgerOpened(Event):
    """The ledger begins, with its currency fixed for good."""

    TOPIC = "LedgerOpened.v1"
    IS_SIGNED = False
    name: Text
    currency: Annotated[str, _pattern(r"^[A-Z]{3}$")]
    decimals: Annotated[int, Field(ge=0, le=4)]

    @property
    def stream(self) -> str:
        return LEDGER_STREAM


class LedgerEntrusted(Event):
    """The ledger has its first officer; everybody after is enrolled by an officer."""

    TOPIC = "LedgerEntrusted.v1"
    officer_id: OfficerId

    @property
    def stream(self) -> str:
        return LEDGER_STREAM


class ReferenceUsed(Event):
    """A command was carried out under an officer's own reference, and is not carried out again."""

    TOPIC = "ReferenceUsed.v1"
    used: Text
    request_sha256: Sha256

    @property
    def stream(self) -> str:
        return reference_stream(self.used)


class FileProcessed(Event):
    """A file was read to its end; so many rows went in and so many were refused, by reason."""

    TOPIC = "FileProcessed.v1"
    command: Slug
    file_sha256: Sha256
    count: Count
    refused: tuple[RefusedRows, ...]
    program: ProgramCode | None = None

    @property
    def stream(self) -> str:
        return file_stream(self.command, self.file_sha256)


# Officers


class OfficerEnrolled(Event):
    """An officer may act in the roles named."""

    TOPIC = "OfficerEnrolled.v1"
    officer_id: OfficerId
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    public_key: PublicKey | None = None
    """Of the key the officer signs with; an officer without one cannot sign."""

    @property
    def stream(self) -> str:
        return officer_stream(self.officer_id)


class OfficerRevoked(Event):
    """An officer may no longer act."""

    TOPIC = "OfficerRevoked.v1"
    officer_id: OfficerId
    reason: Text

    @property
    def stream(self) -> str:
        return officer_stream(self.officer_id)


class OfficerKeyReplaced(Event):
    """An officer signs with another key from now on; the one before counts no more."""

    TOPIC = "OfficerKeyReplaced.v1"
    officer_id: OfficerId
    public_key: PublicKey
    reason: Text

    @property
    def stream(self) -> str:
        return officer_stream(self.officer_id)


class KeyAssigned(Event):
    """A public key is one officer's for good, and can never be another's."""

    TOPIC = "KeyAssigned.v1"
    public_key: PublicKey
    officer_id: OfficerId

    @property
    def stream(self) -> str:
        return key_stream(self.public_key)


# Programs and their money


class _ProgramEvent(Event):
    program: ProgramCode

    @property
    def stream(self) -> str:
        return program_stream(self.program)


class ProgramOpened(_ProgramEvent):
    """A program begins, with its terms."""

    TOPIC = "ProgramOpened.v1"
    program: Annotated[ProgramCode, _ChosenByOfficer]
    parent: ProgramCode | None = None
    name: Text
    kind: Kind
    ceiling: Amount | None = None
    """The most one recipient, or one group, may get."""
    schedule: tuple[Amount, ...] = ()
    """Amount of tranche 1, 2, …"""
    fiscal_year: Annotated[int, Field(ge=1945, le=2200)]
    legal_basis: Text | None = None
    categories: tuple[Slug, ...] = ()
    """Categories of recipients it is for; none named means all."""
    report_due_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """Days a funded group has to give its accountability report."""


class BudgetSet(_ProgramEvent):
    """The money set aside for a program is now so much."""

    TOPIC = "BudgetSet.v1"
    budget: BudgetAmount
    previous: BudgetAmount


class FundsReserved(_ProgramEvent):
    """Part of the budget is held for a batch or a file."""

    TOPIC = "FundsReserved.v1"
    amount: Amount
    reserved_for: Text


class FundsReleased(_ProgramEvent):
    """Money that was held is not needed and is free again."""

    TOPIC = "FundsReleased.v1"
    amount: Amount
    reserved_for: Text


class FundsSpent(_ProgramEvent):
    """Money that was held has been paid; it is no longer open."""

    TOPIC = "FundsSpent.v1"
    amount: Amount
    reserved_for: Text


class FundsRecovered(_ProgramEvent):
    """Money booked as paid by the ledger's own mistake is free again."""

    TOPIC = "FundsRecovered.v1"
    amount: Amount
    reserved_for: Text


class ProgramClosed(_ProgramEvent):
    """Nothing more is paid or recorded in the program."""

    TOPIC = "ProgramClosed.v1"
    reason: Text


# Recipients


class _RecipientEvent(Event):
    recipient_id: RecipientId

    @property
    def stream(self) -> str:
        return recipient_stream(self.recipient_id)


class RecipientRegistered(_RecipientEvent):
    """A person is known to the ledger, whose data only the vault holds."""

    TOPIC = "RecipientRegistered.v1"
    IS_SIGNED = False
    commitment: Sha256
    """SHA-256 over a salt and the person's data, both in the vault."""
    category: Slug
    region: Region | None = None
    shared_account: SharedAccount | None = None
    source: Annotated[str, _pattern(r"^[0-9a-f]{16}:[0-9]+$")] | None = None
    """First 16 digits of the file's SHA-256, and the line in it."""


class RecipientReferred(_RecipientEvent):
    """A person was referred to another scheme."""

    TOPIC = "RecipientReferred.v1"
    IS_SIGNED = False
    scheme: Slug
    channel: Channel


class TrainingAttended(_RecipientEvent):
    """A person attended a session of a program's training."""

    TOPIC = "TrainingAttended.v1"
    IS_SIGNED = False
    program: ProgramCode
    session_id: GroupId
    group_id: GroupId | None = None


class SupportReceived(_RecipientEvent):
    """A person was helped by a program in another way than money or training."""

    TOPIC = "SupportReceived.v1"
    IS_SIGNED = False
    program: ProgramCode
    kind: Kind


class ErasureRequested(_RecipientEvent):
    """A maker asks that a person's data be erased from the vault."""

    TOPIC = "ErasureRequested.v1"
    maker: OfficerId
    reason: Text
    legal_basis: Text
    """The law that gives the person the right, or the term of keeping that has ended."""


class ErasureRejected(_RecipientEvent):
    """A person's data is not erased: a checker does not agree, or the maker withdrew."""

    TOPIC = "ErasureRejected.v1"
    checker: OfficerId
    reason: Text


class RecipientErased(_RecipientEvent):
    """A checker agreed, and the person's data is erased from the vault; what happened to their number stands."""

    TOPIC = "RecipientErased.v1"
    checker: OfficerId
    reason: Text
    legal_basis: Text


class DataDisclosed(_RecipientEvent):
    """An officer was shown all that the ledger and its vault hold of a person."""

    TOPIC = "DataDisclosed.v1"
    reason: Text


# Batches and payments


class _BatchEvent(Event):
    batch_id: BatchId
    program: ProgramCode

    @property
    def stream(self) -> str:
        return batch_stream(self.batch_id)


class BatchProposed(_BatchEvent):
    """A maker proposes to pay the rows of a file."""

    TOPIC = "BatchProposed.v1"
    batch_id: Annotated[BatchId, _ChosenByOfficer]
    tranche: TrancheNumber
    maker: OfficerId
    file_sha256: Sha256
    """Of the file as it arrived."""
    rows_sha256: Sha256
    """Of the payment list: a line `recipient_id,amount`, then a line each in order of recipient."""
    count: Annotated[int, Field(ge=1, le=AMOUNT_MAX)]
    total: Amount
    refused: tuple[RefusedRows, ...] = ()


class BatchApproved(_BatchEvent):
    """A checker agrees that exactly the proposed rows are paid."""

    TOPIC = "BatchApproved.v1"
    checker: OfficerId


class BatchRejected(_BatchEvent):
    """A checker does not agree; nothing of the batch is paid."""

    TOPIC = "BatchRejected.v1"
    checker: OfficerId
    reason: Text


class BatchExecuted(_BatchEvent):
    """The batch has been run to its end."""

    TOPIC = "BatchExecuted.v1"
    count: Count
    total: Count
    refused: tuple[RefusedRows, ...] = ()


class _PaymentEvent(Event):
    program: ProgramCode
    tranche: TrancheNumber
    recipient_id: RecipientId

    @property
    def stream(self) -> str:
        return f"payment/{self.program}/{self.tranche}/{self.recipient_id}"


class TrancheDisbursed(_PaymentEvent):
    """Money of one tranche left the program for one recipient."""

    TOPIC = "TrancheDisbursed.v1"
    IS_SIGNED = False
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
    amount: Amount
    attempt: Annotated[int, Field(ge=1, le=99)]
    return_reason: ReturnReason
    recorded_by: OfficerId
    """Whoever reissues the payment must be another officer."""


class TrancheReissued(_PaymentEvent):
    """Money that had come back, or had never left, was paid again to the same recipient."""

    TOPIC = "TrancheReissued.v1"
    amount: Amount
    attempt: Annotated[int, Field(ge=2, le=99)]
    after: Literal["return", "reversal"]


class TrancheRefunded(_PaymentEvent):
    """Money that had come back was given to the treasury."""

    TOPIC = "TrancheRefunded.v1"
    amount: Amount
    treasury_ref: Text


class TrancheReversed(_PaymentEvent):
    """The ledger's own mistake is corrected: this payment never left the program."""

    TOPIC = "TrancheReversed.v1"
    amount: Amount
    reason: Text


# Groups


class _GroupEvent(Event):
    program: ProgramCode
    group_id: GroupId

    @property
    def stream(self) -> str:
        return group_stream(self.program, self.group_id)


class GroupFunded(_GroupEvent):
    """A group with a roster and its papers got its grant."""

    TOPIC = "GroupFunded.v1"
    amount: Amount
    members: Annotated[tuple[RecipientId, ...], Field(min_length=1, max_length=ROSTER_MAX)]
    proposal_ref: Text
    decree_ref: Text
    decree_on: date
    report_due_on: date
    region: Region | None = None


class GroupJoined(Event):
    """A person is a member of a funded group."""

    TOPIC = "GroupJoined.v1"
    IS_SIGNED = False
    program: ProgramCode
    recipient_id: RecipientId
    group_id: GroupId

    @property
    def stream(self) -> str:
        return membership_stream(self.program, self.recipient_id)


class AccountabilityReported(_GroupEvent):
    """A group accounted for its grant (LPJ)."""

    TOPIC = "AccountabilityReported.v1"
    report_ref: Text


# Goods and destinations


class GoodsStocked(Event):
    """Goods came into stock."""

    TOPIC = "GoodsStocked.v1"
    item: Slug
    quantity: Quantity
    unit: Slug
    origin: Text
    """Who made or gave them, e.g. a training center."""

    @property
    def stream(self) -> str:
        return stock_stream(self.item)


class StockIssued(Event):
    """Goods left stock for a shipment."""

    TOPIC = "StockIssued.v1"
    item: Slug
    quantity: Quantity
    shipment_id: ShipmentId

    @property
    def stream(self) -> str:
        return stock_stream(self.item)


class _ShipmentEvent(Event):
    shipment_id: ShipmentId
    item: Slug
    quantity: Quantity
    country: Country

    @property
    def stream(self) -> str:
        return shipment_stream(self.shipment_id)


class MaskAidShipped(_ShipmentEvent):
    """Masks are under way to a destination."""

    TOPIC = "MaskAidShipped.v1"
    program: ProgramCode | None = None
    region: Region | None = None
    partner: Text | None = None


class GoodsAidShipped(_ShipmentEvent):
    """Goods other than masks are under way to a destination."""

    TOPIC = "GoodsAidShipped.v1"
    program: ProgramCode | None = None
    region: Region | None = None
    partner: Text | None = None


class DeliveryConfirmed(_ShipmentEvent):
    """Goods arrived, with a proof of delivery."""

    TOPIC = "DeliveryConfirmed.v1"
    proof_ref: Text


class DestinationReopened(Event):
    """Placement of migrant workers in a country is open again."""

    TOPIC = "DestinationReopened.v1"
    country: Country
    decree_ref: Text

    @property
    def stream(self) -> str:
        return destination_stream(self.country)


# Names of streams


LEDGER_STREAM = "ledger"


def program_stream(program: str) -> str:
    return f"program/{program}"


def officer_stream(officer_id: str) -> str:
    return f"officer/{officer_id}"


def key_stream(public_key: str) -> str:
    return f"key/{public_key}"


def recipient_stream(recipient_id: str) -> str:
    return f"recipient/{recipient_id}"


def payment_stream(program: str, tranche: int, recipient_id: str) -> str:
    return f"payment/{program}/{tranche}/{recipient_id}"


def batch_stream(batch_id: str) -> str:
    return f"batch/{batch_id}"


def group_stream(program: str, group_id: str) -> str:
    return f"group/{program}/{group_id}"


def membership_stream(program: str, recipient_id: str) -> str:
    return f"membership/{program}/{recipient_id}"


def stock_stream(item: str) -> str:
    return f"stock/{item}"


def shipment_stream(shipment_id: str) -> str:
    return f"shipment/{shipment_id}"


def destination_stream(country: str) -> str:
    return f"destination/{country}"


def reference_stream(reference: str) -> str:
    return f"reference/{reference}"


def file_stream(command: str, file_sha256: str) -> str:
    return f"file/{command}/{file_sha256}"


# How stored events find their class


def _stored_classes(cls: type[Event]) -> list[type[Event]]:
    found = [cls] if "TOPIC" in vars(cls) else []
    return found + [each for sub in cls.__subclasses__() for each in _stored_classes(sub)]


EVENT_CLASSES: dict[str, type[Event]] = {cls.TOPIC: cls for cls in _stored_classes(Event)}
"""Topic → class, of every event that is written today."""

SIGNED_TOPICS = tuple(sorted(topic for topic, cls in EVENT_CLASSES.items() if cls.IS_SIGNED))
"""What an officer with a key signs."""

Stored = dict[str, Any]
UPCASTERS: dict[str, tuple[str, Callable[[Stored], Stored]]] = {}
"""Topic no longer written → its successor, and the function that turns the old stored object into the successor's."""
