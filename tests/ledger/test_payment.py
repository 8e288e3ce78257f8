from collections.abc import Callable
from typing import Any, cast

import pytest

from ledger.domain import payment as payments
from ledger.domain.errors import SameOfficerError
from ledger.domain.event import Event
from ledger.domain.payment import (
    Payment,
    PaymentRef,
    PaymentStateError,
    PaymentUnknownError,
    ReturnReason,
    Status,
    TrancheDisbursed,
    TrancheRefunded,
    TrancheReissued,
    TrancheReturned,
    TrancheReversed,
    TrancheSettled,
    is_payment_id,
)

NAME: dict[str, Any] = {"program": "bsu", "tranche": 1, "recipient_id": "R000000001", "amount": 600}
PAID = TrancheDisbursed(**NAME, batch_id="b1")
REFUNDED = TrancheRefunded(**NAME, treasury_ref="NTPN 1")
REVERSED = TrancheReversed(**NAME, reason="wrong list")


def settled(attempt: int) -> Event:
    return TrancheSettled(**NAME, attempt=attempt)


def returned(attempt: int) -> Event:
    return TrancheReturned(**NAME, attempt=attempt, return_reason=ReturnReason.CLOSED_ACCOUNT, recorded_by="siti")


def reissued(attempt: int, after: str = "return") -> Event:
    return TrancheReissued(**NAME, attempt=attempt, after=cast("Any", after))


def payment(*events: Event) -> Payment:
    state: Payment | None = None
    for event in (PAID, *events):
        state = payments.evolve(state, event)
    assert state
    return state


STEPS: dict[str, Callable[[Payment, int], list[Event]]] = {
    "settle": lambda state, attempt: payments.settle(state, attempt=attempt),
    "return": lambda state, attempt: payments.return_(
        state, attempt=attempt, return_reason=ReturnReason.CLOSED_ACCOUNT, officer_id="siti"
    ),
    "reissue": lambda state, attempt: payments.reissue(state, attempt=attempt, officer_id="budi"),
    "refund": lambda state, attempt: payments.refund(state, attempt=attempt, treasury_ref="NTPN 1"),
    "reverse": lambda state, attempt: payments.reverse(state, attempt=attempt, reason="wrong list"),
}
NOTHING: list[Event] = []
REFUSED = PaymentStateError

Outcome = list[Event] | type[PaymentStateError]

FIRST_ATTEMPT: dict[str, tuple[list[Event], list[Outcome]]] = {
    # what happened after the payment left → what each of the five steps then does
    "disbursed": ([], [[settled(1)], [returned(1)], REFUSED, REFUSED, [REVERSED]]),
    "settled": ([settled(1)], [NOTHING, [returned(1)], REFUSED, REFUSED, REFUSED]),
    "returned": ([returned(1)], [REFUSED, NOTHING, [reissued(2)], [REFUNDED], REFUSED]),
    "refunded": ([returned(1), REFUNDED], [REFUSED, NOTHING, REFUSED, NOTHING, REFUSED]),
    "reversed": ([REVERSED], [REFUSED, REFUSED, [reissued(2, "reversal")], REFUSED, NOTHING]),
}
SECOND_ATTEMPT: dict[str, tuple[list[Event], list[Outcome]]] = {
    "reissued": ([], [[settled(2)], [returned(2)], REFUSED, REFUSED, [REVERSED]]),
    "settled": ([settled(2)], [NOTHING, [returned(2)], REFUSED, REFUSED, REFUSED]),
    "returned": ([returned(2)], [REFUSED, NOTHING, [reissued(3)], [REFUNDED], REFUSED]),
    "refunded": ([returned(2), REFUNDED], [REFUSED, NOTHING, REFUSED, NOTHING, REFUSED]),
    "reversed": ([REVERSED], [REFUSED, REFUSED, [reissued(3, "reversal")], REFUSED, NOTHING]),
}
BEFORE: dict[str, list[Event]] = {
    "a return": [returned(1), reissued(2)],
    "a reversal": [REVERSED, reissued(2, "reversal")],
}


