"""A law of the ledger: what was examined of it, and where it does not hold."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING

from ledger.domain.registry import EVENT_CLASSES, STREAMS
from projections.relation.relations import FIELDS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OnProgress = Callable[[int], None]
"""Called with the number of events done since its last call."""


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


def law_sql(name: str) -> str:
    """The text of a law, with what follows from the declarations of events in the places marked for it."""
    text = files("projections.laws").joinpath(name.replace("-", "_") + ".sql").read_text(encoding="utf-8")
    for mark, made in _MADE.items():
        if mark in text:
            text = text.replace(mark, made())
    return text


def _agreed() -> str:
    """For each kind of act that needs words, its events."""
    kinds = sorted({cls.AGREED for cls in _CLASSES if cls.AGREED})
    return " ".join(
        f"WHEN event IN ({_listed(kind == cls.AGREED for cls in _CLASSES)}) THEN '{kind}'" for kind in kinds
    )


def _streams() -> str:
    """For each form of a stream's name, its events and the name that their fields give."""
    found = []
    for stream in STREAMS:
        words = [
            f"'{text}'" if index % 2 == 0 else text for index, text in enumerate(re.split(r"{(\w+)}", stream.form))
        ]
        # A number is text only when it is made so, on DuckDB as on Spark.
        words = [f"CAST({each} AS STRING)" if FIELDS.get(each, "VARCHAR") != "VARCHAR" else each for each in words]
        words = [each for each in words if each != "''"]
        found.append(f"WHEN event IN ({_listed(cls.STREAM is stream for cls in _CLASSES)}) THEN {' || '.join(words)}")
    return "\n            ".join(found)


def _needs_open() -> str:
    return _listed(getattr(cls, "NEEDS_OPEN", False) for cls in _CLASSES)


def _needs_eligible() -> str:
    return _listed(getattr(cls, "NEEDS_ELIGIBLE", False) for cls in _CLASSES)


def _listed(is_one: Iterable[bool]) -> str:
    """The names of the events for which it is so."""
    return ", ".join(f"'{cls.TOPIC.partition('.')[0]}'" for cls, each in zip(_CLASSES, is_one, strict=True) if each)


_CLASSES = tuple(EVENT_CLASSES.values())
_MADE = {
    "{agreed}": _agreed,
    "{needs_eligible}": _needs_eligible,
    "{needs_open}": _needs_open,
    "{streams}": _streams,
}
"""Mark in a law's text → what makes the text that stands there."""


def sentence(text: str) -> str:
    """The comment that a law's file begins with."""
    lines = text.splitlines()
    end = next(index for index, line in enumerate(lines) if not line.startswith("--"))
    return " ".join(line.removeprefix("--").strip() for line in lines[:end])


def verdicts(connection: "DuckDBPyConnection", query: str) -> tuple[int, int, list[Breach]]:
    """How many things a law's query examines, how many are broken, and the first of these in log order.

    Nothing but the numbers is kept of what was examined, which may be all events; where a law is broken, it is asked
    once more.
    """
    [(checked, broken_count)] = connection.execute(
        f"SELECT COUNT(*), COUNT(detail) FROM ({query}\n) AS verdicts"  # noqa: S608  # our own
    ).fetchall()
    if not broken_count:
        return checked, 0, []
    first = connection.execute(
        f"SELECT log_index, stream, detail FROM ({query}\n) AS verdicts WHERE detail IS NOT NULL"  # noqa: S608  # our own
        f" ORDER BY log_index, stream NULLS LAST, detail LIMIT {BREACHES_MAX}"
    ).fetchall()
    return checked, broken_count, [Breach(*each) for each in first]
