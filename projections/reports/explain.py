"""Leads a figure of a report to the events that it is the sum of.

For every report with sums, `explained/` has a query with a row for each event, row of the report and column: what the
event contributes. The contributions of a figure sum to it, at any date and any size of the log.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ledger.console.columns import Column, Holds
from ledger.domain.errors import IntegrityBrokenError, Said, did_you_mean
from ledger.transparency.log import Log
from projections.errors import FigureUnknownError, ProofsTooManyError
from projections.reports.catalogue import REPORTS
from projections.reports.engine import EVENTS_A_SPAN, Reports, copy_each, fetch
from projections.reports.record import explained

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PAGE_EVENTS = 50
PROOFS_MAX = 1_000
EVENT_COLUMNS = ("log_index", "stream", "version", "event", "effective_on", "recorded_at", "officer", "contribution")

STEPS = ("payment_steps", "helped_steps", "money_steps")
"""Relations in `explained/` that its queries share."""
_KNOWN_MAX = 20
_COMPARED_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a report: the values of the row's keys, and the column."""

    report: str
    key: tuple[Any, ...]
    column: str

    def __str__(self) -> str:
        return "/".join((self.report, *_quoted(self.key), self.column))

    def where(self) -> str:
        """The condition that selects it among the rows of the report's explanation."""
        return f"{self.row()} AND column_name = {_literal(self.column)}"

    def row(self) -> str:
        """The condition that selects its row of the report."""
        conditions = (
            f"{name} IS NULL" if value is None else f"{name} = {_literal(value)}"
            for name, value in zip(REPORTS[self.report].keys, self.key, strict=True)
        )
        return " AND ".join(conditions)


def _quoted(key: Sequence[Any]) -> list[str]:
    texts = ["" if value is None else str(value).replace("%", "%25") for value in key]
    return texts if len(texts) == 1 else [text.replace("/", "%2F") for text in texts]


def figure_sql(report: str) -> str:
    """What gives a figure's name in a row of the report's explanation."""
    keys = [f"replace(COALESCE(CAST({name} AS STRING), ''), '%', '%25')" for name in REPORTS[report].keys]
    if len(keys) > 1:
        keys = [f"replace({key}, '/', '%2F')" for key in keys]
    return " || '/' || ".join([f"'{report}'", *keys, "column_name"])


def _literal(value: object) -> str:
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


# What there is


def create_steps(connection: "DuckDBPyConnection") -> None:
    """Create the relations that explanations share, over `events` and the shared projections."""
    for name in STEPS:
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {explained(f'{name}.sql')}")


def parse_figure(path: str) -> Figure:
    """The figure that a path such as `programs/bsu-2020/disbursed` names.

    A slash within a value is written %2F; where one value tells the rows apart, it may stand as it is.
    """
    name, _, rest = path.partition("/")
    if name not in REPORTS:
        raise _unknown(path, Said("there is no report {name}", name=repr(name)), name, list(REPORTS))
    report = REPORTS[name]
    middle, slash, column = rest.rpartition("/")
    if reason := report.why_no_sum(column):
        raise _unknown(
            path, Said("{column} is no sum of events, {reason}", column=column, reason=reason), "", report.sums
        )
    if column not in report.sums:
        raise _unknown(path, Said("{name} has no such column of sums", name=name), column, report.sums)
    texts = [middle] if len(report.keys) == 1 else middle.split("/")
    if not slash or len(texts) != len(report.keys):
        form = "/".join((name, *(key.upper() for key in report.keys), column))
        raise FigureUnknownError(figure=path, problem=Said("it names no row"), known=form)
    return Figure(
        name,
        tuple(_value(path, report.column(key), text) for key, text in zip(report.keys, texts, strict=True)),
        column,
    )


def _value(path: str, key: Column, text: str) -> str | int | None:
    if key.holds is Holds.DIGITS:
        if not re.fullmatch(r"[0-9]{1,18}", text):
            raise FigureUnknownError(
                figure=path, problem=Said("{text} is no number", text=repr(text)), known=f"{key.name} 1, 2, …"
            )
        return int(text)
    return text.replace("%2F", "/").replace("%2f", "/").replace("%25", "%") or None


def _unknown(path: str, problem: Said, asked: str, known: Sequence[str]) -> FigureUnknownError:
    close = difflib.get_close_matches(asked, known, n=1, cutoff=0.5)
    more = f" and {len(known) - _KNOWN_MAX:,} more" if len(known) > _KNOWN_MAX else ""
    return FigureUnknownError(
        figure=path,
        problem=problem,
        nearest=did_you_mean(close),
        known=(", ".join(known[:_KNOWN_MAX]) or "none yet") + more,
    )


# One figure


