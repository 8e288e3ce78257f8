from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.application import registration
from ledger.domain.event import Role
from tests.acts import person, stop
from tests.ledger.bound import bind
from tests.ledger.signing import Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.ledger.close()


@pytest.fixture
def bound_office(tmp_path: Path) -> Iterator[Office]:
    """Siti, a maker, budi and tari, checkers, two people, and rules that bind."""
    made = Office(tmp_path)
    made.enroll("tari", Role.CHECKER)
    rows = [person(number) for number in (1, 2)]
    registration.register(made.ledger, made.siti, rows, file_sha256=None, category="worker", on_reject=stop)
    bind(made)
    yield made
    made.ledger.close()
