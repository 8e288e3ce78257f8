"""Sealed segments: every figure is the same with them, and nothing but the store decides what is true."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

import cli
from ledger.application.ledger import Ledger
from ledger.console.tables import to_csv, to_json
from ledger.domain.batch import BatchRejected
from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.event import Event, Meta, Stream
from ledger.domain.program import Kind, ProgramOpened
from ledger.domain.registry import EVENT_CLASSES, UPCASTERS
from ledger.store.entries import Entry, to_stored_event
from projections.audit.check import check
from projections.errors import SegmentMismatchError
from projections.laws.law import Law
from projections.relation import archive as archives
from projections.relation import relations as projected
from projections.relation.archive import Archive
from projections.relation.database import database
from projections.relation.relations import columns_of, fields_of, load
from projections.reports import engine
from projections.reports.catalogue import PROJECTIONS
from projections.reports.engine import Reports
from tests.projections.book_of_events import START, Book, keep_case, opened, paid, person

YEAR_END = date(2020, 12, 31)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def archive(case: Book, told: list[str]) -> Archive:
    return archive_of(case, told=told)


def archive_of(book: Book, segment_events: int = 10, told: list[str] | None = None) -> Archive:
    tell = (told if told is not None else []).append
    return Archive(book.path.with_name("archive"), book.recorder, segment_events=segment_events, tell=tell)


def names(archive: Archive) -> list[str]:
    return sorted(path.name for path in archive.folder.glob("events-*"))


def held(path: Path, columns: str = "*") -> list[dict[str, Any]]:
    cursor = duckdb.execute(f"SELECT {columns} FROM read_parquet(?)", [str(path)])
    return [dict(zip((each[0] for each in cursor.description), row, strict=True)) for row in cursor.fetchall()]


def rewrite(path: Path, select: str, *, keep_label: bool = True) -> None:
    """Put other rows into a segment."""
    label = duckdb.execute("SELECT decode(value) FROM parquet_kv_metadata(?)", [str(path)]).fetchone()
    rows = select.format(segment=f"read_parquet('{path}')")
    options = f", KV_METADATA {{salur: '{label[0]}'}}" if label and keep_label else ""
    duckdb.execute(f"COPY ({rows}) TO '{path}.new' (FORMAT parquet{options})")
    path.with_name(path.name + ".new").replace(path)


def archive_law(book: Book, archive: Archive) -> Law:
    return next(law for law in check(book.recorder, archive) if law.name == "archive-true")


# The same figures


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


# What is sealed


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


# Interrupted, lost, damaged


def test_an_interrupted_sealing_leaves_whole_segments_and_goes_on(
    case: Book, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Archive._make

    def make_or_stop(self: Any, room: Path, first: int, last: int) -> Any:
        if first == 20:
            raise KeyboardInterrupt
        return make(self, room, first, last)

    monkeypatch.setattr(Archive, "_make", make_or_stop)
    with pytest.raises(KeyboardInterrupt):
        archive.seal()
    kept = {path: path.read_bytes() for path in archive.folder.glob("events-*")}
    assert len(kept) < case.size // 10
    monkeypatch.undo()
    archive.seal()
    assert len(names(archive)) == case.size // 10
    assert {path: path.read_bytes() for path in kept} == kept
    assert sorted(path.name for path in archive.folder.iterdir()) == [*names(archive), "lock"]


def test_what_a_killed_sealing_left_is_no_segment_and_is_cleared_away(case: Book, archive: Archive) -> None:
    left_over = archive.folder / "sealing-1"
    left_over.mkdir(parents=True)
    (left_over / "events-000000000-000000009.parquet").write_bytes(b"PAR1 half")
    assert archive.segments() == []
    archive.seal()
    assert not left_over.exists()


def test_a_lost_archive_is_made_anew_by_the_next_report(case: Book, archive: Archive, told: list[str]) -> None:
    with Reports(case.recorder, archive) as reports:
        expected = reports.run("programs", as_of=YEAR_END)
    archive.discard()
    assert names(archive) == []
    with Reports(case.recorder, archive) as reports:
        assert reports.run("programs", as_of=YEAR_END) == expected
    assert (len(names(archive)), told) == (case.size // 10, [])


def test_a_lost_segment_is_made_anew_where_it_was(case: Book, archive: Archive) -> None:
    lost = archive.seal()[2]
    content = lost.path.read_bytes()
    lost.path.unlink()
    # Also with segments of another size from then on.
    [made, *_] = archive_of(case, 4).seal()
    assert (made.first, made.last) == (20, 23)
    assert archive_law(case, archive).holds
    for path in archive.folder.glob("events-00000002*"):
        path.unlink()
    archive.seal()
    assert lost.path.read_bytes() == content


@pytest.mark.parametrize("keep_bytes", [0, 3, 100, -1])
def test_a_segment_cut_short_is_told_and_made_anew(
    case: Book, archive: Archive, told: list[str], keep_bytes: int
) -> None:
    segment = archive.seal()[1]
    content = segment.path.read_bytes()
    segment.path.write_bytes(content[:keep_bytes])
    with Reports(case.recorder) as without, Reports(case.recorder, archive) as with_it:
        assert with_it.run("programs", as_of=YEAR_END) == without.run("programs", as_of=YEAR_END)
    assert told == [f"segment {segment.path.name} cannot be read and is made anew from the store"]
    assert segment.path.read_bytes() == content


def test_a_segment_damaged_inside_is_told_and_made_anew(case: Book, archive: Archive, told: list[str]) -> None:
    segment = archive.seal()[4]
    content = segment.path.read_bytes()
    segment.path.write_bytes(content[:4] + b"\xff" * 2000 + content[2004:])
    with Reports(case.recorder) as without, Reports(case.recorder, archive) as with_it:
        assert with_it.run("journal", as_of=YEAR_END) == without.run("journal", as_of=YEAR_END)
    assert told == [f"segment {segment.path.name} cannot be read and is made anew from the store"]
    assert segment.path.read_bytes() == content


def test_a_folder_that_takes_no_files_leaves_the_reports_to_the_store(
    case: Book, archive: Archive, told: list[str]
) -> None:
    archive.folder.write_text("no folder")
    with Reports(case.recorder) as without, Reports(case.recorder, archive) as with_it:
        assert with_it.run("programs", as_of=YEAR_END) == without.run("programs", as_of=YEAR_END)
    assert len(told) == 1
    assert told[0].startswith("not sealed, and read from the store: ")


def test_a_store_with_a_missing_event_is_not_sealed(case: Book, archive: Archive, told: list[str]) -> None:
    case.execute("DELETE FROM stored_events WHERE rowid=15")
    with pytest.raises(IntegrityBrokenError, match="events 10 to 19 are not all in the store"):
        archive.seal()
    with Reports(case.recorder) as without, Reports(case.recorder, archive) as with_it:
        assert with_it.run("programs", as_of=YEAR_END) == without.run("programs", as_of=YEAR_END)
    assert told == ["not sealed, and read from the store: events 10 to 19 are not all in the store; run `salur check`"]
    broken = {law.name for law in check(case.recorder, archive) if not law.holds}
    assert ("log-contiguous" in broken, "archive-true" in broken) == (True, False)


def test_a_store_with_an_unreadable_event_is_not_sealed(case: Book, archive: Archive) -> None:
    case.execute("UPDATE stored_events SET state=? WHERE rowid=15", b'{"recorded_at":"never"}')
    with pytest.raises(IntegrityBrokenError, match="events 10 to 19 cannot be sealed"):
        archive.seal()


# Refused


def refused(book: Book, archive: Archive) -> SegmentMismatchError:
    for act in (archive.segments, archive.seal, lambda: Reports(book.recorder, archive)):
        with pytest.raises(SegmentMismatchError) as found:
            act()
    return found.value


def test_a_segment_of_another_ledger_is_refused_by_name(case: Book, archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = keep_case(Book(tmp_path / "other" / "events.db"))
    other.tamper("LedgerOpened", name="Another")
    [first, *_] = archive_of(other).seal()
    other.close()
    [own, *_] = archive.seal()
    own.path.write_bytes(first.path.read_bytes())
    error = refused(case, archive)
    assert error.segment == "events-000000000-000000009.parquet"
    assert "`salur seal --rebuild`" in str(error)


def test_a_segment_under_anothers_name_is_refused_by_name(case: Book, archive: Archive) -> None:
    segments = archive.seal()
    segments[3].path.write_bytes(segments[2].path.read_bytes())
    assert refused(case, archive).segment == "events-000000030-000000039.parquet"


def test_a_segment_that_overlaps_another_is_refused_by_name(case: Book, archive: Archive) -> None:
    archive.seal()
    other = Archive(archive.folder.with_name("other"), case.recorder, segment_events=5)
    other.seal()[1].path.rename(archive.folder / "events-000000005-000000009.parquet")
    assert refused(case, archive).problem == "it holds events up to 9 a second time"


def test_a_file_that_is_no_segment_of_any_ledger_is_refused_by_name(case: Book, archive: Archive) -> None:
    segment = archive.seal()[0]
    rewrite(segment.path, "SELECT * FROM {segment}", keep_label=False)
    assert refused(case, archive).segment == segment.path.name


def test_a_segment_with_fewer_events_is_refused_by_name(case: Book, archive: Archive) -> None:
    segment = archive.seal()[0]
    rewrite(segment.path, "SELECT * FROM {segment} WHERE log_index <> 5")
    assert refused(case, archive).segment == segment.path.name


def test_an_archive_that_reaches_beyond_the_store_is_refused_by_name(case: Book, archive: Archive) -> None:
    last = archive.seal()[-1]
    case.execute("DELETE FROM stored_events WHERE rowid>?", last.last)
    error = refused(case, archive)
    assert (error.segment, error.problem) == (
        last.path.name,
        f"it ends with event {last.last}, the store with event {last.last - 1}",
    )


def test_a_store_whose_first_event_was_changed_later_is_not_what_was_sealed(case: Book, archive: Archive) -> None:
    archive.seal()
    case.tamper("LedgerOpened", name="Another")
    assert refused(case, archive).segment == "events-000000000-000000009.parquet"


def test_an_archive_made_anew_is_trusted_again(case: Book, archive: Archive) -> None:
    segments = archive.seal()
    segments[3].path.write_bytes(segments[2].path.read_bytes())
    archive.discard()
    archive.seal()
    assert archive.segments() == segments


# Examined


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount", "CAST(amount + 1 AS DECIMAL(18, 0))"),
        ("line", "replace(line, 'siti', 'budi')"),
        ("recipient", "recipient + 1"),
        ("recorded_at", "recorded_at + INTERVAL 1 MICROSECOND"),
        ("stream", "stream || '0'"),
    ],
)
def test_a_changed_column_of_a_segment_is_found_with_its_event(
    case: Book, archive: Archive, column: str, value: Any
) -> None:
    paid_at = next(
        index
        for index, each in enumerate(case.recorder.select_notifications(1, 1000))
        if each.topic == "TrancheDisbursed.v1"
    )
    segment = next(each for each in archive.seal() if each.first <= paid_at <= each.last)
    rewrite(
        segment.path,
        f"SELECT * REPLACE (CASE WHEN log_index = {paid_at} THEN {value} ELSE {column} END AS {column}) FROM {{segment}}",
    )
    law = archive_law(case, archive)
    assert [breach.log_index for breach in law.broken] == [paid_at]
    assert law.broken[0].stream == "payment/bsu/1/R000000003"
    assert law.broken[0].detail == f"{segment.path.name} differs from the store in {column}"


def test_the_laws_are_examined_over_the_store_where_the_archive_is_not_true(case: Book, archive: Archive) -> None:
    for segment in archive.seal():
        if "amount" in held(segment.path)[0]:
            rewrite(segment.path, "SELECT * REPLACE (CAST(amount + 1 AS DECIMAL(18, 0)) AS amount) FROM {segment}")
    assert {law.name for law in check(case.recorder, archive) if not law.holds} == {"archive-true"}


def test_a_changed_event_of_the_store_is_found_by_its_segment(case: Book, archive: Archive) -> None:
    archive.seal()
    case.tamper("TrancheRefunded", treasury_ref="NTPN 9")
    law = archive_law(case, archive)
    assert [(breach.stream, breach.detail.partition(" ")[2]) for breach in law.broken] == [
        ("payment/bsu/1/R000000004", "differs from the store in treasury_ref, line")
    ]


def test_a_column_too_many_is_found(case: Book, archive: Archive) -> None:
    segment = archive.seal()[0]
    rewrite(segment.path, "SELECT *, 1 AS more FROM {segment}")
    [breach] = archive_law(case, archive).broken
    assert breach.detail == f"{segment.path.name} differs from the store in other columns than its events have"


def test_a_segment_of_another_ledger_breaks_the_law_of_the_archive(case: Book, archive: Archive) -> None:
    segments = archive.seal()
    segments[3].path.write_bytes(segments[2].path.read_bytes())
    laws = check(case.recorder, archive)
    assert {law.name for law in laws if not law.holds} == {"archive-true"}
    assert "events-000000030-000000039.parquet" in archive_law(case, archive).broken[0].detail


# By several, and from the shell

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


def shell(capsys: pytest.CaptureFixture[str], ledger: Ledger, *words: str) -> tuple[int, str, str]:
    code = cli.run(["--store", str(ledger.folder), *words])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


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


# Many rows


def printed(reports: Reports, name: str, path: Path, form: Any) -> str:
    reports.write(name, path, form=form, as_of=YEAR_END)
    return path.read_text()


@pytest.mark.parametrize("events_a_span", [7, 1000])
def test_a_report_in_a_file_is_the_report(
    case: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events_a_span: int
) -> None:
    monkeypatch.setattr(engine, "EVENTS_A_SPAN", events_a_span)
    with Reports(case.recorder) as reports:
        for name in PROJECTIONS:
            report = reports.run(name, as_of=YEAR_END)
            assert printed(reports, name, tmp_path / "it's", "csv") == to_csv(report.rows, report.columns)
            lines = printed(reports, name, tmp_path / "lines", "json").splitlines()
            assert [json.loads(line) for line in lines] == json.loads(to_json(report.rows))


def test_a_report_may_be_cut_to_its_first_rows(case: Book) -> None:
    with Reports(case.recorder) as reports:
        whole = reports.run("balances", as_of=YEAR_END)
        first = reports.run("balances", as_of=YEAR_END, rows_max=2)
        assert (first.rows, first.is_cut) == (whole.rows[:2], True)
        assert reports.run("balances", as_of=YEAR_END, rows_max=len(whole.rows)) == whole


@pytest.mark.parametrize("name", ["journal", "trial-balance", "programs"])
def test_a_report_of_many_rows_is_printed_whole_for_programs_and_cut_for_people(
    ledger: Ledger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    few = {form: shell(capsys, ledger, "report", name, "-o", form)[1] for form in ("json", "csv", "table")}
    monkeypatch.setattr("projections.commands.report.ROWS_MAX", 1)
    many = {form: shell(capsys, ledger, "report", name, "-o", form)[1] for form in ("json", "csv", "table")}
    assert json.loads(many["json"]) == json.loads(few["json"])
    assert many["csv"] == few["csv"]
    if name == "journal":
        assert many["table"] == few["table"]
    else:
        assert "Only the first 1 rows; -o csv has all." in many["table"]
