from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.files.dates import DateOrder, parse_date
from ledger.files.errors import DateAmbiguousError, DateInvalidError


@pytest.mark.parametrize(
    "text",
    [
        *[
            "2020-10-15",
            "2020/10/15",
            "2020.10.15",
            "2020 10 15",
            " 2020-10-15 ",
            "2020-10-15T00:00:00",
            "2020-10-15 00:00:00",
        ],
        *["15/10/2020", "15-10-2020", "15.10.2020", "15 10 2020", "10/15/2020", "15/10/2020 00:00"],
        *["15 Okt 2020", "15 Oktober 2020", "15 October 2020", "15-Oct-2020", "15 OKTOBER 2020"],
    ],
)
def test_every_way_officers_write_a_date_is_the_same_date(text: str) -> None:
    assert parse_date(text, None) == date(2020, 10, 15)


def test_day_and_month_are_told_apart_by_the_stated_order_only() -> None:
    with pytest.raises(DateAmbiguousError):
        parse_date("05/06/2020", None)
    assert parse_date("05/06/2020", "dmy") == date(2020, 6, 5)
    assert parse_date("05/06/2020", "mdy") == date(2020, 5, 6)
    assert parse_date("06/06/2020", None) == date(2020, 6, 6)
    assert parse_date("2020-05-06", "dmy") == date(2020, 5, 6)


@given(
    st.dates(date(1900, 1, 1), date(2200, 12, 31)),
    st.sampled_from(["%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%d", "%d %B %Y", "%d-%b-%Y"]),
)
def test_dates_survive_every_style(day: date, style: str) -> None:
    assert parse_date(day.strftime(style), "dmy") == day


@pytest.mark.parametrize(
    ("text", "order"),
    [
        *[
            (text, None)
            for text in ["", "15/10/20", "2020", "20201015", "15102020", "2020-13-01", "31/02/2020", "15 Foo 2020"]
        ],
        *[
            (text, None)
            for text in ["15/10-2020", "2020-10-15T03:00:00", "44119", "0020-10-15", "13/13/2020", "١٥/١٠/٢٠٢٠"]
        ],
        *[("10/15/2020", "dmy"), ("15/10/2020", "mdy"), ("15/10/2020", "ymd")],
    ],
)
def test_anything_else_is_no_date(text: str, order: DateOrder | None) -> None:
    with pytest.raises(DateInvalidError):
        parse_date(text, order)
