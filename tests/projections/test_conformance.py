"""The same rows on DuckDB and on Spark: of every report, law and explanation, at several dates and sizes of the log."""

import os
from collections.abc import Callable, Iterator
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from projections.audit.check import check
from projections.laws.law import law_names
from projections.reports.catalogue import PROJECTIONS
from tests.projections.book_of_events import Book, break_laws, crooked, keep_case
from tests.projections.conformance import ABSENT_PEOPLE, Both, laws, on_both, reports
from tests.projections.spark_side import sail, show_events
from tests.projections.test_dialect import FILES, as_run

YEAR_END = date(2020, 12, 31)
SEGMENT_EVENTS = 40
"""Few, so that a small ledger has several files of columns, each with others, and a rest."""


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    if not (find_spec("pysail") and find_spec("pyspark")):
        reason = "Sail is not installed, so nothing shows that Spark gives the same rows: pip install -e '.[spark]'"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sail() as opened:
        yield opened


@pytest.fixture(scope="module", params=[keep_case, crooked, break_laws], ids=lambda make: make.__name__)
def both(session: Any, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    make: Callable[[Book], Book] = request.param
    folder = tmp_path_factory.mktemp(make.__name__)
    book = make(Book(folder / "events.db"))
    with on_both(session, book, folder, SEGMENT_EVENTS) as made:
        yield made
    book.close()


def differences(both: Both, queries: dict[str, str]) -> dict[str, list[str]]:
    found = {name: both.compare(name, query).differences for name, query in queries.items()}
    return {name: rows for name, rows in found.items() if rows}


@pytest.mark.parametrize(("as_of", "thirds"), [(YEAR_END, 3), (date(2020, 10, 5), 3), (date(2020, 10, 8), 2)], ids=str)
def test_reports_and_explanations_have_the_same_rows_on_spark(both: Both, as_of: date, thirds: int) -> None:
    both.look(as_of, both.log_size() * thirds // 3)
    assert differences(both, reports()) == {}


def test_laws_find_the_same_on_spark(both: Both) -> None:
    both.look(date.max)
    assert differences(both, laws()) == {}


def test_one_of_the_ledgers_breaks_every_law(tmp_path: Path) -> None:
    book = break_laws(Book(tmp_path / "events.db"))
    found = check(book.recorder, absent=lambda: ABSENT_PEOPLE)
    assert {law.name for law in found if law.broken or law.notices} >= set(law_names())
    book.close()


def test_no_file_is_left_out() -> None:
    compared = {*reports().values(), *laws().values()}
    assert [path.name for path in FILES if as_run(path) not in compared] == []


def test_other_rows_another_order_and_other_kinds_are_differences(both: Both) -> None:
    both.look(YEAR_END)
    nulls = "SELECT DISTINCT program FROM events ORDER BY program"
    assert both.compare("training", f"{nulls} NULLS FIRST").differences == []
    assert len(both.compare("training", nulls).differences) > 1
    assert both.compare("in any order", nulls).differences == []
    [kinds] = both.compare("kinds", "SELECT AVG(amount) AS average FROM events").differences
    assert kinds == "columns [('average', 'DOUBLE')], on Spark [('average', 'DECIMAL(22,4)')]"
    show_events(both.session, date(2020, 1, 1), both.log_size())
    found = both.compare("programs", PROJECTIONS["programs"].sql).differences
    assert found
    assert all(row.startswith("only on DuckDB: ") for row in found)
