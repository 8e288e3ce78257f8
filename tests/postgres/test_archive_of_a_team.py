"""A team's archive lies in each officer's folder, and is made from the database."""

from datetime import date

from ledger.application.ledger import Ledger
from projections.audit.check import check
from projections.relation.archive import ARCHIVE, Archive
from projections.reports.catalogue import PROJECTIONS
from projections.reports.engine import Reports
from tests.acts import approve, propose, register, run

ALWAYS = date(9999, 12, 31)


def test_reports_on_postgresql_are_the_same_with_and_without_an_archive(ledger: Ledger) -> None:
    people = register(ledger, 30)
    batch_id = propose(ledger, people)
    approve(ledger, batch_id)
    run(ledger, batch_id)
    archive = Archive(ledger.folder / ARCHIVE, ledger.store, segment_events=20)
    with Reports(ledger.store) as reports:
        before = {name: reports.run(name, as_of=ALWAYS).rows for name in PROJECTIONS}

    archive.seal()

    assert len(archive.segments()) == ledger.store.size() // 20 == 3
    with Reports(ledger.store, archive) as reports:
        assert {name: reports.run(name, as_of=ALWAYS).rows for name in PROJECTIONS} == before
    laws = {law.name: law for law in check(ledger.store, archive)}
    assert laws["archive-true"].checked == 60
    assert all(law.holds for law in laws.values())
