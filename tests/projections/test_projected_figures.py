"""Figures of the small ledger in `book_of_events.keep_case`, worked out by hand."""

import subprocess
import sys
from datetime import date
from typing import Any

import pytest

from ledger.domain.group import GroupFunded
from ledger.domain.money import AMOUNT_MAX
from ledger.domain.payment import ReturnReason, TrancheReturned
from ledger.domain.program import LEVELS_MAX, Kind, ProgramOpened
from projections.reports.catalogue import PROJECTIONS
from projections.reports.engine import ReportRows, Reports
from tests.projections.book_of_events import Book, opened, paid, person, step

YEAR_END = date(2020, 12, 31)


def run(book: Any, name: str, as_of: date = YEAR_END, **known: Any) -> ReportRows:
    with Reports(book.recorder) as reports:
        return reports.run(name, as_of=as_of, **known)


def values(report: ReportRows, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns or report.projection.names) for row in report.rows]


PROGRAMS = [
    "program",
    "parent",
    "name",
    "kind",
    "budget",
    "ceiling",
    "reserved",
    "disbursed",
    "returned",
    "refunded",
    "recipients",
    "groups",
    "people",
    "available",
    "fiscal_year",
    "is_closed",
    "disbursed_in_all",
    "groups_in_all",
    "people_in_all",
]


def test_programs_show_their_own_figures_and_those_of_their_branch(case: Book) -> None:
    report = run(case, "programs")
    assert list(report.projection.names) == PROGRAMS
    assert values(report) == [
        # b1 pays 5 x 600, one reversed and reissued; b2 pays 400. R000000009 is helped by jps and by tkm below it.
        (
            "bsu",
            None,
            "Bantuan Subsidi Upah",
            "cash",
            10000,
            1000,
            0,
            3400,
            600,
            600,
            5,
            0,
            5,
            6600,
            2020,
            False,
            3400,
            0,
            5,
        ),
        ("jps", None, "Jaring Pengaman Sosial", "umbrella", 0, None, 0, 0, 0, 0, 0, 0, 1, 0, 2020, True, 9000, 2, 4),
        (
            "tkm",
            "jps",
            "Tenaga Kerja Mandiri",
            "group-grant",
            20000,
            5000,
            0,
            9000,
            0,
            0,
            0,
            2,
            4,
            11000,
            2020,
            False,
            9000,
            2,
            4,
        ),
    ]


def test_a_program_shows_what_is_held_and_what_came_back_as_of_a_day(case: Book) -> None:
    [bsu, *_] = run(case, "programs", date(2020, 10, 3)).rows
    # Everything but the later returns, the refund, the reversal and batch b2.
    assert (bsu["reserved"], bsu["disbursed"], bsu["returned"], bsu["refunded"]) == (0, 3000, 1200, 0)
    [bsu, *_] = run(case, "programs", date(2020, 10, 20)).rows
    assert (bsu["reserved"], bsu["available"]) == (800, 6200)


def test_a_reversed_payment_is_no_payment(case: Book) -> None:
    [bsu, *_] = run(case, "programs", date(2020, 10, 8)).rows
    assert (bsu["disbursed"], bsu["recipients"], bsu["people"], bsu["available"]) == (2400, 4, 4, 7600)
    assert values(run(case, "tranches", date(2020, 10, 8)), "payments", "disbursed") == [(4, 2400), (0, 0)]


def test_tranches_show_each_of_the_schedule_with_zeros(case: Book) -> None:
    report = run(case, "tranches")
    assert list(report.projection.names) == (
        [
            "program",
            "tranche",
            "amount",
            "payments",
            "disbursed",
            "returned",
            "reissued",
            "settled",
            "refunded",
            "open_returns",
        ]
    )
    assert values(report) == [
        ("bsu", 1, 600, 5, 3000, 600, 1200, 600, 600, 1),
        ("bsu", 2, 400, 1, 400, 0, 0, 0, 0, 0),
    ]
    assert values(run(case, "tranches", date(2020, 10, 1)))[1] == ("bsu", 2, 400, 0, 0, 0, 0, 0, 0, 0)


