"""Every module of the program, so that tests can ask for all refusals or all events there are."""

from importlib import import_module
from pkgutil import walk_packages

import ledger
import projections
from ledger.domain.errors import LedgerError


def modules() -> list[str]:
    """The names of all modules of both sides, each imported."""
    found = [
        each.name for room in (ledger, projections) for each in walk_packages(room.__path__, prefix=f"{room.__name__}.")
    ]
    for name in found:
        import_module(name)
    return found


def refusals() -> list[type[LedgerError]]:
    """Every refusal, in order of its code."""
    modules()
    return sorted(_below(LedgerError), key=lambda cls: cls.code)


def _below(cls: type[LedgerError]) -> list[type[LedgerError]]:
    return [
        each
        for sub in cls.__subclasses__()
        for each in (sub, *_below(sub))
        if each.__module__.startswith(("ledger.", "projections."))
    ]
