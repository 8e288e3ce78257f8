"""Holds events, the transparency log's files and checkpoints that somebody kept against one another.

The tree is computed anew from every event, be they in a store or in an export, and whatever differs is named.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ledger.domain.errors import IntegrityBrokenError, ProofFailedError
from ledger.domain.log import LogBegun
from ledger.store.entries import to_event
from ledger.store.recorder import EventLog
from ledger.transparency.log import CHECKPOINT, Levels
from ledger.transparency.notes import Checkpoint, Note, VerifierKey, checkpoint_of
from ledger.transparency.quorum import PUBLISHED
from projections.audit.tree import Recomputed, recompute
from projections.relation.spans import Held, Source

OnProgress = Callable[[int], None]
"""Called with the number of events done since its last call."""


class SignedLog(Protocol):
    """A log that can be verified: that of a ledger, or one that was exported."""

    @property
    def folder(self) -> Path:
        """The folder of the log."""

    @property
    def key(self) -> VerifierKey:
        """The key that the log is verified with."""

    @property
    def levels(self) -> Levels:
        """The hashes of the log."""

    @property
    def recorder(self) -> EventLog:
        """The events of the log."""

    def checkpoint(self) -> Checkpoint:
        """The newest one; raises `IntegrityBrokenError` where the log's key has not signed it."""


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
    is_named: bool = True
    """Whether an event names the log and its key; none does where the log was made before there was such an event."""


NAMED_MAX = 20
"""Events that name a log are read up to so many; a sound ledger has one."""


def names_of_log(events: EventLog) -> list[tuple[int, LogBegun]]:
    """The events that name the ledger's log, each with its place; `check_readable` tells of those that nobody can read."""
    found = []
    for stored in events.page(1, NAMED_MAX, topics=(LogBegun.TOPIC,)):
        with suppress(IntegrityBrokenError):
            event = to_event(stored)
            if isinstance(event, LogBegun):
                found.append((int(stored.id) - 1, event))
    return found


def verify(
    log: SignedLog,
    *,
    key: VerifierKey | None = None,
    expected: Sequence[Path] = (),
    source: Source[EventLog] | None = None,
    on_progress: OnProgress = lambda _: None,
) -> Verified:
    """Compute the whole tree from the events, and compare it with the log's files and checkpoint, and those expected.

    A key that is given is trusted in place of the one that lies with the log. With a source that other processes can
    open, they help. Raises `IntegrityBrokenError` where events cannot be read.
    """
    known = key or log.key
    signed, stored = log.checkpoint(), log.recorder.size()
    if known != log.key:
        return Verified(signed.origin, signed.size, 0, 0, (f"{log.folder}: not the log of the key {known.name} given",))
    size = min(signed.size, stored)
    anew = recompute(source or Held(log.recorder), log.recorder, size, log.levels, on_progress)
    broken = list(_problems(log, anew, signed, stored))
    named = names_of_log(log.recorder)
    for index, begun in named:
        if begun.verifier_key != str(known):
            broken.append(f"event {index} names the log {begun.verifier_key}, and this one is that of {known}")
    own = log.folder / PUBLISHED
    for path in [*expected, *([own] if own.exists() else [])]:
        broken += _problems_of(path, anew, known, size)
    return Verified(signed.origin, signed.size, stored - size, len(expected), tuple(broken), bool(named))


def _problems(log: SignedLog, anew: Recomputed, signed: Checkpoint, stored: int) -> Iterator[str]:
    if stored < signed.size:
        yield f"the store holds {stored} events, {signed.size} were signed: it is an older copy, or events were removed"
    is_as_signed = stored >= signed.size and anew.root(signed.size) == signed.root
    if not is_as_signed and _root(log.levels, signed.size) == signed.root:
        # The log's own hashes are those that were signed, so it is the store that differs.
        if anew.differing[0].first:
            yield f"event {anew.differing[0].first[0]} is not the one that was signed"
        elif stored >= signed.size:
            yield f"the store's events are not those signed at size {signed.size}"
        return
    if not is_as_signed and stored >= signed.size:
        yield f"neither the store's events nor the log's hashes give the root in {log.folder / CHECKPOINT}"
    for level, differing in anew.differences():
        first = differing.first[0]
        yield f"{log.levels.name(level, first)}: hash {first} is not that of the store's events"


def _root(levels: Levels, size: int) -> bytes | None:
    try:
        return levels.root(size)
    except IntegrityBrokenError:
        return None


def _problems_of(path: Path, anew: Recomputed, key: VerifierKey, size: int) -> Iterator[str]:
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
