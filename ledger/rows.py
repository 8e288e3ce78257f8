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

from pydantic import ValidationError

from ledger.application import Attempt, Command, Ledger, unfit
from ledger.errors import LedgerError, RecipientUnknownError
from ledger.events import Event, FileProcessed, RecipientRegistered, RefusedRows, recipient_stream
from ledger.intake import Row
from ledger.rejects import Reject
from ledger.store import Series

CHUNK_ROWS = 5_000

E = TypeVar("E", bound=Event)
T = TypeVar("T")
OnReject = Callable[[Reject, LedgerError | None], None]
"""Told of each refused row once it is certain; for a single row it raises the refusal."""
OnProgress = Callable[[int], None]
"""Told of the number of rows done since the last call."""


@dataclass
class Tally:
    """What became of the rows: newly taken, taken before, refused by code."""

    taken: int = 0
    repeated: int = 0
    total: int = 0
    """Money of the rows taken or repeated, in minor units."""
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def refused_rows(self) -> tuple[RefusedRows, ...]:
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

    def refuse(self, row: Row, error: LedgerError, *, field: str = "", text: str = "") -> None:
        self.rejects.append((Reject.of(error, line=row.line, field=field, text=text), without_trace(error)))


R = TypeVar("R", bound=LedgerError)


def without_trace(error: R) -> R:
    """A refusal to be kept, without what it was raised from: that leads back to the rows it is kept with.

    Such a ring of a whole chunk would be let go only when Python looks for garbage.
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
        on_progress(len(part))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Spare Python the search for garbage among a chunk's rows, which are all in use: a quarter of the time."""
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
    yield from parts(rows, CHUNK_ROWS)


def parts(rows: Iterable[T], size: int) -> Iterator[list[T]]:
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


def built(cls: type[E], **fields: object) -> E:
    """An event from values that people gave; a value of the wrong form is refused by its field."""
    try:
        return cls(**fields)
    except ValidationError as error:
        raise unfit(error) from None


class RecipientIndex:
    """Who the recipients named in a chunk's rows are: by the ledger's id, or by NIK through the vault."""

    def __init__(self, ledger: Ledger, attempt: Attempt, names: Iterable[str]) -> None:
        asked = set(names)
        niks = [name for name in asked if is_nik_shaped(name)]
        numbers = ledger.vault.find(niks) if niks else {}
        self._ids = {nik: recipient_id(number) for nik, number in numbers.items()}
        ids = {self._ids.get(name, name) for name in asked}
        self._registered: dict[str, RecipientRegistered] = {
            event.recipient_id: event
            for event in attempt.first(recipient_stream(each) for each in ids if each).values()
            if isinstance(event, RecipientRegistered)
        }

    def __getitem__(self, name: str) -> RecipientRegistered:
        """The registration of the recipient so named; raises `RecipientUnknownError`."""
        if (found := self.get(name)) is None:
            raise RecipientUnknownError()
        return found

    def get(self, name: str) -> RecipientRegistered | None:
        """The registration of the recipient so named, if there is one."""
        return self._registered.get(self._ids.get(name, name))


def recipient_id(number: int) -> str:
    """The recipient's id for a number of the vault; ids of one width keep the store's index in order."""
    return f"R{number:09d}"


def is_nik_shaped(text: str) -> bool:
    return len(text) == 16 and text.isascii() and text.isdigit()
