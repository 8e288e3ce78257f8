"""Random officers against a model of the rules that fits on two screens."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.application import programs, registration
from ledger.application.aftercare import Step
from ledger.application.attempt import Attempt
from ledger.application.batches import reject
from ledger.application.ledger import Ledger
from ledger.domain.errors import LedgerError
from ledger.domain.payment import TrancheDisbursed
from tests.acts import (
    BUDI,
    PROGRAM,
    SITI,
    TRANCHE,
    Told,
    approve,
    by,
    fund,
    kept,
    log,
    members,
    now,
    person,
    propose,
    run,
)
from tests.acts import step as take_step  # fmt: skip

GRANT = 40_000_000
TKM = "tkm-2020"
PEOPLE = st.integers(1, 5)
SOME_PEOPLE = st.lists(PEOPLE, min_size=1, max_size=5)
TRANCHES = st.integers(1, 2)
NEXT_STATUS = {
    # from which states a step leads where; "=" leaves a payment as it is
    Step.SETTLE: {"disbursed": "settled", "reissued": "settled", "settled": "="},
    Step.RETURN: {
        "disbursed": "returned",
        "reissued": "returned",
        "settled": "returned",
        "returned": "=",
        "refunded": "=",
    },
    Step.REISSUE: {"returned": "reissued", "reversed": "reissued"},
    Step.REFUND: {"returned": "refunded", "refunded": "="},
    Step.REVERSE: {"disbursed": "reversed", "reissued": "reversed", "reversed": "="},
}


@dataclass
class Money:
    """A program's money."""

    budget: int
    reserved: int = 0
    spent: int = 0
    is_closed: bool = False

    @property
    def available(self) -> int:
        return self.budget - self.reserved - self.spent

    def refusal_to_reserve(self, amount: int) -> str:
        return "program_closed" if self.is_closed else "budget_exceeded" if amount > self.available else ""


@dataclass
class Paid:
    status: str = "disbursed"
    attempt: int = 1


@dataclass
class Listed:
    """A batch: who is on its list, and how far it has come."""

    people: tuple[int, ...]
    tranche: int
    status: str = "proposed"

    @property
    def total(self) -> int:
        return TRANCHE * len(self.people)


@dataclass
class Model:
    registered: set[int] = field(default_factory=set)
    money: dict[str, Money] = field(
        default_factory=lambda: {PROGRAM: Money(5 * TRANCHE), TKM: Money(2 * GRANT + TRANCHE)}
    )
    payments: dict[tuple[int, int], Paid] = field(default_factory=dict)
    """(tranche, person) → what became of it."""
    batches: dict[str, Listed] = field(default_factory=dict)
    groups: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def group_of(self, number: int) -> str | None:
        return next((group_id for group_id, people in self.groups.items() if number in people), None)


def recipient(number: int) -> str:
    return f"R{number:09}"


