"""A program: its terms, its budget, and how much of it is held and spent.

budget = available + reserved + spent, always; only `available` can be reserved.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ledger.errors import (
    BudgetBelowCommittedError,
    BudgetExceededError,
    CategoryNotEligibleError,
    CeilingExceededError,
    ProgramBusyError,
    ProgramClosedError,
    ProgramExistsError,
    ProgramTooDeepError,
    ScheduleOverCeilingError,
    TrancheUnknownError,
)
from ledger.events import (
    BudgetSet,
    Event,
    FundsRecovered,
    FundsReleased,
    FundsReserved,
    FundsSpent,
    ProgramClosed,
    ProgramOpened,
)

LEVELS_MAX = 8
"""Programs under each other; the projection `branches` follows so many."""


@dataclass(frozen=True)
class Program:
    terms: ProgramOpened
    budget: int = 0
    reserved: int = 0
    spent: int = 0
    is_closed: bool = False

    @property
    def code(self) -> str:
        return self.terms.program

    @property
    def available(self) -> int:
        return self.budget - self.reserved - self.spent


def evolve(program: Program | None, event: Event) -> Program | None:
    if isinstance(event, ProgramOpened):
        return Program(event)
    if program is None:
        return None
    match event:
        case BudgetSet():
            return replace(program, budget=event.budget)
        case FundsReserved():
            return replace(program, reserved=program.reserved + event.amount)
        case FundsReleased():
            return replace(program, reserved=program.reserved - event.amount)
        case FundsSpent():
            return replace(program, reserved=program.reserved - event.amount, spent=program.spent + event.amount)
        case FundsRecovered():
            return replace(program, spent=program.spent - event.amount)
        case ProgramClosed():
            return replace(program, is_closed=True)
    return program


def open_program(program: Program | None, *, terms: ProgramOpened, above: Sequence[Program]) -> list[Event]:
    """Begin a program under others, the nearest of them first; the same terms again record nothing."""
    if program is not None:
        if program.terms == terms:
            return []
        raise ProgramExistsError(program=terms.program)
    if above:
        require_open(above[0])
    if len(above) >= LEVELS_MAX:
        raise ProgramTooDeepError(program=terms.program, parent=above[0].code, levels_max=LEVELS_MAX)
    if terms.ceiling is not None and sum(terms.schedule) > terms.ceiling:
        raise ScheduleOverCeilingError(program=terms.program, total=sum(terms.schedule), ceiling=terms.ceiling)
    return [terms]


def set_budget(program: Program, *, budget: int) -> list[Event]:
    """Set aside so much in all; never less than is already reserved and spent."""
    require_open(program)
    if budget == program.budget:
        return []
    committed = program.reserved + program.spent
    if budget < committed:
        raise BudgetBelowCommittedError(program=program.code, committed=committed, budget=budget)
    return [BudgetSet(program=program.code, budget=budget, previous=program.budget)]


def reserve(program: Program, *, amount: int, reserved_for: str) -> list[Event]:
    """Hold part of the budget."""
    require_open(program)
    if amount > program.available:
        raise BudgetExceededError(program=program.code, asked=amount, available=program.available)
    return [FundsReserved(program=program.code, amount=amount, reserved_for=reserved_for)]


def spend(program: Program, *, amount: int, held: int, reserved_for: str) -> list[Event]:
    """Book what was paid of the money held, and free the rest."""
    events: list[Event] = []
    if amount:
        events.append(FundsSpent(program=program.code, amount=amount, reserved_for=reserved_for))
    if held > amount:
        events.append(FundsReleased(program=program.code, amount=held - amount, reserved_for=reserved_for))
    return events


def close(program: Program, *, reason: str) -> list[Event]:
    """End a program; refused while a batch of it still holds money."""
    if program.is_closed:
        return []
    if program.reserved:
        raise ProgramBusyError(program=program.code, reserved=program.reserved)
    return [ProgramClosed(program=program.code, reason=reason)]


def require_open(program: Program) -> None:
    """Refuse a program that is closed."""
    if program.is_closed:
        raise ProgramClosedError(program=program.code)


def tranche_amount(program: Program, tranche: int) -> int:
    """What the schedule gives one recipient in this tranche."""
    schedule = program.terms.schedule
    if not 1 <= tranche <= len(schedule):
        raise TrancheUnknownError(program=program.code, tranche=tranche, last=len(schedule))
    return schedule[tranche - 1]


def require_within(program: Program, *, amount: int, ceiling: int | None) -> None:
    """Refuse an amount over what one recipient or group may get."""
    if ceiling is not None and amount > ceiling:
        raise CeilingExceededError(program=program.code, asked=str(amount), ceiling=ceiling)


def require_eligible(program: Program, category: str) -> None:
    """Refuse a recipient of a category that the program is not meant for."""
    categories = program.terms.categories
    if categories and category not in categories:
        raise CategoryNotEligibleError(program=program.code, category=category, categories=", ".join(categories))
