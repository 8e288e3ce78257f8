"""The ledger itself: opened once, with its currency, and entrusted to a first officer."""

from typing import Annotated

from pydantic import Field

from ledger.domain.errors import LedgerError
from ledger.domain.event import Event, Stream
from ledger.domain.fields import Count, OfficerId, Sha256, Text, pattern

ledger_stream = Stream("ledger", "a second currency, two first officers")
LEDGER_STREAM = ledger_stream()
EDITION = 1
"""Of the rules that this program knows."""


class LedgerOpened(Event):
    """The ledger begins, with its currency fixed for good."""

    TOPIC = "LedgerOpened.v1"
    IS_SIGNED = False
    STREAM = ledger_stream
    name: Text
    currency: Annotated[str, pattern(r"^[A-Z]{3}$")]
    decimals: Annotated[int, Field(ge=0, le=4)]
    rules_edition: Annotated[int, Field(ge=1)] | None = None
    """The edition of the rules that two officers adopt before anything is approved, paid, granted or shipped; None in a
    ledger that was opened before there were rules."""
    continues: Sha256 | None = None
    """The fingerprint of the ledger that this one goes on for, where nobody can act in that one any more."""


class RulesAdopted(Event):
    """Two officers adopted what was set up: from here on no officer alone moves money or rights."""

    TOPIC = "RulesAdopted.v1"
    STREAM = ledger_stream
    ROLE = None
    AGREED = "rules"
    edition: Annotated[int, Field(ge=1)]
    """The edition of the rules; this program knows edition 1."""
    events_adopted: Count
    """The number of events that were adopted with the rules."""
    root: Sha256
    """The root of the tree over these events (RFC 6962)."""


class RulesNotAdoptedError(LedgerError):
    """Two officers have not adopted the rules yet, and nothing leaves the ledger before."""

    code = "rules_not_adopted"
    sentence = (
        "nothing is approved, paid, granted or shipped before two officers adopt the rules; set up what is needed, then one "
        "gives `salur rules adopt` and another `salur approve rules`"
    )


class LedgerEntrusted(Event):
    """The ledger has its first officer; everybody after is enrolled by an officer."""

    TOPIC = "LedgerEntrusted.v1"
    STREAM = ledger_stream
    ROLE = None
    ACTOR = "officer_id"
    officer_id: OfficerId
