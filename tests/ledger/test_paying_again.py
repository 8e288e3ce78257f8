"""Money that had come back is paid again, or refunded, as batches that other officers agree to."""

from typing import Any

import pytest

from ledger.application import (
    aftercare,
    agreements,
    batches,
    chunks,
    privacy,
    programs,
)
from ledger.application.aftercare import Step
from ledger.application.review import review
from ledger.domain.agreement import ActAgreed, ActProposed, AgreementNeededError
from ledger.domain.batch import (
    BatchApproved,
    BatchCancelled,
    BatchExecuted,
    BatchProposed,
)
from ledger.domain.event import Event
from ledger.domain.payment import TrancheRefunded, TrancheReissued
from ledger.domain.program import (
    FundsSpent,
)
from tests.acts import NOW, approve, entries, propose, propose_step, run, step, stop
from tests.ledger.bound import broken, since
from tests.ledger.signing import Office

R1, R2 = "R000000001", "R000000002"


@pytest.fixture
def office(bound_office: Office) -> Office:
    return bound_office


def paid(office: Office, *recipients: str) -> list[str]:
    """Pay people, and return the names of the payments."""
    propose(office.ledger, list(recipients), command=office.siti, batch_id="october")
    approve(office.ledger, "october", command=office.budi)
    run(office.ledger, "october", command=office.siti)
    return [f"bsu-2020/1/{recipient_id}" for recipient_id in recipients]


def again(office: Office, *payment_ids: str, batch_id: str = "again", **more: Any) -> batches.Proposed:
    return propose_step(office.ledger, Step.REISSUE, *payment_ids, command=office.siti, batch_id=batch_id, **more)


def held(office: Office) -> tuple[int, int]:
    program = office.ledger.view().program("bsu-2020")
    return program.reserved, program.spent


def test_no_officer_alone_pays_again_or_refunds(office: Office) -> None:
    first, second = paid(office, R1, R2)
    step(office.ledger, Step.REVERSE, first, command=office.budi)
    step(office.ledger, Step.RETURN, second, command=office.siti)
    size = office.ledger.store.size()
    for taken, officer in ((Step.REISSUE, "budi"), (Step.REISSUE, "tari"), (Step.REFUND, "siti")):
        with pytest.raises(AgreementNeededError):
            step(office.ledger, taken, first, second, command=office.by(officer))
    assert office.ledger.store.size() == size


def test_what_came_back_is_paid_again_on_the_words_of_two(office: Office) -> None:
    first, second = paid(office, R1, R2)
    step(office.ledger, Step.RETURN, first, command=office.siti)
    step(office.ledger, Step.REVERSE, second, command=office.budi)
    assert held(office) == (0, 1_200_000)
    made = again(office, second, first)
    assert (made.proposal.kind, made.proposal.count, made.proposal.total) == ("reissues", 2, 2_400_000)
    assert made.proposal.held == 1_200_000  # what came back was never free

    approve(office.ledger, "again", command=office.budi)
    assert held(office) == (1_200_000, 1_200_000)
    size = office.ledger.store.size()
    tally = run(office.ledger, "again", command=office.budi)

    assert (tally.taken, tally.total) == (2, 2_400_000)
    assert since(office, size) == [TrancheReissued, TrancheReissued, BatchExecuted, FundsSpent]
    recorded = entries(office.ledger, since=size)[:2]
    assert [entry.meta.agreement for entry in recorded] == ["batch/again@1", "batch/again@1"]
    assert [getattr(entry.event, "batch_id", None) for entry in recorded] == ["again", "again"]
    assert held(office) == (0, 2_400_000)
    assert run(office.ledger, "again", command=office.budi).repeated == 2
    assert not again(office, second, first).is_new  # the same file gives the same list
    assert broken(office) == {}


def test_a_refund_waits_for_words_and_moves_no_money_of_the_program(office: Office) -> None:
    [first] = paid(office, R1)
    step(office.ledger, Step.RETURN, first, command=office.siti)
    programs.close_program(office.ledger, office.siti, program="bsu-2020", reason="the year is over")
    agreements.approve(office.ledger, office.budi, subject="program/bsu-2020")  # money still comes back afterwards
    size = office.ledger.store.size()
    propose_step(office.ledger, Step.REFUND, first, command=office.siti, batch_id="back")
    approve(office.ledger, "back", command=office.budi)
    run(office.ledger, "back", command=office.siti)
    assert since(office, size) == [
        BatchProposed, ActProposed, ActAgreed, BatchApproved, TrancheRefunded, BatchExecuted,
    ]  # fmt: skip
    assert broken(office) == {}


