"""Paying a tranche: the batches whose lines are payments.

A payment list has a header and a line `recipient_id,amount` each, in order of recipient. The store's uniqueness of `payment/<program>/<tranche>/<recipient>` lets
any number of processes run the same batch at once: each payment is stored by one of them.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader

from ledger.application.attempt import Attempt, Command
from ledger.application.batches import Draft, Kind, Proposed, genuine_list, propose_batch, spool
from ledger.application.chunks import CHUNK_ROWS, Chunk, OnProgress, OnReject, Tally, batched, in_chunks
from ledger.application.given import built
from ledger.application.ledger import Ledger
from ledger.application.people import RecipientIndex
from ledger.application.requests import Request
from ledger.domain import batch as batches
from ledger.domain import program as programs
from ledger.domain.batch import Batch, BatchEmptyError, BatchProposed
from ledger.domain.errors import LedgerError
from ledger.domain.event import Role
from ledger.domain.payment import AlreadyPaidError, PaymentRef, TrancheDisbursed, payment_stream
from ledger.domain.recipient import DuplicateInFileError
from ledger.files.amounts import DecimalMark, parse_amount
from ledger.files.rejects import Reject
from ledger.files.tables import Field, Row
from ledger.store.entries import Series, to_event

FIELDS = (
    Field("recipient", ("recipient", "recipient id", "penerima", "nik", "no nik"), required=True, identifier=True),
    Field("amount", ("amount", "jumlah", "jumlah (rp)", "nominal")),
)
HEADER = b"recipient_id,amount\n"
FIRST_LINE = 2
"""Of a list, after its header."""
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


def _lines_of(spool: sqlite3.Connection) -> Iterator[bytes]:
    """The payment list, in blocks of lines."""
    rows = spool.execute("SELECT recipient_id||','||amount||char(10) FROM payable ORDER BY recipient_id")
    yield HEADER
    while part := rows.fetchmany(CHUNK_ROWS):
        yield "".join(line for (line,) in part).encode()


# Run


def _pay(ledger: Ledger, command: Command, batch: Batch, on_reject: OnReject, on_progress: OnProgress) -> Tally:
    proposal = batch.proposal
    program, tranche, batch_id = proposal.program, proposal.tranche or 0, proposal.batch_id

    def fill(attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
        attempt.officer()
        running = attempt.batch(batch_id)
        batches.require_approved(running)
        refused: dict[int, list[str]] = {}
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
                block = (row.line - FIRST_LINE) // batches.BLOCK_LINES
                refused.setdefault(block, []).append(f"{recipient_id},{amount}")
                continue
            chunk.tally.total += amount
        if refused:
            streams = [batches.refused_stream(batch_id, block) for block in refused]
            named = attempt.load_many(streams, batches.evolve_refused)
            chunk.events = batches.refuse_rows(running, refused=refused, named=named)
        chunk.tally.taken = len(unpaid)
        chunk.tally.repeated = len(rows) - len(unpaid) - len(chunk.rejects)
        if unpaid:
            example = TrancheDisbursed(
                program=program, tranche=tranche, recipient_id=values[0][0], amount=values[0][1], batch_id=batch_id
            )
            chunk.series = [Series(example, ("recipient_id", "amount"), unpaid, values)]

    with genuine_list(ledger, batch) as file:
        return in_chunks(ledger, command, payments_in(file), fill, on_reject=on_reject, on_progress=on_progress)


def payments_in(file: BufferedReader) -> Iterator[Row]:
    """The rows of a payment list, which this program wrote and whose hash has been checked."""
    file.seek(len(HEADER))
    for number, line in enumerate(file, start=FIRST_LINE):
        yield Row(number, (line[:RECIPIENT_ID_LENGTH].decode(), line[RECIPIENT_ID_LENGTH + 1 : -1].decode()))


def _paid_so_far(ledger: Ledger, attempt: Attempt, batch: Batch) -> Tally:
    proposal, done = batch.proposal, Tally()
    attempt.watch(payment_stream(proposal.program, proposal.tranche, ""))
    with genuine_list(ledger, batch) as file:
        for rows in batched(payments_in(file), CHUNK_ROWS):
            streams = [payment_stream(proposal.program, proposal.tranche, row.values[0]) for row in rows]
            for paid in ledger.store.select_first(streams).values():
                event = to_event(paid)
                if isinstance(event, TrancheDisbursed) and event.batch_id == batch.batch_id:
                    done.repeated += 1
                    done.total += event.amount
    return done


PAYMENTS = Kind(run=_pay, so_far=_paid_so_far)


def _already_paid(before: TrancheDisbursed) -> AlreadyPaidError:
    ref = PaymentRef(before.program, before.tranche, before.recipient_id)
    return AlreadyPaidError(payment_id=ref.payment_id, batch_id=before.batch_id)
