"""A published figure is computed again from the same events, and what changed since is told event by event."""

import csv
import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import cli
from ledger.application.aftercare import Step
from ledger.application.ledger import Ledger
from ledger.domain.errors import ProofFailedError
from ledger.transparency.log import create_log
from ledger.transparency.notes import Note, Proof, checkpoint_of
from projections.audit.figures import HEAD, Figures
from projections.reports.catalogue import REPORTS
from projections.reports.explain import PAGE_EVENTS
from tests.acts import SET_UP, TODAY, approve, by, nik, now, pay, propose, register, step
from tests.logged import add_log, execute

ROOT = Path(__file__).parents[2]
YEAR_END = "2020-12-31"
SIZE = SET_UP + 10
"""Three people, a batch proposed, approved and reserved for, two payments, the batch executed and its money spent."""


@pytest.fixture(scope="session")
def paid(folder_of_2020: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people, of whom the first two got tranche 1, with the log over it; made once."""
    folder = tmp_path_factory.mktemp("paid") / "ledger"
    shutil.copytree(folder_of_2020, folder)
    with closing(Ledger(folder, now=now)) as ledger:
        pay(ledger, register(ledger, 3)[:2])
    add_log(folder)
    return folder


@pytest.fixture
def folder(paid: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(paid, tmp_path / "ledger"))


def salur(folder: Path, *words: Any) -> int:
    return cli.run(["--store", str(folder), *map(str, words)])


def published(folder: Path, report: str = "tranches") -> Path:
    note = folder.parent / f"{report}.note"
    assert salur(folder, "report", report, "--as-of", YEAR_END, "--publish", note) == cli.DONE
    return note


def record(folder: Path, act: Any) -> None:
    """Do something with the ledger, and take it into the log."""
    with closing(Ledger(folder, now=now)) as ledger:
        act(ledger)
        ledger.transparency_log.grow()


def changes(folder: Path, note: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, ...]]:
    """What changed, from the command's CSV: figure, was, now, stream, version, event and contribution."""
    capsys.readouterr()
    assert salur(folder, "audit", "figure", note, "-o", "csv") == cli.DONE
    rows = list(csv.DictReader(StringIO(capsys.readouterr().out)))
    for figure in {row["figure"] for row in rows}:
        parts = [int(row["contribution"]) for row in rows if row["figure"] == figure and row["contribution"]]
        [(was, is_now)] = {(row["was"], row["now"]) for row in rows if row["figure"] == figure}
        assert not parts or sum(parts) == int(is_now or 0) - int(was or 0)
    columns = ("figure", "was", "now", "stream", "version", "event", "contribution")
    return [tuple(row[column] for column in columns) for row in rows]


def broken(folder: Path, note: Path, capsys: pytest.CaptureFixture[str], *options: Any) -> str:
    """What the command says of figures that are not borne out."""
    capsys.readouterr()
    assert salur(folder, "audit", "figure", note, *options) == cli.BROKEN
    told = capsys.readouterr()
    assert told.out == ""
    return told.err


# Published


def test_published_figures_are_one_readable_note_that_no_reader_takes_for_a_checkpoint(folder: Path) -> None:
    data = published(folder).read_bytes()
    lines = data.decode().splitlines()
    assert lines[:2] == [HEAD, "report tranches"]
    assert lines[2:4] == [f"as-of {YEAR_END}", f"size {SIZE}"]
    sha256 = hashlib.sha256((ROOT / "projections/reports/tranches.sql").read_bytes()).hexdigest()
    assert lines[4] == f"sql tranches {sha256}"
    assert [line.split(" ")[:2] for line in lines if line.startswith("sql ")] == [
        ["sql", name] for name in ("tranches", "schedules", "payments", "disbursements")
    ]
    assert "bsu-2020,1,1200000,2,2400000,0,0,0,0,0" in lines
    with closing(Ledger(folder)) as ledger:
        key, newest = ledger.transparency_log.key, ledger.transparency_log.note()
    note = Note.parse(data)
    note.require(key)
    with pytest.raises(ProofFailedError):
        checkpoint_of(note, key)
    assert Figures.parse(note.text).checkpoint == newest
    with pytest.raises(ProofFailedError):
        Figures.parse(newest.text)


def test_every_report_can_be_published_and_is_confirmed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for report in REPORTS:
        assert changes(folder, published(folder, report), capsys) == []


def test_what_is_not_yet_signed_is_not_published(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(Ledger(folder, now=now)) as ledger:
        step(ledger, Step.RETURN, "bsu-2020/1/R000000001")
    note = published(folder)
    assert "bsu-2020,1,1200000,2,2400000,0," in note.read_text()
    assert [row[0] for row in changes(folder, note, capsys)] == [
        "tranches/bsu-2020/1/returned",
        "tranches/bsu-2020/1/open_returns",
    ]


def test_free_texts_with_ends_of_lines_are_published_on_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "Two\nlines\tand — a, comma"
    assert salur(
        folder, "program", "open", "odd", "--name", name, "--kind", "umbrella", "--fiscal-year", 2020,
        "--officer", "siti", "--effective-on", "2020-10-15",
    ) == cli.DONE  # fmt: skip
    note = published(folder, "programs")
    assert "Two\\x0alines\\x09and — a, comma" in note.read_text()
    assert changes(folder, note, capsys) == []


def test_without_the_logs_key_nothing_is_published(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "log" / "key").unlink()
    assert salur(folder, "report", "programs", "--publish", folder / "note") == cli.REFUSED
    assert "[signer_elsewhere]" in capsys.readouterr().err
    assert not (folder / "note").exists()


def test_without_a_log_nothing_is_published(folder_of_2020: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert salur(folder_of_2020, "report", "programs", "--publish", "note") == cli.REFUSED
    assert "[log_missing]" in capsys.readouterr().err


def test_a_point_of_the_log_cannot_be_chosen_for_what_is_published(folder: Path) -> None:
    assert salur(folder, "report", "programs", "--known-at", 5, "--publish", folder / "note") == cli.USAGE


# Changed since


def test_a_return_since_is_told_with_every_figure_it_changed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = published(folder)
    record(folder, lambda ledger: step(ledger, Step.RETURN, "bsu-2020/1/R000000001"))
    event = ("payment/bsu-2020/1/R000000001", "2", "TrancheReturned")
    assert changes(folder, note, capsys) == [
        ("tranches/bsu-2020/1/returned", "0", "1200000", *event, "1200000"),
        ("tranches/bsu-2020/1/open_returns", "0", "1", *event, "1"),
    ]


def test_a_payment_dated_back_changes_what_was_published_of_its_day(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = published(folder, "balances")

    def dated_back(ledger: Ledger) -> None:
        batch = propose(ledger, ["R000000003"], command=by("siti", effective_on=date(2020, 10, 1)))
        approve(ledger, batch, command=by("budi", effective_on=date(2020, 10, 1)))
        cli_words = ("disburse", "run", batch, "--officer", "siti", "--effective-on", "2020-10-01")
        assert salur(folder, *cli_words) == cli.DONE

    record(folder, dated_back)
    paid_now = ("payment/bsu-2020/1/R000000003", "1", "TrancheDisbursed")
    opened = ("program/bsu-2020", "1", "ProgramOpened")
    row = "balances/R000000003/bsu-2020"
    # What they are entitled to was known before; that they are among the paid is new.
    assert changes(folder, note, capsys) == [
        (f"{row}/entitled", "", "2400000", *opened, "2400000"),
        (f"{row}/disbursed", "", "1200000", *paid_now, "1200000"),
        (f"{row}/outstanding", "", "1200000", *opened, "2400000"),
        (f"{row}/outstanding", "", "1200000", *paid_now, "-1200000"),
    ]


def test_a_payment_of_a_later_day_changes_nothing_of_an_earlier_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = folder / "note"
    assert salur(folder, "report", "tranches", "--as-of", TODAY, "--publish", note) == cli.DONE
    later = by("siti", effective_on=date(2020, 10, 16), allow_future=True)
    record(folder, lambda ledger: step(ledger, Step.RETURN, "bsu-2020/1/R000000001", command=later))
    assert changes(folder, note, capsys) == []


def test_a_term_that_changed_is_told_without_events(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(folder, lambda ledger: propose(ledger, ["R000000003"]))
    note = published(folder, "batches")
    [batch] = [row for row in note.read_text().splitlines() if ",proposed," in row]
    batch_id = batch.partition(",")[0]
    record(folder, lambda ledger: approve(ledger, batch_id))
    assert changes(folder, note, capsys) == [
        (f"batches/{batch_id}/status", "proposed", "approved", "", "", "", ""),
        (f"batches/{batch_id}/checker", "", "budi", "", "", "", ""),
    ]


def test_changes_are_printed_for_people_and_as_one_object(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = published(folder)
    assert salur(folder, "audit", "figure", note) == cli.DONE
    assert "nothing changed" in capsys.readouterr().err
    record(folder, lambda ledger: step(ledger, Step.RETURN, "bsu-2020/1/R000000001"))
    assert salur(folder, "audit", "figure", note) == cli.DONE
    told = capsys.readouterr()
    assert "2 values changed" in told.err
    assert "TrancheReturned" in told.out
    assert salur(folder, "audit", "figure", note, "-o", "json") == cli.DONE
    found = json.loads(capsys.readouterr().out)
    assert (found["size"], found["log_size"], found["sql_changed"]) == (SIZE, SIZE + 1, [])
    assert [(row["figure"], row["contribution"]) for row in found["changes"]] == [
        ("tranches/bsu-2020/1/returned", 1_200_000),
        ("tranches/bsu-2020/1/open_returns", 1),
    ]


def test_a_changed_query_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = published(folder)
    figures = Figures.parse(Note.parse(note.read_bytes()).text)
    other = replace(figures, sql=figures.sql | {"tranches": "0" * 64})
    with closing(Ledger(folder)) as ledger:
        note.write_text(str(ledger.transparency_log.signed(str(other))))
        wrong = replace(other, rows=figures.rows.replace("2400000", "2400001"))
        (folder / "wrong").write_text(str(ledger.transparency_log.signed(str(wrong))))
    assert changes(folder, note, capsys) == []
    assert salur(folder, "audit", "figure", note) == cli.DONE
    assert "the SQL of tranches is not the one" in capsys.readouterr().err
    assert "the SQL of tranches changed since" in broken(folder, folder / "wrong", capsys)


def test_a_query_is_known_by_its_name_wherever_its_file_lies(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = published(folder, "trial-balance")
    figures = Figures.parse(Note.parse(note.read_bytes()).text)
    older = {f"projections/{name.replace('-', '_')}.sql": digest for name, digest in figures.sql.items()}
    assert list(older) == ["projections/trial_balance.sql", "projections/postings.sql"]
    with closing(Ledger(folder)) as ledger:
        note.write_text(str(ledger.transparency_log.signed(str(replace(figures, sql=older)))))
    capsys.readouterr()
    assert salur(folder, "audit", "figure", note) == cli.DONE
    assert "Notice sql" not in capsys.readouterr().err
    assert Figures.parse(Note.parse(note.read_bytes()).text).sql == older


@pytest.mark.parametrize(
    "queries",
    [
        {"tranches": "0" * 63},
        {"Tranches": "0" * 64},
        {"../tranches": "0" * 64},
        {"projections/laws/tranches.sql": "0" * 64},
        {"projections/reports/tranches.sql": "0" * 64},
        {"tranches": "0" * 64, "projections/tranches.sql": "0" * 64},
        {},
    ],
    ids=" ".join,
)
def test_a_note_that_names_its_queries_otherwise_is_none(folder: Path, queries: dict[str, str]) -> None:
    figures = Figures.parse(Note.parse(published(folder).read_bytes()).text)
    with pytest.raises(ProofFailedError):
        Figures.parse(str(replace(figures, sql=queries)))


# Not borne out


def test_every_changed_byte_of_a_note_is_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = published(folder)
    good = note.read_bytes()
    for at in range(0, len(good), 61):
        note.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        assert "INTEGRITY BROKEN" in broken(folder, note, capsys), at
    note.write_bytes(good.replace(b"2400000", b"2500000"))
    assert "has not signed this" in broken(folder, note, capsys)


def test_an_event_changed_in_the_store_is_found_by_the_row_it_changes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = published(folder)
    with closing(sqlite3.connect(folder / "events.db")) as database, database:
        database.execute(
            "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '1200000', '1100000') AS BLOB)"
            " WHERE originator_id = 'payment/bsu-2020/1/R000000002'"
        )
    told = broken(folder, note, capsys)
    assert "row 1 of tranches was published as 'bsu-2020,1,1200000,2,2400000," in told
    assert "it is 'bsu-2020,1,1200000,2,2300000," in told


def test_a_store_that_lost_events_is_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = published(folder)
    execute(folder, "DELETE FROM stored_events WHERE rowid > 14")
    assert f"signed over {SIZE} events, the store has 14" in broken(folder, note, capsys)


def test_a_history_written_anew_with_the_key_is_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = published(folder, "destinations")  # its rows do not tell of the event
    with closing(sqlite3.connect(folder / "events.db")) as database, database:
        database.execute(
            "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '1200000', '1100000') AS BLOB)"
            " WHERE originator_id = 'payment/bsu-2020/1/R000000002'"
        )
    key = (folder / "log" / "key").read_bytes()
    origin = (folder / "log" / "checkpoint").read_text().splitlines()[0]
    shutil.rmtree(folder / "log")
    (folder / "log").mkdir()
    (folder / "log" / "key").write_bytes(key)
    with closing(Ledger(folder)) as ledger:
        create_log(folder / "log", ledger.store, origin=origin).grow()
    assert f"first {SIZE} events are not those these figures were signed over" in broken(folder, note, capsys)


def test_figures_of_another_ledger_are_not_believed(
    folder: Path, folder_of_2020: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Path(shutil.copytree(folder_of_2020, tmp_path / "other"))
    with closing(Ledger(other)) as ledger:
        create_log(other / "log", ledger.store, origin="salur/other").grow()
    assert salur(other, "log", "create") == cli.DONE
    note = published(other, "programs")
    assert "has not signed this" in broken(folder, note, capsys)
    key = other / "log" / "verifier-key"
    assert "these figures are of the log salur/other" in broken(folder, note, capsys, "--key", key)
    mine = published(folder)
    assert "has not signed this" in broken(folder, mine, capsys, "--key", key)
    assert salur(folder, "audit", "figure", mine, "--key", folder / "log" / "verifier-key") == cli.DONE


# Explained, with proofs


def test_a_figure_is_explained_with_a_proof_for_each_event(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figure = "programs/bsu-2020/disbursed"
    words = ("audit", "explain", figure, "--as-of", YEAR_END, "--proofs", folder / "proofs", "-o", "json")
    assert salur(folder, *words) == cli.DONE
    found = json.loads(capsys.readouterr().out)
    assert (found["figure"], found["value"], found["count"]) == (figure, 2_400_000, 2)
    assert found["where"] == "program = 'bsu-2020' AND column_name = 'disbursed'"
    assert sum(event["contribution"] for event in found["events"]) == 2_400_000
    with closing(Ledger(folder)) as ledger:
        key = ledger.transparency_log.key
        lines = {event["log_index"]: ledger.store.leaf(event["log_index"]) for event in found["events"]}
    proofs = {int(path.stem): Proof.parse(path.read_bytes()) for path in (folder / "proofs").iterdir()}
    assert proofs.keys() == lines.keys()
    for index, proof in proofs.items():
        assert proof.index == index
        proof.verify(lines[index], key)


def test_a_figure_is_explained_to_people_page_by_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(folder, lambda ledger: pay(ledger, register(ledger, PAGE_EVENTS, first=10)))
    assert salur(folder, "audit", "explain", "tranches/bsu-2020/1/payments", "--as-of", YEAR_END) == cli.DONE
    first = capsys.readouterr().out
    assert "tranches/bsu-2020/1/payments = 52" in first
    assert (
        "Page 1 of 2; 52 events sum to it: projections/reports/explained/tranches.sql WHERE program = 'bsu-2020'"
        in first
    )
    words = ("audit", "explain", "tranches/bsu-2020/1/payments", "--as-of", YEAR_END, "--lang", "id", "--page")
    assert salur(folder, *words, 2) == cli.DONE
    second = capsys.readouterr().out
    assert (first.count("TrancheDisbursed"), second.count("TrancheDisbursed")) == (PAGE_EVENTS, 2)
    assert "Halaman 2 dari 2" in second
    assert salur(folder, *words, 3) == cli.USAGE


def test_no_figure_and_no_explanation_holds_a_persons_data(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert salur(folder, "audit", "explain", "programs/bsu-2020/people", "-o", "csv") == cli.DONE
    told = capsys.readouterr()
    assert nik(1) not in told.out + told.err + published(folder, "balances").read_text()
