"""Dates as officers write them; one that could be two dates is refused."""

import re
from datetime import date
from typing import Literal

from ledger.domain.errors import shape_of
from ledger.files.errors import DateAmbiguousError, DateInvalidError

DateOrder = Literal["dmy", "mdy", "ymd"]

_MIDNIGHT = re.compile(r"[t ]00:00(:00(\.0+)?)?$")
_YEAR_FIRST = re.compile(r"([12][0-9]{3})([-/. ])([0-9]{1,2})\2([0-9]{1,2})")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/. ])([0-9]{1,2})\2([12][0-9]{3})")
_NAMED_MONTH = re.compile(r"([0-9]{1,2})[-/. ]([a-z]+)[-/. ]([12][0-9]{3})")
_MONTH_NAMES = (
    ("januari", "january"),
    ("februari", "february", "pebruari"),
    ("maret", "march"),
    ("april",),
    ("mei", "may"),
    ("juni", "june"),
    ("juli", "july"),
    ("agustus", "august", "agt", "ags"),
    ("september",),
    ("oktober", "october"),
    ("november", "nopember"),
    ("desember", "december"),
)
_MONTHS = {
    name[:length]: month
    for month, names in enumerate(_MONTH_NAMES, 1)
    for name in names
    for length in range(3, len(name) + 1)
}
"""Every name of a month and its abbreviations of three letters or more."""


def parse_date(text: str, order: DateOrder | None) -> date:
    """The date meant by the text: year-month-day always, day and month in the order stated or else if only one fits.

    A stated order is kept to: 10/15/2020 is refused where the order is day, month, year. Years have four digits.
    A time of day is refused unless it is midnight, which spreadsheets add.
    """
    plain = _MIDNIGHT.sub("", text.strip().casefold())
    try:
        return date(*_year_month_day(plain, order, text))
    except ValueError:
        raise DateInvalidError(shape=shape_of(text)) from None


def _year_month_day(plain: str, order: DateOrder | None, text: str) -> tuple[int, int, int]:
    if found := _YEAR_FIRST.fullmatch(plain):
        return int(found[1]), int(found[3]), int(found[4])
    if found := _NAMED_MONTH.fullmatch(plain):
        return int(found[3]), _MONTHS.get(found[2], 0), int(found[1])
    found = _YEAR_LAST.fullmatch(plain)
    if found is None or order == "ymd":
        raise ValueError
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    if order is None and max(first, second) <= 12 and first != second:
        raise DateAmbiguousError(shape=shape_of(text))
    if order == "mdy" or (order is None and second > 12):
        return year, first, second
    return year, second, first
