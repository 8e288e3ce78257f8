"""Programs: opened, given a budget, closed."""

from ledger.application.attempt import Attempt, Command
from ledger.application.given import require_texts
from ledger.application.ledger import Ledger
from ledger.application.requests import Request
from ledger.domain import program as programs
from ledger.domain.event import Event
from ledger.domain.program import Program, ProgramOpened, program_stream
from ledger.store.entries import Entry


def open_program(ledger: Ledger, command: Command, *, terms: ProgramOpened) -> list[Entry]:
    """Begin a program."""

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer()
        above = _above(attempt, terms)
        known = attempt.load(program_stream(terms.program), programs.evolve)
        return programs.open_program(known, terms=terms, above=above)

    return ledger.carry_out(command, decide, request=Request("program open", terms.model_dump(mode="json")))


def _above(attempt: Attempt, terms: ProgramOpened) -> list[Program]:
    """The programs above a program, the nearest first; the search ends where there are too many."""
    above: list[Program] = []
    while terms.parent and len(above) < programs.LEVELS_MAX:
        above.append(attempt.program(terms.parent))
        terms = above[-1].terms
    return above


def set_budget(ledger: Ledger, command: Command, *, program: str, budget: int) -> list[Entry]:
    """Set aside money for a program: so much in all."""

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer()
        return programs.set_budget(attempt.program(program), budget=budget)

    return ledger.carry_out(command, decide, request=Request("program budget", {"program": program, "budget": budget}))


def close_program(ledger: Ledger, command: Command, *, program: str, reason: str) -> list[Entry]:
    """End a program."""
    require_texts(reason=reason)

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer()
        return programs.close(attempt.program(program), reason=reason)

    return ledger.carry_out(command, decide, request=Request("program close", {"program": program, "reason": reason}))
