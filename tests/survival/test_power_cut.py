"""The power is cut after each write of a command, and what was acknowledged is there when it comes back.

Each test takes a sample of the moments; `python -m tests.survival.test_power_cut` takes them all.
"""

import contextlib
import io
import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import cli
from ledger.application.ledger import Ledger
from ledger.application.people import recipient_id
from tests.survival.office import BATCH, Office, bind, open_office, people_csv, propose
from tests.survival.power.cut import Cut, Recording, library

PAID = 40
GRANTS = ("group", "propose", "@/groups.csv", "--program", "jps", "--batch", "grants")
WORKS: dict[str, tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]] = {
    "run": ((), ("disburse", "run", BATCH)),
    "import": ((), ("recipient", "import", "@/people.csv")),
    "proposal": ((), GRANTS),
    "word": ((GRANTS,), ("approve", "batch/grants", "--officer", "budi")),
    "grants": ((GRANTS, ("approve", "batch/grants", "--officer", "budi")), ("disburse", "run", "grants")),
    "cancel": (
        (("disburse", "cancel", BATCH, "--reason", "late"),),
        ("approve", f"batch/{BATCH}", "--officer", "budi"),
    ),
}
"""Name → what is done before, and the command during which the power is cut."""


def prepared(desk: Path) -> Office:
    """A ledger whose rules bind, a batch that may be run, five groups and some newcomers."""
    desk.mkdir()
    office = open_office(desk, people=60)
    propose(office, range(1, PAID + 1))
    bind(office)
    rows = [f"g{n // 4},{recipient_id(n + 1)},5000000,P-{n // 4},SK-1,2020-07-01\n" for n in range(20)]
    office.file("groups.csv", "group,recipient,amount,proposal,decree,decree_on\n" + "".join(rows))
    office.file("people.csv", people_csv(range(61, 91)))
    return office


def recorded(base: Path, work: Path, shim: Path, name: str, *, is_control: bool = False) -> Recording:
    before, command = WORKS[name]
    for each in before:
        Office(base).done(*[word.replace("@", str(base)) for word in each], "--effective-on", "2020-10-01")
    arguments = ["--store", "@/ledger", *command, "--effective-on", "2020-10-01"]
    if "--officer" not in command:
        arguments += ["--officer", "siti"]
    return Recording(base, work, shim, arguments, is_control=is_control)


def log_of(desk: Path) -> list[bytes]:
    with contextlib.closing(Ledger(desk / "ledger")) as ledger:
        return [line for block in ledger.store.lines() for line in block.splitlines()]


def lost(recording: Recording, point: int, cut: Cut, into: Path, whole: list[bytes]) -> str:
    """What is wrong with the disk as the power left it; empty where all that was acknowledged is there, in order."""
    recording.disk(point, cut, into)
    try:
        found = log_of(into)
    except Exception as error:  # noqa: BLE001  # whatever it is, the ledger cannot be read
        return f"cannot be opened: {error!r}"
    wanted = recording.acknowledged(point)
    if len(found) < wanted:
        return f"{len(found)} of {wanted} events that were acknowledged are there"
    return "" if found == whole[: len(found)] else "the events are not those that were recorded"


def completes(recording: Recording, into: Path, name: str) -> str:
    """What is wrong after the same command was given again."""
    command = [word.replace("@", str(into)) for word in WORKS[name][1]]
    officer = [] if "--officer" in command else ["--officer", "siti"]
    keys = ["--keys", str(into / "keys")]
    arguments = ["--store", str(into / "ledger"), *keys, *command, "--effective-on", "2020-10-01", *officer]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), contextlib.chdir(into):
        code = cli.run(arguments)
    office = Office(into)
    if code != cli.DONE:
        return f"ends with {code}: {said.getvalue()}"
    office.assert_sound()
    names = Counter(name for _, _, name, _ in office.log())
    return "" if names == Counter(name for _, _, name, _ in Office(recording.desk).log()) else f"recorded {names}"


def cut_everywhere(recording: Recording, work: Path, name: str, *, every: int, again_every: int) -> list[str]:
    """What went wrong, of the moments and kinds of cut that are tried."""
    whole, wrong, count = log_of(recording.desk), [], 0
    points = range(1, len(recording.records) + 1)
    for point in points[:: max(1, every)]:
        for cut in Cut:
            into = work / "disk"
            count += 1
            if problem := lost(recording, point, cut, into, whole):
                wrong.append(f"{name}, {cut} at {point}: {problem}")
            elif count % again_every == 0 and (problem := completes(recording, into, name)):
                wrong.append(f"{name}, {cut} at {point}, given again: {problem}")
            shutil.rmtree(into)
    return wrong


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if (built := library(tmp_path_factory.mktemp("shim"))) is None:
        pytest.skip("no C compiler is at hand to build what writes down the writes")
    return built


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    return prepared(tmp_path / "base").desk


@pytest.mark.parametrize("name", WORKS)
def test_what_was_acknowledged_survives_a_power_cut_anywhere(name: str, desk: Path, tmp_path: Path, shim: Path) -> None:
    recording = recorded(desk, tmp_path / "work", shim, name)
    assert recording.acknowledged(len(recording.records)) == len(log_of(recording.desk))
    every = max(1, len(recording.records) // 12)
    assert cut_everywhere(recording, tmp_path, name, every=every, again_every=16) == []


def test_a_store_that_does_not_wait_for_the_disk_is_found_to_lose_what_it_acknowledged(
    desk: Path, tmp_path: Path, shim: Path
) -> None:
    """The control: the tool finds what it is there to find."""
    recording = recorded(desk, tmp_path / "work", shim, "run", is_control=True)
    every = max(1, len(recording.records) // 12)
    wrong = cut_everywhere(recording, tmp_path, "run", every=every, again_every=1_000_000)
    assert any("events that were acknowledged are there" in each for each in wrong)


def main() -> int:
    wrong = []
    with TemporaryDirectory(prefix="power-") as folder:
        shim = library(Path(folder))
        if shim is None:
            print("no C compiler is at hand", file=sys.stderr)
            return 1
        for name in WORKS:
            work = Path(folder) / name
            work.mkdir()
            recording = recorded(prepared(work / "base").desk, work / "work", shim, name)
            wrong += cut_everywhere(recording, work, name, every=1, again_every=10)
            print(f"{name}: {len(recording.records)} moments, {len(Cut)} kinds of cut each", flush=True)
    print("\n".join(wrong) or "Nothing acknowledged was lost, and every command was completed when given again.")
    return len(wrong)


if __name__ == "__main__":
    os.environ.setdefault("NO_COLOR", "1")
    sys.exit(min(1, main()))
