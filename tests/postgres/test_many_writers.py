"""Many processes on one database, and the database itself crashing under them."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.application import programs
from ledger.application.folder import Place, write_settings
from ledger.application.ledger import Ledger
from ledger.application.moving import Move
from ledger.domain.errors import LedgerError
from ledger.domain.payment import TrancheDisbursed
from ledger.store.entries import to_entry
from ledger.store.postgres import PostgresLedgerFactory
from projections.audit.check import check
from tests.acts import PROGRAM, SITI, TRANCHE, approve, nik, now, propose, register
from tests.postgres.server import OFFICER, Home, Server
from tests.survival.office import Tail

SALUR = str(Path(sys.executable).with_name("salur"))
PEOPLE = 1_200


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [SALUR, "--store", str(folder), *arguments, "--officer", "siti"],
        cwd=folder.parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def paid(ledger: Ledger) -> Counter[str]:
    events = (to_entry(row).event for row in ledger.store.select_notifications(1, 1_000_000))
    return Counter(event.recipient_id for event in events if isinstance(event, TrancheDisbursed))


def test_eight_processes_with_overlapping_files_pay_and_register_everybody_once(
    ledger: Ledger, home: Home, server: Server
) -> None:
    programs.set_budget(ledger, SITI, program=PROGRAM, budget=3 * PEOPLE * TRANCHE)
    ids = register(ledger, PEOPLE)
    # Two batches that overlap by a third, each run by three processes; two more register overlapping files.
    first = propose(ledger, ids[: 2 * PEOPLE // 3])
    second = propose(ledger, ids[PEOPLE // 3 :])
    for batch_id in (first, second):
        approve(ledger, batch_id)
    files = []
    for number, low in enumerate((5_000, 5_300)):
        rows = "".join(f"{nik(n)},Person {n},8{n:06},worker\n" for n in range(low, low + 600))
        files.append(home.folder.parent / f"people{number}.csv")
        files[-1].write_text("nik,name,account,category\n" + rows)
    with (
        closing(PostgresLedgerFactory(server.address(home.name, OFFICER))) as factory,
        Tail(factory.application_recorder()) as tail,
    ):
        processes = [start(home.folder, "disburse", "run", batch_id) for batch_id in (first, second) for _ in range(3)]
        processes += [start(home.folder, "recipient", "import", str(path)) for path in files]
        told = [(each.communicate(timeout=60), each.returncode) for each in processes]
    assert [code for _, code in told if code not in (0, 3)] == [], told
    assert paid(ledger) == dict.fromkeys(ids, 1)
    assert ledger.vault.count() == PEOPLE + 900
    assert tail.grew > 1
    tail.assert_nothing_missed(ledger.store)
    assert all(law.holds for law in check(ledger.store))


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that may be crashed."""
    with Server.started() as started:
        yield started


def test_a_crash_of_the_server_under_four_writers_loses_nothing_acknowledged_and_doubles_nothing(
    own_server: Server, folder_of_2020: Path, tmp_path: Path
) -> None:
    name, folder = own_server.new_database(), tmp_path / "ledger"
    Move(folder_of_2020, folder, database=own_server.address(name)).carry_out()
    own_server.grant(name)
    write_settings(Place(folder, own_server.address(name, OFFICER)))
    acknowledged: list[tuple[str, int, str, bytes]] = []
    running = threading.Event()
    running.set()

    def write(writer: int) -> None:
        with closing(PostgresLedgerFactory(own_server.address(name, OFFICER))) as factory:
            store, number = factory.application_recorder(), 0
            while running.is_set():
                number += 1
                rows = [(f"test/{writer}/{number}/{part}", 1, "Test.v1", b'{"n":%d}' % number) for part in range(20)]
                while True:
                    try:
                        store.append(rows)
                    except LedgerError:  # while the server is down: nothing was recorded, so the same again
                        time.sleep(0.05)
                        if not running.is_set():
                            return
                    else:
                        acknowledged.extend(rows)
                        break

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for each in writers:
        each.start()
    for _ in range(3):
        time.sleep(0.5)
        own_server.stop("immediate")
        own_server.start()
    time.sleep(0.5)
    running.clear()
    for each in writers:
        each.join()
    with closing(Ledger(folder, now=now)) as ledger:
        stored = [
            (str(row.originator_id), row.originator_version, row.topic, row.state)
            for row in ledger.store.select_notifications(1, 1_000_000)
            if row.topic == "Test.v1"
        ]
        assert len(acknowledged) > 1_000
        assert set(acknowledged) <= set(stored)
        # Nothing refused is there either: each writer has at most its last append without a known end.
        assert len(set(stored)) == len(stored) <= len(acknowledged) + 4 * 20
        assert [row.id for row in ledger.store.select_notifications(1, 1_000_000)] == list(
            range(1, ledger.store.size() + 1)
        )


def test_a_run_goes_on_through_a_crash_of_the_server(own_server: Server, folder_of_2020: Path, tmp_path: Path) -> None:
    name, folder = own_server.new_database(), tmp_path / "ledger"
    Move(folder_of_2020, folder, database=own_server.address(name)).carry_out()
    with closing(Ledger(folder, now=now)) as ledger:
        programs.set_budget(ledger, SITI, program=PROGRAM, budget=9_000 * TRANCHE)
        ids = register(ledger, 4_000)
        batch_id = propose(ledger, ids)
        approve(ledger, batch_id)
        driver = (
            "import sys, ledger.application.chunks as r; r.CHUNK_ROWS = 50; import cli; sys.exit(cli.run(sys.argv[1:]))"
        )
        command = [sys.executable, "-c", driver, "--store", str(folder), "disburse", "run", batch_id]
        running = [
            subprocess.Popen([*command, "--officer", "siti"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        time.sleep(1.0)
        own_server.stop("immediate")
        own_server.start()
        ends = [(each.communicate(timeout=60), each.returncode) for each in running]
        assert {code for _, code in ends} <= {0, 1}, ends
        for (_, err), code in ends:
            assert (code == 0) or "Refused [store_unreachable]" in err or "Refused [contended]" in err, err
        again = subprocess.run([*command, "--officer", "siti"], capture_output=True, text=True)
        assert again.returncode == 0, again.stderr
        assert paid(ledger) == dict.fromkeys(ids, 1)
        assert all(law.holds for law in check(ledger.store))
