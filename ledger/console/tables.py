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

from ledger.console.columns import PLAIN, Column, Holds, Layout
from ledger.console.headings import Language, phrase
from ledger.domain.money import Currency

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


def to_csv(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    """A header and a line a row; whole numbers exact, dates ISO, nothing for null."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    writer.writerows([_plain(row[column.name]) for column in columns] for row in rows)
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


NO_CURRENCY = Currency("", 0)
"""Of tables without money."""


def render(
    rows: Sequence[Row],
    columns: Sequence[Column],
    *,
    layout: Layout = PLAIN,
    lang: Language = "en",
    currency: Currency = NO_CURRENCY,
    heading: str | None = None,
    footer: str | None = None,
    file: TextIO | None = None,
    width: int | None = None,
) -> None:
    """Print a table.

    On a terminal (or with a `width`) columns that do not fit are left out and named below; elsewhere none are.
    """
    page = _Page(layout, lang, currency, file or sys.stdout)
    page.print(rows, columns, heading=heading, footer=footer, width=width)


class _Page:
    """One table on its way to one file."""

    def __init__(self, layout: Layout, lang: Language, currency: Currency, file: TextIO) -> None:
        self.layout, self.lang, self.file = layout, lang, file
        self.currency, self.decimals = currency.code, currency.decimals
        self.encoding = getattr(file, "encoding", None) or "utf-8"
        self.is_unicode = self.encoding.lower().replace("-", "").startswith("utf")

    def print(
        self,
        rows: Sequence[Row],
        columns: Sequence[Column],
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
            self.print_table(console, rows, columns)
        if footer:
            console.print(Text(self.printable(footer), style="dim"))

    def print_table(self, console: "Console", rows: Sequence[Row], columns: Sequence[Column]) -> None:
        from rich.text import Text

        depths: dict[Any, int] = {}
        if self.layout.parent:
            rows, depths = _as_tree(rows, columns[0].name, self.layout.parent)
        columns = [*(each for each in columns if each.name != self.layout.parent), *self.layout.more]
        totals = _totals(self.layout, rows, columns)
        lines = [[self.cell(row, column) for column in columns] for row in rows]
        for row, line in zip(rows, lines, strict=True):
            line[0] = self.branch(depths.get(row[columns[0].name], 0)) + line[0]
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
        if hidden := [column.title(self.lang) for index, column in enumerate(columns) if index not in shown]:
            sentence = phrase("hidden", self.lang).format(columns=", ".join(hidden))
            console.print(Text(self.printable(sentence), style="dim"))

    def needed(self, console: "Console", table: "Table", columns: Sequence[Column]) -> int:
        """The width a table takes, with its columns of words as narrow as the terminal makes them."""
        whole = console.measure(table, options=console.options.update(width=_WIDE)).maximum
        if whole <= console.width or not any(column.holds is Holds.WORDS for column in columns):
            return whole
        figures = sum(column.min_width + 2 for column in table.columns if column.min_width is not None)
        return max(console.width, figures + _WORDS_WIDTH_MIN)

    def table(self, columns: Sequence[Column], lines: Sequence[Sequence[str]], *, has_totals: bool) -> "Table":
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD if self.is_unicode else box.ASCII2, pad_edge=False, show_footer=has_totals)
        last = lines[-1] if has_totals else None
        titles = [column.title(self.lang) for column in columns]
        for index, column in enumerate(columns):
            has_words = column.holds is Holds.WORDS
            table.add_column(
                Text(titles[index]),
                footer=Text(last[index]) if last else "",
                justify="right" if column.is_at_the_right else "left",
                no_wrap=not has_words,
                overflow="fold",
                min_width=None if has_words else max(len(line[index]) for line in (*lines, titles)),
            )
        for line in lines[:-1] if has_totals else lines:
            table.add_row(*(Text(cell) for cell in line))
        return table

    def branch(self, depth: int) -> str:
        """What stands before the name of a row under others."""
        return "  " * (depth - 1) + ("└ " if self.is_unicode else "- ") if depth else ""

    def cell(self, row: Row, column: Column) -> str:
        if column.left_of:
            left, whole = (row[name] for name in column.left_of)
            return _bar(whole - left, whole, is_unicode=self.is_unicode)
        return self.printable(self.text(row, column, row[column.name]))

    def text(self, row: Row, column: Column, value: object) -> str:
        if value is None:
            return "-"
        if isinstance(value, bool):
            return phrase("yes" if value else "no", self.lang)
        if isinstance(value, date):
            return format_date(value, lang=self.lang)
        if not isinstance(value, int):
            return str(value)
        is_of_currency = column.holds is Holds.QUANTITY and row.get("commodity", "") == self.currency != ""
        if column.holds is Holds.MONEY or is_of_currency:
            return format_amount(value, lang=self.lang, currency=self.currency, decimals=self.decimals)
        if column.holds is Holds.DIGITS:
            return str(value)
        return format_number(value, lang=self.lang)

    def total_line(self, totals: Mapping[str, int], columns: Sequence[Column], row: Row) -> list[str]:
        cells = [
            self.printable(self.text(row, each, totals[each.name])) if each.name in totals else "" for each in columns
        ]
        return [cells[0] or phrase("total", self.lang), *cells[1:]]

    def printable(self, text: str) -> str:
        """The text without what would move the cursor, and in what the file's encoding has."""
        spaced = text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
        safe = "".join(sign if sign.isprintable() else "?" for sign in spaced)
        return safe.encode(self.encoding, "replace").decode(self.encoding)


def _totals(layout: Layout, rows: Sequence[Row], columns: Sequence[Column]) -> dict[str, int]:
    """Column → its sum, of those that may be added up; none for a single row."""
    kind = layout.one_of
    if not layout.has_totals or len(rows) < 2 or (kind and len({row[kind] for row in rows}) > 1):
        return {}
    return {column.name: sum(row[column.name] for row in rows) for column in columns if column.is_added_up}


def _least_important(columns: Sequence[Column]) -> int:
    """Which column to leave out next; the first is always kept."""
    ranks = [(column.dropped, index) for index, column in enumerate(columns) if index and column.dropped is not None]
    return min(ranks, default=(0, len(columns) - 1))[1]


def _as_tree(rows: Sequence[Row], name: str, parent: str) -> tuple[list[Row], dict[str, int]]:
    """The rows with each under the one that it names as its parent, and the row's name → its depth."""
    known = {row[name] for row in rows}
    below: dict[str | None, list[Row]] = {}
    for row in rows:
        below.setdefault(row[parent] if row[parent] in known else None, []).append(row)
    ordered: list[Row] = []
    depths: dict[str, int] = {}
    waiting = [(row, 0) for row in reversed(below.get(None, []))]
    while waiting:
        row, depth = waiting.pop()
        ordered.append(row)
        depths[row[name]] = depth
        waiting += [(child, depth + 1) for child in reversed(below.get(row[name], []))]
    return ordered, depths


def _bar(used: int, budget: int, *, is_unicode: bool) -> str:
    """How much of a budget is used, as a bar and a percentage rounded down."""
    if not budget:
        return ""
    filled = min(BAR_CELLS, max(0, used * BAR_CELLS // budget))
    full, empty = ("█", "░") if is_unicode else ("#", ".")
    return f"{full * filled}{empty * (BAR_CELLS - filled)} {used * 100 // budget:3d}%"
