import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from ledger.application import programs
from ledger.application.ledger import Ledger
from ledger.domain.batch import BatchProposed, ListKind
from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.event import Event, Meta, Role, Stream
from ledger.domain.group import GroupFunded
from ledger.domain.officer import OfficerEnrolled
from ledger.domain.opening import LedgerOpened
from ledger.domain.payment import TrancheDisbursed, TrancheRefunded, TrancheReissued
from ledger.domain.program import BudgetSet, FundsSpent, Kind, ProgramOpened
from ledger.domain.registry import EVENT_CLASSES, UPCASTERS, Stored
from ledger.domain.request import ReferenceUsed
from ledger.store import postgres, sqlite
from ledger.store.entries import (
    LINE_BYTES_MAX,
    Entry,
    Series,
    StoredRow,
    canonical,
    line_of,
    to_entry,
    to_row,
    to_stored_event,
)
from ledger.store.errors import EventTooLargeError
from ledger.store.recorder import Conflict
from tests.acts import SET_UP, SITI, log
from tests.ledger.examples_of_events import EXAMPLES, META, META_OF_OPENING, PUBLIC_KEY

GOLDEN = Path(__file__).parent / "golden"


def golden(topic: str) -> bytes:
    """The stored object of an event of this topic, as it has ever been."""
    return (GOLDEN / f"{topic}.json").read_bytes().removesuffix(b"\n")


SINCE = Path(__file__).parent / "golden_since"
"""What came to stored objects later: an event with an optional field that its golden file has not, and a signed one."""
WITH_KEY = OfficerEnrolled(officer_id="agus", roles=(Role.MAKER,), public_key=PUBLIC_KEY)
SIGNATURE = "A" * 85 + "Q=="
[_PROPOSED] = [event for event in EXAMPLES if isinstance(event, BatchProposed)]
[_FUNDED] = [event for event in EXAMPLES if isinstance(event, GroupFunded)]
OF_GRANTS = _PROPOSED.model_copy(
    update={"tranche": None, "kind": ListKind.GRANTS, "rows_root": _PROPOSED.rows_sha256[::-1]}
)
IN_BATCH = _FUNDED.model_copy(update={"batch_id": "b1"})
AWAITS_RULES = LedgerOpened(name="Kemnaker 2020", currency="IDR", decimals=0, rules_edition=1)
GOES_ON = LedgerOpened(name="Kemnaker 2020", currency="IDR", decimals=0, continues="0123456789abcdef" * 4)
OF_REISSUES = OF_GRANTS.model_copy(update={"kind": ListKind.REISSUES, "held": 0})
[AGAIN] = [event.model_copy(update={"batch_id": "b1"}) for event in EXAMPLES if isinstance(event, TrancheReissued)]
[REFUNDED] = [event.model_copy(update={"batch_id": "b1"}) for event in EXAMPLES if isinstance(event, TrancheRefunded)]
UNDER_AGREEMENT = Entry(
    "program/bsu-2020",
    3,
    META.model_copy(update={"agreement": "program/bsu-2020@1"}),
    BudgetSet(program="bsu-2020", budget=2**53 - 1, previous=0),
)


def entry_of(event: Event) -> Entry:
    return Entry(event.stream, 3, META_OF_OPENING if isinstance(event, LedgerOpened) else META, event)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.TOPIC)
def test_an_event_is_stored_in_the_same_bytes_for_good(event: Event) -> None:
    stored = to_stored_event(entry_of(event))
    assert (stored.originator_id, stored.originator_version) == (event.stream, 3)
    assert stored.state == golden(stored.topic)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.TOPIC)
