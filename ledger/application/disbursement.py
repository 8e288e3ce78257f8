"""Paying a tranche: a maker proposes a file, a checker approves it, and exactly what was approved is paid.

The payment list of a batch is kept in the ledger's folder: a header and a line `recipient_id,amount` each, in order of
recipient, without personal data. Its SHA-256 is in the signed-off `BatchProposed` event, so the list may lie anywhere
and is worth nothing once it has changed. The store's uniqueness of `payment/<program>/<tranche>/<recipient>` lets
any number of processes run the same batch at once: each payment is stored by one of them.
"""

import hashlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from ledger.application import agreements
from ledger.application.agreements import Act, Entries, act_of, proposing, record, rules_bind
from ledger.application.attempt import Attempt, Command
from ledger.application.chunks import CHUNK_ROWS, Chunk, OnProgress, OnReject, Tally, batched, in_chunks
from ledger.application.given import built, require_texts
from ledger.application.ledger import Ledger
from ledger.application.people import RecipientIndex
from ledger.application.requests import Request
from ledger.domain import batch as batches
from ledger.domain import group as groups
from ledger.domain import program as programs
from ledger.domain.agreement import ActKind
from ledger.domain.batch import (
    Batch,
    BatchApproved,
    BatchEmptyError,
    BatchListChangedError,
    BatchListMissingError,
    BatchProposed,
    BatchStateError,
    ListKind,
    batch_stream,
    list_name,
)
from ledger.domain.errors import IntegrityBrokenError, LedgerError, Said
from ledger.domain.event import Event, Role
from ledger.domain.group import group_stream
from ledger.domain.payment import AlreadyPaidError, PaymentRef, TrancheDisbursed, payment_stream
from ledger.domain.program import FundsReserved
from ledger.domain.recipient import DuplicateInFileError
from ledger.files.amounts import DecimalMark, parse_amount
from ledger.files.rejects import Reject
from ledger.files.tables import Field, Row
from ledger.store.durable import sync
from ledger.store.entries import Entry, Series, to_event
from ledger.store.sqlite import refusal_of

FIELDS = (
    Field("recipient", ("recipient", "recipient id", "penerima", "nik", "no nik"), required=True, identifier=True),
    Field("amount", ("amount", "jumlah", "jumlah (rp)", "nominal")),
)
HEADER = b"recipient_id,amount\n"
RECIPIENT_ID_LENGTH = len("R000000001")
ROWS_DIGITS = 8
"""So many digits of the payment list's hash stand in an id that the program chooses."""


@dataclass(frozen=True)
class PaymentList:
    """A list of payments as a maker asks for it."""

    program: str
    tranche: int
    file_sha256: str
    """Of the file that the rows come from."""
    batch_id: str | None = None
    """None for an id made of the program, the tranche and the list's hash."""
    decimal_mark: DecimalMark | None = None


@dataclass(frozen=True)
class Proposed:
    """What became of a proposal."""

    proposal: BatchProposed
    tally: Tally
    is_new: bool


# Propose


def propose(
    ledger: Ledger,
    command: Command,
    rows: Iterable[Row | Reject],
    *,
    asked: PaymentList,
    on_reject: OnReject,
    on_progress: OnProgress = lambda _: None,
) -> Proposed:
    """Put the payable rows of a file (as in `FIELDS`) up for approval; an empty amount means the tranche's own.

    The same file proposed again records nothing and restores a lost payment list; once payments of it are made, under
    the batch's own id.
    """
    with spool(_PAYABLE) as payable:
        sorting = _Sorting(ledger, asked, payable)
        tally = in_chunks(ledger, command, rows, sorting.fill, on_reject=on_reject, on_progress=on_progress)
        tally.taken, tally.total = sorting.count, sorting.total
        if not tally.taken:
            raise BatchEmptyError(refused=sum(tally.refused.values()))
        draft = Draft(_lines_of(payable), None if command.dry_run else ledger.batches_folder)
    program, tranche, file_sha256, rows_sha256 = asked.program, asked.tranche, asked.file_sha256, draft.sha256
    chosen_id = asked.batch_id or f"{program}-{tranche}-{rows_sha256[:ROWS_DIGITS]}"
    proposal = built(
        BatchProposed,
        batch_id=chosen_id,
        program=program,
        tranche=tranche,
        maker=command.by,
        file_sha256=file_sha256,
        rows_sha256=rows_sha256,
        count=tally.taken,
        total=tally.total,
        refused=tally.refused_rows,
    )
    files = {"file_sha256": file_sha256, "rows_sha256": rows_sha256}
    request = Request("disburse propose", {"program": program, "tranche": tranche, "batch": asked.batch_id, **files})
    return Proposed(proposal, tally, is_new=propose_batch(ledger, command, proposal, draft, request))


