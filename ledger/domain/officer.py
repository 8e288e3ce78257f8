"""An officer: who may act, and in which roles."""

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from ledger.domain.errors import LedgerError, Said, SameOfficerError
from ledger.domain.event import Event, Role, Stream
from ledger.domain.fields import OfficerId, PublicKey, Text

officer_stream = Stream("officer/{officer_id}", "two officers of one name")
key_stream = Stream("key/{public_key}", "two officers with one key")


class OfficerEnrolled(Event):
    """An officer may act in the roles named."""

    TOPIC = "OfficerEnrolled.v1"
    AGREED = "officers"
    STREAM = officer_stream
    ROLE = None
    officer_id: OfficerId
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    public_key: PublicKey | None = None
    """Of the key the officer signs with; an officer without one cannot sign."""


class OfficerRevoked(Event):
    """An officer may no longer act."""

    TOPIC = "OfficerRevoked.v1"
    AGREED = "officers"
    STREAM = officer_stream
    ROLE = None
    officer_id: OfficerId
    reason: Text


class OfficerKeyReplaced(Event):
    """An officer signs with another key from now on; the one before counts no more."""

    TOPIC = "OfficerKeyReplaced.v1"
    AGREED = "officers"
    STREAM = officer_stream
    ROLE = None
    officer_id: OfficerId
    public_key: PublicKey
    reason: Text


class RolesChanged(Event):
    """An officer holds these roles from now on, and no others."""

    TOPIC = "RolesChanged.v1"
    AGREED = "officers"
    STREAM = officer_stream
    ROLE = None
    officer_id: OfficerId
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    reason: Text


class KeyAssigned(Event):
    """A public key is one officer's for good, and can never be another's."""

    TOPIC = "KeyAssigned.v1"
    STREAM = key_stream
    ROLE = None
    public_key: PublicKey
    officer_id: OfficerId


class OfficerUnknownError(LedgerError):
    """No officer of that name is enrolled."""

    code = "officer_unknown"
    sentence = "no officer {officer_id} is enrolled{nearest}; enroll them with `salur officer enroll`"
    officer_id: str
    nearest: Said = Said("")


class OfficerExistsError(LedgerError):
    """An officer of that name was enrolled before, with other roles or since revoked."""

    code = "officer_exists"
    sentence = "officer {officer_id} was enrolled before; choose another id"
    officer_id: str


class OfficerRevokedError(LedgerError):
    """The officer may no longer act."""

    code = "officer_revoked"
    sentence = "officer {officer_id} has been revoked; another officer must do this"
    officer_id: str


class RoleMissingError(LedgerError):
    """The officer does not hold the role that this needs."""

    code = "role_missing"
    sentence = "officer {officer_id} does not hold the role {role}; ask one who does"
    officer_id: str
    role: str


class RolesUnfitError(LedgerError):
    """An officer would be left without a role, or would hold recovery beside another one."""

    code = "roles_unfit"
    sentence = "{officer_id} cannot hold {roles}; an officer has a role at least, and recovery is held alone: revoke them, or enroll another name"
    officer_id: str
    roles: str


class KeyForeignError(LedgerError):
    """The key is not the one that the officer is enrolled with."""

    code = "key_foreign"
    sentence = "this is not the key that officer {officer_id} is enrolled with; use theirs, or let another officer put this one in its place with `salur officer replace-key`"
    officer_id: str


class KeyTakenError(LedgerError):
    """A key belongs to one officer for good, also after it was replaced."""

    code = "key_taken"
    sentence = "the key is, or was, that of officer {officer_id}; make a new one for nobody else to have"
    officer_id: str


@dataclass(frozen=True)
class Officer:
    """What the events of one officer say together."""

    officer_id: str
    roles: frozenset[Role]
    is_revoked: bool = False
    public_key: str | None = None
    """Of the key that counts now; an officer without one does not sign."""


def evolve(officer: Officer | None, event: Event) -> Officer | None:
    """The officer after one more event."""
    match event:
        case OfficerEnrolled():
            return Officer(event.officer_id, frozenset(event.roles), public_key=event.public_key)
        case RolesChanged() if officer:
            return replace(officer, roles=frozenset(event.roles))
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
        _require_fit(officer_id, frozenset(roles))
        enrolled = OfficerEnrolled(officer_id=officer_id, roles=tuple(sorted(set(roles))), public_key=public_key)
        return [enrolled, *_assign(public_key, officer_id, holder)]
    if officer.is_revoked or officer.roles != frozenset(roles):
        raise OfficerExistsError(officer_id=officer_id)
    if officer.public_key != public_key:
        raise KeyForeignError(officer_id=officer_id)
    return []


def _require_fit(officer_id: str, roles: frozenset[Role]) -> None:
    if not roles or (Role.RECOVERY in roles and len(roles) > 1):
        raise RolesUnfitError(officer_id=officer_id, roles=" and ".join(sorted(roles)) or "no role")


def change_roles(officer: Officer, *, roles: frozenset[Role], reason: str) -> list[Event]:
    """Let an officer hold these roles and no others; the same ones record nothing."""
    if officer.is_revoked:
        raise OfficerRevokedError(officer_id=officer.officer_id)
    if officer.roles == roles:
        return []
    _require_fit(officer.officer_id, roles)
    return [RolesChanged(officer_id=officer.officer_id, roles=tuple(sorted(roles)), reason=reason)]


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


def is_recovery(officer: Officer) -> bool:
    """Whether all that an officer may do is to let others in again."""
    return officer.roles == {Role.RECOVERY}
