"""What every event is: a fact about one thing, and the `Meta` that says when, by whom and under which reference.

An event says what happened to one thing; the stream it belongs to follows from its fields. Its `Meta` is the same for
every event of a command. Both are stored side by side in one JSON object, so their field names never overlap.
"""

import re
from datetime import date
from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict

from ledger.domain.fields import AgreementId, Count, OfficerId, Text


class Role(StrEnum):
    """What an officer may do."""

    MAKER = "maker"
    CHECKER = "checker"
    RECOVERY = "recovery"
    """The one right of its holders is a word on enrolments and replaced keys, where those in office have lost theirs."""


class Frozen(BaseModel):
    # A class is made ready when it is first used: a command uses few of them.
    """A value that never changes, of exactly the types that its fields name."""

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
    agreement: AgreementId | None = None
    """The agreement that the event rests on: its subject, and the version of the proposal."""


class RefusedRows(Frozen):
    """How many rows of a file were refused for one reason."""

    code: str
    rows: Count


class Stream:
    """The form of a stream's name, such as `payment/{program}/{tranche}/{recipient_id}`; called, it gives a name."""

    def __init__(self, form: str, impossible: str = "") -> None:
        """`impossible` says what the uniqueness of the stream's versions makes impossible, for the docs."""
        self.form, self.impossible = form, impossible
        self.kind = form.partition("/")[0]
        self.fields = tuple(re.findall(r"{(\w+)}", form))
        self._pattern = re.sub(r"{\w+}", "%s", form)

    def __call__(self, *values: object) -> str:
        """The name of the stream for values of its fields, in order."""
        return self._pattern % values


class Event(Frozen):
    """A fact about one thing.

    A class with a `TOPIC` declares all that others derive: its stream, who may sign the event, and what the laws demand
    of it. A declaration that is missing is refused when the class is made.
    """

    TOPIC: ClassVar[str]
    STREAM: ClassVar[Stream]
    IS_SIGNED: ClassVar[bool] = True
    """Whether the officer who acts signs it; never changed for a topic, for audits demand it of old events as well.

    Not signed is only what is recorded a person at a time, from files of millions: what pays and binds people among it
    (TrancheDisbursed, GroupJoined) is covered by the signed list or roster that names them.
    """
    ROLE: ClassVar[Role | None]
    """The role that an officer must hold to sign the event; None for any officer in office."""
    ACTOR: ClassVar[str | None] = None
    """The field that names the officer who acts, who must be the one that records the event."""
    PERSON: ClassVar[str | None] = None
    """The field with the recipient whom the event concerns: `recipient_id` where there is one."""
    AGREED: ClassVar[str | None] = None
    """The kind of act that the event is part of, where it needs other officers' words: the law acts-agreed."""
    NEEDS_OPEN: ClassVar[bool]
    """Whether the event's program must be open: the law closed-is-closed."""
    NEEDS_ELIGIBLE: ClassVar[bool]
    """Whether the person must be registered, in a category of the event's program: the law recipients-eligible."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        if "TOPIC" not in vars(cls):
            return
        fields = cls.model_fields
        if "recipient_id" in fields and cls.PERSON is None:
            cls.PERSON = "recipient_id"
        missing = [
            (not hasattr(cls, "STREAM"), 'STREAM = Stream("kind/{field}"), the form of its stream\'s name'),
            (cls.IS_SIGNED and not hasattr(cls, "ROLE"), "ROLE = Role.MAKER, Role.CHECKER or None: who may sign it"),
            ("program" in fields and not hasattr(cls, "NEEDS_OPEN"), "NEEDS_OPEN: whether its program must be open"),
            (
                {"program", "recipient_id"} <= set(fields) and not hasattr(cls, "NEEDS_ELIGIBLE"),
                "NEEDS_ELIGIBLE: whether the person's category must be one of the program's",
            ),
        ]
        if words := [what for is_missing, what in missing if is_missing]:
            raise TypeError(f"{cls.__name__} in {cls.__module__}: write {'; '.join(words)}")

    @property
    def stream(self) -> str:
        """The name of the stream that the event belongs to."""
        stream = self.STREAM
        return stream(*[getattr(self, name) for name in stream.fields])
