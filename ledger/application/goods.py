"""Goods: stocked, shipped, delivered."""

from ledger.application.attempt import Attempt, Command
from ledger.application.destinations import country_code
from ledger.application.given import built, require_texts
from ledger.application.ledger import Ledger
from ledger.application.requests import Request
from ledger.domain import goods
from ledger.domain import program as programs
from ledger.domain.event import Event, Role
from ledger.domain.goods import (
    GoodsAidShipped,
    GoodsStocked,
    ItemUnknownError,
    MaskAidShipped,
    ShipmentUnknownError,
    shipment_stream,
    stock_stream,
)
from ledger.store.entries import Entry


def stock(ledger: Ledger, command: Command, *, item: str, quantity: int, unit: str, origin: str) -> list[Entry]:
    """Take goods into stock; without a reference, each call is another delivery."""
    arrived = built(GoodsStocked, item=item, quantity=quantity, unit=unit, origin=origin)

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer(Role.MAKER)
        known = attempt.load(arrived.stream, goods.evolve_stock)
        return goods.stock_in(known, item=item, quantity=quantity, unit=unit, origin=origin)

    return ledger.carry_out(command, decide, request=Request("goods stock", arrived.model_dump(mode="json")))


def ship(
    ledger: Ledger,
    command: Command,
    *,
    shipment_id: str,
    item: str,
    quantity: int,
    country: str,
    program: str | None = None,
    region: str | None = None,
    partner: str | None = None,
) -> list[Entry]:
    """Send goods that are in stock to a destination."""
    aid: type[MaskAidShipped | GoodsAidShipped] = MaskAidShipped if item == goods.MASK else GoodsAidShipped
    sent: MaskAidShipped | GoodsAidShipped = built(
        aid,
        shipment_id=shipment_id,
        item=item,
        quantity=quantity,
        country=country_code(country),
        program=program,
        region=region,
        partner=partner,
    )

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer(Role.MAKER)
        if program:
            programs.require_open(attempt.program(program))
        stream = stock_stream(item)
        if (stocked := attempt.load(stream, goods.evolve_stock)) is None:
            raise ItemUnknownError(item=item, nearest=ledger.nearest(stream))
        known = attempt.load(sent.stream, goods.evolve_shipment)
        return goods.ship(stocked, known, sent=sent)

    return ledger.carry_out(command, decide, request=Request("goods ship", sent.model_dump(mode="json")))


def deliver(ledger: Ledger, command: Command, *, shipment_id: str, quantity: int | None, proof_ref: str) -> list[Entry]:
    """Confirm that a shipment arrived, whole or in part, with its proof of delivery."""
    require_texts(proof_ref=proof_ref)

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer(Role.MAKER)
        stream = shipment_stream(shipment_id)
        if (shipment := attempt.load(stream, goods.evolve_shipment)) is None:
            raise ShipmentUnknownError(shipment_id=shipment_id, nearest=ledger.nearest(stream))
        arrived = quantity if quantity is not None else shipment.sent.quantity - shipment.delivered
        if quantity is None and any(proof == proof_ref for proof, _ in shipment.proofs):
            return []
        return goods.deliver(shipment, quantity=arrived, proof_ref=proof_ref)

    inputs = {"shipment": shipment_id, "quantity": quantity, "proof": proof_ref}
    return ledger.carry_out(command, decide, request=Request("goods deliver", inputs))
