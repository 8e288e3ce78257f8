"""A report is one record beside its SQL: what is amiss is named, with what to write where."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import click
import pytest

import cli
from ledger.console.columns import Column, Holds, Layout, column, columns
from projections.reports.catalogue import PROJECTIONS, RELATIONS, REPORTS, read_alone
from projections.reports.engine import Reports, described
from projections.reports.record import CATALOGUE, Projection, Report, explained, flaws
from tests.projections.book_of_events import Book

ROOT = Path(__file__).parents[2]
ROOM = "projections/reports"
STEPS = explained("money_steps.sql")
"""What explanations read, and so explain as well."""


def flaws_of_explanation(report: Report) -> list[str]:
    """Sums that a report's explanation does not speak of."""
    path = ROOT / ROOM / "explained" / report.file
    text = path.read_text() + STEPS if path.exists() else ""
    return [
        f"{ROOM}/explained/{report.file} does not explain {name!r}: write a row for each event that adds to it, or say in"
        f" not_sums of {report.name} in {CATALOGUE} why it is no sum"
        for name in report.sums
        if not re.search(rf"[',]{name}[',]", text)
    ]


def flaws_of_room(projections: dict[str, Projection]) -> list[str]:
    """Queries without a record, and records without a query."""
    lying = {path.name for path in (ROOT / ROOM).glob("*.sql")}
    recorded = {each.file for each in projections.values()}
    return [
        *(f"{ROOM}/{file} has no record: add one to {CATALOGUE}" for file in sorted(lying - recorded)),
        *(f"{CATALOGUE} has a record without a query: write {ROOM}/{file}" for file in sorted(recorded - lying)),
    ]


def test_no_record_is_amiss(book: Book) -> None:
    with Reports(book.recorder) as reports:
        found = [flaw for each in PROJECTIONS.values() for flaw in flaws(each, described(reports.connection, each.sql))]
    found += [flaw for each in REPORTS.values() for flaw in flaws_of_explanation(each)]
    assert found + flaws_of_room(PROJECTIONS) == []


def test_a_relation_reads_only_those_before_it() -> None:
    for nth, each in enumerate(RELATIONS.values()):
        read = set(re.findall(r"\b(?:FROM|JOIN) (\w+)", each.sql))
        assert read.isdisjoint(list(RELATIONS)[nth:]), each.name


def test_a_person_is_told_every_report_and_what_it_tells(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["report", "--help"]) == cli.DONE
    told = " ".join(capsys.readouterr().out.split())
    for name, each in REPORTS.items():
        assert f"{name} {each.tells}" in told
    assert set(REPORTS) < set(read_alone())


def test_a_name_that_is_no_report_is_told_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["report", "programmes"]) == cli.USAGE
    assert "'programs', 'tranches'" in capsys.readouterr().err


def test_the_shell_completes_the_names_of_reports() -> None:
    command = cli.salur.commands["report"]
    [argument] = [each for each in command.params if each.name == "name"]
    found = argument.type.shell_complete(click.Context(command), argument, "tr")
    assert [each.value for each in found] == ["tranches", "training", "trial-balance"]


def test_each_column_has_a_heading_in_both_languages() -> None:
    found = [each for projection in PROJECTIONS.values() for each in projection.columns]
    assert [each for each in found if not (each.english and each.indonesian)] == []


# A record that is amiss

ISSUED = Column("issued", Holds.COUNT, "Issued", "Diterbitkan", is_added_up=True)
VOUCHERS = Report(name="vouchers", tells="Vouchers.", keys=("program",), columns=columns("program fiscal_year", ISSUED))
GIVEN = [("program", "VARCHAR"), ("fiscal_year", "BIGINT"), ("issued", "DECIMAL(38,0)")]


@pytest.mark.parametrize(
    ("given", "sentences"),
    [
        (GIVEN, []),
        ([*GIVEN, ("redeemed", "BIGINT")], ["the query gives 'redeemed' (BIGINT), which the record does not name"]),
        (GIVEN[:2], ["the query gives no 'issued'"]),
        ([GIVEN[1], GIVEN[0], GIVEN[2]], ["in the order of the query: fiscal_year program issued"]),
        ([*GIVEN[:2], ("issued", "DATE")], ["the query gives 'issued' as DATE, which is no COUNT"]),
        ([("program", "BIGINT"), *GIVEN[1:]], ["the query gives 'program' as BIGINT, which is no TEXT"]),
        ([*GIVEN[:2], ("issued", "DOUBLE")], ["the query gives 'issued' as DOUBLE, which is no COUNT"]),
    ],
)
def test_a_record_that_is_not_what_its_query_gives_is_told_what_to_write(
    given: Sequence[tuple[str, str]], sentences: list[str]
) -> None:
    found = flaws(VOUCHERS, given)
    assert len(found) == len(sentences)
    for flaw, sentence in zip(found, sentences, strict=True):
        assert flaw.startswith("projections/reports/catalogue.py: vouchers: ")
        assert sentence in flaw


def test_a_sum_that_no_event_explains_is_told_where_to_explain_it() -> None:
    [flaw] = flaws_of_explanation(VOUCHERS)
    assert flaw == (
        "projections/reports/explained/vouchers.sql does not explain 'issued': write a row for each event that adds to"
        " it, or say in not_sums of vouchers in projections/reports/catalogue.py why it is no sum"
    )
    assert flaws_of_explanation(replace(VOUCHERS, not_sums={"issued": "it is a term"})) == []
    # A number that names something is no sum, and needs no reason.
    assert (VOUCHERS.sums, VOUCHERS.why_no_sum("fiscal_year")) == (("issued",), "it is a number that names something")


def test_a_query_without_a_record_and_a_record_without_a_query_are_named() -> None:
    without = {name: each for name, each in PROJECTIONS.items() if name != "aid"}
    projections: dict[str, Projection] = {**without, "vouchers": VOUCHERS}
    assert flaws_of_room(projections) == [
        "projections/reports/aid.sql has no record: add one to projections/reports/catalogue.py",
        "projections/reports/catalogue.py has a record without a query: write projections/reports/vouchers.sql",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"keys": ("code",)},
        {"not_sums": {"code": "…"}},
        {"layout": Layout(one_of="code")},
        {"layout": Layout(parent="code")},
    ],
    ids=str,
)
def test_a_record_that_names_a_column_it_has_not_is_no_record(wrong: dict[str, object]) -> None:
    with pytest.raises(LookupError, match="vouchers has no column 'code'"):
        replace(VOUCHERS, **wrong)  # type: ignore[arg-type]  # one of its fields


def test_a_column_that_nobody_defined_is_told_where_to_define_it() -> None:
    with pytest.raises(LookupError, match=r"no column is called 'colour': define it in ledger/console/columns[.]py"):
        columns("program colour")


def test_a_report_whose_record_is_amiss_is_not_printed(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    aid = REPORTS["aid"]
    monkeypatch.setitem(PROJECTIONS, "aid", replace(aid, columns=aid.columns[:-1]))
    with Reports(book.recorder) as reports, pytest.raises(LookupError, match="which the record does not name"):
        reports.run("aid", as_of=date.max)


def test_a_column_is_added_up_where_a_report_says_so() -> None:
    assert [each.is_added_up for each in (column("amount"), REPORTS["returns"].column("amount"))] == [False, True]
    assert [each.is_added_up for each in (column("groups"), REPORTS["training"].column("groups"))] == [True, False]
