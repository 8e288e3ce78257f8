"""Destinations reopened for placement."""

from ledger.application.attempt import Attempt, Command
from ledger.application.given import built
from ledger.application.ledger import Ledger
from ledger.application.requests import Request
from ledger.domain.destination import CountryUnknownError, DestinationReopened, destination_stream, evolve_destination
from ledger.domain.destination import reopen as reopened_by
from ledger.domain.event import Event, Role
from ledger.store.entries import Entry


def reopen(ledger: Ledger, command: Command, *, country: str, decree_ref: str) -> list[Entry]:
    """Open placement of migrant workers in a country again."""
    reopened = built(DestinationReopened, country=country_code(country), decree_ref=decree_ref)

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer(Role.MAKER)
        known = attempt.load(destination_stream(reopened.country), evolve_destination)
        return reopened_by(known, country=reopened.country, decree_ref=decree_ref)

    return ledger.carry_out(command, decide, request=Request("destination reopen", reopened.model_dump(mode="json")))


def country_code(code: str) -> str:
    """A country's ISO 3166 code in capitals."""
    import pycountry  # its tables take a while to load, and few commands need them

    found = pycountry.countries.get(alpha_2=code.upper())
    if found is None:
        raise CountryUnknownError(country=code)
    return str(found.alpha_2)
