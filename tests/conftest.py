import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.application import officers, programs
from ledger.application.creation import create
from ledger.application.ledger import Ledger
from ledger.domain.event import Role
from ledger.domain.opening import LedgerOpened
from ledger.domain.program import Kind, ProgramOpened
from tests.acts import BUDI, PROGRAM, SITI, TRANCHE, by, now

OPENED = LedgerOpened(name="Kemnaker 2020", currency="IDR", decimals=0)
BSU = ProgramOpened(
    program=PROGRAM,
    name="Bantuan Subsidi Upah",
    kind=Kind.CASH,
    ceiling=2 * TRANCHE,
    schedule=(TRANCHE, TRANCHE),
    fiscal_year=2020,
    categories=("worker",),
)
TKM = ProgramOpened(
    program="tkm-2020", name="Tenaga Kerja Mandiri", kind=Kind.GROUP_GRANT, ceiling=40_000_000, fiscal_year=2020
)

# Tests that were started in the background ignore interruptions, and so would every command that they interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def folder_of_2020(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger made once and copied for each test: the disk is waited for at its making only."""
    folder = tmp_path_factory.mktemp("made") / "ledger"
    ledger = create(folder, by(None), opened=OPENED, now=now)
    officers.enroll(ledger, SITI, officer_id="siti", roles=(Role.MAKER,))
    officers.enroll(ledger, SITI, officer_id="budi", roles=(Role.CHECKER,))
    for terms in (BSU, TKM):
        programs.open_program(ledger, SITI, terms=terms)
        programs.set_budget(ledger, BUDI, program=terms.program, budget=100_000_000)
    ledger.close()
    return folder


@pytest.fixture
def ledger(folder_of_2020: Path, tmp_path: Path) -> Iterator[Ledger]:
    """Officers siti (maker) and budi (checker); `bsu-2020` (two tranches) and `tkm-2020` (grants), 100 million each."""
    folder = tmp_path / "ledger"
    shutil.copytree(folder_of_2020, folder)
    opened = Ledger(folder, now=now)
    yield opened
    opened.close()
