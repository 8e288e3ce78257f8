"""A disk without room, a database that others keep locked, a folder that cannot be written."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acts import numbers_of
from tests.survival.office import BATCH, PEOPLE, TRANCHE, Ended, Office, nik, payments_csv, people_csv

KIB = 1024
DISK_BYTES = 12 * KIB * KIB


def mounted(place: Path, options: str) -> bool:
    place.mkdir(exist_ok=True)
    return (
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True).returncode
        == 0
    )


@pytest.fixture
def disk(small: Office, tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    place = tmp_path / "disk"
    if not shutil.which("mount") or not mounted(place, f"size={DISK_BYTES}"):
        pytest.skip("this user may not mount a disk of its own (mount -t tmpfs)")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def office_on_disk(small: Office, disk: Path, tmp_path: Path) -> Office:
    shutil.copytree(small.folder, disk / "ledger")
    return Office(tmp_path, folder=disk / "ledger")


def fill(disk: Path, room_bytes: int) -> Path:
    """Take all but so much of a disk's room."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(KIB, free.f_bavail * free.f_frsize - room_bytes))
    return ballast


def assert_full(told: Ended) -> None:
    assert (told.code, told.refusal) == (1, "disk_full"), told
    assert "free some room and run the same command again" in told.err


@pytest.mark.parametrize("room_kib", [0, 20, 40, 60, 80, 100])
def test_a_batch_that_finds_the_disk_full_is_completed_once_there_is_room(
    room_kib: int, disk: Path, office_on_disk: Office
) -> None:
    office, before = office_on_disk, office_on_disk.log()
    ballast = fill(disk, room_kib * KIB)

    assert_full(office.salur("disburse", "run", BATCH))

    ballast.unlink()
    assert office.log()[: len(before)] == before
    office.done("disburse", "run", BATCH)
    office.assert_paid_once(count=200, total=200 * TRANCHE)
    office.assert_sound()


@pytest.mark.parametrize("room_kib", [0, 40, 100, 140])
def test_people_whose_import_finds_the_disk_full_are_registered_once_there_is_room(
    room_kib: int, disk: Path, office_on_disk: Office
) -> None:
    office, newcomers = office_on_disk, range(241, 741)
    file = office.file("people.csv", people_csv(newcomers))
    ballast = fill(disk, room_kib * KIB)

    assert_full(office.salur("recipient", "import", file))

    ballast.unlink()
    office.done("recipient", "import", file)
    with office.opened() as ledger:
        assert sorted(numbers_of(ledger, [nik(number) for number in newcomers]).values()) == list(newcomers)
    office.assert_sound()


@pytest.mark.parametrize("room_kib", [0, 8, 40])
def test_a_proposal_that_finds_the_disk_full_is_made_once_there_is_room(
    room_kib: int, disk: Path, office_on_disk: Office
) -> None:
    office = office_on_disk
    command = (
        "disburse",
        "propose",
        office.file("late.csv", payments_csv(range(1, 241))),
        "--program",
        "bsu",
        "--tranche",
        "2",
    )
    ballast = fill(disk, room_kib * KIB)

    told = office.salur(*command)

    ballast.unlink()
    if told.code:
        assert_full(told)
        assert not office.leftovers()
        assert "Proposed" in office.done(*command).out
    assert len(office.events("BatchProposed")) == 3
    assert len(list((office.folder / "batches").iterdir())) == 3
    office.assert_sound()


@pytest.mark.parametrize("room_kib", [0, 4, 20, 44, 60, 100])
def test_a_ledger_for_which_the_disk_is_full_is_made_once_there_is_room(
    room_kib: int, disk: Path, tmp_path: Path
) -> None:
    office = Office(tmp_path, folder=disk / "ledger")
    ballast = fill(disk, room_kib * KIB)

    told = office.salur("init")

    ballast.unlink()
    if told.code:
        assert_full(told)
        office.done("init")
    office.done("officer", "enroll", "siti", "--role", "maker", "--without-key")
    office.done("recipient", "register", "--nik", nik(1), "--name", "Orang 1", "--category", "worker")
    assert not office.leftovers()
    office.assert_sound()


def test_a_pipe_that_the_temporary_disk_cannot_hold_is_told_as_a_full_disk(desk: Office, disk: Path) -> None:
    """What comes through a pipe is read from a copy, which lies elsewhere than the ledger."""
    before = desk.log()
    fill(disk, 4 * KIB)
    with (
        Path(desk.file("people.csv", people_csv(range(241, 500)))).open() as file,
        subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE) as pipe,
    ):
        assert_full(desk.salur("recipient", "import", "-", stdin=pipe.stdout, env={"TMPDIR": str(disk)}))

    assert desk.log() == before


