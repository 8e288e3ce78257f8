"""An archive that is interrupted, lost, damaged or of another ledger: nothing but the store decides what is true."""

from pathlib import Path
from typing import Any

import pytest

from ledger.domain.errors import IntegrityBrokenError
from projections.audit.check import check
from projections.errors import SegmentMismatchError
from projections.relation.archive import Archive
from projections.reports.engine import Reports
from tests.projections.archives import YEAR_END, archive_law, archive_of, held, names, rewrite
from tests.projections.book_of_events import Book, keep_case


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
    for given in (None, archive):
        with (
            pytest.raises(IntegrityBrokenError, match=r"events \d+ to \d+ are not all in the store"),
            Reports(case.recorder, given) as reports,
        ):
            reports.run("programs", as_of=YEAR_END)
    assert told == ["not sealed, and read from the store: events 10 to 19 are not all in the store; run `salur check`"]
    broken = {law.name for law in check(case.recorder, archive) if not law.holds}
    assert ("log-contiguous" in broken, "archive-true" in broken) == (True, False)


def test_a_store_with_an_unreadable_event_is_not_sealed(case: Book, archive: Archive) -> None:
    case.execute("UPDATE stored_events SET state=? WHERE rowid=15", b'{"recorded_at":"never"}')
    with pytest.raises(IntegrityBrokenError, match="events 10 to 19 cannot be sealed"):
        archive.seal()


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
