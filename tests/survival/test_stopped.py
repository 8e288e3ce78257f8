"""A command that is killed or interrupted anywhere, and given again."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.application.people import recipient_id
from projections.audit.vault_law import check_vault
from tests.acts import held, numbers_of, row_in_vault
from tests.logged import add_log, assert_whole
from tests.survival.office import (
    BATCH,
    PEOPLE,
    TRANCHE,
    WAIT_S,
    Office,
    bind,
    ended,
    killed_after,
    nik,
    payments_csv,
    people_csv,
    propose,
)

DRIVER = Path(__file__).with_name("stops.py")
KEPT = Path(__file__).parents[1] / "kept" / "ledger-0.1" / "ledger"
"""With a vault of format 1."""
INTERRUPTED = 130
GRANTS = ("group", "propose", "@/groups.csv", "--program", "jps", "--batch", "g1")


@dataclass(frozen=True)
class Stop:
    """One copy of a ledger, in which the command was stopped once and then given again."""

    office: Office
    point: int
    stopped: int
    again: int

    def said(self, name: str) -> str:
        return (self.office.desk / f"{name}.err").read_text()


def stopped_everywhere(
    base: Path, work: Path, *arguments: str, points: int, chunk_rows: int = 10, by: signal.Signals = signal.SIGKILL
) -> tuple[Office, list[Stop]]:
    """The ledger after the command ran undisturbed, and a ledger for each point where it was stopped and ran again."""
    work.mkdir()
    # A fixed date, for the days may change between the copies.
    date = () if arguments[0] in ("init", "vault") else ("--effective-on", "2020-10-01")
    command = ("--store", "@/ledger", *arguments, *date)
    told = subprocess.run(
        [sys.executable, str(DRIVER), *map(str, (base, work, by.name, points, chunk_rows)), *command],
        capture_output=True,
        text=True,
        timeout=WAIT_S * 3,
        env=Office(base).environment("siti"),
    )
    assert told.returncode == 0, told.stderr
    undisturbed, *stops = [
        Stop(Office(Path(each["desk"])), each["point"], each["stopped"], each["again"])
        for each in map(json.loads, told.stdout.splitlines())
    ]
    assert undisturbed.again == 0, undisturbed.said("first")
    assert len(stops) == points
    for stop in stops:
        assert "Traceback" not in stop.said("first") + stop.said("again"), (
            stop,
            stop.said("first"),
            stop.said("again"),
        )
        assert stop.again == 0 or is_complete(stop), (stop, stop.said("again"))
    # The last points may lie a few calls beyond the end of a run that had fewer of them.
    assert sum(stop.stopped == (-by if by is signal.SIGKILL else INTERRUPTED) for stop in stops) >= points - 2
    return undisturbed.office, stops


def is_complete(stop: Stop) -> bool:
    """Whether the making of a ledger was stopped only after its last step, so that there is nothing left to make."""
    return "[ledger_exists]" in stop.said("again")


def desk_of(office: Office, tmp_path: Path) -> Path:
    """A desk with nothing on it but the ledger."""
    base = tmp_path / "base"
    base.mkdir()
    shutil.copytree(office.folder, base / "ledger")
    return base


def test_a_batch_killed_anywhere_is_completed_by_the_same_command(small: Office, tmp_path: Path) -> None:
    base = desk_of(small, tmp_path)

    whole, stops = stopped_everywhere(base, tmp_path / "work", "disburse", "run", BATCH, points=60)

    expected = whole.log()
    for stop in stops:
        assert stop.office.log() == expected, stop
    whole.assert_paid_once(count=200, total=200 * TRANCHE)
    for office in (whole, stops[30].office):
        office.assert_sound()


def test_a_batch_killed_anywhere_is_in_the_log_whole_after_the_same_command(small: Office, tmp_path: Path) -> None:
    base = desk_of(small, tmp_path)
    add_log(base / "ledger")

    whole, stops = stopped_everywhere(base, tmp_path / "work", "disburse", "run", BATCH, points=60)

    for stop in stops:
        assert stop.office.log() == whole.log(), stop
        assert_whole(stop.office.folder)


def test_a_batch_killed_again_and_again_pays_each_tranche_once(office: Office) -> None:
    propose(office, range(1, PEOPLE + 1))
    kills, delay_s = 0, 0.02

    while killed_after(office.start("disburse", "run", BATCH), delay_s) < 0:
        kills += 1
        delay_s += 0.05

    assert kills
    office.done("disburse", "run", BATCH)
    office.assert_paid_once(count=PEOPLE, total=PEOPLE * TRANCHE)
    assert len(office.events("BatchExecuted")) == 1
    office.assert_sound()


def test_people_whose_import_is_killed_anywhere_are_registered_once(small: Office, tmp_path: Path) -> None:
    base = desk_of(small, tmp_path)
    newcomers = range(241, 361)
    (base / "people.csv").write_text(people_csv(newcomers))

    whole, stops = stopped_everywhere(base, tmp_path / "work", "recipient", "import", "@/people.csv", points=25)

    # A person's commitment is salted, and so differs from run to run.
    expected = without(whole, "commitment")
    for stop in stops:
        assert without(stop.office, "commitment") == expected, stop
    for office in (whole, stops[8].office, stops[16].office):
        office.assert_sound()
        with office.opened() as ledger:
            assert sorted(numbers_of(ledger, [nik(number) for number in newcomers]).values()) == list(newcomers)


def without(office: Office, *others: str) -> list[object]:
    return [
        (*place, {name: value for name, value in fields.items() if name not in others})
        for *place, fields in office.log()
    ]


def test_a_proposal_killed_anywhere_is_completed_by_the_same_command(small: Office, tmp_path: Path) -> None:
    base = desk_of(small, tmp_path)
    (base / "september.csv").write_text(payments_csv(range(1, 41)))
    arguments = ("disburse", "propose", "@/september.csv", "--program", "bsu", "--tranche", "2", "--batch", "september")

    whole, stops = stopped_everywhere(base, tmp_path / "work", *arguments, points=25, chunk_rows=10)

    payment_list = (whole.folder / "batches" / "september.csv").read_text()
    assert len(payment_list.splitlines()) == 41
    for stop in stops:
        assert stop.office.log() == whole.log(), stop
        assert (stop.office.folder / "batches" / "september.csv").read_text() == payment_list, stop
    last = stops[-1].office
    last.done("disburse", "approve", "september", officer="budi")
    last.done("disburse", "run", "september")
    last.assert_sound()


def test_groups_whose_funding_is_killed_anywhere_get_their_grants_once(small: Office, tmp_path: Path) -> None:
    base = desk_of(small, tmp_path)
    rows = [f"g{n // 4},{recipient_id(n + 1)},5000000,P-{n // 4},SK-1,2020-07-01\n" for n in range(40)]
    (base / "groups.csv").write_text("group,recipient,amount,proposal,decree,decree_on\n" + "".join(rows))

    whole, stops = stopped_everywhere(
        base, tmp_path / "work", "group", "fund", "@/groups.csv", "--program", "jps", points=25, chunk_rows=8
    )

    assert len(whole.events("FundsSpent")) == 5
    for stop in stops:
        assert stop.office.log() == whole.log(), stop
    assert whole.program("jps").spent == 50_000_000
    for office in (whole, stops[15].office):
        office.assert_sound()


def test_a_ledger_whose_making_is_killed_anywhere_is_made_by_the_same_command(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()

    work = tmp_path / "work"
    whole, stops = stopped_everywhere(base, work, "init", "--name", "Kantor", points=50)

    for stop in stops:
        office = stop.office
        # Each making has a key of its own.
        assert without(office, "effective_on", "verifier_key") == without(whole, "effective_on", "verifier_key"), stop
        assert not office.leftovers(), stop
        with office.opened() as ledger:
            assert ledger.vault.count() == 0


def test_an_approval_killed_anywhere_holds_its_money_once(small: Office, tmp_path: Path) -> None:
    base = desk_of(small, tmp_path)

    whole, stops = stopped_everywhere(
        base, tmp_path / "work", "disburse", "approve", "bsu-later", "--officer", "budi", points=15
    )

    for stop in stops:
        assert stop.office.log() == whole.log(), stop


@pytest.mark.parametrize(
    ("before", "command"),
    [
        ((), ("program", "budget", "jps", "7000000")),
        ((("program", "budget", "jps", "7000000"),), ("approve", "program/jps", "--officer", "budi")),
        ((("program", "budget", "jps", "7000000"),), ("withdraw", "program/jps", "--reason", "typo")),
        ((("disburse", "cancel", BATCH, "--reason", "late"),), ("approve", f"batch/{BATCH}", "--officer", "budi")),
        ((GRANTS,), ("approve", "batch/g1", "--officer", "budi")),
        ((), GRANTS),
    ],
    ids=["proposing", "the last word", "withdrawing", "calling off", "the word on grants", "proposing grants"],
)
def test_an_agreement_killed_anywhere_is_completed_by_the_same_command(
    before: tuple[tuple[str, ...], ...], command: tuple[str, ...], small: Office, tmp_path: Path
) -> None:
    base = agreeing(small, tmp_path)
    for each in before:
        Office(base).done(*[word.replace("@", str(base)) for word in each])

    whole, stops = stopped_everywhere(base, tmp_path / "work", *command, points=12)

    for stop in stops:
        assert stop.office.log() == whole.log(), stop
        assert all(each.endswith(".new") for each in stop.office.leftovers()), stop  # a later proposal removes it
    whole.assert_sound()


@pytest.mark.parametrize("kind", ["grants", "reissues"])
def test_a_run_of_a_list_killed_anywhere_is_completed_by_the_same_command(
    kind: str, small: Office, tmp_path: Path
) -> None:
    base = agreeing(small, tmp_path)
    office = Office(base)
    if kind == "grants":
        office.done(*[word.replace("@", str(base)) for word in GRANTS])
    else:
        office.done("disburse", "run", BATCH)
        office.done("payment", "return", str(base / "back.csv"), "--reason", "AC04")
        office.done("payment", "reissue", str(base / "back.csv"), "--batch", "g1")
    office.done("approve", "batch/g1", officer="budi")
    officer = "siti" if kind == "grants" else "budi"

    whole, stops = stopped_everywhere(
        base, tmp_path / "work", "disburse", "run", "g1", "--officer", officer, points=20, chunk_rows=4
    )

    for stop in stops:
        assert stop.office.log() == whole.log(), stop
    assert len(whole.events("GroupFunded" if kind == "grants" else "TrancheReissued")) == (
        5 if kind == "grants" else 20
    )
    whole.assert_sound()


def agreeing(small: Office, tmp_path: Path) -> Path:
    """A desk with a ledger whose rules bind, five groups, and twenty payments that may come back."""
    base = desk_of(small, tmp_path)
    bind(Office(base))
    rows = [f"g{n // 4},{recipient_id(n + 1)},5000000,P-{n // 4},SK-1,2020-07-01\n" for n in range(20)]
    (base / "groups.csv").write_text("group,recipient,amount,proposal,decree,decree_on\n" + "".join(rows))
    (base / "back.csv").write_text("payment\n" + "".join(f"bsu/1/{recipient_id(n)}\n" for n in range(1, 21)))
    return base


def test_an_erasure_killed_anywhere_is_completed_by_the_same_command(small: Office, tmp_path: Path) -> None:
    base = desk_of(small, tmp_path)
    chosen = recipient_id(77)
    office = Office(base)
    office.done("recipient", "erase", "request", chosen, "--reason", "letter", "--legal-basis", "UU 27/2022")
    with office.opened() as ledger:
        (_, _, _, sealed), identity, account = row_in_vault(ledger, 77)
        assert account

    arguments = ("recipient", "erase", "approve", chosen, "--officer", "budi")
    whole, stops = stopped_everywhere(base, tmp_path / "work", *arguments, points=50)

    assert any(stop.stopped < 0 for stop in stops)
    for stop in stops:
        assert stop.office.log() == whole.log(), stop
        for path in stop.office.folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert not [each for each in (identity[8:], account[8:], sealed) if each in content], (stop, path)
    for stop in stops[::10]:
        stop.office.done("check")


def test_an_older_vault_killed_anywhere_on_its_way_is_brought_over_whole(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    shutil.copytree(KEPT, base / "ledger")

    _, stops = stopped_everywhere(base, tmp_path / "work", "vault", "upgrade", points=60)

    assert any(stop.stopped < 0 for stop in stops)
    for stop in stops:
        with stop.office.opened() as ledger:
            assert sorted(numbers_of(ledger, [f"00000101019000{n:02}" for n in range(1, 8)]).values()) == list(
                range(1, 7)
            )
            law, unshown = check_vault(ledger.place, ledger.store, is_audit=False)
            assert (law.checked, law.broken, law.notices, unshown) == (6, [], [], None), stop


def test_an_erasure_killed_anywhere_is_either_not_begun_or_named_until_it_is_complete(
    small: Office, tmp_path: Path
) -> None:
    """What `check` says between the kill and the second command."""
    base = desk_of(small, tmp_path)
    chosen = recipient_id(77)
    Office(base).done("recipient", "erase", "request", chosen, "--reason", "letter", "--legal-basis", "UU 27/2022")

    delay_s, found = 0.1, set[tuple[int, bool, int]]()
    while delay_s < 1.0 and len(found) < 2:
        work = tmp_path / f"{delay_s:.2f}"
        shutil.copytree(base, work)
        office = Office(work)
        killed_after(office.start("recipient", "erase", "approve", chosen, officer="budi"), delay_s)
        erased = len(office.events("RecipientErased"))
        with office.opened() as ledger:
            is_held = held(ledger, 77) is not None
        code = office.salur("check").code
        assert code == (4 if erased and is_held else 0)
        assert erased or is_held, "nobody is gone without an event"
        found.add((erased, is_held, code))
        delay_s += 0.05

    assert (0, True, 0) in found
    assert (1, False, 0) in found


# Interrupted with Ctrl-C


@pytest.mark.parametrize("what", ["run", "import"])
def test_a_command_interrupted_anywhere_says_so_and_is_completed_by_the_same_command(
    what: str, small: Office, tmp_path: Path
) -> None:
    base = desk_of(small, tmp_path)
    (base / "people.csv").write_text(people_csv(range(241, 281)))
    arguments = {"run": ("disburse", "run", BATCH), "import": ("recipient", "import", "@/people.csv")}[what]

    whole, stops = stopped_everywhere(base, tmp_path / "work", *arguments, points=25, by=signal.SIGINT)

    for stop in stops:
        assert without(stop.office, "commitment") == without(whole, "commitment"), stop
        if stop.stopped == INTERRUPTED:
            assert "same command" in stop.said("first"), stop


def test_ctrl_c_in_the_middle_of_a_batch_ends_it_with_its_own_exit_code(office: Office) -> None:
    propose(office, range(1, PEOPLE + 1))

    with office.locked():
        process = office.start("disburse", "run", BATCH)
        # It waits for the lock once it has the file open and uses no more time: not while it still loads its modules.
        while not (opens(process.pid, office.folder / "events.db-wal") and rests(process.pid)):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
    told = ended(process)

    assert told.code == INTERRUPTED, told
    assert "same command" in told.err
    office.done("disburse", "run", BATCH)
    office.assert_paid_once(count=PEOPLE, total=PEOPLE * TRANCHE)
    office.assert_sound()


def rests(process_id: int) -> bool:
    """Whether a process uses hardly any time of a processor."""
    before = cpu_ticks(process_id)
    time.sleep(0.3)
    return cpu_ticks(process_id) - before <= 1


def cpu_ticks(process_id: int) -> int:
    """The time that a process has used, in ticks of 10 ms: fields 14 and 15 of proc(5)."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def opens(process_id: int, path: Path) -> bool:
    """Whether a process has a file open."""
    handles = Path(f"/proc/{process_id}/fd")
    if not handles.exists():
        pytest.skip("this system does not tell which files a process has open (/proc)")
    with contextlib.suppress(FileNotFoundError):
        return any(handle.readlink() == path for handle in handles.iterdir())
    return False
