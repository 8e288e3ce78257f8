"""One process at a time does what is to be done alone, however the process before it ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.store.durable import alone, sync, write_whole

PROCESSES, TURNS = 4, 25

# Reads a number, gives the others every chance to read the same, and writes the next one.
COUNT = f"""
import sys, time
from pathlib import Path
from ledger.store.durable import alone
lock, total = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range({TURNS}):
    with alone(lock):
        before = int(total.read_text())
        time.sleep(0.001)
        total.write_text(str(before + 1))
"""
HOLD = """
import sys, time
from pathlib import Path
from ledger.store.durable import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def python(script: str, *arguments: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", script, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def test_of_many_processes_one_works_at_a_time(tmp_path: Path) -> None:
    lock, total = tmp_path / "lock", tmp_path / "total"
    total.write_text("0")

    started = [python(COUNT, lock, total) for _ in range(PROCESSES)]
    for process in started:
        process.communicate()

    assert [process.returncode for process in started] == [0] * PROCESSES
    assert int(total.read_text()) == PROCESSES * TURNS


def test_the_lock_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    lock, total = tmp_path / "lock", tmp_path / "total"
    total.write_text("0")
    with python(HOLD, lock) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with python(COUNT, lock, total) as waiting:
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(1)
            assert total.read_text() == "0"
            holder.send_signal(signal.SIGKILL)
            assert waiting.wait(60) == 0
    assert holder.returncode == -signal.SIGKILL
    assert total.read_text() == str(TURNS)


def test_a_lock_file_that_is_there_is_kept_as_it_is(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_bytes(b"of an older version")
    lock.chmod(0o640)
    before = lock.stat()

    with alone(lock):
        pass

    assert lock.read_bytes() == b"of an older version"
    assert (lock.stat().st_ino, lock.stat().st_mode) == (before.st_ino, before.st_mode)


def test_the_lock_is_let_go_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone(tmp_path / "lock"):
        1 / 0  # noqa: B018  # whatever may go wrong
    with alone(tmp_path / "lock"):
        pass


def test_where_folders_cannot_be_opened_files_are_written_whole_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_is = os.open
    folders = []

    def opened(path: Path, flags: int, mode: int = 0o777) -> int:
        if path.is_dir():
            folders.append(path)
            raise PermissionError(path)
        return as_it_is(path, flags, mode)

    with monkeypatch.context() as windows:
        windows.setattr(os, "open", opened)
        with pytest.raises(PermissionError):
            sync(tmp_path)
        windows.setattr("ledger.store.durable.os.name", "nt")
        write_whole(tmp_path / "note", b"whole")
        sync(tmp_path / "note")

    assert (tmp_path / "note").read_bytes() == b"whole"
    assert folders == [tmp_path]  # only where the system is one that opens folders
