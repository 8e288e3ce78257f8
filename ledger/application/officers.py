"""Officers: enrolled, given another key, revoked."""

from collections.abc import Sequence
from typing import Any, cast

from ledger.application.agreements import Act, Entries, act_of, record, require_enough_left, rules_bind
from ledger.application.attempt import Attempt, Command
from ledger.application.given import built, require_texts
from ledger.application.ledger import Ledger
from ledger.application.requests import Request
from ledger.domain import officer as officers
from ledger.domain.agreement import ActKind
from ledger.domain.event import Event, Role
from ledger.domain.officer import KeyAssigned, Officer, OfficerEnrolled, OfficerKeyReplaced, key_stream
from ledger.domain.opening import LEDGER_STREAM, LedgerEntrusted


def enroll(
    ledger: Ledger, command: Command, *, officer_id: str, roles: tuple[Role, ...], public_key: str | None = None
) -> Entries:
    """Let an officer act; the ledger's first officer enrolls themselves, any other is enrolled by an officer.

    An officer with a public key signs everything from now on; the first officer signs their own enrolment.
    """
    inputs = {"officer": officer_id, "roles": sorted(roles), "public_key": public_key}
    act = _enrolment(ledger, inputs)
    if command.by != officer_id or not is_first_officer(ledger):
        return record(ledger, command, act)

    def decide(attempt: Attempt) -> list[Event]:
        if attempt.load(LEDGER_STREAM, _evolve_entrusted):
            attempt.officer()
            return act.decide(attempt)
        if not (events := act.decide(attempt)):
            return []
        attempt.act_as(Officer(officer_id, frozenset(roles), public_key=public_key))
        # The ledger's stream takes this event once: of two people who enroll at the same time, one becomes the first
        # officer.
        return [*events, LedgerEntrusted(officer_id=officer_id)]

    return Entries(ledger.carry_out(command, decide, request=act.request))


@act_of("officer enroll")
def _enrolment(ledger: Ledger, inputs: dict[str, Any]) -> Act:
    del ledger
    officer_id, public_key = inputs["officer"], inputs.get("public_key")
    roles = tuple(Role(each) if each in set(Role) else each for each in inputs.get("roles", ()))
    enrolled = built(OfficerEnrolled, officer_id=officer_id, roles=roles, public_key=public_key)

    def decide(attempt: Attempt) -> list[Event]:
        known = attempt.load(enrolled.stream, officers.evolve)
        holder = _holder(attempt, public_key)
        return officers.enroll(known, officer_id=officer_id, roles=enrolled.roles, public_key=public_key, holder=holder)

    request = Request("officer enroll", inputs)
    return Act(ActKind.OFFICERS, f"officer/{officer_id}", request, decide, about=officer_id, may_recover=True)


def replace_key(ledger: Ledger, command: Command, *, officer_id: str, public_key: str, reason: str) -> Entries:
    """Let an officer sign with another key, or with their first; another officer says so."""
    inputs = {"officer": officer_id, "public_key": public_key, "reason": reason}
    return record(ledger, command, _replacing(ledger, inputs))


@act_of("officer replace-key")
def _replacing(ledger: Ledger, inputs: dict[str, Any]) -> Act:
    del ledger
    officer_id = inputs["officer"]
    given = built(OfficerKeyReplaced, officer_id=officer_id, public_key=inputs["public_key"], reason=inputs["reason"])

    def decide(attempt: Attempt) -> list[Event]:
        officer = attempt.named_officer(officer_id)
        holder = _holder(attempt, given.public_key)
        # Two officers agree to it: who proposes, or has a word, may be its holder, with the key that is replaced.
        by = None if rules_bind(attempt) else attempt.command.by
        return officers.replace_key(officer, public_key=given.public_key, reason=given.reason, by=by, holder=holder)

    request = Request("officer replace-key", inputs)
    return Act(ActKind.OFFICERS, f"officer/{officer_id}", request, decide, may_recover=True)


def change_roles(
    ledger: Ledger, command: Command, *, officer_id: str, given: Sequence[Role], taken: Sequence[Role], reason: str
) -> Entries:
    """Give roles to an officer, and take roles from them."""
    require_texts(reason=reason)
    inputs = {"officer": officer_id, "give": sorted(given), "take": sorted(taken), "reason": reason}
    return record(ledger, command, _role_change(ledger, inputs))


@act_of("officer role")
def _role_change(ledger: Ledger, inputs: dict[str, Any]) -> Act:
    del ledger
    officer_id = inputs["officer"]
    given, taken = (set(map(Role, inputs.get(name, ()))) for name in ("give", "take"))

    def decide(attempt: Attempt) -> list[Event]:
        officer = attempt.named_officer(officer_id)
        events = officers.change_roles(officer, roles=(officer.roles | given) - taken, reason=inputs["reason"])
        if events and Role.CHECKER in officer.roles & taken:
            require_enough_left(attempt, without=officer_id, stays=True)
        return events

    request = Request("officer role", inputs)
    return Act(ActKind.OFFICERS, f"officer/{officer_id}", request, decide, about=officer_id)


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


def revoke(ledger: Ledger, command: Command, *, officer_id: str, reason: str) -> Entries:
    """Stop an officer from acting."""
    require_texts(reason=reason)
    return record(ledger, command, _revocation(ledger, {"officer": officer_id, "reason": reason}))


@act_of("officer revoke")
def _revocation(ledger: Ledger, inputs: dict[str, Any]) -> Act:
    del ledger
    officer_id = inputs["officer"]

    def decide(attempt: Attempt) -> list[Event]:
        events = officers.revoke(attempt.named_officer(officer_id), reason=inputs["reason"])
        if events:
            require_enough_left(attempt, without=officer_id)
        return events

    request = Request("officer revoke", inputs)
    return Act(ActKind.OFFICERS, f"officer/{officer_id}", request, decide, about=officer_id)
