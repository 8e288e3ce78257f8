"""Acts that need other officers' words: proposed, agreed to, and recorded with the last word, or not at all."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.application import agreements, officers, programs
from ledger.application.agreements import Act, Entries
from ledger.application.requests import Request
from ledger.domain.agreement import (
    ActAgreed,
    ActKind,
    ActProposed,
    ActRejected,
    AgreementDecidedError,
    AgreementUnknownError,
    AgreementWaitingError,
    KeyNeededError,
    OfficersTooFewError,
    PolicySet,
    ProposerNeededError,
    words_needed,
)
from ledger.domain.errors import LedgerError, ReferenceReusedError, SameOfficerError
from ledger.domain.event import Event, Role
from ledger.domain.officer import KeyAssigned, OfficerEnrolled, OfficerRevoked, RoleMissingError
from ledger.domain.opening import RulesAdopted
from ledger.domain.program import BudgetSet, ProgramClosed, set_budget
from ledger.transparency.merkle import EMPTY_ROOT, leaf_hash, node_hash, root_of
from projections.audit.check import check
from tests.acts import NOW, entries, now
from tests.ledger.signing import Office

BSU = "program/bsu-2020"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Siti, a maker, and budi and tari, checkers, who have adopted the rules."""
    made = Office(tmp_path)
    made.enroll("tari", Role.CHECKER)
    agreements.adopt_rules(made.ledger, made.siti)
    agreements.approve(made.ledger, made.budi, subject="rules")
    yield made
    made.ledger.close()


def budget(office: Office, amount: int, **said: Any) -> Entries:
    return programs.set_budget(office.ledger, office.by("siti", **said), program="bsu-2020", budget=amount)


def agree(office: Office, officer_id: str, subject: str = BSU, **said: Any) -> Entries:
    return agreements.approve(office.ledger, office.by(officer_id, **said), subject=subject)


def since(office: Office, size: int) -> list[Event]:
    return [entry.event for entry in entries(office.ledger, since=size)]


def broken(office: Office) -> dict[str, list[str]]:
    return {law.name: [each.detail for each in law.broken] for law in check(office.ledger.store) if not law.holds}


# Adopted by two


def test_until_two_officers_adopt_the_rules_an_officer_sets_up_alone(tmp_path: Path) -> None:
    office = Office(tmp_path)
    size = office.ledger.store.size()
    assert budget(office, 7).waiting is None
    assert since(office, size) == [BudgetSet(program="bsu-2020", budget=7, previous=100_000_000)]
    office.ledger.close()


def test_the_rules_are_adopted_by_the_word_of_a_second_officer(tmp_path: Path) -> None:
    office = Office(tmp_path)
    size = office.ledger.store.size()
    lines = [line for block in office.ledger.store.leaves(until=size) for line in block]

    proposed = agreements.adopt_rules(office.ledger, office.siti)
    again = agreements.adopt_rules(office.ledger, office.siti)
    assert (proposed.waiting, len(proposed), again.waiting, list(again)) == ("rules", 1, "rules", [])
    with pytest.raises(RoleMissingError):
        agree(office, "siti", "rules")
    agree(office, "budi", "rules")

    [adopted] = [event for event in since(office, size) if isinstance(event, RulesAdopted)]
    assert (adopted.edition, adopted.events_adopted, adopted.root) == (1, size, root_of(map(leaf_hash, lines)).hex())
    assert agreements.adopt_rules(office.ledger, office.siti) == []
    assert broken(office) == {}
    office.ledger.close()


@pytest.mark.parametrize("what", ["a program", "an officer"])
def test_what_is_set_up_after_the_rules_were_proposed_is_not_adopted_unseen(tmp_path: Path, what: str) -> None:
    office = Office(tmp_path)
    agreements.adopt_rules(office.ledger, office.siti)
    if what == "a program":
        programs.set_budget(office.ledger, office.siti, program="bsu-2020", budget=7_000_000)
    else:
        office.enroll("tari", Role.CHECKER)
    with pytest.raises(AgreementDecidedError) as refused:
        agreements.approve(office.ledger, office.budi, subject="rules")
    assert refused.value.outcome == "superseded"
    agreements.adopt_rules(office.ledger, office.siti)
    assert RulesAdopted in {
        type(each.event) for each in agreements.approve(office.ledger, office.budi, subject="rules")
    }
    office.ledger.close()


def test_the_root_of_leaves_one_after_the_other_is_that_of_rfc_6962() -> None:
    a, b, c = map(leaf_hash, (b"a", b"b", b"c"))
    assert root_of([]) == EMPTY_ROOT
    assert root_of([a]) == a
    assert root_of([a, b]) == node_hash(a, b)
    assert root_of([a, b, c]) == node_hash(node_hash(a, b), c)


