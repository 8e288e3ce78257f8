"""What must hold of every figure: it is the sum of what events contribute to it."""

from collections import Counter
from typing import Any

from projections.commands.report import REPORTS
from projections.reports.engine import fetch, projection_sql
from projections.reports.explain import KEYS, Figure, create_steps, explained_sql, figure_sql, sums_of


def figures(connection: Any, report: str) -> Counter[str]:
    """Every sum of a report that is not zero."""
    rows = fetch(connection, projection_sql(report))[1]
    return Counter(
        {
            str(Figure(report, tuple(row[name] for name in KEYS[report]), column)): row[column]
            for row in rows
            for column in sums_of(report)
            if row[column]
        }
    )


def contributions(connection: Any, report: str) -> list[tuple[str, int, int]]:
    create_steps(connection)
    query = f"SELECT {figure_sql(report)} AS figure, log_index, value FROM ({explained_sql(report)}) WHERE value <> 0"
    return [(row["figure"], row["log_index"], row["value"]) for row in fetch(connection, query)[1]]


def assert_explained(connection: Any) -> None:
    """The contributions sum to the figures, to all of them and to nothing else, and an event contributes once."""
    for report in REPORTS:
        if not sums_of(report):
            continue
        found, summed = contributions(connection, report), Counter()
        for figure, _, value in found:
            summed[figure] += value
        assert {name: value for name, value in summed.items() if value} == figures(connection, report)
        assert len({(figure, log_index) for figure, log_index, _ in found}) == len(found)
