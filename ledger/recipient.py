"""A recipient: a registered person, and the help they had other than money."""

from dataclasses import dataclass, replace

from ledger.errors import ReferredElsewhereError
from ledger.events import (
    Channel,
    Event,
    Kind,
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
