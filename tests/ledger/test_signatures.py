"""Officers sign what they decide."""

import hashlib
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.application import agreements, destinations, goods, grants, officers, privacy, programs, registration
from ledger.application.aftercare import Step
from ledger.application.batches import cancel, reject
from ledger.application.ledger import Ledger
from ledger.application.moving import Move
from ledger.domain.batch import BatchApproved, BatchProposed, BatchRowsRefused
from ledger.domain.errors import SameOfficerError
from ledger.domain.event import Role
from ledger.domain.goods import GoodsAidShipped
from ledger.domain.officer import (
    KeyAssigned,
    KeyForeignError,
    KeyTakenError,
    OfficerEnrolled,
    OfficerKeyReplaced,
    OfficerRevokedError,
)
from ledger.domain.opening import LedgerEntrusted
from ledger.domain.program import BudgetSet, Kind, ProgramOpened
from ledger.domain.recipient import ErasureRequested, RecipientErased
from ledger.domain.registry import EVENT_CLASSES, SIGNED_TOPICS
from ledger.domain.request import FileProcessed
from ledger.store.entries import line_of, to_row
from ledger.store.signed import split
from ledger.transparency.errors import KeyMissingError
from ledger.transparency.signatures import is_genuine, text_to_sign
from tests.acts import LETTER, NOW, approve, by, entries, fund, members, person, propose, step, stop
from tests.ledger.signed_office import law_of, paid
from tests.ledger.signing import Office, keys_in


def test_every_decision_of_an_officer_with_a_key_bears_their_signature(office: Office) -> None:
    paid(office)
    privacy.request_erasure(office.ledger, office.siti, recipient_id="R000000002", **LETTER)
    privacy.approve_erasure(office.ledger, office.budi, recipient_id="R000000002")
    keys = {each: office.public_key(each) for each in ("siti", "budi")}
    for entry in entries(office.ledger, since=1):
        if not entry.event.IS_SIGNED:
            assert entry.signature is None
            continue
        unsigned, signature = split(line_of(to_row(entry)))
        assert signature == entry.signature
        text = text_to_sign(office.ledger.fingerprint, unsigned)
        assert is_genuine(keys[entry.meta.by or ""], text, signature or ""), entry.event.TOPIC
    assert {type(entry.event) for entry in entries(office.ledger) if entry.signature} >= {
        OfficerEnrolled, LedgerEntrusted, KeyAssigned, BudgetSet, BatchProposed, BatchApproved,
        ErasureRequested, RecipientErased,
    }  # fmt: skip
    assert law_of(office.ledger).broken == []


def test_the_fingerprint_is_the_hash_of_the_first_line_of_the_log(office: Office) -> None:
    [told] = b"".join(office.ledger.store.lines(until=1)).splitlines()
    line = told.replace(b'"log_index":0,', b"")
    assert office.ledger.fingerprint == hashlib.sha256(line).hexdigest()


def test_what_is_answered_is_what_was_stored(office: Office) -> None:
    [answered] = programs.set_budget(office.ledger, office.siti, program="bsu-2020", budget=7)
    assert [answered] == entries(office.ledger)[-1:]
    assert answered.signature


def test_a_step_that_another_writer_overtook_is_signed_anew(office: Office) -> None:
    rival = Ledger(office.folder, now=office.ledger.now)
    overtaken = False

    def now():  # type: ignore[no-untyped-def]
        nonlocal overtaken
        if len(instants) == 2 and not overtaken:
            overtaken = True
            programs.set_budget(rival, office.siti, program="bsu-2020", budget=5)
        instants.append(NOW + timedelta(seconds=len(instants)))
        return instants[-1]

    instants: list[object] = []
    office.ledger.now = now
    programs.set_budget(office.ledger, office.siti, program="bsu-2020", budget=6)
    rival.close()
    assert overtaken
    last = entries(office.ledger)[-1]
    assert isinstance(last.event, BudgetSet)
    assert (last.event.previous, last.event.budget) == (5, 6)
    assert law_of(office.ledger).holds


def test_without_their_key_nothing_is_recorded_in_an_officers_name(office: Office) -> None:
    before = office.ledger.store.size()
    acts: list[Callable[[], object]] = [
        lambda: programs.set_budget(office.ledger, by("siti"), program="bsu-2020", budget=7),
        lambda: programs.set_budget(office.ledger, by("siti", dry_run=True), program="bsu-2020", budget=7),
        lambda: officers.revoke(office.ledger, by("budi"), officer_id="siti", reason="moved"),
    ]
    for act in acts:
        with pytest.raises(KeyMissingError):
            act()
    assert office.ledger.store.size() == before


