"""The port of the store: what the ledger asks of whatever keeps its events."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eventsourcing.persistence import ApplicationRecorder, IntegrityError, Notification, StoredEvent

from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.registry import UPCASTERS
from ledger.store.entries import LINE_BYTES_MAX, StoredRow, upcast_to_newest

IDS_PER_QUERY = 10_000
LAST_SIGN = "\U0010ffff"
"""Greater than any sign in a stream's name: the end of a range of names with one beginning."""


LINES_PER_BLOCK = 1_000


DAMAGES_MAX = 20
"""So many damages are told of one database."""


Conflict = IntegrityError
"""Raised by an append when one of its (stream, version) pairs is already taken; nothing of it was stored."""


@dataclass(frozen=True)
class AppendCondition:
    """What a decision rests on: the append fails if events of these streams were stored since the decision read them.

    The idea, and the name, are those of dynamic consistency boundaries (dcb.events).
    """

    after: int
    """The size of the log when the decision began to read."""
    streams: frozenset[str] = frozenset()
    """No event of these streams."""
    ranges: tuple[tuple[str, str], ...] = ()
    """No event of the streams from one name to another, both included."""

    def __bool__(self) -> bool:
        return bool(self.streams or self.ranges)


class EventLog(ABC):
    """A log that can be read: what projections, checks and the transparency log ask of a store, or of an export."""

    @abstractmethod
    def size(self) -> int:
        """How many events there are.

        Raises `IntegrityBrokenError` where they are plainly not numbered without a gap (`numbering`).
        """

    @abstractmethod
    def page(
        self, start: int, limit: int, *, stop: int | None = None, topics: Sequence[str] = ()
    ) -> Sequence[Notification]:
        """Events in order of the log, from one id to another and both included, at most so many.

        An event's id is its index plus one. With topics, only events of these.
        """

    def lines(self, *, first: int = 0, until: int | None = None) -> Iterator[bytes]:
        """The log from an index up to a size in blocks of lines, each line one event as JSON; all of one moment.

        A line begins with `log_index` (0, 1, …), `stream`, `version` and `topic`.
        """
        for block in self.blocks(first=first, until=until):
            yield block.newest().lines

    @abstractmethod
    def blocks(self, *, first: int = 0, until: int | None = None, numbered: bool = True) -> Iterator["Block"]:
        """As `lines`, with each event in the form it was stored in; not numbered, they are without `log_index`."""

    def leaves(self, *, first: int = 0, until: int | None = None) -> Iterator[list[bytes]]:
        """The events of the log as the transparency log holds them, in blocks: their lines without `log_index`.

        Raises `IntegrityBrokenError` where an event is missing or is none that this program stored.
        """
        for block in self.blocks(first=first, until=until, numbered=False):
            lines = block.lines.split(b"\n")[:-1]
            # Ids are unique and in order: where as many were found as there are between the first and the last, all
            # were.
            are_all = len(lines) == block.events == block.end - first
            if not are_all or b"?" in lines or max(map(len, lines)) > LINE_BYTES_MAX:
                raise IntegrityBrokenError(
                    f"events {first} to {block.end - 1} are not all as this program stores them; run `salur check`"
                )
            yield lines
            first = block.end

    def leaf(self, index: int) -> bytes:
        """The line of one event; raises `IntegrityBrokenError` where there is none."""
        for [line] in self.leaves(first=index, until=index + 1):
            return line
        raise IntegrityBrokenError(f"event {index} is not in the store; run `salur check`")


