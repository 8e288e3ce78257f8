"""How long hledger and beancount take to balance the exported journal, a payment."""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.timing import seconds
from ledger.application.ledger import Ledger
from projections.reports.engine import Reports
from projections.reports.journal import journal_text

BEANCOUNT = (
    "import sys; from beancount import loader; _, errors, _ = loader.load_file(sys.argv[1]); sys.exit(bool(errors))"
)


def journal_seconds(folder: Path) -> dict[str, float]:
    """Reader → how long it takes a payment of a ledger; without those that are not installed."""
    ledger = Ledger(folder)
    with Reports(ledger.store) as reports:
        rows = reports.run("journal", as_of=date.max).rows
    ledger.close()
    payments = sum(row["event"] == "TrancheDisbursed" for row in rows) // 2
    hledger, beancount = folder / "hledger.journal", folder / "journal.beancount"
    hledger.write_text("".join(journal_text(rows)))
    beancount.write_text("".join(_beancount_text(rows)))
    readers = {"beancount": [sys.executable, "-c", BEANCOUNT, str(beancount)]}
    if shutil.which("hledger"):
        readers["hledger"] = ["hledger", "-f", str(hledger), "bal"]
    return {name: seconds(partial(_read, words)) / payments for name, words in sorted(readers.items())}


def _read(words: list[str]) -> None:
    # The sign of Rupiah and names are not ASCII everywhere: hledger reads in the language it finds.
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})


def _beancount_text(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The rows of report `journal` as beancount reads them: accounts opened, and their names capitalised."""
    for account in sorted({_account(row["account"]) for row in rows}):
        yield f"2000-01-01 open {account}\n"
    for log_index, postings in groupby(rows, key=lambda row: row["log_index"]):
        yield from _transaction(log_index, list(postings))


def _transaction(log_index: int, legs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for number, leg in enumerate(legs):
        if not number:
            yield f'\n{leg["effective_on"].isoformat()} * "{leg["description"]}" ^{log_index}\n'
        yield f"  {_account(leg['account'])}  {leg['quantity']} {leg['commodity']}\n"


def _account(name: str) -> str:
    return ":".join(part[:1].upper() + part[1:] for part in name.split(":"))
