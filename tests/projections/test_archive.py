"""Sealed segments: every figure is the same with them, and nothing but the store decides what is true."""

import subprocess
import sys
from datetime import UTC, date, datetime

import pytest

from ledger.application.ledger import Ledger
from ledger.domain.batch import BatchRejected
from ledger.domain.event import Event, Meta, Stream
from ledger.domain.program import Kind, ProgramOpened
from ledger.domain.registry import EVENT_CLASSES, UPCASTERS
from ledger.store.entries import Entry, to_stored_event
from projections.audit.check import check
from projections.relation import archive as archives
from projections.relation import relations as projected
from projections.relation.archive import Archive
from projections.relation.database import database
from projections.relation.relations import columns_of, fields_of, load
from projections.reports.catalogue import PROJECTIONS
from projections.reports.engine import Reports
from tests.projections.archives import YEAR_END, archive_law, archive_of, held, names, shell
from tests.projections.book_of_events import START, Book, opened, paid, person

TIMES: list[tuple[date, int | datetime | None]] = [
    (YEAR_END, None),
    (date(2020, 10, 5), None),
    (YEAR_END, 0),
    (YEAR_END, 40),
    (date(2020, 10, 8), 61),
    (YEAR_END, datetime(2020, 9, 1, 8, 45, tzinfo=UTC)),
]


@pytest.mark.parametrize("segment_events", [9, 35, 1000])
def test_every_projection_is_the_same_with_an_archive_and_without(case: Book, segment_events: int) -> None:
    archive = archive_of(case, segment_events)
    with Reports(case.recorder) as without, Reports(case.recorder, archive) as with_it:
        assert len(archive.segments()) == case.size // segment_events
        for as_of, known_at in TIMES:
            for name in PROJECTIONS:
                expected = without.run(name, as_of=as_of, known_at=known_at)
                assert with_it.run(name, as_of=as_of, known_at=known_at) == expected


