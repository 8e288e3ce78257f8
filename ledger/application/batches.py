"""Batches: a maker puts a list up for approval, other officers agree to it, and exactly what was approved is recorded.

The list of a batch is kept in the ledger's folder, without personal data. Its SHA-256 is in the signed `BatchProposed`
event, so the list may lie anywhere and is worth nothing once it has changed. What a line stands for is known to the
batch's `Kind`.
"""

import hashlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import Any

from ledger.application import agreements
from ledger.application.agreements import Act, Entries, act_of, proposing, record, require_adopted, rules_bind
from ledger.application.attempt import Attempt, Command
from ledger.application.chunks import OnProgress, OnReject, Tally
from ledger.application.given import require_texts
from ledger.application.ledger import Ledger
from ledger.application.requests import Request
from ledger.domain import batch as batches
from ledger.domain import program as programs
from ledger.domain.agreement import ActKind
from ledger.domain.batch import (
    Batch,
    BatchApproved,
    BatchListChangedError,
    BatchListMissingError,
    BatchProposed,
    BatchStateError,
    ListKind,
    batch_stream,
    list_name,
)
from ledger.domain.errors import IntegrityBrokenError, Said
from ledger.domain.event import Event, Role
from ledger.domain.program import FundsReserved, ProgramAmended, program_stream
from ledger.store.durable import sha256_of, sync
from ledger.store.entries import Entry, to_entry, to_event
from ledger.store.recorder import EventLog, LedgerRecorder
from ledger.store.sqlite import refusal_of

DRAFT_SECONDS_MAX = 24 * 60 * 60
PAGE_EVENTS = 10_000


@dataclass(frozen=True)
class Kind:
    """What batches of one kind record for each line of their lists."""

    run: Callable[[Ledger, Command, Batch, OnReject, OnProgress], Tally]
    """Records every line that is not recorded yet."""
    so_far: Callable[[Ledger, Attempt, Batch], Tally]
    """What is recorded of a batch; the decision fails if more is stored meanwhile."""


def _kind_of(batch: Batch) -> Kind:
    from ledger.application import aftercare, disbursement, grants  # they stand on this file

    kinds = {
        None: disbursement.PAYMENTS,
        ListKind.GRANTS: grants.GRANTS.batches,
        ListKind.REISSUES: aftercare.REISSUES.batches,
        ListKind.REFUNDS: aftercare.REFUNDS.batches,
    }
    return kinds[batch.proposal.kind]


@dataclass(frozen=True)
class Proposed:
    """What became of a proposal."""

    proposal: BatchProposed
    tally: Tally
    is_new: bool


# Propose


def propose_batch(ledger: Ledger, command: Command, proposal: BatchProposed, draft: "Draft", request: Request) -> bool:
    """Put a batch up for approval and keep its list; whether that is new."""
    try:
        entries = ledger.carry_out(
            command, lambda attempt: _decide_proposal(ledger, attempt, proposal), request=request
        )
        path = list_path(ledger, proposal.batch_id, proposal.kind)
        draft.keep(path)
        if not command.dry_run:
            ledger.store.keep_list(draft.sha256, path)
    finally:
        draft.drop()
    return bool(entries)


def _decide_proposal(ledger: Ledger, attempt: Attempt, proposal: BatchProposed) -> list[Event]:
    attempt.officer(Role.MAKER)
    if Batch(proposal).held:
        programs.require_open(attempt.program(proposal.program))
    known = attempt.load(batch_stream(proposal.batch_id), batches.evolve)
    events = batches.propose(known, proposal=proposal)
    batch = known or Batch(proposal)
    if batch.status is batches.Status.PROPOSED and rules_bind(attempt):
        # Who acts is no part of an act: the approval will bear whoever has the last word.
        approved = BatchApproved(batch_id=batch.batch_id, program=proposal.program, checker=proposal.maker)
        act: list[Event] = [approved]
        if batch.held:
            act.append(FundsReserved(program=proposal.program, amount=batch.held, reserved_for=batch.reserved_for))
        events += proposing(attempt, _approval_of(ledger, batch), act)
    return events


