"""What must hold of every figure: it is the sum of what events contribute to it."""

from collections import Counter
from typing import Any

from projections.reports.catalogue import REPORTS
from projections.reports.engine import fetch
from projections.reports.explain import Figure, create_steps, figure_sql


def figures(connection: Any, report: str) -> Counter[str]:
    """Every sum of a report that is not zero."""
    record = REPORTS[report]
    rows = fetch(connection, record.sql)[1]
    return Counter(
        {
            str(Figure(report, tuple(row[name] for name in record.keys), column)): row[column]
            for row in rows
            for column in record.sums
            if row[column]
        }
    )


def contributions(connection: Any, report: str) -> list[tuple[str, int, int]]:
    create_steps(connection)
    query = (
        f"SELECT {figure_sql(report)} AS figure, log_index, value FROM ({REPORTS[report].explanation}) WHERE value <> 0"
    )
    return [(row["figure"], row["log_index"], row["value"]) for row in fetch(connection, query)[1]]


def assert_explained(connection: Any) -> None:
    """The contributions sum to the figures, to all of them and to nothing else, and an event contributes once."""
    for report in REPORTS:
        if not REPORTS[report].sums:
            continue
        found = contributions(connection, report)
        summed: Counter[Any] = Counter()
        for figure, _, value in found:
            summed[figure] += value
        assert {name: value for name, value in summed.items() if value} == figures(connection, report)
        assert len({(figure, log_index) for figure, log_index, _ in found}) == len(found)
