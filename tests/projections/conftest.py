from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.relation.archive import Archive
from tests.projections.archives import archive_of
from tests.projections.book_of_events import Book, keep_case


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    made = Book(tmp_path / "events.db")
    yield made
    made.close()


@pytest.fixture
def case(book: Book) -> Book:
    return keep_case(book)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def archive(case: Book, told: list[str]) -> Archive:
    return archive_of(case, told=told)
