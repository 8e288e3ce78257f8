"""Run every benchmark, print one table, and end with 1 where a reach is missed."""

import sys
import tempfile
from pathlib import Path

from benchmarks.payments import payments_per_second, registrations_per_second
from benchmarks.reports import reports_rebuilt
from benchmarks.shell import one_write, start_up
from benchmarks.timing import report


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        results = [*payments_per_second(place), *registrations_per_second(place), one_write(place), start_up()]
        results += reports_rebuilt(place)
    report("ledger", results)
    return 0 if all(result.is_reached for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
