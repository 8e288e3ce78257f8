"""The law of officers' signatures: who held which key at each point of the log, and whether they signed with it.

It reads the lines of the log alone, in order: no vault, no private key, and nothing that the operator could withhold.
An enrolment, a replaced key or a revocation that is not rightly signed changes nothing about who may sign.
"""

from dataclasses import dataclass
from datetime import datetime

from eventsourcing.persistence import StoredEvent
from pydantic_core import from_json

from ledger.domain import officer as officers
from ledger.domain.agreement import ActAgreed, ActKind, ActProposed, ActRejected
from ledger.domain.batch import BatchApproved, BatchCancelled, BatchExecuted, BatchProposed, BatchRejected
from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.event import Event, Role
from ledger.domain.officer import (
    KeyAssigned,
    Officer,
    OfficerEnrolled,
    OfficerKeyReplaced,
    OfficerRevoked,
    RolesChanged,
)
from ledger.domain.request import ReferenceUsed
from ledger.store.entries import Entry, to_entry
from ledger.store.signed import split
from ledger.transparency.signatures import is_genuine, text_to_sign
from projections.laws.acts import ACT_TOPICS, LISTED

SENTENCE = "Every act of an officer who has a key is signed with the key they held then, in a role that permits it."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of one event."""

    breach: str | None = None
    notice: str | None = None
    """Worth a look by an auditor, and no breach."""


_OF_ACTS = frozenset(ACT_TOPICS) - {listed.TOPIC for listed in LISTED}
"""What stands on a list bears the agreement of its batch, and is recorded by whoever runs it, in the event's own role."""


_OF_RECOVERY = (
    ActProposed | ActAgreed | ActRejected | OfficerEnrolled | OfficerKeyReplaced | KeyAssigned | ReferenceUsed
)
"""All that the holder of a recovery key may sign."""


