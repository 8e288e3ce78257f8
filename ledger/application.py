"""The ledger: one folder, in which each command loads what it needs, decides, and saves.

`Ledger.carry_out` is the only way anything is recorded, one fact or a chunk of thousands: it runs a decision over
freshly loaded state and appends all its events in one transaction. When another writer was faster, the store refuses
the whole append (its (stream, version) pairs are unique) and the decision runs again on what is there now.
"""

import difflib
import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import EventStore, InfrastructureFactory, Mapper
from eventsourcing.utils import Environment, EnvType, retry
from pydantic import ValidationError

from ledger import batch as batches
from ledger import group as groups
from ledger import officer as officers
from ledger import program as programs
from ledger import recipient as recipients
from ledger.batch import Batch
from ledger.errors import (
    BatchUnknownError,
    ContendedError,
    DatabaseTakenError,
    EffectiveInFutureError,
    FolderNotEmptyError,
    GroupUnknownError,
    KeyMissingError,
    LedgerError,
    LedgerExistsError,
    LedgerMissingError,
    LogMissingError,
    OfficerUnknownError,
    ProgramUnknownError,
    RecipientUnknownError,
    ReferenceReusedError,
    ThingUnknownError,
    ValueInvalidError,
    VaultKeyError,
)
from ledger.events import (
    LEDGER_STREAM,
    Event,
    LedgerOpened,
    Meta,
    ReferenceUsed,
    Role,
    batch_stream,
    group_stream,
    officer_stream,
    program_stream,
    recipient_stream,
    reference_stream,
)
from ledger.folder import BATCHES, LOG, SETTINGS, VAULT_KEY, LogPlace, Place, is_free, write_settings
from ledger.folder import require_ledger as require_ledger
from ledger.group import Group
from ledger.money import Currency
from ledger.officer import Officer
from ledger.program import Program
from ledger.recipient import Recipient
from ledger.signatures import text_to_sign
from ledger.store import (
    Conflict,
    Entry,
    EntryMapper,
    LedgerRecorder,
    Series,
    line_of,
    to_entry,
    to_event,
    to_row,
)

if TYPE_CHECKING:
    from ledger.log import Log
    from ledger.vault import Vault

TRIES = 50
"""Attempts of one append before it gives up; each lost one means that another writer has gone on."""
NAMES_COMPARED = 2_000
FORMS = {
    "program": "2 to 16 lower-case letters, digits and dashes, e.g. aid-2026",
    "parent": "a program's code",
    "officer_id": "2 to 32 lower-case letters, digits, dots and dashes that begin with a letter",
    "by": "an officer's id",
    "region": "a Kemendagri code, e.g. 32.73",
    "currency": "three capital letters, e.g. IDR",
    "country": "two capital letters, e.g. HK",
    "batch_id": "2 to 35 letters, digits, dots and dashes",
    "group_id": "1 to 32 letters, digits, dots and dashes",
    "shipment_id": "1 to 32 letters, digits, dots and dashes",
    "session_id": "1 to 32 letters, digits, dots and dashes",
    "public_key": "32 bytes in base64, as `salur officer key` prints them",
}
"""Field → the form of its values, in words."""
ANY_FORM = "2 to 32 lower-case letters, digits and dashes that begin with a letter"

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


