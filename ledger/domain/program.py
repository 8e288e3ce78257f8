"""A program: its terms, its budget, and how much of it is held and spent.

budget = available + reserved + spent, always; only `available` can be reserved.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ledger.domain.errors import LedgerError, Said
from ledger.domain.event import Event, Stream
from ledger.domain.fields import Amount, BudgetAmount, ChosenByOfficer, ProgramCode, Slug, Text

LEVELS_MAX = 8
"""Programs under each other; the projection `branches` follows so many."""


class Kind(StrEnum):
    """The kind of help that a program gives."""

    CASH = "cash"
    GROUP_GRANT = "group-grant"
    PUBLIC_WORKS = "public-works"
    TRAINING = "training"
    INCUBATION = "incubation"
    TECHNOLOGY = "technology"
    DIGITAL = "digital"
    COMPANION = "companion"
    GOODS = "goods"
    REFERRAL = "referral"
    UMBRELLA = "umbrella"


program_stream = Stream("program/{program}", "spending beyond the budget, closing a program whose batch is being paid")


class _ProgramEvent(Event):
    STREAM = program_stream
    ROLE = None
    NEEDS_OPEN = False
    program: ProgramCode


class ProgramOpened(_ProgramEvent):
    """A program begins, with its terms."""

    TOPIC = "ProgramOpened.v1"
    AGREED = "programs"
    program: Annotated[ProgramCode, ChosenByOfficer]
    parent: ProgramCode | None = None
    name: Text
    kind: Kind
    ceiling: Amount | None = None
    """The most one recipient, or one group, may get."""
    schedule: tuple[Amount, ...] = ()
    """Amount of tranche 1, 2, …"""
    fiscal_year: Annotated[int, Field(ge=1945, le=2200)]
    legal_basis: Text | None = None
    categories: tuple[Slug, ...] = ()
    """Categories of recipients it is for; none named means all."""
    report_due_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """Days a funded group has to give its accountability report."""


class ProgramAmended(_ProgramEvent):
    """The terms of a program are these from here on; its place, kind and year stay as it was opened."""

    TOPIC = "ProgramAmended.v1"
    AGREED = "programs"
    NEEDS_OPEN = True
    name: Text
    ceiling: Amount | None = None
    schedule: tuple[Amount, ...] = ()
    legal_basis: Text | None = None
    categories: tuple[Slug, ...] = ()
    report_due_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    reason: Text


class BudgetSet(_ProgramEvent):
    """The money set aside for a program is now so much."""

    TOPIC = "BudgetSet.v1"
    AGREED = "programs"
    NEEDS_OPEN = True
    budget: BudgetAmount
    previous: BudgetAmount


class FundsReserved(_ProgramEvent):
    """Part of the budget is held for a batch or a file."""

    TOPIC = "FundsReserved.v1"
    NEEDS_OPEN = True
    amount: Amount
    reserved_for: Text


class FundsReleased(_ProgramEvent):
    """Money that was held is not needed and is free again."""

    TOPIC = "FundsReleased.v1"
    amount: Amount
    reserved_for: Text


class FundsSpent(_ProgramEvent):
    """Money that was held has been paid; it is no longer open."""

    TOPIC = "FundsSpent.v1"
    amount: Amount
    reserved_for: Text


class FundsRecovered(_ProgramEvent):
    """Money booked as paid by the ledger's own mistake is free again."""

    TOPIC = "FundsRecovered.v1"
    amount: Amount
    reserved_for: Text


class ProgramClosed(_ProgramEvent):
    """Nothing more is paid or recorded in the program."""

    TOPIC = "ProgramClosed.v1"
    AGREED = "programs"
    reason: Text


class ProgramUnknownError(LedgerError):
    """No program has that code."""

    code = "program_unknown"
    sentence = "no program {program}{nearest}; see `salur program list`"
    program: str
    nearest: Said = Said("")


class ProgramExistsError(LedgerError):
    """A program of that code was opened before, with other terms."""

    code = "program_exists"
    sentence = "program {program} is already open with other terms; choose another code"
    program: str


class ProgramTooDeepError(LedgerError):
    """The program would lie under more programs than reports follow."""

    code = "program_too_deep"
    sentence = "program {program} would lie more than {levels_max} levels deep; open it under a program above {parent}"
    program: str
    parent: str
    levels_max: int


class ProgramClosedError(LedgerError):
    """The program is closed."""

    code = "program_closed"
    sentence = "program {program} is closed; nothing more can be paid or recorded in it"
    program: str


class ProgramBusyError(LedgerError):
    """Money is still reserved for batches of the program."""

    code = "program_busy"
    sentence = "program {program} still has {reserved} reserved; run or cancel its approved batches first"
    program: str
    reserved: int


class TranchePaidError(LedgerError):
    """A tranche of which payments were made keeps its amount."""

    code = "tranche_paid"
    sentence = "tranche {tranche} of {program} has been paid to somebody, {amount} each; it keeps that amount"
    program: str
    tranche: int
    amount: int


class ScheduleOverCeilingError(LedgerError):
    """The tranches add up to more than a recipient may get."""

    code = "schedule_over_ceiling"
    sentence = (
        "the tranches of {program} add up to {total}, over the ceiling of {ceiling}; lower one or raise the other"
    )
    program: str
    total: int
    ceiling: int


