"""Rows of a file, or a single one, carried out in chunks: a chunk is one transaction.

A refused row never stops the others. A chunk that another writer has overtaken is decided again as a whole, so
nothing is reported about it before it is stored.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from ledger.application.attempt import Attempt, Command
from ledger.application.ledger import Ledger
from ledger.domain.errors import LedgerError
from ledger.domain.event import Event, RefusedRows
from ledger.domain.request import FileProcessed
from ledger.files.rejects import Reject
from ledger.files.tables import Field, Row
from ledger.store.entries import Series

CHUNK_ROWS = 5_000


T = TypeVar("T")


OnReject = Callable[[Reject, LedgerError | None], None]
"""Called with each refused row once the refusal is final; for a single row it raises the refusal."""


OnProgress = Callable[[int], None]
"""Called with the number of rows done since its last call."""


@dataclass
class Tally:
    """What became of the rows: newly taken, taken before, refused by code."""

    taken: int = 0
    repeated: int = 0
    total: int = 0
    """Money of the rows taken or repeated, in minor units."""
    of_held: int = 0
    """The part of it for which money of the program was held, where not all of it was."""
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def refused_rows(self) -> tuple[RefusedRows, ...]:
        """The number of refused rows by code, in order of code, as events hold it."""
        return tuple(RefusedRows(code=code, rows=rows) for code, rows in sorted(self.refused.items()))


class Chunk:
    """What one chunk's decision has found so far."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.series: list[Series] = []
        self.tally = Tally()
        self.rejects: list[tuple[Reject, LedgerError]] = []

    def take(self, events: Sequence[Event]) -> None:
        """Accept a row; one that adds nothing had been taken before."""
        self.events.extend(events)
        if events:
            self.tally.taken += 1
        else:
            self.tally.repeated += 1

    def each(self, rows: Iterable[Row], fields: Sequence[Field], decide: Callable[[Row], Sequence[Event]]) -> None:
        """Decide row by row; a refusal names the field that it is about, or else the first of its row."""
        names = [field.name for field in fields]
        for row in rows:
            try:
                events = decide(row)
            except LedgerError as error:
                about = getattr(error, "field", names[0])
                field = about if about in names else names[0]
                self.refuse(row, error, field=field, text=row.values[names.index(field)])
            else:
                self.take(events)

    def refuse(self, row: Row, error: LedgerError, *, field: str = "", text: str = "") -> None:
        """Refuse a row: the field it is refused for, and the value of which the shape is kept."""
        self.rejects.append((Reject.of(error, line=row.line, field=field, text=text), without_trace(error)))


R = TypeVar("R", bound=LedgerError)


def without_trace(error: R) -> R:
    """Cut a refusal that is kept loose from the error behind it, which leads back to the chunk's rows.

    Otherwise the refusals and the rows of a chunk hold each other, until Python looks for garbage.
    """
    error.__context__ = None
    return error.with_traceback(None)


Fill = Callable[[Attempt, list[Row], Chunk], None]
"""Decides a chunk's rows into the `Chunk`."""


def in_chunks(
    ledger: Ledger,
    command: Command,
    rows: Iterable[Row | Reject],
    fill: Fill,
    *,
    on_reject: OnReject,
    on_progress: OnProgress = lambda _: None,
    chunks: Callable[[Iterable[Row | Reject]], Iterator[list[Row | Reject]]] | None = None,
) -> Tally:
    """Carry out rows chunk by chunk; run again after an interruption, it goes on where it stopped."""
    tally = Tally()
    remaining = (chunks or _by_count)(rows)
    while True:
        with _uncollected():
            if not (part := next(remaining, None)):
                return tally
            chunk = _carried_out(ledger, command, [row for row in part if isinstance(row, Row)], fill)
        unread = [(each, None) for each in part if isinstance(each, Reject)]
        for reject, error in sorted([*unread, *chunk.rejects], key=lambda each: each[0].line):
            tally.refused[reject.code] += 1
            on_reject(reject, error)
        tally.taken += chunk.tally.taken
        tally.repeated += chunk.tally.repeated
        tally.total += chunk.tally.total
        tally.of_held += chunk.tally.of_held
        on_progress(len(part))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Stop Python's search for garbage while a chunk is at work: all of its rows are in use, and the search takes a
    quarter of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _carried_out(ledger: Ledger, command: Command, rows: list[Row], fill: Fill) -> Chunk:
    chunk = Chunk()

    def decide(attempt: Attempt) -> list[Event]:
        nonlocal chunk
        chunk = Chunk()
        fill(attempt, rows, chunk)
        return chunk.events

    ledger.carry_out(command, decide, series=lambda: chunk.series)
    return chunk


def _by_count(rows: Iterable[Row | Reject]) -> Iterator[list[Row | Reject]]:
    yield from batched(rows, CHUNK_ROWS)


def batched(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """The rows in lists of a size; the last may be shorter."""
    remaining = iter(rows)
    while part := list(islice(remaining, size)):
        yield part


def finish_file(
    ledger: Ledger, command: Command, tally: Tally, *, name: str, file_sha256: str, program: str | None = None
) -> None:
    """Record that a file was read to its end, so that reports can tell what was refused in it."""
    processed = FileProcessed(
        command=name,
        file_sha256=file_sha256,
        count=tally.taken + tally.repeated,
        refused=tally.refused_rows,
        program=program,
    )

    def decide(attempt: Attempt) -> list[Event]:
        last = attempt.load(processed.stream, lambda _, event: event)
        return [] if last == processed else [processed]

    ledger.carry_out(command, decide)
