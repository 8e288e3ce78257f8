"""Every figure is the sum of what events contribute to it, at any date and any size of the log."""

from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.payment import ReturnReason, TrancheReissued, TrancheReturned
from ledger.domain.program import Kind, ProgramOpened
from projections.errors import FigureUnknownError
from projections.reports import explain as explain_module
from projections.reports.catalogue import REPORTS
from projections.reports.engine import Reports
from projections.reports.explain import Figure, explain, parse_figure
from tests.explained import assert_explained, contributions
from tests.projections.book_of_events import Book, crooked, keep_case, opened, paid, step

YEAR_END = date(2020, 12, 31)


@pytest.mark.parametrize("as_of", [date(2020, 10, day) for day in (1, 5, 8, 9, 12, 21)] + [YEAR_END], ids=str)
def test_every_figure_of_every_report_is_the_sum_of_its_events(case: Book, as_of: date) -> None:
    with Reports(case.recorder) as reports:
        for size in (None, 41):
            reports.ask(assert_explained, as_of=as_of, known_at=size)


@pytest.mark.parametrize("day", [1, 2, 3, 4, 5, 6, 8, 10, 20])
def test_figures_are_sums_also_where_dates_and_order_disagree(book: Book, day: int) -> None:
    crooked(book)
    with Reports(book.recorder) as reports:
        for size in (None, book.size - 6):
            reports.ask(assert_explained, as_of=date(2020, 10, day), known_at=size)


@pytest.mark.parametrize("make", [keep_case, crooked])
def test_what_an_event_contributes_depends_on_no_later_event(book: Book, make: Any) -> None:
    make(book)
    with Reports(book.recorder) as reports:
        for report in (name for name, each in REPORTS.items() if each.sums):
            whole = reports.ask(partial(contributions, report=report), as_of=YEAR_END)
            for size in range(0, book.size, 19):
                then = set(reports.ask(partial(contributions, report=report), as_of=YEAR_END, known_at=size))
                known = {each for each in whole if each[1] < size}
                # A recipient's first payment makes a row, which rests on the opening of the program as well.
                assert then <= known if report == "balances" else then == known


# One figure


def events_of(book: Book, figure: str, **moment: Any) -> list[tuple[str, int, str, int]]:
    with Reports(book.recorder) as reports:
        found = explain(reports, figure, **{"as_of": YEAR_END, **moment})
        rows = found.page(1)
    assert [row["log_index"] for row in rows] == sorted(row["log_index"] for row in rows)
    assert sum(row["contribution"] for row in rows) == found.value
    return [(row["stream"], row["version"], row["event"], row["contribution"]) for row in rows]


def test_what_is_still_back_is_the_returns_less_what_was_paid_again_or_refunded(case: Book) -> None:
    assert events_of(case, "tranches/bsu/1/returned") == [
        ("payment/bsu/1/R000000003", 2, "TrancheReturned", 600),
        ("payment/bsu/1/R000000004", 2, "TrancheReturned", 600),
        ("payment/bsu/1/R000000002", 2, "TrancheReturned", 600),
        ("payment/bsu/1/R000000003", 3, "TrancheReissued", -600),
        ("payment/bsu/1/R000000004", 3, "TrancheRefunded", -600),
    ]
    assert events_of(case, "tranches/bsu/1/returned", as_of=date(2020, 10, 4)) == [
        ("payment/bsu/1/R000000003", 2, "TrancheReturned", 600),
        ("payment/bsu/1/R000000004", 2, "TrancheReturned", 600),
    ]


def test_people_count_with_the_event_that_first_helps_them(case: Book) -> None:
    # A person in two sessions counts once; of a reversed payment that is made again nothing is left but the first.
    assert events_of(case, "training/tkm/people") == [
        ("recipient/R000000006", 2, "TrainingAttended", 1),
        ("recipient/R000000009", 2, "TrainingAttended", 1),
    ]
    assert [row[3] for row in events_of(case, "programs/bsu/recipients")] == [1, 1, 1, 1, 1, -1, 1]
    # Three members of groups; one of them was trained too, as was one more, who had other support as well.
    assert [row[0] for row in events_of(case, "programs/jps/people_in_all")] == [
        "membership/tkm/R000000006",
        "membership/tkm/R000000007",
        "membership/tkm/R000000008",
        "recipient/R000000009",
    ]


def test_a_settlement_counts_until_something_comes_after_it(case: Book) -> None:
    back: dict[str, Any] = {"attempt": 1, "return_reason": ReturnReason.CLOSED_ACCOUNT, "recorded_by": "siti"}
    case.add(step(TrancheReturned, 1, **back), on="2020-11-01")
    assert events_of(case, "tranches/bsu/1/settled") == [
        ("payment/bsu/1/R000000001", 2, "TrancheSettled", 600),
        ("payment/bsu/1/R000000001", 3, "TrancheReturned", -600),
    ]