class Signatures:
    """The keys of a ledger's officers, as far as its log has been read."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        self._officers: dict[str, Officer] = {}
        self._holders: dict[str, str] = {}
        """Public key → the officer it was first given to."""
        self._makers: dict[str, Officer] = {}
        """Batch that is not paid yet → its maker, with the key of that moment."""
        self._recovering: set[str] = set()
        """Subjects whose last proposal rests on recovery keys."""
        self._ending: tuple[str, str, datetime] | None = None
        """Right after an officer agreed to another key of their own: who, the key before, and the instant of that."""

    def examine(self, line: bytes) -> Verdict:
        """Take the log's next event of a kind that is signed, as its line without log_index, and judge it."""
        try:
            entry = _entry(line)
        except (ValueError, KeyError, TypeError, IntegrityBrokenError):
            return Verdict("cannot be read, so nobody can have signed it")
        if not entry.event.IS_SIGNED:
            return Verdict()
        if not isinstance(entry.event, KeyAssigned | ReferenceUsed):
            self._ending = None
        unsigned, signature = split(line)
        text = text_to_sign(self._fingerprint, unsigned)
        breach = self._breach(entry, text, signature)
        return Verdict(breach) if breach else Verdict(notice=self._take(entry))

    def _breach(self, entry: Entry, text: bytes, signature: str | None) -> str | None:
        event, by = entry.event, entry.meta.by or "nobody"
        acting = self._acting(entry)
        if acting is None:
            return f"recorded by {by}, who was no officer"
        if event.ACTOR and (named := getattr(event, event.ACTOR)) != by:
            return f"recorded by {by} in the name of {named}"
        if acting.public_key is None:
            return f"bears a signature, and {by} had no key" if signature else self._breach_of_key(event)
        if signature is None:
            return f"not signed, and {by} had a key"
        if not is_genuine(acting.public_key, text, signature) and not self._ends_with_the_key_before(
            entry, text, signature
        ):
            former = (key for key, holder in self._holders.items() if holder == by and key != acting.public_key)
            if any(is_genuine(key, text, signature) for key in former):
                return f"signed with a key of {by} that had been replaced"
            return f"the signature is not that of {by} over this event"
        if acting.is_revoked:
            return f"signed by {by}, who had been revoked"
        return self._breach_of_role(entry, acting) or self._breach_of_key(event)

    def _ends_with_the_key_before(self, entry: Entry, text: bytes, signature: str) -> bool:
        """Whether the event ends the transaction with which its officer agreed to another key of theirs.

        Nothing but what follows from that comes then, at once and at the same instant: later the key signs nothing.
        """
        if self._ending is None or not isinstance(entry.event, KeyAssigned | ReferenceUsed):
            return False
        by, key, at = self._ending
        return (by, at) == (entry.meta.by, entry.meta.recorded_at) and is_genuine(key, text, signature)

    def _acting(self, entry: Entry) -> Officer | None:
        event, by = entry.event, entry.meta.by
        if isinstance(event, OfficerEnrolled) and not self._officers and event.officer_id == by:
            return officers.evolve(None, event)  # the first one enrolls themselves, with the key they bring
        return self._officers.get(by or "")

    def _breach_of_role(self, entry: Entry, acting: Officer) -> str | None:
        event, by = entry.event, acting.officer_id
        if isinstance(event, ActProposed) and event.kind is ActKind.RECOVERY:
            role: Role | None = Role.RECOVERY
        elif isinstance(event, ActAgreed) and event.subject in self._recovering:
            role = Role.RECOVERY
        elif isinstance(event, BatchRejected):
            proposed = self._makers.get(event.batch_id)
            role = None if proposed and proposed.officer_id == by else Role.CHECKER
        else:
            # What is part of an act is signed by whoever has the last word: the word itself needs the role.
            role = None if entry.meta.agreement and event.TOPIC in _OF_ACTS else event.ROLE
        if officers.is_recovery(acting) and not isinstance(event, _OF_RECOVERY):
            return f"signed by {by}, who holds nothing but a recovery key"
        if role and role not in acting.roles:
            return f"signed by {by}, who was no {role}"
        if isinstance(event, BatchApproved):
            maker = self._makers.get(event.batch_id)
            if maker and acting.public_key == maker.public_key:
                return f"batch {event.batch_id} was proposed and approved with one key"
        if isinstance(event, OfficerKeyReplaced) and event.officer_id == by and not entry.meta.agreement:
            return f"{by} replaced their own key"
        return None

    def _breach_of_key(self, event: Event) -> str | None:
        if isinstance(event, OfficerEnrolled | OfficerKeyReplaced) and event.public_key in self._holders:
            return f"gives {event.officer_id} a key that {self._holders[event.public_key]} was given before"
        return None

    def _take(self, entry: Entry) -> str | None:
        """Let an event that was rightly recorded change who signs with what; tells what an auditor should ask about."""
        event = entry.event
        if isinstance(event, OfficerKeyReplaced) and event.officer_id == entry.meta.by:
            before = self._officers[event.officer_id].public_key
            self._ending = (event.officer_id, before or "", entry.meta.recorded_at)
        if isinstance(event, ActProposed):
            (self._recovering.add if event.kind is ActKind.RECOVERY else self._recovering.discard)(event.subject)
        if isinstance(event, OfficerEnrolled | OfficerKeyReplaced | OfficerRevoked | RolesChanged):
            return self._take_office(event, entry.meta.by or "")
        if isinstance(event, BatchProposed) and (maker := self._officers.get(event.maker)):
            self._makers[event.batch_id] = maker
        elif isinstance(event, BatchCancelled | BatchExecuted | BatchRejected):
            self._makers.pop(event.batch_id, None)
        return None

    def _take_office(
        self, event: OfficerEnrolled | OfficerKeyReplaced | OfficerRevoked | RolesChanged, by: str
    ) -> str | None:
        changed = officers.evolve(self._officers.get(event.officer_id), event)
        if changed is not None:
            self._officers[event.officer_id] = changed
        if isinstance(event, OfficerRevoked | RolesChanged):
            return None
        if event.public_key is None:
            return f"{event.officer_id} was enrolled without a key: what they record is not signed"
        self._holders[event.public_key] = event.officer_id
        if self._officers[by].public_key is None:
            return f"{event.officer_id} was given a key by {by}, who had none to sign that with"
        if isinstance(event, OfficerKeyReplaced):
            return f"{by} gave {event.officer_id} another key: ask {event.officer_id} whether it is theirs"
        return None


def _entry(line: bytes) -> Entry:
    place = from_json(line)
    return to_entry(StoredEvent(place["stream"], place["version"], place["topic"], line))
