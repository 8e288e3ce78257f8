"""A ledger on PostgreSQL is audited, and handed over, as one in a folder is."""

from pathlib import Path

import pytest

from ledger.application.creation import begin_log
from ledger.application.ledger import Ledger
from projections.audit import export as audit_export
from projections.audit.verification import Audit, audit
from projections.relation import spans
from tests.acts import SITI, approve, propose, register, run
from tests.postgres.server import Home, Server


def broken(found: Audit) -> set[str]:
    return {law.name for law in found.laws if not law.holds}


def test_a_ledger_on_a_server_is_audited_and_exported(
    ledger: Ledger, server: Server, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = register(ledger, 80)
    batch_id = propose(ledger, people)
    approve(ledger, batch_id)
    run(ledger, batch_id)
    begin_log(ledger, SITI)
    ledger = Ledger(ledger.folder)
    size = ledger.store.size()
    kept = tmp_path / "kept"
    kept.write_bytes((ledger.folder / "log" / "checkpoint").read_bytes())

    found = audit(ledger.folder, key=ledger.transparency_log.key, expected=[kept])
    assert (found.size, broken(found)) == (size, set())
    audit_export.export(ledger.transparency_log, tmp_path / "out", archive=None, lists=ledger.batches_folder)
    assert broken(audit(tmp_path / "out", expected=[kept])) == set()

    monkeypatch.setattr(spans, "EVENTS_MIN", 1)  # in processes that open the database themselves
    server.execute("UPDATE salur.stored_events SET topic='Thing.v1' WHERE notification_id=30", name=home.name)
    found = audit(ledger.folder, expected=[kept])
    assert {"log-signed", "readable"} <= broken(found)
    assert "event 29 is not the one that was signed" in found.laws[0].broken[0].words
    ledger.close()
