"""An office whose officers sign, and what the law of signatures says of it."""

from ledger.application import registration
from ledger.application.batches import run
from ledger.application.ledger import Ledger
from projections.audit.check import check
from projections.laws.law import Law
from tests.acts import approve, person, propose, stop
from tests.ledger.signing import Office


def paid(office: Office) -> str:
    """Register two people and pay them; returns the batch's id."""
    rows = [person(number) for number in (1, 2)]
    registration.register(office.ledger, office.siti, rows, file_sha256=None, category="worker", on_reject=stop)
    batch_id = propose(office.ledger, ["R000000001", "R000000002"], command=office.siti)
    approve(office.ledger, batch_id, command=office.budi)
    run(office.ledger, office.siti, batch_id=batch_id, on_reject=stop)
    return batch_id


def law_of(ledger: Ledger) -> Law:
    [law] = [law for law in check(ledger.store) if law.name == "signatures-valid"]
    return law


def breaches(office: Office) -> list[tuple[str, str]]:
    return [(breach.stream, breach.detail) for breach in law_of(office.ledger).broken]


def others_broken(office: Office) -> set[str]:
    return {law.name for law in check(office.ledger.store) if not law.holds} - {"signatures-valid"}
