import pytest

from ledger.domain import program as programs
from ledger.domain.event import Event
from ledger.domain.program import (
    BudgetBelowCommittedError,
    BudgetExceededError,
    BudgetSet,
    CategoryNotEligibleError,
    CeilingExceededError,
    FundsRecovered,
    FundsReleased,
    FundsReserved,
    FundsSpent,
    Kind,
    Program,
    ProgramAmended,
    ProgramBusyError,
    ProgramClosed,
    ProgramClosedError,
    ProgramExistsError,
    ProgramOpened,
    ProgramTooDeepError,
    ScheduleOverCeilingError,
    TranchePaidError,
    TrancheUnknownError,
    UmbrellaExceededError,
    set_budget,
)

TERMS = ProgramOpened(
    program="bsu",
    name="Bantuan Subsidi Upah",
    kind=Kind.CASH,
    ceiling=1000,
    schedule=(600, 400),
    fiscal_year=2020,
    categories=("worker",),
)
BUDGET = BudgetSet(program="bsu", budget=5000, previous=0)
CLOSED = ProgramClosed(program="bsu", reason="year-end")


def money(cls: type[Event], amount: int) -> Event:
    return cls(program="bsu", amount=amount, reserved_for="batch b1")  # type: ignore[call-arg]  # one of four classes with these fields


def program(*events: Event) -> Program:
    state: Program | None = None
    for event in (TERMS, *events):
        state = programs.evolve(state, event)
    assert state
    return state


def test_a_program_is_opened_with_its_terms_once() -> None:
    assert programs.open_program(None, terms=TERMS, above=()) == [TERMS]
    assert programs.open_program(program(), terms=TERMS, above=()) == []


AMENDED = ProgramAmended(program="bsu", name="BSU", ceiling=900, schedule=(600, 200, 100), reason="decree 16")


def test_an_amended_program_has_the_new_terms_and_its_old_place() -> None:
    changed = program(AMENDED)
    assert changed.terms == TERMS.model_copy(
        update={"name": "BSU", "ceiling": 900, "schedule": (600, 200, 100), "categories": ()}
    )
    assert programs.amend(program(), amended=AMENDED, tranches_paid=[1]) == [AMENDED]
    assert programs.amend(changed, amended=AMENDED, tranches_paid=[1]) == []
    assert programs.open_program(changed, terms=TERMS, above=()) == []  # as it was opened


def test_terms_do_not_change_under_an_approved_batch() -> None:
    with pytest.raises(ProgramBusyError):
        programs.amend(program(BUDGET, money(FundsReserved, 1)), amended=AMENDED, tranches_paid=())
    with pytest.raises(ProgramClosedError):
        programs.amend(program(CLOSED), amended=AMENDED, tranches_paid=())


@pytest.mark.parametrize("schedule", [(), (599, 200), (600,), (600, 399)])
def test_a_tranche_that_was_paid_keeps_its_amount(schedule: tuple[int, ...]) -> None:
    with pytest.raises(TranchePaidError):
        programs.amend(program(), amended=AMENDED.model_copy(update={"schedule": schedule}), tranches_paid=[1, 2])


def test_new_tranches_stay_under_the_new_ceiling() -> None:
    with pytest.raises(ScheduleOverCeilingError):
        programs.amend(program(), amended=AMENDED.model_copy(update={"ceiling": 899}), tranches_paid=())


def test_a_code_is_not_opened_again_with_other_terms() -> None:
    with pytest.raises(ProgramExistsError):
        programs.open_program(program(), terms=TERMS.model_copy(update={"fiscal_year": 2021}), above=())


@pytest.mark.parametrize(("ceiling", "is_refused"), [(999, True), (1000, False), (None, False)])
def test_tranches_never_add_up_to_more_than_the_ceiling(ceiling: int | None, is_refused: bool) -> None:
    terms = TERMS.model_copy(update={"ceiling": ceiling})
    if is_refused:
        with pytest.raises(ScheduleOverCeilingError):
            programs.open_program(None, terms=terms, above=())
    else:
        assert programs.open_program(None, terms=terms, above=()) == [terms]


def test_nothing_begins_under_a_closed_parent() -> None:
    with pytest.raises(ProgramClosedError):
        programs.open_program(None, terms=TERMS, above=(program(CLOSED),))


def test_a_program_lies_eight_levels_deep_at_most() -> None:
    assert programs.open_program(None, terms=TERMS, above=[program()] * 7) == [TERMS]
    with pytest.raises(ProgramTooDeepError):
        programs.open_program(None, terms=TERMS, above=[program()] * 8)


def test_a_budget_names_the_one_before_and_is_set_once() -> None:
    assert programs.set_budget(program(), budget=5000) == [BUDGET]
    assert programs.set_budget(program(BUDGET), budget=5000) == []
    assert programs.set_budget(program(BUDGET), budget=0) == [BudgetSet(program="bsu", budget=0, previous=5000)]


