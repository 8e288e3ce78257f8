"""A log read back from the files that outsiders are given (C2SP tlog-tiles): its entries, and its tiles of hashes."""

import json
import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from eventsourcing.persistence import Notification

from ledger.domain.errors import IntegrityBrokenError, ProofFailedError
from ledger.store.recorder import Block, EventLog
from ledger.transparency.log import CHECKPOINT, VERIFIER_KEY, Levels
from ledger.transparency.merkle import HASH_BYTES, TILE_WIDTH, Tile
from ledger.transparency.notes import Checkpoint, Note, VerifierKey, checkpoint_of

_LENGTH = struct.Struct(">H")
_TEXT = rb'"(?:[^"\\\x00-\x1f]|\\.)*"'
_PLACE = re.compile(rb'\{"stream":(' + _TEXT + rb'),"version":([1-9][0-9]{0,17}),"topic":("[A-Za-z0-9.]+"),')
"""What each line begins with."""
TILES_PER_BLOCK = 4


class ExportedLog(EventLog):
    """The first so many events of a log, out of its bundles of entries."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self._size = size

    def size(self) -> int:
        """The number of events."""
        return self._size

    def leaves(self, *, first: int = 0, until: int | None = None) -> Iterator[list[bytes]]:
        end = self._size if until is None else min(until, self._size)
        for index in range(first // TILE_WIDTH, -(-end // TILE_WIDTH)):
            entries, start = self._bundle(index), index * TILE_WIDTH
            yield entries[max(first - start, 0) : end - start]

    def blocks(self, *, first: int = 0, until: int | None = None, numbered: bool = True) -> Iterator[Block]:
        lines: list[bytes] = []
        topics: set[str] = set()
        at = first
        for leaves in self.leaves(first=first, until=until):
            lines += _numbered(leaves, at) if numbered else leaves
            topics |= {_topic(line) for line in leaves}
            at += len(leaves)
            if len(lines) >= TILES_PER_BLOCK * TILE_WIDTH:
                yield Block(b"\n".join(lines) + b"\n", frozenset(topics), len(lines), at)
                lines, topics = [], set()
        if lines:
            yield Block(b"\n".join(lines) + b"\n", frozenset(topics), len(lines), at)

    def page(
        self, start: int, limit: int, *, stop: int | None = None, topics: Sequence[str] = ()
    ) -> Sequence[Notification]:
        first = start - 1
        # Most bundles of a long log hold none of the topics asked for: they are passed over as a whole.
        wanted = re.compile(b'"topic":"(?:' + b"|".join(re.escape(topic.encode()) for topic in topics) + b')",')
        found: list[Notification] = []
        for leaves in self.leaves(first=first, until=stop):
            if not topics or wanted.search(b"\n".join(leaves)):
                for index, line in enumerate(leaves, start=first):
                    notification = _notification(index, line)
                    if not topics or notification.topic in topics:
                        found.append(notification)
                        if len(found) == limit:
                            return found
            first += len(leaves)
        return found

    def _bundle(self, index: int) -> list[bytes]:
        """The entries of a bundle; raises `IntegrityBrokenError` unless it holds them and nothing else."""
        width = min(TILE_WIDTH, self._size - index * TILE_WIDTH)
        path = self.folder / Tile(None, index, width).path()
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise IntegrityBrokenError(f"{path} is missing") from None
        entries, at = [], 0
        while at < len(data) - 1:
            (length,) = _LENGTH.unpack_from(data, at)
            entries.append(data[at + 2 : at + 2 + length])
            at += 2 + length
        if at != len(data) or len(entries) != width:
            raise IntegrityBrokenError(f"{path} does not hold {width} entries")
        if any(b"\n" in entry or not entry.startswith(b"{") for entry in entries):
            raise IntegrityBrokenError(f"{path} holds an entry that is no line of an event")
        return entries


def _numbered(leaves: list[bytes], first: int) -> list[bytes]:
    """Lines with their index in front, as the store tells them."""
    return [b'{"log_index":%d,%b' % (index, line[1:]) for index, line in enumerate(leaves, start=first)]


def _topic(line: bytes) -> str:
    place = _PLACE.match(line)
    return place[3][1:-1].decode() if place else ""


def _notification(index: int, line: bytes) -> Notification:
    """The row behind a line; one that cannot be told apart keeps all of the line for its bytes, which nobody can read."""
    place = _PLACE.match(line)
    if place is None:
        return Notification("", 0, "", line, index + 1)
    try:
        stream = json.loads(place[1])
    except ValueError:
        return Notification("", 0, "", line, index + 1)
    return Notification(stream, int(place[2]), place[3][1:-1].decode(), b"{" + line[place.end() :], index + 1)


class TileFiles(Levels):
    """The hashes of a tree of so many leaves, out of its tiles."""

    def __init__(self, folder: Path, size: int) -> None:
        super().__init__(folder)
        self._size = size

    def found(self, level: int, first: int, count: int) -> bytes:
        tiles = range(first // TILE_WIDTH, -(-(first + count) // TILE_WIDTH))
        held = []
        for index in tiles:
            held.append(self._tile(level, index))
            if len(held[-1]) < TILE_WIDTH * HASH_BYTES:
                break
        start = (first - tiles.start * TILE_WIDTH) * HASH_BYTES
        return b"".join(held)[start : start + count * HASH_BYTES]

    def name(self, level: int, index: int) -> str:
        return str(self._path(level, index // TILE_WIDTH))

    def _tile(self, level: int, index: int) -> bytes:
        """A tile's hashes, none unless it has exactly those it must have."""
        try:
            data = self._path(level, index).read_bytes()
        except FileNotFoundError:
            return b""
        return data if len(data) == self._width(level, index) * HASH_BYTES else b""

    def _path(self, level: int, index: int) -> Path:
        return self.folder / Tile(level, index, self._width(level, index)).path()

    def _width(self, level: int, index: int) -> int:
        hashes: int = self._size // TILE_WIDTH**level
        return min(TILE_WIDTH, hashes - index * TILE_WIDTH)


@dataclass(frozen=True)
class PublishedLog:
    """A log in a folder of files: its newest checkpoint, the key that lies beside it, its tiles and its entries."""

    folder: Path

    @cached_property
    def key(self) -> VerifierKey:
        """What the log's signatures are verified with; raises `IntegrityBrokenError` for what is no such key."""
        path = self.folder / VERIFIER_KEY
        try:
            return VerifierKey.parse(path.read_text().removesuffix("\n"))
        except (OSError, ProofFailedError, UnicodeDecodeError) as error:
            raise IntegrityBrokenError(f"{path}: {error}") from error

    def checkpoint(self) -> Checkpoint:
        """The newest checkpoint; raises `IntegrityBrokenError` where the log's key has not signed it."""
        path = self.folder / CHECKPOINT
        try:
            return checkpoint_of(Note.parse(path.read_bytes()), self.key)
        except (OSError, ProofFailedError) as error:
            raise IntegrityBrokenError(f"{path}: {error}") from error

    @cached_property
    def recorder(self) -> ExportedLog:
        """The events of the log."""
        return ExportedLog(self.folder, self.checkpoint().size)

    @cached_property
    def levels(self) -> Levels:
        """The hashes of the log."""
        return TileFiles(self.folder, self.checkpoint().size)

    @contextmanager
    def opened(self) -> Iterator[EventLog]:
        """The events, also for another process."""
        yield self.recorder