def test_a_chunk_of_a_file_is_refused_without_the_key_although_its_rows_are_not_signed(office: Office) -> None:
    office.keys.path(office.ledger.fingerprint, "siti").unlink()
    office.forget()
    with pytest.raises(KeyMissingError):
        paid(office)


def test_an_officer_cannot_act_with_the_key_of_another(office: Office) -> None:
    path = office.keys.path(office.ledger.fingerprint, "siti")
    path.with_name("budi.pem").replace(path)
    office.forget()
    with pytest.raises(KeyForeignError):
        programs.set_budget(office.ledger, office.siti, program="bsu-2020", budget=7)


def test_one_key_is_never_given_to_two_officers(office: Office) -> None:
    key = office.public_key("siti")
    new = office.new_key("agus")
    officers.enroll(office.ledger, office.siti, officer_id="agus", roles=(Role.CHECKER,), public_key=new)
    replacement = "A" * 43 + "="
    words = {"officer_id": "agus", "reason": "lost"}
    officers.replace_key(office.ledger, office.siti, public_key=replacement, **words)
    before = office.ledger.store.size()
    for taken in (key, new, replacement):
        with pytest.raises(KeyTakenError):
            officers.enroll(office.ledger, office.siti, officer_id="rina", roles=(Role.CHECKER,), public_key=taken)
    with pytest.raises(KeyTakenError):
        officers.replace_key(office.ledger, office.siti, public_key=new, **words)
    assert office.ledger.store.size() == before


def test_of_a_replaced_key_the_old_one_no_longer_signs_and_what_it_signed_stands(office: Office) -> None:
    batch_id = paid(office)
    path = office.keys.path(office.ledger.fingerprint, "budi")
    path.rename(path.with_name("old.pem"))
    office.forget()
    new = office.new_key("budi")
    words = {"officer_id": "budi", "public_key": new, "reason": "lost"}
    with pytest.raises(KeyForeignError):  # whoever has only a new key is not yet budi
        officers.replace_key(office.ledger, office.budi, **words)
    for _ in range(2):
        officers.replace_key(office.ledger, office.siti, **words)
    assert [entry.event for entry in office.ledger.history("budi")[-1:]] == [
        OfficerKeyReplaced(officer_id="budi", public_key=new, reason="lost")
    ]
    programs.set_budget(office.ledger, office.budi, program="bsu-2020", budget=90_000_000)
    law = law_of(office.ledger)
    assert law.holds
    assert [notice.detail for notice in law.notices] == ["siti gave budi another key: ask budi whether it is theirs"]
    with pytest.raises(SameOfficerError):
        officers.replace_key(office.ledger, office.budi, officer_id="budi", public_key="A" * 43 + "=", reason="again")
    path.unlink()
    path.with_name("old.pem").rename(path)
    office.forget()
    with pytest.raises(KeyForeignError):
        approve(office.ledger, batch_id, command=office.budi)


def test_what_a_revoked_officer_signed_before_stays_valid(office: Office) -> None:
    paid(office)
    officers.revoke(office.ledger, office.siti, officer_id="budi", reason="moved")
    assert law_of(office.ledger).holds
    with pytest.raises(OfficerRevokedError):
        programs.set_budget(office.ledger, office.budi, program="bsu-2020", budget=90_000_000)


def test_an_officer_without_a_key_is_reported_and_no_breach(office: Office) -> None:
    officers.enroll(office.ledger, office.siti, officer_id="agus", roles=(Role.MAKER,))
    programs.set_budget(office.ledger, by("agus"), program="bsu-2020", budget=90_000_000)
    assert entries(office.ledger)[-1].signature is None
    law = law_of(office.ledger)
    assert law.holds
    assert [notice.detail for notice in law.notices] == [
        "agus was enrolled without a key: what they record is not signed"
    ]


def test_keys_come_into_a_ledger_that_began_without_any(ledger: Ledger, tmp_path: Path) -> None:
    keys = keys_in(tmp_path / "keys")
    words = {"officer_id": "siti", "reason": "keys for all"}
    officers.replace_key(ledger, by("budi"), public_key=keys.make(ledger.fingerprint, "siti"), **words)
    with pytest.raises(KeyMissingError):
        programs.set_budget(ledger, by("siti"), program="bsu-2020", budget=7)
    programs.set_budget(ledger, by("siti", signer=keys.signer), program="bsu-2020", budget=7)
    law = law_of(ledger)
    assert law.holds
    assert [notice.detail for notice in law.notices] == [
        "siti was enrolled without a key: what they record is not signed",
        "budi was enrolled without a key: what they record is not signed",
        "siti was given a key by budi, who had none to sign that with",
    ]


