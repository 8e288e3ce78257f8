"""One run of a decision: who asks, what was loaded, and who signs what is recorded."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from eventsourcing.application import AggregateNotFoundError
from pydantic import ValidationError

from ledger.application.given import unfit
from ledger.domain import batch as batches
from ledger.domain import group as groups
from ledger.domain import officer as officers
from ledger.domain import program as programs
from ledger.domain import recipient as recipients
from ledger.domain.batch import Batch, BatchUnknownError, batch_stream
from ledger.domain.errors import LedgerError
from ledger.domain.event import Event, Meta, Role
from ledger.domain.group import Group, GroupUnknownError, group_stream
from ledger.domain.officer import Officer, OfficerUnknownError, RoleMissingError, officer_stream
from ledger.domain.program import Program, ProgramUnknownError, program_stream
from ledger.domain.recipient import Recipient, RecipientUnknownError, recipient_stream
from ledger.store.entries import Entry, line_of, to_event, to_row
from ledger.store.recorder import LAST_SIGN, AppendCondition
from ledger.transparency.errors import KeyMissingError
from ledger.transparency.signatures import text_to_sign

if TYPE_CHECKING:
    from ledger.application.ledger import Ledger

S = TypeVar("S")


Sign = Callable[[bytes], str]
"""The signature of a text, in base64."""


Signer = Callable[[str, str, str], Sign]
"""Ledger's fingerprint, officer, their public key → how they sign; refuses a key that is missing, locked or another."""


def without_key(_fingerprint: str, officer_id: str, _public_key: str) -> Sign:
    """Where no keys are at hand, an officer who has one cannot act."""
    raise KeyMissingError(officer_id=officer_id, path="the request")


@dataclass(frozen=True)
class Command:
    """Who asks, for which business date, under which reference, and with whose keys."""

    by: str | None
    effective_on: date
    reference: str | None = None
    note: str | None = None
    allow_future: bool = False
    dry_run: bool = False
    signer: Signer = without_key
    is_dated: bool = False
    """Whether the business date was given; else it is that of the day, and no part of what a reference stands for."""

    def meta(self, recorded_at: datetime) -> Meta:
        """What its events bear; raises `ValueInvalidError` for words of the officer that none may hold."""
        try:
            return Meta(
                recorded_at=recorded_at.astimezone(UTC),
                effective_on=self.effective_on,
                by=self.by,
                reference=self.reference,
                note=self.note,
            )
        except ValidationError as error:
            raise unfit(error, Meta) from None


