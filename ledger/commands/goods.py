"""`salur goods` and `salur destination`: things given instead of money, and countries open to migrant workers."""

from functools import partial
from typing import Any

import click

from ledger.console.options import Request, reason_option, writes
from ledger.console.working import record

goods, destination = click.Group(), click.Group()


@goods.command("stock")
@click.argument("item")
@click.argument("quantity", type=click.IntRange(min=1))
@click.option("--unit", required=True, help="E.g. piece, package; fixed for an item by its first stock.")
@click.option("--from", "origin", required=True, help="Who made or gave them.")
@writes
def goods_stock(request: Request, item: str, quantity: int, unit: str, origin: str) -> None:
    """Take QUANTITY of ITEM into stock."""
    from ledger.application import goods

    work = partial(goods.stock, item=item, quantity=quantity, unit=unit, origin=origin)
    record(request, work, f"Into stock: {quantity:,} {item} ({unit}) from {origin}.")


@goods.command("ship")
@click.argument("item")
@click.argument("quantity", type=click.IntRange(min=1))
@click.option("--shipment", "shipment_id", required=True, help="Id of the shipment.")
@click.option("--to", "country", required=True, help="Country, ISO 3166 (HK, TW, MY, …; ID for goods given at home).")
@click.option("--region", help="Kemendagri code, for goods given at home.")
@click.option("--program", help="Program that the aid belongs to.")
@click.option("--partner", help="Who ships it with you.")
@writes
def goods_ship(request: Request, item: str, quantity: int, shipment_id: str, **where: Any) -> None:
    """Send QUANTITY of ITEM from stock to a country."""
    from ledger.application import goods

    work = partial(goods.ship, shipment_id=shipment_id, item=item, quantity=quantity, **where)
    record(request, work, f"Shipment {shipment_id}: {quantity:,} {item} under way to {where['country'].upper()}.")


@goods.command("write-off")
@click.argument("item")
@click.argument("quantity", type=click.IntRange(min=1))
@click.option("--cause", required=True, type=click.Choice(["loss", "damage"]), help="Why they are gone.")
@reason_option
@writes
def goods_write_off(request: Request, item: str, quantity: int, cause: str, reason: str) -> None:
    """Take QUANTITY of ITEM off the stock, which was lost or is no longer fit to be given."""
    from ledger.application import goods

    work = partial(goods.write_off, item=item, quantity=quantity, cause=cause, reason=reason)
    record(request, work, f"Written off: {quantity:,} {item} ({cause}).")


@goods.command("deliver")
@click.argument("shipment_id")
@click.option("--quantity", type=click.IntRange(min=1), help="All that is under way if not given.")
@click.option("--proof", "proof_ref", required=True, help="Reference of the proof of delivery.")
@writes
def goods_deliver(request: Request, shipment_id: str, quantity: int | None, proof_ref: str) -> None:
    """Confirm that SHIPMENT_ID arrived, whole or in part."""
    from ledger.application import goods

    work = partial(goods.deliver, shipment_id=shipment_id, quantity=quantity, proof_ref=proof_ref)
    record(request, work, f"Delivery of {shipment_id} is recorded.")


@destination.command("reopen")
@click.argument("country")
@click.option("--decree", "decree_ref", required=True, help="The decree that opens it.")
@writes
def destination_reopen(request: Request, country: str, decree_ref: str) -> None:
    """Open placement in COUNTRY (ISO 3166) again."""
    from ledger.application import destinations

    work = partial(destinations.reopen, country=country, decree_ref=decree_ref)
    record(request, work, f"Placement in {country.upper()} is open again.")
