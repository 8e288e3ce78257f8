from typing import Any

import pytest

from ledger.application import aftercare, chunks, officers, programs
from ledger.application.aftercare import Step
from ledger.application.attempt import Attempt
from ledger.application.ledger import Ledger
from ledger.domain.errors import SameOfficerError, ValueInvalidError
from ledger.domain.event import Role
from ledger.domain.officer import OfficerRevokedError, RoleMissingError
from ledger.domain.payment import (
    PaymentUnknownError,
    ReturnReason,
    TrancheRefunded,
    TrancheReissued,
    TrancheReturned,
    TrancheReversed,
    TrancheSettled,
)
from ledger.domain.program import BudgetExceededError, FundsRecovered, FundsReserved, FundsSpent
from ledger.files.tables import Row
from tests.acts import (  # fmt: skip
    BUDI,
    PROGRAM,
    SITI,
    TRANCHE,
    Told,
    approve,
    by,
    kept,
    log,
    nik,
    pay,
    propose,
    register,
    run,
    step,
)


def paid(ledger: Ledger, count: int = 1) -> list[str]:
    """The ids of payments that have just left."""
    recipients = register(ledger, count)
    pay(ledger, recipients)
    return [f"{PROGRAM}/1/{each}" for each in recipients]


def name(payment_id: str) -> dict[str, Any]:
    program, tranche, recipient_id = payment_id.split("/")
    return {"program": program, "tranche": int(tranche), "recipient_id": recipient_id, "amount": TRANCHE}


def money(ledger: Ledger) -> tuple[int, int, int]:
    program = Attempt(ledger, SITI).program(PROGRAM)
    return program.available, program.reserved, program.spent


def funds(cls: type[FundsReserved | FundsRecovered | FundsSpent], amount: int, reserved_for: str) -> object:
    return cls(program=PROGRAM, amount=amount, reserved_for=reserved_for)


def test_a_payment_goes_from_left_to_returned_to_paid_again_to_settled(ledger: Ledger) -> None:
    [payment_id] = paid(ledger)
    since, before = len(log(ledger)), money(ledger)
    step(ledger, Step.RETURN, payment_id)
    step(ledger, Step.REISSUE, payment_id)
    step(ledger, Step.SETTLE, f"{payment_id}/2")
    called = name(payment_id)
    assert log(ledger, since) == [
        TrancheReturned(**called, attempt=1, return_reason=ReturnReason.CLOSED_ACCOUNT, recorded_by="siti"),
        TrancheReissued(**called, attempt=2, after="return"),
        TrancheSettled(**called, attempt=2),
    ]
    assert money(ledger) == before


def test_an_old_file_of_returns_changes_nothing_after_the_payment_was_made_again(ledger: Ledger) -> None:
    [payment_id] = paid(ledger)
    step(ledger, Step.RETURN, payment_id)
    step(ledger, Step.REISSUE, payment_id)
    before = kept(ledger)
    assert step(ledger, Step.RETURN, payment_id).repeated == 1
    assert step(ledger, Step.REISSUE, payment_id).repeated == 1
    assert kept(ledger) == before
    assert step(ledger, Step.RETURN, f"{payment_id}/2").taken == 1


@pytest.mark.parametrize("taken", list(Step))
def test_a_step_taken_again_records_nothing(ledger: Ledger, taken: Step) -> None:
    [payment_id] = paid(ledger)
    if taken in (Step.REISSUE, Step.REFUND):
        step(ledger, Step.RETURN, payment_id)
    assert step(ledger, taken, payment_id).taken == 1
    before = kept(ledger)
    assert step(ledger, taken, payment_id).repeated == 1
    assert kept(ledger) == before


def test_who_recorded_the_return_does_not_pay_it_again(ledger: Ledger) -> None:
    officers.enroll(ledger, SITI, officer_id="agus", roles=(Role.MAKER, Role.CHECKER))
    [payment_id] = paid(ledger)
    step(ledger, Step.RETURN, payment_id, command=by("agus"))
    before = kept(ledger)
    with pytest.raises(SameOfficerError):
        step(ledger, Step.REISSUE, payment_id, command=by("agus"))
    assert kept(ledger) == before
    step(ledger, Step.REISSUE, payment_id, command=BUDI)


def test_a_refund_names_its_proof(ledger: Ledger) -> None:
    [payment_id] = paid(ledger)
    step(ledger, Step.RETURN, payment_id)
    with pytest.raises(ValueInvalidError) as refused:
        step(ledger, Step.REFUND, payment_id, treasury_ref="")
    assert refused.value.field == "treasury_ref"
    step(ledger, Step.REFUND, payment_id, treasury_ref="NTPN 7")
    assert log(ledger)[-1] == TrancheRefunded(**name(payment_id), treasury_ref="NTPN 7")


def test_a_reversal_frees_the_money_and_paying_again_takes_it_again(ledger: Ledger) -> None:
    one, two = paid(ledger, 2)
    since, (available, reserved, spent) = len(log(ledger)), money(ledger)
    step(ledger, Step.REVERSE, one, two)
    assert log(ledger, since) == [
        TrancheReversed(**name(one), reason="wrong list"),
        TrancheReversed(**name(two), reason="wrong list"),
        funds(FundsRecovered, 2 * TRANCHE, "reversed payments"),
    ]
    assert money(ledger) == (available + 2 * TRANCHE, reserved, spent - 2 * TRANCHE)
    since = len(log(ledger))
    step(ledger, Step.REISSUE, one, two)
    assert log(ledger, since) == [
        funds(FundsReserved, 2 * TRANCHE, "reissued payments"),
        TrancheReissued(**name(one), attempt=2, after="reversal"),
        TrancheReissued(**name(two), attempt=2, after="reversal"),
        funds(FundsSpent, 2 * TRANCHE, "reissued payments"),
    ]
    assert money(ledger) == (available, reserved, spent)