class Attempt:
    """One run of a decision: what it loaded, and at which versions."""

    def __init__(self, ledger: "Ledger", command: Command) -> None:
        self.ledger = ledger
        self.command = command
        self._versions: dict[str, int] = {}
        self._after: int | None = None
        self._read: set[str] = set()
        self._ranges_read: list[tuple[str, str]] = []
        self._agreed: tuple[str, date, list[Event]] | None = None
        self._acting: Officer | None = None
        self._sign: Sign | None = None

    @cached_property
    def meta(self) -> Meta:
        """What every event that is recorded now bears: one transaction has one instant, that of its first event."""
        return self.command.meta(self.ledger.now())

    @property
    def today(self) -> date:
        """The day it is where the ledger is kept."""
        return self.ledger.now().astimezone().date()

    def under(self, agreement_id: str, effective_on: date, events: Sequence[Event]) -> None:
        """Let events bear the agreement that they rest on, and the business date of its proposal."""
        self._agreed = (agreement_id, effective_on, list(events))

    def load(self, stream: str, evolve: Callable[[S | None, Any], S | None]) -> S | None:
        """The state of one stream, or None where it has no events."""
        self._reading(stream)

        def project(_: object, entries: Iterable[Entry]) -> tuple[S | None, int] | None:
            state, version = None, 0
            for entry in entries:
                state, version = evolve(state, entry.event), entry.originator_version
            return (state, version) if version else None

        try:
            # The library types its projector for its own aggregates; ours is a state and its version.
            loaded: Any = self.ledger.repository.get(stream, projector_func=cast("Any", project))
        except AggregateNotFoundError:
            self._versions[stream] = 0
            return None
        self._versions[stream] = loaded[1]
        return cast("S", loaded[0])

    def load_many(self, streams: Sequence[str], evolve: Callable[[S | None, Any], S | None]) -> dict[str, S]:
        """Stream → its state, of those that have events."""
        self._reading(*streams)
        states: dict[str, S] = {}
        for stream, rows in self.ledger.store.select_streams(streams).items():
            state: S | None = None
            for row in rows:
                state = evolve(state, to_event(row))
            self._versions[stream] = rows[-1].originator_version
            if state is not None:
                states[stream] = state
        return states

    def first(self, streams: Iterable[str]) -> dict[str, Event]:
        """Stream → its first event, of those that have any; the stream may not be added to in this attempt."""
        asked = set(streams)
        if not asked:
            return {}
        self._reading()
        # Streams that lie side by side are read in one go, and where there are none that costs nothing.
        between = self.ledger.store.select_first_between(min(asked), max(asked), limit=len(asked))
        found = {str(row.originator_id): row for row in between}
        if len(between) == len(asked) and found.keys() != asked:  # others lie between them, perhaps more than were read
            found = self.ledger.store.select_first(asked)
        events = {stream: to_event(row) for stream, row in found.items() if stream in asked}
        self._reading(*(asked - events.keys()))  # the first event of the others is what it is for good
        return events

    def load_range(self, prefix: str, evolve: Callable[[S | None, Any], S | None]) -> dict[str, S]:
        """Stream → its state, of all streams whose names begin so; for kinds of which there are few."""
        self.watch(prefix)
        return self.load_many(self.ledger.store.streams(prefix), evolve)

    def has_any(self, prefix: str) -> bool:
        """Whether there is a stream whose name begins so; the decision fails if there is a first one meanwhile."""
        self.watch(prefix)
        return bool(self.ledger.store.select_first_between(prefix, prefix + LAST_SIGN, limit=1))

    def watch(self, prefix: str) -> None:
        """Let the decision hold only as long as no event of streams with this beginning of their names is stored."""
        self._reading()
        self._ranges_read.append((prefix, prefix + LAST_SIGN))

    def _reading(self, *streams: str) -> None:
        """Take note of what is read, before it is."""
        if self._after is None:
            self._after = self.ledger.store.size()
        self._read.update(streams)

    def condition(self, written: Iterable[str]) -> AppendCondition:
        """What must not have changed since for the decision to hold: all that it read and does not write.

        Where it writes, the uniqueness of (stream, version) decides.
        """
        return AppendCondition(self._after or 0, frozenset(self._read.difference(written)), tuple(self._ranges_read))

    def entries(self, events: Iterable[Event]) -> list[Entry]:
        """The events at their places: each stream goes on where it was loaded, or begins."""
        meta, versions, placed = self.meta, self._versions, []
        agreement_id, effective_on, agreed = self._agreed or (None, None, [])
        of_agreed = set(map(id, agreed))  # the very events: another one may be equal
        of_act = meta.model_copy(update={"agreement": agreement_id, "effective_on": effective_on})
        for event in events:
            stream = event.stream
            version = versions[stream] = versions.get(stream, 0) + 1
            placed.append(Entry(stream, version, of_act if id(event) in of_agreed else meta, event))
        return placed

    def signed(self, entries: Iterable[Entry]) -> list[Entry]:
        """The entries, each with the signature of the officer who acts if its event takes one and they have a key."""
        if (sign := self._sign) is None:
            return list(entries)
        fingerprint = self.ledger.fingerprint
        return [
            replace(entry, signature=sign(text_to_sign(fingerprint, line_of(to_row(entry)))))
            if entry.event.IS_SIGNED
            else entry
            for entry in entries
        ]

    # Things by name, refused with the nearest name where there are none

    def officer(self, role: Role | None = None, *, may_recover: bool = False) -> Officer:
        """The officer who acts, if they may; one whose only role is recovery may only where that is said."""
        found = self.named_officer(self.command.by or "")
        officers.require(found, role)
        if officers.is_recovery(found) and not may_recover:
            raise RoleMissingError(officer_id=found.officer_id, role="maker or checker")
        self.act_as(found)
        return found

    def act_as(self, officer: Officer) -> None:
        """Let an officer answer for what is recorded; refuses one who has a key and does not come with it."""
        self._acting = officer
        self._sign = None
        if officer.public_key is not None:
            self._sign = self.command.signer(self.ledger.fingerprint, officer.officer_id, officer.public_key)

    def require_acting(self) -> None:
        """Refuse to record anything that nobody in office answers for."""
        if self._acting is None:
            self.officer()

    def named_officer(self, officer_id: str) -> Officer:
        """The officer of that id; raises `OfficerUnknownError`."""
        return self._named(officer_stream, officer_id, officers.evolve, OfficerUnknownError, "officer_id")

    def program(self, code: str) -> Program:
        """The program of that code; raises `ProgramUnknownError`."""
        return self._named(program_stream, code, programs.evolve, ProgramUnknownError, "program")

    def batch(self, batch_id: str) -> Batch:
        """The batch of that id; raises `BatchUnknownError`."""
        return self._named(batch_stream, batch_id, batches.evolve, BatchUnknownError, "batch_id")

    def group(self, program: str, group_id: str) -> Group:
        """The funded group of that id in a program; raises `GroupUnknownError`."""
        stream = group_stream(program, group_id)
        if (found := self.load(stream, groups.evolve)) is None:
            raise GroupUnknownError(program=program, group_id=group_id, nearest=self.ledger.nearest(stream))
        return found

    def recipient(self, recipient_id: str) -> Recipient:
        """The registered recipient of that id; raises `RecipientUnknownError`."""
        if (found := self.load(recipient_stream(recipient_id), recipients.evolve)) is None:
            raise RecipientUnknownError()
        return found

    def _named(
        self,
        stream_of: Callable[[str], str],
        name: str,
        evolve: Callable[[S | None, Any], S | None],
        unknown: Callable[..., LedgerError],
        field: str,
    ) -> S:
        stream = stream_of(name)
        if (found := self.load(stream, evolve)) is None:
            raise unknown(**{field: name, "nearest": self.ledger.nearest(stream)})
        return found
