"""Reports for people (tables in their language) and for other programs (CSV, JSON)."""

import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TextIO

from ledger.console.headings import (
    ADDITIVE,
    BY_COMMODITY,
    DROPPED_FIRST,
    FIGURES,
    MONEY,
    NAMES_IN_DIGITS,
    ONE_OF,
    SENTENCES,
    Language,
    phrase,
    title,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Row = Mapping[str, Any]

BAR_CELLS = 10
_WORDS_WIDTH_MIN = 30
_WIDE = 100_000
"""Columns of a file or a pipe: no cell is ever cut there."""

_DIGITS = 40
"""Of the largest sum of a projection; the usual 28 would round it."""


# For other programs


def to_csv(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """A header and a line a row; whole numbers exact, dates ISO, nothing for null."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_plain(row[column]) for column in columns] for row in rows)
    return text.getvalue()


def to_json(rows: Sequence[Row]) -> str:
    """A list of objects; whole numbers exact, dates ISO."""
    return json.dumps([dict(row) for row in rows], default=_plain, ensure_ascii=False, indent=2) + "\n"


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else value


# For people


def format_amount(amount: int, *, lang: Language, currency: str, decimals: int) -> str:
    """An amount of minor units as its reader writes it, e.g. `Rp14.340.000.000.000`."""
    locale, pattern = _money_format(lang, decimals)
    with localcontext(prec=_DIGITS):
        text = pattern.apply(Decimal(amount).scaleb(-decimals), locale, currency=currency, currency_digits=False)
    # CLDR puts a space between a currency's letters and a number; babel leaves it out.
    return str(text).replace(currency, f"{currency} ")


def format_number(number: int, *, lang: Language) -> str:
    """A whole number with its thousands apart, as its reader writes it."""
    from babel.numbers import format_decimal

    return str(format_decimal(number, locale=lang))


def format_date(day: date, *, lang: Language) -> str:
    """A day as its reader writes it."""
    from babel.dates import format_date

    return str(format_date(day, "medium", locale=lang))


@lru_cache
def _money_format(lang: Language, decimals: int) -> tuple[Any, Any]:
    from babel import Locale
    from babel.numbers import parse_pattern

    locale = Locale(lang)
    pattern = parse_pattern(locale.currency_formats["standard"].pattern)
    # The ledger's own decimals: CLDR's are those of today's coins.
    pattern.frac_prec = (decimals, decimals)
    return locale, pattern


def render(
    rows: Sequence[Row],
    columns: Sequence[str],
    *,
    name: str = "",
    lang: Language = "en",
    currency: str = "",
    decimals: int = 0,
    heading: str | None = None,
    footer: str | None = None,
    file: TextIO | None = None,
    width: int | None = None,
) -> None:
    """Print a report's table, with a line of totals; `name` is the report's.

    On a terminal (or with a `width`) columns that do not fit are left out and named below; elsewhere none are.
    """
    page = _Page(name, lang, currency, decimals, file or sys.stdout)
    page.print(rows, columns, heading=heading, footer=footer, width=width)


class _Page:
    """One table on its way to one file."""

    def __init__(self, name: str, lang: Language, currency: str, decimals: int, file: TextIO) -> None:
        self.name, self.lang, self.currency, self.decimals, self.file = name, lang, currency, decimals, file
        self.encoding = getattr(file, "encoding", None) or "utf-8"
        self.is_unicode = self.encoding.lower().replace("-", "").startswith("utf")

    def print(
        self,
        rows: Sequence[Row],
        columns: Sequence[str],
        *,
        heading: str | None,
        footer: str | None,
        width: int | None,
    ) -> None:
        from rich.console import Console
        from rich.text import Text

        console = Console(file=self.file, width=width, highlight=False, emoji=False, markup=False)
        if width is None and not console.is_terminal:
            console = Console(file=self.file, width=_WIDE, highlight=False, emoji=False, markup=False)
        if heading:
            console.print(Text(self.printable(heading), style="bold"))
        if not rows:
            console.print(Text(phrase("nothing", self.lang)))
        else:
            self.print_table(console, rows, list(columns))
        if footer:
            console.print(Text(self.printable(footer), style="dim"))

    def print_table(self, console: "Console", rows: Sequence[Row], columns: list[str]) -> None:
        from rich.text import Text

        depths: dict[str, int] = {}
        if self.name == "programs":
            rows, depths = _as_tree(rows)
            columns = [*(column for column in columns if column != "parent"), "used"]
        totals = _totals(self.name, rows, columns)
        lines = [[self.cell(row, column, depths) for column in columns] for row in rows]
        last = self.total_line(totals, columns, rows[0]) if totals else None
        shown = list(range(len(columns)))
        while True:
            picked = [[line[index] for index in shown] for line in (*lines, last) if line]
            table = self.table([columns[index] for index in shown], picked, has_totals=last is not None)
            needed = self.needed(console, table, [columns[index] for index in shown])
            if needed <= console.width or len(shown) == 1:
                break
            shown.pop(_least_important([columns[index] for index in shown]))
        # Too narrow even for one column: the terminal breaks the line, and no figure is cut.
        console.print(table, width=max(needed, 1), crop=False)
        if hidden := [title(column, self.lang) for index, column in enumerate(columns) if index not in shown]:
            sentence = phrase("hidden", self.lang).format(columns=", ".join(hidden))
            console.print(Text(self.printable(sentence), style="dim"))

    def needed(self, console: "Console", table: "Table", columns: Sequence[str]) -> int:
        """The width a table takes, with its columns of words as narrow as the terminal makes them."""
        whole = console.measure(table, options=console.options.update(width=_WIDE)).maximum
        if SENTENCES.isdisjoint(columns) or whole <= console.width:
            return whole
        figures = sum(column.min_width + 2 for column in table.columns if column.min_width is not None)
        return max(console.width, figures + _WORDS_WIDTH_MIN)

    def table(self, columns: Sequence[str], lines: Sequence[Sequence[str]], *, has_totals: bool) -> "Table":
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD if self.is_unicode else box.ASCII2, pad_edge=False, show_footer=has_totals)
        last = lines[-1] if has_totals else None
        titles = [title(column, self.lang) for column in columns]
        for index, column in enumerate(columns):
            table.add_column(
                Text(titles[index]),
                footer=Text(last[index]) if last else "",
                justify="right" if column in FIGURES else "left",
                no_wrap=column not in SENTENCES,
                overflow="fold",
                min_width=None if column in SENTENCES else max(len(line[index]) for line in (*lines, titles)),
            )
        for line in lines[:-1] if has_totals else lines:
            table.add_row(*(Text(cell) for cell in line))
        return table

    def cell(self, row: Row, column: str, depths: Mapping[str, int]) -> str:
        if column == "used":
            return _bar(row["budget"] - row["available"], row["budget"], is_unicode=self.is_unicode)
        value = row[column]
        if column == "program" and (depth := depths.get(value, 0)):
            return "  " * (depth - 1) + ("└ " if self.is_unicode else "- ") + self.printable(value)
        return self.printable(self.text(row, column, value))

    def text(self, row: Row, column: str, value: object) -> str:
        if value is None:
            return "-"
        if isinstance(value, bool):
            return phrase("yes" if value else "no", self.lang)
        if isinstance(value, date):
            return format_date(value, lang=self.lang)
        if not isinstance(value, int):
            return str(value)
        if column in MONEY or (column in BY_COMMODITY and row.get("commodity", "") == self.currency != ""):
            return format_amount(value, lang=self.lang, currency=self.currency, decimals=self.decimals)
        if column in NAMES_IN_DIGITS:
            return str(value)
        return format_number(value, lang=self.lang)

    def total_line(self, totals: Mapping[str, int], columns: Sequence[str], row: Row) -> list[str]:
        cells = [self.printable(self.text(row, each, totals[each])) if each in totals else "" for each in columns]
        return [cells[0] or phrase("total", self.lang), *cells[1:]]

    def printable(self, text: str) -> str:
        """The text without what would move the cursor, and in what the file's encoding has."""
        spaced = text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
        safe = "".join(sign if sign.isprintable() else "?" for sign in spaced)
        return safe.encode(self.encoding, "replace").decode(self.encoding)


def _totals(name: str, rows: Sequence[Row], columns: Sequence[str]) -> dict[str, int]:
    """Column → its sum, of those that may be added up; none for a single row."""
    kind = ONE_OF.get(name)
    if len(rows) < 2 or (kind and len({row[kind] for row in rows}) > 1):
        return {}
    additive = ADDITIVE.get(name, frozenset())
    return {column: sum(row[column] for row in rows) for column in columns if column in additive}


def _least_important(columns: Sequence[str]) -> int:
    """Which column to leave out next; the first is always kept."""
    for column in DROPPED_FIRST:
        if column in columns[1:]:
            return columns.index(column, 1)
    return len(columns) - 1


def _as_tree(rows: Sequence[Row]) -> tuple[list[Row], dict[str, int]]:
    """The programs with each under its parent, and program → its depth."""
    known = {row["program"] for row in rows}
    below: dict[str | None, list[Row]] = {}
    for row in rows:
        below.setdefault(row["parent"] if row["parent"] in known else None, []).append(row)
    ordered: list[Row] = []
    depths: dict[str, int] = {}
    waiting = [(row, 0) for row in reversed(below.get(None, []))]
    while waiting:
        row, depth = waiting.pop()
        ordered.append(row)
        depths[row["program"]] = depth
        waiting += [(child, depth + 1) for child in reversed(below.get(row["program"], []))]
    return ordered, depths


def _bar(used: int, budget: int, *, is_unicode: bool) -> str:
    """How much of a budget is used, as a bar and a percentage rounded down."""
    if not budget:
        return ""
    filled = min(BAR_CELLS, max(0, used * BAR_CELLS // budget))
    full, empty = ("█", "░") if is_unicode else ("#", ".")
    return f"{full * filled}{empty * (BAR_CELLS - filled)} {used * 100 // budget:3d}%"
