"""A team's lists are in the database: who approves and who runs need not sit at the machine of who proposed."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.application import agreements, registration
from ledger.application.batches import fetch_lists, list_path
from ledger.application.folder import Place, write_settings
from ledger.application.ledger import Ledger
from ledger.application.moving import Move, join
from ledger.application.review import review
from ledger.domain.batch import BatchListChangedError, BatchListMissingError
from ledger.store import postgres
from projections.audit.check import check
from tests.acts import approve, now, person, propose, run, stop
from tests.ledger.signing import Office
from tests.postgres.server import OFFICER, Server

PEOPLE = 30


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office whose rules bind, with people."""
    made = Office(tmp_path)
    rows = [person(number) for number in range(1, PEOPLE + 1)]
    registration.register(made.ledger, made.siti, rows, file_sha256=None, category="worker", on_reject=stop)
    agreements.adopt_rules(made.ledger, made.siti)
    agreements.approve(made.ledger, made.budi, subject="rules")
    yield made
    made.ledger.close()


@pytest.fixture
def team(office: Office, server: Server, tmp_path: Path) -> tuple[str, Path, Path]:
    """The database of the office, and the folders of siti and of budi, who work in it as officers."""
    name, sitis, budis = server.new_database(), tmp_path / "siti", tmp_path / "budi"
    Move(office.folder, sitis, database=server.address(name)).carry_out()
    server.grant(name)
    write_settings(Place(sitis, server.address(name, OFFICER)))
    join(budis, database=server.address(name, OFFICER)).close()
    return name, sitis, budis


def test_a_list_proposed_at_one_machine_is_seen_approved_and_run_at_another(
    team: tuple[str, Path, Path], office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PART_BYTES", 100)
    _, sitis, budis = team
    with closing(Ledger(sitis, now=now)) as ledger:
        recipients = [f"R{number:09}" for number in range(1, PEOPLE + 1)]
        propose(ledger, recipients, command=office.siti, batch_id="october")
        proposed = list_path(ledger, "october").read_bytes()
    with closing(Ledger(budis, now=now)) as ledger:
        assert not list_path(ledger, "october").exists()
        assert review(ledger, "october").count == PEOPLE
        assert list_path(ledger, "october").read_bytes() == proposed
        approve(ledger, "october", command=office.budi)
        assert run(ledger, "october", command=office.budi).taken == PEOPLE
        assert [law.name for law in check(ledger.store) if not law.holds] == []
        assert [each.name for each in ledger.batches_folder.iterdir()] == ["october.csv"]


def test_a_list_that_was_changed_in_the_database_is_not_taken(
    team: tuple[str, Path, Path], office: Office, server: Server
) -> None:
    name, sitis, budis = team
    with closing(Ledger(sitis, now=now)) as ledger:
        propose(ledger, ["R000000001"], command=office.siti, batch_id="october")
    server.execute(
        "UPDATE salur.lists SET content=replace(encode(content, 'escape'), '1200000', '9')::bytea", name=name
    )
    with closing(Ledger(budis, now=now)) as ledger, pytest.raises(BatchListMissingError):
        approve(ledger, "october", command=office.budi)
    with closing(Ledger(sitis, now=now)) as ledger:
        list_path(ledger, "october").write_text("recipient_id,amount\nR000000001,9\n")
        with pytest.raises(BatchListChangedError):
            approve(ledger, "october", command=office.budi)


def test_a_database_of_an_earlier_version_has_no_place_for_lists_and_goes_on(
    team: tuple[str, Path, Path], office: Office, server: Server
) -> None:
    name, sitis, budis = team
    server.execute("DROP TABLE salur.lists", name=name)
    with closing(Ledger(sitis, now=now)) as ledger:
        propose(ledger, ["R000000001"], command=office.siti, batch_id="october")
        approve(ledger, "october", command=office.budi)
    with closing(Ledger(budis, now=now)) as ledger, pytest.raises(BatchListMissingError):
        run(ledger, "october", command=office.budi)


def test_a_list_goes_with_a_ledger_that_moves(team: tuple[str, Path, Path], office: Office, tmp_path: Path) -> None:
    _, sitis, budis = team
    with closing(Ledger(sitis, now=now)) as ledger:
        propose(ledger, ["R000000001"], command=office.siti, batch_id="october")
        proposed = list_path(ledger, "october").read_bytes()
    (budis / "vault.key").write_bytes((sitis / "vault.key").read_bytes())
    Move(budis, tmp_path / "back").carry_out()
    assert (tmp_path / "back" / "batches" / "october.csv").read_bytes() == proposed


def test_a_changed_list_is_not_put_in_the_place_of_the_true_one(office: Office, server: Server, tmp_path: Path) -> None:
    propose(office.ledger, ["R000000001"], command=office.siti, batch_id="october")
    path = list_path(office.ledger, "october")
    proposed = path.read_bytes()
    path.write_text("recipient_id,amount\nR000000001,9\n")
    name = server.new_database()
    Move(office.folder, tmp_path / "there", database=server.address(name)).carry_out()
    assert server.execute("SELECT COUNT(*) FROM salur.lists", name=name) == [(0,)]
    with closing(Ledger(tmp_path / "there", now=now)) as ledger:  # and so it can still be restored
        propose(ledger, ["R000000001"], command=office.siti, batch_id="october")
    assert server.execute("SELECT content FROM salur.lists", name=name) == [(proposed,)]


def test_all_lists_are_brought_for_an_export(team: tuple[str, Path, Path], office: Office) -> None:
    _, sitis, budis = team
    with closing(Ledger(sitis, now=now)) as ledger:
        for number in (1, 2):
            propose(ledger, [f"R{number:09}"], command=office.siti, batch_id=f"b{number}")
    with closing(Ledger(budis, now=now)) as ledger:
        fetch_lists(ledger)
        assert sorted(each.name for each in ledger.batches_folder.iterdir()) == ["b1.csv", "b2.csv"]
