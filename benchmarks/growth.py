"""The whole way of many payments, from the file to the reports, so that two sizes can be compared."""

import json
from pathlib import Path

from benchmarks.payments import bytes_an_event, imported_and_paid
from benchmarks.reports import rebuilt_from_archive, sealed
from benchmarks.timing import RESULTS, Result
from ledger.application.ledger import Ledger
from projections.relation.archive import ARCHIVE, SEGMENT_EVENTS, Archive

SMALL, LARGE = 1_000_000, 10_000_000
"""Payments whose times an event are compared."""
PAYMENTS_MIN = SEGMENT_EVENTS
"""Fewer leave the archive empty."""
GROWTH_RATIO_MAX = 1.3


def whole_way(folder: Path, count: int) -> list[Result]:
    """Import and run, sealing, rebuilding and what it takes on the disk, of so many payments."""
    results = imported_and_paid(folder, count)
    ledger = Ledger(folder / "ledger")
    archive = Archive(ledger.folder / ARCHIVE, ledger.store)
    results += [sealed(ledger, archive), rebuilt_from_archive(ledger, archive)]
    ledger.close()
    return [*results, bytes_an_event(folder / "ledger")]


def name_of(count: int) -> str:
    """Under which the results of a size are kept."""
    return f"size-{count}"


def growth(count: int, results: list[Result]) -> list[Result]:
    """Time an event at the large size over the small one, where the other of the two is kept from an earlier run."""
    if count not in (SMALL, LARGE):
        return []
    other = RESULTS / f"{name_of(SMALL if count == LARGE else LARGE)}.json"
    if not other.exists():
        return []
    here = _seconds_each([{"seconds_each": result.seconds_each} for result in results])
    there = _seconds_each(json.loads(other.read_text()))
    large, small = (here, there) if count == LARGE else (there, here)
    ratios = {name: large[name] / small[name] for name in small if name in large}
    return [
        Result(
            work=f"growth, {LARGE:,} over {SMALL:,} payments",
            measured=", ".join(f"{name} {ratio:.2f} x" for name, ratio in ratios.items()),
            reach=f"<= {GROWTH_RATIO_MAX} x",
            is_reached=max(ratios.values()) <= GROWTH_RATIO_MAX,
        )
    ]


def _seconds_each(results: list[dict[str, dict[str, float]]]) -> dict[str, float]:
    return {name: took for result in results for name, took in result["seconds_each"].items()}
