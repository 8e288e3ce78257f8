"""A ledger of officers who sign, whose batch was paid but for one row, and copies of it for those who tamper with them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cli
from tests.acts import older_ledger

PEOPLE = 300
# Of a ledger that was opened before there were rules: what is done on one officer's word is audited as well.
COMMANDS = (
    "officer enroll siti --role maker --no-passphrase",
    "officer enroll budi --role checker --no-passphrase --officer siti",
    "program open bsu --name BSU --kind cash --tranche 600 --tranche 400 --fiscal-year 2026 --officer siti",
    "program budget bsu 500000 --officer siti",
    "recipient import people.csv --category worker --officer siti",
    "disburse propose all.csv --program bsu --tranche 1 --batch october --officer siti",
    "disburse one R000000007 --program bsu --tranche 1 --batch early --officer siti",
    "disburse approve early --officer budi",
    "disburse approve october --officer budi",
    "disburse run early --officer siti",
    "disburse run october --officer siti",
    "payment return bsu/1/R000000003 --reason AC04 --officer siti",
    "payment reissue bsu/1/R000000003 --officer budi",
    "disburse one R000000009 --program bsu --tranche 2 --batch second --officer siti",
    "disburse approve second --officer budi",
    "disburse run second --officer siti",
)


@contextmanager
def at(place: Path) -> Iterator[None]:
    """Commands given here work in that place, with its ledger and its keys."""
    before, names = Path.cwd(), ("SALUR_STORE", "SALUR_KEYS")
    kept = {name: os.environ.get(name) for name in names}
    os.environ |= {"SALUR_STORE": "ledger", "SALUR_KEYS": "keys"}
    os.chdir(place)
    try:
        yield
    finally:
        os.chdir(before)
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def salur(place: Path, command: str) -> int:
    """Carry out one command in a place."""
    with at(place):
        return cli.run(command.split())


def make_office(place: Path) -> None:
    """Two batches in which all is paid, and `october`, one row of which was paid by another batch before."""
    place.mkdir(parents=True)
    rows = [f"00{n // 100:04d}010190{n % 100:04d},Person {n}" for n in range(1, PEOPLE + 1)]
    (place / "people.csv").write_text("nik,name\n" + "\n".join(rows) + "\n")
    ids = [f"R{n:09d}" for n in range(1, PEOPLE + 1)]
    (place / "all.csv").write_text("recipient\n" + "\n".join(ids) + "\n")
    older_ledger(place / "ledger")
    for command in COMMANDS:
        code = salur(place, command)
        assert code == (cli.SOME_REJECTED if command.startswith("disburse run october") else cli.DONE), command
    assert salur(place, "seal") == cli.DONE
    shutil.copy(place / "ledger" / "log" / "checkpoint", place / "kept")
    shutil.copy(place / "ledger" / "log" / "verifier-key", place / "key")
    assert salur(place, "audit export export") == cli.DONE
