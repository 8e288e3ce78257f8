"""The root command: its page of help, and what it loads."""

import subprocess
import sys
from collections import Counter
from importlib import import_module

import click
import pytest

import cli

LISTS_MODULES = "import sys, cli; code = cli.run(sys.argv[1:]); print(*sys.modules, file=sys.stderr); sys.exit(code)"


def page(*words: str) -> tuple[str, set[str]]:
    """What a command prints, and the modules that were loaded for it."""
    done = subprocess.run([sys.executable, "-c", LISTS_MODULES, *words], capture_output=True, text=True, check=True)
    return done.stdout, set(done.stderr.split())


def test_every_command_stands_in_exactly_one_section_and_is_what_it_is_called() -> None:
    context = click.Context(cli.salur)
    names = cli.salur.list_commands(context)
    assert [name for name, times in Counter(names).items() if times > 1] == []
    for name in names:
        command = cli.salur.get_command(context, name)
        assert command is not None, name
        assert command.name == name
        assert not isinstance(command, click.Group) or command.list_commands(context), f"{name} has no commands"
    assert cli.salur.get_command(context, "nothing") is None


def test_help_lists_the_commands_under_their_sections_in_order() -> None:
    text, _ = page("--help")
    found: list[tuple[str, list[str]]] = []
    for line in text.partition("-h, --help")[2].splitlines()[1:]:
        if line.endswith(":") and not line.startswith(" "):
            found.append((line.removesuffix(":"), []))
        elif line.strip():
            found[-1][1].append(line.split()[0])
    assert found == [(title, list(names)) for title, names in cli.SECTIONS.items()]


def test_no_two_modules_of_a_group_have_a_command_of_the_same_name() -> None:
    for section in cli.SECTIONS.values():
        for name, group in section.items():
            if not isinstance(group, str):
                parts = [getattr(import_module(module), name) for module in group.modules]
                times = Counter(command for part in parts for command in part.commands)
                assert set(times.values()) == {1}, name


def test_a_group_has_the_commands_of_both_sides() -> None:
    listed = {line.split()[0] for line in page("log", "--help")[0].splitlines() if line.startswith("  ")}
    assert {"seal", "verify"} <= listed


@pytest.mark.parametrize("words", [["--help"], ["program", "--help"], ["disburse", "run", "--help"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    loaded = page(*words)[1]
    assert loaded.isdisjoint({"eventsourcing", "pydantic", "cryptography", "duckdb", "rich", "ledger.application"})


def test_help_of_the_whole_loads_no_group() -> None:
    groups = {module for section in cli.SECTIONS.values() for found in section.values()
              if not isinstance(found, str) for module in found.modules}  # fmt: skip
    single = {found for section in cli.SECTIONS.values() for found in section.values() if isinstance(found, str)}
    assert page("--help")[1].isdisjoint(groups - single)
