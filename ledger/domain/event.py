"""What every event is: a fact about one thing, and the `Meta` that says when, by whom and under which reference.

An event says what happened to one thing; the stream it belongs to follows from its fields. Its `Meta` is the same for
every event of a command. Both are stored side by side in one JSON object, so their field names never overlap.
"""

from datetime import date
from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict

from ledger.domain.fields import Count, OfficerId, Text


class Role(StrEnum):
    """What an officer may do."""

    MAKER = "maker"
    CHECKER = "checker"


class Frozen(BaseModel):
    # A class is made ready when it is first used: a command uses few of them.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)


class Meta(Frozen):
    """When and by whom the events of one command were recorded, and under which reference."""

    recorded_at: AwareDatetime
    """The instant of appending, UTC."""
    effective_on: date
    """The business date."""
    by: OfficerId | None = None
    """The officer who acted; nobody when the ledger itself is opened."""
    reference: Text | None = None
    note: Text | None = None


class Event(Frozen):
    """A fact about one thing."""

    TOPIC: ClassVar[str]
    IS_SIGNED: ClassVar[bool] = True
    """Whether the officer who acts signs it; never changed for a topic, for audits demand it of old events as well.

    Not signed is only what is recorded a person at a time, from files of millions: what pays and binds people among it
    (TrancheDisbursed, GroupJoined) is covered by the signed list or roster that names them.
    """

    @property
    def stream(self) -> str:
        """The name of the stream that the event belongs to."""
        raise NotImplementedError


class RefusedRows(Frozen):
    """How many rows of a file were refused for one reason."""

    code: str
    rows: Count