def test_every_law_says_the_same_with_an_archive_and_without(case: Book, archive: Archive) -> None:
    without, with_it = check(case.recorder), check(case.recorder, archive)
    assert [law for law in without if law.name != "archive-true"] == [
        law for law in with_it if law.name != "archive-true"
    ]
    [law] = [law for law in with_it if law.name == "archive-true"]
    assert (law.checked, law.holds) == (case.size // 10 * 10, True)


def test_the_log_is_the_same_row_by_row(case: Book, archive: Archive) -> None:
    archive.seal()
    logs = []
    for segments in ([], archive.segments()):
        with database() as connection:
            load(connection, case.recorder, segments)
            logs.append(connection.execute("SELECT * FROM log ORDER BY log_index").fetchall())
    assert logs[0] == logs[1]
    assert len(logs[0]) == case.size


def test_only_whole_segments_are_sealed_and_the_rest_waits(book: Book, told: list[str]) -> None:
    archive = archive_of(book, 3, told)
    book.add(opened(), person(1))
    assert (archive.is_due(), archive.seal()) == (False, [])
    book.add(person(2))
    assert archive.is_due()
    assert [(segment.first, segment.last) for segment in archive.seal()] == [(0, 2)]
    book.add(*(person(number) for number in range(3, 10)))
    assert [(segment.first, segment.last) for segment in archive.seal()] == [(3, 5), (6, 8)]
    assert names(archive) == [f"events-00000000{first}-00000000{first + 2}.parquet" for first in (0, 3, 6)]
    assert (archive.is_due(), archive.seal(), told) == (False, [], [])


def test_a_line_is_the_stored_bytes_behind_their_place(case: Book, archive: Archive) -> None:
    archive.seal()
    lines = [row["line"].encode() for segment in archive.segments() for row in held(segment.path, "line")]
    stored = case.recorder.select_notifications(1, len(lines))
    expected = [
        f'{{"stream":"{each.originator_id}","version":{each.originator_version},"topic":"{each.topic}",'.encode()
        + each.state[1:]
        for each in stored
    ]
    assert lines == expected


def test_a_line_keeps_every_sign_of_a_text(book: Book) -> None:
    name = 'Ré"my \\ 日本 \U0001f600 \t,{"log_index":7,'
    book.add(ProgramOpened(program="bsu", name=name, kind=Kind.CASH, fiscal_year=2020))
    [segment] = archive_of(book, 1).seal()
    [row] = held(segment.path)
    assert (row["name"], row["line"].partition(",")[2]) == (
        name,
        '"version":1,"topic":"ProgramOpened.v1",'
        + bytes(book.recorder.select_events("program/bsu")[0].state).decode()[1:],
    )


def test_a_segment_has_the_columns_that_its_events_fill(book: Book) -> None:
    book.add(opened(), person(7), paid(7))
    segments = archive_of(book, 1).seal()
    for segment, topic in zip(
        segments, ("LedgerOpened.v1", "RecipientRegistered.v1", "TrancheDisbursed.v1"), strict=True
    ):
        [row] = held(segment.path)
        assert list(row) == [*columns_of(fields_of([topic])), "line"]
    assert (row["recipient"], row["recipient_id"], row["amount"], row["event"]) == (
        7,
        "R000000007",
        600,
        "TrancheDisbursed",
    )


def test_rows_stand_in_the_order_of_the_log(case: Book, archive: Archive) -> None:
    for segment in archive.seal():
        assert [row["log_index"] for row in held(segment.path)] == list(range(segment.first, segment.last + 1))


class Renamed(Event):
    TOPIC = "Renamed.v2"
    STREAM = Stream("renamed")
    ROLE = None
    name: str


def test_an_old_event_is_sealed_in_todays_form_and_in_its_own_bytes(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EVENT_CLASSES, "Renamed.v2", Renamed)
    monkeypatch.setitem(UPCASTERS, "Renamed.v1", ("Renamed.v2", lambda old: {**old, "name": old["named"].upper()}))
    old = to_stored_event(
        Entry("renamed", 1, Meta(recorded_at=START, effective_on=date(2020, 9, 1)), Renamed(name="x"))
    )
    state = old.state.replace(b'"name":"x"', b'"named":"siti"')
    book.add(opened(), person(1))
    book.recorder.insert_events([type(old)("renamed", 1, "Renamed.v1", state)])
    archive = archive_of(book, 3)
    [segment] = archive.seal()
    row = held(segment.path)[2]
    assert (row["event"], row["name"]) == ("Renamed", "SITI")
    assert row["line"].endswith(state.decode()[1:])
    assert archive_law(book, archive).holds


def test_segments_whose_events_have_changed_their_form_since_are_made_anew(
    case: Book, archive: Archive, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = archive.seal()
    monkeypatch.setitem(UPCASTERS, "BatchRejected.v1", ("BatchRejected.v2", lambda old: {**old, "reason": "none"}))
    monkeypatch.setitem(EVENT_CLASSES, "BatchRejected.v2", BatchRejected)
    archive.brought_up_to_date()
    [changed] = [each for each in segments if any(row["event"] == "BatchRejected" for row in held(each.path, "event"))]
    assert told == [f"segment {changed.path.name} has not the columns of today and is made anew from the store"]
    assert [row["reason"] for row in held(changed.path) if row["event"] == "BatchRejected"] == ["none"]


def test_segments_without_a_column_that_came_later_are_made_anew(
    case: Book, archive: Archive, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = archive.seal()
    monkeypatch.setitem(projected.FIELDS, "report_ref", "JSON")
    archive.brought_up_to_date()
    changed = [each for each in segments if "report_ref" in held(each.path)[0]]
    assert len(told) == len(changed) == 1


SEAL = (
    "import sys; from pathlib import Path; from ledger.store.sqlite import LedgerFactory; from projections.relation.archive import Archive;"
    "folder = Path(sys.argv[1]); recorder = LedgerFactory(folder / 'events.db').application_recorder();"
    "print(len(Archive(folder / 'archive', recorder, segment_events=2).seal()))"
)


def test_processes_that_seal_at_once_make_one_archive(case: Book, archive: Archive) -> None:
    folder = archive.folder.parent
    working = [
        subprocess.Popen([sys.executable, "-c", SEAL, str(folder)], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    made = [int(each.communicate()[0]) for each in working]
    assert [each.returncode for each in working] == [0, 0, 0]
    assert sum(made) == len(names(archive)) == case.size // 2
    assert archive_law(case, archive_of(case, 2)).holds


def test_a_write_that_fills_a_segment_seals_it(
    ledger: Ledger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    size = ledger.store.size()
    monkeypatch.setattr(archives, "SEGMENT_EVENTS", size + 1)
    words = ("goods", "stock", "mask", "10", "--unit", "piece", "--from", "BLK", "--officer", "siti")
    assert shell(capsys, ledger, *words)[0] == 0
    assert [path.name for path in (ledger.folder / "archive").glob("events-*")] == [
        f"events-000000000-{size:09}.parquet"
    ]


def test_a_write_stands_whatever_comes_of_the_archive(
    ledger: Ledger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "SEGMENT_EVENTS", 2)
    shell(capsys, ledger, "seal")
    first, second, *_ = sorted((ledger.folder / "archive").glob("events-*"))
    second.write_bytes(first.read_bytes())
    words = ("goods", "stock", "mask", "10", "--unit", "piece", "--from", "BLK", "--officer", "siti")
    for _ in range(2):
        code, out, err = shell(capsys, ledger, *words)
        assert (code, out) == (0, "Into stock: 10 mask (piece) from BLK.\n")
    assert f"segment {second.name} is not of this ledger" in err


def test_the_archive_is_sealed_refused_and_made_anew_from_the_shell(
    ledger: Ledger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "SEGMENT_EVENTS", 3)
    size = ledger.store.size()
    code, out, _ = shell(capsys, ledger, "seal")
    sealed = size // 3
    waiting = size - 3 * sealed
    assert (code, out) == (
        0,
        f"{sealed} segments with {3 * sealed} events, {sealed} of them new; {waiting} wait in the store.\n",
    )
    first, second, *_ = sorted((ledger.folder / "archive").glob("events-*"))
    second.write_bytes(first.read_bytes())
    code, _, err = shell(capsys, ledger, "report", "programs")
    assert (code, err.partition(":")[0]) == (1, "Refused [segment_mismatch]")
    assert second.name in err
    code, _, err = shell(capsys, ledger, "check")
    assert (code, f"BROKEN archive-true: {second.name}" in err) == (4, True)
    code, out, _ = shell(capsys, ledger, "seal", "--rebuild", "-o", "csv")
    assert (code, out) == (0, f"segments,new,sealed,waiting\n{sealed},{sealed},{3 * sealed},{waiting}\n")
    assert shell(capsys, ledger, "check")[0] == 0
