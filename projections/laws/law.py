"""A law of the ledger: what was examined of it, and where it does not hold."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OnProgress = Callable[[int], None]
"""Told of the number of events done since the last call."""


BREACHES_MAX = 20
"""Kept of each law; all are counted."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A place in the log where a law does not hold."""

    log_index: int | None
    """None for what concerns no single event, but a file."""
    stream: str
    """Or the file."""
    detail: str

    @property
    def words(self) -> str:
        """Where and what, in one sentence."""
        event = "" if self.log_index is None else f"event {self.log_index}"
        place = ", ".join(each for each in (event, self.stream) if each)
        return f"{place}: {self.detail}" if place else self.detail


@dataclass(slots=True)
class Law:
    """What was examined of one law, and where it does not hold."""

    name: str
    sentence: str
    checked: int = 0
    broken_count: int = 0
    broken: list[Breach] = field(default_factory=list)
    """The first of them in log order, at most `BREACHES_MAX`."""
    notices: list[Breach] = field(default_factory=list)
    """Worth a look, and no breach; at most `BREACHES_MAX`."""

    @property
    def holds(self) -> bool:
        """Whether no breach was found."""
        return self.broken_count == 0

    def breach(self, found: Breach) -> None:
        """Count a breach, and keep it if there is room."""
        self.broken_count += 1
        if len(self.broken) < BREACHES_MAX:
            self.broken.append(found)

    def notice(self, found: Breach) -> None:
        """Keep something worth a look if there is room."""
        if len(self.notices) < BREACHES_MAX:
            self.notices.append(found)


Examination = Callable[["DuckDBPyConnection"], Law]
"""Examines one law over `log` and what projections share."""


def law_names() -> list[str]:
    """The laws there are as SQL, by name."""
    found = (file.name for file in files("projections.laws").iterdir())
    return sorted(name.removesuffix(".sql").replace("_", "-") for name in found if name.endswith(".sql"))


def sentence(text: str) -> str:
    """The comment that a law's file begins with."""
    lines = text.splitlines()
    end = next(index for index, line in enumerate(lines) if not line.startswith("--"))
    return " ".join(line.removeprefix("--").strip() for line in lines[:end])
