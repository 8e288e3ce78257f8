"""Goods: stock of an item, its shipments to destinations, and their deliveries."""

from dataclasses import dataclass, replace

from ledger.errors import (
    DeliveryExceedsShipmentError,
    DestinationOpenError,
    ShipmentExistsError,
    StockInsufficientError,
    UnitMismatchError,
)
from ledger.events import (
    DeliveryConfirmed,
    DestinationReopened,
    Event,
    GoodsAidShipped,
    GoodsStocked,
    MaskAidShipped,
    StockIssued,
)

Shipped = MaskAidShipped | GoodsAidShipped
MASK = "mask"
"""The item whose shipments are mask aid."""


@dataclass(frozen=True)
class Stock:
    item: str
    unit: str
    quantity: int


@dataclass(frozen=True)
class Shipment:
    sent: Shipped
    delivered: int = 0
    proofs: frozenset[tuple[str, int]] = frozenset()
    """(proof of delivery, quantity) of each delivery."""


def evolve_stock(stock: Stock | None, event: Event) -> Stock | None:
    match event:
        case GoodsStocked():
            return Stock(event.item, event.unit, event.quantity + (stock.quantity if stock else 0))
        case StockIssued() if stock:
            return replace(stock, quantity=stock.quantity - event.quantity)
    return stock


def evolve_shipment(shipment: Shipment | None, event: Event) -> Shipment | None:
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


def evolve_destination(decree_ref: str | None, event: Event) -> str | None:
    return event.decree_ref if isinstance(event, DestinationReopened) else decree_ref


def reopen(known_decree_ref: str | None, *, country: str, decree_ref: str) -> list[Event]:
    """Open placement of migrant workers in a country again."""
    if known_decree_ref is None:
        return [DestinationReopened(country=country, decree_ref=decree_ref)]
    if known_decree_ref != decree_ref:
        raise DestinationOpenError(country=country, decree_ref=known_decree_ref)
    return []
