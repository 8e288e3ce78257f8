"""The ledger's postings as a journal that hledger reads."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Any


def journal_text(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The rows of report `journal` as text, one transaction an event, coded with its index in the log."""
    # Without it hledger may take the point of 1.234 for a separator of thousands.
    yield "decimal-mark .\n"
    for log_index, postings in groupby(rows, key=lambda row: row["log_index"]):
        legs = list(postings)
        first = legs[0]
        lines = [f"\n{first['effective_on'].isoformat()} ({log_index}) {first['description']}\n"]
        lines += [f"    {leg['account']}  {_commodity(leg['commodity'])} {_quantity(leg)}\n" for leg in legs]
        yield "".join(lines)


def journal_of(lines: Iterable[str]) -> Iterator[str]:
    """The same from rows that were written to a file, a JSON object a line."""
    rows = map(json.loads, lines)
    return journal_text(row | {"effective_on": date.fromisoformat(row["effective_on"])} for row in rows)


def _commodity(name: str) -> str:
    return name if name.isalpha() else f'"{name}"'


def _quantity(leg: Mapping[str, Any]) -> str:
    """The exact number in the major unit."""
    decimals = leg["decimals"]
    if not decimals:
        return str(leg["quantity"])
    whole, part = divmod(abs(leg["quantity"]), 10**decimals)
    return f"{'-' if leg['quantity'] < 0 else ''}{whole}.{part:0{decimals}d}"
