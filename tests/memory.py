"""How much memory a command takes."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# The process tells itself: what the system tells of a child is at least what its parent took when the child was made.
_TELLING = """
import re, sys
import cli
code = cli.run(sys.argv[1:])
with open("/proc/self/status") as file:
    print("memory", code, re.search(r"VmHWM:\\s+(\\d+) kB", file.read())[1])
"""


def code_and_memory(folder: Path, command: Sequence[str]) -> tuple[int, int]:
    """The exit code of a command on a ledger in a process of its own, and the most bytes of memory that it took."""
    words = [sys.executable, "-c", _TELLING, "--store", str(folder), *command]
    done = subprocess.run(words, cwd=folder.parent, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    told = done.stdout.splitlines()
    assert told, done.stderr
    assert told[-1].startswith("memory "), done.stderr
    _, code, kib = told[-1].split()
    return int(code), 1024 * int(kib)