@pytest.mark.parametrize("status", FIRST_ATTEMPT)
@pytest.mark.parametrize("step", STEPS)
def test_each_step_follows_only_from_the_states_it_may_follow(status: str, step: str) -> None:
    events, outcomes = FIRST_ATTEMPT[status]
    check(payment(*events), 1, step, outcomes)


@pytest.mark.parametrize("status", SECOND_ATTEMPT)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("before", BEFORE)
def test_a_payment_made_again_goes_through_the_same_states(status: str, step: str, before: str) -> None:
    events, outcomes = SECOND_ATTEMPT[status]
    check(payment(*BEFORE[before], *events), 2, step, outcomes)


def check(state: Payment, attempt: int, step: str, outcomes: list[Outcome]) -> None:
    outcome = outcomes[list(STEPS).index(step)]
    if isinstance(outcome, list):
        assert STEPS[step](state, attempt) == outcome
    else:
        with pytest.raises(outcome) as refused:
            STEPS[step](state, attempt)
        assert refused.value.status == state.status
        assert state.status not in refused.value.needed.split(" or ")


@pytest.mark.parametrize("status", SECOND_ATTEMPT)
@pytest.mark.parametrize(
    ("step", "outcome"),
    [("settle", REFUSED), ("return", NOTHING), ("reissue", NOTHING), ("refund", REFUSED), ("reverse", REFUSED)],
)
def test_word_of_an_old_attempt_is_never_taken_for_the_newest(status: str, step: str, outcome: Outcome) -> None:
    state = payment(*BEFORE["a return"], *SECOND_ATTEMPT[status][0])
    if isinstance(outcome, list):
        assert STEPS[step](state, 1) == outcome
    else:
        with pytest.raises(outcome) as refused:
            STEPS[step](state, 1)
        assert refused.value.status == "followed by a later attempt"


@pytest.mark.parametrize("step", STEPS)
def test_no_step_is_taken_with_an_attempt_that_was_never_made(step: str) -> None:
    with pytest.raises(PaymentUnknownError) as refused:
        STEPS[step](payment(), 2)
    assert refused.value.payment_id == "bsu/1/R000000001/2"


def test_who_recorded_a_return_does_not_pay_it_again() -> None:
    with pytest.raises(SameOfficerError) as refused:
        payments.reissue(payment(returned(1)), attempt=1, officer_id="siti")
    assert refused.value.thing == "payment bsu/1/R000000001"
    assert payments.reissue(payment(REVERSED), attempt=1, officer_id="siti") == [reissued(2, "reversal")]


def test_the_name_of_an_attempt_reads_back() -> None:
    for ref in (PaymentRef("bsu-2020", 1, "R000000001"), PaymentRef("b2", 99, "R999999999", 99)):
        assert PaymentRef.parse(ref.payment_id) == ref


def test_the_longest_name_of_a_payment_fits_an_end_to_end_id() -> None:
    assert len(PaymentRef("a" * 16, 99, "R999999999", 99).payment_id) <= 35


@pytest.mark.parametrize(
    "text",
    ["", "bsu", "bsu/1", "bsu/0/R000000001", "bsu/1/R1", "bsu/1/R000000001/1", "bsu/1/R000000001/", "BSU/1/R000000001"],
)
def test_anything_else_names_no_payment(text: str) -> None:
    with pytest.raises(PaymentUnknownError):
        PaymentRef.parse(text)
    assert not payments.is_payment_id(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("bsu/1/R000000001", True), ("bsu/1/R000000001/2", True), ("bsu/1", False), ("bsu/1/R1", False), ("a.csv", False)],
)
def test_a_payment_is_told_from_a_file_by_the_form_of_its_name(text: str, is_one: bool) -> None:
    assert is_payment_id(text) is is_one


def test_a_bank_returns_for_the_reasons_of_iso_20022_that_the_ledger_knows() -> None:
    # ISO 20022 ExternalReturnReason1Code.
    known = {"AC01", "AC04", "AC06", "AG01", "AM05", "BE01", "MD07", "MS03", "RR04"}
    assert {str(reason) for reason in ReturnReason} == known


def test_the_states_of_a_payment_bear_the_names_that_reports_and_banks_know() -> None:
    assert [str(status) for status in Status] == [
        "disbursed",
        "settled",
        "returned",
        "reissued",
        "refunded",
        "reversed",
    ]
