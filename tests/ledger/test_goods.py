from typing import Any

import pytest

from ledger.domain import destination as destinations
from ledger.domain import goods
from ledger.domain.destination import DestinationOpenError, DestinationReopened
from ledger.domain.event import Event
from ledger.domain.goods import (
    DeliveryConfirmed,
    DeliveryExceedsShipmentError,
    GoodsStocked,
    MaskAidShipped,
    Shipment,
    ShipmentExistsError,
    Stock,
    StockInsufficientError,
    StockIssued,
    UnitMismatchError,
)

STOCKED = GoodsStocked(item="mask", quantity=1000, unit="piece", origin="BLK Serang")
ISSUED = StockIssued(item="mask", quantity=700, shipment_id="m1")
SENT = MaskAidShipped(shipment_id="m1", item="mask", quantity=700, country="HK")


def stock(*events: Event) -> Stock:
    state: Stock | None = None
    for event in events:
        state = goods.evolve_stock(state, event)
    assert state
    return state


def shipment(*events: Event) -> Shipment:
    state: Shipment | None = None
    for event in (SENT, *events):
        state = goods.evolve_shipment(state, event)
    assert state
    return state


def delivered(quantity: int, proof_ref: str = "POD 1") -> Event:
    return DeliveryConfirmed(shipment_id="m1", item="mask", quantity=quantity, country="HK", proof_ref=proof_ref)


def test_what_comes_in_adds_up_and_what_goes_out_is_gone() -> None:
    assert stock(STOCKED, STOCKED, ISSUED) == Stock("mask", "piece", 1300)


def test_an_item_is_counted_in_one_unit() -> None:
    fields: dict[str, Any] = {"item": "mask", "quantity": 1000, "origin": "BLK Serang"}
    assert goods.stock_in(None, unit="piece", **fields) == [STOCKED]
    assert goods.stock_in(stock(STOCKED), unit="piece", **fields) == [STOCKED]
    with pytest.raises(UnitMismatchError) as refused:
        goods.stock_in(stock(STOCKED), unit="box", **fields)
    assert (refused.value.unit, refused.value.given) == ("piece", "box")


def test_a_shipment_leaves_stock_once() -> None:
    assert goods.ship(stock(STOCKED), None, sent=SENT) == [ISSUED, SENT]
    assert goods.ship(stock(STOCKED, ISSUED), shipment(), sent=SENT) == []
    with pytest.raises(ShipmentExistsError):
        goods.ship(stock(STOCKED, ISSUED), shipment(), sent=SENT.model_copy(update={"country": "TW"}))


def test_no_more_is_shipped_than_is_stocked() -> None:
    second = SENT.model_copy(update={"shipment_id": "m2"})
    with pytest.raises(StockInsufficientError) as refused:
        goods.ship(stock(STOCKED, ISSUED), None, sent=second)
    assert (refused.value.asked, refused.value.available) == (700, 300)
    rest = second.model_copy(update={"quantity": 300})
    assert goods.ship(stock(STOCKED, ISSUED), None, sent=rest)[1] == rest


def test_a_shipment_arrives_in_parts_and_each_part_once() -> None:
    assert goods.deliver(shipment(), quantity=600, proof_ref="POD 1") == [delivered(600)]
    assert goods.deliver(shipment(delivered(600)), quantity=600, proof_ref="POD 1") == []
    assert goods.deliver(shipment(delivered(600)), quantity=100, proof_ref="POD 2") == [delivered(100, "POD 2")]


@pytest.mark.parametrize("quantity", [101, 0, -1])
def test_no_more_is_delivered_than_is_under_way_and_never_nothing(quantity: int) -> None:
    with pytest.raises(DeliveryExceedsShipmentError) as refused:
        goods.deliver(shipment(delivered(600)), quantity=quantity, proof_ref="POD 2")
    assert (refused.value.asked, refused.value.open_quantity) == (quantity, 100)


def test_a_destination_is_reopened_by_one_decree() -> None:
    reopened = DestinationReopened(country="HK", decree_ref="294/2020")
    assert destinations.reopen(None, country="HK", decree_ref="294/2020") == [reopened]
    known = destinations.evolve_destination(None, reopened)
    assert destinations.reopen(known, country="HK", decree_ref="294/2020") == []
    with pytest.raises(DestinationOpenError) as refused:
        destinations.reopen(known, country="HK", decree_ref="295/2020")
    assert refused.value.decree_ref == "294/2020"
