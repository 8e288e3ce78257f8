"""A team's log grows on the machine that has its key, from the database that all work with."""

from contextlib import closing
from pathlib import Path

import pytest

import cli
from ledger.application import officers
from ledger.application.creation import begin_log
from ledger.application.folder import LogPlace, Place, write_settings
from ledger.application.ledger import Ledger
from ledger.application.moving import Move, join
from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.event import Role
from ledger.transparency.errors import LogLeftOutError
from ledger.transparency.log import create_log
from projections.audit.verification import audit
from tests.acts import SITI, approve, propose, register, run
from tests.logged import level_files, recorder_of, root_of, some_rows
from tests.postgres.server import OFFICER, Home, Server


def test_a_log_of_postgresql_is_that_of_the_same_events_on_sqlite(ledger: Ledger, tmp_path: Path) -> None:
    log = create_log(tmp_path / "log", ledger.store)
    log.grow()
    people = register(ledger, 80)
    batch_id = propose(ledger, people)
    approve(ledger, batch_id)
    run(ledger, batch_id)

    signed = log.grow()

    Move(ledger.folder, tmp_path / "copy").carry_out()
    copied = recorder_of(tmp_path / "copy")
    leaves = [line for block in copied.leaves() for line in block]
    assert (signed.size, signed.root) == (len(leaves), root_of(leaves))
    assert {path.name: path.read_bytes() for path in log.folder.glob("level-*")} == level_files(leaves)
    assert log.prove(signed.size - 1).verify(leaves[-1], log.key) == signed
    copied.datastore.close()  # type: ignore[attr-defined]


def test_words_that_json_escapes_have_one_form_on_both_stores(ledger: Ledger, tmp_path: Path) -> None:
    [(_, _, topic, state)] = some_rows(0, 1)
    ledger.store.append([('thing/"ä\\\u2028☃', 1, topic, state)])
    Move(ledger.folder, tmp_path / "copy").carry_out()
    copied = recorder_of(tmp_path / "copy")
    assert copied.leaf(copied.size() - 1) == ledger.store.leaf(ledger.store.size() - 1)
    copied.datastore.close()  # type: ignore[attr-defined]


def test_a_database_that_lost_events_is_not_signed(ledger: Ledger, server: Server, home: Home, tmp_path: Path) -> None:
    log = create_log(tmp_path / "log", ledger.store)
    size = log.grow().size
    server.execute(f"DELETE FROM salur.stored_events WHERE notification_id={size}", name=home.name)

    with pytest.raises(
        IntegrityBrokenError, match=f"{size:,} events were stored, and the last .* numbered {size - 1:,}"
    ):
        log.grow()
    with pytest.raises(IntegrityBrokenError, match="events were removed"):
        officers.enroll(ledger, SITI, officer_id="tari", roles=(Role.MAKER,))
    server.execute(f"UPDATE salur.log_end SET size={size - 1}", name=home.name)  # as its owner, who may do anything
    with pytest.raises(IntegrityBrokenError, match="older copy"):
        log.grow()
    officers.enroll(ledger, SITI, officer_id="tari", roles=(Role.MAKER,))
    with pytest.raises(IntegrityBrokenError, match="not those signed"):
        log.grow()

    assert log.checkpoint().size == size


def test_a_folder_that_joined_works_without_the_teams_log_and_with_no_other_one(
    ledger: Ledger, server: Server, home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signed = begin_log(ledger, SITI)
    size = ledger.store.size()
    with closing(join(tmp_path / "joined", database=server.address(home.name, OFFICER))) as joined:
        officers.enroll(joined, SITI, officer_id="tari", roles=(Role.MAKER,))
        with pytest.raises(LogLeftOutError):
            begin_log(joined, SITI)
        assert not (joined.folder / "log").exists()
        assert joined.store.size() == size + 1
        found = audit(joined.folder)
        assert found.holds
        assert f"The ledger's log {signed.origin} is kept elsewhere" in " ".join(found.not_shown)
        assert cli.run(["--store", str(joined.folder), "status"]) == cli.DONE
        assert f"{signed.origin} is kept elsewhere" in " ".join(capsys.readouterr().out.split())

    create_log(tmp_path / "other", ledger.store)
    write_settings(Place(joined.folder, server.address(home.name, OFFICER), LogPlace(tmp_path / "other")))
    with closing(Ledger(joined.folder)) as misled, pytest.raises(LogLeftOutError):
        officers.enroll(misled, SITI, officer_id="sri", roles=(Role.MAKER,))
    assert ledger.store.size() == size + 1
