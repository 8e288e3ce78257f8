"""Reports of more rows than anybody reads: cut for people, whole for programs."""

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.application.ledger import Ledger
from ledger.console.tables import to_csv, to_json
from projections.reports import engine
from projections.reports.catalogue import PROJECTIONS
from projections.reports.engine import Reports
from tests.projections.archives import YEAR_END, shell
from tests.projections.book_of_events import Book


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