# Proposed, and agreed to


def test_an_act_is_recorded_with_the_last_word_and_not_before(office: Office) -> None:
    size = office.ledger.store.size()
    assert budget(office, 7).waiting == BSU
    [proposed] = since(office, size)
    assert isinstance(proposed, ActProposed)
    assert json.loads(proposed.act) == [
        {"topic": "BudgetSet.v1", "program": "bsu-2020", "budget": 7, "previous": 100_000_000}
    ]
    assert office.ledger.view().program("bsu-2020").budget == 100_000_000

    recorded = agree(office, "budi")

    word = ActAgreed(subject=BSU, checker="budi", proposal=1, act_sha256=proposed.act_sha256, is_last=True)
    done = BudgetSet(program="bsu-2020", budget=7, previous=100_000_000)
    assert [entry.event for entry in recorded] == [word, done]
    assert [entry.meta.agreement for entry in recorded] == [None, f"{BSU}@1"]
    assert all(entry.signature for entry in recorded)
    assert broken(office) == {}


def test_proposed_again_while_it_waits_it_is_the_same_act_and_once_decided_a_new_one(office: Office) -> None:
    budget(office, 7)
    size = office.ledger.store.size()
    assert (list(budget(office, 7)), budget(office, 7).waiting) == ([], BSU)
    with pytest.raises(AgreementWaitingError):
        budget(office, 8)
    assert office.ledger.store.size() == size
    agree(office, "budi")
    assert (list(budget(office, 7)), budget(office, 7).waiting) == ([], None)
    assert budget(office, 8).waiting == BSU
    agree(office, "tari")
    assert office.ledger.view().program("bsu-2020").budget == 8


def test_a_word_given_twice_is_one_word_and_nobody_has_a_word_on_what_they_proposed(office: Office) -> None:
    programs.set_budget(office.ledger, office.budi, program="bsu-2020", budget=7)
    with pytest.raises(SameOfficerError):
        agree(office, "budi")
    agree(office, "tari")
    assert agree(office, "tari") == []
    with pytest.raises(AgreementDecidedError, match="agreed"):
        agree(office, "budi")


def test_a_rehearsal_of_a_word_records_nothing(office: Office) -> None:
    budget(office, 7)
    size = office.ledger.store.size()
    assert len(agree(office, "budi", dry_run=True)) == 2
    assert office.ledger.store.size() == size


def test_a_reference_belongs_to_the_proposal(office: Office) -> None:
    budget(office, 7, reference="letter 1")
    size = office.ledger.store.size()
    assert list(budget(office, 7, reference="letter 1")) == []
    with pytest.raises(ReferenceReusedError):
        budget(office, 8, reference="letter 1")
    agree(office, "budi")
    assert list(budget(office, 7, reference="letter 1")) == []
    assert len(since(office, size)) == 2


def test_a_reference_of_a_word_stands_for_the_act_and_the_reason(office: Office) -> None:
    budget(office, 7)
    office.enroll("rina", Role.MAKER)
    ledger, budi = office.ledger, office.by("budi", reference="letter 2")
    agreements.approve(ledger, budi, subject=BSU)
    with pytest.raises(ReferenceReusedError):
        agreements.approve(ledger, budi, subject="officer/rina")
    tari = office.by("tari", reference="letter 3")
    agreements.reject(ledger, tari, subject="officer/rina", reason="unknown to us")
    for changed in ({"subject": BSU}, {"reason": "known"}):
        given: dict[str, Any] = {"subject": "officer/rina", "reason": "unknown to us"} | changed
        with pytest.raises(ReferenceReusedError):
            agreements.reject(ledger, tari, **given)
    siti = office.by("siti", reference="letter 4")
    agreements.set_policy(ledger, siti, kind="programs", over=5, checkers=2)
    for other in ({"kind": "goods"}, {"over": 6}, {"checkers": 1}):
        asked: dict[str, Any] = {"kind": "programs", "over": 5, "checkers": 2} | other
        with pytest.raises(ReferenceReusedError):
            agreements.set_policy(ledger, siti, **asked)


def test_the_act_bears_the_date_of_its_proposal(office: Office) -> None:
    before = NOW.date() - timedelta(days=3)
    budget(office, 7, effective_on=before)
    assert [entry.meta.effective_on for entry in agree(office, "budi")] == [NOW.date(), before]


# Not recorded


