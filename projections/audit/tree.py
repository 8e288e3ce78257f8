"""The tree of a log computed anew from every event, and held against the hashes that are kept of it.

The leaves and the tiles over them are computed and compared span by span; only the level above, a hash for each 256
events, is kept in memory, and from it everything else follows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from ledger.domain.errors import IntegrityBrokenError
from ledger.store.recorder import EventLog
from ledger.transparency.merkle import HASH_BYTES, TILE_WIDTH, Tree, leaf_hashes, tile_roots
from projections.relation.spans import Source, in_spans

DIFFERENCES_MAX = 20
"""So many differing hashes are named of a level; all are counted."""
_HASHES_PER_READ = TILE_WIDTH**2


class Kept(Protocol):
    """Hashes that are kept of a tree, in files."""

    def found(self, level: int, first: int, count: int) -> bytes:
        """So many hashes of a level of tiles from an index on, as far as they are there."""

    def name(self, level: int, index: int) -> str:
        """The file that a hash is in."""


@dataclass
class Differing:
    """Where the hashes that are kept of one level are not those of the events."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, ours: bytes, theirs: bytes, first: int) -> None:
        """Compare hashes that begin at an index."""
        if ours == theirs:
            return
        for at in range(0, len(ours), HASH_BYTES):
            if ours[at : at + HASH_BYTES] != theirs[at : at + HASH_BYTES]:
                self.count += 1
                if len(self.first) < DIFFERENCES_MAX:
                    self.first.append(first + at // HASH_BYTES)

    def add_all(self, other: "Differing") -> None:
        """Add what differs in the next span."""
        self.count += other.count
        self.first += other.first[: DIFFERENCES_MAX - len(self.first)]


@dataclass
class Recomputed:
    """The tree of a log's first events, computed anew."""

    log: EventLog
    size: int
    levels: list[bytearray] = field(default_factory=lambda: [bytearray()])
    """The hashes of level 1 of the tiles and of those above it; the leaves are too many to be kept."""
    differing: dict[int, Differing] = field(default_factory=dict)
    """Level → where the hashes kept of it differ."""

    def root(self, size: int) -> bytes:
        """The root of the first so many events."""
        return Tree(size, self._read).root()

    def _read(self, level: int, first: int, count: int) -> bytes:
        if level:
            return bytes(self.levels[level - 1][first * HASH_BYTES : (first + count) * HASH_BYTES])
        hashes = b"".join(map(leaf_hashes, self.log.leaves(first=first, until=first + count)))
        if len(hashes) != count * HASH_BYTES:  # a damaged database may show fewer events than a moment before
            raise IntegrityBrokenError(f"events {first} to {first + count - 1} are not all there; run `salur check`")
        return hashes

    def _grow_upwards(self) -> None:
        width = TILE_WIDTH * HASH_BYTES
        while whole := len(self.levels[-1]) // width * width:
            self.levels.append(bytearray(tile_roots(bytes(self.levels[-1][:whole]))))

    def differences(self) -> Iterator[tuple[int, Differing]]:
        """The levels in which there are any."""
        return ((level, each) for level, each in sorted(self.differing.items()) if each.count)


def recompute(
    source: Source[EventLog],
    log: EventLog,
    size: int,
    kept: Kept | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Recomputed:
    """Compute the tree over a log's first so many events, and compare it with the hashes kept.

    Raises `IntegrityBrokenError` where an event is missing or cannot be read.
    """
    found = Recomputed(log, size)
    found.differing[0] = Differing()
    for roots, differing in in_spans(source, size, partial(_span, kept), on_progress):
        found.levels[0] += roots
        found.differing[0].add_all(differing)
    found._grow_upwards()
    if kept is not None:
        for level, ours in enumerate(found.levels, start=1):
            found.differing[level] = _compared(kept, level, bytes(ours))
    return found


def _span(kept: Kept | None, log: EventLog, first: int, end: int) -> tuple[bytes, Differing]:
    """The roots of the whole tiles of a span that begins with one, and the leaves in it that differ."""
    leaves = b"".join(map(leaf_hashes, log.leaves(first=first, until=end)))
    if len(leaves) != (end - first) * HASH_BYTES:
        raise IntegrityBrokenError(f"events {first} to {end - 1} are not all there; run `salur check`")
    differing = Differing()
    if kept is not None:
        differing.add(leaves, kept.found(0, first, end - first), first)
    whole = len(leaves) // (TILE_WIDTH * HASH_BYTES) * (TILE_WIDTH * HASH_BYTES)
    return tile_roots(leaves[:whole]), differing


def _compared(kept: Kept, level: int, ours: bytes) -> Differing:
    differing = Differing()
    for first in range(0, len(ours) // HASH_BYTES, _HASHES_PER_READ):
        part = ours[first * HASH_BYTES : (first + _HASHES_PER_READ) * HASH_BYTES]
        differing.add(part, kept.found(level, first, len(part) // HASH_BYTES), first)
    return differing
