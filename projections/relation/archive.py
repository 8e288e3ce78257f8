"""Events sealed into Parquet segments beside the store, so that a report reads columns and not rows.

A segment holds the events of a range of the log, one row an event in log order: the columns of the relation `log` that
have a value in it, and `line`, the exact bytes of each event as it is stored, its stream, version and topic in front.
It is written under another name, synced and renamed, and never changed. The store alone is the truth: a segment that
is missing or cannot be read is made anew from it, and one that tells something else is refused by name.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any

from ledger.domain.errors import IntegrityBrokenError, Said
from ledger.domain.registry import UPCASTERS
from ledger.store.durable import alone, sync
from ledger.store.errors import DiskFullError, StoreFailedError
from ledger.store.numbering import require_all
from ledger.store.recorder import EventLog
from projections.errors import SegmentMismatchError
from projections.relation.database import database, database_error, out_of_memory, require_file
from projections.relation.relations import Segment, column_types, fields_of, gaps, lines_of, typed

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ARCHIVE = "archive"
"""Of the ledger's folder."""
SEGMENT_EVENTS = 250_000
"""Fewer would be many files, and more a long tail that every report reads from the store."""
WORKERS = 2
MEMORY_BYTES_MAX = 350_000_000
"""Of one worker's database."""

_NAME = re.compile(r"events-([0-9]{9,})-([0-9]{9,})\.parquet")
_UNDER_WAY = "sealing-"
_UNREADABLE = "cannot be read"
_OUTDATED = "has not the columns of today"
_OPTIONS = (
    # Level 1 packs the hashes, the bulk of a segment, better than the usual 3, and faster.
    "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION V2, DICTIONARY_SIZE_LIMIT 1000,"
    " ROW_GROUP_SIZE 125000"
)


@dataclass(frozen=True, slots=True)
class _Lines:
    """Events on their way into a segment."""

    stored: Path
    newest: Path
    """The same file where no event is in an old form."""
    topics: frozenset[str]
    """In the newest form."""

    @property
    def files(self) -> list[str]:
        return [str(self.newest), str(self.stored)]


