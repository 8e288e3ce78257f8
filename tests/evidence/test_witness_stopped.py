"""A witness that is killed anywhere between reading a request and answering it cosigns one history all the same."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

DRIVER = Path(__file__).with_name("witness_stops.py")


def test_a_witness_killed_anywhere_never_cosigns_two_histories() -> None:
    memory = Path("/dev/shm")  # noqa: S108  # a folder of its own is made in it; a kill asks nothing of a disk
    with TemporaryDirectory(prefix="salur-", dir=memory if os.access(memory, os.W_OK) else None) as room:
        told = subprocess.run(
            [sys.executable, str(DRIVER), room],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
        )
    assert told.returncode == 0, told.stderr
    stops = [json.loads(line) for line in told.stdout.splitlines()]

    for stop in stops:
        assert stop["held"] >= max(stop["answered"], default=0)
        assert stop["other"] == [] or stop["answered"] == []
        assert stop["other"] == ([20, 40, 40] if stop["held"] == 0 else [])  # one history or the other, never both
    seen = Counter((max(stop["answered"], default=0), stop["held"]) for stop in stops)
    # In all gaps: nothing saved yet, saved and not answered, answered; of each request.
    assert seen.keys() == {(0, 0), (0, 20), (20, 20), (20, 40)}
    assert min(seen[0, 20], seen[20, 40]) >= 20