def test_a_rejected_act_is_not_recorded_and_may_be_proposed_again(office: Office) -> None:
    budget(office, 7)
    size = office.ledger.store.size()
    agreements.reject(office.ledger, office.budi, subject=BSU, reason="too little")
    assert since(office, size) == [
        ActRejected(subject=BSU, recorded_by="budi", proposal=1, cause="rejected", reason="too little")
    ]
    assert agreements.reject(office.ledger, office.budi, subject=BSU, reason="too little") == []
    with pytest.raises(AgreementDecidedError, match="rejected"):
        agree(office, "tari")
    assert budget(office, 7).waiting == BSU


def test_only_who_proposed_an_act_withdraws_it(office: Office) -> None:
    budget(office, 7)
    withdraw: dict[str, Any] = {"subject": BSU, "reason": "changed", "is_withdrawn": True}
    with pytest.raises(ProposerNeededError):
        agreements.reject(office.ledger, office.budi, **withdraw)
    [withdrawn] = agreements.reject(office.ledger, office.siti, **withdraw)
    assert isinstance(withdrawn.event, ActRejected)
    assert withdrawn.event.cause == "withdrawn"


def test_what_nobody_proposed_is_unknown(office: Office) -> None:
    with pytest.raises(AgreementUnknownError):
        agree(office, "budi", "program/tkm-2020")


def test_an_act_lapses_after_thirty_days(office: Office) -> None:
    budget(office, 7)
    size = office.ledger.store.size()
    office.ledger.now = lambda: now() + timedelta(days=31)
    with pytest.raises(AgreementDecidedError, match="lapsed"):
        agree(office, "budi")
    [lapsed] = since(office, size)
    assert isinstance(lapsed, ActRejected)
    assert lapsed.cause == "lapsed"
    assert budget(office, 7).waiting == BSU


