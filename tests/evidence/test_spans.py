"""The processes that share the work over a long log."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

WAIT_S = 60
SLOW = """
import os, sys, time
from contextlib import nullcontext
from pathlib import Path
from projections.relation import spans

class Nothing:
    def opened(self):
        return nullcontext()

def work(log, first, end):
    Path(os.environ["PIDS"], str(os.getpid())).touch()
    time.sleep(600)

if __name__ == "__main__":
    spans.EVENTS_MIN, spans.SPAN_EVENTS = 1, 1
    list(spans.in_spans(Nothing(), 4, work))
"""


def wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not what() and time.monotonic() < end:
        time.sleep(0.05)
    assert what()


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_who_shares_the_work_of_a_process_ends_when_it_is_killed(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    pids = tmp_path / "pids"
    pids.mkdir()
    environment = {**os.environ, "PIDS": str(pids)}
    with subprocess.Popen([sys.executable, tmp_path / "slow.py"], env=environment) as process:
        wait_for(lambda: len(list(pids.iterdir())) == 2)
        workers = [int(each.name) for each in pids.iterdir()]
        process.kill()
        wait_for(lambda: not any(map(is_running, workers)))
