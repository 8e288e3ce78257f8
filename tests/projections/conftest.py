from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.projections.book_of_events import Book, keep_case


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    made = Book(tmp_path / "events.db")
    yield made
    made.close()


@pytest.fixture
def case(book: Book) -> Book:
    return keep_case(book)
