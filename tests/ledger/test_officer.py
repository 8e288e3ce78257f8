import pytest

from ledger.domain.errors import SameOfficerError
from ledger.domain.event import Event, Role
from ledger.domain.officer import (
    KeyAssigned,
    KeyForeignError,
    KeyTakenError,
    Officer,
    OfficerEnrolled,
    OfficerExistsError,
    OfficerKeyReplaced,
    OfficerRevoked,
    OfficerRevokedError,
    RoleMissingError,
    enroll,
    evolve,
    replace_key,
    require,
    revoke,
)
from tests.ledger.examples_of_events import PUBLIC_KEY

KEY, OTHER_KEY = PUBLIC_KEY, "A" * 43 + "="
MAKER = OfficerEnrolled(officer_id="siti", roles=(Role.MAKER,))
REVOKED = OfficerRevoked(officer_id="siti", reason="moved")


WITH_KEY = MAKER.model_copy(update={"public_key": KEY})
REPLACED = OfficerKeyReplaced(officer_id="siti", public_key=OTHER_KEY, reason="lost")
NO_KEY = {"public_key": None, "holder": None}


def officer(*events: Event) -> Officer | None:
    state = None
    for event in events:
        state = evolve(state, event)
    return state


def test_an_officer_is_enrolled_with_each_role_once() -> None:
    both = (Role.MAKER, Role.CHECKER, Role.MAKER)
    assert enroll(None, officer_id="siti", roles=both, **NO_KEY) == [
        OfficerEnrolled(officer_id="siti", roles=(Role.CHECKER, Role.MAKER))
    ]


def test_enrolling_again_with_the_same_roles_records_nothing() -> None:
    assert enroll(officer(MAKER), officer_id="siti", roles=(Role.MAKER,), **NO_KEY) == []


def test_an_officer_does_not_get_other_roles_by_enrolling_again() -> None:
    with pytest.raises(OfficerExistsError):
        enroll(officer(MAKER), officer_id="siti", roles=(Role.CHECKER,), **NO_KEY)


def test_a_revoked_id_stays_revoked() -> None:
    with pytest.raises(OfficerExistsError):
        enroll(officer(MAKER, REVOKED), officer_id="siti", roles=(Role.MAKER,), **NO_KEY)


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


def test_an_officer_is_enrolled_with_a_key_that_is_then_theirs_for_good() -> None:
    roles = (Role.MAKER,)
    assert enroll(None, officer_id="siti", roles=roles, public_key=KEY, holder=None) == [
        WITH_KEY,
        KeyAssigned(public_key=KEY, officer_id="siti"),
    ]
    assert enroll(officer(WITH_KEY), officer_id="siti", roles=roles, public_key=KEY, holder="siti") == []
    with pytest.raises(KeyTakenError):
        enroll(None, officer_id="budi", roles=roles, public_key=KEY, holder="siti")


@pytest.mark.parametrize(("enrolled", "given"), [(MAKER, KEY), (WITH_KEY, None), (WITH_KEY, OTHER_KEY)])
def test_enrolling_again_never_changes_a_key(enrolled: OfficerEnrolled, given: str | None) -> None:
    with pytest.raises(KeyForeignError):
        enroll(officer(enrolled), officer_id="siti", roles=(Role.MAKER,), public_key=given, holder=None)


def replaced(enrolled: OfficerEnrolled, **changed: object) -> list[Event]:
    state = officer(enrolled)
    assert state
    words = {"public_key": OTHER_KEY, "reason": "lost", "by": "budi", "holder": None}
    return replace_key(state, **words | changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("enrolled", [MAKER, WITH_KEY])
def test_another_officer_gives_an_officer_a_key(enrolled: OfficerEnrolled) -> None:
    assert replaced(enrolled) == [REPLACED, KeyAssigned(public_key=OTHER_KEY, officer_id="siti")]
    state = officer(enrolled, REPLACED)
    assert state
    assert state.public_key == OTHER_KEY


def test_a_key_replaced_again_by_itself_records_nothing() -> None:
    assert replaced(WITH_KEY, public_key=KEY, holder="siti") == []


def test_nobody_replaces_their_own_key() -> None:
    with pytest.raises(SameOfficerError):
        replaced(WITH_KEY, by="siti")


def test_a_replaced_key_never_counts_again() -> None:
    state = officer(WITH_KEY, REPLACED)
    assert state
    with pytest.raises(KeyTakenError):
        replace_key(state, public_key=KEY, reason="found", by="budi", holder="siti")


def test_a_revoked_officer_gets_no_key() -> None:
    state = officer(MAKER, REVOKED)
    assert state
    with pytest.raises(OfficerRevokedError):
        replace_key(state, public_key=KEY, reason="back", by="budi", holder=None)
