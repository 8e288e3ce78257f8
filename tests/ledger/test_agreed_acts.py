"""What the rules bring under agreement: batches, erasures and shipments, each through the one mechanism."""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.application import (
    agreements,
    batches,
    chunks,
    goods,
    grants,
    officers,
    privacy,
    programs,
    registration,
)
from ledger.application.batches import list_path
from ledger.application.review import review
from ledger.domain.agreement import ActAgreed, ActProposed, ActRejected, AgreementDecidedError, AgreementNeededError
from ledger.domain.batch import (
    BatchApproved,
    BatchEmptyError,
    BatchExecuted,
    BatchListChangedError,
    BatchListMissingError,
    BatchProposed,
    BatchRejected,
    BatchStateError,
    Status,
)
from ledger.domain.errors import SameOfficerError
from ledger.domain.event import Event, Role
from ledger.domain.goods import DeliveryConfirmed, MaskAidShipped, StockInsufficientError, StockIssued
from ledger.domain.group import GroupFunded, GroupJoined, ProposalTaken, proposal_key
from ledger.domain.officer import RoleMissingError
from ledger.domain.payment import TrancheReversed
from ledger.domain.program import FundsRecovered, FundsReserved, FundsSpent, Kind, ProgramOpened
from ledger.domain.recipient import ErasureRejected, ErasureRequested, RecipientErased
from ledger.files.tables import Row
from ledger.transparency.merkle import leaf_hash
from projections.reports.engine import Reports
from tests.acts import NOW, approve, entries, members, person, propose, run, stop
from tests.ledger.bound import bind, broken, since, status, two_words
from tests.ledger.signing import Office

R1, R2 = "R000000001", "R000000002"
LETTER = {"reason": "asked by letter", "legal_basis": "UU 27/2022"}


@pytest.fixture
def office(bound_office: Office) -> Office:
    return bound_office


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
    assert batches.approve(office.ledger, office.budi, batch_id="large").waiting == "batch/large"
    assert status(office, "large") is Status.PROPOSED
    with pytest.raises(BatchStateError):
        run(office.ledger, "large", command=office.siti)
    batches.approve(office.ledger, office.by("tari"), batch_id="large")
    assert status(office, "large") is Status.APPROVED
    assert broken(office) == {}


def test_a_rejected_batch_is_rejected_under_both_names(office: Office) -> None:
    propose(office.ledger, [R1], command=office.siti, batch_id="october")
    size = office.ledger.store.size()
    batches.reject(office.ledger, office.budi, batch_id="october", reason="late")
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


def test_goods_are_written_off_on_another_officers_word(office: Office) -> None:
    goods.stock(office.ledger, office.siti, item="mask", quantity=10, unit="piece", origin="BLK")
    asked = {"item": "mask", "cause": "damage", "reason": "wet"}
    assert goods.write_off(office.ledger, office.siti, quantity=4, **asked).waiting == "stock/mask"
    agreements.approve(office.ledger, office.budi, subject="stock/mask")
    with pytest.raises(StockInsufficientError):
        goods.write_off(office.ledger, office.siti, quantity=7, **asked)
    with Reports(office.ledger.store) as reports:
        balances = {row["account"]: row["balance"] for row in reports.run("trial-balance", as_of=NOW.date()).rows}
    assert (balances["assets:goods:stock:mask"], balances["expenses:goods:damage:mask"]) == (6, 4)
    assert broken(office) == {}


def test_a_shipment_on_one_word_alone_is_found(office: Office) -> None:
    goods.stock(office.ledger, office.siti, item="mask", quantity=9, unit="piece", origin="BLK")

    def decide(attempt: Any) -> list[Event]:
        attempt.officer()
        attempt.load("stock/mask", lambda state, _: state or 1)
        sent = MaskAidShipped(shipment_id="hk-1", item="mask", quantity=4, country="HK")
        return [StockIssued(item="mask", quantity=4, shipment_id="hk-1"), sent]

    office.ledger.carry_out(office.siti, decide)
    assert broken(office) == {"acts-agreed": ["MaskAidShipped without an agreement"]}


# Grants

PAPERS = grants.Terms(amount="2000000", proposal="P 1", decree="SK 1", decree_on="2020-09-01")