def test_stored_bytes_read_back_as_the_same_event(event: Event) -> None:
    assert to_entry(StoredEvent(event.stream, 3, event.TOPIC, golden(event.TOPIC))) == entry_of(event)


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("OfficerEnrolled.v1 public_key", entry_of(WITH_KEY)),
        ("OfficerEnrolled.v1 signature", replace(entry_of(WITH_KEY), signature=SIGNATURE)),
        ("BudgetSet.v1 agreement", UNDER_AGREEMENT),
        ("BatchProposed.v1 kind", entry_of(OF_GRANTS)),
        ("GroupFunded.v1 batch_id", entry_of(IN_BATCH)),
        ("LedgerOpened.v1 rules_edition", entry_of(AWAITS_RULES)),
        ("LedgerOpened.v1 continues", entry_of(GOES_ON)),
        ("BatchProposed.v1 held", entry_of(OF_REISSUES)),
        ("TrancheReissued.v1 batch_id", entry_of(AGAIN)),
        ("TrancheRefunded.v1 batch_id", entry_of(REFUNDED)),
    ],
)
def test_what_was_added_to_stored_objects_is_stored_in_the_same_bytes_for_good(name: str, entry: Entry) -> None:
    stored = to_stored_event(entry)
    assert stored.state == (SINCE / f"{name}.json").read_bytes().removesuffix(b"\n")
    assert to_entry(stored) == entry


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.replace(b'Q=="', b'R=="'),  # bits that base64 leaves unused
        lambda state: state.replace(b'"signature":"A', b'"signature":"-'),
        lambda state: state.replace(b'"signature":"A', b'"signature":"'),
        lambda state: state.replace(b'"signature"', b'"signature" '),
        lambda state: state[:-1] + b',"signature":"' + SIGNATURE.encode() + b'"}',
    ],
)
def test_a_signature_in_another_form_is_not_what_this_program_writes(change: Callable[[bytes], bytes]) -> None:
    stored = to_stored_event(replace(entry_of(WITH_KEY), signature=SIGNATURE))
    changed = StoredEvent(stored.originator_id, 3, stored.topic, change(stored.state))
    assert [is_ours for _, is_ours in canonical([stored, changed])] == [True, False]


def test_a_signature_on_an_event_that_takes_none_is_not_what_this_program_writes() -> None:
    [paid] = [event for event in EXAMPLES if isinstance(event, TrancheDisbursed)]
    stored = to_stored_event(replace(entry_of(paid), signature=SIGNATURE))
    assert [is_ours for _, is_ours in canonical([stored])] == [False]


@pytest.mark.parametrize("reference", ["letter 7", 'a "b" \\ /', "élan 人 😀", "tab\there\x01\x1f\x7f\n", "\u2028"])
def test_a_line_built_here_is_the_line_that_the_store_tells(ledger: Ledger, reference: str) -> None:
    used = ReferenceUsed(used=reference, request_sha256="0" * 64)
    stored = to_stored_event(Entry(used.stream, 1, META, used))
    ledger.store.insert_events([stored])
    [told] = b"".join(ledger.store.lines(first=SET_UP)).splitlines()
    line = line_of((used.stream, 1, stored.topic, stored.state))
    assert told == b'{"log_index":%d,' % SET_UP + line[1:]


def test_every_topic_ever_written_has_its_golden_file() -> None:
    known = {*EVENT_CLASSES, *UPCASTERS}
    assert {path.name.removesuffix(".json") for path in GOLDEN.iterdir()} == known
    assert {event.TOPIC for event in EXAMPLES} == set(EVENT_CLASSES)


def test_an_example_fills_every_field_so_that_its_golden_file_holds_them_all() -> None:
    empty = [
        f"{event.TOPIC} {name}"
        for event in EXAMPLES
        for name, value in event.model_dump().items()
        if value in (None, (), "")
    ]
    assert set(empty) == {  # they came later, and stand in files of their own
        "OfficerEnrolled.v1 public_key",
        "BatchProposed.v1 kind",
        "BatchProposed.v1 rows_root",
        "BatchProposed.v1 held",
        "LedgerOpened.v1 rules_edition",
        "LedgerOpened.v1 continues",
        "GroupFunded.v1 batch_id",
        "TrancheReissued.v1 batch_id",
        "TrancheRefunded.v1 batch_id",
    }


def large(name: str) -> ProgramOpened:
    categories = tuple(f"category-{number:08}-and-its-kind" for number in range(1_977))
    return ProgramOpened(program="large", name=name, kind=Kind.CASH, fiscal_year=2020, categories=categories)


def room_of(row: StoredRow) -> int:
    """How many bytes the row's line in the log lacks to the longest."""
    place = '{"stream":"program/large","version":1,"topic":"ProgramOpened.v1",'
    return LINE_BYTES_MAX - len(place) - len(row[3]) + 1