@contextmanager
def spool(table: str) -> Iterator[sqlite3.Connection]:
    """A table for rows of a list: in memory, on the temporary disk when it grows, and gone when it is closed."""
    try:
        with closing(sqlite3.connect("", isolation_level=None)) as rows:
            rows.execute(table)
            rows.execute("BEGIN")
            yield rows
    except sqlite3.OperationalError as error:
        raise refusal_of(error) from error


def _remove_old_drafts(folder: Path) -> None:
    """Remove what a killed proposal left a day ago or earlier; a younger draft may be somebody's who is at work."""
    for path in folder.glob(".*.new"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > DRAFT_SECONDS_MAX:
                path.unlink()


class Draft:
    """A list that is written under another name, and takes its own once its batch is proposed."""

    def __init__(self, blocks: Iterable[bytes], folder: Path | None) -> None:
        """Write and hash the list; without a folder it is only hashed."""
        digest = hashlib.sha256()
        self._path: Path | None = None
        if folder is None:
            for block in blocks:
                digest.update(block)
        else:
            _remove_old_drafts(folder)
            with tempfile.NamedTemporaryFile("wb", dir=folder, prefix=".", suffix=".new", delete=False) as file:
                self._path = Path(file.name)
                try:
                    for block in blocks:
                        digest.update(block)
                        file.write(block)
                    file.flush()
                    os.fsync(file.fileno())
                except BaseException:
                    self.drop()
                    raise
        self.sha256 = digest.hexdigest()

    def keep(self, path: Path) -> None:
        """Let it be the list of its batch."""
        if self._path is not None:
            self._path.replace(path)
            sync(path.parent)

    def drop(self) -> None:
        """Remove it where it was not kept."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def list_path(ledger: Ledger, batch_id: str, kind: ListKind | None = None) -> Path:
    """Where the list of a batch lies."""
    return ledger.batches_folder / list_name(batch_id, kind)


# Approve and reject


def approve(ledger: Ledger, command: Command, *, batch_id: str) -> Entries:
    """Agree to a proposed batch and hold its money, in one transaction; its list must be here, and be the one proposed.

    Once the rules of the ledger bind, it is one of as many words as the policy asks for.
    """
    batch = ledger.view().batch(batch_id)
    if rules_bind(ledger.view()) and batch.status is batches.Status.PROPOSED:
        if _is_waiting(ledger, batch_id):
            return agreements.approve(ledger, command, subject=_subject(batch_id))
        remedy = "no agreement waits for it; let its maker propose the same file again"
        raise BatchStateError(batch_id=batch_id, status=batch.status, remedy=remedy)

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer(Role.CHECKER)
        require_adopted(attempt)
        return _approved(ledger, attempt, batch_id)

    return Entries(ledger.carry_out(command, decide, request=Request("disburse approve", {"batch": batch_id})))


def _approved(ledger: Ledger, attempt: Attempt, batch_id: str) -> list[Event]:
    batch = attempt.batch(batch_id)
    events = batches.approve(batch, checker=attempt.command.by or "")
    if events:
        with genuine_list(ledger, batch):  # nobody agrees to what cannot be seen
            program = attempt.program(batch.proposal.program)
            _require_same_terms(ledger, batch)
            if batch.held:
                events += programs.reserve(program, amount=batch.held, reserved_for=batch.reserved_for)
    return events


def _require_same_terms(ledger: Ledger, batch: Batch) -> None:
    """Refuse a list that was made under other terms of its program."""
    amended = [
        each for each in ledger.load(program_stream(batch.proposal.program)) if isinstance(each.event, ProgramAmended)
    ]
    if amended and batch.proposal.kind in (None, ListKind.GRANTS):
        proposed_at = ledger.store.position(batch_stream(batch.batch_id), 1)
        if ledger.store.position(amended[-1].originator_id, amended[-1].originator_version) > proposed_at:
            remedy = "the terms of its program have changed since; reject it, and propose it again under another id"
            raise BatchStateError(batch_id=batch.batch_id, status=batch.status, remedy=remedy)


def _subject(batch_id: str) -> str:
    return f"batch/{batch_id}"


def _is_waiting(ledger: Ledger, batch_id: str) -> bool:
    """Whether the approval of a batch, and not another act about it, waits for words."""
    waiting = [each.proposed for each in agreements.waiting(ledger) if each.proposed.subject == _subject(batch_id)]
    return any(each.command == _APPROVE for each in waiting)


_APPROVE = "disburse approve"


@act_of(_APPROVE)
def _approval(ledger: Ledger, inputs: dict[str, Any]) -> Act:
    return _approval_of(ledger, ledger.view().batch(inputs["batch"]))


def _approval_of(ledger: Ledger, batch: Batch) -> Act:
    batch_id = batch.batch_id

    def if_rejected(attempt: Attempt, reason: str) -> list[Event]:
        return batches.reject(attempt.batch(batch_id), checker=attempt.command.by or "", reason=reason)

    return Act(
        ActKind.BATCHES,
        _subject(batch_id),
        Request(_APPROVE, {"batch": batch_id}),
        lambda attempt: _approved(ledger, attempt, batch_id),
        amount=batch.proposal.total,
        alongside=lambda attempt: _approved_that_day(attempt, batch),
        if_rejected=if_rejected,
    )


def _approved_that_day(attempt: Attempt, batch: Batch) -> int:
    """The totals of the program's other batches that are approved on the day (UTC) of this attempt."""
    attempt.watch("batch/")
    day, total, store = attempt.meta.recorded_at.date(), 0, attempt.ledger.store
    for stream, stored in store.select_streams(store.streams("batch/")).items():
        proposal = to_entry(stored[0]).event
        if stream == batch_stream(batch.batch_id) or not isinstance(proposal, BatchProposed):
            continue
        days = [to_entry(each).meta.recorded_at.date() for each in stored[1:] if each.topic == BatchApproved.TOPIC]
        total += proposal.total if proposal.program == batch.proposal.program and day in days else 0
    return total


def reject(ledger: Ledger, command: Command, *, batch_id: str, reason: str) -> list[Entry]:
    """Refuse a proposed batch: any checker, or the maker who withdraws it."""
    require_texts(reason=reason)
    if _is_waiting(ledger, batch_id):
        return agreements.reject(ledger, command, subject=_subject(batch_id), reason=reason)

    def decide(attempt: Attempt) -> list[Event]:
        batch = attempt.batch(batch_id)
        attempt.officer(None if command.by == batch.proposal.maker else Role.CHECKER)
        return batches.reject(batch, checker=command.by or "", reason=reason)

    return ledger.carry_out(command, decide, request=Request("disburse reject", {"batch": batch_id, "reason": reason}))


# Run


def run(
    ledger: Ledger,
    command: Command,
    *,
    batch_id: str,
    on_reject: OnReject,
    on_progress: OnProgress = lambda _: None,
) -> Tally:
    """Record every line of an approved batch that is not recorded yet; run again, it goes on where it stopped."""
    attempt = Attempt(ledger, command)
    attempt.officer()
    batch = attempt.batch(batch_id)
    batches.require_approved(batch)
    request = Request("disburse run", {"batch": batch_id})
    if ledger.was_carried_out(command, request) or batch.status is batches.Status.EXECUTED:
        return Tally(repeated=batch.paid_count, total=batch.paid_total)
    tally = _kind_of(batch).run(ledger, command, batch, on_reject, on_progress)
    _finish(ledger, command, batch_id, tally, request)
    return tally


def _finish(ledger: Ledger, command: Command, batch_id: str, tally: Tally, request: Request) -> None:
    """Record the run, and book the money held for the batch as spent or free again."""

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer()
        batch = attempt.batch(batch_id)
        events = batches.execute(
            batch, count=tally.taken + tally.repeated, total=tally.total, refused=tally.refused_rows
        )
        if events:
            events += _spent(attempt, batch, tally)
        return events

    ledger.carry_out(command, decide, request=request)


def _spent(attempt: Attempt, batch: Batch, done: Tally) -> list[Event]:
    """The money held for a batch: spent for what is done, free again for what is not."""
    amount = done.total if batch.proposal.held is None else done.of_held
    program = attempt.program(batch.proposal.program)
    return programs.spend(program, amount=amount, held=batch.held, reserved_for=batch.reserved_for)


# Call off


def cancel(ledger: Ledger, command: Command, *, batch_id: str, reason: str) -> Entries:
    """Call off what of an approved batch is not paid, and free its money."""
    require_texts(reason=reason)
    return record(ledger, command, _cancelling(ledger, {"batch": batch_id, "reason": reason}))


@act_of("disburse cancel")
def _cancelling(ledger: Ledger, inputs: dict[str, Any]) -> Act:
    batch_id = inputs["batch"]

    def decide(attempt: Attempt) -> list[Event]:
        batch = attempt.batch(batch_id)
        done = _kind_of(batch).so_far(ledger, attempt, batch) if batch.status is batches.Status.APPROVED else Tally()
        events = batches.cancel(batch, count=done.repeated, total=done.total, reason=inputs["reason"])
        if events:
            events += _spent(attempt, batch, done)
        return events

    known = ledger.view().load(batch_stream(batch_id), batches.evolve)
    amount = known.proposal.total if known else 0
    return Act(ActKind.BATCHES, _subject(batch_id), Request("disburse cancel", inputs), decide, amount=amount)


# Lists of a team


def proposals(events: EventLog) -> Iterator[BatchProposed]:
    """Every batch that was proposed, in order of the log."""
    start = 1
    while page := events.page(start, PAGE_EVENTS, topics=(BatchProposed.TOPIC,)):
        for stored in page:
            start = stored.id + 1
            if isinstance(event := to_event(stored), BatchProposed):
                yield event


def share_list(store: LedgerRecorder, proposal: BatchProposed, folder: Path) -> None:
    """Let everybody who works with the ledger have a list that lies in a folder, if it is the one proposed."""
    path = folder / proposal.list_name
    if sha256_of(path) == proposal.rows_sha256:
        store.keep_list(proposal.rows_sha256, path)


def fetch_list(store: LedgerRecorder, proposal: BatchProposed, folder: Path) -> None:
    """Bring a list that others of the team have into a folder, if it is the one proposed."""
    parts = store.fetch_list(proposal.rows_sha256)
    if (first := next(parts, None)) is None:
        return
    draft = Draft(chain([first], parts), folder)
    try:
        if draft.sha256 == proposal.rows_sha256:
            draft.keep(folder / proposal.list_name)
    finally:
        draft.drop()


def fetch_lists(ledger: Ledger) -> None:
    """Bring all lists into the ledger's folder that others of the team have, and it has not."""
    for proposal in proposals(ledger.store):
        if not (ledger.batches_folder / proposal.list_name).exists():
            fetch_list(ledger.store, proposal, ledger.batches_folder)


@contextmanager
def genuine_list(ledger: Ledger, batch: Batch) -> Iterator[BufferedReader]:
    """The payment list of a batch, opened; refuses one that is missing or is not the one proposed.

    Raises `IntegrityBrokenError` where it changes while it is open.
    """
    path = list_path(ledger, batch.batch_id, batch.proposal.kind)
    if not path.exists():
        fetch_list(ledger.store, batch.proposal, ledger.batches_folder)
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise BatchListMissingError(path=str(path)) from None
    with file:
        if hashlib.file_digest(file, "sha256").hexdigest() != batch.proposal.rows_sha256:
            raise BatchListChangedError(batch_id=batch.batch_id, what=Said("its SHA-256"))
        yield file
        file.seek(0)
        if hashlib.file_digest(file, "sha256").hexdigest() != batch.proposal.rows_sha256:
            raise IntegrityBrokenError(f"the payment list of {batch.batch_id} changed while it was being read")
