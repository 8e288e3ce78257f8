"""What the transparency log costs a long run: the same batch with the log left out and with it, list to signed
checkpoint."""

import shutil
from contextlib import closing, nullcontext
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.office import import_people, new_ledger, payments_file, people_file, propose_and_approve, run_batch
from benchmarks.timing import Result, seconds
from ledger.application.folder import LOG, LogPlace, Place, write_settings
from ledger.application.ledger import Ledger
from ledger.transparency.log import create_log
from projections.relation.following import followed

PAYMENTS = 300_000
TIMES = 3
RATIO_MIN = 0.8
GROWTH_EVENTS = 1_000_000


def log_beside_a_run(folder: Path) -> list[Result]:
    """Payments a second with and without the log, and how fast a log is made over events that are already there."""
    plain, logged = folder / "log" / "plain", folder / "log" / "logged"
    with closing(new_ledger(plain, PAYMENTS)) as ledger:
        import_people(ledger, people_file(folder, PAYMENTS))
        propose_and_approve(ledger, payments_file(folder, PAYMENTS))
    shutil.copytree(plain, logged)
    with closing(Ledger(logged)) as ledger:
        log = create_log(logged / LOG, ledger.store)
        growth_s = seconds(log.grow) * GROWTH_EVENTS / ledger.store.size()
        write_settings(Place(logged, None, LogPlace(logged / LOG)))
    pairs = [(_run_s(plain), _run_s(logged)) for _ in range(TIMES)]
    without, ours = (PAYMENTS / median(took) for took in zip(*pairs, strict=True))
    return [
        Result(
            work=f"disburse run with its log, {PAYMENTS:,} payments",
            measured=f"{ours:,.0f}/s",
            peer=f"a log over {GROWTH_EVENTS:,} stored events: {growth_s:.1f} s",
            limit=f"without the log: {without:,.0f}/s ({ours / without:.2f} x)",
            reach=f">= {RATIO_MIN} x",
            is_reached=ours / without >= RATIO_MIN,
        )
    ]


def _run_s(folder: Path) -> float:
    """How long a run takes on a fresh copy of a ledger."""
    with TemporaryDirectory(dir=folder.parent) as room:
        copy = Path(shutil.copytree(folder, Path(room) / "ledger"))
        return seconds(lambda: _run(copy))


def _run(folder: Path) -> None:
    """As the command does it."""
    with closing(Ledger(folder)) as ledger:
        is_logged = ledger.place.has_own_log
        with followed(folder) if is_logged else nullcontext():
            run_batch(ledger)
        if is_logged:
            ledger.transparency_log.grow()
