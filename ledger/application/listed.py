"""Batches of grants: a line each with the event that is recorded for it, decided anew when the batch is run.

The list is made by a rehearsal: what the rows of a file would record now is written down and not recorded. Officers agree
to exactly these lines. Running it decides each line over what the ledger holds then; one that can no longer be recorded
is refused.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ledger.application.attempt import Attempt, Command
from ledger.application.chunks import Chunk, Fill, OnProgress, OnReject, Tally, in_chunks
from ledger.application.disbursement import Draft, Proposed, genuine_list, propose_batch, spool
from ledger.application.given import built
from ledger.application.ledger import Ledger
from ledger.application.requests import Request
from ledger.domain import batch as batches
from ledger.domain.batch import Batch, BatchEmptyError, BatchProposed, ListKind, batch_stream
from ledger.domain.errors import LedgerError
from ledger.domain.event import Event
from ledger.domain.group import GrantsMadeError, GroupFunded
from ledger.domain.recipient import DuplicateInFileError
from ledger.domain.registry import EVENT_CLASSES
from ledger.files.rejects import Reject
from ledger.files.tables import Row
from ledger.transparency.merkle import leaf_hash, root_of

ROWS_DIGITS = 8
"""So many digits of the list's hash stand in an id that the program chooses."""
_LINES = "CREATE TABLE lines (stream TEXT PRIMARY KEY, line BLOB, amount INTEGER, asked BLOB) WITHOUT ROWID"
Again = Callable[[Attempt, Sequence[GroupFunded]], Callable[[GroupFunded], list[Event]]]
"""From a chunk's lines, how each is decided anew: its event and what follows from it, nothing where it is recorded."""


def line_of(event: Event) -> bytes:
    """The line of an event in a list."""
    said = {"topic": event.TOPIC, **event.model_dump(mode="json", exclude_none=True, exclude={"batch_id"})}
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _as_asked(event: GroupFunded) -> GroupFunded:
    """The grant as its papers ask for it: the day its report is due follows from the day of the command."""
    return event.model_copy(update={"report_due_on": event.decree_on})


def _event_in(line: str) -> GroupFunded:
    said = json.loads(line)
    event = EVENT_CLASSES[said.pop("topic")].model_validate_json(json.dumps(said))
    assert isinstance(event, GroupFunded)  # noqa: S101  # this program wrote the line, and its hash was checked
    return event


def propose(
    ledger: Ledger,
    command: Command,
    rows: Iterable[Row | Reject],
    *,
    fill: Fill,
    program: str,
    file_sha256: str,
    batch_id: str | None,
    inputs: Mapping[str, object],
    chunks: Callable[[Iterable[Row | Reject]], Iterator[list[Row | Reject]]],
    on_reject: OnReject,
    on_progress: OnProgress = lambda _: None,
) -> Proposed:
    """Put up for approval what the rows of a file would record; `inputs` are what else its reference stands for."""
    with spool(_LINES) as lines:

        def rehearse(attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
            fill(attempt, rows, chunk)
            for event in chunk.events:
                if isinstance(event, GroupFunded):
                    values = (event.stream, line_of(event), event.amount, line_of(_as_asked(event)))
                    if not lines.execute("INSERT OR IGNORE INTO lines VALUES (?,?,?,?)", values).rowcount:
                        row = next(each for each in rows if each.values[0] == event.group_id)
                        duplicate = DuplicateInFileError(first="an earlier row")
                        chunk.refuse(row, duplicate, field="group", text=event.group_id)

        rehearsal = replace(command, dry_run=True)
        tally = in_chunks(
            ledger, rehearsal, rows, rehearse, on_reject=on_reject, on_progress=on_progress, chunks=chunks
        )
        [(tally.taken, tally.total)] = lines.execute("SELECT COUNT(*), COALESCE(SUM(amount), 0) FROM lines").fetchall()
        if not tally.taken and tally.repeated:
            raise GrantsMadeError(count=tally.repeated)
        if not tally.taken:
            raise BatchEmptyError(refused=sum(tally.refused.values()))
        ordered = "SELECT line FROM lines ORDER BY stream"
        root = root_of(leaf_hash(line.rstrip(b"\n")) for (line,) in lines.execute(ordered))
        asked = Draft((line for (line,) in lines.execute("SELECT asked FROM lines ORDER BY stream")), None).sha256
        draft = Draft((line for (line,) in lines.execute(ordered)), None if command.dry_run else ledger.batches_folder)
    proposal = built(
        BatchProposed,
        batch_id=batch_id or f"grants-{program}-{asked[:ROWS_DIGITS]}",
        program=program,
        kind=ListKind.GRANTS,
        maker=command.by,
        file_sha256=file_sha256,
        rows_sha256=draft.sha256,
        rows_root=root.hex(),
        count=tally.taken,
        total=tally.total,
        refused=tally.refused_rows,
    )
    given = {**inputs, "program": program, "batch": batch_id, "file_sha256": file_sha256, "rows_sha256": asked}
    return Proposed(
        proposal, tally, is_new=propose_batch(ledger, command, proposal, draft, Request("group propose", given))
    )


def run(
    ledger: Ledger,
    command: Command,
    batch: Batch,
    *,
    again: Again,
    on_reject: OnReject,
    on_progress: OnProgress = lambda _: None,
) -> Tally:
    """Record every line of an approved batch that is not recorded yet."""
    agreement = next(
        (each.meta.agreement for each in ledger.load(batch_stream(batch.batch_id)) if each.meta.agreement), None
    )

    def fill(attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
        said = [_event_in(row.values[0]) for row in rows]
        attempt.officer(GroupFunded.ROLE)
        batches.require_approved(attempt.batch(batch.batch_id))
        decide = again(attempt, said)
        for row, event in zip(rows, said, strict=True):
            own = event.model_copy(update={"batch_id": batch.batch_id})
            try:
                events = decide(own)
            except LedgerError as error:
                chunk.refuse(row, error, field="group", text=event.group_id)
            else:
                chunk.take(events)
                chunk.tally.total += event.amount
        if agreement:
            attempt.under(agreement, command.effective_on, chunk.events)

    return in_chunks(ledger, command, _rows(ledger, batch), fill, on_reject=on_reject, on_progress=on_progress)


def _rows(ledger: Ledger, batch: Batch) -> Iterator[Row]:
    with genuine_list(ledger, batch) as file:
        file.seek(0)
        for number, line in enumerate(file, start=1):
            yield Row(number, (line.decode(),))


def grants_in(ledger: Ledger, batch: Batch) -> Iterator[GroupFunded]:
    """The grants on a batch's list, in order of groups."""
    return (_event_in(row.values[0]) for row in _rows(ledger, batch))
