import csv
import shutil
import subprocess
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.goods import GoodsAidShipped, GoodsStocked
from ledger.domain.program import BudgetSet, FundsReserved, Kind, ProgramOpened
from ledger.domain.request import FileProcessed
from projections.relation.database import database
from projections.relation.relations import load, view
from projections.reports.engine import Reports, create_shared, fetch
from projections.reports.journal import journal_text
from tests.projections.book_of_events import SHA, Book, opened, paid, person

YEAR_END = date(2020, 12, 31)


def test_the_postings_of_every_prefix_of_the_log_sum_to_zero(case: Book) -> None:
    with database() as connection:
        load(connection, case.recorder)
        for size in range(case.size + 1):
            view(connection, YEAR_END, size)
            create_shared(connection)
            sums = fetch(connection, "SELECT SUM(quantity) AS total FROM postings GROUP BY commodity")[1]
            assert {row["total"] for row in sums} <= {0}


def test_the_trial_balance_shows_each_account(case: Book) -> None:
    with Reports(case.recorder) as reports:
        report = reports.run("trial-balance", as_of=YEAR_END)
    assert report.projection.names == ("account", "commodity", "debit", "credit", "balance")
    assert {(row["account"], row["commodity"], row["balance"]) for row in report.rows} == {
        ("assets:available:bsu", "IDR", 6600),
        ("assets:available:tkm", "IDR", 11000),
        ("assets:reserved:bsu", "IDR", 0),
        ("assets:reserved:tkm", "IDR", 0),
        ("assets:returned:bsu", "IDR", 600),
        ("equity:appropriation:bsu", "IDR", -10000),
        ("equity:appropriation:tkm", "IDR", -20000),
        ("equity:treasury:bsu", "IDR", 600),
        # 5 x 600, of which 2 came back for good or until now.
        ("expenses:transfers:bsu:1", "IDR", 1800),
        ("expenses:transfers:bsu:2", "IDR", 400),
        ("expenses:grants:tkm", "IDR", 9000),
        ("assets:goods:stock:mask", "mask", 100),
        ("assets:goods:in-transit:HK:mask", "mask", 300),
        ("expenses:goods:delivered:HK:mask", "mask", 600),
        ("equity:goods:origin:mask", "mask", -1000),
        ("assets:goods:stock:rice-5kg", "rice-5kg", 30),
        ("assets:goods:in-transit:TW:rice-5kg", "rice-5kg", 20),
        ("equity:goods:origin:rice-5kg", "rice-5kg", -50),
    }


def test_an_event_that_moves_nothing_has_no_posting(case: Book) -> None:
    with Reports(case.recorder) as reports:
        events = {row["event"] for row in reports.run("postings", as_of=YEAR_END).rows}
    assert not events & {"FundsSpent", "StockIssued", "TrancheSettled", "BatchExecuted", "GroupJoined"}


def _leg(account: str, quantity: int, commodity: str, decimals: int) -> dict[str, Any]:
    return {
        "log_index": 7, "posting": 1, "event": "BudgetSet", "effective_on": date(2020, 10, 15),
        "description": "BudgetSet program/bsu", "account": account, "commodity": commodity, "quantity": quantity,
        "decimals": decimals,
    }  # fmt: skip


def test_the_journal_is_in_the_major_unit_and_exact() -> None:
    legs = [_leg("assets:available:bsu", 9007199254740991, "KWD", 3), _leg("equity:x", -1, "KWD", 3)]
    assert "".join(journal_text(legs)) == (
        "decimal-mark .\n"
        "\n2020-10-15 (7) BudgetSet program/bsu\n"
        "    assets:available:bsu  KWD 9007199254740.991\n"
        "    equity:x  KWD -0.001\n"
    )


def test_a_commodity_with_digits_is_quoted() -> None:
    assert '"rice-5kg" 3\n' in "".join(journal_text([_leg("assets:goods:stock:rice-5kg", 3, "rice-5kg", 0)]))


@given(st.integers(-(2**70), 2**70), st.integers(0, 4))
def test_a_quantity_in_the_journal_reads_back_as_the_same_number(quantity: int, decimals: int) -> None:
    text = list(journal_text([_leg("assets:x", quantity, "IDR", decimals)]))[1]
    assert Decimal(text.split()[-1]) * 10**decimals == quantity


@pytest.mark.skipif(shutil.which("hledger") is None, reason="hledger is not installed")
@pytest.mark.parametrize(("currency", "decimals"), [("IDR", 0), ("USD", 2), ("KWD", 3)])
def test_hledger_finds_the_same_balances(book: Book, currency: str, decimals: int) -> None:
    book.add(
        opened(currency, decimals),
        ProgramOpened(program="bsu", name="B", kind=Kind.CASH, schedule=(1234567,), fiscal_year=2020),
        BudgetSet(program="bsu", budget=9007199254740991, previous=0),
        person(1),
        FundsReserved(program="bsu", amount=1234567, reserved_for="batch b1"),
        paid(1, amount=1234567),
        GoodsStocked(item="rice-5kg", quantity=1000, unit="bag", origin="Bulog"),
        GoodsAidShipped(shipment_id="r1", item="rice-5kg", quantity=999, country="TW"),
        FileProcessed(command="x-y", file_sha256=SHA, count=0, refused=()),
    )
    with Reports(book.recorder) as reports:
        journal = "".join(journal_text(reports.run("journal", as_of=YEAR_END).rows))
        ours = {
            (row["account"], row["commodity"]): Decimal(row["balance"]).scaleb(
                -decimals if row["commodity"] == currency else 0
            )
            for row in reports.run("trial-balance", as_of=YEAR_END).rows
            if row["balance"]
        }
    assert _hledger_balances(journal) == ours


@pytest.mark.skipif(shutil.which("hledger") is None, reason="hledger is not installed")
def test_hledger_reads_a_ledger_with_every_kind_of_event(case: Book) -> None:
    with Reports(case.recorder) as reports:
        journal = "".join(journal_text(reports.run("journal", as_of=YEAR_END).rows))
        rows = reports.run("trial-balance", as_of=YEAR_END).rows
    ours = {(row["account"], row["commodity"]): row["balance"] for row in rows if row["balance"]}
    assert _hledger_balances(journal) == ours


def _hledger_balances(journal: str) -> dict[tuple[str, str], Decimal]:
    done = subprocess.run(
        ["hledger", "-f", "-", "balance", "-N", "--flat", "-O", "csv", "--layout=bare"],
        input=journal,
        capture_output=True,
        text=True,
        check=False,
        env={"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin:/usr/local/bin"},
    )
    assert done.returncode == 0, done.stderr
    rows = csv.DictReader(done.stdout.splitlines())
    return {(row["account"], row["commodity"].strip('"')): Decimal(row["balance"].replace(",", "")) for row in rows}