def test_an_event_is_as_long_as_a_log_can_hold_and_no_longer(ledger: Ledger) -> None:
    room = room_of(to_row(Entry("program/large", 1, META, large("é"))))
    assert 0 < room < 190
    ledger.store.append([to_row(Entry("program/large", 1, META, large("é" + "x" * room)))])

    assert len(ledger.store.leaf(SET_UP)) == LINE_BYTES_MAX
    with pytest.raises(EventTooLargeError):
        to_row(Entry("program/large", 1, META, large("é" + "x" * (room + 1))))


def test_a_series_of_events_has_the_same_bound() -> None:
    def rows(name: str) -> list[StoredRow]:
        return Series(large(name), ("fiscal_year",), ("program/large",), ((2021,),)).rows(META)

    room = room_of(rows("é")[0])
    assert len(rows("é" + "x" * room)) == 1
    with pytest.raises(EventTooLargeError):
        rows("é" + "x" * (room + 1))


def test_a_topic_bears_a_version() -> None:
    for topic in (*EVENT_CLASSES, *UPCASTERS):
        assert re.fullmatch(r"[A-Z][A-Za-z]+\.v[1-9][0-9]*", topic)


def test_every_kind_of_event_has_a_topic_of_its_own() -> None:
    def concrete(cls: type[Event]) -> list[type[Event]]:
        named = [] if cls.__name__.startswith("_") else [cls]
        return named + [each for sub in cls.__subclasses__() for each in concrete(sub)]

    written = [cls for cls in concrete(Event) if cls is not Event and cls.__module__.startswith("ledger.domain.")]
    assert sorted(cls.TOPIC for cls in written) == sorted(EVENT_CLASSES)


def test_the_fields_of_an_event_never_hide_those_of_its_recording() -> None:
    taken = {*Meta.model_fields, "signature", "log_index", "stream", "version", "topic"}
    assert {cls.TOPIC: taken & set(cls.model_fields) for cls in EVENT_CLASSES.values()} == {
        topic: set() for topic in EVENT_CLASSES
    }


# An event that has changed since


class Example(Event):
    """A test's own event, whose `title` was called `name` in its first version."""

    TOPIC: ClassVar[str] = "Example.v2"
    STREAM: ClassVar[Stream] = Stream("example/1")
    ROLE = None
    title: str
    size: int


def from_v1(stored: Stored) -> Stored:
    assert set(stored) == {"recorded_at", "effective_on", "by", "name"}
    return {("title" if name == "name" else name): value for name, value in stored.items()} | {"size": 0}


OLD = StoredEvent(
    "example/1",
    1,
    "Example.v1",
    b'{"recorded_at":"2020-10-15T03:00:00Z","effective_on":"2020-10-15","by":"siti","name":"Andr\xc3\xa9"}',
)
OLD_META = META_OF_OPENING.model_copy(update={"by": "siti"})


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EVENT_CLASSES, "Example.v2", Example)
    monkeypatch.setitem(UPCASTERS, "Example.v1", ("Example.v2", from_v1))


@pytest.mark.usefixtures("changed")
def test_an_old_event_is_read_as_what_it_would_be_today() -> None:
    assert to_entry(OLD) == Entry("example/1", 1, OLD_META, Example(title="André", size=0))


@pytest.mark.usefixtures("changed")
def test_the_log_tells_an_old_event_in_todays_form_at_its_old_place(ledger: Ledger) -> None:
    new = Entry("example/1", 2, OLD_META, Example(title="new", size=2))
    ledger.store.insert_events([OLD, to_stored_event(new)])
    lines = b"".join(ledger.store.lines()).splitlines()
    told = {"recorded_at": "2020-10-15T03:00:00Z", "effective_on": "2020-10-15", "by": "siti"}
    assert [list(json.loads(line).items()) for line in lines[-2:]] == [
        list(place.items())
        for place in (
            {"log_index": SET_UP, "stream": "example/1", "version": 1, "topic": "Example.v2", **told, "title": "André", "size": 0},
            {"log_index": SET_UP + 1, "stream": "example/1", "version": 2, "topic": "Example.v2", **told, "title": "new", "size": 2},
        )
    ]  # fmt: skip
    assert log(ledger, SET_UP) == [Example(title="André", size=0), Example(title="new", size=2)]
    assert ledger.store.select_events("example/1")[0] == OLD


# The store


