"""A batch: a file of payments that two different officers agree on."""

from dataclasses import dataclass, replace
from enum import StrEnum

from ledger.errors import BatchExistsError, BatchStateError, SameOfficerError
from ledger.events import (
    BatchApproved,
    BatchExecuted,
    BatchProposed,
    BatchRejected,
    Event,
    RefusedRows,
)


class Status(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXECUTED = "executed"


@dataclass(frozen=True)
class Batch:
    proposal: BatchProposed
    status: Status = Status.PROPOSED
    checker: str | None = None
    paid_count: int = 0
    paid_total: int = 0

    @property
    def batch_id(self) -> str:
        return self.proposal.batch_id


def evolve(batch: Batch | None, event: Event) -> Batch | None:
    if isinstance(event, BatchProposed):
        return Batch(event)
    if batch is None:
        return None
    match event:
        case BatchApproved():
            return replace(batch, status=Status.APPROVED, checker=event.checker)
        case BatchRejected():
            return replace(batch, status=Status.REJECTED, checker=event.checker)
        case BatchExecuted():
            return replace(batch, status=Status.EXECUTED, paid_count=event.count, paid_total=event.total)
    return batch


def propose(batch: Batch | None, *, proposal: BatchProposed) -> list[Event]:
    """Put a payment list up for approval; the same list again records nothing."""
    if batch is None:
        return [proposal]
    known = batch.proposal
    same = (known.rows_sha256, known.program, known.tranche) == (
        proposal.rows_sha256,
        proposal.program,
        proposal.tranche,
    )
    if not same or batch.status is Status.REJECTED:
        raise BatchExistsError(batch_id=proposal.batch_id, status=batch.status)
    return []


def approve(batch: Batch, *, checker: str) -> list[Event]:
    """Agree that exactly the proposed rows are paid; approving twice records nothing."""
    if batch.status is Status.REJECTED:
        raise BatchStateError(batch_id=batch.batch_id, status=batch.status, remedy="propose it under another id")
    if checker == batch.proposal.maker:
        raise SameOfficerError(officer_id=checker, thing=f"batch {batch.batch_id}")
    if batch.status is not Status.PROPOSED:
        return []
    return [BatchApproved(batch_id=batch.batch_id, program=batch.proposal.program, checker=checker)]


def reject(batch: Batch, *, checker: str, reason: str) -> list[Event]:
    """Refuse a proposed batch; the maker may withdraw their own."""
    if batch.status is Status.REJECTED:
        return []
    if batch.status is not Status.PROPOSED:
        raise BatchStateError(
            batch_id=batch.batch_id, status=batch.status, remedy="it can only be rejected before it is approved"
        )
    return [BatchRejected(batch_id=batch.batch_id, program=batch.proposal.program, checker=checker, reason=reason)]


def require_approved(batch: Batch) -> None:
    """Refuse to pay what a checker has not agreed to."""
    if batch.status in (Status.PROPOSED, Status.REJECTED):
        remedy = (
            "another officer must approve it first: `salur disburse approve`"
            if batch.status is Status.PROPOSED
            else "it will not be paid; propose a corrected file"
        )
        raise BatchStateError(batch_id=batch.batch_id, status=batch.status, remedy=remedy)


def execute(batch: Batch, *, count: int, total: int, refused: tuple[RefusedRows, ...]) -> list[Event]:
    """Record that an approved batch has been run to its end."""
    require_approved(batch)
    if batch.status is Status.EXECUTED:
        return []
    return [
        BatchExecuted(
            batch_id=batch.batch_id, program=batch.proposal.program, count=count, total=total, refused=refused
        )
    ]
