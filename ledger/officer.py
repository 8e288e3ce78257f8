"""An officer: who may act, and in which roles."""

from dataclasses import dataclass, replace

from ledger.errors import (
    KeyForeignError,
    KeyTakenError,
    OfficerExistsError,
    OfficerRevokedError,
    RoleMissingError,
    SameOfficerError,
)
from ledger.events import Event, KeyAssigned, OfficerEnrolled, OfficerKeyReplaced, OfficerRevoked, Role


@dataclass(frozen=True)
class Officer:
    officer_id: str
    roles: frozenset[Role]
    is_revoked: bool = False
    public_key: str | None = None
    """Of the key that counts now; an officer without one does not sign."""


def evolve(officer: Officer | None, event: Event) -> Officer | None:
    match event:
        case OfficerEnrolled():
            return Officer(event.officer_id, frozenset(event.roles), public_key=event.public_key)
        case OfficerKeyReplaced() if officer:
            return replace(officer, public_key=event.public_key)
        case OfficerRevoked() if officer:
            return replace(officer, is_revoked=True)
    return officer


def enroll(
    officer: Officer | None, *, officer_id: str, roles: tuple[Role, ...], public_key: str | None, holder: str | None
) -> list[Event]:
    """Let an officer act, with a key that nobody holds yet; the same again records nothing, a revoked id stays revoked."""
    if officer is None:
        enrolled = OfficerEnrolled(officer_id=officer_id, roles=tuple(sorted(set(roles))), public_key=public_key)
        return [enrolled, *_assign(public_key, officer_id, holder)]
    if officer.is_revoked or officer.roles != frozenset(roles):
        raise OfficerExistsError(officer_id=officer_id)
    if officer.public_key != public_key:
        raise KeyForeignError(officer_id=officer_id)
    return []


def replace_key(officer: Officer, *, public_key: str, reason: str, by: str | None, holder: str | None) -> list[Event]:
    """Let another key of an officer count, on another officer's word; the same again records nothing."""
    require(officer, None)
    if officer.public_key == public_key:
        return []
    if by == officer.officer_id:
        raise SameOfficerError(officer_id=by, thing="a replaced key")
    replaced = OfficerKeyReplaced(officer_id=officer.officer_id, public_key=public_key, reason=reason)
    return [replaced, *_assign(public_key, officer.officer_id, holder)]


def _assign(public_key: str | None, officer_id: str, holder: str | None) -> list[Event]:
    """Give a key to an officer; one that has a holder, also a former one, is refused."""
    if public_key is None:
        return []
    if holder is not None:
        raise KeyTakenError(officer_id=holder)
    return [KeyAssigned(public_key=public_key, officer_id=officer_id)]


def revoke(officer: Officer, *, reason: str) -> list[Event]:
    """Stop an officer from acting; what they did before stands."""
    return [] if officer.is_revoked else [OfficerRevoked(officer_id=officer.officer_id, reason=reason)]


def require(officer: Officer, role: Role | None) -> None:
    """Refuse an officer who is revoked or does not hold the role."""
    if officer.is_revoked:
        raise OfficerRevokedError(officer_id=officer.officer_id)
    if role is not None and role not in officer.roles:
        raise RoleMissingError(officer_id=officer.officer_id, role=role)
