"""Goods: stock of an item, its shipments to destinations, and their deliveries."""

from dataclasses import dataclass, replace
from typing import Literal

from ledger.domain.errors import LedgerError, Said
from ledger.domain.event import Event, Role, Stream
from ledger.domain.fields import Country, ProgramCode, Quantity, Region, ShipmentId, Slug, Text

stock_stream = Stream("stock/{item}", "shipping more than is stocked")
shipment_stream = Stream("shipment/{shipment_id}", "delivering more than was shipped")


class GoodsStocked(Event):
    """Goods came into stock."""

    TOPIC = "GoodsStocked.v1"
    STREAM = stock_stream
    ROLE = Role.MAKER
    item: Slug
    quantity: Quantity
    unit: Slug
    origin: Text
    """Who made or gave them, e.g. a training center."""


class StockIssued(Event):
    """Goods left stock for a shipment."""

    TOPIC = "StockIssued.v1"
    STREAM = stock_stream
    ROLE = Role.MAKER
    item: Slug
    quantity: Quantity
    shipment_id: ShipmentId


class StockAdjusted(Event):
    """Goods in stock are written off: they are lost, or no longer fit to be given."""

    TOPIC = "StockAdjusted.v1"
    AGREED = "goods"
    STREAM = stock_stream
    ROLE = Role.MAKER
    item: Slug
    quantity: Quantity
    """Taken off the stock."""
    cause: Literal["loss", "damage"]
    reason: Text


class _ShipmentEvent(Event):
    STREAM = shipment_stream
    ROLE = Role.MAKER
    NEEDS_OPEN = False
    shipment_id: ShipmentId
    item: Slug
    quantity: Quantity
    country: Country


class MaskAidShipped(_ShipmentEvent):
    """Masks are under way to a destination."""

    TOPIC = "MaskAidShipped.v1"
    AGREED = "goods"
    program: ProgramCode | None = None
    region: Region | None = None
    partner: Text | None = None


class GoodsAidShipped(_ShipmentEvent):
    """Goods other than masks are under way to a destination."""

    TOPIC = "GoodsAidShipped.v1"
    AGREED = "goods"
    program: ProgramCode | None = None
    region: Region | None = None
    partner: Text | None = None


class DeliveryConfirmed(_ShipmentEvent):
    """Goods arrived, with a proof of delivery."""

    TOPIC = "DeliveryConfirmed.v1"
    proof_ref: Text


class ItemUnknownError(LedgerError):
    """Nothing of that item was ever stocked."""

    code = "item_unknown"
    sentence = "no item {item} in stock{nearest}; record it with `salur goods stock`"
    item: str
    nearest: Said = Said("")


class UnitMismatchError(LedgerError):
    """An item is counted in one unit only."""

    code = "unit_mismatch"
    sentence = "{item} is counted in {unit}, not in {given}; give the quantity in {unit}"
    item: str
    unit: str
    given: str


class StockInsufficientError(LedgerError):
    """No more can be shipped than is stocked."""

    code = "stock_insufficient"
    sentence = "{item}: {asked} asked, {available} in stock; take less or record the stock that came in"
    item: str
    asked: int
    available: int


class ShipmentExistsError(LedgerError):
    """A shipment of that id holds something else."""

    code = "shipment_exists"
    sentence = "shipment {shipment_id} exists with other content; give this one an id of its own"
    shipment_id: str


class ShipmentUnknownError(LedgerError):
    """No shipment has that id."""

    code = "shipment_unknown"
    sentence = "no shipment {shipment_id}{nearest}; see `salur report aid`"
    shipment_id: str
    nearest: Said = Said("")


class DeliveryExceedsShipmentError(LedgerError):
    """No more can be delivered than is under way."""

    code = "delivery_exceeds_shipment"
    sentence = "shipment {shipment_id}: {asked} delivered, {open_quantity} under way; correct the quantity"
    shipment_id: str
    asked: int
    open_quantity: int


Shipped = MaskAidShipped | GoodsAidShipped


MASK = "mask"
"""The item whose shipments are mask aid."""


@dataclass(frozen=True)
class Stock:
    """What is in stock of one item, in whole units."""

    item: str
    unit: str
    quantity: int


@dataclass(frozen=True)
class Shipment:
    """One shipment and what of it has arrived."""

    sent: Shipped
    delivered: int = 0
    proofs: frozenset[tuple[str, int]] = frozenset()
    """(proof of delivery, quantity) of each delivery."""


def evolve_stock(stock: Stock | None, event: Event) -> Stock | None:
    """The stock after one more event."""
    match event:
        case GoodsStocked():
            return Stock(event.item, event.unit, event.quantity + (stock.quantity if stock else 0))
        case StockIssued() | StockAdjusted() if stock:
            return replace(stock, quantity=stock.quantity - event.quantity)
    return stock


def evolve_shipment(shipment: Shipment | None, event: Event) -> Shipment | None:
    """The shipment after one more event."""
    match event:
        case MaskAidShipped() | GoodsAidShipped():
            return Shipment(event)
        case DeliveryConfirmed() if shipment:
            proof = (event.proof_ref, event.quantity)
            return replace(shipment, delivered=shipment.delivered + event.quantity, proofs=shipment.proofs | {proof})
    return shipment


def stock_in(stock: Stock | None, *, item: str, quantity: int, unit: str, origin: str) -> list[Event]:
    """Take goods into stock; an item is counted in one unit for good."""
    if stock is not None and stock.unit != unit:
        raise UnitMismatchError(item=item, unit=stock.unit, given=unit)
    return [GoodsStocked(item=item, quantity=quantity, unit=unit, origin=origin)]


def ship(stock: Stock, shipment: Shipment | None, *, sent: Shipped) -> list[Event]:
    """Send goods that are in stock; the same shipment again records nothing."""
    if shipment is not None:
        if shipment.sent == sent:
            return []
        raise ShipmentExistsError(shipment_id=sent.shipment_id)
    if sent.quantity > stock.quantity:
        raise StockInsufficientError(item=sent.item, asked=sent.quantity, available=stock.quantity)
    return [StockIssued(item=sent.item, quantity=sent.quantity, shipment_id=sent.shipment_id), sent]


def write_off(stock: Stock, *, adjusted: StockAdjusted) -> list[Event]:
    """Take goods off the stock that were lost or spoilt."""
    if adjusted.quantity > stock.quantity:
        raise StockInsufficientError(item=stock.item, asked=adjusted.quantity, available=stock.quantity)
    return [adjusted]


def deliver(shipment: Shipment, *, quantity: int, proof_ref: str) -> list[Event]:
    """Confirm that goods arrived; the same proof and quantity again records nothing."""
    if (proof_ref, quantity) in shipment.proofs:
        return []
    sent = shipment.sent
    under_way = sent.quantity - shipment.delivered
    if not 0 < quantity <= under_way:
        raise DeliveryExceedsShipmentError(shipment_id=sent.shipment_id, asked=quantity, open_quantity=under_way)
    return [
        DeliveryConfirmed(
            shipment_id=sent.shipment_id,
            item=sent.item,
            quantity=quantity,
            country=sent.country,
            proof_ref=proof_ref,
        )
    ]
