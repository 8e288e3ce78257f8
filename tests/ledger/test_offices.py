"""Who is in office: roles given and taken, recovery keys, and who came on nobody's word."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ledger.application import agreements, officers, programs
from ledger.domain.agreement import ActAgreed, ActKind, ActProposed, OfficersTooFewError
from ledger.domain.errors import SameOfficerError
from ledger.domain.event import Event, Role
from ledger.domain.officer import (
    KeyAssigned,
    KeyForeignError,
    Officer,
    OfficerEnrolled,
    OfficerKeyReplaced,
    RoleMissingError,
    RolesChanged,
    RolesUnfitError,
)
from ledger.domain.request import ReferenceUsed
from projections.audit.check import check
from tests.acts import NOW, entries, propose, run
from tests.acts import approve as approve_batch
from tests.ledger.bound import broken, since, two_words
from tests.ledger.signing import Office

R1 = "R000000001"


@pytest.fixture
def office(bound_office: Office) -> Office:
    return bound_office


def roles(office: Office, officer_id: str) -> set[Role]:
    return set(office.ledger.view().named_officer(officer_id).roles)


def change(office: Office, officer_id: str, *, given: tuple[Role, ...] = (), taken: tuple[Role, ...] = ()) -> None:
    officers.change_roles(
        office.ledger, office.siti, officer_id=officer_id, given=given, taken=taken, reason="decree 5"
    )


def agree(office: Office, subject: str, officer_id: str = "budi") -> list[type[Event]]:
    recorded = agreements.approve(office.ledger, office.by(officer_id), subject=subject)
    return [type(entry.event) for entry in recorded]


def notices(office: Office) -> list[str]:
    return [each.detail for law in check(office.ledger.store) if law.name == "acts-exact" for each in law.notices]


def test_a_role_is_given_and_taken_on_the_word_of_another_officer(office: Office) -> None:
    change(office, "tari", given=(Role.MAKER,))
    assert roles(office, "tari") == {Role.CHECKER}
    assert agree(office, "officer/tari") == [ActAgreed, RolesChanged]
    assert roles(office, "tari") == {Role.CHECKER, Role.MAKER}
    propose(office.ledger, [R1], command=office.by("tari"), batch_id="october")
    approve_batch(office.ledger, "october", command=office.budi)
    run(office.ledger, "october", command=office.siti)
    change(office, "tari", taken=(Role.MAKER,))
    agree(office, "officer/tari")
    with pytest.raises(RoleMissingError):
        propose(office.ledger, ["R000000002"], command=office.by("tari"), batch_id="november")
    assert broken(office) == {}  # what tari proposed as a maker stands


def test_the_last_word_of_a_ledger_is_not_taken_from_its_officers(office: Office) -> None:
    two_words(office, "batches", over=0)
    size = office.ledger.store.size()
    with pytest.raises(OfficersTooFewError):
        officers.change_roles(
            office.ledger, office.siti, officer_id="tari", given=(Role.MAKER,), taken=(Role.CHECKER,), reason="x"
        )
    assert office.ledger.store.size() == size


@pytest.mark.parametrize(
    ("given", "taken"), [((), (Role.CHECKER,)), ((Role.RECOVERY,), ()), ((Role.MAKER, Role.RECOVERY), (Role.CHECKER,))]
)
def test_an_officer_has_a_role_and_recovery_is_held_alone(
    office: Office, given: tuple[Role, ...], taken: tuple[Role, ...]
) -> None:
    with pytest.raises(RolesUnfitError):
        change(office, "tari", given=given, taken=taken)
    with pytest.raises(RolesUnfitError):
        officers.enroll(office.ledger, office.siti, officer_id="dewi", roles=(Role.MAKER, Role.RECOVERY))


def test_a_word_of_an_officer_whose_roles_changed_since_counts_no_more(office: Office) -> None:
    two_words(office, "programs", over=0)
    programs.set_budget(office.ledger, office.siti, program="bsu-2020", budget=7_000_000)
    agree(office, "program/bsu-2020", "tari")
    change(office, "tari", given=(Role.MAKER,))
    agree(office, "officer/tari")
    assert agree(office, "program/bsu-2020") == [ActAgreed]  # the first of two that count
    assert office.ledger.view().program("bsu-2020").budget != 7_000_000
    agree(office, "program/bsu-2020", "tari")
    assert office.ledger.view().program("bsu-2020").budget == 7_000_000
    assert broken(office) == {}


def test_roles_changed_by_one_officer_alone_are_found(office: Office) -> None:
    def decide(attempt: Any) -> list[Event]:
        attempt.officer()
        attempt.named_officer("siti")
        return [RolesChanged(officer_id="siti", roles=(Role.CHECKER, Role.MAKER), reason="mine")]

    office.ledger.carry_out(office.siti, decide)
    assert broken(office) == {"acts-agreed": ["RolesChanged without an agreement"]}


def test_an_officer_agrees_to_another_key_of_their_own_with_the_one_that_is_replaced(office: Office) -> None:
    """In an office of two nobody else could."""
    key = office.keys.make(office.ledger.fingerprint, "budi-new")
    officers.replace_key(office.ledger, office.siti, officer_id="budi", public_key=key, reason="rotation")
    recorded = agreements.approve(office.ledger, office.by("budi", reference="letter 9"), subject="officer/budi")
    assert [type(each.event) for each in recorded] == [ActAgreed, OfficerKeyReplaced, KeyAssigned, ReferenceUsed]
    assert office.ledger.view().named_officer("budi").public_key == key
    assert broken(office) == {}
    office.ledger.now = lambda: NOW + timedelta(seconds=1)
    with pytest.raises(KeyForeignError):  # the old key signs no more
        programs.set_budget(office.ledger, office.budi, program="bsu-2020", budget=7)


def test_the_key_that_was_replaced_signs_nothing_later_whatever_instant_is_claimed(office: Office) -> None:
    former = office.sign_as("budi")
    key = office.keys.make(office.ledger.fingerprint, "budi-new")
    officers.replace_key(office.ledger, office.siti, officer_id="budi", public_key=key, reason="rotation")
    agree(office, "officer/budi")
    programs.set_budget(office.ledger, office.siti, program="bsu-2020", budget=7)  # at the same instant

    def decide(attempt: Any) -> list[Event]:
        attempt.act_as(Officer("budi", frozenset({Role.CHECKER}), public_key="x"))
        return [ReferenceUsed(used="letter 1", request_sha256="0" * 64)]

    office.ledger.carry_out(replace(office.budi, signer=lambda *_: former), decide)
    assert broken(office) == {"signatures-valid": ["signed with a key of budi that had been replaced"]}


def test_an_officer_proposes_another_key_of_their_own_and_has_no_word_on_it(office: Office) -> None:
    key = office.keys.make(office.ledger.fingerprint, "budi-new")
    officers.replace_key(office.ledger, office.budi, officer_id="budi", public_key=key, reason="rotation")
    with pytest.raises(SameOfficerError):
        agree(office, "officer/budi")
    assert agree(office, "officer/budi", "tari") == [ActAgreed, OfficerKeyReplaced, KeyAssigned]
    assert broken(office) == {}


# Recovery keys


@pytest.fixture
def recoverable(office: Office) -> Office:
    """Three recovery keys, of which two let officers in again."""
    for number in (1, 2, 3):
        name = f"safe-{number}"
        office.enroll(name, Role.RECOVERY)
        agree(office, f"officer/{name}")
    return office


def lost(office: Office, officer_id: str = "budi", **said: Any) -> agreements.Entries:
    """Somebody with the first recovery key proposes another key for an officer."""
    key = office.keys.make(office.ledger.fingerprint, f"{officer_id}-new")
    return officers.replace_key(
        office.ledger, office.by("safe-1", **said), officer_id=officer_id, public_key=key, reason="lost"
    )


def test_recovery_keys_let_an_officer_in_again_and_every_audit_says_so(recoverable: Office) -> None:
    size = recoverable.ledger.store.size()
    assert lost(recoverable).waiting == "officer/budi"
    [waiting] = agreements.waiting(recoverable.ledger)
    assert (waiting.proposed.kind, waiting.proposed.words) == (ActKind.RECOVERY, 1)
    with pytest.raises(RoleMissingError):  # no officer's word counts here
        agree(recoverable, "officer/budi", "tari")

    assert agree(recoverable, "officer/budi", "safe-2") == [ActAgreed, OfficerKeyReplaced, KeyAssigned]

    assert since(recoverable, size) == [ActProposed, ActAgreed, OfficerKeyReplaced, KeyAssigned]
    assert broken(recoverable) == {}
    assert notices(recoverable)[0] == "rests on recovery keys, those of safe-1 and of safe-2: ask who used them"


def test_officers_may_stop_a_recovery_that_nobody_asked_for(recoverable: Office) -> None:
    lost(recoverable)
    agreements.reject(recoverable.ledger, recoverable.budi, subject="officer/budi", reason="my key is here")
    assert agreements.waiting(recoverable.ledger) == []
    assert broken(recoverable) == {}


def test_a_policy_says_how_many_recovery_keys_are_needed(recoverable: Office) -> None:
    agreements.set_policy(recoverable.ledger, recoverable.siti, kind="recovery", over=0, checkers=2)
    agree(recoverable, "policy/recovery")
    lost(recoverable)
    assert agree(recoverable, "officer/budi", "safe-2") == [ActAgreed]
    assert agree(recoverable, "officer/budi", "safe-3") == [ActAgreed, OfficerKeyReplaced, KeyAssigned]
    assert broken(recoverable) == {}


def test_a_policy_that_the_recovery_keys_could_not_fulfil_is_refused(recoverable: Office) -> None:
    with pytest.raises(OfficersTooFewError):
        agreements.set_policy(recoverable.ledger, recoverable.siti, kind="recovery", over=0, checkers=3)


def test_one_recovery_key_alone_lets_nobody_in(office: Office) -> None:
    office.enroll("safe-1", Role.RECOVERY)
    agree(office, "officer/safe-1")
    with pytest.raises(OfficersTooFewError):
        lost(office)


def test_a_recovery_key_does_nothing_else(recoverable: Office) -> None:
    safe, size = recoverable.by("safe-1"), recoverable.ledger.store.size()
    for act in (
        lambda: programs.set_budget(recoverable.ledger, safe, program="bsu-2020", budget=7),
        lambda: officers.revoke(recoverable.ledger, safe, officer_id="budi", reason="x"),
        lambda: propose(recoverable.ledger, [R1], command=safe),
        lambda: agreements.set_policy(recoverable.ledger, safe, kind="batches", over=0, checkers=1),
        lambda: agreements.adopt_rules(recoverable.ledger, safe),
    ):
        with pytest.raises(RoleMissingError):
            act()
    assert recoverable.ledger.store.size() == size


def test_a_recovered_office_that_a_recovery_key_signs_beyond_its_right_is_found(recoverable: Office) -> None:
    def decide(attempt: Any) -> list[Event]:
        attempt.officer(may_recover=True)
        attempt.named_officer("tari")
        return [RolesChanged(officer_id="tari", roles=(Role.MAKER,), reason="mine")]

    recoverable.ledger.carry_out(recoverable.by("safe-1"), decide)
    assert broken(recoverable) == {
        "acts-agreed": ["RolesChanged without an agreement"],
        "signatures-valid": ["signed by safe-1, who holds nothing but a recovery key"],
    }


def test_a_word_of_an_officer_on_a_recovery_is_found(recoverable: Office) -> None:
    lost(recoverable)
    [waiting] = agreements.waiting(recoverable.ledger)

    def decide(attempt: Any) -> list[Event]:
        attempt.officer()
        attempt.load("agreement/officer/budi", lambda state, _: state or 1)
        return [
            ActAgreed(
                subject="officer/budi", checker="tari", proposal=waiting.proposal,
                act_sha256=waiting.proposed.act_sha256, is_last=True,
            )
        ]  # fmt: skip

    recoverable.ledger.carry_out(recoverable.by("tari"), decide)
    assert broken(recoverable) == {"signatures-valid": ["signed by tari, who was no recovery"]}


# On nobody's word


def test_those_who_came_before_the_rules_are_named(office: Office) -> None:
    office.enroll("dewi", Role.MAKER)
    agree(office, "officer/dewi")
    assert notices(office) == ["in office without an agreement, from before the rules: siti, budi, tari"]
    enrolled = [entry.event for entry in entries(office.ledger) if isinstance(entry.event, OfficerEnrolled)]
    assert [each.officer_id for each in enrolled] == ["siti", "budi", "tari", "dewi"]
