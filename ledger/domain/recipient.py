"""A recipient: a registered person, the help they had other than money, and the erasure of their data."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated

from ledger.domain.errors import LedgerError, SameOfficerError
from ledger.domain.event import Event, Role, Stream
from ledger.domain.fields import GroupId, OfficerId, ProgramCode, RecipientId, Region, Sha256, Slug, Text, pattern
from ledger.domain.program import Kind


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


recipient_stream = Stream(
    "recipient/{recipient_id}", "registering a person twice, erasing one on the word of one officer"
)


class _RecipientEvent(Event):
    STREAM = recipient_stream
    recipient_id: RecipientId


class RecipientRegistered(_RecipientEvent):
    """A person is known to the ledger, whose data only the vault holds."""

    TOPIC = "RecipientRegistered.v1"
    IS_SIGNED = False
    commitment: Sha256
    """SHA-256 over a salt and the person's data, both in the vault."""
    category: Slug
    region: Region | None = None
    shared_account: SharedAccount | None = None
    source: Annotated[str, pattern(r"^[0-9a-f]{16}:[0-9]+$")] | None = None
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
    NEEDS_OPEN = False
    NEEDS_ELIGIBLE = False
    program: ProgramCode
    session_id: GroupId
    group_id: GroupId | None = None


class SupportReceived(_RecipientEvent):
    """A person was helped by a program in another way than money or training."""

    TOPIC = "SupportReceived.v1"
    IS_SIGNED = False
    NEEDS_OPEN = False
    NEEDS_ELIGIBLE = False
    program: ProgramCode
    kind: Kind


class ErasureRequested(_RecipientEvent):
    """A maker asks that a person's data be erased from the vault."""

    TOPIC = "ErasureRequested.v1"
    ROLE = Role.MAKER
    ACTOR = "maker"
    maker: OfficerId
    reason: Text
    legal_basis: Text
    """The law that gives the person the right, or the term of keeping that has ended."""


class ErasureRejected(_RecipientEvent):
    """A person's data is not erased: a checker does not agree, or the maker withdrew."""

    TOPIC = "ErasureRejected.v1"
    ROLE = None
    ACTOR = "checker"
    checker: OfficerId
    reason: Text


class RecipientErased(_RecipientEvent):
    """A checker agreed, and the person's data is erased from the vault; what happened to their number stands."""

    TOPIC = "RecipientErased.v1"
    AGREED = "erasures"
    ROLE = Role.CHECKER
    ACTOR = "checker"
    checker: OfficerId
    reason: Text
    legal_basis: Text


class DataDisclosed(_RecipientEvent):
    """An officer was shown all that the ledger and its vault hold of a person."""

    TOPIC = "DataDisclosed.v1"
    ROLE = None
    reason: Text


class RecipientUnknownError(LedgerError):
    """No such recipient is registered."""

    code = "recipient_unknown"
    sentence = "this recipient is not registered; register them first, then run the same file again"


class RecipientRegisteredError(LedgerError):
    """The person is already registered."""

    code = "recipient_registered"
    sentence = "this person is already registered as {recipient_id}; use that id"
    recipient_id: str


class RecipientErasedError(LedgerError):
    """The person's data is erased, for good."""

    code = "recipient_erased"
    sentence = "the data of {recipient_id} is erased, which cannot be undone; they may register again and get a new id"
    recipient_id: str


class ErasureNotRequestedError(LedgerError):
    """Nobody asks for the erasure of this person."""

    code = "erasure_not_requested"
    sentence = "no erasure of {recipient_id} waits for a decision; a maker asks first: `salur recipient erase request`"
    recipient_id: str


class AccountSharedError(LedgerError):
    """The bank account already serves another recipient."""

    code = "account_shared"
    sentence = "this bank account already serves another recipient; correct it or give a reason with --shared-account"


class DuplicateInFileError(LedgerError):
    """The same person stands in the file twice."""

    code = "duplicate_in_file"
    sentence = "the same recipient stands in {first}; only the first is taken"
    first: str


class ReferredElsewhereError(LedgerError):
    """The person was referred to the same scheme before, through another channel."""

    code = "already_referred"
    sentence = "{recipient_id} was already referred to {scheme} through {channel}; leave the row out"
    recipient_id: str
    scheme: str
    channel: str


