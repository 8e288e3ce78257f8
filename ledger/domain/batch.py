"""A batch: a list of payments, or of grants, that different officers agree on."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ledger.domain.errors import LedgerError, Said, SameOfficerError
from ledger.domain.event import Event, RefusedRows, Role, Stream
from ledger.domain.fields import (
    Amount,
    BatchId,
    ChosenByOfficer,
    Count,
    ListLine,
    OfficerId,
    ProgramCode,
    Sha256,
    Text,
    TrancheNumber,
)
from ledger.domain.money import AMOUNT_MAX

batch_stream = Stream("batch/{batch_id}", "paying what two officers did not agree on")
refused_stream = Stream("refused/{batch_id}/{block}", "naming a refused row of a list twice")


BLOCK_LINES = 1_000
"""So many lines of a list are a block, for good: what of it is refused stands in a stream of its own, so that a run reads
none of the others."""


class ListKind(StrEnum):
    """What a batch records for each line of its list, where that is not a payment."""

    GRANTS = "grants"
    REISSUES = "reissues"
    REFUNDS = "refunds"


def list_name(batch_id: str, kind: ListKind | None) -> str:
    """The name of the file of a batch's list."""
    return f"{batch_id}.{'csv' if kind is None else 'jsonl'}"


def line_of(event: Event) -> bytes:
    """The line of an event in a list."""
    said = {"topic": event.TOPIC, **event.model_dump(mode="json", exclude_none=True, exclude={"batch_id"})}
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


class _BatchEvent(Event):
    STREAM = batch_stream
    NEEDS_OPEN = False
    batch_id: BatchId
    program: ProgramCode


class BatchProposed(_BatchEvent):
    """A maker proposes to pay the rows of a file."""

    TOPIC = "BatchProposed.v1"
    ROLE = Role.MAKER
    ACTOR = "maker"
    batch_id: Annotated[BatchId, ChosenByOfficer]
    tranche: TrancheNumber | None = None
    """Of payments."""
    kind: ListKind | None = None
    """None for payments."""
    maker: OfficerId
    file_sha256: Sha256
    """Of the file as it arrived."""
    rows_sha256: Sha256
    """Of the list. That of payments is a line `recipient_id,amount`, then a line each in order of recipient; any other
    is a line each with the event that is recorded for it, in order of streams."""
    rows_root: Sha256 | None = None
    """The root of the tree over the lines of a list that is not one of payments (RFC 6962)."""
    count: Annotated[int, Field(ge=1, le=AMOUNT_MAX)]
    total: Amount
    held: Count | None = None
    """The money of the program that is held for it, where that is not its total: of what is paid again, only what had
    been reversed is taken from the program once more."""
    refused: tuple[RefusedRows, ...] = ()

    @property
    def list_name(self) -> str:
        """The name of the list's file."""
        return list_name(self.batch_id, self.kind)


class BatchApproved(_BatchEvent):
    """A checker agrees that exactly the proposed rows are paid."""

    TOPIC = "BatchApproved.v1"
    AGREED = "batches"
    ROLE = Role.CHECKER
    ACTOR = "checker"
    checker: OfficerId


class BatchRejected(_BatchEvent):
    """A checker does not agree; nothing of the batch is paid."""

    TOPIC = "BatchRejected.v1"
    ROLE = None  # a checker rejects, and the maker withdraws: the law of signatures tells them apart
    ACTOR = "checker"
    checker: OfficerId
    reason: Text


class BatchExecuted(_BatchEvent):
    """The batch has been run to its end."""

    TOPIC = "BatchExecuted.v1"
    ROLE = None
    count: Count
    total: Count
    refused: tuple[RefusedRows, ...] = ()


class BatchRowsRefused(_BatchEvent):
    """Rows of the batch's list that were not paid when it was run: with the payments they give the list that was signed."""

    TOPIC = "BatchRowsRefused.v1"
    STREAM = refused_stream
    ROLE = None
    block: Count
    """Of the list, the first being 0."""
    lines: Annotated[tuple[ListLine, ...], Field(min_length=1, max_length=BLOCK_LINES)]
    """As they stand in the list."""


class BatchCancelled(_BatchEvent):
    """An approved batch is called off: what of it is paid stands, the rest is not paid."""

    TOPIC = "BatchCancelled.v1"
    AGREED = "batches"
    ROLE = None
    count: Count
    """Payments of the batch that were made before."""
    total: Count
    reason: Text


class BatchUnknownError(LedgerError):
    """No batch has that id."""

    code = "batch_unknown"
    sentence = "no batch {batch_id}{nearest}; see `salur disburse status`"
    batch_id: str
    nearest: Said = Said("")


