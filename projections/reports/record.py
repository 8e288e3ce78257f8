"""The record of a report, and of a relation that reports read; and what is amiss where a record and its SQL disagree."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ledger.console.columns import PLAIN, WITH_TOTALS, Column, Holds, Layout

CATALOGUE = "projections/reports/catalogue.py"
NAMED = "it is a number that names something"
_TYPES = {
    Holds.TEXT: "VARCHAR",
    Holds.WORDS: "VARCHAR",
    Holds.FLAG: "BOOLEAN",
    Holds.DATE: "DATE",
    **dict.fromkeys((Holds.COUNT, Holds.MONEY, Holds.QUANTITY, Holds.DIGITS), "DECIMAL|TINYINT|INTEGER|BIGINT|HUGEINT"),
}
"""What a column holds → the database's types for it."""


@dataclass(frozen=True, kw_only=True)
class Projection:
    """A query and its columns."""

    name: str
    columns: tuple[Column, ...]
    """In the order of the query."""
    keys: tuple[str, ...]
    """The columns that tell its rows apart; the rows of a relation are put in their order."""
    layout: Layout = PLAIN
    """How people see its rows."""
    is_by_event: bool = False
    """Whether its rows come in the order of the log, each from one event, so that it can be written span by span."""

    @property
    def file(self) -> str:
        """The name of its SQL file."""
        return f"{self.name.replace('-', '_')}.sql"

    @property
    def sql(self) -> str:
        """The text of its query."""
        return _text("projections.reports", self.file)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(each.name for each in self.columns)

    def column(self, name: str) -> Column:
        """One of its columns."""
        return next(each for each in self.columns if each.name == name)


@dataclass(frozen=True, kw_only=True)
class Relation(Projection):
    """A query that others read by its name."""

    is_read_alone: bool = False
    """Whether its rows tell somebody something without a report, so that an export has it."""


@dataclass(frozen=True, kw_only=True)
class Report(Projection):
    """A query whose figures officers and auditors ask for."""

    tells: str
    """In one sentence, for the help."""
    not_sums: Mapping[str, str] = field(default_factory=dict)
    """Columns of amounts that are no sum of what events contribute → why, after "COLUMN is no sum of events,"."""
    layout: Layout = WITH_TOTALS

    def __post_init__(self) -> None:
        """Raise where it names a column that it has not."""
        for name in {*self.keys, *self.not_sums, *self.layout.names} - set(self.names):
            raise LookupError(f"{CATALOGUE}: {self.name} has no column {name!r}: name it in columns, or not at all")

    @property
    def sums(self) -> tuple[str, ...]:
        """The columns whose values are sums of what events contribute."""
        return tuple(
            each.name
            for each in self.columns
            if each.is_amount and each.name not in self.keys and each.name not in self.not_sums
        )

    def why_no_sum(self, name: str) -> str | None:
        """Why a column of numbers is no sum; None for any other."""
        named = {each.name: NAMED for each in self.columns if each.holds is Holds.DIGITS}
        return (named | dict(self.not_sums)).get(name)

    @property
    def explanation(self) -> str:
        """The text of its explanation; raises `FileNotFoundError` for a report without sums."""
        return explained(self.file)


def explained(file: str) -> str:
    """The text of a query in `explained/`."""
    return _text("projections.reports.explained", file)


@lru_cache
def _text(package: str, file: str) -> str:
    from importlib.resources import files  # not for the help alone

    return files(package).joinpath(file).read_text(encoding="utf-8")


def flaws(projection: Projection, described: Sequence[tuple[str, str]]) -> list[str]:
    """Where a record is not what its query gives, as (column, the database's type): what to write where, a sentence
    each."""
    record, given = f"{CATALOGUE}: {projection.name}", tuple(name for name, _ in described)
    known, found = {each.name: each.holds for each in projection.columns}, []
    for name, kind in described:
        if name not in known:
            found.append(
                f"{record}: the query gives {name!r} ({kind}), which the record does not name; add it to columns, a shared"
                " one of ledger/console/columns.py or a Column with what it holds and its heading in both languages"
            )
        elif not re.match(_TYPES.get(known[name], ""), kind):
            found.append(f"{record}: the query gives {name!r} as {kind}, which is no {known[name].name}; change either")
    found += [f"{record}: the query gives no {name!r}; take it out of columns" for name in known if name not in given]
    if not found and given != projection.names:
        found.append(f"{record}: name the columns in the order of the query: {' '.join(given)}")
    return found