def test_a_budget_never_falls_below_what_is_reserved_and_spent() -> None:
    held = program(BUDGET, money(FundsReserved, 900), money(FundsSpent, 500))
    assert programs.set_budget(held, budget=900) == [BudgetSet(program="bsu", budget=900, previous=5000)]
    with pytest.raises(BudgetBelowCommittedError) as refused:
        programs.set_budget(held, budget=899)
    assert refused.value.committed == 900


def test_only_what_is_available_is_reserved() -> None:
    held = program(BUDGET, money(FundsReserved, 2000), money(FundsSpent, 500))
    assert programs.reserve(held, amount=3000, reserved_for="batch b1") == [money(FundsReserved, 3000)]
    with pytest.raises(BudgetExceededError) as refused:
        programs.reserve(held, amount=3001, reserved_for="batch b1")
    assert (refused.value.asked, refused.value.available) == (3001, 3000)


@pytest.mark.parametrize(
    ("paid", "events"),
    [
        (900, [money(FundsSpent, 900)]),
        (600, [money(FundsSpent, 600), money(FundsReleased, 300)]),
        (0, [money(FundsReleased, 900)]),
    ],
)
def test_money_held_is_either_spent_or_free_again(paid: int, events: list[Event]) -> None:
    state = program(BUDGET, money(FundsReserved, 900))
    assert programs.spend(state, amount=paid, held=900, reserved_for="batch b1") == events
    after = program(BUDGET, money(FundsReserved, 900), *events)
    assert (after.available, after.reserved, after.spent) == (5000 - paid, 0, paid)


def test_recovered_money_is_available_again() -> None:
    events = [BUDGET, money(FundsReserved, 900), money(FundsSpent, 900), money(FundsRecovered, 300)]
    assert (program(*events).available, program(*events).spent) == (4400, 600)


def test_a_program_is_closed_once_and_not_while_money_is_held() -> None:
    assert programs.close(program(BUDGET), reason="year-end") == [CLOSED]
    assert programs.close(program(CLOSED), reason="again") == []
    with pytest.raises(ProgramBusyError) as refused:
        programs.close(program(BUDGET, money(FundsReserved, 7)), reason="year-end")
    assert refused.value.reserved == 7


def test_no_money_moves_into_or_out_of_a_closed_program() -> None:
    closed = program(BUDGET, CLOSED)
    with pytest.raises(ProgramClosedError):
        programs.set_budget(closed, budget=1)
    with pytest.raises(ProgramClosedError):
        programs.reserve(closed, amount=1, reserved_for="batch b1")


def test_each_tranche_has_the_amount_of_its_place_in_the_schedule() -> None:
    assert [programs.tranche_amount(program(), tranche) for tranche in (1, 2)] == [600, 400]
    for tranche in (0, -1, 3):
        with pytest.raises(TrancheUnknownError):
            programs.tranche_amount(program(), tranche)


def test_the_ceiling_itself_is_within_the_ceiling() -> None:
    programs.require_within(program(), amount=600, ceiling=600)
    programs.require_within(program(), amount=601, ceiling=None)
    with pytest.raises(CeilingExceededError):
        programs.require_within(program(), amount=601, ceiling=600)


def test_a_program_that_names_no_category_is_for_all() -> None:
    programs.require_eligible(program(), "worker")
    programs.require_eligible(Program(TERMS.model_copy(update={"categories": ()})), "civil-servant")
    with pytest.raises(CategoryNotEligibleError):
        programs.require_eligible(program(), "civil-servant")


def under(code: str, parent: str | None, budget: int, kind: Kind = Kind.CASH) -> Program:
    terms = ProgramOpened(program=code, parent=parent, name=code, kind=kind, fiscal_year=2020)
    return Program(terms, budget=budget)


@pytest.mark.parametrize(
    ("code", "budget", "total"),
    [("one", 70, None), ("one", 71, 101), ("jps", 90, None), ("jps", 89, 90), ("jps", 0, None), ("far", 999, None)],
)
def test_an_umbrella_binds_the_sum_of_the_budgets_under_it(code: str, budget: int, total: int | None) -> None:
    programs = [
        under("jps", None, 100, Kind.UMBRELLA), under("one", "jps", 60), under("two", "jps", 30), under("far", None, 5),
    ]  # fmt: skip
    [program] = [each for each in programs if each.code == code]
    if total is None:
        assert len(set_budget(program, budget=budget, others=programs)) == 1
        return
    with pytest.raises(UmbrellaExceededError) as refused:
        set_budget(program, budget=budget, others=programs)
    assert (refused.value.umbrella, refused.value.total) == ("jps", total)


def test_an_umbrella_without_a_budget_and_a_parent_of_another_kind_bind_nothing() -> None:
    for parent in (under("jps", None, 0, Kind.UMBRELLA), under("jps", None, 5)):
        child = under("one", "jps", 1)
        assert len(set_budget(child, budget=60, others=[parent, child])) == 1