class BatchExistsError(LedgerError):
    """A batch of that id holds something else."""

    code = "batch_exists"
    sentence = "batch {batch_id} exists and is {status} with other content; name this one with --batch"
    batch_id: str
    status: str


class BatchEmptyError(LedgerError):
    """No row of the file can be paid."""

    code = "batch_empty"
    sentence = "none of the {refused} rows can be paid; the rejects file tells why for each"
    refused: int


class BatchStateError(LedgerError):
    """The batch is not in the state that this step needs."""

    code = "batch_state"
    sentence = "batch {batch_id} is {status}; {remedy}"
    batch_id: str
    status: str
    remedy: str


class BatchListChangedError(LedgerError):
    """The payment list is not the one that was proposed and approved."""

    code = "batch_list_changed"
    sentence = "the payment list of {batch_id} is not what was approved ({what} differs); nothing was paid, propose the file again"
    batch_id: str
    what: Said


class BatchListMissingError(LedgerError):
    """The payment list of the batch is not in the ledger's folder."""

    code = "batch_list_missing"
    sentence = "the payment list {path} is missing; propose the same file again to restore it"
    path: str


class Status(StrEnum):
    """Where a batch stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXECUTED = "executed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Batch:
    """What the events of one batch say together."""

    proposal: BatchProposed
    status: Status = Status.PROPOSED
    checker: str | None = None
    paid_count: int = 0
    paid_total: int = 0

    @property
    def batch_id(self) -> str:
        """The batch's id."""
        return self.proposal.batch_id

    @property
    def held(self) -> int:
        """The money of the program that is held for it, in minor units."""
        return self.proposal.total if self.proposal.held is None else self.proposal.held

    @property
    def reserved_for(self) -> str:
        """What its money is held for, as events of funds name it."""
        return f"batch {self.batch_id}"


def evolve(batch: Batch | None, event: Event) -> Batch | None:
    """The batch after one more event."""
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
        case BatchCancelled():
            return replace(batch, status=Status.CANCELLED, paid_count=event.count, paid_total=event.total)
    return batch


def propose(batch: Batch | None, *, proposal: BatchProposed) -> list[Event]:
    """Put a payment list up for approval; the same list again records nothing."""
    if batch is None:
        return [proposal]
    known = batch.proposal
    what = ("rows_sha256", "program", "tranche", "kind")
    same = all(getattr(known, name) == getattr(proposal, name) for name in what)
    if not same or batch.status in (Status.REJECTED, Status.CANCELLED):
        raise BatchExistsError(batch_id=proposal.batch_id, status=batch.status)
    return []


def approve(batch: Batch, *, checker: str) -> list[Event]:
    """Agree that exactly the proposed rows are paid; approving twice records nothing."""
    if batch.status in (Status.REJECTED, Status.CANCELLED):
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
    if batch.status in (Status.PROPOSED, Status.REJECTED, Status.CANCELLED):
        remedy = (
            "another officer must approve it first: `salur disburse approve`"
            if batch.status is Status.PROPOSED
            else "it will not be paid; propose a corrected file"
        )
        raise BatchStateError(batch_id=batch.batch_id, status=batch.status, remedy=remedy)


def evolve_refused(lines: frozenset[str] | None, event: Event) -> frozenset[str] | None:
    """The lines of a block that are named as refused, after one more event."""
    return (lines or frozenset()).union(event.lines) if isinstance(event, BatchRowsRefused) else lines


def refuse_rows(
    batch: Batch, *, refused: Mapping[int, Sequence[str]], named: Mapping[str, Collection[str]]
) -> list[Event]:
    """Name lines that are not paid, by their blocks; those in `named` (by stream) were named before."""
    events: list[Event] = []
    for block, lines in refused.items():
        before = named.get(refused_stream(batch.batch_id, block), ())
        if new := tuple(line for line in lines if line not in before):
            events.append(
                BatchRowsRefused(batch_id=batch.batch_id, program=batch.proposal.program, block=block, lines=new)
            )
    return events


def cancel(batch: Batch, *, count: int, total: int, reason: str) -> list[Event]:
    """Call off what of an approved batch is not paid; what is paid stands."""
    if batch.status is Status.CANCELLED:
        return []
    if batch.status is not Status.APPROVED:
        remedy = "reject it" if batch.status is Status.PROPOSED else "nothing of it is left to be called off"
        raise BatchStateError(batch_id=batch.batch_id, status=batch.status, remedy=remedy)
    program = batch.proposal.program
    return [BatchCancelled(batch_id=batch.batch_id, program=program, count=count, total=total, reason=reason)]


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