def test_balances_show_what_each_recipient_has_yet_to_get(case: Book) -> None:
    report = run(case, "balances")
    assert list(report.projection.names) == [
        "recipient_id",
        "program",
        "entitled",
        "disbursed",
        "returned",
        "outstanding",
        "refunded",
    ]
    assert values(report) == [
        ("R000000001", "bsu", 1000, 1000, 0, 0, 0),
        ("R000000002", "bsu", 1000, 600, 600, 1000, 0),
        ("R000000003", "bsu", 1000, 600, 0, 400, 0),
        ("R000000004", "bsu", 1000, 600, 0, 400, 600),
        ("R000000005", "bsu", 1000, 600, 0, 400, 0),
    ]


def test_groups_show_the_reports_that_are_missing(case: Book) -> None:
    report = run(case, "groups")
    assert list(report.projection.names) == [
        "program",
        "groups",
        "people",
        "funded",
        "reports_due",
        "reports_overdue",
        "reports_given",
    ]
    assert values(report) == [("tkm", 2, 3, 9000, 1, 1, 1)]
    # g1 is due on the 10th; g2 reports on the 12th.
    assert values(run(case, "groups", date(2020, 10, 10))) == [("tkm", 2, 3, 9000, 2, 0, 0)]
    assert values(run(case, "groups", date(2020, 10, 11))) == [("tkm", 2, 3, 9000, 2, 1, 0)]


@pytest.mark.parametrize(
    ("name", "columns", "expected"),
    [
        (
            "aid",
            "item country quantity shipments delivered in_transit unit",
            [("mask", "HK", 900, 2, 600, 300, "piece"), ("rice-5kg", "TW", 20, 1, 0, 20, "bag")],
        ),
        (
            "people",
            "program kind people",
            [
                ("bsu", "cash", 5),
                ("jps", "incubation", 1),
                ("kartu-prakerja", "referral", 3),
                ("tkm", "group-grant", 3),
                ("tkm", "training", 2),
            ],
        ),
        (
            "returns",
            "payment_id program tranche recipient_id amount return_reason returned_on age_days",
            [("bsu/1/R000000002", "bsu", 1, "R000000002", 600, "AC01", date(2020, 10, 5), 87)],
        ),
        (
            "refusals",
            "command program reason rows",
            [
                ("disburse propose", "bsu", "duplicate", 1),
                ("disburse propose", "bsu", "not_registered", 3),
                ("disburse run", "bsu", "already_paid", 1),
                ("recipient add", None, "nik_invalid", 2),
            ],
        ),
        (
            "referrals",
            "scheme channel people",
            [("kartu-prakerja", "bp2mi", 2), ("kartu-prakerja", "p3mi", 1)],
        ),
        ("training", "program sessions people attendances groups", [("tkm", 2, 2, 3, 1)]),
        (
            "destinations",
            "country decree_ref reopened_on",
            [("HK", "Kepmenaker 294/2020", date(2020, 10, 1))],
        ),
        (
            "batches",
            "batch_id program tranche status maker checker count total refused paid_count paid_total proposed_on",
            [
                ("b1", "bsu", 1, "executed", "siti", "budi", 5, 3000, 4, 5, 3000, date(2020, 10, 1)),
                ("b2", "bsu", 2, "executed", "agus", "budi", 2, 800, 1, 1, 400, date(2020, 10, 20)),
                ("b3", "bsu", 2, "rejected", "siti", "budi", 1, 400, 0, 0, 0, date(2020, 10, 22)),
            ],
        ),
    ],
)
def test_a_report_gives_its_rows(case: Book, name: str, columns: Any, expected: Any) -> None:
    report = run(case, name)
    assert list(report.projection.names) == columns.split()
    assert values(report) == expected


def test_returns_are_listed_oldest_first_and_by_attempt(case: Book) -> None:
    case.add(
        step(TrancheReturned, 3, attempt=2, return_reason=ReturnReason.BLOCKED_ACCOUNT, recorded_by="siti"),
        on="2020-10-04",
    )
    assert values(run(case, "returns"), "payment_id", "return_reason") == [
        ("bsu/1/R000000003/2", "AC06"),
        ("bsu/1/R000000002", "AC01"),
    ]


def test_a_batch_shows_how_far_it_was_approved_and_paid(case: Book) -> None:
    report = run(case, "batches", known_at=case.size)
    approved_only = run(case, "batches", date(2020, 10, 20))
    assert [row["status"] for row in report.rows] == ["executed", "executed", "rejected"]
    assert values(approved_only, "batch_id", "status", "paid_count") == [("b1", "executed", 5), ("b2", "approved", 0)]


