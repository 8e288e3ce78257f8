import shutil
from pathlib import Path

import pytest

from tests.survival.office import Office, open_office, propose


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A ledger of some thousand people, made once; tests work on copies of it."""
    return open_office(tmp_path_factory.mktemp("founded"))


@pytest.fixture
def office(founded: Office, tmp_path: Path) -> Office:
    """A ledger with people, programs and officers, and no batch yet."""
    shutil.copytree(founded.folder, tmp_path / "ledger")
    return Office(tmp_path)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A ledger of 240 people: a batch of 200 is approved, one of the other 40 is proposed."""
    made = open_office(tmp_path_factory.mktemp("small"), people=240)
    propose(made, range(1, 201))
    propose(made, range(201, 241), batch_id="bsu-later", approve=False)
    return made


@pytest.fixture
def desk(small: Office, tmp_path: Path) -> Office:
    """A copy of the small ledger: batch `bsu-1` is approved, batch `bsu-later` only proposed."""
    shutil.copytree(small.folder, tmp_path / "ledger")
    return Office(tmp_path)
