"""A recipient: a registered person, the help they had other than money, and the erasure of their data."""

from dataclasses import dataclass, replace

from ledger.errors import ErasureNotRequestedError, RecipientErasedError, ReferredElsewhereError, SameOfficerError
from ledger.events import (
    Channel,
    ErasureRejected,
    ErasureRequested,
    Event,
    Kind,
    RecipientErased,
    RecipientReferred,
    RecipientRegistered,
    SupportReceived,
    TrainingAttended,
)


@dataclass(frozen=True)
class Recipient:
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