class BudgetExceededError(LedgerError):
    """The program has too little unreserved budget."""

    code = "budget_exceeded"
    sentence = "{program}: {asked} asked, {available} available; raise the budget or ask for less"
    program: str
    asked: int
    available: int


class BudgetBelowCommittedError(LedgerError):
    """The new budget would not cover what is reserved and paid."""

    code = "budget_below_committed"
    sentence = "{program}: {committed} is already reserved or paid; the budget cannot be {budget}"
    program: str
    committed: int
    budget: int


class UmbrellaExceededError(LedgerError):
    """The budgets under an umbrella would add up to more than the umbrella's own."""

    code = "umbrella_exceeded"
    sentence = "the budgets under {umbrella} would add up to {total}, over its own of {budget}; raise that first or ask for less"
    umbrella: str
    total: int
    budget: int


class CategoryNotEligibleError(LedgerError):
    """The program is not meant for recipients of this category."""

    code = "category_not_eligible"
    sentence = "{program} is for {categories}, not for {category}; leave the recipient out or choose another program"
    program: str
    category: str
    categories: str


class TrancheUnknownError(LedgerError):
    """The program's schedule has no such tranche."""

    code = "tranche_unknown"
    sentence = "{program} has tranches 1 to {last}, not {tranche}; check --tranche or the program's schedule"
    program: str
    tranche: int
    last: int


class CeilingExceededError(LedgerError):
    """The amount is more than this tranche or group may get."""

    code = "ceiling_exceeded"
    sentence = "{asked} is over the {ceiling} that {program} allows here; correct the amount"
    program: str
    asked: str
    """The amount; only its shape if it is so long that it may be an account or another number of a person."""
    ceiling: int


@dataclass(frozen=True)
class Program:
    """One program: its terms and its money, in minor units."""

    terms: ProgramOpened
    """As they are now."""
    budget: int = 0
    reserved: int = 0
    spent: int = 0
    is_closed: bool = False
    opened: ProgramOpened | None = None
    """With the terms of its first day, where they have been amended."""

    @property
    def code(self) -> str:
        """The program's code."""
        return self.terms.program

    @property
    def available(self) -> int:
        """The part of the budget that is neither held nor spent."""
        return self.budget - self.reserved - self.spent


def evolve(program: Program | None, event: Event) -> Program | None:
    """The program after one more event."""
    if isinstance(event, ProgramOpened):
        return Program(event)
    if program is None:
        return None
    match event:
        case ProgramAmended():
            return replace(program, terms=_amended(program.terms, event), opened=program.opened or program.terms)
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
        if terms in (program.terms, program.opened):
            return []
        raise ProgramExistsError(program=terms.program)
    if above:
        require_open(above[0])
    if len(above) >= LEVELS_MAX:
        raise ProgramTooDeepError(program=terms.program, parent=above[0].code, levels_max=LEVELS_MAX)
    _require_under_ceiling(terms)
    return [terms]


def _require_under_ceiling(terms: ProgramOpened) -> None:
    if terms.ceiling is not None and sum(terms.schedule) > terms.ceiling:
        raise ScheduleOverCeilingError(program=terms.program, total=sum(terms.schedule), ceiling=terms.ceiling)


def _amended(terms: ProgramOpened, amended: ProgramAmended) -> ProgramOpened:
    return terms.model_copy(update=amended.model_dump(exclude={"program", "reason"}))


def amend(program: Program, *, amended: ProgramAmended, tranches_paid: Sequence[int]) -> list[Event]:
    """Give a program other terms; the same ones record nothing.

    Refused while a batch of it holds money, which rests on the terms of before. `tranches_paid` are those of which there
    are payments: they keep their amounts, so that nobody gets more from a program than its ceiling.
    """
    require_open(program)
    terms = _amended(program.terms, amended)
    if terms == program.terms:
        return []
    if program.reserved:
        raise ProgramBusyError(program=program.code, reserved=program.reserved)
    for tranche in tranches_paid:
        amount = program.terms.schedule[tranche - 1]
        if terms.schedule[tranche - 1 : tranche] != (amount,):
            raise TranchePaidError(program=program.code, tranche=tranche, amount=amount)
    _require_under_ceiling(terms)
    return [amended]


def set_budget(program: Program, *, budget: int, others: Sequence[Program] = ()) -> list[Event]:
    """Set aside so much in all; never less than is already reserved and spent.

    An umbrella that has a budget binds the sum of those under it; `others` are all programs of the ledger.
    """
    require_open(program)
    if budget == program.budget:
        return []
    _require_under_umbrella(program, budget, others)
    committed = program.reserved + program.spent
    if budget < committed:
        raise BudgetBelowCommittedError(program=program.code, committed=committed, budget=budget)
    return [BudgetSet(program=program.code, budget=budget, previous=program.budget)]


def _require_under_umbrella(program: Program, budget: int, others: Sequence[Program]) -> None:
    budgets = {each.code: each.budget for each in others} | {program.code: budget}
    umbrellas = [each for each in others if each.code == program.terms.parent] + [program]
    for umbrella in umbrellas:
        if umbrella.terms.kind is not Kind.UMBRELLA or not budgets[umbrella.code]:
            continue
        total = sum(budgets[each.code] for each in others if each.terms.parent == umbrella.code)
        if total > budgets[umbrella.code]:
            raise UmbrellaExceededError(umbrella=umbrella.code, total=total, budget=budgets[umbrella.code])


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
