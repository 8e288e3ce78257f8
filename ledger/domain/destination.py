"""A destination: a country where placement of migrant workers is open again."""

from ledger.domain.errors import LedgerError
from ledger.domain.event import Event, Role, Stream
from ledger.domain.fields import Country, Text

destination_stream = Stream("destination/{country}", "two decrees for one reopening")


class DestinationReopened(Event):
    """Placement of migrant workers in a country is open again."""

    TOPIC = "DestinationReopened.v1"
    STREAM = destination_stream
    ROLE = Role.MAKER
    country: Country
    decree_ref: Text


class CountryUnknownError(LedgerError):
    """The country is not in ISO 3166."""

    code = "country_unknown"
    sentence = "{country} is not an ISO 3166 country; use two letters such as HK"
    country: str


class DestinationOpenError(LedgerError):
    """The destination was reopened before, by another decree."""

    code = "destination_open"
    sentence = "{country} was already reopened by {decree_ref}; it needs no other decree"
    country: str
    decree_ref: str


def evolve_destination(decree_ref: str | None, event: Event) -> str | None:
    """The decree that reopened the destination, after one more event."""
    return event.decree_ref if isinstance(event, DestinationReopened) else decree_ref


def reopen(known_decree_ref: str | None, *, country: str, decree_ref: str) -> list[Event]:
    """Open placement of migrant workers in a country again."""
    if known_decree_ref is None:
        return [DestinationReopened(country=country, decree_ref=decree_ref)]
    if known_decree_ref != decree_ref:
        raise DestinationOpenError(country=country, decree_ref=known_decree_ref)
    return []
