"""What the page on evidence tells an outsider to type finds a true signature, and a false one."""

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "evidence.md").read_text(encoding="utf-8")
BY_HAND = re.findall(r"<!-- by hand -->\n```sh\n(.*?)```\n\n```\n(.*?)```", PAGE, re.DOTALL)
MADE = """
set -e
salur init
salur officer enroll siti --role maker --no-passphrase
salur officer enroll budi --role checker --no-passphrase --officer siti
salur program open aid --name "Bantuan élan" --kind cash --tranche 600 --fiscal-year 2026 --officer siti
salur program budget aid 5000 --officer siti
salur rules adopt --officer siti
salur approve rules --officer budi
salur recipient register --nik 0000010101900001 --name "Warga Satu" --category household --officer siti
salur disburse one R000000001 --program aid --tranche 1 --batch october --officer siti --note "bulan Oktober, élan"
salur disburse approve october --officer budi
"""

needs_tools = pytest.mark.skipif(
    not (shutil.which("openssl") and shutil.which("sqlite3")), reason="an outsider's tools are not installed here"
)


def sh(folder: Path, script: str) -> "subprocess.CompletedProcess[str]":
    path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    env = {"PATH": path, "LANG": "C.UTF-8", "SALUR_STORE": "my-ledger", "SALUR_KEYS": "my-keys"}
    return subprocess.run(["sh", "-c", script], cwd=folder, env=env, capture_output=True, text=True)


@needs_tools
def test_the_commands_that_verify_a_signature_by_hand_do_so(tmp_path: Path) -> None:
    made = sh(tmp_path, MADE)
    assert made.returncode == 0, made.stderr
    [(script, promised)] = BY_HAND
    found = sh(tmp_path, script)
    assert (found.stdout, found.returncode) == (promised, 0), found.stderr

    with closing(sqlite3.connect(tmp_path / "my-ledger" / "events.db")) as database, database:
        database.execute(
            'UPDATE stored_events SET state=replace(CAST(state AS TEXT), \'"by":"budi"\', \'"by":"siti"\')'
            " WHERE topic='BatchApproved.v1'"
        )
    assert sh(tmp_path, script).returncode != 0
