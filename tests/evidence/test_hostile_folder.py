"""Helper processes run the program's own code, whatever lies in the folder in which a command is given."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.application.ledger import Ledger
from tests.logged import add_log

NAMES = (
    "cli",
    "ledger",
    "projections",
    "multiprocessing",
    "runpy",
    "signal",
    "struct",
    "marshal",
    "filelock",
    "duckdb",
)
"""Packages that a helper of ours, or Python itself on its way to one, asks for by name."""
DRIVER = """
import sys
import time
from pathlib import Path

import cli
from ledger.application.placing import PlacingAhead
from ledger.transparency.log import Log
from ledger.vault.vault import Person
from projections.relation import following, spans

folder = Path(sys.argv[1])

def place():
    ahead = PlacingAhead(folder)
    ahead.hand_over([(Person("0000000101900001", "Warga Satu"), None)])
    assert ahead.take() is not None
    ahead.close()

def verify():
    spans.EVENTS_MIN, spans.SPAN_EVENTS = 1, 256
    assert cli.run(["--store", str(folder), "audit", "verify", str(folder)]) == 0

def follow():
    following.DELAY_S = 0
    with following.followed(folder):
        time.sleep(3)

if __name__ == "__main__":
    {"place": place, "verify": verify, "follow": follow}[sys.argv[2]]()
"""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with packages of those names, each of which leaves a mark when it is run."""
    place = tmp_path / "files-of-a-stranger"
    for name in NAMES:
        (place / name).mkdir(parents=True)
        mark = place / f"{name}-ran"
        (place / name / "__init__.py").write_text(f"open({str(mark)!r}, 'w').close()\nraise SystemExit(9)\n")
    return place


@pytest.mark.parametrize("helper", ["place", "verify", "follow"])
def test_no_helper_process_runs_what_lies_in_the_working_folder(
    ledger: Ledger, hostile: Path, tmp_path: Path, helper: str
) -> None:
    ledger.close()
    add_log(ledger.folder)
    driver = tmp_path / "driver" / "driver.py"
    driver.parent.mkdir()
    driver.write_text(DRIVER)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run(
        [sys.executable, driver, ledger.folder, helper], cwd=hostile, env=environment, capture_output=True, text=True
    )
    assert [path.name for path in hostile.glob("*-ran")] == []
    assert done.returncode == 0, done.stderr
