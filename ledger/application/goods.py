"""Goods: stocked, shipped, delivered."""

from typing import Any

from ledger.application.agreements import Act, Entries, act_of, record, rules_bind
from ledger.application.attempt import Attempt, Command
from ledger.application.destinations import country_code
from ledger.application.given import built, require_texts
from ledger.application.ledger import Ledger
from ledger.application.requests import Request
from ledger.domain import goods
from ledger.domain import program as programs
from ledger.domain.agreement import ActKind, agreement_stream
from ledger.domain.errors import SameOfficerError
from ledger.domain.event import Event, Role
from ledger.domain.goods import (
    GoodsAidShipped,
    GoodsStocked,
    ItemUnknownError,
    MaskAidShipped,
    ShipmentUnknownError,
    StockAdjusted,
    StockIssued,
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
) -> Entries:
    """Send goods that are in stock to a destination."""
    aid: type[MaskAidShipped | GoodsAidShipped] = MaskAidShipped if item == goods.MASK else GoodsAidShipped
    sent = built(
        aid,
        shipment_id=shipment_id,
        item=item,
        quantity=quantity,
        country=country_code(country),
        program=program,
        region=region,
        partner=partner,
    )
    return record(ledger, command, _shipping(ledger, sent.model_dump(mode="json")))


@act_of("goods ship")
def _shipping(ledger: Ledger, inputs: dict[str, Any]) -> Act:
    aid: type[MaskAidShipped | GoodsAidShipped] = MaskAidShipped if inputs["item"] == goods.MASK else GoodsAidShipped
    sent = aid.model_validate(inputs)

    def decide(attempt: Attempt) -> list[Event]:
        if sent.program:
            programs.require_open(attempt.program(sent.program))
        stream = stock_stream(sent.item)
        if (stocked := attempt.load(stream, goods.evolve_stock)) is None:
            raise ItemUnknownError(item=sent.item, nearest=ledger.nearest(stream))
        known = attempt.load(sent.stream, goods.evolve_shipment)
        return goods.ship(stocked, known, sent=sent)

    request = Request("goods ship", inputs)
    subject = f"shipment/{sent.shipment_id}"
    return Act(
        ActKind.GOODS,
        subject,
        request,
        decide,
        amount=sent.quantity,
        alongside=lambda attempt: _taken_that_day(attempt, sent.item),
        role=Role.MAKER,
    )


def _taken_that_day(attempt: Attempt, item: str) -> int:
    """What left the stock of an item on the day (UTC) of this attempt, which has read the stock."""
    day = attempt.meta.recorded_at.date()
    return sum(
        entry.event.quantity
        for entry in attempt.ledger.load(stock_stream(item))
        if isinstance(entry.event, StockIssued | StockAdjusted) and entry.meta.recorded_at.date() == day
    )


def write_off(ledger: Ledger, command: Command, *, item: str, quantity: int, cause: str, reason: str) -> Entries:
    """Take goods off the stock that were lost or spoilt."""
    adjusted = built(StockAdjusted, item=item, quantity=quantity, cause=cause, reason=reason)
    return record(ledger, command, _writing_off(ledger, adjusted.model_dump(mode="json")))


@act_of("goods write-off")
def _writing_off(ledger: Ledger, inputs: dict[str, Any]) -> Act:
    adjusted = StockAdjusted.model_validate(inputs)

    def decide(attempt: Attempt) -> list[Event]:
        if (stocked := attempt.load(adjusted.stream, goods.evolve_stock)) is None:
            raise ItemUnknownError(item=adjusted.item, nearest=ledger.nearest(adjusted.stream))
        return goods.write_off(stocked, adjusted=adjusted)

    request = Request("goods write-off", inputs)
    return Act(
        ActKind.GOODS,
        adjusted.stream,
        request,
        decide,
        amount=adjusted.quantity,
        alongside=lambda attempt: _taken_that_day(attempt, adjusted.item),
        role=Role.MAKER,
    )


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
        if rules_bind(attempt) and attempt.command.by == _shipper(attempt, shipment_id):
            raise SameOfficerError(officer_id=attempt.command.by or "", thing=f"shipment {shipment_id}")
        return goods.deliver(shipment, quantity=arrived, proof_ref=proof_ref)

    inputs = {"shipment": shipment_id, "quantity": quantity, "proof": proof_ref}
    return ledger.carry_out(command, decide, request=Request("goods deliver", inputs))


def _shipper(attempt: Attempt, shipment_id: str) -> str | None:
    """The officer who sent a shipment: who proposed it, or who recorded it where no agreement was needed."""
    sent = attempt.ledger.load(shipment_stream(shipment_id))[0]
    if sent.meta.agreement is None:
        return sent.meta.by
    return attempt.ledger.load(agreement_stream(f"shipment/{shipment_id}"))[_proposal(sent) - 1].meta.by


def _proposal(entry: Entry) -> int:
    """The version of the proposal that an event rests on."""
    return int((entry.meta.agreement or "").rpartition("@")[2])
