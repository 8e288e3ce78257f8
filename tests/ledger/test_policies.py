"""How many words an act needs: by kind and amount, and neither splitting nor haste gains anything."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.application import agreements, goods, registration
from ledger.domain.errors import ValueInvalidError
from ledger.domain.event import Role
from tests.acts import NOW, approve, person, propose, stop
from tests.ledger.bound import bind, broken, two_words
from tests.ledger.signing import Office

R1, R2, R3 = "R000000001", "R000000002", "R000000003"
ONE_AND_A_HALF = 1_800_000


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Two checkers, three people; batches over one and a half tranches, and more than 100 goods, need both."""
    made = Office(tmp_path)
    made.enroll("tari", Role.CHECKER)
    rows = [person(number) for number in (1, 2, 3)]
    registration.register(made.ledger, made.siti, rows, file_sha256=None, category="worker", on_reject=stop)
    bind(made)
    two_words(made, "batches", over=ONE_AND_A_HALF)
    two_words(made, "goods", over=100)
    yield made
    made.ledger.close()


def put_up(office: Office, *recipients: str, batch_id: str) -> int:
    """Propose a batch; returns how many words it asks for."""
    propose(office.ledger, list(recipients), command=office.siti, batch_id=batch_id)
    return agreements.shown(office.ledger, f"batch/{batch_id}").proposed.words


def is_approved(office: Office, batch_id: str, officer_id: str = "budi") -> bool:
    approve(office.ledger, batch_id, command=office.by(officer_id))
    return office.ledger.view().batch(batch_id).status == "approved"


def test_two_halves_of_a_batch_need_together_what_the_whole_needs(office: Office) -> None:
    assert put_up(office, R1, R2, batch_id="whole") == 2
    assert put_up(office, R1, batch_id="half") == 1
    assert is_approved(office, "half")
    assert put_up(office, R2, batch_id="other-half") == 2
    assert not is_approved(office, "other-half")
    assert is_approved(office, "other-half", "tari")
    assert broken(office) == {}


def test_what_was_proposed_before_counts_with_what_was_approved_meanwhile(office: Office) -> None:
    assert [put_up(office, each, batch_id=f"b-{each}") for each in (R1, R2)] == [1, 1]
    assert is_approved(office, f"b-{R1}")
    assert not is_approved(office, f"b-{R2}")
    assert is_approved(office, f"b-{R2}", "tari")
    assert broken(office) == {}


def test_another_day_counts_for_itself(office: Office) -> None:
    assert put_up(office, R1, batch_id="today")
    assert is_approved(office, "today")
    office.ledger.now = lambda: NOW + timedelta(days=1)
    assert put_up(office, R2, batch_id="tomorrow") == 1
    assert is_approved(office, "tomorrow")
    assert broken(office) == {}


def test_goods_of_one_item_count_together_however_they_leave(office: Office) -> None:
    for item in ("mask", "rice"):
        goods.stock(office.ledger, office.siti, item=item, quantity=500, unit="piece", origin="BLK")

    def ship(item: str, shipment_id: str, quantity: int) -> int:
        sent = {"item": item, "quantity": quantity, "shipment_id": shipment_id, "country": "HK"}
        goods.ship(office.ledger, office.siti, **sent)  # type: ignore[arg-type]  # as its own fields
        return agreements.shown(office.ledger, f"shipment/{shipment_id}").proposed.words

    assert ship("mask", "m1", 60) == 1
    agreements.approve(office.ledger, office.budi, subject="shipment/m1")
    assert ship("rice", "r1", 60) == 1
    assert ship("mask", "m2", 60) == 2
    lost: dict[str, Any] = {"item": "mask", "quantity": 60, "cause": "loss", "reason": "letter 5"}
    goods.write_off(office.ledger, office.siti, **lost)
    assert agreements.shown(office.ledger, "stock/mask").proposed.words == 2
    assert broken(office) == {}


def test_an_act_that_asks_for_fewer_words_than_the_policy_is_found(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreements, "_words_needed", lambda *_: 1)
    put_up(office, R1, R2, batch_id="whole")
    assert is_approved(office, "whole")
    short = "1 of the 2 words that the policy on batches asks for"
    assert broken(office) == {"acts-exact": [short, short]}  # as it was proposed, and as it was recorded


@pytest.mark.parametrize("kind", ["officers", "policy", "rules", "erasures", "recovery"])
def test_acts_without_an_amount_have_no_policy_by_amount(office: Office, kind: str) -> None:
    with pytest.raises(ValueInvalidError):
        agreements.set_policy(office.ledger, office.siti, kind=kind, over=5, checkers=1)
