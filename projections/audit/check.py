"""Examines the whole log against the laws of the ledger; each law is one SQL file in `laws/` over `log`.

A law's query gives one row for each thing examined: its place in the log and, where the law is broken, a detail.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from eventsourcing.persistence import StoredEvent

from ledger.domain.errors import IntegrityBrokenError, LedgerError
from ledger.domain.registry import SIGNED_TOPICS, UPCASTERS
from ledger.store.entries import canonical, line_of
from ledger.store.recorder import EventLog
from projections.errors import SegmentMismatchError
from projections.laws.acts import check_acts
from projections.laws.law import (
    BREACHES_MAX,
    Breach,
    Examination,
    Law,
    OnProgress,
    law_names,
    law_sql,
    sentence,
    verdicts,
)
from projections.laws.signatures import SENTENCE, Signatures
from projections.relation.archive import Archive
from projections.relation.database import database, database_error
from projections.relation.relations import Segment, load, view
from projections.relation.spans import Held, Source, in_spans
from projections.reports.engine import create_shared

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ABSENT = "CREATE OR REPLACE TABLE absent (first BIGINT, last BIGINT)"
"""Gives the ranges of numbers that nobody in the vault has; none where no vault is at hand."""
READABLE = "Every event can be read, and its bytes are exactly those that this program writes for it."
PAGE_EVENTS = 10_000
MEMORY_BYTES_MAX = 64_000_000_000
"""The memory of the database that examines laws, or half of the machine's: some laws sort every payment."""

Absent = Callable[[], Sequence[tuple[int, int]]]

_NOTICES = {"clock"}
"""Laws whose breach is only a notice: every clock is set right at times."""


def check(
    recorder: EventLog,
    archive: Archive | None = None,
    source: Source[EventLog] | None = None,
    *,
    absent: Absent = lambda: (),
) -> list[Law]:
    """Every law examined over the whole log; only those of single rows and of the archive where a row is no JSON at all,
    and only that events can be read where they are not numbered without a gap.

    The archive is held against the store first; where it does not hold, the laws are examined over the store alone.
    A source is where other processes can read the log too, which then examine half of it.
    `absent` tells which numbers nobody in the vault has, as `PersonRows.absent` does; nothing where no vault is at hand.
    """
    try:
        size = recorder.size()
    except IntegrityBrokenError as error:
        # Nothing that goes through the events from one number to the next can be asked.
        readable = Law("readable", READABLE)
        readable.breach(Breach(None, "", str(error)))
        return [readable]
    readable = check_readable(source or Held(recorder), size)
    signed, exact = check_signatures(recorder), check_acts(recorder)
    archived, segments = check_archive(archive)
    return [readable, signed, exact, archived, *examine(recorder, segments, readable, absent=absent)]


def examine(
    recorder: EventLog,
    segments: Sequence[Segment],
    readable: Law,
    also: Sequence[Examination] = (),
    *,
    absent: Absent = lambda: (),
) -> list[Law]:
    """The laws that are SQL, and others that need what these stand on.

    None where the log cannot be loaded, which breaks the law of what can be read.
    """
    with database(MEMORY_BYTES_MAX) as connection:
        try:
            load(connection, recorder, segments, with_gaps=True)
        except (database_error(), LedgerError, IntegrityBrokenError, UnicodeError) as error:
            if readable.holds:
                readable.breach(Breach(recorder.size(), "", f"the log cannot be loaded: {error}"))
            return []
        view(connection, date.max, None)
        create_shared(connection)
        # After the log: whoever is registered in it was in the vault before.
        connection.execute(ABSENT)
        if ranges := absent():
            connection.executemany("INSERT INTO absent VALUES (?, ?)", ranges)
        return [*(each(connection) for each in also), *(_examine(connection, name) for name in law_names())]


def check_archive(archive: Archive | None) -> tuple[Law, list[Segment]]:
    """Whether every segment holds what the store holds; and the segments, none where that is not so."""
    law = Law("archive-true", "Every segment of the archive holds exactly what the store holds, to the byte.")
    if archive is None:
        return law, []
    try:
        segments = archive.brought_up_to_date()
    except SegmentMismatchError as error:
        law.breach(Breach(None, error.segment, str(error)))
        return law, []
    for segment in segments:
        law.checked += segment.last - segment.first + 1
        try:
            for log_index, stream, columns in archive.differences(segment):
                law.breach(Breach(log_index, stream, f"{segment.path.name} differs from the store in {columns}"))
        except (database_error(), IntegrityBrokenError) as error:
            law.breach(Breach(None, segment.path.name, f"cannot be held against the store: {error}"))
    return law, segments if law.holds else []


def check_signatures(recorder: EventLog) -> Law:
    """Whether what officers decided bears the signature of an officer in office."""
    law = Law("signatures-valid", SENTENCE)
    opening = [_line(stored) for stored in recorder.page(1, 1)]
    signatures = Signatures(hashlib.sha256(b"".join(opening)).hexdigest())
    start: int | None = 1
    while start is not None:
        # Of a nation's millions of events a few thousand are signed: the store passes over the others.
        page = recorder.page(start, PAGE_EVENTS, topics=(*SIGNED_TOPICS, *UPCASTERS))
        for stored in page:
            law.checked += 1
            place, verdict = (int(stored.id) - 1, str(stored.originator_id)), signatures.examine(_line(stored))
            if verdict.breach:
                law.breach(Breach(*place, verdict.breach))
            if verdict.notice:
                law.notice(Breach(*place, verdict.notice))
        start = int(page[-1].id) + 1 if page else None
    return law


def _line(stored: StoredEvent) -> bytes:
    """The line of a row; an empty one where the row holds no bytes, as SQLite lets it."""
    state: object = stored.state
    if not isinstance(state, bytes):
        return b""
    return line_of((str(stored.originator_id), stored.originator_version, stored.topic, state))


def check_readable(source: Source[EventLog], size: int, on_progress: OnProgress = lambda _: None) -> Law:
    """Whether every event can be read, and its bytes are those that this program writes."""
    law = Law("readable", READABLE)
    for checked, broken_count, broken in in_spans(source, size, _flaws, on_progress):
        law.checked += checked
        law.broken_count += broken_count
        law.broken += broken[: BREACHES_MAX - len(law.broken)]
    return law


def _flaws(log: EventLog, first: int, end: int) -> tuple[int, int, list[Breach]]:
    """How many events there are of a range, how many are flawed, and the first of these."""
    part = Law("", "")
    start: int | None = first + 1
    while start is not None and start <= end:
        page = log.page(start, PAGE_EVENTS, stop=end)
        for stored in page:
            part.checked += 1
            if detail := _flaw(stored):
                part.breach(Breach(int(stored.id) - 1, str(stored.originator_id), detail))
        start = int(page[-1].id) + 1 if page else None
    return part.checked, part.broken_count, part.broken


def _flaw(stored: StoredEvent) -> str | None:
    """The flaw of a row, or None."""
    state: object = stored.state
    if isinstance(state, bytes):  # SQLite keeps a text or a number in that column as well
        try:
            if next(canonical([stored]))[1]:
                return None
        except IntegrityBrokenError as error:
            return str(error)
    return f"version {stored.originator_version}: not the bytes that this program writes for {stored.topic}"


def _examine(connection: "DuckDBPyConnection", name: str) -> Law:
    text = law_sql(name)
    checked, broken_count, found = verdicts(connection, text)
    law = Law(name, sentence(text), checked=checked)
    if name in _NOTICES:
        law.notices = found
    else:
        law.broken_count, law.broken = broken_count, found
    return law
