"""How an event becomes a stored row, and a stored row an event.

A row of the store is (stream, version, topic, state). `state` is one compact JSON object: the event's `Meta` and its
own fields side by side, and the officer's signature last. The line of an event is that object with the row's other
three columns put in front; it is what projections read and what `history -o json` prints.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent
from pydantic_core import from_json

from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.event import Event, Meta
from ledger.domain.registry import EVENT_CLASSES, UPCASTERS, Stored
from ledger.store.errors import EventTooLargeError
from ledger.store.signed import split, with_signature

LINE_BYTES_MAX = 65_535
"""The longest line that a transparency log takes: its length stands in two bytes (C2SP tlog-tiles)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event at its place in a stream."""

    originator_id: str
    """The stream, e.g. `program/bsu-2020`."""
    originator_version: int
    """1 for the first event of the stream."""
    meta: Meta
    event: Event
    signature: str | None = None
    """The signature of the officer who acted, if the event is signed."""


quoted = json.encoder.encode_basestring


@lru_cache(maxsize=64)
def meta_json(meta: Meta) -> bytes:
    """The JSON of a meta without its last brace: the beginning of a stored object."""
    return meta.model_dump_json(exclude_none=True).encode()[:-1]


def to_stored_event(entry: Entry) -> StoredEvent:
    """The row of an entry."""
    event = entry.event
    body: bytes = event.__pydantic_serializer__.to_json(event, exclude_none=True)
    state = meta_json(entry.meta) + b"," + body[1:]
    if entry.signature:
        state = with_signature(state, entry.signature)
    return StoredEvent(entry.originator_id, entry.originator_version, event.TOPIC, state)


StoredRow = tuple[str, int, str, bytes]
"""Stream, version, topic, state: what the store's table holds of an event."""


@dataclass(frozen=True, slots=True)
class Series:
    """Many events of one kind, each the first of its stream, that differ only in the fields named.

    Their rows are written from the bytes of one example, which is a third of the work of building each event. The
    values must be such that JSON needs no escapes for them, as the ids of recipients are.
    """

    example: Event
    fields: tuple[str, ...]
    streams: Sequence[str]
    values: Sequence[tuple[object, ...]]
    """The values of each event, in the order of `fields`."""

    def rows(self, meta: Meta) -> list[StoredRow]:
        """The row of each event."""
        topic = self.example.TOPIC
        body = self.example.__pydantic_serializer__.to_json(self.example, exclude_none=True).decode()
        state = (meta_json(meta).decode() + "," + body[1:]).replace("%", "%%")
        for name in self.fields:
            value = getattr(self.example, name)
            old, new = (
                (f'"{name}":"{value}"', f'"{name}":"%s"')
                if isinstance(value, str)
                else (f'"{name}":{value}', f'"{name}":%d')
            )
            if state.count(old) != 1:
                raise ValueError(f"{name} cannot be told apart in {topic}")
            state = state.replace(old, new)
        rows = [
            (stream, 1, topic, (state % values).encode())
            for stream, values in zip(self.streams, self.values, strict=True)
        ]
        if (
            len(state) > LINE_BYTES_MAX // 2
        ):  # the varying fields are short: only where the example is long may a row be too long
            rows = [_within_bounds(row) for row in rows]
        return rows


def to_row(entry: Entry) -> StoredRow:
    """The row of an entry."""
    stored = to_stored_event(entry)
    return _within_bounds((entry.originator_id, entry.originator_version, stored.topic, stored.state))


def _within_bounds(row: StoredRow) -> StoredRow:
    """Refuse a row whose line no log can hold."""
    if len(row[3]) > LINE_BYTES_MAX // 2 and (size := len(line_of(row))) > LINE_BYTES_MAX:
        raise EventTooLargeError(size_bytes=size, size_bytes_max=LINE_BYTES_MAX)
    return row


def line_of(row: StoredRow) -> bytes:
    """The line of a row, without its index in the log: byte for byte what `LedgerRecorder.lines` tells of it."""
    stream, version, topic, state = row
    place = f'{{"stream":{quoted(stream)},"version":{version},"topic":{quoted(topic)},'
    return place.encode() + state[1:]


def to_entry(stored: StoredEvent) -> Entry:
    """The entry of a row, brought to its event's newest version.

    Raises `IntegrityBrokenError` where the row is not an event that this program ever wrote.
    """
    try:
        topic, state = _newest(stored)
        meta = Meta.model_validate_json(state, extra="ignore")
        event = EVENT_CLASSES[topic].model_validate_json(state, extra="ignore")
    except (KeyError, ValueError) as error:
        raise _unreadable(stored) from error
    signature = split(stored.state)[1] if event.IS_SIGNED else None
    return Entry(str(stored.originator_id), stored.originator_version, meta, event, signature)


def to_event(stored: StoredEvent) -> Event:
    """Only the event of a row, which is half the work; raises as `to_entry`."""
    try:
        topic, state = _newest(stored)
        return EVENT_CLASSES[topic].model_validate_json(state, extra="ignore")
    except (KeyError, ValueError) as error:
        raise _unreadable(stored) from error


def _newest(stored: StoredEvent) -> tuple[str, bytes]:
    topic, state = stored.topic, stored.state
    if not isinstance(state, bytes):  # SQLite keeps a text or a number in that column as well
        raise ValueError("not bytes")  # noqa: TRY004  # told like any other unreadable row
    if topic in UPCASTERS:
        topic, upcast = upcast_to_newest(topic, from_json(state))
        state = json.dumps(upcast).encode()
    return topic, state


def _unreadable(stored: StoredEvent) -> IntegrityBrokenError:
    place = f"{stored.originator_id} version {stored.originator_version}"
    return IntegrityBrokenError(f"{place}: not a readable {stored.topic}")


def upcast_to_newest(topic: str, stored: Stored) -> tuple[str, Stored]:
    """Bring a stored object of an older version to the version that is written today."""
    while topic in UPCASTERS:
        topic, upcast = UPCASTERS[topic]
        stored = upcast(stored)
    return topic, stored


class EntryMapper(Mapper[str]):
    """Lets the library's event store and repository read and write entries."""

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        if not isinstance(domain_event, Entry):
            raise TypeError(f"not an entry: {type(domain_event).__name__}")
        return to_stored_event(domain_event)

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        return to_entry(stored_event)


def canonical(entries: Sequence[StoredEvent]) -> Iterator[tuple[StoredEvent, bool]]:
    """Each row, and whether its bytes are exactly those that this program writes for the event in it."""
    for stored in entries:
        if stored.topic in UPCASTERS:
            yield stored, True
        else:
            yield stored, to_stored_event(to_entry(stored)).state == bytes(stored.state)
