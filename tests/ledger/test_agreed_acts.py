"""What the rules bring under agreement: batches, erasures and shipments, each through the one mechanism."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.application import agreements, disbursement, goods, privacy, registration
from ledger.application.disbursement import list_path
from ledger.domain.agreement import ActAgreed, ActProposed, ActRejected, AgreementDecidedError
from ledger.domain.batch import (
    BatchApproved,
    BatchListChangedError,
    BatchListMissingError,
    BatchProposed,
    BatchRejected,
    BatchStateError,
    Status,
)
from ledger.domain.errors import SameOfficerError
from ledger.domain.event import Event, Role
from ledger.domain.goods import DeliveryConfirmed, MaskAidShipped, StockIssued
from ledger.domain.officer import RoleMissingError
from ledger.domain.program import FundsReserved
from ledger.domain.recipient import ErasureRejected, ErasureRequested, RecipientErased
from projections.audit.check import check
from tests.acts import approve, entries, person, propose, run, stop
from tests.ledger.signing import Office

R1, R2 = "R000000001", "R000000002"
LETTER = {"reason": "asked by letter", "legal_basis": "UU 27/2022"}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Siti, a maker, budi and tari, checkers, two people, and rules that bind."""
    made = Office(tmp_path)
    made.enroll("tari", Role.CHECKER)
    rows = [person(number) for number in (1, 2)]
    registration.register(made.ledger, made.siti, rows, file_sha256=None, category="worker", on_reject=stop)
    bind(made)
    yield made
    made.ledger.close()


def bind(office: Office) -> None:
    agreements.adopt_rules(office.ledger, office.siti)
    agreements.approve(office.ledger, office.budi, subject="rules")


def two_words(office: Office, kind: str, over: int) -> None:
    agreements.set_policy(office.ledger, office.siti, kind=kind, over=over, checkers=2)
    agreements.approve(office.ledger, office.budi, subject=f"policy/{kind}")


def since(office: Office, size: int) -> list[type[Event]]:
    return [type(entry.event) for entry in entries(office.ledger, since=size)]


def broken(office: Office) -> dict[str, list[str]]:
    return {law.name: [each.detail for each in law.broken] for law in check(office.ledger.store) if not law.holds}


def status(office: Office, batch_id: str) -> Status:
    return office.ledger.view().batch(batch_id).status


# Batches


def test_a_batch_waits_for_words_as_any_other_act(office: Office) -> None:
    size = office.ledger.store.size()
    batch_id = propose(office.ledger, [R1, R2], command=office.siti, batch_id="october")
    assert since(office, size) == [BatchProposed, ActProposed]
    [waiting] = agreements.waiting(office.ledger)
    assert (waiting.proposed.subject, waiting.proposed.kind) == ("batch/october", "batches")

    recorded = approve(office.ledger, batch_id, command=office.budi)

    assert [type(entry.event) for entry in recorded] == [ActAgreed, BatchApproved, FundsReserved]
    assert [entry.meta.agreement for entry in recorded] == [None, "batch/october@1", "batch/october@1"]
    assert isinstance(recorded[1].event, BatchApproved)
    assert recorded[1].event.checker == "budi"
    run(office.ledger, batch_id, command=office.siti)
    assert office.ledger.view().program("bsu-2020").spent == 2_400_000
    assert broken(office) == {}


def test_the_same_list_proposed_again_waits_once(office: Office) -> None:
    propose(office.ledger, [R1], command=office.siti, batch_id="october")
    size = office.ledger.store.size()
    propose(office.ledger, [R1], command=office.siti, batch_id="october")
    assert office.ledger.store.size() == size


def test_a_batch_over_the_amount_of_the_policy_needs_both_checkers(office: Office) -> None:
    two_words(office, "batches", over=1_200_000)
    propose(office.ledger, [R1], command=office.siti, batch_id="small")
    assert agreements.approve(office.ledger, office.budi, subject="batch/small").waiting is None
    propose(office.ledger, [R1, R2], command=office.siti, batch_id="large")
    assert disbursement.approve(office.ledger, office.budi, batch_id="large").waiting == "batch/large"
    assert status(office, "large") is Status.PROPOSED
    with pytest.raises(BatchStateError):
        run(office.ledger, "large", command=office.siti)
    disbursement.approve(office.ledger, office.by("tari"), batch_id="large")
    assert status(office, "large") is Status.APPROVED
    assert broken(office) == {}


