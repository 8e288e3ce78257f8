import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from ledger.application.folder import LOG
from ledger.transparency.log import Log
from ledger.transparency.quorum import RequiredWitness
from tests.evidence.audited import make_office
from tests.logged import add_log, append, recorder_of
from tests.witnessing import NAMES, serving, witness_of

SIZE = 700


@pytest.fixture(scope="session")
def made(folder_of_2020: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of 700 events with its log, made once."""
    folder = tmp_path_factory.mktemp("logged") / "ledger"
    shutil.copytree(folder_of_2020, folder)
    with closing(sqlite3.connect(folder / "events.db")) as database:
        [(size,)] = database.execute("SELECT COUNT(*) FROM stored_events").fetchall()
    append(folder, size, SIZE)
    add_log(folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "ledger"))


@pytest.fixture
def log(folder: Path) -> Iterator[Log]:
    recorder = recorder_of(folder)
    yield Log(folder / LOG, recorder)
    recorder.datastore.close()  # type: ignore[attr-defined]


@pytest.fixture
def witnesses(log: Log, tmp_path: Path) -> Iterator[list[RequiredWitness]]:
    """Three witnesses that know the log and answer."""
    with ExitStack() as stack:
        yield [
            RequiredWitness(witness.key, stack.enter_context(serving(witness)))
            for witness in (witness_of(tmp_path / name, name, log.key) for name in NAMES)
        ]


@pytest.fixture(scope="session")
def made_office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of officers who sign, an export of it, and the key and checkpoint that an auditor kept; made once."""
    place = tmp_path_factory.mktemp("audited") / "office"
    make_office(place)
    return place


@pytest.fixture
def office(made_office: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_office, tmp_path / "office"))
