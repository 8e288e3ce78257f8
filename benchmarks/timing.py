"""How long something takes, and how the results are printed and kept."""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Result:
    """One work beside the peer it should beat and the limit it cannot."""

    work: str
    measured: str
    peer: str
    limit: str
    reach: str
    is_reached: bool


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median_seconds(work: Callable[[], object], *, times: int) -> float:
    """How long a call takes, usually."""
    return statistics.median(seconds(work) for _ in range(times))


def report(name: str, results: list[Result]) -> None:
    """Print the results as one table and keep them in `benchmarks/results/`."""
    rows = [["work", "measured", "peer", "limit", "reach", ""]]
    rows += [[r.work, r.measured, r.peer, r.limit, r.reach, "ok" if r.is_reached else "MISSED"] for r in results]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
