"""The ledger itself: opened once, with its currency, and entrusted to a first officer."""

from typing import Annotated

from pydantic import Field

from ledger.domain.event import Event
from ledger.domain.fields import OfficerId, Text, pattern


class LedgerOpened(Event):
    """The ledger begins, with its currency fixed for good."""

    TOPIC = "LedgerOpened.v1"
    IS_SIGNED = False
    name: Text
    currency: Annotated[str, pattern(r"^[A-Z]{3}$")]
    decimals: Annotated[int, Field(ge=0, le=4)]

    @property
    def stream(self) -> str:
        return LEDGER_STREAM


class LedgerEntrusted(Event):
    """The ledger has its first officer; everybody after is enrolled by an officer."""

    TOPIC = "LedgerEntrusted.v1"
    officer_id: OfficerId

    @property
    def stream(self) -> str:
        return LEDGER_STREAM


LEDGER_STREAM = "ledger"