@pytest.fixture
def granting(tmp_path: Path) -> Iterator[Office]:
    """As `office`, with six people and a program of grants that has 5,000,000."""
    made = Office(tmp_path)
    made.enroll("tari", Role.CHECKER)
    terms = ProgramOpened(program="tkm", name="TKM", kind=Kind.GROUP_GRANT, ceiling=3_000_000, fiscal_year=2020)
    programs.open_program(made.ledger, made.siti, terms=terms)
    programs.set_budget(made.ledger, made.siti, program="tkm", budget=5_000_000)
    rows = [person(number) for number in range(1, 7)]
    registration.register(made.ledger, made.siti, rows, file_sha256=None, category="worker", on_reject=stop)
    bind(made)
    yield made
    made.ledger.close()


def rosters(*groups: tuple[str, tuple[int, ...]]) -> list[Row]:
    found: list[Row] = []
    for group_id, numbers in groups:
        found += members(group_id, *(f"R{number:09}" for number in numbers), first_line=2 + len(found))
    return found


def propose_grants(office: Office, *groups: tuple[str, tuple[int, ...]], **more: Any) -> batches.Proposed:
    asked = grants.GrantList("tkm", more.pop("terms", PAPERS), "a" * 64, more.pop("batch_id", "tkm-1"))
    given: dict[str, Any] = {"on_reject": stop} | more
    return grants.propose(office.ledger, office.siti, rosters(*groups), asked=asked, **given)


def funded(office: Office) -> list[tuple[str, str | None, str | None]]:
    found = [entry for entry in entries(office.ledger) if isinstance(entry.event, GroupFunded)]
    return [(e.event.group_id, e.event.batch_id, e.meta.agreement) for e in found if isinstance(e.event, GroupFunded)]


def test_groups_are_funded_on_the_words_of_two(granting: Office) -> None:
    size = granting.ledger.store.size()
    made = propose_grants(granting, ("G2", (3, 4)), ("G1", (1, 2)))
    assert since(granting, size) == [BatchProposed, ActProposed]
    assert (made.proposal.kind, made.proposal.count, made.proposal.total) == ("grants", 2, 4_000_000)
    assert made.proposal.tranche is None
    with pytest.raises(BatchStateError):
        run(granting.ledger, "tkm-1", command=granting.siti)

    approve(granting.ledger, "tkm-1", command=granting.budi)
    assert (granting.ledger.view().program("tkm").reserved, funded(granting)) == (4_000_000, [])
    tally = run(granting.ledger, "tkm-1", command=granting.siti)

    assert (tally.taken, tally.total) == (2, 4_000_000)
    assert funded(granting) == [("G1", "tkm-1", "batch/tkm-1@1"), ("G2", "tkm-1", "batch/tkm-1@1")]
    program = granting.ledger.view().program("tkm")
    assert (program.reserved, program.spent) == (0, 4_000_000)
    assert since(granting, granting.ledger.store.size() - 2) == [BatchExecuted, FundsSpent]
    assert broken(granting) == {}
    size = granting.ledger.store.size()
    assert run(granting.ledger, "tkm-1", command=granting.siti).repeated == 2
    assert granting.ledger.store.size() == size


def test_the_list_of_grants_is_the_events_that_will_be_recorded(granting: Office) -> None:
    made = propose_grants(granting, ("G1", (1, 2)))
    content = list_path(granting.ledger, "tkm-1", made.proposal.kind).read_bytes()
    assert hashlib.sha256(content).hexdigest() == made.proposal.rows_sha256
    assert leaf_hash(content.rstrip(b"\n")).hex() == made.proposal.rows_root
    assert json.loads(content) == {
        "topic": "GroupFunded.v1", "program": "tkm", "group_id": "G1", "amount": 2_000_000,
        "members": ["R000000001", "R000000002"], "proposal_ref": "P G1", "decree_ref": "SK 1",
        "decree_on": "2020-09-01", "report_due_on": (NOW.date() + timedelta(days=90)).isoformat(),
    }  # fmt: skip


def test_once_the_rules_bind_no_officer_funds_a_group_alone(granting: Office) -> None:
    size = granting.ledger.store.size()
    with pytest.raises(AgreementNeededError):
        grants.fund(
            granting.ledger, granting.siti, rosters(("G1", (1, 2))), program="tkm", terms=PAPERS, on_reject=stop
        )
    assert granting.ledger.store.size() == size