def propose_batch(ledger: Ledger, command: Command, proposal: BatchProposed, draft: "Draft", request: Request) -> bool:
    """Put a batch up for approval and keep its list; whether that is new."""
    try:
        entries = ledger.carry_out(
            command, lambda attempt: _decide_proposal(ledger, attempt, proposal), request=request
        )
        draft.keep(list_path(ledger, proposal.batch_id, proposal.kind))
    finally:
        draft.drop()
    return bool(entries)


def _decide_proposal(ledger: Ledger, attempt: Attempt, proposal: BatchProposed) -> list[Event]:
    attempt.officer(Role.MAKER)
    programs.require_open(attempt.program(proposal.program))
    known = attempt.load(batch_stream(proposal.batch_id), batches.evolve)
    events = batches.propose(known, proposal=proposal)
    batch = known or Batch(proposal)
    if batch.status is batches.Status.PROPOSED and rules_bind(attempt):
        # Who acts is no part of an act: the approval will bear whoever has the last word.
        approved = BatchApproved(batch_id=batch.batch_id, program=proposal.program, checker=proposal.maker)
        held = FundsReserved(program=proposal.program, amount=batch.proposal.total, reserved_for=batch.reserved_for)
        events += proposing(attempt, _approval_of(ledger, batch), [approved, held])
    return events


