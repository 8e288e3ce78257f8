"""The program starts and works where the modules that only POSIX systems have are missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ELSEWHERE = '''
import builtins
import os
import sys

MISSING = {"fcntl", "grp", "pwd", "resource", "termios", "tty"}
as_it_is = builtins.__import__

def imported(name, globals=None, locals=None, fromlist=(), level=0):
    """Only packages that look first which system they are on find what this one has."""
    asking = ((globals or {}).get("__name__") or "").partition(".")[0]
    if name in MISSING and asking not in {"filelock", "click"}:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return as_it_is(name, globals, locals, fromlist, level)

for name in MISSING:
    sys.modules.pop(name, None)
builtins.__import__ = imported
for name in ("fork", "geteuid", "getuid", "kill", "nice", "sysconf"):
    delattr(os, name)
'''
PROGRAM = """
import elsewhere, sys
import cli
sys.exit(cli.run(sys.argv[1:]))
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "elsewhere.py").write_text(ELSEWHERE)
    return tmp_path


def salur(desk: Path, *words: str, script: str = PROGRAM) -> "subprocess.CompletedProcess[str]":
    root = str(Path(__file__).parents[2])
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join([str(desk), root]),
        "SALUR_STORE": "ledger",
        "SALUR_KEYS": "keys",
    }
    return subprocess.run(
        [sys.executable, "-c", script, *words], cwd=desk, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("module", ["fcntl", "grp", "pwd", "resource", "termios"])
def test_elsewhere_the_modules_are_missing(desk: Path, module: str) -> None:
    done = salur(desk, script=f"import elsewhere; import {module}")

    assert done.returncode == 1
    assert f"ModuleNotFoundError: No module named '{module}'" in done.stderr


def test_the_program_starts_and_works_where_posix_modules_are_missing(desk: Path) -> None:
    program = ("program", "open", "aid", "--name", "Aid", "--kind", "cash", "--tranche", "600", "--fiscal-year", "2026")
    for words, printed in (
        (("--help",), "Usage: salur"),
        (("init",), ""),
        (("officer", "enroll", "siti", "--role", "maker", "--no-passphrase"), ""),
        ((*program, "--officer", "siti"), ""),
        (("report", "programs", "-o", "csv"), "aid,"),
        (("log", "verify"), ""),
    ):
        done = salur(desk, *words)
        assert done.returncode == 0, (words, done.stderr)
        assert printed in done.stdout
    assert (desk / "ledger" / "log" / "lock").exists()
