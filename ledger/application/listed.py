"""Batches whose lists have a line each with the event that is recorded for it, decided anew when the batch is run.

The list is made by a rehearsal: what the rows of a file would record now is written down and not recorded. Officers agree
to exactly these lines. Running it decides each line over what the ledger holds then; one that can no longer be recorded
is refused.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from ledger.application.attempt import Attempt, Command
from ledger.application.batches import Draft, Kind, Proposed, genuine_list, propose_batch, spool
from ledger.application.chunks import CHUNK_ROWS, Chunk, Fill, OnProgress, OnReject, Tally, batched, in_chunks
from ledger.application.given import built
from ledger.application.ledger import Ledger
from ledger.application.requests import Request
from ledger.domain import batch as batches
from ledger.domain.batch import Batch, BatchEmptyError, BatchProposed, ListKind, batch_stream, line_of
from ledger.domain.errors import LedgerError
from ledger.domain.event import Event
from ledger.domain.group import GroupFunded
from ledger.domain.payment import TrancheRefunded, TrancheReissued
from ledger.domain.recipient import DuplicateInFileError
from ledger.domain.registry import EVENT_CLASSES
from ledger.files.rejects import Reject
from ledger.files.tables import Row
from ledger.store.entries import to_event
from ledger.transparency.merkle import leaf_hash, root_of

ROWS_DIGITS = 8
"""So many digits of the list's hash stand in an id that the program chooses."""
_LINES = (
    "CREATE TABLE lines (stream TEXT PRIMARY KEY, line BLOB, amount INTEGER, held INTEGER, asked BLOB) WITHOUT ROWID"
)
_ADD = "INSERT OR IGNORE INTO lines VALUES (?,?,?,?,?)"

Line = GroupFunded | TrancheReissued | TrancheRefunded
"""What a line of a list records; the events around it follow from it."""
L = TypeVar("L", GroupFunded, TrancheReissued, TrancheRefunded)


@dataclass(frozen=True)
class Listing(Generic[L]):
    """What stands on the lists of one kind of batch, and how its lines are recorded."""

    kind: ListKind
    event: type[L]
    again: Callable[[Attempt, Sequence[L]], Callable[[L], list[Event]]]
    """From a chunk's lines, how each is decided anew: its event and what follows from it, nothing where it is recorded."""
    name: tuple[str, Callable[[L], str]]
    """The field of a row that names what a line is about, and its value."""
    all_done: Callable[[int], LedgerError]
    """How a file is refused all of whose rows are recorded already, so many."""
    as_asked: Callable[[L], L] = lambda line: line
    """A line without what follows from the day of the command."""
    held: Callable[[L], int] = lambda line: line.amount
    """The money that is held for a line, in minor units."""

    @property
    def batches(self) -> Kind:
        """The batches with such lists."""
        return Kind(run=partial(_run, self), so_far=partial(_so_far, self))


@dataclass(frozen=True)
class Asked:
    """A list as its command asks for it."""

    command: str
    program: str
    file_sha256: str
    """Of the file that the rows come from."""
    batch_id: str | None
    """None for an id made of the program and the list's hash."""
    inputs: Mapping[str, object]
    """What else its reference stands for."""


def _event_in(line: str) -> Line:
    said = json.loads(line)
    event = EVENT_CLASSES[said.pop("topic")].model_validate_json(json.dumps(said))
    assert isinstance(event, Line)  # noqa: S101  # this program wrote the line, and its hash was checked
    return event