@dataclass
class _Sorting:
    """A payment list in the making: payable rows go into the spool, the others are refused."""

    ledger: Ledger
    asked: PaymentList
    spool: sqlite3.Connection
    count: int = 0
    total: int = 0
    """Of the rows in the spool, in minor units."""

    def fill(self, attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
        """Sort the rows of one chunk."""
        attempt.officer(Role.MAKER)
        terms = attempt.program(self.asked.program)
        programs.require_open(terms)
        due = programs.tranche_amount(terms, self.asked.tranche)
        people = RecipientIndex(self.ledger, attempt, (row.values[0] for row in rows))
        payable: list[tuple[Row, str, int]] = []
        for row in rows:
            name, amount_text = row.values
            field, text = "recipient", name
            try:
                person = people[name]
                programs.require_eligible(terms, person.category)
                field, text = "amount", amount_text
                amount = (
                    parse_amount(amount_text, self.ledger.currency, self.asked.decimal_mark) if amount_text else due
                )
                programs.require_within(terms, amount=amount, ceiling=due)
            except LedgerError as error:
                chunk.refuse(row, error, field=field, text=text)
            else:
                payable.append((row, person.recipient_id, amount))
        self._spool(attempt, payable, chunk)

    def _spool(self, attempt: Attempt, payable: list[tuple[Row, str, int]], chunk: Chunk) -> None:
        paid = attempt.first(
            payment_stream(self.asked.program, self.asked.tranche, recipient_id) for _, recipient_id, _ in payable
        )
        for row, recipient_id, amount in payable:
            before = paid.get(payment_stream(self.asked.program, self.asked.tranche, recipient_id)) if paid else None
            # What this very batch has paid belongs to its list: the same file gives the same list again.
            if isinstance(before, TrancheDisbursed) and before.batch_id != self.asked.batch_id:
                chunk.refuse(row, _already_paid(before), field="recipient", text=row.values[0])
            elif self.spool.execute(_INTO_SPOOL, (recipient_id, amount, row.line)).rowcount:
                self.count += 1
                self.total += amount
            else:
                known = self.spool.execute("SELECT line FROM payable WHERE recipient_id=?", (recipient_id,))
                duplicate = DuplicateInFileError(first=f"line {known.fetchone()[0]}")
                chunk.refuse(row, duplicate, field="recipient", text=row.values[0])


_INTO_SPOOL = "INSERT OR IGNORE INTO payable VALUES (?,?,?)"


_PAYABLE = "CREATE TABLE payable (recipient_id TEXT PRIMARY KEY, amount INTEGER, line INTEGER) WITHOUT ROWID"


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


def _lines_of(spool: sqlite3.Connection) -> Iterator[bytes]:
    """The payment list, in blocks of lines."""
    rows = spool.execute("SELECT recipient_id||','||amount||char(10) FROM payable ORDER BY recipient_id")
    yield HEADER
    while part := rows.fetchmany(CHUNK_ROWS):
        yield "".join(line for (line,) in part).encode()


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
        return _approved(ledger, attempt, batch_id)

    return Entries(ledger.carry_out(command, decide, request=Request("disburse approve", {"batch": batch_id})))


def _approved(ledger: Ledger, attempt: Attempt, batch_id: str) -> list[Event]:
    batch = attempt.batch(batch_id)
    events = batches.approve(batch, checker=attempt.command.by or "")
    if events:
        with genuine_list(ledger, batch):  # nobody agrees to what cannot be seen
            program, amount = attempt.program(batch.proposal.program), batch.proposal.total
            events += programs.reserve(program, amount=amount, reserved_for=batch.reserved_for)
    return events


def _subject(batch_id: str) -> str:
    return f"batch/{batch_id}"


def _is_waiting(ledger: Ledger, batch_id: str) -> bool:
    """Whether the approval of a batch, and not another act about it, waits for words."""
    waiting = [each.proposed for each in agreements.waiting(ledger) if each.proposed.subject == _subject(batch_id)]
    return any(json.loads(each.request)["command"] == _APPROVE for each in waiting)


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
        if_rejected=if_rejected,
    )


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
    """Pay every row of an approved batch that is not paid yet; run again, it goes on where it stopped."""
    attempt = Attempt(ledger, command)
    attempt.officer()
    batch = attempt.batch(batch_id)
    batches.require_approved(batch)
    request = Request("disburse run", {"batch": batch_id})
    if ledger.was_carried_out(command, request) or batch.status is batches.Status.EXECUTED:
        return Tally(repeated=batch.paid_count, total=batch.paid_total)
    if batch.proposal.kind is None:
        with genuine_list(ledger, batch) as file:
            tally = _pay(ledger, command, file, batch.proposal, on_reject=on_reject, on_progress=on_progress)
    else:
        from ledger.application import grants

        tally = grants.run(ledger, command, batch, on_reject=on_reject, on_progress=on_progress)
    _finish(ledger, command, batch_id, tally, request)
    return tally


