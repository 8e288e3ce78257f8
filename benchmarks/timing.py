"""How long something takes, and how the results are printed and kept."""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Result:
    """One work beside the peer it should beat and the limit it cannot."""

    work: str
    measured: str
    peer: str = ""
    limit: str = ""
    reach: str = ""
    is_reached: bool = True
    seconds_each: dict[str, float] = field(default_factory=dict)
    """What was worked → how long each event of it took, for comparing sizes."""


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
    rows += [[r.work, r.measured, r.peer, r.limit, r.reach, _verdict(r)] for r in results]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    keep(name, [asdict(result) for result in results])


def keep(name: str, found: object) -> None:
    """Keep what was measured in `benchmarks/results/`."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n")


def _verdict(result: Result) -> str:
    return "" if not result.reach else "ok" if result.is_reached else "MISSED"