class Attempt:
    """One run of a decision: what it loaded, and at which versions."""

    def __init__(self, ledger: "Ledger", command: Command) -> None:
        self.ledger = ledger
        self.command = command
        self._versions: dict[str, int] = {}
        self._acting: Officer | None = None
        self._sign: Sign | None = None

    def load(self, stream: str, evolve: Callable[[S | None, Any], S | None]) -> S | None:
        """The state of one stream, or None where it has no events."""

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
        # Streams that lie side by side are read in one go, and where there are none that costs nothing.
        between = self.ledger.store.select_first_between(min(asked), max(asked), limit=len(asked))
        found = {str(row.originator_id): row for row in between}
        if len(between) == len(asked) and found.keys() != asked:  # others lie between them, perhaps more than were read
            found = self.ledger.store.select_first(asked)
        return {stream: to_event(row) for stream, row in found.items() if stream in asked}

    def meta(self) -> Meta:
        """What every event that is recorded now bears."""
        command = self.command
        return Meta(
            recorded_at=self.ledger.now().astimezone(UTC),
            effective_on=command.effective_on,
            by=command.by,
            reference=command.reference,
            note=command.note,
        )

    def entries(self, events: Iterable[Event]) -> list[Entry]:
        """The events at their places: each stream goes on where it was loaded, or begins."""
        meta, versions, placed = self.meta(), self._versions, []
        for event in events:
            stream = event.stream
            version = versions[stream] = versions.get(stream, 0) + 1
            placed.append(Entry(stream, version, meta, event))
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

    def officer(self, role: Role | None = None) -> Officer:
        """The officer who acts, if they may."""
        found = self.named_officer(self.command.by or "")
        officers.require(found, role)
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
        return self._named(officer_stream, officer_id, officers.evolve, OfficerUnknownError, "officer_id")

    def program(self, code: str) -> Program:
        return self._named(program_stream, code, programs.evolve, ProgramUnknownError, "program")

    def batch(self, batch_id: str) -> Batch:
        return self._named(batch_stream, batch_id, batches.evolve, BatchUnknownError, "batch_id")

    def group(self, program: str, group_id: str) -> Group:
        stream = group_stream(program, group_id)
        if (found := self.load(stream, groups.evolve)) is None:
            raise GroupUnknownError(program=program, group_id=group_id, nearest=self.ledger.nearest(stream))
        return found

    def recipient(self, recipient_id: str) -> Recipient:
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
        return Environment(name)

    def construct_factory(self, env: EnvType) -> InfrastructureFactory[Any]:  # noqa: ARG002  # settings come from the folder
        return self.place.factory()

    def construct_mapper(self) -> Mapper[str]:
        return EntryMapper(transcoder=self.construct_transcoder())

    def construct_event_store(self) -> EventStore[str]:
        return EventStore(mapper=self.mapper, recorder=self.recorder)

    @property
    def store(self) -> LedgerRecorder:
        return cast("LedgerRecorder", self.recorder)

    @property
    def vault(self) -> "Vault":
        """Opened, and its cryptography loaded, when first needed: most commands never touch a person's data."""
        if self._vault is None:
            self._vault = self.place.vault()
        return self._vault

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the log's first line, in hex: no two ledgers were opened in the same words at the same instant."""
        return hashlib.sha256(self.store.leaf(0)).hexdigest()

    @property
    def transparency_log(self) -> "Log":
        """Opened when asked for, as its cryptography is loaded then; raises `LogMissingError`."""
        from ledger.log import Log

        if self.place.log is None:
            raise LogMissingError(folder=str(self.folder))
        return Log(self.place.log.folder, self.store, key=self.place.log.key)

    @property
    def batches_folder(self) -> Path:
        return self.folder / BATCHES

    def close(self) -> None:
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
        request: tuple[object, ...] = (),
    ) -> list[Entry]:
        """Run a decision and append its events, all or none; returns them, none for a request carried out before.

        A decision over many rows may leave them in a `series`, which is appended after its events.

        Raises the decision's refusal, or `ContendedError` when others kept changing the same streams.
        """
        self._require_not_future(command)
        last_stream = ""

        @retry(Conflict, max_attempts=TRIES, wait=0.01)
        def attempt() -> list[Entry]:
            nonlocal last_stream
            trial = Attempt(self, command)
            if command.reference and request and self._is_repeat(trial, command.reference, request):
                return []
            events = list(decide(trial))
            if command.reference and request and events:
                events.append(ReferenceUsed(used=command.reference, request_sha256=_digest(request)))
            if events:
                trial.require_acting()
            entries = trial.signed(trial.entries(events))
            rows = [to_row(entry) for entry in entries]
            for many in series():
                rows += many.rows(trial.meta())
            if rows and not command.dry_run:
                last_stream = rows[0][0]
                self.store.append(rows)
                self.recorded += len(rows)
            return entries

        try:
            Attempt(self, command).meta()  # unfit words are told as what they are, before an event repeats them
            return cast("list[Entry]", attempt())
        except Conflict:
            raise ContendedError(stream=last_stream) from None
        except ValidationError as error:  # words that an officer gave along, such as a note or a reason
            raise unfit(error) from None

    def was_carried_out(self, command: Command, request: tuple[object, ...]) -> bool:
        """Whether the command's reference was used for this request; raises `ReferenceReusedError` for another one."""
        return bool(command.reference) and self._is_repeat(Attempt(self, command), command.reference or "", request)

    def mark_carried_out(self, command: Command, request: tuple[object, ...]) -> None:
        """Record under the command's reference that a request of several transactions came to its end."""
        if command.reference:
            used = ReferenceUsed(used=command.reference, request_sha256=_digest(request))
            self.carry_out(command, lambda trial: [] if self._is_repeat(trial, used.used, request) else [used])

    def _is_repeat(self, trial: Attempt, reference: str, request: tuple[object, ...]) -> bool:
        used = trial.load(reference_stream(reference), lambda _, event: cast("ReferenceUsed", event))
        if used is not None and used.request_sha256 != _digest(request):
            raise ReferenceReusedError(reference=reference)
        return used is not None

    def _require_not_future(self, command: Command) -> None:
        today = self.now().astimezone().date()
        if command.effective_on > today and not command.allow_future:
            raise EffectiveInFutureError(effective_on=command.effective_on.isoformat(), today=today.isoformat())

    # Reading

    def load(self, stream: str) -> list[Entry]:
        """The events of a stream, in order."""
        return [to_entry(row) for row in self.store.select_events(stream)]

    def nearest(self, stream: str) -> str:
        """A half sentence with the existing name most like the one asked for, or nothing."""
        prefix, _, name = stream.rpartition("/")
        known = [each.rpartition("/")[2] for each in self.store.streams(prefix + "/", limit=NAMES_COMPARED)]
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        return f" (did you mean {close[0]}?)" if close else ""

    def history(self, thing: str) -> list[Entry]:
        """The events of a recipient, program, batch, group, payment, shipment or other thing, in log order."""
        kinds = ("program", "batch", "shipment", "stock", "officer", "key", "destination")
        streams = [f"{kind}/{thing}" for kind in kinds]
        streams += [thing, f"recipient/{thing}", f"group/{thing}", f"payment/{thing}"]
        codes = [each.removeprefix("program/") for each in self.store.streams("program/")]
        streams += [f"group/{code}/{thing}" for code in codes]
        if thing.startswith("R"):
            streams += [f"membership/{code}/{thing}" for code in codes]
            for code in codes:
                schedule = self._program_terms(code)
                streams += [f"payment/{code}/{tranche}/{thing}" for tranche in range(1, len(schedule) + 1)]
        elif thing.count("/") == 3:
            streams.append("payment/" + thing.rpartition("/")[0])
        found = [
            (self.store.position(entry.originator_id, entry.originator_version), entry)
            for rows in self.store.select_streams(streams).values()
            for entry in map(to_entry, rows)
        ]
        if not found:
            raise ThingUnknownError(thing=thing, nearest=self._nearest_thing(thing))
        return [entry for _, entry in sorted(found, key=lambda each: each[0])]

    def _program_terms(self, code: str) -> tuple[int, ...]:
        program = Attempt(self, Command(None, date.min)).program(code)
        return program.terms.schedule

    def _nearest_thing(self, thing: str) -> str:
        kinds = ("program", "batch", "shipment", "stock", "officer", "destination")
        return next((near for kind in kinds if (near := self.nearest(f"{kind}/{thing}"))), "")


