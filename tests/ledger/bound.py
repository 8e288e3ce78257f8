"""What tests of a ledger whose rules bind do and ask."""

from ledger.application import agreements
from ledger.domain.batch import Status
from ledger.domain.event import Event
from projections.audit.check import check
from tests.acts import entries
from tests.ledger.signing import Office


def bind(office: Office) -> None:
    agreements.adopt_rules(office.ledger, office.siti)
    agreements.approve(office.ledger, office.budi, subject="rules")


def two_words(office: Office, kind: str, over: int) -> None:
    agreements.set_policy(office.ledger, office.siti, kind=kind, over=over, checkers=2)
    agreements.approve(office.ledger, office.budi, subject=f"policy/{kind}")


def since(office: Office, size: int) -> list[type[Event]]:
    return [type(entry.event) for entry in entries(office.ledger, since=size)]


def broken(office: Office) -> dict[str, list[str]]:
    return {law.name: [each.detail for each in law.broken] for law in check(office.ledger.store) if not law.holds}


def status(office: Office, batch_id: str) -> Status:
    return office.ledger.view().batch(batch_id).status