def test_whatever_officers_decide_by_the_rules_keeps_the_law(office: Office) -> None:
    ledger, siti, budi = office.ledger, office.siti, office.budi
    recipients = ["R000000001", "R000000002"]
    paid(office)
    first, second = (f"bsu-2020/1/{each}" for each in recipients)
    step(ledger, Step.SETTLE, first, command=siti)
    step(ledger, Step.RETURN, first, command=siti)
    step(ledger, Step.REISSUE, first, command=budi)
    step(ledger, Step.REVERSE, second, command=budi)
    step(ledger, Step.REISSUE, second, command=budi)
    step(ledger, Step.RETURN, f"{second}/2", command=siti)
    step(ledger, Step.REFUND, f"{second}/2", command=siti)
    office.enroll("agus", Role.MAKER, Role.CHECKER)
    tkm = ProgramOpened(program="tkm-2020", name="TKM", kind=Kind.GROUP_GRANT, fiscal_year=2020)
    programs.open_program(ledger, budi, terms=tkm)
    programs.set_budget(ledger, budi, program="tkm-2020", budget=100_000_000)
    programs.amend(ledger, budi, program="tkm-2020", reason="decree 16", changed={"name": "TKM 2020"})
    officers.change_roles(ledger, siti, officer_id="agus", given=(), taken=(Role.CHECKER,), reason="decree 5")
    fund(ledger, *members("g1", *recipients), command=office.by("agus"))
    officers.change_roles(ledger, siti, officer_id="agus", given=(Role.CHECKER,), taken=(), reason="decree 6")
    grants.account(ledger, siti, program="tkm-2020", group_id="g1", report_ref="LPJ 1")
    registration.register(ledger, siti, [person(3)], file_sha256=None, category="worker", on_reject=stop)
    for batch_id, officer in (("b2", siti), ("b3", budi)):  # withdrawn by its maker, rejected by a checker
        propose(ledger, ["R000000003"], command=siti, batch_id=batch_id)
        reject(ledger, officer, batch_id=batch_id, reason="late")
    propose(ledger, ["R000000003"], command=siti, batch_id="b4")
    approve(ledger, "b4", command=budi)
    cancel(ledger, budi, batch_id="b4", reason="wrong list")
    erasure = {"recipient_id": "R000000003"}
    privacy.request_erasure(ledger, siti, **erasure, **LETTER)
    privacy.reject_erasure(ledger, siti, **erasure, reason="another person was meant")
    privacy.request_erasure(ledger, siti, **erasure, **LETTER)
    privacy.approve_erasure(ledger, budi, **erasure)
    privacy.disclose(ledger, siti, **erasure, reason="asked")
    goods.stock(ledger, siti, item="mask", quantity=10, unit="piece", origin="BLK")
    goods.write_off(ledger, siti, item="mask", quantity=1, cause="damage", reason="wet")
    goods.ship(ledger, siti, shipment_id="m1", item="mask", quantity=9, country="HK")
    goods.deliver(ledger, siti, shipment_id="m1", quantity=None, proof_ref="POD 1")
    destinations.reopen(ledger, office.by("agus", reference="letter 7"), country="HK", decree_ref="294/2020")
    programs.close_program(ledger, budi, program="tkm-2020", reason="year-end")
    officers.revoke(ledger, budi, officer_id="budi", reason="leaves")  # says so themselves
    agus = office.by("agus")
    agreements.adopt_rules(ledger, siti)
    agreements.approve(ledger, agus, subject="rules")
    agreements.set_policy(ledger, siti, kind="programs", over=5, checkers=1)
    agreements.approve(ledger, agus, subject="policy/programs")
    programs.set_budget(ledger, siti, program="bsu-2020", budget=200_000_000)
    agreements.reject(ledger, agus, subject="program/bsu-2020", reason="too much")
    law = law_of(ledger)
    assert (law.broken, law.notices) == ([], [])
    assert {type(entry.event) for entry in entries(ledger) if entry.signature} == {
        EVENT_CLASSES[topic] for topic in SIGNED_TOPICS
    } - {GoodsAidShipped, FileProcessed, OfficerKeyReplaced, BatchRowsRefused}


def test_a_copied_ledger_keeps_its_signatures(office: Office, tmp_path: Path) -> None:
    paid(office)
    Move(office.folder, tmp_path / "copy").carry_out()
    with closing(Ledger(tmp_path / "copy", now=office.ledger.now)) as copied:
        assert copied.fingerprint == office.ledger.fingerprint
        assert law_of(copied).holds
