"""Every module and command of the program, so that tests can ask for all refusals, events or commands there are."""

from importlib import import_module
from pkgutil import walk_packages

import click

import ledger
import projections
from cli import salur
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


def commands(group: click.Group = salur, path: str = "salur") -> list[tuple[str, click.Command]]:
    """Every group and command below a group, each after the words that call it."""
    context, found = click.Context(group), []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            raise LookupError(f"{path} lists {name} and has no such command")
        found.append((f"{path} {name}", command))
        if isinstance(command, click.Group):
            found += commands(command, f"{path} {name}")
    return found