def test_a_line_of_the_log_is_the_stored_object_behind_its_place(ledger: Ledger) -> None:
    first, *_ = b"".join(ledger.store.lines()).splitlines()
    place = b'{"log_index":0,"stream":"ledger","version":1,"topic":"LedgerOpened.v1",'
    assert first == place + golden("LedgerOpened.v1")[1:]
    assert [json.loads(line)["log_index"] for line in b"".join(ledger.store.lines(until=4)).splitlines()] == [
        0,
        1,
        2,
        3,
    ]


@pytest.mark.parametrize("line_count", [1, 2, 3, 7])
def test_the_log_is_the_same_in_blocks_of_any_size(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, line_count: int
) -> None:
    whole = b"".join(ledger.store.lines())
    for module in (postgres, sqlite):
        monkeypatch.setattr(module, "LINES_PER_BLOCK", line_count)
    blocks = list(ledger.store.lines())
    assert b"".join(blocks) == whole
    assert max(block.count(b"\n") for block in blocks) == line_count


def test_an_append_of_which_one_place_is_taken_stores_nothing(ledger: Ledger) -> None:
    before = ledger.store.size()
    free = to_stored_event(Entry("destination/HK", 1, META, EXAMPLES[-1]))
    taken = to_stored_event(Entry("ledger", 1, META, EXAMPLES[0]))
    with pytest.raises(Conflict):
        ledger.store.insert_events([free, taken])
    assert ledger.store.size() == before


def test_streams_are_listed_by_their_beginning(ledger: Ledger) -> None:
    assert ledger.store.streams("program/") == ["program/bsu-2020", "program/tkm-2020"]
    assert ledger.store.streams("program/", limit=1) == ["program/bsu-2020"]
    assert ledger.store.streams("programme/") == []


def test_bulk_reads_give_what_single_reads_give(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (postgres, sqlite):
        monkeypatch.setattr(module, "IDS_PER_QUERY", 2)
    streams = ["program/tkm-2020", "nothing", "officer/siti", "program/bsu-2020", "ledger"]
    single = {stream: ledger.store.select_events(stream) for stream in streams}
    assert ledger.store.select_streams(streams) == {stream: rows for stream, rows in single.items() if rows}
    assert ledger.store.select_first(streams) == {stream: rows[0] for stream, rows in single.items() if rows}


def broken(change: Callable[[bytes], bytes]) -> StoredEvent:
    return StoredEvent("budget", 1, "BudgetSet.v1", change(golden("BudgetSet.v1")))


@pytest.mark.parametrize(
    "row",
    [
        broken(lambda state: state[:-1]),
        broken(lambda state: state.replace(b'"previous":0', b'"previous":-1')),
        broken(lambda state: state.replace(b'"previous":0', b'"previous":0.5')),
        broken(lambda state: state.replace(b'"previous":0', b'"previous":"0"')),
        broken(lambda state: state.replace(b',"previous":0', b"")),
        broken(lambda state: state.replace(b'"recorded_at":"2020-10-15T03:00:00.000001Z",', b"")),
        StoredEvent("budget", 1, "BudgetSet.v9", golden("BudgetSet.v1")),
    ],
)
def test_a_row_that_was_never_written_is_broken_integrity(row: StoredEvent) -> None:
    with pytest.raises(IntegrityBrokenError) as found:
        to_entry(row)
    assert "budget version 1" in str(found.value)


@given(amount=st.one_of(st.floats(), st.booleans(), st.text(), st.integers(max_value=0), st.integers(min_value=2**53)))
def test_no_amount_but_an_exact_whole_one_is_ever_stored(amount: object) -> None:
    with pytest.raises(ValueError, match="amount"):
        FundsSpent(program="bsu-2020", amount=amount, reserved_for="batch b1")  # type: ignore[arg-type]


def test_two_writers_of_one_stream_do_not_overwrite_each_other(ledger: Ledger) -> None:
    rival = Ledger(ledger.folder, now=ledger.now)
    for number in range(4):
        writer = (ledger, rival)[number % 2]
        programs.set_budget(writer, SITI, program="tkm-2020", budget=number)
    assert [(event.previous, event.budget) for event in log(ledger, SET_UP) if isinstance(event, BudgetSet)] == [
        (100_000_000, 0), (0, 1), (1, 2), (2, 3),
    ]  # fmt: skip
    rival.close()
