from pathlib import Path
from typing import Any

import pytest

from ledger.application import destinations, goods, officers, programs
from ledger.application.creation import create
from ledger.application.ledger import Ledger
from ledger.domain.destination import DestinationReopened
from ledger.domain.errors import ValueInvalidError
from ledger.domain.event import Role
from ledger.domain.goods import (
    DeliveryConfirmed,
    DeliveryExceedsShipmentError,
    GoodsAidShipped,
    GoodsStocked,
    MaskAidShipped,
    ShipmentExistsError,
    StockIssued,
)
from ledger.domain.officer import OfficerEnrolled, OfficerRevoked, OfficerRevokedError, OfficerUnknownError
from ledger.domain.opening import LedgerEntrusted, LedgerOpened
from ledger.domain.program import BudgetSet, Kind, ProgramClosedError, ProgramOpened, ProgramUnknownError
from tests.acts import BUDI, SET_UP, SITI, by, kept, log, nik, now

OPENED = LedgerOpened(name="Kemnaker 2020", currency="IDR", decimals=0)
START = SET_UP


def test_the_first_officer_enrolls_themselves_and_every_other_is_enrolled(tmp_path: Path) -> None:
    ledger = create(tmp_path / "new", by(None), opened=OPENED, now=now)
    for stranger in (by(None), by("budi")):
        with pytest.raises(OfficerUnknownError):
            officers.enroll(ledger, stranger, officer_id="siti", roles=(Role.MAKER,))
    for _ in range(2):
        officers.enroll(ledger, SITI, officer_id="siti", roles=(Role.MAKER,))
    with pytest.raises(OfficerUnknownError):
        officers.enroll(ledger, BUDI, officer_id="budi", roles=(Role.CHECKER,))
    officers.enroll(ledger, SITI, officer_id="budi", roles=(Role.CHECKER,))
    assert log(ledger) == [
        OPENED,
        OfficerEnrolled(officer_id="siti", roles=(Role.MAKER,)),
        LedgerEntrusted(officer_id="siti"),
        OfficerEnrolled(officer_id="budi", roles=(Role.CHECKER,)),
    ]
    ledger.close()


def test_a_revoked_officer_neither_acts_nor_comes_back(ledger: Ledger) -> None:
    for _ in range(2):
        officers.revoke(ledger, BUDI, officer_id="siti", reason="moved")
    assert log(ledger, START) == [OfficerRevoked(officer_id="siti", reason="moved")]
    with pytest.raises(OfficerRevokedError):
        officers.enroll(ledger, SITI, officer_id="agus", roles=(Role.MAKER,))


def test_a_program_is_opened_under_a_parent_that_exists(ledger: Ledger) -> None:
    terms = ProgramOpened(program="new", parent="jps", name="New", kind=Kind.TRAINING, fiscal_year=2020)
    with pytest.raises(ProgramUnknownError):
        programs.open_program(ledger, SITI, terms=terms)
    parent = ProgramOpened(program="jps", name="Jaring Pengaman Sosial", kind=Kind.UMBRELLA, fiscal_year=2020)
    for each in (parent, terms, parent, terms):
        programs.open_program(ledger, SITI, terms=each)
    assert log(ledger, START) == [parent, terms]


def test_a_budget_set_again_records_nothing(ledger: Ledger) -> None:
    for budget in (5, 5, 7):
        programs.set_budget(ledger, BUDI, program="tkm-2020", budget=budget)
    assert log(ledger, START) == [
        BudgetSet(program="tkm-2020", budget=5, previous=100_000_000),
        BudgetSet(program="tkm-2020", budget=7, previous=5),
    ]