class Archive:
    """The sealed segments of a ledger, in a folder of their own."""

    def __init__(
        self,
        folder: Path,
        recorder: EventLog,
        *,
        segment_events: int | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = folder
        self.recorder = recorder
        self.segment_events = segment_events or SEGMENT_EVENTS
        self.tell = tell
        """Told of each segment that must be made anew, and why."""
        self.progress = 0.0
        """How much of a sealing is done, 0 to 1."""

    def segments(self) -> list[Segment]:
        """The segments that are there and of this ledger, in order of the log.

        One that must be made anew is not among them. Raises `SegmentMismatchError` for one that tells something else
        than the store, as far as its first and last event and its count show it; `differences` compares all.
        """
        return self._examined()[0]

    def is_due(self) -> bool:
        """Whether the log holds a whole segment that is not sealed."""
        return bool(self._due(_found(self.folder)))

    def brought_up_to_date(self, on_progress: Callable[[int], None] = lambda _: None) -> list[Segment]:
        """The segments of this ledger, after sealing what is not yet sealed, or telling why that cannot be done."""
        segments = self.segments()
        if not self._due(segments):
            return segments
        try:
            self.seal(on_progress)
        except (OSError, DiskFullError, StoreFailedError, IntegrityBrokenError) as error:
            self.tell(f"not sealed, and read from the store: {error}")
        return self.segments()

    def seal(
        self, on_progress: Callable[[int], None] = lambda _: None, *, segments_max: int | None = None
    ) -> list[Segment]:
        """Seal every whole segment, or so many, not yet sealed, tell the events of each, and return the new ones.

        It goes on where an interrupted sealing stopped. Raises `SegmentMismatchError`, `DiskFullError` or `OSError`, and
        `IntegrityBrokenError` where the store's events cannot be read; what was sealed before stays.
        """
        self.folder.mkdir(exist_ok=True)
        sync(self.folder.parent)
        # Two processes that seal would do the same work twice, and no harm.
        with alone(self.folder / "lock"):
            for left_over in self.folder.glob(f"{_UNDER_WAY}*"):
                rmtree(left_over, ignore_errors=True)
            kept, unfit = self._examined()
            for segment, reason in unfit.items():
                self._discard(segment, reason)
            return self._seal(self._due(kept)[:segments_max], on_progress)

    def complete(self, sealed: Sequence[Segment], on_progress: Callable[[int], None] = lambda _: None) -> None:
        """Let the archive hold the whole log and each event once: segments that another archive of it sealed, and the
        rest made here, the end of the log too.

        What is there already and fits is kept, so that an interrupted call is completed by the next.
        """
        self.folder.mkdir(exist_ok=True)
        for left_over in self.folder.glob(f"{_UNDER_WAY}*"):
            rmtree(left_over, ignore_errors=True)
        wanted = {(each.first, each.last) for each in sealed} | set(self._not_sealed(sealed))
        for segment in _found(self.folder):
            if (segment.first, segment.last) not in wanted:
                segment.path.unlink()
        with self._room() as room:
            for segment in sealed:
                if not (self.folder / segment.path.name).exists():
                    copyfile(segment.path, room / segment.path.name)
                    (room / segment.path.name).replace(self.folder / segment.path.name)
        kept, unfit = self._examined()
        for segment, reason in unfit.items():
            self._discard(segment, reason)
        on_progress(sum(segment.last - segment.first + 1 for segment in kept))
        self._seal(self._not_sealed(kept), on_progress)

    def _not_sealed(self, segments: Sequence[Segment]) -> list[tuple[int, int]]:
        """The ranges (first, last) that no segment holds, to the very end, none larger than a segment."""
        step = self.segment_events
        return [
            (start, min(start + step, end) - 1)
            for first, end in gaps(segments, self.recorder.size())
            for start in range(first, end, step)
        ]

    def discard(self) -> None:
        """Remove every segment; the store has all they hold."""
        for segment in _found(self.folder):
            segment.path.unlink(missing_ok=True)

    def discard_unreadable(self) -> None:
        """Remove every segment whose bytes are damaged; raises `StoreFailedError` where that cannot be known."""
        with database(MEMORY_BYTES_MAX) as connection:
            for segment in _found(self.folder):
                if not _is_readable(connection, segment):
                    self._discard(segment, _UNREADABLE)

    def _discard(self, segment: Segment, reason: str) -> None:
        self.tell(f"segment {segment.path.name} {reason} and is made anew from the store")
        segment.path.unlink(missing_ok=True)

    def differences(self, segment: Segment) -> Iterator[tuple[int, str, str]]:
        """Where a segment is not what the store holds: an event's index, its stream, and the columns that differ."""
        with TemporaryDirectory(prefix="salur-") as room, database(MEMORY_BYTES_MAX) as connection:
            lines = self._lines(Path(room), segment.first, segment.last)
            yield from _differences(connection, segment, lines)

    # Making

    def _due(self, segments: Sequence[Segment]) -> list[tuple[int, int]]:
        """The ranges (first, last) that are to be sealed; the end of the log waits until it fills a segment."""
        size, step = self.recorder.size(), self.segment_events
        due = []
        for first, end in gaps(segments, size):
            due += [
                (start, min(start + step, end) - 1)
                for start in range(first, end, step)
                if start + step <= end or end < size
            ]
        return due

    def _seal(self, ranges: list[tuple[int, int]], on_progress: Callable[[int], None]) -> list[Segment]:
        from concurrent.futures import ThreadPoolExecutor, as_completed

        made = []
        with self._room() as room, ThreadPoolExecutor(WORKERS) as workers:
            coming = [workers.submit(self._make, room, *each) for each in ranges]
            try:
                for segment in as_completed(coming):
                    made.append(segment.result())
                    self.progress = len(made) / len(ranges)
                    on_progress(made[-1].last - made[-1].first + 1)
            finally:
                workers.shutdown(cancel_futures=True)
        return sorted(made)

    def _make(self, room: Path, first: int, last: int) -> Segment:
        """Write a segment, whole or not at all."""
        under_way = self._written(room, first, last)
        path = self.folder / under_way.name
        sync(under_way)
        under_way.replace(path)
        sync(self.folder)
        return Segment(first, last, path)

    def _written(self, room: Path, first: int, last: int) -> Path:
        """A segment's file, on its way to where it belongs."""
        lines = self._lines(room, first, last)
        under_way = room / f"events-{first:09}-{last:09}.parquet"
        columns = column_types(lines.topics)
        label = json.dumps({**self._label(first, last), "topics": sorted(lines.topics), "columns": columns})
        with database(MEMORY_BYTES_MAX, threads=1) as connection:
            try:
                connection.execute(
                    f"COPY ({_rows(lines)}) TO '{_quoted(under_way)}' ({_OPTIONS}, KV_METADATA {{salur: '{_quoted(label)}'}})",
                    lines.files,
                )
            except database_error() as error:
                if "No space left" in str(error):
                    raise DiskFullError() from error
                raise IntegrityBrokenError(f"events {first} to {last} cannot be sealed; run `salur check`") from error
        lines.stored.unlink()
        lines.newest.unlink(missing_ok=True)
        return under_way

    def _lines(self, room: Path, first: int, last: int) -> _Lines:
        """Write the lines of a range out of the store."""
        stored, newest = room / f"{first}.ndjson", room / f"{first}{'-newest' if UPCASTERS else ''}.ndjson"
        topics: set[str] = set()
        count = 0
        with stored.open("wb") as stored_file, newest.open("wb") if UPCASTERS else nullcontext() as newest_file:
            for block in self.recorder.blocks(first=first, until=last + 1):
                stored_file.write(block.lines)
                count += block.lines.count(b"\n")
                upcast = block.newest()
                topics |= upcast.topics
                if newest_file:
                    newest_file.write(upcast.lines)
        require_all(events=count, first=first, end=last + 1)
        return _Lines(stored, newest, frozenset(topics))

    @contextmanager
    def _room(self) -> Iterator[Path]:
        """A folder for files under way, on the disk of the segments."""
        room = Path(mkdtemp(prefix=_UNDER_WAY, dir=self.folder))
        try:
            yield room
        finally:
            rmtree(room, ignore_errors=True)

    # Trusting

    def _examined(self) -> tuple[list[Segment], dict[Segment, str]]:
        """The segments that are of this ledger, and those that must be made anew, with the reason."""
        if not (found := _found(self.folder)):
            return [], {}
        with database(MEMORY_BYTES_MAX) as connection:
            labels = _labels(connection, found)
        size, before = self.recorder.size(), -1
        kept, unfit = [], {}
        for segment in found:
            if segment not in labels:
                unfit[segment] = _UNREADABLE
                continue
            label = labels[segment]
            if problem := self._problem(segment, label, size=size, before=before):
                raise SegmentMismatchError(segment=segment.path.name, problem=problem)
            before = segment.last
            if UPCASTERS.keys().isdisjoint(label["topics"]) and label["columns"] == column_types(label["topics"]):
                kept.append(segment)
            else:
                unfit[segment] = _OUTDATED
        return kept, unfit

    def _label(self, first: int, last: int) -> dict[str, Any]:
        """What a segment bears to be recognised by, besides its topics and columns."""
        ends = {"first_sha256": self._line_sha256(first), "last_sha256": self._line_sha256(last)}
        return {"first": first, "last": last, **ends}

    def _line_sha256(self, log_index: int) -> str:
        blocks = self.recorder.blocks(first=log_index, until=log_index + 1)
        return hashlib.sha256(b"".join(block.lines for block in blocks)).hexdigest()

    def _problem(self, segment: Segment, label: dict[str, Any], *, size: int, before: int) -> Said | None:
        first, last = segment.first, segment.last
        if first <= before:
            return Said("it holds events up to {before} a second time", before=before)
        if last >= size:
            return Said("it ends with event {last}, the store with event {store_last}", last=last, store_last=size - 1)
        if not label:
            return Said("it does not say which events it holds, or holds another number of them")
        if not self._label(first, last).items() <= label.items():
            return Said("its events are not those that the store holds from {first} to {last}", first=first, last=last)
        return None


def _found(folder: Path) -> list[Segment]:
    named = [(path, match) for path in folder.glob("events-*") if (match := _NAME.fullmatch(path.name))]
    return sorted(Segment(int(match[1]), int(match[2]), path) for path, match in named)


def _labels(connection: "DuckDBPyConnection", segments: Sequence[Segment]) -> dict[Segment, dict[str, Any]]:
    """Segment → its label, empty where it has none or another number of events; without those that cannot be read."""
    names = [str(segment.path) for segment in segments]
    try:
        label_of = dict(
            connection.execute(
                "SELECT file_name, decode(value) FROM parquet_kv_metadata(?) WHERE decode(key) = 'salur'", [names]
            ).fetchall()
        )
        count_of = dict(
            connection.execute("SELECT file_name, num_rows FROM parquet_file_metadata(?)", [names]).fetchall()
        )
    except database_error() as error:
        if len(segments) == 1:
            require_file(error, segments[0].path)
            return {}
        return {key: label for segment in segments for key, label in _labels(connection, [segment]).items()}
    return {segment: _label_of(segment, label_of, count_of) for segment in segments}


def _label_of(segment: Segment, label_of: dict[str, str], count_of: dict[str, int]) -> dict[str, Any]:
    name = str(segment.path)
    try:
        label = json.loads(label_of[name])
        count, names = count_of[name], ("first", "last", "first_sha256", "last_sha256", "topics", "columns")
        return {each: label[each] for each in names} if count == segment.last - segment.first + 1 else {}
    except (KeyError, ValueError, TypeError):
        return {}


def _is_readable(connection: "DuckDBPyConnection", segment: Segment) -> bool:
    try:
        connection.execute("SELECT SUM(CAST(hash(COLUMNS(*)) AS HUGEINT)) FROM read_parquet(?)", [str(segment.path)])
    except out_of_memory():
        return True
    except database_error() as error:
        require_file(error, segment.path)
        return False
    return True


def _rows(lines: _Lines) -> str:
    """The query for a segment's rows out of its two files of lines: in the newest form, and as stored."""
    fields = fields_of(lines.topics)
    # Both have a line an event in the order of the log. A stored line without its index begins behind the comma.
    return (
        f"SELECT {typed(fields)}, '{{' || substr(told, instr(told, ',') + 1) AS line FROM {lines_of(fields)}"  # noqa: S608  # our own names
        " POSITIONAL JOIN (SELECT CAST(json AS VARCHAR) AS told FROM read_json_objects(?, format='newline_delimited'))"
    )


def _differences(connection: "DuckDBPyConnection", segment: Segment, lines: _Lines) -> Iterator[tuple[int, str, str]]:
    told, files = f"({_rows(lines)})", lines.files
    held_columns = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(segment.path)]).fetchall()
    told_columns = connection.execute(f"DESCRIBE SELECT * FROM {told}", files).fetchall()  # noqa: S608  # our own names
    if sorted(each[:2] for each in held_columns) != sorted(each[:2] for each in told_columns):
        yield segment.first, "", "other columns than its events have"
        return
    names = [each[0] for each in told_columns]
    differs = ", ".join(f"CASE WHEN held.{name} IS DISTINCT FROM told.{name} THEN '{name}' END" for name in names)
    yield from connection.execute(
        "SELECT * FROM (SELECT COALESCE(told.log_index, held.log_index, -1), COALESCE(told.stream, held.stream, ''),"  # noqa: S608  # our own names
        f" concat_ws(', ', {differs}) AS columns FROM read_parquet(?) AS held POSITIONAL JOIN {told} AS told)"
        " WHERE columns <> '' ORDER BY 1",
        [str(segment.path), *files],
    ).fetchall()


def _quoted(text: object) -> str:
    return str(text).replace("'", "''")
