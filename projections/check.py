"""Examines the whole log against the laws of the ledger; each law is one SQL file in `laws/` over `log`.

A law's query gives one row for each thing examined: its place in the log and, where the law is broken, a detail.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from eventsourcing.persistence import StoredEvent

from ledger.errors import IntegrityBrokenError, LedgerError, SegmentMismatchError
from ledger.events import SIGNED_TOPICS, UPCASTERS
from ledger.store import EventLog, canonical, line_of
from projections.archive import Archive
from projections.database import database, database_error
from projections.engine import create_shared
from projections.events import Segment, load, view
from projections.parts import Held, Source, in_parts
from projections.signatures import SENTENCE, Signatures

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OnProgress = Callable[[int], None]
"""Told of the number of events done since the last call."""
BREACHES_MAX = 20
"""Kept of each law; all are counted."""
ABSENT = "CREATE OR REPLACE TABLE absent (first BIGINT, last BIGINT)"
"""Of the numbers of people, those that nobody in the vault has; none where no vault is at hand."""
PAGE_EVENTS = 10_000
MEMORY_BYTES_MAX = 64_000_000_000
"""Or half of what is installed: some laws put every payment in order."""

Absent = Callable[[], Sequence[tuple[int, int]]]

_NOTICES = {"clock"}
"""Laws whose breach is worth a look and proves nothing: every clock is set right at times."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A place in the log where a law does not hold."""

    log_index: int | None
    """None for what concerns no single event, but a file."""
    stream: str
    """Or the file."""
    detail: str

    @property
    def words(self) -> str:
        """Where and what, in one sentence."""
        event = "" if self.log_index is None else f"event {self.log_index}"
        place = ", ".join(each for each in (event, self.stream) if each)
        return f"{place}: {self.detail}" if place else self.detail


@dataclass(slots=True)
class Law:
    """What was examined of one law, and where it does not hold."""

    name: str
    sentence: str
    checked: int = 0
    broken_count: int = 0
    broken: list[Breach] = field(default_factory=list)
    """The first of them in log order, at most `BREACHES_MAX`."""
    notices: list[Breach] = field(default_factory=list)
    """Worth a look, and no breach; at most `BREACHES_MAX`."""

    @property
    def holds(self) -> bool:
        """Whether no breach was found."""
        return self.broken_count == 0

    def breach(self, found: Breach) -> None:
        """Count a breach, and keep it if there is room."""
        self.broken_count += 1
        if len(self.broken) < BREACHES_MAX:
            self.broken.append(found)

    def notice(self, found: Breach) -> None:
        """Keep something worth a look if there is room."""
        if len(self.notices) < BREACHES_MAX:
            self.notices.append(found)


Examination = Callable[["DuckDBPyConnection"], Law]
"""Examines one law over `log` and what projections share."""


def law_names() -> list[str]:
    """The laws there are as SQL, by name."""
    found = (file.name for file in files("projections.laws").iterdir())
    return sorted(name.removesuffix(".sql").replace("_", "-") for name in found if name.endswith(".sql"))


@lru_cache
def law_sql(name: str) -> str:
    """The text of a law."""
    return files("projections.laws").joinpath(name.replace("-", "_") + ".sql").read_text(encoding="utf-8")


def check(
    recorder: EventLog,
    archive: Archive | None = None,
    source: Source | None = None,
    *,
    absent: Absent = lambda: (),
) -> list[Law]:
    """Every law examined over the whole log; only those of single rows and of the archive where a row is no JSON at all.

    The archive is held against the store first; where it does not hold, the laws are examined over the store alone.
    A source is where other processes can read the log too, which then examine half of it.
    `absent` tells which numbers nobody in the vault has, as `PersonRows.absent` does; nothing where no vault is at hand.
    """
    readable = check_readable(source or Held(recorder), recorder.size())
    signed = check_signatures(recorder)
    archived, segments = check_archive(archive)
    return [readable, signed, archived, *examine(recorder, segments, readable, absent=absent)]


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
            load(connection, recorder, segments)
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
    law = Law("signatures-valid", SENTENCE)
    opening = [_line(stored) for stored in recorder.select_notifications(1, 1)]
    signatures = Signatures(hashlib.sha256(b"".join(opening)).hexdigest())
    start: int | None = 1
    while start is not None:
        # Of a nation's millions of events a few thousand are signed: the store passes over the others.
        page = recorder.select_notifications(start, PAGE_EVENTS, topics=(*SIGNED_TOPICS, *UPCASTERS))
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


def check_readable(source: Source, size: int, on_progress: OnProgress = lambda _: None) -> Law:
    """Whether every event can be read, and its bytes are those that this program writes."""
    law = Law("readable", "Every event can be read, and its bytes are exactly those that this program writes for it.")
    for checked, broken_count, broken in in_parts(source, size, _flaws, on_progress):
        law.checked += checked
        law.broken_count += broken_count
        law.broken += broken[: BREACHES_MAX - len(law.broken)]
    return law


def _flaws(log: EventLog, first: int, end: int) -> tuple[int, int, list[Breach]]:
    """How many events there are of a range, how many are flawed, and the first of these."""
    part = Law("", "")
    start: int | None = first + 1
    while start is not None and start <= end:
        page = log.select_notifications(start, PAGE_EVENTS, stop=end)
        for stored in page:
            part.checked += 1
            if detail := _flaw(stored):
                part.breach(Breach(int(stored.id) - 1, str(stored.originator_id), detail))
        start = int(page[-1].id) + 1 if page else None
    return part.checked, part.broken_count, part.broken


def _flaw(stored: StoredEvent) -> str | None:
    """What is wrong with a row, if anything."""
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
    law = Law(name, _sentence(text), checked=checked)
    if name in _NOTICES:
        law.notices = found
    else:
        law.broken_count, law.broken = broken_count, found
    return law


def verdicts(connection: "DuckDBPyConnection", query: str) -> tuple[int, int, list[Breach]]:
    """How many things a law's query examines, how many are broken, and the first of these in log order.

    Nothing but the numbers is kept of what was examined, which may be all events; where a law is broken, it is asked
    once more.
    """
    [(checked, broken_count)] = connection.execute(
        f"SELECT COUNT(*), COUNT(detail) FROM ({query}\n) AS verdicts"  # noqa: S608  # our own
    ).fetchall()
    if not broken_count:
        return checked, 0, []
    first = connection.execute(
        f"SELECT log_index, stream, detail FROM ({query}\n) AS verdicts WHERE detail IS NOT NULL"  # noqa: S608  # our own
        f" ORDER BY log_index, stream NULLS LAST, detail LIMIT {BREACHES_MAX}"
    ).fetchall()
    return checked, broken_count, [Breach(*each) for each in first]


def _sentence(text: str) -> str:
    """The comment that a law's file begins with."""
    lines = text.splitlines()
    end = next(index for index, line in enumerate(lines) if not line.startswith("--"))
    return " ".join(line.removeprefix("--").strip() for line in lines[:end])
