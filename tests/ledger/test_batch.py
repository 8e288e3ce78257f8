import pytest

from ledger.domain import batch as batches
from ledger.domain.batch import (
    Batch,
    BatchApproved,
    BatchExecuted,
    BatchExistsError,
    BatchProposed,
    BatchRejected,
    BatchStateError,
    Status,
)
from ledger.domain.errors import SameOfficerError
from ledger.domain.event import Event, RefusedRows

PROPOSED = BatchProposed(
    batch_id="b1", program="bsu", tranche=1, maker="siti", file_sha256="a" * 64, rows_sha256="b" * 64, count=2, total=1200
)  # fmt: skip
APPROVED = BatchApproved(batch_id="b1", program="bsu", checker="budi")
REJECTED = BatchRejected(batch_id="b1", program="bsu", checker="budi", reason="late")
REFUSED = (RefusedRows(code="already_paid", rows=1),)
EXECUTED = BatchExecuted(batch_id="b1", program="bsu", count=1, total=600, refused=REFUSED)


def batch(*events: Event) -> Batch:
    state: Batch | None = None
    for event in (PROPOSED, *events):
        state = batches.evolve(state, event)
    assert state
    return state


def test_a_list_is_proposed_once() -> None:
    assert batches.propose(None, proposal=PROPOSED) == [PROPOSED]
    again = PROPOSED.model_copy(update={"file_sha256": "c" * 64})
    for state in (batch(), batch(APPROVED), batch(APPROVED, EXECUTED)):
        assert batches.propose(state, proposal=again) == []


@pytest.mark.parametrize("other", [{"rows_sha256": "c" * 64}, {"program": "jps"}, {"tranche": 2}])
def test_a_batch_never_holds_a_second_list(other: dict[str, object]) -> None:
    with pytest.raises(BatchExistsError):
        batches.propose(batch(), proposal=PROPOSED.model_copy(update=other))


def test_a_rejected_batch_is_not_proposed_again() -> None:
    with pytest.raises(BatchExistsError) as refused:
        batches.propose(batch(REJECTED), proposal=PROPOSED)
    assert refused.value.status == "rejected"


def test_a_batch_is_approved_once() -> None:
    assert batches.approve(batch(), checker="budi") == [APPROVED]
    assert batches.approve(batch(APPROVED), checker="budi") == []
    assert batches.approve(batch(APPROVED, EXECUTED), checker="budi") == []


def test_the_maker_of_a_batch_cannot_approve_it() -> None:
    for state in (batch(), batch(APPROVED)):
        with pytest.raises(SameOfficerError):
            batches.approve(state, checker="siti")


def test_a_rejected_batch_cannot_be_approved() -> None:
    with pytest.raises(BatchStateError):
        batches.approve(batch(REJECTED), checker="budi")


def test_a_batch_is_rejected_once_and_only_before_it_is_approved() -> None:
    assert batches.reject(batch(), checker="budi", reason="late") == [REJECTED]
    assert batches.reject(batch(REJECTED), checker="budi", reason="late") == []
    for state in (batch(APPROVED), batch(APPROVED, EXECUTED)):
        with pytest.raises(BatchStateError):
            batches.reject(state, checker="budi", reason="late")


def test_only_an_approved_batch_is_executed_and_once() -> None:
    assert batches.execute(batch(APPROVED), count=1, total=600, refused=REFUSED) == [EXECUTED]
    assert batches.execute(batch(APPROVED, EXECUTED), count=1, total=600, refused=REFUSED) == []
    for state in (batch(), batch(REJECTED)):
        with pytest.raises(BatchStateError) as refused:
            batches.execute(state, count=1, total=600, refused=REFUSED)
        assert refused.value.status == state.status


def test_the_states_of_a_batch_bear_the_names_that_reports_tell() -> None:
    assert {str(status) for status in Status} == {"proposed", "approved", "rejected", "executed", "cancelled"}