@dataclass(frozen=True)
class Explanation:
    """The events that one figure is the sum of, proved to be so; while the reports are open."""

    figure: Figure
    value: int
    count: int
    as_of: date
    log_size: int
    currency: str
    decimals: int
    is_money: bool
    connection: "DuckDBPyConnection"

    @property
    def file(self) -> str:
        """Of the report's explanation, as it is named to people."""
        return f"projections/reports/explained/{REPORTS[self.figure.report].file}"

    def head(self) -> dict[str, Any]:
        """What the events are the sum of, for other programs."""
        return {
            "figure": str(self.figure),
            "value": self.value,
            "as_of": self.as_of.isoformat(),
            "log_size": self.log_size,
            "sql": self.file,
            "where": self.figure.where(),
            "count": self.count,
        }

    def page_count(self) -> int:
        """The number of pages of events."""
        return max(1, -(-self.count // PAGE_EVENTS))

    def page(self, number: int) -> list[dict[str, Any]]:
        """The events of a page, from 1, in log order, as `EVENT_COLUMNS`."""
        return fetch(self.connection, _listed(self.connection, _of_page(number)))[1]

    def write(self, path: Path, *, form: Literal["csv", "json"], page: int | None = None) -> None:
        """Write the events of a page, or all, to a file, in log order: CSV with a header, or a JSON object a line."""

        def spans() -> Iterator[str]:
            if page is not None:
                yield _listed(self.connection, _of_page(page))
                return
            for first in range(0, max(self.log_size, 1), EVENTS_A_SPAN):
                span = f"log_index >= {first} AND log_index < {first + EVENTS_A_SPAN}"
                yield _listed(self.connection, f"SELECT * FROM contributions WHERE {span}")  # noqa: S608  # numbers

        copy_each(self.connection, path, form, spans())

    def prove(self, log: Log, folder: Path, *, page: int | None) -> int:
        """Write a proof that stands for itself for each event of a page, or all, and return how many.

        Raises `ProofsTooManyError` for more than `PROOFS_MAX`, `NotInLogError` for an event not yet in the log.
        """
        if page is None and self.count > PROOFS_MAX:
            raise ProofsTooManyError(asked=self.count, most=PROOFS_MAX)
        indexes = [row["log_index"] for row in fetch(self.connection, _of_page(page))[1]]
        proofs = {index: str(log.prove(index)) for index in indexes}
        folder.mkdir(parents=True, exist_ok=True)
        for index, proof in proofs.items():
            (folder / f"{index}.tlog-proof").write_text(proof, encoding="utf-8")
        return len(proofs)


def _of_page(page: int | None) -> str:
    """The query for the contributions of a page, or for all, in log order."""
    limit = "" if page is None else f" LIMIT {PAGE_EVENTS} OFFSET {(page - 1) * PAGE_EVENTS}"
    return f"SELECT * FROM contributions ORDER BY log_index{limit}"  # noqa: S608  # numbers


def _listed(connection: "DuckDBPyConnection", chosen: str) -> str:
    """The query that shows contributions with their events; it reads of the log only where they are."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE chosen AS {chosen}")
    bounds = fetch(connection, "SELECT COALESCE(MIN(log_index), 0) AS first, MAX(log_index) AS last FROM chosen")[1][0]
    span = f"{bounds['first']} AND {bounds['last'] if bounds['last'] is not None else -1}"
    return (
        f"SELECT {shown_event('events')}, chosen.value AS contribution"  # noqa: S608  # numbers and our own names
        f" FROM chosen JOIN (SELECT * FROM events WHERE log_index BETWEEN {span}) AS events"
        " ON events.log_index = chosen.log_index ORDER BY chosen.log_index"
    )


def shown_event(relation: str) -> str:
    """What is shown of an event, to select from `events` or `log`."""
    instant = f"replace(CAST({relation}.recorded_at AS STRING), ' ', 'T') || 'Z' AS recorded_at"
    columns = EVENT_COLUMNS[:-1]
    return ", ".join(instant if name == "recorded_at" else f"{relation}.{name}" for name in columns)


def explain(reports: Reports, path: str, *, as_of: date, known_at: int | datetime | None = None) -> Explanation:
    """The events whose contributions sum to a figure, as of a date and as known at a point of the log.

    Raises `FigureUnknownError` for a name that is none, `LogSizeError` for a size not reached, and
    `IntegrityBrokenError` where the contributions do not sum to the figure that the report gives.
    """
    figure = parse_figure(path)

    def work(connection: "DuckDBPyConnection") -> Explanation:
        report = REPORTS[figure.report]
        row = f"SELECT * FROM ({report.sql}\n) AS report WHERE {figure.row()}"  # noqa: S608  # quoted
        found = fetch(connection, row)[1]
        if not found:
            raise _row_unknown(connection, path, figure)
        create_steps(connection)
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE contributions AS SELECT log_index, value"  # noqa: S608  # quoted
            f" FROM ({report.explanation}\n) AS explained WHERE {figure.where()} AND value <> 0"
        )
        summed = fetch(connection, "SELECT COUNT(*) AS count, COALESCE(SUM(value), 0) AS value FROM contributions")[1][
            0
        ]
        value = found[0][figure.column]
        if summed["value"] != value:
            raise IntegrityBrokenError(
                f"the report says {value} of {figure}, its {summed['count']} events sum to {summed['value']};"
                " run `salur check`"
            )
        context = fetch(connection, "SELECT * FROM context")[1][0]
        return Explanation(
            figure=figure,
            value=value,
            count=summed["count"],
            as_of=as_of,
            log_size=context["log_size"],
            currency=context["currency"] or "",
            decimals=context["decimals"] or 0,
            is_money=report.column(figure.column).holds is Holds.MONEY
            or found[0].get("commodity") == context["currency"],
            connection=connection,
        )

    return reports.ask(work, as_of=as_of, known_at=known_at)


def _row_unknown(connection: "DuckDBPyConnection", path: str, figure: Figure) -> FigureUnknownError:
    report = REPORTS[figure.report]
    query = f"SELECT * FROM ({report.sql}\n) AS report LIMIT {_COMPARED_MAX}"  # noqa: S608  # our own
    rows = fetch(connection, query)[1]
    known = ["/".join(_quoted([row[name] for name in report.keys])) for row in rows]
    asked = "/".join(_quoted(figure.key))
    return _unknown(path, Said("{report} has no row {asked}", report=figure.report, asked=repr(asked)), asked, known)