def test_goods_go_from_stock_to_their_destination(ledger: Ledger) -> None:
    goods.stock(ledger, SITI, item="mask", quantity=1000, unit="piece", origin="BLK Serang")
    goods.stock(ledger, SITI, item="rice-5kg", quantity=50, unit="bag", origin="Bulog")
    for _ in range(2):  # the second time records nothing
        goods.ship(ledger, SITI, shipment_id="m1", item="mask", quantity=700, country="hk", partner="KJRI")
        goods.ship(ledger, SITI, shipment_id="r1", item="rice-5kg", quantity=20, country="TW")
        goods.deliver(ledger, SITI, shipment_id="m1", quantity=600, proof_ref="POD 1")
        goods.deliver(ledger, SITI, shipment_id="m1", quantity=None, proof_ref="POD 2")
    masks = {"shipment_id": "m1", "item": "mask", "country": "HK"}
    assert log(ledger, START) == [
        GoodsStocked(item="mask", quantity=1000, unit="piece", origin="BLK Serang"),
        GoodsStocked(item="rice-5kg", quantity=50, unit="bag", origin="Bulog"),
        StockIssued(item="mask", quantity=700, shipment_id="m1"),
        MaskAidShipped(**masks, quantity=700, partner="KJRI"),
        StockIssued(item="rice-5kg", quantity=20, shipment_id="r1"),
        GoodsAidShipped(shipment_id="r1", item="rice-5kg", quantity=20, country="TW"),
        DeliveryConfirmed(**masks, quantity=600, proof_ref="POD 1"),
        DeliveryConfirmed(**masks, quantity=100, proof_ref="POD 2"),
    ]


def test_the_rest_of_a_shipment_that_has_arrived_is_nothing(ledger: Ledger) -> None:
    goods.stock(ledger, SITI, item="mask", quantity=10, unit="piece", origin="BLK Serang")
    goods.ship(ledger, SITI, shipment_id="m1", item="mask", quantity=10, country="HK")
    goods.deliver(ledger, SITI, shipment_id="m1", quantity=None, proof_ref="POD 1")
    with pytest.raises(DeliveryExceedsShipmentError):
        goods.deliver(ledger, SITI, shipment_id="m1", quantity=None, proof_ref="POD 2")


def test_a_shipment_changed_in_any_way_is_another_shipment(ledger: Ledger) -> None:
    goods.stock(ledger, SITI, item="mask", quantity=1000, unit="piece", origin="BLK Serang")
    sent: dict[str, Any] = {"shipment_id": "m1", "item": "mask", "quantity": 10, "country": "HK"}
    goods.ship(ledger, SITI, **sent)
    before = kept(ledger)
    for change in ({"quantity": 11}, {"country": "TW"}, {"program": "bsu-2020"}, {"region": "32.73"}):
        with pytest.raises(ShipmentExistsError):
            goods.ship(ledger, SITI, **sent | change)
    assert kept(ledger) == before


def test_nothing_is_shipped_for_a_closed_program(ledger: Ledger) -> None:
    goods.stock(ledger, SITI, item="mask", quantity=10, unit="piece", origin="BLK Serang")
    programs.close_program(ledger, BUDI, program="bsu-2020", reason="year-end")
    with pytest.raises(ProgramClosedError):
        goods.ship(ledger, SITI, shipment_id="m1", item="mask", quantity=1, country="HK", program="bsu-2020")


def test_a_destination_is_reopened_once(ledger: Ledger) -> None:
    for country in ("HK", "hk"):
        destinations.reopen(ledger, SITI, country=country, decree_ref="294/2020")
    assert log(ledger, START) == [DestinationReopened(country="HK", decree_ref="294/2020")]


@pytest.mark.parametrize("field", ["note", "reference", "reason"])
def test_an_officers_words_hold_no_number_of_a_person(ledger: Ledger, field: str) -> None:
    words = f"see {nik(1)}"
    command = by("budi", **{} if field == "reason" else {field: words})
    before = kept(ledger)
    with pytest.raises(ValueInvalidError) as refused:
        officers.revoke(ledger, command, officer_id="siti", reason=words if field == "reason" else "moved")
    assert refused.value.field == field
    assert nik(1) not in str(refused.value)
    assert refused.value.__suppress_context__
    assert kept(ledger) == before


def test_a_making_that_was_interrupted_is_finished_by_the_same_call(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    create(folder, by(None), opened=OPENED, now=now).close()
    for left in ({"ledger.json"}, {"ledger.json", "vault.db", "events.db"}):
        for name in left:
            (folder / name).unlink()
        (folder / "ledger.json.new").write_text('{"sal')
        again = create(folder, by(None), opened=OPENED, now=now)
        assert log(again) == [OPENED]
        assert again.vault.count() == 0
        again.close()
