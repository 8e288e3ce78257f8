"""Officers: enrolled, given another key, revoked."""

from typing import cast

from ledger.application.attempt import Attempt, Command
from ledger.application.given import built, require_texts
from ledger.application.ledger import Ledger
from ledger.application.requests import Request
from ledger.domain import officer as officers
from ledger.domain.event import Event, Role
from ledger.domain.officer import KeyAssigned, Officer, OfficerEnrolled, OfficerKeyReplaced, key_stream
from ledger.domain.opening import LEDGER_STREAM, LedgerEntrusted
from ledger.store.entries import Entry


def enroll(
    ledger: Ledger, command: Command, *, officer_id: str, roles: tuple[Role, ...], public_key: str | None = None
) -> list[Entry]:
    """Let an officer act; the ledger's first officer enrolls themselves, any other is enrolled by an officer.

    An officer with a public key signs everything from now on; the first officer signs their own enrolment.
    """
    enrolled = built(OfficerEnrolled, officer_id=officer_id, roles=roles, public_key=public_key)

    def decide(attempt: Attempt) -> list[Event]:
        entrusted = attempt.load(LEDGER_STREAM, _evolve_entrusted)
        if entrusted or command.by != officer_id:
            attempt.officer()
        known = attempt.load(enrolled.stream, officers.evolve)
        holder = _holder(attempt, public_key)
        events = officers.enroll(
            known, officer_id=officer_id, roles=enrolled.roles, public_key=public_key, holder=holder
        )
        if entrusted:
            return events
        if known is None:
            attempt.act_as(Officer(officer_id, frozenset(roles), public_key=public_key))
        # The ledger's stream takes this event once: of two people who enroll at the same time, one becomes the first
        # officer.
        return [*events, LedgerEntrusted(officer_id=officer_id)]

    inputs = {"officer": officer_id, "roles": sorted(roles), "public_key": public_key}
    return ledger.carry_out(command, decide, request=Request("officer enroll", inputs))


def replace_key(ledger: Ledger, command: Command, *, officer_id: str, public_key: str, reason: str) -> list[Entry]:
    """Let an officer sign with another key, or with their first; another officer says so."""
    given = built(OfficerKeyReplaced, officer_id=officer_id, public_key=public_key, reason=reason)

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer()
        officer = attempt.named_officer(officer_id)
        holder = _holder(attempt, public_key)
        return officers.replace_key(officer, public_key=given.public_key, reason=reason, by=command.by, holder=holder)

    inputs = {"officer": officer_id, "public_key": public_key, "reason": reason}
    return ledger.carry_out(command, decide, request=Request("officer replace-key", inputs))


def _holder(attempt: Attempt, public_key: str | None) -> str | None:
    """The officer whom a key belongs to, or ever belonged to: a key's stream takes one event."""
    if public_key is None:
        return None
    return attempt.load(key_stream(public_key), lambda _, event: cast("KeyAssigned", event).officer_id)


def is_first_officer(ledger: Ledger) -> bool:
    """Whether nobody is enrolled yet."""
    return ledger.view().load(LEDGER_STREAM, _evolve_entrusted) is None


def _evolve_entrusted(officer_id: str | None, event: Event) -> str | None:
    return event.officer_id if isinstance(event, LedgerEntrusted) else officer_id


def revoke(ledger: Ledger, command: Command, *, officer_id: str, reason: str) -> list[Entry]:
    """Stop an officer from acting."""
    require_texts(reason=reason)

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer()
        return officers.revoke(attempt.named_officer(officer_id), reason=reason)

    inputs = {"officer": officer_id, "reason": reason}
    return ledger.carry_out(command, decide, request=Request("officer revoke", inputs))