def test_a_payment_that_moved_since_is_refused_when_the_batch_is_run(office: Office) -> None:
    first, second = paid(office, R1, R2)
    for payment_id in (first, second):
        step(office.ledger, Step.REVERSE, payment_id, command=office.budi)
    again(office, first, batch_id="one")
    again(office, first, second, batch_id="two")
    for batch_id in ("one", "two"):
        approve(office.ledger, batch_id, command=office.budi)
    run(office.ledger, "one", command=office.budi)
    refused: list[str] = []
    tally = run(office.ledger, "two", command=office.budi, on_reject=lambda reject, _: refused.append(reject.code))
    assert (tally.taken, refused) == (1, ["payment_moved"])
    assert held(office) == (0, 2_400_000)
    assert broken(office) == {}


def test_a_batch_of_reissues_is_called_off_and_its_money_free_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 1)
    payments = paid(office, R1, R2)
    for payment_id in payments:
        step(office.ledger, Step.REVERSE, payment_id, command=office.budi)
    again(office, *payments)
    approve(office.ledger, "again", command=office.budi)

    def stop_after_one(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batches.run(office.ledger, office.budi, batch_id="again", on_reject=stop, on_progress=stop_after_one)
    assert held(office) == (2_400_000, 0)
    batches.cancel(office.ledger, office.siti, batch_id="again", reason="the account is closed")
    agreements.approve(office.ledger, office.budi, subject="batch/again")
    assert held(office) == (0, 1_200_000)
    [ended] = [entry.event for entry in entries(office.ledger) if isinstance(entry.event, BatchCancelled)]
    assert (ended.count, ended.total) == (1, 1_200_000)
    assert broken(office) == {}


def test_a_payment_that_stands_twice_in_a_file_is_paid_again_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 1)
    [first] = paid(office, R1)
    step(office.ledger, Step.RETURN, first, command=office.siti)
    refused: list[tuple[int, str]] = []
    made = again(office, first, first, on_reject=lambda reject, _: refused.append((reject.line, reject.code)))
    assert (made.proposal.count, refused) == (1, [(3, "duplicate_in_file")])


def test_a_batch_of_reissues_is_shown(office: Office) -> None:
    [first] = paid(office, R1)
    step(office.ledger, Step.RETURN, first, command=office.siti)
    again(office, first)
    shown = review(office.ledger, "again")
    assert (shown.first, shown.count, shown.total) == ([(first, 1_200_000)], 1, 1_200_000)
    assert dict(shown.categories) == {"worker": 1}
    assert "batch again is not run to its end" in privacy.open_matters(office.ledger, R1)


def test_a_payment_again_of_one_officer_alone_is_found(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    [first] = paid(office, R1)
    monkeypatch.setattr(aftercare, "rules_bind", lambda _: False)
    for taken in (Step.REVERSE, Step.REISSUE):
        step(office.ledger, taken, first, command=office.budi)
    assert broken(office) == {"acts-agreed": ["TrancheReissued without an agreement"]}


def test_a_payment_again_in_a_batch_of_another_kind_is_found(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    [first] = paid(office, R1)
    step(office.ledger, Step.RETURN, first, command=office.siti)

    def decide(attempt: Any) -> list[Event]:
        attempt.officer()
        attempt.load(f"payment/{first}", lambda state, _: state or 1)
        paid_again = TrancheReissued(
            program="bsu-2020",
            tranche=1,
            recipient_id=R1,
            amount=1_200_000,
            attempt=2,
            after="return",
            batch_id="october",
        )
        attempt.under("batch/october@1", NOW.date(), [paid_again])
        return [paid_again]

    office.ledger.carry_out(office.budi, decide)
    found = broken(office)
    assert found["acts-exact"] == ["is of no batch of reissues in bsu-2020"]
