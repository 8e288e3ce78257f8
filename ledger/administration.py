"""Single commands: officers, programs and their budgets, goods and destinations."""

from datetime import date
from typing import cast

from ledger import goods
from ledger import officer as officers
from ledger import program as programs
from ledger.application import Attempt, Command, Ledger
from ledger.errors import CountryUnknownError, ItemUnknownError, ShipmentUnknownError
from ledger.events import (
    LEDGER_STREAM,
    DeliveryConfirmed,
    DestinationReopened,
    Event,
    GoodsAidShipped,
    GoodsStocked,
    KeyAssigned,
    LedgerEntrusted,
    MaskAidShipped,
    OfficerEnrolled,
    OfficerKeyReplaced,
    ProgramOpened,
    Role,
    destination_stream,
    key_stream,
    program_stream,
    shipment_stream,
    stock_stream,
)
from ledger.officer import Officer
from ledger.program import Program
from ledger.rows import built
from ledger.store import Entry

# Officers


def enroll(
    ledger: Ledger, command: Command, *, officer_id: str, roles: tuple[Role, ...], public_key: str | None = None
) -> list[Entry]:
    """Let an officer act; the ledger's first officer enrolls themselves, any other is enrolled by an officer.

    An officer with a public key signs what they record from now on, the first one already this.
    """
    enrolled = built(OfficerEnrolled, officer_id=officer_id, roles=roles, public_key=public_key)

    def decide(attempt: Attempt) -> list[Event]:
        entrusted = attempt.load(LEDGER_STREAM, _evolve_entrusted)
        if entrusted or command.by != officer_id:
            attempt.officer()
        known = attempt.load(enrolled.stream, officers.evolve)
        holder = _holder(attempt, public_key)
        events = officers.enroll(
            known, officer_id=officer_id, roles=enrolled.roles, public_key=public_key, holder=holder
        )
        if entrusted:
            return events
        if known is None:
            attempt.act_as(Officer(officer_id, frozenset(roles), public_key=public_key))
        # The ledger's own stream takes one such event: of two first officers at once, one is the first.
        return [*events, LedgerEntrusted(officer_id=officer_id)]

    key = (public_key,) if public_key else ()
    return ledger.carry_out(command, decide, request=("enroll", officer_id, roles, *key))


def replace_key(ledger: Ledger, command: Command, *, officer_id: str, public_key: str, reason: str) -> list[Entry]:
    """Let an officer sign with another key, or with their first; another officer says so."""
    given = built(OfficerKeyReplaced, officer_id=officer_id, public_key=public_key, reason=reason)

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer()
        officer = attempt.named_officer(officer_id)
        holder = _holder(attempt, public_key)
        return officers.replace_key(officer, public_key=given.public_key, reason=reason, by=command.by, holder=holder)

    return ledger.carry_out(command, decide, request=("replace-key", officer_id, public_key, reason))


def _holder(attempt: Attempt, public_key: str | None) -> str | None:
    """The officer that a key was ever assigned to: its stream takes one such event, whoever is faster."""
    if public_key is None:
        return None
    return attempt.load(key_stream(public_key), lambda _, event: cast("KeyAssigned", event).officer_id)


def is_first_officer(ledger: Ledger) -> bool:
    """Whether nobody is enrolled yet."""
    return Attempt(ledger, Command(None, date.min)).load(LEDGER_STREAM, _evolve_entrusted) is None


def _evolve_entrusted(officer_id: str | None, event: Event) -> str | None:
    return event.officer_id if isinstance(event, LedgerEntrusted) else officer_id


def revoke(ledger: Ledger, command: Command, *, officer_id: str, reason: str) -> list[Entry]:
    """Stop an officer from acting."""

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer()
        return officers.revoke(attempt.named_officer(officer_id), reason=reason)

    return ledger.carry_out(command, decide, request=("revoke", officer_id, reason))


# Programs


def open_program(ledger: Ledger, command: Command, *, terms: ProgramOpened) -> list[Entry]:
    """Begin a program."""

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer()
        above = _above(attempt, terms)
        known = attempt.load(program_stream(terms.program), programs.evolve)
        return programs.open_program(known, terms=terms, above=above)

    return ledger.carry_out(command, decide, request=("open", terms))


def _above(attempt: Attempt, terms: ProgramOpened) -> list[Program]:
    """The programs that one lies under, the nearest first, and no more than tell that these are too many."""
    above: list[Program] = []
    while terms.parent and len(above) < programs.LEVELS_MAX:
        above.append(attempt.program(terms.parent))
        terms = above[-1].terms
    return above


def set_budget(ledger: Ledger, command: Command, *, program: str, budget: int) -> list[Entry]:
    """Set aside money for a program: so much in all."""

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer()
        return programs.set_budget(attempt.program(program), budget=budget)

    return ledger.carry_out(command, decide, request=("budget", program, budget))


def close_program(ledger: Ledger, command: Command, *, program: str, reason: str) -> list[Entry]:
    """End a program."""

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer()
        return programs.close(attempt.program(program), reason=reason)

    return ledger.carry_out(command, decide, request=("close", program, reason))


# Goods and destinations


def stock(ledger: Ledger, command: Command, *, item: str, quantity: int, unit: str, origin: str) -> list[Entry]:
    """Take goods into stock; without a reference, each call is another delivery."""
    arrived = built(GoodsStocked, item=item, quantity=quantity, unit=unit, origin=origin)

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer(Role.MAKER)
        known = attempt.load(arrived.stream, goods.evolve_stock)
        return goods.stock_in(known, item=item, quantity=quantity, unit=unit, origin=origin)

    return ledger.carry_out(command, decide, request=("stock", arrived))


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
        country=_country(country),
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

    return ledger.carry_out(command, decide, request=("ship", sent))


def deliver(ledger: Ledger, command: Command, *, shipment_id: str, quantity: int | None, proof_ref: str) -> list[Entry]:
    """Confirm that a shipment arrived, whole or in part, with its proof of delivery."""

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer(Role.MAKER)
        stream = shipment_stream(shipment_id)
        if (shipment := attempt.load(stream, goods.evolve_shipment)) is None:
            raise ShipmentUnknownError(shipment_id=shipment_id, nearest=ledger.nearest(stream))
        arrived = quantity if quantity is not None else shipment.sent.quantity - shipment.delivered
        if quantity is None and any(proof == proof_ref for proof, _ in shipment.proofs):
            return []
        events = goods.deliver(shipment, quantity=arrived, proof_ref=proof_ref)
        for event in events:
            built(DeliveryConfirmed, **event.model_dump())
        return events

    return ledger.carry_out(command, decide, request=("deliver", shipment_id, quantity, proof_ref))


def reopen(ledger: Ledger, command: Command, *, country: str, decree_ref: str) -> list[Entry]:
    """Open placement of migrant workers in a country again."""
    reopened = built(DestinationReopened, country=_country(country), decree_ref=decree_ref)

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer(Role.MAKER)
        known = attempt.load(destination_stream(reopened.country), goods.evolve_destination)
        return goods.reopen(known, country=reopened.country, decree_ref=decree_ref)

    return ledger.carry_out(command, decide, request=("reopen", reopened))


def _country(code: str) -> str:
    """A country's ISO 3166 code in capitals."""
    import pycountry  # its tables take a while to load, and few commands need them

    found = pycountry.countries.get(alpha_2=code.upper())
    if found is None:
        raise CountryUnknownError(country=code)
    return str(found.alpha_2)
