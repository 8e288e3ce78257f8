"""Amounts of money as officers write them, read exactly into whole minor units."""

import re
from typing import Literal

from ledger.domain.errors import shape_of
from ledger.domain.money import AMOUNT_MAX, Currency
from ledger.files.errors import (
    AmountAmbiguousError,
    AmountFractionError,
    AmountInvalidError,
    AmountNotPositiveError,
    AmountTooLargeError,
)

DecimalMark = Literal[".", ","]


_DRESSED = re.compile(
    r"(?P<open>\()?(?P<minus>[-−])? ?(?P<unit>[A-Za-z]+\.?)? ?(?P<inner_minus>[-−])? ?"
    r"(?P<figure>[0-9][0-9.,' ]*?)(?P<no_cents>[.,]--?)? ?(?P<trailing_minus>[-−])?(?P<close>\))?"
)
"""A figure with what may stand around it: brackets or a minus, the currency, and `,-` for no cents."""


_LOOKALIKES = str.maketrans(dict.fromkeys("\u00a0\u2007\u2009\u202f", " ") | {"’": "'"})


_DIGITS_MAX = len(str(AMOUNT_MAX))


def parse_amount(text: str, currency: Currency, decimal_mark: DecimalMark | None = None) -> int:
    """The amount in whole minor units, or a refusal; nothing is ever rounded or guessed.

    >>> parse_amount("Rp1.200.000,-", Currency("IDR", 0))
    1200000
    >>> parse_amount("1,200.50", Currency("USD", 2))
    120050
    """
    if text.isascii() and text.isdigit():
        return _in_range(text + "0" * currency.decimals)
    dressed = _DRESSED.fullmatch(text.strip().translate(_LOOKALIKES))
    if dressed is None or not _is_well_dressed(dressed, currency):
        raise AmountInvalidError(shape=shape_of(text))
    figure: str = dressed["figure"]
    mark = decimal_mark if decimal_mark or dressed["no_cents"] else _decimal_mark_of(figure, currency, text)
    whole, fraction = _split(figure, mark, text)
    kept, beyond = fraction[: currency.decimals], fraction[currency.decimals :]
    if beyond.strip("0"):
        raise AmountFractionError(shape=shape_of(text), currency=currency.code, decimals=currency.decimals)
    if dressed["open"] or dressed["minus"] or dressed["inner_minus"] or dressed["trailing_minus"]:
        raise AmountNotPositiveError
    return _in_range(whole + kept.ljust(currency.decimals, "0"))


def _is_well_dressed(dressed: re.Match[str], currency: Currency) -> bool:
    units = {currency.code, "RP", "RP."} if currency.code == "IDR" else {currency.code}
    minuses = [dressed["open"], dressed["minus"], dressed["inner_minus"], dressed["trailing_minus"]]
    return (
        (dressed["unit"] is None or dressed["unit"].upper() in units)
        and (dressed["open"] is None) == (dressed["close"] is None)
        and len([minus for minus in minuses if minus]) <= 1
    )


def _decimal_mark_of(figure: str, currency: Currency, text: str) -> str | None:
    """The sign that separates decimals, if the figure itself leaves no doubt; None if it has no decimals."""
    marks = [sign for sign in figure if sign in ".,"]
    if len(set(marks)) == 2:
        return marks[-1]
    if len(marks) != 1:
        return None
    before, after = figure.split(marks[0])
    if len(after) != 3:
        return marks[0]
    # Three digits are a group of thousands only if no other reading makes sense: 0.500, 1234.567 and 1 200.500 have
    # one.
    if currency.decimals == 3 or not before.strip("0") or not before.isdigit() or len(before) > 3:
        raise AmountAmbiguousError(shape=shape_of(text))
    return None


def _split(figure: str, mark: str | None, text: str) -> tuple[str, str]:
    """Digits before and after the decimal mark, once every group of thousands has proved to be one."""
    whole, found, fraction = figure.partition(mark) if mark else (figure, "", "")
    signs = set(re.findall(r"[^0-9]", whole))
    first, *groups = re.split(r"[^0-9]", whole)
    grouped_well = len(signs) <= 1 and all(len(group) == 3 for group in groups) and (not groups or 1 <= len(first) <= 3)
    if not grouped_well or (found and not fraction.isdigit()):
        raise AmountInvalidError(shape=shape_of(text))
    return first + "".join(groups), fraction


def _in_range(digits: str) -> int:
    # A longer run never reaches int(), which takes quadratic time and has a limit of its own.
    significant = digits.lstrip("0")
    if not significant:
        raise AmountNotPositiveError
    if len(significant) > _DIGITS_MAX or int(significant) > AMOUNT_MAX:
        raise AmountTooLargeError(largest=AMOUNT_MAX)
    return int(significant)
