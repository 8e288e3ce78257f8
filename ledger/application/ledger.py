"""The ledger: one folder, in which each command loads what it needs, decides, and saves.

`Ledger.carry_out` is the only way anything is recorded, one fact or a chunk of thousands: it runs a decision over
freshly loaded state and appends all its events in one transaction. When another writer was faster, the store refuses
the whole append, and the decision runs again on what is there now: its (stream, version) pairs are unique, and the
append bears the condition that nothing which the decision read has changed since.
"""

import difflib
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from eventsourcing.application import Application
from eventsourcing.persistence import EventStore, InfrastructureFactory, Mapper, StoredEvent
from eventsourcing.utils import Environment, EnvType, retry

from ledger.application.attempt import Attempt, Command
from ledger.application.folder import BATCHES, fingerprint_of, require_ledger
from ledger.application.requests import Request
from ledger.domain.errors import (
    ContendedError,
    EffectiveInFutureError,
    IntegrityBrokenError,
    ReferenceReusedError,
    Said,
    ThingUnknownError,
    did_you_mean,
)
from ledger.domain.event import Event
from ledger.domain.money import Currency
from ledger.domain.opening import LEDGER_STREAM, LedgerOpened
from ledger.domain.payment import is_recipient_id, payment_stream
from ledger.domain.registry import EVENT_CLASSES, STREAMS
from ledger.domain.request import ReferenceUsed, reference_stream
from ledger.store.entries import Entry, EntryMapper, Series, to_entry, to_row
from ledger.store.errors import LedgerMissingError
from ledger.store.recorder import Conflict, LedgerRecorder
from ledger.transparency.errors import LogLeftOutError, LogMissingError

if TYPE_CHECKING:
    from ledger.domain.log import LogBegun
    from ledger.transparency.log import Log
    from ledger.vault.vault import Vault

TRIES = 50
"""A command gives up after so many attempts; for each lost one another writer recorded something."""


NAMES_COMPARED = 2_000
_MANY = {"recipient_id", "public_key", "used"}
"""Names of people, keys and references: the nearest one helps nobody, or is not for everybody to read."""