def test_an_act_that_would_be_another_one_today_is_superseded(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    budget(office, 7)
    size = office.ledger.store.size()
    other = Act(
        ActKind.PROGRAMS,
        BSU,
        Request("program budget", {}),
        lambda attempt: set_budget(attempt.program("bsu-2020"), budget=8),
    )
    monkeypatch.setattr(agreements, "act_again", lambda *_: other)
    with pytest.raises(AgreementDecidedError, match="superseded"):
        agree(office, "budi")
    [superseded] = since(office, size)
    assert isinstance(superseded, ActRejected)
    assert superseded.cause == "superseded"


# Officers and policies


def test_an_officer_is_enrolled_and_revoked_by_the_word_of_another(office: Office) -> None:
    size = office.ledger.store.size()
    office.enroll("rina", Role.MAKER)
    agree(office, "budi", "officer/rina")
    assert [type(event) for event in since(office, size)] == [ActProposed, ActAgreed, OfficerEnrolled, KeyAssigned]
    officers.revoke(office.ledger, office.siti, officer_id="rina", reason="left")
    agree(office, "tari", "officer/rina")
    assert isinstance(since(office, size)[-1], OfficerRevoked)
    assert broken(office) == {}


def test_nobody_has_a_word_about_themselves(office: Office) -> None:
    officers.revoke(office.ledger, office.siti, officer_id="budi", reason="left")
    with pytest.raises(SameOfficerError):
        agree(office, "budi", "officer/budi")
    agree(office, "tari", "officer/budi")


def test_a_ledger_cannot_lock_its_own_people_out(office: Office) -> None:
    officers.revoke(office.ledger, office.siti, officer_id="budi", reason="left")
    agree(office, "tari", "officer/budi")
    for last in ("tari", "siti"):
        with pytest.raises(OfficersTooFewError):
            officers.revoke(office.ledger, office.siti, officer_id=last, reason="left")


def test_an_officer_without_a_key_has_no_word(office: Office) -> None:
    officers.enroll(office.ledger, office.siti, officer_id="agus", roles=(Role.CHECKER,))
    agree(office, "budi", "officer/agus")
    budget(office, 7)
    with pytest.raises(KeyNeededError):
        agree(office, "agus")


def test_a_policy_asks_for_more_words_above_an_amount(office: Office) -> None:
    agreements.set_policy(office.ledger, office.siti, kind="programs", over=1_000, checkers=2)
    agree(office, "budi", "policy/programs")
    budget(office, 1_000)
    assert agree(office, "budi").waiting is None
    budget(office, 1_001)
    assert agree(office, "budi").waiting == BSU
    assert office.ledger.view().program("bsu-2020").budget == 1_000
    assert agree(office, "tari").waiting is None
    assert office.ledger.view().program("bsu-2020").budget == 1_001
    assert broken(office) == {}


def test_the_stricter_of_two_policies_holds(office: Office) -> None:
    budget(office, 7)
    agreements.set_policy(office.ledger, office.siti, kind="programs", over=0, checkers=2)
    agree(office, "budi", "policy/programs")
    assert agree(office, "budi").waiting == BSU
    assert agree(office, "tari").waiting is None


def test_a_policy_that_too_few_could_fulfil_is_refused(office: Office) -> None:
    with pytest.raises(OfficersTooFewError) as refused:
        agreements.set_policy(office.ledger, office.siti, kind="programs", over=0, checkers=3)
    assert (refused.value.needed, refused.value.left) == (3, 2)


def test_a_word_of_an_officer_revoked_since_no_longer_counts(office: Office) -> None:
    office.enroll("rina", Role.CHECKER)
    agree(office, "budi", "officer/rina")
    agreements.set_policy(office.ledger, office.siti, kind="programs", over=0, checkers=2)
    agree(office, "budi", "policy/programs")
    budget(office, 7)
    agree(office, "rina")
    officers.revoke(office.ledger, office.siti, officer_id="rina", reason="left")
    agree(office, "budi", "officer/rina")
    assert agree(office, "budi").waiting == BSU
    assert agree(office, "tari").waiting is None


def test_a_word_under_a_key_replaced_since_no_longer_counts_and_may_be_given_again(office: Office) -> None:
    office.enroll("rina", Role.CHECKER)
    agree(office, "budi", "officer/rina")
    agreements.set_policy(office.ledger, office.siti, kind="programs", over=0, checkers=2)
    agree(office, "budi", "policy/programs")
    budget(office, 7)
    agree(office, "rina")
    path = office.keys.path(office.ledger.fingerprint, "rina")
    path.rename(path.with_name("old.pem"))
    office.forget()
    key = office.new_key("rina")
    officers.replace_key(office.ledger, office.siti, officer_id="rina", public_key=key, reason="lost")
    agree(office, "budi", "officer/rina")
    assert agree(office, "budi").waiting == BSU
    assert agree(office, "rina").waiting is None
    assert office.ledger.view().program("bsu-2020").budget == 7
    assert broken(office) == {}


@pytest.mark.parametrize(
    ("rules", "amount", "words"),
    [(None, 5, 1), ({0: 1}, 5, 1), ({0: 2}, 0, 2), ({100: 3}, 100, 1), ({100: 3}, 101, 3), ({0: 2, 100: 1}, 101, 2)],
)
def test_words_needed_for_an_amount(rules: dict[int, int] | None, amount: int, words: int) -> None:
    assert words_needed(rules, amount) == words


# By a hand in the database


def forge(office: Office, event: Event, agreement: str | None = None) -> None:
    """An event that officer siti signs on her own."""
    attempt_of: Any = office.ledger.carry_out

    def decide(attempt: Any) -> list[Event]:
        attempt.officer()
        attempt.load(event.stream, lambda state, _: state or 1)
        if agreement:
            attempt.under(agreement, NOW.date(), [event])
        return [event]

    attempt_of(office.siti, decide)


def test_an_act_of_one_officer_alone_is_found(office: Office) -> None:
    forge(office, BudgetSet(program="bsu-2020", budget=7, previous=100_000_000))
    assert broken(office) == {"acts-agreed": ["BudgetSet without an agreement"]}


def test_an_act_that_only_waits_is_found(office: Office) -> None:
    budget(office, 7)
    forge(office, BudgetSet(program="bsu-2020", budget=7, previous=100_000_000), f"{BSU}@1")
    assert broken(office) == {"acts-agreed": ["0 of 1 words were given"]}


def test_another_act_than_the_one_agreed_to_is_found(office: Office) -> None:
    budget(office, 7)
    agree(office, "budi")
    forge(office, BudgetSet(program="bsu-2020", budget=8, previous=7), f"{BSU}@1")
    assert broken(office) == {"acts-exact": [f"is no part of the act {BSU}@1"]}


def test_an_agreement_of_another_kind_is_found(office: Office) -> None:
    agreements.set_policy(office.ledger, office.siti, kind="programs", over=5, checkers=2)
    agree(office, "budi", "policy/programs")
    forge(office, ProgramClosed(program="bsu-2020", reason="x"), "policy/programs@1")
    assert broken(office)["acts-agreed"] == ["agreed to as policy, not as programs"]


def test_what_was_set_up_before_the_rules_is_no_breach(office: Office) -> None:
    assert broken(office) == {}
    assert [type(entry.event) for entry in entries(office.ledger) if isinstance(entry.event, PolicySet)] == []


def test_a_refusal_of_an_agreement_changes_nothing(office: Office) -> None:
    budget(office, 7)
    size = office.ledger.store.size()
    acts: list[Callable[[], object]] = [
        lambda: agree(office, "siti"),
        lambda: agree(office, "budi", "program/none"),
        lambda: budget(office, 8),
    ]
    for refused in acts:
        with pytest.raises(LedgerError):
            refused()
    assert office.ledger.store.size() == size