def test_a_proposal_of_grants_leaves_out_groups_that_cannot_be_funded(granting: Office) -> None:
    refused: list[Any] = []
    made = propose_grants(
        granting, ("G1", (1, 2)), ("G2", (3, 99)), on_reject=lambda reject, _: refused.append(reject.code)
    )
    assert (made.proposal.count, sorted(refused)) == (1, ["recipient_unknown", "roster_invalid"])
    with pytest.raises(BatchEmptyError):
        propose_grants(granting, ("G3", (98, 99)), batch_id="none", on_reject=lambda *_: None)


def test_grants_are_proposed_from_a_rehearsal_without_a_trace(granting: Office) -> None:
    size = granting.ledger.store.size()
    asked = grants.GrantList("tkm", PAPERS, "a" * 64, "tkm-1")
    rehearsal = granting.by("siti", dry_run=True)
    grants.propose(granting.ledger, rehearsal, rosters(("G1", (1, 2))), asked=asked, on_reject=stop)
    assert granting.ledger.store.size() == size
    assert list(granting.ledger.batches_folder.iterdir()) == []


def test_a_group_that_joined_another_batch_meanwhile_is_refused_when_it_is_run(granting: Office) -> None:
    propose_grants(granting, ("G1", (1, 2)), batch_id="one")
    propose_grants(granting, ("G2", (2, 3)), batch_id="two")
    for batch_id in ("one", "two"):
        approve(granting.ledger, batch_id, command=granting.budi)
    run(granting.ledger, "one", command=granting.siti)
    refused: list[str] = []
    tally = run(granting.ledger, "two", command=granting.siti, on_reject=lambda reject, _: refused.append(reject.code))
    assert (tally.taken, refused) == (0, ["member_elsewhere"])
    program = granting.ledger.view().program("tkm")
    assert (program.reserved, program.spent) == (0, 2_000_000)
    assert broken(granting) == {}


def test_a_batch_of_grants_is_called_off_and_its_money_free_again(granting: Office) -> None:
    propose_grants(granting, ("G1", (1, 2)))
    approve(granting.ledger, "tkm-1", command=granting.budi)
    batches.cancel(granting.ledger, granting.siti, batch_id="tkm-1", reason="wrong list")
    agreements.approve(granting.ledger, granting.budi, subject="batch/tkm-1")
    assert granting.ledger.view().program("tkm").reserved == 0
    with pytest.raises(BatchStateError):
        run(granting.ledger, "tkm-1", command=granting.siti)
    assert broken(granting) == {}