class Ledger(Application[str]):
    """A ledger's folder, opened: its events, its vault, and the way to record in it."""

    name = "salur"

    def __init__(self, folder: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.place = require_ledger(folder)
        self.folder = folder
        self.now = now
        super().__init__()
        self._vault: Vault | None = None
        self.recorded = 0
        """How many events this process has appended."""
        try:
            self.opened = self._opening()
            with suppress(IntegrityBrokenError):  # a damaged first event, which `salur check` names
                self.place.require_own(self.store)
        except BaseException:
            self.close()
            raise
        self.currency = Currency(self.opened.currency, self.opened.decimals)

    def _opening(self) -> LedgerOpened:
        entries = self.load(LEDGER_STREAM)
        if not entries or not isinstance(entries[0].event, LedgerOpened):
            raise LedgerMissingError(folder=str(self.folder))
        return entries[0].event

    # What the library builds, on our store

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:  # noqa: ARG002  # the folder says all
        """The environment, empty: the folder says everything."""
        return Environment(name)

    def construct_factory(self, env: EnvType) -> InfrastructureFactory[Any]:  # noqa: ARG002  # settings come from the folder
        """The factory of the folder's own store."""
        return self.place.factory()

    def construct_mapper(self) -> Mapper[str]:
        """The mapper between entries and stored rows."""
        return EntryMapper(transcoder=self.construct_transcoder())

    def construct_event_store(self) -> EventStore[str]:
        """The event store on our mapper and recorder."""
        return EventStore(mapper=self.mapper, recorder=self.recorder)

    @property
    def store(self) -> LedgerRecorder:
        """The store of the events."""
        return cast("LedgerRecorder", self.recorder)

    @property
    def vault(self) -> "Vault":
        """The vault; it is opened when a command first needs a person's data, which most commands never do."""
        if self._vault is None:
            self._vault = self.place.vault()
        return self._vault

    @cached_property
    def fingerprint(self) -> str:
        """By which the ledger is told from every other one."""
        return fingerprint_of(self.store)

    @property
    def transparency_log(self) -> "Log":
        """The transparency log, opened; raises `LogMissingError` where the ledger has none."""
        from ledger.transparency.log import Log

        if self.place.log is None:
            raise LogMissingError(folder=str(self.folder))
        return Log(self.place.log.folder, self.store, key=self.place.log.key)

    @cached_property
    def log_begun(self) -> "LogBegun | None":
        """The event that names the ledger's log, if there is one."""
        from ledger.transparency.log import begun_in

        return begun_in(self.store)

    def require_log(self) -> None:
        """Refuse to record where the events name a log, and the folder's settings another one or none.

        Raises `LogLeftOutError`. A log that is kept elsewhere need not be at hand, and of a ledger on PostgreSQL only one
        folder has it.
        """
        if self.log_begun is None or (self.place.log is None and self.place.database is not None):
            return
        problem = Said("the settings in {folder} name no log", folder=self.folder)
        if self.place.log is not None:
            try:
                self.transparency_log.require_named()
            except LogMissingError:
                if not self.place.has_own_log:
                    return
                problem = Said("there is none in {folder}", folder=self.place.log.folder)
            else:
                return
        raise LogLeftOutError(origin=self.log_begun.origin, problem=problem)

    @property
    def batches_folder(self) -> Path:
        """The folder of the payment lists."""
        return self.folder / BATCHES

    def close(self) -> None:
        """Close the store and the vault."""
        with suppress(AttributeError):  # an opening that was refused has no vault yet
            if self._vault is not None:
                self._vault.close()
        super().close()

    # Recording

    def carry_out(
        self,
        command: Command,
        decide: Callable[[Attempt], Sequence[Event]],
        *,
        series: Callable[[], Sequence[Series]] = tuple,
        request: Request | None = None,
    ) -> list[Entry]:
        """Run a decision and append its events, all or none; returns them, none for a request carried out before.

        A decision over many rows may leave them in a `series`, which is appended after its events.

        Raises the decision's refusal, or `ContendedError` when others kept changing the same streams.
        """
        self.require_log()
        self._require_not_future(command)
        last_stream = ""

        @retry(Conflict, max_attempts=TRIES, wait=0.01)
        def once() -> list[Entry]:
            nonlocal last_stream
            attempt = Attempt(self, command)
            if command.reference and request and self._is_repeat(attempt, command.reference, request):
                return []
            events = list(decide(attempt))
            if command.reference and request and events:
                events.append(ReferenceUsed(used=command.reference, request_sha256=self._digest(command, request)))
            if events:
                attempt.require_acting()
            entries = attempt.signed(attempt.entries(events))
            rows = [to_row(entry) for entry in entries]
            for many in series():
                rows += many.rows(attempt.meta)
            if rows and not command.dry_run:
                last_stream = rows[0][0]
                self.store.append(rows, attempt.condition(row[0] for row in rows))
                self.recorded += len(rows)
            return entries

        command.meta(
            self.now()
        )  # an unfit reference or note is refused under its own name, before an event could hold it
        try:
            return cast("list[Entry]", once())
        except Conflict:
            raise ContendedError(stream=last_stream) from None

    def was_carried_out(self, command: Command, request: Request) -> bool:
        """Whether the command's reference was used for this request; raises `ReferenceReusedError` for another one."""
        return bool(command.reference) and self._is_repeat(Attempt(self, command), command.reference or "", request)

    def mark_carried_out(self, command: Command, request: Request) -> None:
        """Record under the command's reference that a request of several transactions came to its end."""
        if command.reference:
            used = ReferenceUsed(used=command.reference, request_sha256=self._digest(command, request))
            self.carry_out(command, lambda attempt: [] if self._is_repeat(attempt, used.used, request) else [used])

    def _is_repeat(self, attempt: Attempt, reference: str, request: Request) -> bool:
        used = attempt.load(reference_stream(reference), lambda _, event: cast("ReferenceUsed", event))
        if used is not None and used.request_sha256 != self._digest(attempt.command, request):
            raise ReferenceReusedError(reference=reference)
        return used is not None

    def _digest(self, command: Command, request: Request) -> str:
        """The digest that a reference is kept with: of the request, and of the business date if one was given."""
        asked = request.dated(command.effective_on) if command.is_dated else request
        return asked.digest(self._keyed_hash)

    def _keyed_hash(self, personal: bytes) -> str:
        return self.vault.keyed_hash(personal)  # the vault is opened only for a request with a person's data

    def _require_not_future(self, command: Command) -> None:
        today = self.now().astimezone().date()
        if command.effective_on > today and not command.allow_future:
            raise EffectiveInFutureError(effective_on=command.effective_on.isoformat(), today=today.isoformat())

    # Reading

    def load(self, stream: str) -> list[Entry]:
        """The events of a stream, in order."""
        return [to_entry(row) for row in self.store.select_events(stream)]

    def nearest(self, stream: str) -> Said:
        """A half sentence with the existing name most like the one asked for, or nothing."""
        prefix, _, name = stream.rpartition("/")
        known = [each.rpartition("/")[2] for each in self.store.streams(prefix + "/", limit=NAMES_COMPARED)]
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        return did_you_mean(close)

    def view(self) -> Attempt:
        """A view of the ledger as it is now, for reading only."""
        return Attempt(self, Command(None, date.min))

    def history(self, thing: str) -> list[Entry]:
        """The events of a recipient, program, batch, group, payment, shipment or other thing, in log order.

        A thing is named by its stream, or by the values in that name; the program may be left out. A recipient's
        events are also those of other streams that concern them.
        """
        codes = [each.removeprefix("program/") for each in self.store.streams("program/")]
        found = [row for rows in self.store.select_streams(self._streams_named(thing, codes)).values() for row in rows]
        if is_recipient_id(thing):
            found += self._elsewhere(thing)
        if not found:
            raise ThingUnknownError(thing=thing, nearest=self._nearest_thing(thing))
        places = {self.store.position(str(row.originator_id), row.originator_version): row for row in found}
        return [to_entry(row) for _, row in sorted(places.items())]

    def _streams_named(self, thing: str, codes: list[str]) -> list[str]:
        """The streams that a thing's name may mean."""
        values = thing.split("/")
        streams = [thing]
        for stream in STREAMS:
            if len(stream.fields) in (1, len(values)):  # one value may hold a slash, as keys do
                streams.append(f"{stream.kind}/{thing}")
            if stream.fields[:1] == ("program",) and len(stream.fields) == len(values) + 1:
                streams += [f"{stream.kind}/{code}/{thing}" for code in codes]
            if stream is payment_stream and len(values) == len(stream.fields) + 1:  # an attempt's name
                streams.append(stream(*values[:-1]))
            if stream is payment_stream and is_recipient_id(thing):
                terms = {code: self.view().program(code).terms.schedule for code in codes}
                streams += [stream(code, nth, thing) for code in codes for nth in range(1, len(terms[code]) + 1)]
        return list(dict.fromkeys(streams))

    def _elsewhere(self, recipient_id: str) -> list[StoredEvent]:
        """The events of a recipient in streams that are not named after recipients."""
        topics: dict[str, list[str]] = {}
        for topic, cls in EVENT_CLASSES.items():
            if cls.PERSON and cls.PERSON not in cls.STREAM.fields:
                topics.setdefault(cls.STREAM.kind, []).append(topic)
        return [
            row
            for kind, named in topics.items()
            for row in self.store.select_mentioning(f"{kind}/", recipient_id)
            if row.topic in named
        ]

    def _nearest_thing(self, thing: str) -> Said:
        """The nearest name among things that are few: those of people, payments and files are not compared."""
        kinds = [each.kind for each in STREAMS if len(each.fields) == 1 and each.fields[0] not in _MANY]
        kinds.sort(key=lambda kind: kind != "program")  # the name most often meant
        return next((near for kind in kinds if (near := self.nearest(f"{kind}/{thing}"))), Said(""))