def propose(
    ledger: Ledger,
    command: Command,
    rows: Iterable[Row | Reject],
    *,
    listing: Listing[L],
    asked: Asked,
    fill: Fill,
    chunks: Callable[[Iterable[Row | Reject]], Iterator[list[Row | Reject]]] | None = None,
    on_reject: OnReject,
    on_progress: OnProgress = lambda _: None,
) -> Proposed:
    """Put up for approval what the rows of a file would record."""
    field, name_of = listing.name
    with spool(_LINES) as lines:

        def rehearse(attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
            fill(attempt, rows, chunk)
            for event in chunk.events:
                if isinstance(event, listing.event):
                    asked_line = line_of(listing.as_asked(event))
                    values = (event.stream, line_of(event), event.amount, listing.held(event), asked_line)
                    if not lines.execute(_ADD, values).rowcount:
                        name = name_of(event)
                        row = next(each for each in rows if f"{each.values[0]}/".startswith(f"{name}/"))
                        chunk.refuse(row, DuplicateInFileError(first="an earlier row"), field=field, text=name)

        rehearsal = replace(command, dry_run=True)
        tally = in_chunks(
            ledger, rehearsal, rows, rehearse, on_reject=on_reject, on_progress=on_progress, chunks=chunks
        )
        sums = "SELECT COUNT(*), COALESCE(SUM(amount), 0), COALESCE(SUM(held), 0) FROM lines"
        [(tally.taken, tally.total, tally.of_held)] = lines.execute(sums).fetchall()
        if not tally.taken and tally.repeated:
            raise listing.all_done(tally.repeated)
        if not tally.taken:
            raise BatchEmptyError(refused=sum(tally.refused.values()))
        ordered = "SELECT line FROM lines ORDER BY stream"
        root = root_of(leaf_hash(line.rstrip(b"\n")) for (line,) in lines.execute(ordered))
        as_asked = Draft((line for (line,) in lines.execute("SELECT asked FROM lines ORDER BY stream")), None).sha256
        draft = Draft((line for (line,) in lines.execute(ordered)), None if command.dry_run else ledger.batches_folder)
    proposal = built(
        BatchProposed,
        batch_id=asked.batch_id or f"{listing.kind}-{asked.program}-{as_asked[:ROWS_DIGITS]}",
        program=asked.program,
        kind=listing.kind,
        maker=command.by,
        file_sha256=asked.file_sha256,
        rows_sha256=draft.sha256,
        rows_root=root.hex(),
        count=tally.taken,
        total=tally.total,
        held=None if tally.of_held == tally.total else tally.of_held,
        refused=tally.refused_rows,
    )
    files = {"file_sha256": asked.file_sha256, "rows_sha256": as_asked}
    request = Request(asked.command, {**asked.inputs, "program": asked.program, "batch": asked.batch_id, **files})
    return Proposed(proposal, tally, is_new=propose_batch(ledger, command, proposal, draft, request))


def _run(
    listing: Listing[L], ledger: Ledger, command: Command, batch: Batch, on_reject: OnReject, on_progress: OnProgress
) -> Tally:
    """Record every line of an approved batch that is not recorded yet; its money is held already."""
    agreement = next(
        (each.meta.agreement for each in ledger.load(batch_stream(batch.batch_id)) if each.meta.agreement), None
    )
    field, name_of = listing.name

    def fill(attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
        said = [event for row in rows if isinstance(event := _event_in(row.values[0]), listing.event)]
        attempt.officer(listing.event.ROLE)
        batches.require_approved(attempt.batch(batch.batch_id))
        decide = listing.again(attempt, said)
        for row, event in zip(rows, said, strict=True):
            own = event.model_copy(update={"batch_id": batch.batch_id})
            try:
                events = decide(own)
            except LedgerError as error:
                chunk.refuse(row, error, field=field, text=name_of(event))
            else:
                chunk.take(events)
                chunk.tally.total += event.amount
                chunk.tally.of_held += listing.held(event)
        if agreement:
            attempt.under(agreement, command.effective_on, chunk.events)

    return in_chunks(ledger, command, _rows(ledger, batch), fill, on_reject=on_reject, on_progress=on_progress)


def _so_far(listing: Listing[L], ledger: Ledger, attempt: Attempt, batch: Batch) -> Tally:
    kind = listing.event.STREAM.kind
    attempt.watch(f"{kind}/{batch.proposal.program}/")
    done = Tally()
    for lines in batched(lines_in(ledger, batch), CHUNK_ROWS):
        for stored in ledger.store.select_streams([line.stream for line in lines]).values():
            for event in map(to_event, stored):
                if isinstance(event, listing.event) and event.batch_id == batch.batch_id:
                    done.repeated += 1
                    done.total += event.amount
                    done.of_held += listing.held(event)
    return done


def _rows(ledger: Ledger, batch: Batch) -> Iterator[Row]:
    with genuine_list(ledger, batch) as file:
        file.seek(0)
        for number, line in enumerate(file, start=1):
            yield Row(number, (line.decode(),))


def lines_in(ledger: Ledger, batch: Batch) -> Iterator[Line]:
    """What the lines of a batch's list record, in order of streams."""
    return (_event_in(row.values[0]) for row in _rows(ledger, batch))
