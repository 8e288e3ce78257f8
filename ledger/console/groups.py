"""Groups of commands that are loaded when they are needed, and the page of help that lists them in sections."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose commands lie in several modules; each module holds its part as a group of the same name."""

    def __init__(self, help_text: str, *modules: str) -> None:
        super().__init__(help=help_text)
        self.modules = modules
        self._is_loaded = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order of the alphabet."""
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command so named, if there is one."""
        self._load()
        return super().get_command(ctx, cmd_name)

    def _load(self) -> None:
        if not self._is_loaded:
            for module in self.modules:
                self.commands.update(getattr(import_module(module), str(self.name)).commands)
            self._is_loaded = True


Sections = Mapping[str, Mapping[str, str | LazyGroup]]
"""Title of a section → name of a command → its group, or the module that holds the single command."""


class SectionedGroup(click.Group):
    """The root: its help lists the commands in sections by reader. Each command stands in exactly one section."""

    def __init__(self, *, sections: Sections, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.sections = sections
        self._modules: dict[str, str] = {}
        for section in sections.values():
            for name, found in section.items():
                if isinstance(found, str):
                    self._modules[name] = found
                else:
                    self.add_command(found, name)
                    found.name = name

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names of the commands, section by section."""
        return [name for section in self.sections.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command so named, if there is one."""
        if module := self._modules.pop(cmd_name, None):
            self.add_command(getattr(import_module(module), cmd_name), cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each section with its commands and what they are for."""
        limit = formatter.width - 6 - max(map(len, self.list_commands(ctx)))
        for title, names in self.sections.items():
            found = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section(title):
                formatter.write_dl([(name, each.get_short_help_str(limit)) for name, each in found if each])
