"""Each branch of each law of `salur check`, broken alone, and beside it the nearest that keeps the law."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from ledger.domain.registry import EVENT_CLASSES
from projections.laws.law import law_names
from tests.projections.law_cases import CASES, CLOSED, EXAMINED, FIRST, FOLLOWS, NEED_OPEN, after, paid, proposed
from tests.projections.law_rows import Row, found, row

START = datetime(2020, 10, 1, 8)  # noqa: DTZ001  # the relation holds UTC without a zone


def details(law: str, *rows: Row, **more: Any) -> list[str]:
    """What the law says is broken, in the order of the log."""
    return [detail for _, detail in found(law, *rows, **more)[1]]


@pytest.mark.parametrize(
    ("law", "rows", "says"),
    [pytest.param(law, rows, says, id=f"{law}: {name}") for law, cases in CASES.items() for name, rows, says in cases],
)
def test_a_branch_of_a_law(law: str, rows: Sequence[Row], says: list[str]) -> None:
    checked, breaches = found(law, *rows)
    assert [detail for _, detail in breaches] == says
    if law in ("acts-agreed", "delivered-by-another"):  # binds from the adoption of the rules on
        events = [each["event"] for each in rows]
        adopted = events.index("RulesAdopted") if "RulesAdopted" in events else len(rows)
        awaited = [each for each in rows[:adopted] if each["event"] == "GroupFunded" and rows[0].get("rules_edition")]
        rows = [*awaited, *rows[adopted:]]
    if law == "umbrellas-kept":  # examined is each umbrella with a budget, at each budget of its own or under it
        return
    names = [each["event"] + (f" after {each['after']}" if each.get("after") else "") for each in rows]
    assert checked == sum(name in EXAMINED[law] for name in names)


@pytest.mark.parametrize(
    "before",
    ["TrancheDisbursed", "TrancheReissued", "TrancheSettled", "TrancheReturned", "TrancheReversed", "TrancheRefunded"],
)
@pytest.mark.parametrize("step", FOLLOWS)
def test_a_step_of_a_payment_follows_only_what_it_may_follow_paid_once(step: str, before: str) -> None:
    event, _, why = step.partition(" after ")
    start = [FIRST] if before == "TrancheDisbursed" else [FIRST, after(before)]
    says = [each for each in details("paid-once", *start, after(event, after=why or None)) if each.startswith(event)]
    follows = [] if before in FOLLOWS[step] else [f"{event} follows {before}"]
    assert [each for each in says if not (len(start) == 2 and each == f"{before} follows TrancheDisbursed")][
        -1:
    ] == follows


@pytest.mark.parametrize("name", [cls.TOPIC.partition(".")[0] for cls in EVENT_CLASSES.values()])
def test_a_closed_program_takes_no_more_of_closed_is_closed(name: str) -> None:
    says = details("closed-is-closed", CLOSED, row(name, program="p"))
    assert says == ([f"{name} after the program was closed"] if name in NEED_OPEN else [])


def test_an_event_lies_in_a_stream_of_its_own_fields_streams_named() -> None:
    rows = [
        row("OfficerEnrolled", officer_id="siti", stream="officer/siti"),
        row("OfficerEnrolled", officer_id="siti", stream="officer/budi"),
        row("OfficerEnrolled", stream="officer/siti"),
        row("Unknown", stream="thing/1"),
        paid(stream="payment/p/1/R1"),
        paid(stream="payment/p/2/R1"),
    ]
    no = "belongs to no stream"
    assert found("streams-named", *rows) == (
        6,
        [(1, "belongs to officer/siti"), (2, no), (3, no), (5, "belongs to payment/p/1/R1")],
    )


def test_a_stream_is_numbered_without_a_gap_streams_contiguous() -> None:
    streams = [("a", 1), ("b", 1), ("a", 2), ("b", 3), ("c", 0)]
    rows = [row("X", stream=stream, version=version) for stream, version in streams]
    assert found("streams-contiguous", *rows) == (
        5,
        [(3, "version 3 stands at place 2"), (4, "version 0 stands at place 1")],
    )


def test_the_clock_may_run_backwards_by_two_minutes_clock() -> None:
    seconds = (0, 600, 480, 359, 400)
    rows = [row("X", recorded_at=START + timedelta(seconds=each)) for each in seconds]
    assert found("clock", *rows) == (
        5,
        [(3, "recorded at 2020-10-01 08:05:59, the event before at 2020-10-01 08:08:00")],
    )


def test_the_log_is_numbered_from_0_log_contiguous() -> None:
    rows = [row("X", log_index=index) for index in (0, 1, 3)]
    assert found("log-contiguous", *rows) == (3, [(3, "stands at place 2")])


def posting(log_index: int, account: str | None, quantity: int | None, commodity: str = "IDR") -> Row:
    return {"log_index": log_index, "stream": "s", "account": account, "commodity": commodity, "quantity": quantity}


@pytest.mark.parametrize(
    ("postings", "says"),
    [
        ([posting(0, "a", 5), posting(0, "b", -5)], []),
        ([posting(0, "a", 5), posting(0, "b", -4)], ["sums to 1 IDR"]),
        ([posting(0, "a", 0)], ["sums to 0 IDR"]),
        ([posting(0, "a", 5), posting(0, None, -5)], ["sums to 0 IDR"]),
        ([posting(0, "a", None), posting(0, "b", None)], ["moves an unknown quantity"]),
        ([posting(0, "a", 5), posting(0, "b", -5, "mask")], ["sums to -5 mask", "sums to 5 IDR"]),
        ([posting(0, "a", 5), posting(0, "b", -5), posting(1, "a", 1), posting(1, "b", -1)], []),
    ],
)
def test_the_postings_of_an_event_sum_to_zero_postings_balanced(postings: list[Row], says: list[str]) -> None:
    assert sorted(details("postings-balanced", postings=postings)) == says
    assert found("postings-balanced", postings=postings)[0] == len(
        {(each["log_index"], each["commodity"]) for each in postings}
    )


AVAILABLE, RESERVED = "assets:available:p", "assets:reserved:p"


@pytest.mark.parametrize(
    ("postings", "says"),
    [
        ([posting(0, AVAILABLE, 5), posting(1, AVAILABLE, -5)], []),
        ([posting(0, AVAILABLE, 5), posting(1, AVAILABLE, -6), posting(2, AVAILABLE, 6)], [(1, f"{AVAILABLE} at -1")]),
        ([posting(0, RESERVED, 5), posting(1, RESERVED, -6)], [(1, f"{RESERVED} at -1")]),
        ([posting(0, AVAILABLE, 5), posting(1, "assets:available:q", -5)], [(1, "assets:available:q at -5")]),
        ([posting(0, "expenses:p", -5)], []),
    ],
)
def test_nothing_is_spent_that_is_not_there_budgets_kept(postings: list[Row], says: list[tuple[int, str]]) -> None:
    checked = sum(each["account"].startswith("assets:") for each in postings)
    assert found("budgets-kept", postings=postings) == (checked, says)


def test_a_budget_names_the_one_before_budgets_kept() -> None:
    budgets = [("p", 5, 0), ("q", 7, 0), ("p", 9, 5), ("p", 3, 8), ("q", 1, None), ("r", 1, 2)]
    rows = [
        row("BudgetSet", program=program, budget=budget, previous=previous) for program, budget, previous in budgets
    ]
    said = "names {} as the budget before, it was {}"
    assert found("budgets-kept", *rows, row("FundsReserved", program="p", previous=99)) == (
        6,
        [(3, said.format(8, 9)), (4, said.format("nothing", 7)), (5, said.format(2, 0))],
    )


def test_the_vault_holds_who_is_registered_and_not_erased_erased_is_gone() -> None:
    def person(number: int, event: str = "RecipientRegistered") -> Row:
        return row(event, recipient_id=f"R{number}", recipient=number, stream=f"recipient/R{number}")

    rows = [
        *map(person, range(1, 6)),
        person(2, "RecipientErased"),
        person(3, "RecipientErased"),
        row("X", recipient=9),
    ]
    assert found("erased-is-gone", *rows) == (0, [])
    assert found("erased-is-gone", *rows, absent=[(3, 4), (5, 9)]) == (
        5,
        [
            (3, "R4 is not erased, and not in the vault; restore a copy of it"),
            (4, "R5 is not erased, and not in the vault; restore a copy of it"),
            (5, "R2 is erased, and still in the vault; `salur recipient erase approve R2` completes it"),
        ],
    )


def test_a_batch_pays_the_list_that_was_approved_lists_paid() -> None:
    # sha256 of "recipient_id,amount\nR000000001,5\nR000000002,5\n", by `printf … | sha256sum`
    right = "012756340ca779a85a371ef81d1899f75e0641b912318f277da441f3cf21044e"
    executed = row("BatchExecuted", batch_id="b")
    two = [paid(recipient_id="R000000002"), paid(recipient_id="R000000001")]
    assert found("lists-paid", proposed(rows_sha256=right), *two, executed) == (1, [])
    assert found("lists-paid", proposed(rows_sha256=right), *two) == (0, [])
    assert found("lists-paid", proposed(rows_sha256=right), *two, executed | {"batch_id": "c"}) == (0, [])
    assert found("lists-paid", proposed(rows_sha256="0" * 64), *two, executed) == (
        1,
        [(0, f"the payments hash to {right}")],
    )
    assert found("lists-paid", proposed(rows_sha256=None), *two, executed) == (1, [])
    assert found("lists-paid", proposed(rows_sha256=right), executed) == (1, [(0, "the payments hash to nothing")])
    refused = executed | {"refused": [{"code": "already_paid", "rows": 1}]}
    assert found("lists-paid", proposed(rows_sha256=right), two[0], refused) == (0, [])  # of an earlier version
    named = row("BatchRowsRefused", batch_id="b", program="p", lines=["R000000001,5"])
    assert found("lists-paid", proposed(rows_sha256=right), two[0], named, refused) == (1, [])
    other = named | {"lines": ["R000000003,5"]}
    assert len(found("lists-paid", proposed(rows_sha256=right), two[0], other, refused)[1]) == 1
    assert len(found("lists-paid", proposed(rows_sha256=right), *two, named, refused)[1]) == 1
    of_another = [*two, paid(batch_id="c", recipient_id="R000000003")]
    assert found("lists-paid", proposed(rows_sha256=right), *of_another, executed) == (1, [])


def test_every_law_is_here() -> None:
    elsewhere = {
        "budgets-kept", "clock", "erased-is-gone", "lists-paid", "log-contiguous", "postings-balanced",
        "streams-contiguous", "streams-named",
    }  # fmt: skip
    assert CASES.keys() | elsewhere == set(law_names())
