"""Work over a whole log, or a whole vault, in spans, several at once where it is long: each in a process that reads its own
range.
"""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Protocol, TypeVar, cast

from ledger.application.folder import Place
from ledger.store.recorder import EventLog
from ledger.transparency.merkle import TILE_WIDTH

SPAN_EVENTS = TILE_WIDTH**2
"""So that the events of a whole span are one complete subtree, and whole tiles of the level below."""
WORKERS = 2
EVENTS_MIN = 4 * SPAN_EVENTS
"""Fewer are done in this process: to start others takes longer."""

R = TypeVar("R", covariant=True)
_SAFE_PATH = "PYTHONSAFEPATH"

T = TypeVar("T")


class Source(Protocol[R]):
    """Where a log is, or what else is read in spans, so that another process can open it as well."""

    def opened(self) -> AbstractContextManager[R]:
        """The log, as long as the block lasts."""


Work = Callable[[R, int, int], T]
"""What is done with the events of a log from one index up to another."""


@dataclass(frozen=True)
class Stored:
    """The events of a ledger, in its store."""

    place: Place
    read_only: bool = False

    @contextmanager
    def opened(self) -> Iterator[EventLog]:
        with closing(self.place.factory(read_only=self.read_only)) as factory:
            yield cast("EventLog", factory.application_recorder())


@dataclass(frozen=True)
class Held:
    """A log that is open already, and that no other process can open: all is done in this one."""

    log: EventLog

    @contextmanager
    def opened(self) -> Iterator[EventLog]:
        yield self.log


def in_spans(
    source: Source[R],
    size: int,
    work: Work[R, T],
    on_progress: Callable[[int], None] = lambda _: None,
    *,
    spans: Sequence[tuple[int, int]] | None = None,
) -> Iterator[T]:
    """What the work returns for each span of the first so many events, in order of the log.

    The work must be such that it can be sent to another process, and what it returns such that it can be sent back.
    """
    if spans is None:
        spans = [(first, min(first + SPAN_EVENTS, size)) for first in range(0, size, SPAN_EVENTS)]
    if size < EVENTS_MIN or isinstance(source, Held):
        with source.opened() as log:
            for first, end in spans:
                yield work(log, first, end)
                on_progress(end - first)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Not forked: what a database's library holds in this process is not for two.
    with _without_code_of_the_working_folder(), ProcessPoolExecutor(WORKERS, get_context("spawn"), _begin) as pool:
        coming = [pool.submit(_done, source, work, first, end) for first, end in spans]
        try:
            for (first, end), each in zip(spans, coming, strict=True):
                yield each.result()
                on_progress(end - first)
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _without_code_of_the_working_folder() -> Iterator[None]:
    """Let processes that are started import nothing that lies where the command was given, as Python's -P does.

    It is said by the environment: the library that starts them has no other way, and starts one more for itself.
    """
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


def _begin() -> None:
    """Leave interruptions to the process that people talk to, and end with it, also when it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_the_other, daemon=True).start()


def _end_with_the_other() -> None:
    from multiprocessing import parent_process

    if other := parent_process():
        other.join()
        os._exit(1)


def _done(source: Source[R], work: Work[R, T], first: int, end: int) -> T:
    with source.opened() as log:
        return work(log, first, end)