def _pay(
    ledger: Ledger,
    command: Command,
    file: BufferedReader,
    proposal: BatchProposed,
    *,
    on_reject: OnReject,
    on_progress: OnProgress,
) -> Tally:
    program, tranche, batch_id = proposal.program, proposal.tranche or 0, proposal.batch_id

    def fill(attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
        attempt.officer()
        batches.require_approved(attempt.batch(batch_id))
        streams = [payment_stream(program, tranche, row.values[0]) for row in rows]
        paid = attempt.first(streams)
        unpaid, values = [], []
        for row, stream in zip(rows, streams, strict=True):
            recipient_id, amount = row.values[0], int(row.values[1])
            before = paid.get(stream)
            if before is None:
                unpaid.append(stream)
                values.append((recipient_id, amount))
            elif isinstance(before, TrancheDisbursed) and before.batch_id != batch_id:
                chunk.refuse(row, _already_paid(before), field="recipient", text=recipient_id)
                continue
            chunk.tally.total += amount
        chunk.tally.taken = len(unpaid)
        chunk.tally.repeated = len(rows) - len(unpaid) - len(chunk.rejects)
        if unpaid:
            example = TrancheDisbursed(
                program=program, tranche=tranche, recipient_id=values[0][0], amount=values[0][1], batch_id=batch_id
            )
            chunk.series = [Series(example, ("recipient_id", "amount"), unpaid, values)]

    return in_chunks(ledger, command, payments_in(file), fill, on_reject=on_reject, on_progress=on_progress)


def payments_in(file: BufferedReader) -> Iterator[Row]:
    """The rows of a payment list, which this program wrote and whose hash has been checked."""
    file.seek(len(HEADER))
    for number, line in enumerate(file, start=2):
        yield Row(number, (line[:RECIPIENT_ID_LENGTH].decode(), line[RECIPIENT_ID_LENGTH + 1 : -1].decode()))


def _finish(ledger: Ledger, command: Command, batch_id: str, tally: Tally, request: Request) -> None:
    """Record the run, and book the money held for the batch as spent or free again."""

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer()
        batch = attempt.batch(batch_id)
        events = batches.execute(
            batch, count=tally.taken + tally.repeated, total=tally.total, refused=tally.refused_rows
        )
        if events:
            program = attempt.program(batch.proposal.program)
            held = batch.proposal.total
            events += programs.spend(program, amount=tally.total, held=held, reserved_for=batch.reserved_for)
        return events

    ledger.carry_out(command, decide, request=request)


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
        count, total = _paid_so_far(ledger, attempt, batch) if batch.status is batches.Status.APPROVED else (0, 0)
        events = batches.cancel(batch, count=count, total=total, reason=inputs["reason"])
        if events:
            program, held = attempt.program(batch.proposal.program), batch.proposal.total
            events += programs.spend(program, amount=total, held=held, reserved_for=batch.reserved_for)
        return events

    known = ledger.view().load(batch_stream(batch_id), batches.evolve)
    amount = known.proposal.total if known else 0
    return Act(ActKind.BATCHES, _subject(batch_id), Request("disburse cancel", inputs), decide, amount=amount)


def _paid_so_far(ledger: Ledger, attempt: Attempt, batch: Batch) -> tuple[int, int]:
    """Count and total of the batch's payments; the decision fails if another one is stored meanwhile."""
    proposal = batch.proposal
    if proposal.kind is not None:
        return _granted_so_far(ledger, attempt, batch)
    attempt.watch(payment_stream(proposal.program, proposal.tranche, ""))
    count = total = 0
    with genuine_list(ledger, batch) as file:
        for rows in batched(payments_in(file), CHUNK_ROWS):
            streams = [payment_stream(proposal.program, proposal.tranche, row.values[0]) for row in rows]
            for paid in ledger.store.select_first(streams).values():
                event = to_event(paid)
                if isinstance(event, TrancheDisbursed) and event.batch_id == batch.batch_id:
                    count += 1
                    total += event.amount
    return count, total


def _granted_so_far(ledger: Ledger, attempt: Attempt, batch: Batch) -> tuple[int, int]:
    """Count and total of the grants that were made of a batch."""
    granted = attempt.load_range(group_stream(batch.proposal.program, ""), groups.evolve).values()
    amounts = [each.grant.amount for each in granted if each.grant.batch_id == batch.batch_id]
    with genuine_list(ledger, batch):  # nothing is called off whose list is not here
        return len(amounts), sum(amounts)


@contextmanager
def genuine_list(ledger: Ledger, batch: Batch) -> Iterator[BufferedReader]:
    """The payment list of a batch, opened; refuses one that is missing or is not the one proposed.

    Raises `IntegrityBrokenError` where it changes while it is open.
    """
    path = list_path(ledger, batch.batch_id, batch.proposal.kind)
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


def _already_paid(before: TrancheDisbursed) -> AlreadyPaidError:
    ref = PaymentRef(before.program, before.tranche, before.recipient_id)
    return AlreadyPaidError(payment_id=ref.payment_id, batch_id=before.batch_id)
