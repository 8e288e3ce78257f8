"""A ledger and two witnesses, each a process of its own, by the commands that their keepers type."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ledger.transparency.notes import Note, VerifierKey
from ledger.transparency.quorum import require_quorum

SALUR = Path(sys.executable).with_name("salur")


def salur(folder: Path, *words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([SALUR, "--store", "ledger", *map(str, words)], cwd=folder, capture_output=True, text=True)


def done(folder: Path, *words: object) -> str:
    process = salur(folder, *words)
    assert process.returncode == 0, process.stderr
    return process.stdout


@contextmanager
def witness(folder: Path, name: str, port: int = 0) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """`salur log witness serve`: its address, and the process."""
    words: list[str | Path] = [SALUR, "log", "witness", "serve", name, "--port", str(port)]
    with subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[-1]
        drained = threading.Thread(target=process.stderr.read)
        drained.start()
        try:
            yield address, process
        finally:
            process.kill()
            process.wait()
            drained.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a new ledger and the witnesses `one` and `two`, which know its log."""
    done(tmp_path, "init")
    for name in ("one", "two"):
        (tmp_path / f"{name}.key").write_text(done(tmp_path, "log", "witness", "create", name, "--name", name))
    done(tmp_path, "log", "witness", "add", "one", "ledger/log/verifier-key")
    done(tmp_path, "log", "witness", "add", "two", (tmp_path / "ledger/log/verifier-key").read_text().strip())
    return tmp_path


def test_a_ledger_publishes_what_its_witnesses_cosigned(folder: Path) -> None:
    with ExitStack() as stack:
        (one, _), (two, process) = (stack.enter_context(witness(folder, name)) for name in ("one", "two"))
        required = ["--witness", "one.key", one, "--witness", "two.key", two]
        done(folder, "log", "require-witnesses", *required, "--quorum", 2)
        assert salur(folder, "log", "checkpoint").returncode == 1
        done(folder, "log", "seal")
        first = done(folder, "log", "checkpoint")
        keys = [VerifierKey.parse((folder / f"{name}.key").read_text().strip()) for name in ("one", "two")]
        log_key = VerifierKey.parse((folder / "ledger/log/verifier-key").read_text().strip())
        assert require_quorum(Note.parse(first.encode()), log_key, keys, 2).size == 2
        assert first in done(folder, "log", "prove", 0)

        process.kill()
        process.wait()
        done(folder, "officer", "enroll", "siti", "--role", "maker", "--without-key", "--officer", "siti")
        missed = salur(folder, "log", "seal")
        assert missed.returncode == 1
        assert "[quorum_missed]" in missed.stderr
        assert "two: it cannot be reached" in missed.stderr
        assert "1 of the 2 witnesses required" in missed.stderr
        assert done(folder, "log", "checkpoint") == first

        (again, _) = stack.enter_context(witness(folder, "two", int(two.rpartition(":")[2])))
        assert again == two
        done(folder, "log", "publish")
        second = Note.parse(done(folder, "log", "checkpoint").encode())
        assert require_quorum(second, log_key, keys, 2).size > 1
        done(folder, "log", "verify", "--checkpoint", "ledger/log/published-checkpoint")
        shown = done(folder, "log", "witness", "show", "one", "-o", "csv")
        assert shown.splitlines()[1].startswith(f"{log_key.name},{second.text.splitlines()[1]},")

    done(folder, "log", "require-witnesses", "--none")
    assert "— one" not in done(folder, "log", "checkpoint")


HALVES: list[list[str]] = [
    ["require-witnesses"],
    ["require-witnesses", "--quorum", "1"],
    ["require-witnesses", "--witness", "one.key", "http://127.0.0.1:1"],
    ["require-witnesses", "--none", "--quorum", "1"],
    ["require-witnesses", "--none", "--witness", "one.key", "http://127.0.0.1:1", "--quorum", "1"],
    ["witness", "create", "three"],
]


def test_an_audit_demands_the_cosignatures_of_a_quorum(folder: Path) -> None:
    audit = ["audit", "verify", "ledger", "--key", "ledger/log/verifier-key"]
    with witness(folder, "one") as (one, _):
        done(folder, "log", "require-witnesses", "--witness", "one.key", one, "--quorum", 1)
        done(folder, "log", "publish")
    assert "log-witnessed" in done(folder, *audit, "--witness", "one.key")
    assert "log-witnessed" in done(folder, *audit, "--witness", "one.key", "--witness", "two.key", "--quorum", 1)
    missed = salur(folder, *audit, "--witness", "one.key", "--witness", "two.key")
    assert (missed.returncode, "not by two" in missed.stderr) == (4, True)
    assert salur(folder, *audit, "--quorum", 1).returncode == 2


def test_half_of_a_command_is_not_carried_out(folder: Path) -> None:
    for words in HALVES:
        assert salur(folder, "log", *words).returncode == 2, words
    assert not (folder / "ledger" / "log" / "witnesses").exists()


def test_what_is_no_key_is_refused_in_a_sentence(folder: Path) -> None:
    (folder / "empty").touch()
    for key in ("empty", "missing", "one+two+three", "one", "x" * 5_000):
        refused = salur(folder, "log", "witness", "add", "one", key)
        assert refused.returncode == 1
        assert "[value_invalid]: verifier key: neither a verifier key nor a file with one" in refused.stderr
    assert salur(folder, "log", "witness", "show", "nowhere").returncode == 1