@dataclass(frozen=True)
class Recipient:
    """One registered person: the help they had, and the erasure of their data."""

    recipient_id: str
    category: str
    source: str | None
    channels: frozenset[tuple[str, Channel]] = frozenset()
    """(scheme, channel) of each referral."""
    sessions: frozenset[tuple[str, str]] = frozenset()
    """(program, session) of each training attended."""
    supports: frozenset[tuple[str, Kind]] = frozenset()
    """(program, kind) of each other help."""
    request: ErasureRequested | None = None
    """To be erased, and not yet decided."""
    rejected: ErasureRejected | None = None
    """What became of the last request."""
    erased: RecipientErased | None = None


def evolve(recipient: Recipient | None, event: Event) -> Recipient | None:
    """The recipient after one more event."""
    if isinstance(event, RecipientRegistered):
        return Recipient(event.recipient_id, event.category, event.source)
    if recipient is None:
        return None
    match event:
        case RecipientReferred():
            return replace(recipient, channels=recipient.channels | {(event.scheme, event.channel)})
        case TrainingAttended():
            return replace(recipient, sessions=recipient.sessions | {(event.program, event.session_id)})
        case SupportReceived():
            return replace(recipient, supports=recipient.supports | {(event.program, event.kind)})
        case ErasureRequested():
            return replace(recipient, request=event, rejected=None)
        case ErasureRejected():
            return replace(recipient, request=None, rejected=event)
        case RecipientErased():
            return replace(recipient, erased=event)
    return recipient


def refer(recipient: Recipient, *, scheme: str, channel: Channel) -> list[Event]:
    """Refer a person to another scheme, once and through one channel."""
    for known_scheme, known_channel in recipient.channels:
        if known_scheme == scheme and known_channel != channel:
            raise ReferredElsewhereError(recipient_id=recipient.recipient_id, scheme=scheme, channel=known_channel)
    if (scheme, channel) in recipient.channels:
        return []
    return [RecipientReferred(recipient_id=recipient.recipient_id, scheme=scheme, channel=channel)]


def attend(recipient: Recipient, *, program: str, session_id: str, group_id: str | None = None) -> list[Event]:
    """Record that a person attended a session; the same session again records nothing."""
    if (program, session_id) in recipient.sessions:
        return []
    return [
        TrainingAttended(recipient_id=recipient.recipient_id, program=program, session_id=session_id, group_id=group_id)
    ]


def support(recipient: Recipient, *, program: str, kind: Kind) -> list[Event]:
    """Record that a program helped a person in a way other than money; the same help again records nothing."""
    if (program, kind) in recipient.supports:
        return []
    return [SupportReceived(recipient_id=recipient.recipient_id, program=program, kind=kind)]


def request_erasure(recipient: Recipient, *, maker: str, reason: str, legal_basis: str) -> list[Event]:
    """Ask that a person's data be erased; asking again while it waits, or after it is done, records nothing."""
    if recipient.request:
        return []
    request = ErasureRequested(recipient_id=recipient.recipient_id, maker=maker, reason=reason, legal_basis=legal_basis)
    return [request]


def approve_erasure(recipient: Recipient, *, checker: str) -> list[Event]:
    """Agree to the erasure that another officer asked for; agreeing twice records nothing."""
    if recipient.request is None:
        raise ErasureNotRequestedError(recipient_id=recipient.recipient_id)
    if checker == recipient.request.maker:
        raise SameOfficerError(officer_id=checker, thing=f"the erasure of {recipient.recipient_id}")
    if recipient.erased:
        return []
    request = recipient.request
    return [
        RecipientErased(
            recipient_id=recipient.recipient_id,
            checker=checker,
            reason=request.reason,
            legal_basis=request.legal_basis,
        )
    ]


def reject_erasure(recipient: Recipient, *, checker: str, reason: str) -> list[Event]:
    """Leave a person's data where it is; the maker may withdraw their own request."""
    if recipient.erased:
        raise RecipientErasedError(recipient_id=recipient.recipient_id)
    if recipient.request is None:
        if recipient.rejected:
            return []
        raise ErasureNotRequestedError(recipient_id=recipient.recipient_id)
    return [ErasureRejected(recipient_id=recipient.recipient_id, checker=checker, reason=reason)]
