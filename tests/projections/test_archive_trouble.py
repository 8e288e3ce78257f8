"""Trouble that is not the archive's own costs it nothing: a query that is wrong, a process that may open no more files."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

import duckdb
import pytest

from ledger.store.errors import StoreFailedError
from projections.relation import archive as archives
from projections.relation.archive import Archive
from projections.relation.database import database
from projections.relation.relations import Segment
from projections.reports.engine import Reports
from tests.projections.book_of_events import Book


@pytest.fixture
def sealed(case: Book) -> tuple[Archive, list[str]]:
    told: list[str] = []
    archive = Archive(case.path.with_name("archive"), case.recorder, segment_events=10, tell=told.append)
    archive.seal()
    return archive, told


@contextmanager
def no_more_files() -> Iterator[None]:
    """Let this process open no further file."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    spare = Path("/dev/null").open("rb")  # noqa: SIM115  # its number is the highest that is in use
    resource.setrlimit(resource.RLIMIT_NOFILE, (spare.fileno() + 1, before[1]))
    held = []
    try:
        with suppress(OSError):
            while True:
                held.append(Path("/dev/null").open("rb"))  # noqa: SIM115  # closed below
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for each in (spare, *held):
            each.close()


def test_a_segment_is_not_taken_for_damaged_where_no_more_files_can_be_opened(
    sealed: tuple[Archive, list[str]],
) -> None:
    archive, told = sealed
    segments = {each.path: each.path.read_bytes() for each in archive.segments()}
    found = archives._found(archive.folder)
    with database() as connection, no_more_files(), pytest.raises(StoreFailedError, match="Too many open files"):
        archives._is_readable(connection, found[0])
    with database() as connection, no_more_files(), pytest.raises(StoreFailedError, match="Too many open files"):
        archives._labels(connection, found)

    assert told == []
    assert {each.path: each.path.read_bytes() for each in archive.segments()} == segments


def test_an_error_of_a_query_reads_no_segment(
    case: Book, sealed: tuple[Archive, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, told = sealed
    looked_at: list[Segment] = []

    def look_at(_: object, segment: Segment) -> bool:
        looked_at.append(segment)
        return True

    monkeypatch.setattr(archives, "_is_readable", look_at)
    for query in ("SELECT nothing FROM events", "SELECT FROM WHERE", "SELECT * FROM nowhere"):
        with Reports(case.recorder, archive) as reports, pytest.raises(duckdb.ProgrammingError):
            reports.ask(lambda connection, query=query: connection.execute(query).fetchall(), as_of=date.max)  # type: ignore[misc]  # the default binds the loop's variable

    assert (looked_at, told) == ([], [])