def test_a_rejected_batch_is_rejected_under_both_names(office: Office) -> None:
    propose(office.ledger, [R1], command=office.siti, batch_id="october")
    size = office.ledger.store.size()
    disbursement.reject(office.ledger, office.budi, batch_id="october", reason="late")
    assert since(office, size) == [ActRejected, BatchRejected]
    with pytest.raises(BatchStateError):
        approve(office.ledger, "october", command=office.by("tari"))
    propose(office.ledger, [R1], command=office.siti, batch_id="again")
    agreements.reject(office.ledger, office.siti, subject="batch/again", reason="mine", is_withdrawn=True)
    assert status(office, "again") is Status.REJECTED
    assert broken(office) == {}


def test_nobody_agrees_to_a_list_that_is_not_here_or_is_another_one(office: Office) -> None:
    batch_id = propose(office.ledger, [R1], command=office.siti, batch_id="october")
    path, size = list_path(office.ledger, batch_id), office.ledger.store.size()
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(BatchListMissingError):
        approve(office.ledger, batch_id, command=office.budi)
    path.write_bytes(content.replace(b"1200000", b"1100000"))
    with pytest.raises(BatchListChangedError):
        agreements.approve(office.ledger, office.budi, subject="batch/october")
    assert office.ledger.store.size() == size


def test_the_maker_of_a_batch_has_no_word_on_it(office: Office) -> None:
    office.enroll("rina", Role.MAKER)
    agreements.approve(office.ledger, office.budi, subject="officer/rina")
    propose(office.ledger, [R1], command=office.siti, batch_id="october")
    for officer_id, refusal in (("siti", RoleMissingError), ("rina", RoleMissingError)):
        with pytest.raises(refusal):
            approve(office.ledger, "october", command=office.by(officer_id))


