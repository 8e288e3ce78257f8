import pytest

from ledger.errors import OfficerExistsError, OfficerRevokedError, RoleMissingError
from ledger.events import OfficerEnrolled, OfficerRevoked, Role
from ledger.officer import Officer, enroll, evolve, require, revoke

MAKER = OfficerEnrolled(officer_id="siti", roles=(Role.MAKER,))
REVOKED = OfficerRevoked(officer_id="siti", reason="moved")


def officer(*events: OfficerEnrolled | OfficerRevoked) -> Officer | None:
    state = None
    for event in events:
        state = evolve(state, event)
    return state


def test_an_officer_is_enrolled_with_each_role_once() -> None:
    both = (Role.MAKER, Role.CHECKER, Role.MAKER)
    assert enroll(None, officer_id="siti", roles=both) == [
        OfficerEnrolled(officer_id="siti", roles=(Role.CHECKER, Role.MAKER))
    ]


def test_enrolling_again_with_the_same_roles_records_nothing() -> None:
    assert enroll(officer(MAKER), officer_id="siti", roles=(Role.MAKER,)) == []


def test_an_officer_does_not_get_other_roles_by_enrolling_again() -> None:
    with pytest.raises(OfficerExistsError):
        enroll(officer(MAKER), officer_id="siti", roles=(Role.CHECKER,))


def test_a_revoked_id_stays_revoked() -> None:
    with pytest.raises(OfficerExistsError):
        enroll(officer(MAKER, REVOKED), officer_id="siti", roles=(Role.MAKER,))


def test_an_officer_is_revoked_once() -> None:
    state = officer(MAKER)
    assert state
    assert revoke(state, reason="moved") == [REVOKED]
    revoked = officer(MAKER, REVOKED)
    assert revoked
    assert revoke(revoked, reason="again") == []


def test_a_revoked_officer_is_refused_before_the_role_is_looked_at() -> None:
    revoked = officer(MAKER, REVOKED)
    assert revoked
    for role in (Role.CHECKER, Role.MAKER, None):
        with pytest.raises(OfficerRevokedError):
            require(revoked, role)


def test_an_officer_acts_only_in_the_roles_held() -> None:
    maker = officer(MAKER)
    assert maker
    require(maker, Role.MAKER)
    require(maker, None)
    with pytest.raises(RoleMissingError) as refused:
        require(maker, Role.CHECKER)
    assert refused.value.role == "checker"
