import io
import json
from datetime import date
from typing import Any

import pytest

from ledger.console.columns import columns
from ledger.console.tables import format_amount, render, to_csv, to_json
from ledger.domain.money import Currency
from projections.reports.engine import Reports
from tests.projections.book_of_events import Book

YEAR_END = date(2020, 12, 31)


def shown(case: Any, name: str, *, lang: Any = "en", width: int | None = None, encoding: str = "utf-8") -> str:
    with Reports(case.recorder) as reports:
        report = reports.run(name, as_of=YEAR_END)
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    render(
        report.rows, report.columns, layout=report.layout, lang=lang, currency=Currency(report.currency, report.decimals),
        heading="Heading", footer="Footer", file=file, width=width,
    )  # fmt: skip
    file.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("amount", "lang", "currency", "decimals", "text"),
    [
        (14_340_000_000_000, "id", "IDR", 0, "Rp14.340.000.000.000"),
        (14_340_000_000_000, "en", "IDR", 0, "IDR 14,340,000,000,000"),
        (-1234567, "id", "IDR", 0, "-Rp1.234.567"),
        (123456, "en", "USD", 2, "$1,234.56"),
        (1, "id", "KWD", 3, "KWD 0,001"),
        (9_007_199_254_740_993 * 10**18, "en", "IDR", 0, "IDR 9,007,199,254,740,993" + ",000" * 6),
    ],
)
def test_an_amount_is_exact_and_written_as_its_reader_writes_it(
    amount: int, lang: Any, currency: str, decimals: int, text: str
) -> None:
    assert format_amount(amount, lang=lang, currency=currency, decimals=decimals) == text


def test_figures_line_up_at_the_right(case: Book) -> None:
    lines = shown(case, "balances").splitlines()
    assert len({len(line.rstrip()) for line in lines if "R00000000" in line}) == 1


def test_the_totals_never_add_up_ceilings_or_people(case: Book) -> None:
    total = next(line for line in shown(case, "programs").splitlines() if line.strip().startswith("Total"))
    assert total.split() == [
        "Total",
        "IDR",
        "30,000",
        "IDR",
        "0",
        "IDR",
        "12,400",
        "IDR",
        "600",
        "IDR",
        "600",
        "2",
        "IDR",
        "17,600",
    ]
    total = next(line for line in shown(case, "tranches").splitlines() if line.strip().startswith("Total"))
    assert total.split() == [
        "Total",
        "6",
        "IDR",
        "3,400",
        "IDR",
        "600",
        "IDR",
        "1,200",
        "IDR",
        "600",
        "IDR",
        "600",
        "1",
    ]


def test_different_goods_are_never_added_up(case: Book) -> None:
    assert "Total" not in shown(case, "aid").split("Footer")[0]


def test_programs_stand_under_their_parent_with_a_bar_of_what_is_used(case: Book) -> None:
    text = shown(case, "programs")
    assert "└ tkm" in text
    assert "████░░░░░░  45%" in text
    assert "└" not in shown(case, "programs", encoding="ascii")
    assert "- tkm" in shown(case, "programs", encoding="ascii")
    assert "####......  45%" in shown(case, "programs", encoding="ascii")


def test_a_table_speaks_indonesian(case: Book) -> None:
    text = shown(case, "returns", lang="id")
    assert "Alasan retur" in text
    assert "Rp600" in text
    assert "5 Okt 2020" in text


def test_a_pipe_gets_every_column_uncut(case: Book) -> None:
    text = shown(case, "payments")
    assert "payment/bsu/1/R000000001" in text
    assert "…" not in text
    assert "Not shown" not in text


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
@pytest.mark.parametrize("name", ["programs", "tranches", "batches", "balances", "journal"])
def test_a_narrow_terminal_drops_columns_and_says_so_and_cuts_no_figure(case: Book, name: str, width: int) -> None:
    text = shown(case, name, width=width)
    table, _, footer = text.partition("Not shown")
    assert set(table.replace("─", "").split()) <= set(shown(case, name).split())
    assert footer or width == 120
    if width >= 40:
        assert max(len(line.rstrip()) for line in table.splitlines()) <= width


def test_no_colour_where_none_is_wanted(case: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in shown(case, "programs")


def test_a_text_of_an_officer_cannot_move_the_cursor() -> None:
    file = io.StringIO()
    render([{"name": "a\x1b[2Jb\nc [red]d[/red]"}], columns("name"), file=file)
    assert "a?[2Jb?c [red]d[/red]" in file.getvalue()


def test_an_empty_report_says_so() -> None:
    file = io.StringIO()
    render([], columns("program"), lang="id", file=file)
    assert file.getvalue() == "tidak ada data\n"


def test_csv_and_json_hold_exact_numbers_and_iso_dates() -> None:
    row = {"amount": 2**70, "returned_on": date(2020, 10, 15), "is_closed": False, "name": 'a "b", c', "ceiling": None}
    assert to_csv([row], columns(*row)) == (
        'amount,returned_on,is_closed,name,ceiling\n1180591620717411303424,2020-10-15,false,"a ""b"", c",\n'
    )
    assert json.loads(to_json([row])) == [row | {"returned_on": "2020-10-15"}]


def test_an_empty_csv_still_has_its_header() -> None:
    assert to_csv([], columns("program people")) == "program,people\n"
    assert json.loads(to_json([])) == []


def test_a_narrow_terminal_breaks_words_into_lines_and_cuts_nothing() -> None:
    about = "recipient_id R000000004; category worker; region 31.74; source 1d6b1d50db4f0342:17"
    row = {"event": "RecipientRegistered", "recorded_at": "2020-10-15 03:00:00", "officer": "siti", "about": about}
    file = io.StringIO()
    render([row], columns(*row), file=file, width=70)
    printed = file.getvalue()
    assert max(len(line) for line in printed.splitlines()) <= 70
    assert [word for word in about.split() if word not in printed] == []
    assert "RecipientRegistered" in printed
    assert "Not shown for want of width: Recorded at (UTC)" in printed