def test_a_batch_proposed_before_the_rules_is_proposed_again(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.enroll("tari", Role.CHECKER)
    registration.register(office.ledger, office.siti, [person(1)], file_sha256=None, category="worker", on_reject=stop)
    propose(office.ledger, [R1], command=office.siti, batch_id="october")
    bind(office)
    with pytest.raises(BatchStateError, match="propose the same file again"):
        approve(office.ledger, "october", command=office.budi)
    propose(office.ledger, [R1], command=office.siti, batch_id="october")
    approve(office.ledger, "october", command=office.budi)
    assert status(office, "october") is Status.APPROVED
    assert broken(office) == {}
    office.ledger.close()


def test_an_approval_by_one_word_alone_is_found(office: Office) -> None:
    propose(office.ledger, [R1], command=office.siti, batch_id="october")

    def decide(attempt: Any) -> list[Event]:
        attempt.officer()
        attempt.batch("october")
        return [BatchApproved(batch_id="october", program="bsu-2020", checker="budi")]

    office.ledger.carry_out(office.budi, decide)
    assert broken(office) == {"acts-agreed": ["BatchApproved without an agreement"]}


# Erasures


def test_a_person_is_erased_with_the_last_word_and_not_before(office: Office) -> None:
    two_words(office, "erasures", over=0)
    size = office.ledger.store.size()
    privacy.request_erasure(office.ledger, office.siti, recipient_id=R1, **LETTER)
    assert since(office, size) == [ErasureRequested, ActProposed]
    first = agreements.approve(office.ledger, office.budi, subject=f"recipient/{R1}")
    assert first.waiting == f"recipient/{R1}"
    assert office.ledger.vault.count() == 2

    last = privacy.approve_erasure(office.ledger, office.by("tari"), recipient_id=R1)

    assert [type(entry.event) for entry in last] == [ActAgreed, RecipientErased]
    assert office.ledger.vault.count() == 1
    assert list(privacy.approve_erasure(office.ledger, office.by("tari"), recipient_id=R1)) == []
    assert broken(office) == {}


def test_a_rehearsal_of_the_last_word_leaves_the_person_in_the_vault(office: Office) -> None:
    privacy.request_erasure(office.ledger, office.siti, recipient_id=R1, **LETTER)
    size = office.ledger.store.size()
    assert len(agreements.approve(office.ledger, office.by("budi", dry_run=True), subject=f"recipient/{R1}")) == 2
    assert (office.ledger.vault.count(), office.ledger.store.size()) == (2, size)


def test_an_erasure_that_is_rejected_may_be_asked_for_again(office: Office) -> None:
    privacy.request_erasure(office.ledger, office.siti, recipient_id=R1, **LETTER)
    size = office.ledger.store.size()
    privacy.reject_erasure(office.ledger, office.budi, recipient_id=R1, reason="another person was meant")
    assert since(office, size) == [ActRejected, ErasureRejected]
    with pytest.raises(AgreementDecidedError):
        agreements.approve(office.ledger, office.by("tari"), subject=f"recipient/{R1}")
    privacy.request_erasure(office.ledger, office.siti, recipient_id=R1, **LETTER)
    privacy.approve_erasure(office.ledger, office.budi, recipient_id=R1)
    assert office.ledger.vault.count() == 1
    assert broken(office) == {}


# Goods


def ship(office: Office, quantity: int = 4) -> agreements.Entries:
    goods.stock(office.ledger, office.siti, item="mask", quantity=9, unit="piece", origin="BLK")
    return goods.ship(office.ledger, office.siti, shipment_id="hk-1", item="mask", quantity=quantity, country="HK")


def test_goods_leave_on_another_officers_word(office: Office) -> None:
    size = office.ledger.store.size()
    assert ship(office).waiting == "shipment/hk-1"
    recorded = agreements.approve(office.ledger, office.budi, subject="shipment/hk-1")
    assert [type(entry.event) for entry in recorded] == [ActAgreed, StockIssued, MaskAidShipped]
    assert len(since(office, size)) == 5  # stocked, proposed, agreed, issued, shipped
    assert broken(office) == {}


def test_who_sends_goods_must_be_a_maker(office: Office) -> None:
    goods.stock(office.ledger, office.siti, item="mask", quantity=9, unit="piece", origin="BLK")
    with pytest.raises(RoleMissingError):
        goods.ship(office.ledger, office.budi, shipment_id="hk-1", item="mask", quantity=4, country="HK")


def test_a_delivery_is_confirmed_by_another_officer_than_the_shipper(office: Office) -> None:
    office.enroll("rina", Role.MAKER)
    agreements.approve(office.ledger, office.budi, subject="officer/rina")
    ship(office)
    agreements.approve(office.ledger, office.budi, subject="shipment/hk-1")
    arrived: dict[str, Any] = {"shipment_id": "hk-1", "quantity": None, "proof_ref": "POD 1"}
    with pytest.raises(SameOfficerError):
        goods.deliver(office.ledger, office.siti, **arrived)
    [entry] = goods.deliver(office.ledger, office.by("rina"), **arrived)
    assert isinstance(entry.event, DeliveryConfirmed)
    assert broken(office) == {}


def test_a_delivery_confirmed_by_the_shipper_is_found(office: Office) -> None:
    ship(office)
    agreements.approve(office.ledger, office.budi, subject="shipment/hk-1")

    def decide(attempt: Any) -> list[Event]:
        attempt.officer()
        attempt.load("shipment/hk-1", lambda state, _: state or 1)
        return [DeliveryConfirmed(shipment_id="hk-1", item="mask", quantity=4, country="HK", proof_ref="POD 1")]

    office.ledger.carry_out(office.siti, decide)
    assert broken(office) == {"delivered-by-another": ["siti shipped and confirmed the delivery"]}


def test_a_shipment_on_one_word_alone_is_found(office: Office) -> None:
    goods.stock(office.ledger, office.siti, item="mask", quantity=9, unit="piece", origin="BLK")

    def decide(attempt: Any) -> list[Event]:
        attempt.officer()
        attempt.load("stock/mask", lambda state, _: state or 1)
        sent = MaskAidShipped(shipment_id="hk-1", item="mask", quantity=4, country="HK")
        return [StockIssued(item="mask", quantity=4, shipment_id="hk-1"), sent]

    office.ledger.carry_out(office.siti, decide)
    assert broken(office) == {"acts-agreed": ["MaskAidShipped without an agreement"]}