def test_what_of_a_batch_of_grants_is_made_stands_when_the_rest_is_called_off(
    granting: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 1)
    propose_grants(granting, ("G1", (1, 2)), ("G2", (3, 4)))
    approve(granting.ledger, "tkm-1", command=granting.budi)

    def stop_after_one(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batches.run(granting.ledger, granting.siti, batch_id="tkm-1", on_reject=stop, on_progress=stop_after_one)
    batches.cancel(granting.ledger, granting.siti, batch_id="tkm-1", reason="wrong list")
    agreements.approve(granting.ledger, granting.budi, subject="batch/tkm-1")
    program = granting.ledger.view().program("tkm")
    assert (program.reserved, program.spent) == (0, 2_000_000)
    assert [group_id for group_id, _, _ in funded(granting)] == ["G1"]
    assert broken(granting) == {}


def test_a_checker_revoked_after_the_last_word_takes_no_word_back(granting: Office) -> None:
    propose_grants(granting, ("G1", (1, 2)))
    approve(granting.ledger, "tkm-1", command=granting.budi)
    granting.enroll("rina", Role.CHECKER)
    agreements.approve(granting.ledger, granting.budi, subject="officer/rina")
    officers.revoke(granting.ledger, granting.siti, officer_id="budi", reason="left")
    agreements.approve(granting.ledger, granting.by("tari"), subject="officer/budi")
    run(granting.ledger, "tkm-1", command=granting.siti)
    assert broken(granting) == {}


def forge_grant(office: Office, **changed: Any) -> None:
    """A grant that siti signs on her own."""
    said: dict[str, Any] = {
        "program": "tkm", "group_id": "G9", "amount": 1_000_000, "members": ("R000000006",), "proposal_ref": "P 9",
        "decree_ref": "SK 9", "decree_on": NOW.date().replace(year=2020, month=9, day=1), "report_due_on": NOW.date(),
    }  # fmt: skip
    agreement = changed.pop("agreement", None)
    grant = GroupFunded(**(said | changed))
    joined: list[Event] = [
        GroupJoined(program="tkm", recipient_id=each, group_id=grant.group_id) for each in grant.members
    ]
    key = proposal_key(grant.proposal_ref)
    joined.append(ProposalTaken(program="tkm", proposal_key=key, group_id=grant.group_id))

    def decide(attempt: Any) -> list[Event]:
        attempt.officer()
        program = attempt.program("tkm")
        attempt.load(grant.stream, lambda state, _: state or 1)
        held: list[Event] = [FundsReserved(program="tkm", amount=grant.amount, reserved_for="x")]
        spent: list[Event] = [FundsSpent(program="tkm", amount=grant.amount, reserved_for="x")]
        if agreement:
            attempt.under(agreement, NOW.date(), [grant])
        assert program
        return [*held, grant, *joined, *spent]

    office.ledger.carry_out(office.siti, decide)


def test_a_grant_of_one_officer_alone_is_found(granting: Office) -> None:
    forge_grant(granting)
    assert broken(granting) == {"acts-agreed": ["GroupFunded without an agreement"]}


def test_another_grant_than_those_agreed_to_is_found(granting: Office) -> None:
    propose_grants(granting, ("G1", (1, 2)))
    approve(granting.ledger, "tkm-1", command=granting.budi)
    forge_grant(granting, batch_id="tkm-1", agreement="batch/tkm-1@1")
    assert broken(granting) == {"acts-exact": ["its grants are not those of the list that was agreed to"]}


def test_a_grant_under_an_agreement_lies_in_its_batch(granting: Office) -> None:
    propose_grants(granting, ("G1", (1, 2)))
    approve(granting.ledger, "tkm-1", command=granting.budi)
    forge_grant(granting, agreement="batch/tkm-1@1")
    assert broken(granting) == {"acts-exact": ["is of no batch of grants in tkm"]}


def test_a_batch_of_grants_is_shown(granting: Office) -> None:
    propose_grants(granting, ("G1", (1, 2)), ("G2", (3, 4)))
    found = review(granting.ledger, "tkm-1")
    assert (found.count, found.total, found.off_schedule) == (2, 4_000_000, 0)
    assert found.first == [("G1", 2_000_000), ("G2", 2_000_000)]


def test_a_person_on_a_list_of_grants_is_under_way(granting: Office) -> None:
    propose_grants(granting, ("G1", (1, 2)))
    assert privacy.open_matters(granting.ledger, "R000000001") == ["batch tkm-1 is not run to its end"]
    assert privacy.open_matters(granting.ledger, "R000000003") == []


def test_an_agreement_that_is_only_named_gives_nobody_a_role(office: Office) -> None:
    propose(office.ledger, [R1], command=office.siti, batch_id="october")
    approve(office.ledger, "october", command=office.budi)
    run(office.ledger, "october", command=office.siti)

    def decide(attempt: Any) -> list[Event]:
        attempt.officer()
        stream = f"payment/bsu-2020/1/{R1}"
        attempt.load(stream, lambda state, _: state or 1)
        attempt.program("bsu-2020")
        undone = TrancheReversed(program="bsu-2020", tranche=1, recipient_id=R1, amount=1_200_000, reason="never left")
        attempt.under("batch/october@1", NOW.date(), [undone])
        return [undone, FundsRecovered(program="bsu-2020", amount=1_200_000, reserved_for="x")]

    office.ledger.carry_out(office.siti, decide)
    assert broken(office) == {"signatures-valid": ["signed by siti, who was no checker"]}


def test_a_group_that_stands_twice_in_a_file_is_taken_once_and_told(
    granting: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "CHUNK_ROWS", 1)
    refused: list[tuple[int, str]] = []
    made = propose_grants(
        granting,
        ("G1", (1, 2)),
        ("G2", (3,)),
        ("G1", (4,)),
        on_reject=lambda reject, _: refused.append((reject.line, reject.code)),
    )
    assert (made.proposal.count, made.proposal.total) == (2, 4_000_000)
    assert refused == [(5, "duplicate_in_file")]
