"""How long `salur audit verify` takes for the tree of a log, beside `sha256sum` over the very bytes that it hashes.

`python -m benchmarks.audit EVENTS` measures another number of events than a million.
"""

import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from benchmarks.reports import large_ledger
from benchmarks.timing import Result, median_seconds, report, seconds
from ledger.application.ledger import Ledger
from ledger.transparency.log import create_log
from projections.audit.check import check_readable
from projections.audit.exported import PublishedLog
from projections.audit.log_check import verify
from projections.audit.published import export
from projections.relation.spans import Held, Stored

EVENTS = 1_000_000
TIMES = 3
RATIO_MAX = 3.0
READABLE_EVENTS = 300_000


def tree_verified(folder: Path, events: int = EVENTS) -> list[Result]:
    """Leaves, nodes, tiles and checkpoint of a large ledger's first events, from its store and from an export."""
    with closing(Ledger(folder)) as ledger:
        log = create_log(folder / "audited-log", ledger.store)
        log.grow(events_max=events)
        size = log.checkpoint().size
        export(log, folder / "audited-export")
        lines = folder / "audited-lines"
        with lines.open("wb") as file:
            for leaves in ledger.store.leaves(until=size):
                file.write(b"\n".join(leaves))
        source = Stored(ledger.place, read_only=True)
        limit = median_seconds(
            lambda: subprocess.run(["sha256sum", lines], check=True, capture_output=True), times=TIMES
        )
        stored = median_seconds(lambda: verify(log, source=source), times=TIMES)
        published = PublishedLog(folder / "audited-export")
        exported = median_seconds(lambda: verify(published, source=published), times=TIMES)
        one = seconds(lambda: check_readable(Held(ledger.store), READABLE_EVENTS))
        two = seconds(lambda: check_readable(source, READABLE_EVENTS))
    return [
        Result(
            work=f"audit verify, the tree over {size:,} events",
            measured=f"{stored:.2f} s",
            peer=f"from an export: {exported:.2f} s ({exported / limit:.2f} x)",
            limit=f"sha256sum of the same bytes: {limit:.2f} s ({stored / limit:.2f} x)",
            reach=f"<= {RATIO_MAX} x",
            is_reached=max(stored, exported) / limit <= RATIO_MAX,
        ),
        Result(
            work=f"audit verify, the law of readable events, {READABLE_EVENTS:,} events",
            measured=f"{READABLE_EVENTS / two:,.0f}/s",
            peer=f"in one process: {READABLE_EVENTS / one:,.0f}/s ({one / two:.2f} x)",
        ),
    ]


def main() -> int:
    """Measure, print, and return 1 where a ratio is missed."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with tempfile.TemporaryDirectory() as folder:
        large_ledger(Path(folder) / "large", people=events // 3 + 10)
        results = tree_verified(Path(folder) / "large", events)
    report("audit", results)
    return 0 if all(result.is_reached for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