def test_a_payment_again_that_the_budget_does_not_cover_is_refused_and_the_others_go_on(ledger: Ledger) -> None:
    one, two, returned = paid(ledger, 3)
    step(ledger, Step.RETURN, returned)
    step(ledger, Step.REVERSE, one, two)
    programs.set_budget(ledger, BUDI, program=PROGRAM, budget=2 * TRANCHE)
    told = Told()
    tally = step(ledger, Step.REISSUE, one, two, returned, on_reject=told)
    assert told.codes == [(3, "payment", "budget_exceeded")]
    assert tally.taken == 2
    assert money(ledger) == (0, 0, 2 * TRANCHE)
    with pytest.raises(BudgetExceededError) as refused:
        step(ledger, Step.REISSUE, two)
    assert (refused.value.asked, refused.value.available) == (TRANCHE, 0)


def test_in_a_closed_program_what_came_back_is_still_paid_but_nothing_new(ledger: Ledger) -> None:
    returned, reversed_ = paid(ledger, 2)
    step(ledger, Step.RETURN, returned)
    step(ledger, Step.REVERSE, reversed_)
    programs.close_program(ledger, BUDI, program=PROGRAM, reason="year-end")
    told = Told()
    assert step(ledger, Step.REISSUE, returned, reversed_, on_reject=told).taken == 1
    assert told.codes == [(3, "payment", "program_closed")]


def test_a_payment_that_was_reversed_is_not_proposed_again(ledger: Ledger) -> None:
    [payment_id] = paid(ledger)
    step(ledger, Step.REVERSE, payment_id)
    told = Told()
    other = register(ledger, 1, first=2)
    propose(ledger, [payment_id.rpartition("/")[2], *other], on_reject=told)
    assert told.codes == [(2, "recipient", "already_paid")]


def test_the_same_payment_twice_in_a_file_is_stepped_once(ledger: Ledger) -> None:
    [payment_id] = paid(ledger)
    tally = step(ledger, Step.SETTLE, payment_id, payment_id)
    assert (tally.taken, tally.repeated) == (1, 1)


def test_reversals_in_several_chunks_free_each_their_own_money(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    payments = paid(ledger, 3)
    before = money(ledger)
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 2)
    step(ledger, Step.REVERSE, *payments)
    assert money(ledger) == (before[0] + 3 * TRANCHE, 0, before[2] - 3 * TRANCHE)


@pytest.mark.parametrize(("taken", "officer_id"), [(Step.SETTLE, "budi"), (Step.RETURN, "budi"), (Step.REFUND, "budi"), (Step.REISSUE, "siti"), (Step.REVERSE, "siti")])  # fmt: skip
def test_each_step_is_for_one_role(ledger: Ledger, taken: Step, officer_id: str) -> None:
    [payment_id] = paid(ledger)
    before = kept(ledger)
    with pytest.raises(RoleMissingError):
        step(ledger, taken, payment_id, command=by(officer_id))
    assert kept(ledger) == before


def test_a_revoked_officer_takes_no_step(ledger: Ledger) -> None:
    [payment_id] = paid(ledger)
    officers.revoke(ledger, BUDI, officer_id="siti", reason="moved")
    with pytest.raises(OfficerRevokedError):
        step(ledger, Step.SETTLE, payment_id)


@pytest.mark.parametrize("text", ["R000000001", f"{PROGRAM}/2/R000000001", f"{PROGRAM}/1/R000000001/2"])
def test_a_payment_never_made_is_refused_by_its_own_row(ledger: Ledger, text: str) -> None:
    [payment_id] = paid(ledger)
    told = Told()
    assert step(ledger, Step.SETTLE, text, payment_id, on_reject=told).taken == 1
    assert told.codes == [(2, "payment", "payment_unknown")]


def test_a_number_of_a_person_in_a_payments_place_is_not_told(ledger: Ledger) -> None:
    for text in (nik(1), f"{nik(1)}/1"):
        with pytest.raises(PaymentUnknownError) as refused:
            step(ledger, Step.SETTLE, text)
        assert nik(1) not in str(refused.value)


def test_the_reason_of_a_return_is_the_banks_code(ledger: Ledger) -> None:
    [payment_id] = paid(ledger)
    rows_of_bank = [Row(2, (payment_id, "ac99", "")), Row(3, (payment_id, " be01 ", ""))]
    told = Told()
    aftercare.change(ledger, SITI, Step.RETURN, rows_of_bank, on_reject=told)
    assert [reject.code for reject in told.rejects] == ["value_invalid"]
    event = log(ledger)[-1]
    assert isinstance(event, TrancheReturned)
    assert event.return_reason is ReturnReason.NAME_MISMATCH


def test_a_rehearsed_step_records_nothing(ledger: Ledger) -> None:
    [payment_id] = paid(ledger)
    before = kept(ledger)
    assert step(ledger, Step.REVERSE, payment_id, command=by("budi", dry_run=True)).taken == 1
    assert kept(ledger) == before


def test_money_reserved_for_a_batch_is_not_touched_by_corrections(ledger: Ledger) -> None:
    [payment_id] = paid(ledger)
    batch_id = propose(ledger, register(ledger, 1, first=2))
    approve(ledger, batch_id)
    step(ledger, Step.REVERSE, payment_id)
    assert money(ledger)[1:] == (TRANCHE, 0)
    run(ledger, batch_id)
    assert money(ledger)[1:] == (0, TRANCHE)
