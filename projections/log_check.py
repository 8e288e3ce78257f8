"""Holds the store, the transparency log's files and checkpoints that somebody kept against one another.

The tree is computed anew from every event in the store, in a folder of its own, and whatever differs is named.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.errors import IntegrityBrokenError, ProofFailedError
from ledger.log import CHECKPOINT, Levels, Log
from ledger.merkle import HASH_BYTES
from ledger.notes import Checkpoint, Note, VerifierKey, checkpoint_of
from ledger.witnessed import PUBLISHED

OnProgress = Callable[[int], None]
"""Told of the number of events done since the last call."""
_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Verified:
    """What was found: how much was held against what, and in a sentence each what is not as it must be."""

    origin: str
    size: int
    waiting: int
    """Events in the store that no checkpoint has yet."""
    expected: int
    """Checkpoints given by whoever asked, all of which the log continues unless `broken` says otherwise."""
    broken: tuple[str, ...]


def verify(
    log: Log,
    *,
    key: VerifierKey | None = None,
    expected: Sequence[Path] = (),
    on_progress: OnProgress = lambda _: None,
) -> Verified:
    """Compute the whole tree from the store, and compare it with the log's files and checkpoint, and those expected.

    A key that is given is trusted in place of the one that lies with the log.
    """
    known = key or log.key
    signed, stored = log.checkpoint(), log.recorder.size()
    if known != log.key:
        return Verified(signed.origin, signed.size, 0, 0, (f"{log.folder}: not the log of the key {known.name} given",))
    size = min(signed.size, stored)
    with TemporaryDirectory(prefix="salur-") as room:
        anew = Levels(Path(room))
        anew.grow(log.recorder, 0, size, on_progress)
        broken = list(_problems(log, anew, signed, stored))
        own = log.folder / PUBLISHED
        for path in [*expected, *([own] if own.exists() else [])]:
            broken += _problems_of(path, anew, known, size)
    return Verified(signed.origin, signed.size, stored - size, len(expected), tuple(broken))


def _problems(log: Log, anew: Levels, signed: Checkpoint, stored: int) -> Iterator[str]:
    if stored < signed.size:
        yield f"the store holds {stored} events, {signed.size} were signed: it is an older copy, or events were removed"
    is_as_signed = stored >= signed.size and anew.root(signed.size) == signed.root
    size = min(signed.size, stored)
    if not is_as_signed and _root(log.levels, signed.size) == signed.root:
        # The log's own hashes are those that were signed, so it is the store that differs.
        first = _first_difference(anew.path(0), log.levels.path(0), size * HASH_BYTES)
        if first is not None:
            yield f"event {first // HASH_BYTES} is not the one that was signed"
        elif stored >= signed.size:
            yield f"the store's events are not those signed at size {signed.size}"
        return
    if not is_as_signed and stored >= signed.size:
        yield f"neither the store's events nor the log's hashes give the root in {log.folder / CHECKPOINT}"
    for level in count():
        wanted = anew.path(level)
        if not wanted.exists():
            break
        differs = _first_difference(wanted, log.levels.path(level), wanted.stat().st_size)
        if differs is not None:
            yield f"{log.levels.path(level)}: hash {differs // HASH_BYTES} is not that of the store's events"


def _root(levels: Levels, size: int) -> bytes | None:
    try:
        return levels.root(size)
    except IntegrityBrokenError:
        return None


def _problems_of(path: Path, anew: Levels, key: VerifierKey, size: int) -> Iterator[str]:
    """What speaks against a checkpoint that somebody kept."""
    try:
        kept = checkpoint_of(Note.parse(path.read_bytes()), key)
    except ProofFailedError as error:
        yield f"{path}: {error}"
        return
    if kept.size > size:
        yield f"{path}: it was signed over {kept.size} events, the log has {size}"
    elif anew.root(kept.size) != kept.root:
        yield f"{path}: the log's first {kept.size} events are not those it was signed over"


def _first_difference(one: Path, other: Path, size: int) -> int | None:
    """The first byte, of so many, in which two files differ or that one of them lacks."""
    at = 0
    try:
        with one.open("rb") as first, other.open("rb") as second:
            while at < size:
                left, right = (file.read(min(_READ_BYTES, size - at)) for file in (first, second))
                if left != right or not left:
                    pairs = zip(left, right, strict=False)
                    return at + next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(left), len(right)))
                at += len(left)
    except FileNotFoundError:
        return at
    return None
