"""A team's log grows on the machine that has its key, from the database that all work with."""

from pathlib import Path

import pytest

from ledger.application import officers
from ledger.application.ledger import Ledger
from ledger.application.moving import Move
from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.event import Role
from ledger.transparency.log import create_log
from tests.acts import SITI, approve, propose, register, run
from tests.logged import level_files, recorder_of, root_of, some_rows
from tests.postgres.server import Home, Server


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