TIGHT = """
import sqlite3, sys, cli
connect = sqlite3.connect
def with_little_memory(database, *more, **named):
    path, database = database, connect(database, *more, **named)
    if path == "":
        database.execute("PRAGMA cache_size=1")
    return database
sqlite3.connect = with_little_memory
sys.exit(cli.run(sys.argv[1:]))
"""
"""The command on a machine where a table of payments does not fit into memory."""


def test_a_proposal_that_the_temporary_disk_cannot_hold_is_told_as_a_full_disk(office: Office, disk: Path) -> None:
    file, before = office.file("all.csv", payments_csv(range(1, PEOPLE + 1))), office.log()
    fill(disk, 8 * KIB)
    store = ("--store", str(office.folder))
    command = [sys.executable, "-c", TIGHT, *store, "disburse", "propose", file, "--program", "bsu", "--tranche", "1"]

    told = subprocess.run(
        command,
        cwd=office.desk,
        env=office.environment("siti") | {"SQLITE_TMPDIR": str(disk)},
        capture_output=True,
        text=True,
    )

    assert_full(Ended(told.returncode, told.stdout, told.stderr))
    assert office.log() == before


# Locked


IMPATIENT = "import ledger.store.sqlite; ledger.store.sqlite.LOCK_TIMEOUT_S = 1; import sys, cli; sys.exit(cli.run(sys.argv[1:]))"
"""The command, with a second's patience instead of a minute's."""


@pytest.mark.parametrize("database", ["events.db", "vault.db"])
def test_a_ledger_that_another_program_keeps_locked_is_told_and_works_later(database: str, desk: Office) -> None:
    file, before = desk.file("people.csv", people_csv(range(241, 251))), desk.log()
    command = [sys.executable, "-c", IMPATIENT, "--store", str(desk.folder), "recipient", "import", file]

    with desk.locked(database):
        told = subprocess.run(command, cwd=desk.desk, env=desk.environment("siti"), capture_output=True, text=True)

    assert told.returncode == 1, told
    assert "Refused [store_locked]" in told.stderr
    assert "Traceback" not in told.stderr
    assert desk.log() == before
    desk.done("recipient", "import", file)
    desk.assert_sound()


def test_a_locked_ledger_can_still_be_read(desk: Office) -> None:
    with desk.locked():
        assert "bsu" in desk.done("report", "programs").out
        assert "BatchProposed" in desk.done("history", BATCH).out
        desk.done("check")


# Not writable


@pytest.fixture
def sealed(desk: Office, tmp_path: Path) -> Iterator[Office]:
    """A ledger in a folder that nobody can write, an auditor's copy for example."""
    place = tmp_path / "sealed"
    if not shutil.which("mount") or not mounted(place, f"size={DISK_BYTES}"):
        pytest.skip("this user may not mount a disk of its own (mount -t tmpfs)")
    shutil.copytree(desk.folder, place / "ledger")
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    yield Office(tmp_path, folder=place / "ledger")
    subprocess.run(["umount", str(place)], check=True)


def test_an_auditors_copy_that_cannot_be_written_can_be_read(sealed: Office) -> None:
    assert "bsu" in sealed.done("report", "programs").out
    assert "BatchProposed" in sealed.done("history", BATCH).out
    sealed.done("check")


def test_a_copy_with_events_in_its_write_ahead_log_is_not_read_without_them(desk: Office, tmp_path: Path) -> None:
    place = tmp_path / "sealed"
    if not shutil.which("mount") or not mounted(place, f"size={DISK_BYTES}"):
        pytest.skip("this user may not mount a disk of its own (mount -t tmpfs)")
    with desk.locked():  # an open connection keeps the log from being written back
        desk.folder.joinpath("events.db-wal").write_bytes(b"\1" * 100)
        shutil.copytree(desk.folder, place / "ledger")
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)

    told = Office(tmp_path, folder=place / "ledger").salur("report", "programs")

    subprocess.run(["umount", str(place)], check=True)
    assert (told.code, told.refusal) == (1, "store_failed"), told


def test_a_ledger_that_cannot_be_written_says_so(sealed: Office) -> None:
    told = sealed.salur("disburse", "run", BATCH)

    assert (told.code, told.refusal) == (1, "store_failed"), told


def test_a_new_ledger_where_nothing_can_be_written_is_refused(sealed: Office) -> None:
    told = Office(sealed.desk, folder=sealed.folder.parent / "other").salur("init")

    assert (told.code, told.refusal) == (1, "store_failed"), told
    assert "Read-only file system" in told.err
