"""Run every benchmark, or the whole way of so many payments; print one table, and end with 1 where a reach is missed.

`python -m benchmarks` or `python -m benchmarks PAYMENTS`.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.audit import tree_verified
from benchmarks.growth import PAYMENTS_MIN, growth, name_of, whole_way
from benchmarks.log import log_beside_a_run
from benchmarks.payments import bytes_an_event, imported_and_paid, vault_checked
from benchmarks.postgres import imported_and_paid_on_postgres
from benchmarks.reports import reports_rebuilt
from benchmarks.shell import one_command, start_up
from benchmarks.timing import Result, report

PAYMENTS = 100_000


def main() -> int:
    """Measure, print, and return 1 where a ratio is missed."""
    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) > 1:
            count = max(int(sys.argv[1]), PAYMENTS_MIN)
            results = whole_way(Path(folder), count)
            results += growth(count, results)
            report(name_of(count), results)
        else:
            results = _everything(Path(folder))
            report("ledger", results)
    return 0 if all(result.is_reached for result in results) else 1


def _everything(folder: Path) -> list[Result]:
    results = imported_and_paid(folder, PAYMENTS)
    results += imported_and_paid_on_postgres(folder, PAYMENTS)
    results += log_beside_a_run(folder)
    results += reports_rebuilt(folder / "large", folder / "ledger")
    results += tree_verified(folder / "large")
    results += one_command(folder, folder / "large")
    return [*results, vault_checked(folder), start_up(), bytes_an_event(folder / "ledger")]


if __name__ == "__main__":
    sys.exit(main())