class Officers(RuleBasedStateMachine):
    """Each rule lets the model say what must happen, does it, and does it again."""

    made: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copytree(self.made, self.folder / "ledger")
        self.ledger = Ledger(self.folder / "ledger", now=now)
        self.model = Model()

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.folder)

    def expect(self, refusal: str, act: Callable[[], object]) -> None:
        """The act is refused as the model says, or goes through; in both cases doing it again adds nothing."""
        before = kept(self.ledger)
        if refusal:
            with pytest.raises(LedgerError) as refused:
                act()
            assert refused.value.code == refusal
            assert kept(self.ledger) == before
        else:
            act()
        after = kept(self.ledger)
        with suppress(LedgerError):
            act()
        assert kept(self.ledger) == after

    # People

    @initialize()
    def begin(self) -> None:
        for program, money in self.model.money.items():
            programs.set_budget(self.ledger, BUDI, program=program, budget=money.budget)
        for number in (1, 2, 3):
            self.register(number)
        self.pay([1, 2], 1, to_its_end=True)

    @rule(number=PEOPLE)
    def register(self, number: int) -> None:
        if number not in self.model.registered and number != len(self.model.registered) + 1:
            return  # people come in order, so that their ids are known
        refusal = "recipient_registered" if number in self.model.registered else ""

        def act() -> None:
            registration.register(
                self.ledger, SITI, [person(number, account="")], file_sha256=None, category="worker", on_reject=stop
            )

        def stop(_: object, error: LedgerError | None) -> None:
            assert error
            raise error

        self.expect(refusal, act)
        self.model.registered.add(number)

    # Batches

    @rule(people=SOME_PEOPLE, tranche=TRANCHES)
    def propose(self, people: list[int], tranche: int) -> None:
        self.proposed(people, tranche)

    def proposed(self, people: list[int], tranche: int) -> str:
        model, codes, payable = self.model, [], []
        for number in people:
            if number not in model.registered:
                codes.append("recipient_unknown")
            elif (tranche, number) in model.payments:
                codes.append("already_paid")
            elif number in payable:
                codes.append("duplicate_in_file")
            else:
                payable.append(number)
        chosen = tuple(sorted(payable))
        batch_id = f"t{tranche}-" + "".join(map(str, chosen)) if chosen else "none"
        known = model.batches.get(batch_id)
        refusal = (
            "program_closed"
            if model.money[PROGRAM].is_closed
            else "batch_empty"
            if not chosen
            else "batch_exists"
            if known and known.status == "rejected"
            else ""
        )
        told = Told()

        def act() -> None:
            told.rejects.clear()
            propose(
                self.ledger, [recipient(each) for each in people], tranche=tranche, batch_id=batch_id, on_reject=told
            )

        self.expect(refusal, act)
        if not refusal:
            assert [reject.code for reject in told.rejects] == codes
            model.batches.setdefault(batch_id, Listed(chosen, tranche))
        return batch_id

    @precondition(lambda self: self.model.batches)
    @rule(taken=st.sampled_from(["approve", "approve", "run", "run", "run", "reject"]), which=st.integers(0, 99))
    def treat(self, taken: str, which: int) -> None:
        """Take a step with some batch."""
        batches = list(self.model.batches)
        {"approve": self.approve, "run": self.run, "reject": self.reject}[taken](batches[which % len(batches)])

    @rule(people=SOME_PEOPLE, tranche=TRANCHES, to_its_end=st.booleans())
    def pay(self, people: list[int], tranche: int, to_its_end: bool) -> None:
        """Bring one batch from its proposal to its approval or its end, as far as it gets."""
        batch_id = self.proposed(people, tranche)
        if batch_id in self.model.batches:
            self.approve(batch_id)
            if to_its_end:
                self.run(batch_id)

    @rule(people=SOME_PEOPLE, tranche=TRANCHES)
    def overtake(self, people: list[int], tranche: int) -> None:
        """Pay the first of a batch's people through another batch, after both were approved."""
        slow = self.proposed(people, tranche)
        if slow in self.model.batches:
            self.approve(slow)
            self.pay(people[:1], tranche, to_its_end=True)
            self.run(slow)

    def approve(self, batch_id: str) -> None:
        batch, money = self.model.batches[batch_id], self.model.money[PROGRAM]
        if batch.status == "proposed":
            refusal = money.refusal_to_reserve(batch.total)
        else:
            refusal = "batch_state" if batch.status == "rejected" else ""
        self.expect(refusal, lambda: approve(self.ledger, batch_id))
        if batch.status == "proposed" and not refusal:
            batch.status = "approved"
            money.reserved += batch.total

    def reject(self, batch_id: str) -> None:
        batch = self.model.batches[batch_id]
        refusal = "batch_state" if batch.status in ("approved", "executed") else ""
        self.expect(refusal, lambda: reject(self.ledger, BUDI, batch_id=batch_id, reason="late"))
        if not refusal:
            batch.status = "rejected"

    def run(self, batch_id: str) -> None:
        batch, money, told = self.model.batches[batch_id], self.model.money[PROGRAM], Told()
        refusal = "batch_state" if batch.status in ("proposed", "rejected") else ""
        self.expect(refusal, lambda: run(self.ledger, batch_id, on_reject=told))
        if batch.status == "approved":
            unpaid = [each for each in batch.people if (batch.tranche, each) not in self.model.payments]
            self.model.payments |= {(batch.tranche, each): Paid() for each in unpaid}
            assert [reject.code for reject in told.rejects] == ["already_paid"] * (len(batch.people) - len(unpaid))
            money.reserved -= batch.total
            money.spent += TRANCHE * len(unpaid)
            batch.status = "executed"

    # Payments

    @precondition(lambda self: self.model.payments)
    @rule(taken=st.sampled_from(list(Step)), which=st.integers(0, 99), later=st.sampled_from([0] * 8 + [-1, -1, 1]))
    def correct(self, taken: Step, which: int, later: int) -> None:
        """Take a step with some payment, mostly with its newest attempt."""
        (tranche, number), payment = self.some_payment(which)
        self.step(taken, tranche, number, max(1, payment.attempt + later))

    @precondition(lambda self: self.model.payments)
    @rule(which=st.integers(0, 99), way=st.integers(0, 2))
    def go_on(self, which: int, way: int) -> None:
        """Take a step that may follow, so that a payment comes far."""
        (tranche, number), payment = self.some_payment(which)
        ways = [taken for taken, statuses in NEXT_STATUS.items() if statuses.get(payment.status, "=") != "="]
        if ways:
            self.step(ways[way % len(ways)], tranche, number, payment.attempt)

    def some_payment(self, which: int) -> tuple[tuple[int, int], Paid]:
        return list(self.model.payments.items())[which % len(self.model.payments)]

    def step(self, taken: Step, tranche: int, number: int, attempt: int) -> None:
        payment = self.model.payments.get((tranche, number))
        money = self.model.money[PROGRAM]
        suffix = f"/{attempt}" if attempt > 1 else ""
        refusal, after = "", "="
        if payment is None or attempt > payment.attempt:
            refusal = "payment_unknown"
        elif attempt < payment.attempt:
            refusal = "" if taken in (Step.RETURN, Step.REISSUE) else "payment_state"
        else:
            after = NEXT_STATUS[taken].get(payment.status, "")
            refusal = "" if after else "payment_state"
            if taken is Step.REISSUE and payment.status == "reversed":
                refusal = money.refusal_to_reserve(TRANCHE)
        self.expect(refusal, lambda: take_step(self.ledger, taken, f"{PROGRAM}/{tranche}/{recipient(number)}{suffix}"))
        if payment is None or refusal or after == "=":
            return
        if taken is Step.REVERSE:
            money.spent -= TRANCHE
        if taken is Step.REISSUE:
            money.spent += TRANCHE if payment.status == "reversed" else 0
            payment.attempt += 1
        payment.status = after

    # Programs and groups

    @rule(program=st.sampled_from([PROGRAM, TKM]), more=st.sampled_from([-1, 0, TRANCHE, 3 * TRANCHE, 2 * GRANT]))
    def set_budget(self, program: str, more: int) -> None:
        """Set a budget that leaves so much beyond what is reserved and spent."""
        money = self.model.money[program]
        budget = max(0, money.reserved + money.spent + more)
        refusal = "budget_below_committed" if budget < money.reserved + money.spent else ""
        if money.is_closed:
            refusal = "program_closed"
        elif budget == money.budget:
            refusal = ""
        self.expect(refusal, lambda: programs.set_budget(self.ledger, BUDI, program=program, budget=budget))
        if not refusal:
            money.budget = budget

    @rule(group_id=st.sampled_from(["g1", "g2"]), people=SOME_PEOPLE)
    def fund(self, group_id: str, people: Sequence[int]) -> None:
        model, codes = self.model, []
        money = model.money[TKM]
        for place, number in enumerate(people):
            if number not in model.registered:
                codes.append("recipient_unknown")
            elif model.group_of(number) not in (None, group_id):
                codes.append("member_elsewhere")
            elif number in people[:place]:
                codes.append("duplicate_in_file")
        roster = tuple(sorted(people))
        if codes:
            codes.append("roster_invalid")
        elif group_id in model.groups:
            codes += [] if model.groups[group_id] == roster else ["group_already_funded"]
        elif refusal := money.refusal_to_reserve(GRANT):
            codes.append(refusal)
        else:
            model.groups[group_id] = roster
            money.spent += GRANT
        told = Told()

        def act() -> None:
            told.rejects.clear()
            fund(self.ledger, *members(group_id, *map(recipient, people)), on_reject=told)

        self.expect("", act)
        assert Counter(reject.code for reject in told.rejects) == Counter(codes)

    @rule(program=st.sampled_from([PROGRAM, TKM]), sure=st.integers(0, 9))
    def close(self, program: str, sure: int) -> None:
        money = self.model.money[program]
        if not money.reserved and sure:
            return  # little can happen after it
        refusal = "program_busy" if money.reserved else ""
        self.expect(refusal, lambda: programs.close_program(self.ledger, BUDI, program=program, reason="year-end"))
        money.is_closed = money.is_closed or not refusal

    # What holds after every step

    @invariant()
    def the_money_is_where_the_model_says(self) -> None:
        for code, money in self.model.money.items():
            program = Attempt(self.ledger, by(None)).program(code)
            if self.model.registered:  # the budgets are set at the beginning
                assert (program.budget, program.reserved, program.spent, program.is_closed) == (
                    money.budget,
                    money.reserved,
                    money.spent,
                    money.is_closed,
                )
                assert program.available + program.reserved + program.spent == program.budget
                assert min(program.available, program.reserved, program.spent) >= 0

    @invariant()
    def each_tranche_reached_a_recipient_at_most_once(self) -> None:
        paid = Counter(
            (event.tranche, int(event.recipient_id[1:]))
            for event in log(self.ledger)
            if isinstance(event, TrancheDisbursed)
        )
        assert paid == Counter(self.model.payments.keys())


@pytest.fixture
def machine(folder_of_2020: Path) -> type[Officers]:
    """Officers whose ledger is a copy of that of 2020."""
    return type("TheOfficers", (Officers,), {"made": folder_of_2020})


def test_random_officers_never_bring_the_ledger_off_its_rules(machine: type[Officers]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