class LedgerRecorder(ApplicationRecorder, EventLog):
    """What the ledger asks of its store: the library's recorder, and the reads in bulk that a file of payments needs.

    A notification's id is the event's index in the log plus one; there are no gaps.
    """

    @abstractmethod
    def create_table(self) -> None:
        """Make the table of events where there is none."""

    def is_there(self) -> bool:
        """Whether the table of events is there."""
        return True

    # Lists of batches, where the ledger's folder is not the one place for them

    def keep_list(self, rows_sha256: str, path: Path) -> None:
        """Let everybody who works with the ledger have a batch's list; in a folder it lies there for all."""
        del rows_sha256, path

    def fetch_list(self, rows_sha256: str) -> Iterator[bytes]:
        """The parts of the list of that SHA-256, where it is kept elsewhere than in the folder."""
        del rows_sha256
        return iter(())

    def page(
        self, start: int, limit: int, *, stop: int | None = None, topics: Sequence[str] = ()
    ) -> Sequence[Notification]:
        return self.select_notifications(start, limit, stop, topics)

    @abstractmethod
    def append(self, rows: list[StoredRow], condition: AppendCondition | None = None) -> None:
        """Store events in one transaction, all or none, if the condition holds in that same transaction.

        Raises `Conflict` where a place in a stream is taken, or where what the decision read has changed since.
        """

    @abstractmethod
    def select_first_between(self, first: str, last: str, *, limit: int) -> list[StoredEvent]:
        """The first events of the streams from one name to another, at most so many."""

    @abstractmethod
    def select_texts_between(
        self, first: str, last: str, topic: str, names: Sequence[str], *, limit: int
    ) -> list[tuple[str | None, ...]]:
        """The stream, and the values of these fields, of each first event of a kind in the streams from one name to
        another, at most so many, in the order of the names; None for a field that an event does not have, or whose bytes are no JSON.

        A third of the work of `select_first_between`, where most of an event is not needed.
        """

    def select_first(self, streams: Iterable[str]) -> dict[str, StoredEvent]:
        """Stream → its first event, of those streams that have one."""
        rows = self._select_in(streams, only_first=True)
        return {row.originator_id: row for row in rows}  # type: ignore[misc]  # ids are text here

    def select_streams(self, streams: Iterable[str]) -> dict[str, list[StoredEvent]]:
        """Stream → its events in order, of those streams that have any."""
        found: dict[str, list[StoredEvent]] = {}
        for row in self._select_in(streams, only_first=False):
            found.setdefault(str(row.originator_id), []).append(row)
        return found

    @abstractmethod
    def _select_in(self, streams: Iterable[str], *, only_first: bool) -> Iterator[StoredEvent]:
        """The events of streams, those of one stream in order, or only the first of each."""

    @abstractmethod
    def select_mentioning(self, prefix: str, text: str) -> list[StoredEvent]:
        """The events that hold a text as a value, of all streams with this beginning of their names; reads every one of
        them."""

    @abstractmethod
    def streams(self, prefix: str, *, limit: int = -1) -> list[str]:
        """The streams with this beginning of their names, in order."""

    @abstractmethod
    def last_stream(self, first: str, last: str) -> str | None:
        """The last of the streams from one name to another, both included, if there is one."""

    def damages(self) -> list[str]:
        """The damages that the database itself finds, such as an event that its index misses."""
        return []

    @abstractmethod
    def position(self, stream: str, version: int) -> int:
        """The index of an event in the log; the first is 0."""


@dataclass(frozen=True, slots=True)
class Block:
    """Events that follow one another in the log."""

    lines: bytes
    """A line an event, as JSON."""
    topics: frozenset[str]
    events: int
    """The number of events in the block, as the store counted them."""
    end: int
    """The index after that of the last."""

    def newest(self) -> "Block":
        """The block with each event in the form that is written today."""
        if self.topics.isdisjoint(UPCASTERS):
            return self
        lines = "".join(f"{_upcast_line(line)}\n" for line in self.lines.decode().split("\n")[:-1])
        return replace(self, lines=lines.encode(), topics=frozenset(_newest_topic(topic) for topic in self.topics))


def _newest_topic(topic: str) -> str:
    while topic in UPCASTERS:
        topic = UPCASTERS[topic][0]
    return topic


def _upcast_line(line: str) -> str:
    stored = json.loads(line)
    place = {name: stored.pop(name) for name in ("log_index", "stream", "version", "topic")}
    if place["topic"] not in UPCASTERS:
        return line
    place["topic"], upcast = upcast_to_newest(place["topic"], stored)
    return json.dumps({**place, **upcast}, separators=(",", ":"))