def unfit(error: ValidationError) -> ValueInvalidError:
    """The refusal of the first value that its event cannot hold; the value itself is not in it."""
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    field = ".".join(map(str, first["loc"]))
    if first["type"] == "string_pattern_mismatch":
        return ValueInvalidError(field=field, problem=f"not of its form, {FORMS.get(field, ANY_FORM)}")
    return ValueInvalidError(field=field, problem=first["msg"].removeprefix("Value error, "))


# Making and finding a ledger


def create(
    folder: Path,
    command: Command,
    *,
    opened: LedgerOpened,
    now: Callable[[], datetime],
    database: str | None = None,
    with_log: bool = False,
) -> Ledger:
    """Make a ledger in a new or empty folder, or in an empty PostgreSQL database with such a folder beside it.

    With its transparency log, that and the key that signs it are in the same folder.

    An interrupted making is finished by the same call. Raises `LedgerExistsError`, `FolderNotEmptyError` or
    `DatabaseTakenError`, and then nothing has changed.
    """
    from ledger.vault import Vault

    place = Place(folder, database)
    if (folder / SETTINGS).exists():
        raise LedgerExistsError(folder=str(folder))
    if not is_free(folder):
        raise FolderNotEmptyError(folder=str(folder))
    _require_untaken(place)
    (folder / BATCHES).mkdir(parents=True, exist_ok=True)
    Vault.create(place.person_rows(), folder / VAULT_KEY)
    _require_own_vault(place)
    factory = place.factory()
    recorder = cast("LedgerRecorder", factory.application_recorder())
    recorder.create_table()
    meta = Meta(recorded_at=now().astimezone(UTC), effective_on=command.effective_on, by=command.by, note=command.note)
    with suppress(Conflict):  # the interrupted making had come this far
        recorder.append([to_row(Entry(LEDGER_STREAM, 1, meta, opened))])
    if with_log:
        from ledger.log import create_log

        place = Place(folder, database, LogPlace(folder / LOG))
        create_log(folder / LOG, recorder).grow()
    factory.close()
    write_settings(place)
    made = Ledger(folder, now=now)
    if made.opened != opened:  # another making of it, interrupted or at the same time, was on other terms
        made.close()
        raise LedgerExistsError(folder=str(folder))
    return made


def _require_untaken(place: Place) -> None:
    """Refuse a database with a ledger in it, unless the folder holds the key of an interrupted making."""
    if place.database is None or (place.folder / VAULT_KEY).exists():
        return
    factory = place.factory()
    try:
        if cast("LedgerRecorder", factory.application_recorder()).is_there():
            raise DatabaseTakenError(folder=str(place.folder))
    finally:
        factory.close()


def _require_own_vault(place: Place) -> None:
    try:
        place.vault().close()
    except VaultKeyError:
        if place.database is None:
            raise
        raise DatabaseTakenError(folder=str(place.folder)) from None


def _digest(request: tuple[object, ...]) -> str:
    return hashlib.sha256(repr(request).encode()).hexdigest()
