from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ledger.domain.registry import EVENT_CLASSES
from projections.errors import LogSizeError
from projections.relation.database import database
from projections.relation.relations import FIELDS, load, view
from projections.reports.engine import fetch
from tests.projections.book_of_events import START, Book, opened, person

LATE = date(2100, 1, 1)


def seen(book: Any, as_of: date, known_at: Any) -> list[int]:
    with database() as connection:
        load(connection, book.recorder)
        view(connection, as_of, known_at)
        return [row["log_index"] for row in fetch(connection, "SELECT log_index FROM events ORDER BY 1")[1]]


def test_every_field_of_every_event_has_a_column() -> None:
    fields = {name for cls in EVENT_CLASSES.values() for name in cls.model_fields}
    assert set(FIELDS) == fields | {"agreement"}  # which is of the meta


def test_a_row_holds_what_was_stored(case: Book) -> None:
    with database() as connection:
        load(connection, case.recorder)
        _, [row] = fetch(connection, "SELECT * FROM log WHERE event = 'GroupFunded' AND group_id = 'g1'")
        _, [program] = fetch(connection, "SELECT * FROM log WHERE event = 'ProgramOpened' AND program = 'bsu'")
        _, refused = fetch(connection, "SELECT refused FROM log WHERE event = 'BatchProposed' AND batch_id = 'b1'")
    assert (row["stream"], row["version"], row["officer"], row["reference"]) == ("group/tkm/g1", 1, "siti", None)
    assert (row["amount"], row["members"]) == (5000, ["R000000006", "R000000007"])
    assert (row["decree_on"], row["effective_on"]) == (date(2020, 9, 1), date(2020, 10, 1))
    assert (program["schedule"], program["categories"]) == ([600, 400], ["worker"])
    assert refused == [{"refused": [{"code": "not_registered", "rows": 3}, {"code": "duplicate", "rows": 1}]}]


def test_an_instant_is_kept_to_the_microsecond_in_utc(book: Book) -> None:
    moment = datetime(2020, 10, 15, 23, 59, 59, 123456, tzinfo=UTC)
    book.add(opened(), at=moment)
    with database() as connection:
        load(connection, book.recorder)
        assert fetch(connection, "SELECT recorded_at FROM log")[1] == [{"recorded_at": moment.replace(tzinfo=None)}]


def test_as_of_a_date_shows_what_had_happened_by_then(book: Book) -> None:
    book.add(opened(), on="2020-10-02")
    book.add(person(1), on="2020-10-04")
    book.add(person(2), on="2020-10-03")
    assert seen(book, date(2020, 10, 1), None) == []
    assert seen(book, date(2020, 10, 3), None) == [0, 2]
    assert seen(book, LATE, None) == [0, 1, 2]


def test_known_at_a_size_shows_that_many_events(book: Book) -> None:
    book.add(opened(), person(1), person(2))
    assert [seen(book, LATE, size) for size in range(4)] == [[], [0], [0, 1], [0, 1, 2]]


@pytest.mark.parametrize("size", [-1, 2])
def test_a_size_that_the_log_has_not_reached_is_refused(book: Book, size: int) -> None:
    book.add(opened())
    with pytest.raises(LogSizeError):
        seen(book, LATE, size)


def test_known_at_an_instant_shows_what_was_recorded_until_then(book: Book) -> None:
    for minute, event in enumerate((opened(), person(1), person(2))):
        book.add(event, at=START + timedelta(minutes=minute))
    assert seen(book, LATE, START - timedelta(seconds=1)) == []
    assert seen(book, LATE, START) == [0]
    assert seen(book, LATE, START + timedelta(minutes=1, seconds=59)) == [0, 1]
    assert seen(book, LATE, START + timedelta(days=1)) == [0, 1, 2]


def test_a_clock_that_runs_backwards_moves_no_published_figure(book: Book) -> None:
    book.add(opened(), at=START)
    book.add(person(1), at=START + timedelta(minutes=10))
    instant = START + timedelta(minutes=5)
    before = seen(book, LATE, instant)
    book.add(person(2), at=START + timedelta(minutes=1))
    assert before == seen(book, LATE, instant) == [0]


def test_the_context_tells_what_the_rows_are_true_for(book: Book) -> None:
    book.add(opened("USD", 2), person(1))
    with database() as connection:
        load(connection, book.recorder)
        view(connection, date(2020, 10, 15), 1)
        assert fetch(connection, "SELECT * FROM context")[1] == [
            {"as_of": date(2020, 10, 15), "log_size": 1, "currency": "USD", "decimals": 2}
        ]


def test_a_later_event_never_changes_what_was_known_before(case: Book) -> None:
    size = case.size
    before = seen(case, date(2020, 10, 5), size)
    case.add(person(50), on="2020-09-01")
    assert seen(case, date(2020, 10, 5), size) == before
    assert len(seen(case, date(2020, 10, 5), None)) == len(before) + 1
