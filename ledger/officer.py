"""An officer: who may act, and in which roles."""

from dataclasses import dataclass, replace

from ledger.errors import OfficerExistsError, OfficerRevokedError, RoleMissingError
from ledger.events import Event, OfficerEnrolled, OfficerRevoked, Role


@dataclass(frozen=True)
class Officer:
    officer_id: str
    roles: frozenset[Role]
    is_revoked: bool = False


def evolve(officer: Officer | None, event: Event) -> Officer | None:
    match event:
        case OfficerEnrolled():
            return Officer(event.officer_id, frozenset(event.roles))
        case OfficerRevoked() if officer:
            return replace(officer, is_revoked=True)
    return officer


def enroll(officer: Officer | None, *, officer_id: str, roles: tuple[Role, ...]) -> list[Event]:
    """Let an officer act; the same again records nothing, and a revoked id stays revoked."""
    if officer is None:
        return [OfficerEnrolled(officer_id=officer_id, roles=tuple(sorted(set(roles))))]
    if officer.is_revoked or officer.roles != frozenset(roles):
        raise OfficerExistsError(officer_id=officer_id)
    return []


def revoke(officer: Officer, *, reason: str) -> list[Event]:
    """Stop an officer from acting; what they did before stands."""
    return [] if officer.is_revoked else [OfficerRevoked(officer_id=officer.officer_id, reason=reason)]


def require(officer: Officer, role: Role | None) -> None:
    """Refuse an officer who is revoked or does not hold the role."""
    if officer.is_revoked:
        raise OfficerRevokedError(officer_id=officer.officer_id)
    if role is not None and role not in officer.roles:
        raise RoleMissingError(officer_id=officer.officer_id, role=role)