def test_every_report_has_columns_for_an_empty_ledger_and_no_rows(book: Book) -> None:
    with Reports(book.recorder) as reports:
        found = {name: reports.run(name, as_of=YEAR_END) for name in PROJECTIONS}
    assert [name for name, report in found.items() if report.rows or not report.columns] == []


def test_an_unknown_report_is_a_key_error(book: Book) -> None:
    with pytest.raises(KeyError):
        run(book, "../secrets")


def test_the_branch_of_a_program_reaches_as_deep_as_programs_are_opened(book: Book) -> None:
    book.add(opened())
    codes = [f"level-{level}" for level in range(1, LEVELS_MAX + 1)]
    for parent, code in zip([None, *codes], codes, strict=False):
        book.add(ProgramOpened(program=code, parent=parent, name="N", kind=Kind.UMBRELLA, fiscal_year=2020))
    for code, amount in zip(codes, [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000], strict=True):
        book.add(
            GroupFunded(
                program=code, group_id="g", amount=amount, members=("R000000001",), report_due_on=YEAR_END,
                proposal_ref="P", decree_ref="D", decree_on=YEAR_END,
            )
        )  # fmt: skip
    assert values(run(book, "programs"), "disbursed_in_all") == [
        (11_111_111,), (11_111_110,), (11_111_100,), (11_111_000,), (11_110_000,), (11_100_000,), (11_000_000,),
        (10_000_000,),
    ]  # fmt: skip


def test_a_program_opened_and_never_used_shows_zeros_of_whole_numbers(book: Book) -> None:
    book.add(opened(), ProgramOpened(program="tkm", name="TKM", kind=Kind.GROUP_GRANT, fiscal_year=2020))
    [row] = run(book, "programs").rows
    assert values(run(book, "programs")) == [
        ("tkm", None, "TKM", "group-grant", 0, None, 0, 0, 0, 0, 0, 0, 0, 0, 2020, False, 0, 0, 0)
    ]
    assert {type(row[column]) for column in ("budget", "reserved", "recipients", "groups")} == {int}


def test_the_largest_amounts_are_summed_exactly(book: Book) -> None:
    most = AMOUNT_MAX
    book.add(opened(), ProgramOpened(program="bsu", name="B", kind=Kind.CASH, fiscal_year=2020, schedule=(most,)))
    book.add(*(person(number) for number in range(1, 2002)))
    book.add(*(paid(number, amount=most) for number in range(1, 2002)))
    assert values(run(book, "tranches"), "amount", "disbursed") == [(most, 2001 * most)]
    assert 2001 * most > 2**63
    assert values(run(book, "programs"), "disbursed", "reserved") == [(2001 * most, -2001 * most)]


def test_programs_agree_with_the_trial_balance(case: Book) -> None:
    with Reports(case.recorder) as reports:
        for day in range(1, 23):
            as_of = date(2020, 10, day)
            balances = {row["account"]: row["balance"] for row in reports.run("trial-balance", as_of=as_of).rows}
            for row in reports.run("programs", as_of=as_of).rows:
                code = row["program"]
                for column in ("available", "reserved", "returned"):
                    assert row[column] == balances.get(f"assets:{column}:{code}", 0)
                assert row["budget"] == -balances.get(f"equity:appropriation:{code}", 0)
                assert row["budget"] == row["available"] + row["reserved"] + row["disbursed"]


def test_importing_the_read_side_loads_no_heavy_package() -> None:
    program = (
        "import sys, projections.reports.engine, projections.audit.check, projections.reports.journal, ledger.console.tables;"
        "print([name for name in ('duckdb', 'babel', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_each_payment_has_its_newest_attempt_and_state(case: Book) -> None:
    found = values(
        run(case, "payments"), "tranche", "recipient_id", "attempt", "amount", "settled", "returned", "state"
    )
    assert sorted(found) == [
        (1, "R000000001", 1, 600, 600, 0, "settled"),
        (1, "R000000002", 1, 600, 0, 600, "returned"),
        (1, "R000000003", 2, 600, 0, 0, "reissued"),
        (1, "R000000004", 1, 600, 0, 0, "refunded"),
        (1, "R000000005", 2, 600, 0, 0, "reissued"),
        (2, "R000000001", 1, 400, 0, 0, "disbursed"),
    ]
