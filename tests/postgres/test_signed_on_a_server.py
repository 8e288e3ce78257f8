"""Officers sign on a server what they sign in a folder, and the same law finds the same forgery."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.application import programs
from ledger.application.folder import Place, write_settings
from ledger.application.ledger import Ledger
from ledger.application.moving import Move
from projections.audit.check import check
from tests.acts import now
from tests.ledger.signing import Office
from tests.postgres.server import OFFICER, Server


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.ledger.close()


def breaches(ledger: Ledger) -> list[tuple[str, str]]:
    [law] = [law for law in check(ledger.store) if law.name == "signatures-valid"]
    return [(breach.stream, breach.detail) for breach in law.broken]


def test_officers_sign_on_a_server_and_a_forgery_is_named(server: Server, office: Office, tmp_path: Path) -> None:
    folder, name = tmp_path / "moved", server.new_database()
    Move(office.folder, folder, database=server.address(name)).carry_out()
    server.grant(name)
    write_settings(Place(folder, server.address(name, OFFICER)))
    with closing(Ledger(folder, now=now)) as ledger:
        assert ledger.fingerprint == office.ledger.fingerprint
        siti = office.by("siti", reference='letter "7" \\ élan')
        programs.set_budget(ledger, siti, program="bsu-2020", budget=7)
        assert breaches(ledger) == []
        server.execute(
            "UPDATE salur.stored_events SET state=convert_to(replace(convert_from(state, 'UTF8'), ':7,', ':8,'), 'UTF8')"
            " WHERE topic='BudgetSet.v1'",
            name=name,
        )
        assert breaches(ledger) == [("program/bsu-2020", "the signature is not that of siti over this event")]