def test_a_figure_of_zero_rests_on_no_event(case: Book) -> None:
    assert events_of(case, "programs/jps/budget") == []


def test_keys_with_slashes_and_without_a_value_are_named(case: Book) -> None:
    assert [row[3] for row in events_of(case, "returns/bsu/1/R000000002/amount")] == [600]
    # The file's second reading has two rows where its first had seven.
    assert [row[3] for row in events_of(case, "refusals/recipient add//nik_invalid/rows")] == [7, -5]
    figure = Figure("aid", ("a/b%", None), "quantity")
    assert str(figure) == "aid/a%2Fb%25//quantity"
    assert parse_figure(str(figure)) == figure


def test_a_quotation_mark_in_a_name_is_a_name(case: Book) -> None:
    with pytest.raises(FigureUnknownError):
        events_of(case, "programs/' OR program = 'bsu/disbursed")


@pytest.mark.parametrize(
    ("figure", "sentence"),
    [
        ("program/bsu/disbursed", "there is no report 'program' (did you mean programs?)"),
        ("programs/bsu/disburse", "programs has no such column of sums (did you mean disbursed?)"),
        ("programs/bsv/disbursed", "programs has no row 'bsv' (did you mean bsu?); choose from: bsu, jps, tkm"),
        ("programs/bsu/ceiling", "ceiling is no sum of events, it is a term"),
        ("destinations/HK/decree_ref", "destinations has no such column of sums; choose from: none"),
        ("tranches/bsu/disbursed", "it names no row; choose from: tranches/PROGRAM/TRANCHE/disbursed"),
        ("tranches/bsu/one/disbursed", "'one' is no number"),
        ("programs", "programs has no such column"),
        ("programs/disbursed", "it names no row"),
    ],
)
def test_a_wrong_name_gets_the_nearest_and_what_there_is(case: Book, figure: str, sentence: str) -> None:
    with pytest.raises(FigureUnknownError) as refused:
        events_of(case, figure)
    assert sentence in str(refused.value)


def test_a_figure_that_its_events_do_not_sum_to_is_broken_integrity(case: Book) -> None:
    # The rules never number a later attempt lower: the report names it by its number, the events by the highest.
    back: dict[str, Any] = {"return_reason": ReturnReason.CLOSED_ACCOUNT, "recorded_by": "siti"}
    case.add(step(TrancheReturned, 3, attempt=2, **back), step(TrancheReissued, 3, attempt=3, after="return"))
    case.add(step(TrancheReturned, 3, attempt=1, **back))
    with pytest.raises(IntegrityBrokenError, match="the report says 600 of returns/bsu/1/R000000003/amount"):
        events_of(case, "returns/bsu/1/R000000003/amount")


def test_events_are_paged_and_written_whole(book: Book, tmp_path: Path) -> None:
    book.add(opened(), ProgramOpened(program="bsu", name="B", kind=Kind.CASH, fiscal_year=2020, schedule=(600,)))
    book.add(*(paid(number) for number in range(1, 128)))
    with Reports(book.recorder) as reports:
        found = explain(reports, "programs/bsu/disbursed", as_of=YEAR_END)
        pages = [found.page(number) for number in range(1, found.page_count() + 1)]
        found.write(tmp_path / "all", form="csv")
        found.write(tmp_path / "second", form="csv", page=2)
    assert [len(page) for page in pages] == [50, 50, 27]
    assert [row["log_index"] for page in pages for row in page] == list(range(2, 129))
    lines = (tmp_path / "all").read_text().splitlines()
    assert lines[0] == "log_index,stream,version,event,effective_on,recorded_at,officer,contribution"
    assert lines[1] == "2,payment/bsu/1/R000000001,1,TrancheDisbursed,2020-10-01,2020-09-01T08:03:00Z,siti,600"
    assert len(lines) == 128
    assert (tmp_path / "second").read_text().splitlines() == [lines[0], *lines[51:101]]


@pytest.mark.parametrize("events_a_span", [1, 7])
def test_spans_of_the_log_change_nothing(case: Book, tmp_path: Path, monkeypatch: Any, events_a_span: int) -> None:
    texts = []
    for events in (1_000_000, events_a_span):
        monkeypatch.setattr(explain_module, "EVENTS_A_SPAN", events)
        with Reports(case.recorder) as reports:
            explain(reports, "trial-balance/assets:reserved:bsu/IDR/balance", as_of=YEAR_END).write(
                tmp_path / "events", form="csv"
            )
        texts.append((tmp_path / "events").read_text())
    assert texts[0] == texts[1]
    assert len(texts[0].splitlines()) > 10
