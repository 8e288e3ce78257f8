from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from ledger.application import chunks, grants, programs
from ledger.application.grants import Terms, whole_groups
from ledger.application.ledger import Ledger
from ledger.domain.group import (
    AccountabilityReported,
    GroupFunded,
    GroupJoined,
    PapersMissingError,
    ProposalTaken,
    proposal_key,
)
from ledger.domain.officer import RoleMissingError
from ledger.domain.program import FundsReserved, FundsSpent
from ledger.files.rejects import Reject
from ledger.files.tables import Row
from tests.acts import BUDI, SITI, TODAY, Told, by, fund, kept, log, members, nik, register

TKM = "tkm-2020"
GRANT = 40_000_000


def funded(group_id: str, *recipients: str, **fields: object) -> GroupFunded:
    given = {
        "amount": GRANT,
        "proposal_ref": f"P {group_id}",
        "decree_ref": "SK 1",
        "decree_on": date(2020, 9, 1),
        "report_due_on": TODAY + timedelta(days=90),
    }
    return GroupFunded(program=TKM, group_id=group_id, members=recipients, **given | fields)  # type: ignore[arg-type]


def joined(group_id: str, *recipients: str) -> list[GroupJoined]:
    return [GroupJoined(program=TKM, recipient_id=each, group_id=group_id) for each in recipients]


def sums(amount: int) -> tuple[FundsReserved, FundsSpent]:
    told: dict[str, Any] = {"program": TKM, "amount": amount, "reserved_for": f"groups of {TKM}"}
    return FundsReserved(**told), FundsSpent(**told)


def papers(group_id: str, recipient: str, *cells: str, line: int = 2) -> Row:
    return Row(line, (group_id, recipient, *cells))


def test_groups_with_their_papers_get_their_grants_in_one_sum(ledger: Ledger) -> None:
    one, two, three = register(ledger, 3)
    since = len(log(ledger))
    tally = fund(
        ledger,
        papers("g1", two, "Rp30.000.000,-", "P 7", "SK 7", "2020-08-01", "32.73"),
        papers("g1", nik(1), "", "", "", "", "", line=3),
        *members("g2", three, first_line=4),
    )
    reserved, spent = sums(70_000_000)
    first = funded(
        "g1",
        one,
        two,
        amount=30_000_000,
        proposal_ref="P 7",
        decree_ref="SK 7",
        decree_on=date(2020, 8, 1),
        region="32.73",
    )
    assert log(ledger, since) == [
        reserved,
        first,
        ProposalTaken(program=TKM, proposal_key=proposal_key("P 7"), group_id="g1"),
        *joined("g1", one, two),
        funded("g2", three),
        ProposalTaken(program=TKM, proposal_key=proposal_key("P g2"), group_id="g2"),
        *joined("g2", three),
        spent,
    ]
    assert tally.taken == 2


def test_the_same_file_on_a_later_day_adds_nothing(ledger: Ledger) -> None:
    rows_of_file = [*members("g1", *register(ledger, 2)), *members("g2", *register(ledger, 2, first=3), first_line=4)]
    fund(ledger, *rows_of_file)
    before = kept(ledger)
    later = by("siti", effective_on=TODAY + timedelta(days=30), allow_future=True)
    assert fund(ledger, *rows_of_file, command=later).repeated == 2
    assert kept(ledger) == before
    programs.close_program(ledger, BUDI, program=TKM, reason="year-end")
    before = kept(ledger)
    assert fund(ledger, *rows_of_file, command=later).repeated == 2
    assert kept(ledger) == before


@pytest.mark.parametrize(
    ("terms", "paper"),
    [
        (Terms(amount="1", decree="SK 1", decree_on="2020-09-01"), "proposal"),
        (Terms(amount="1", proposal="P 1", decree_on="2020-09-01"), "decree"),
        (Terms(amount="1", proposal="P 1", decree="SK 1"), "decree date"),
    ],
)
def test_no_papers_no_money(ledger: Ledger, terms: Terms, paper: str) -> None:
    rows_of_file = members("g1", *register(ledger, 1), proposal="")
    before = kept(ledger)
    with pytest.raises(PapersMissingError) as refused:
        fund(ledger, *rows_of_file, terms=terms)
    assert refused.value.paper == paper
    assert kept(ledger) == before


def refused_codes(ledger: Ledger, *rows_of_file: Row, terms: Terms | None = None) -> list[tuple[int, str, str]]:
    told, before = Told(), kept(ledger)
    fund(ledger, *rows_of_file, on_reject=told, **({"terms": terms} if terms else {}))  # type: ignore[arg-type]
    assert kept(ledger) == before
    return told.codes


def test_each_bad_member_is_named_and_their_group_gets_nothing(ledger: Ledger) -> None:
    one, two, three = register(ledger, 3)
    fund(ledger, *members("g1", one))
    assert refused_codes(ledger, *members("g2", two, nik(9), one, two)) == [
        (2, "group", "roster_invalid"),
        (3, "recipient", "recipient_unknown"),
        (4, "recipient", "member_elsewhere"),
        (5, "recipient", "duplicate_in_file"),
    ]
    assert fund(ledger, *members("g2", two, three)).taken == 1


def test_a_bad_group_does_not_stop_the_others(ledger: Ledger) -> None:
    one, two = register(ledger, 2)
    told = Told()
    tally = fund(
        ledger,
        *members("g1", one),
        *members("g2", nik(9), first_line=3),
        *members("g3", two, first_line=4),
        on_reject=told,
    )
    assert tally.taken == 2
    assert told.codes == [(3, "recipient", "recipient_unknown"), (3, "group", "roster_invalid")]


def test_of_a_groups_several_broken_rules_the_first_in_order_is_told(ledger: Ledger) -> None:
    """Roster, papers, amount, date, form; then decree's year, ceiling, budget."""
    one, two = register(ledger, 2)
    programs.set_budget(ledger, BUDI, program=TKM, budget=GRANT - 1)

    def told(recipient: str, *cells: str, group_id: str = "g1") -> list[str]:
        return [code for _, _, code in refused_codes(ledger, papers(group_id, recipient, *cells), terms=Terms())]

    assert told(nik(9), "", "", "", "", "") == ["recipient_unknown", "roster_invalid"]
    assert told(one, "", "", "", "", "") == ["papers_missing"]
    assert told(one, "", "P 1", "SK 1", "later", "x") == ["value_invalid"]
    assert told(one, "much", "P 1", "SK 1", "later", "x") == ["amount_invalid"]
    assert told(one, "50000000", "P 1", "SK 1", "later", "x") == ["date_invalid"]
    assert told(one, "50000000", "P 1", "SK 1", "2021-01-01", "x") == ["value_invalid"]
    assert told(one, "50000000", "P 1", "SK 1", "2021-01-01", "") == ["decree_outside_fiscal_year"]
    assert told(one, "50000000", "P 1", "SK 1", "2020-01-01", "") == ["ceiling_exceeded"]
    assert told(one, "40000000", "P 1", "SK 1", "2020-01-01", "") == ["budget_exceeded"]
    assert told(two, "39999999", "P 1", "SK 1", "2020-01-01", "", group_id=nik(1)) == ["value_invalid"]


def test_groups_are_funded_up_to_the_budget_and_the_next_is_refused(ledger: Ledger) -> None:
    one, two, three = register(ledger, 3)  # 100 million are two grants of 40 and not three
    told = Told()
    tally = fund(
        ledger, *members("g1", one), *members("g2", two, first_line=3), *members("g3", three, first_line=4), on_reject=told
    )  # fmt: skip
    assert tally.taken == 2
    assert told.codes == [(4, "group", "budget_exceeded")]


def test_a_person_is_in_one_group_even_within_one_file(ledger: Ledger) -> None:
    [one] = register(ledger, 1)
    told = Told()
    fund(ledger, *members("g1", one), *members("g2", one, first_line=3), on_reject=told)
    assert told.codes == [(3, "recipient", "member_elsewhere"), (3, "group", "roster_invalid")]


def test_only_a_maker_funds(ledger: Ledger) -> None:
    rows_of_file = members("g1", *register(ledger, 1))
    with pytest.raises(RoleMissingError):
        fund(ledger, *rows_of_file, command=BUDI)


def chunks_of(sizes: Sequence[int]) -> list[list[str]]:
    rows_of_file: list[Row | Reject] = [
        row
        for number, size in enumerate(sizes)
        for row in members(f"g{number}", *(f"R{each:09}" for each in range(size)))
    ]
    parts = list(whole_groups(rows_of_file))
    assert [row for part in parts for row in part] == rows_of_file
    return [[row.values[0] for row in part if isinstance(row, Row)] for part in parts]


@pytest.mark.parametrize("sizes", [[1], [3], [2, 2, 2], [1, 5, 1], [4, 1, 1, 1, 1], [1] * 7])
def test_a_chunk_never_cuts_a_group(monkeypatch: pytest.MonkeyPatch, sizes: list[int]) -> None:
    monkeypatch.setattr(grants, "CHUNK_ROWS", 3)
    parts = chunks_of(sizes)
    for before, after in pairwise(parts):
        assert before[-1] != after[0]
        assert len(before) >= 3
    assert all(len(part) <= 3 + max(sizes) for part in parts)


def test_the_same_groups_are_funded_whatever_the_size_of_the_chunks(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (grants, chunks):
        monkeypatch.setattr(module, "CHUNK_ROWS", 2)
    recipients = register(ledger, 5)
    terms = Terms(amount="1000000", proposal="P 1", decree="SK 1", decree_on="2020-09-01")
    tally = fund(ledger, *members("g1", *recipients[:3]), *members("g2", *recipients[3:], first_line=5), terms=terms)
    assert tally.taken == 2
    rosters = [event.members for event in log(ledger) if isinstance(event, GroupFunded)]
    assert rosters == [tuple(recipients[:3]), tuple(recipients[3:])]


def test_reports_of_a_file_are_recorded_once_and_the_others_named(ledger: Ledger) -> None:
    fund(ledger, *members("g1", *register(ledger, 1)))
    since = len(log(ledger))
    rows_of_file = [
        Row(2, ("g1", "LPJ 1")),
        Row(3, ("g1", "LPJ 1")),
        Row(4, ("g1", "LPJ 2")),
        Row(5, ("g9", "LPJ 9")),
        Row(6, ("g1", "")),
        Row(7, ("g1", nik(1))),
    ]
    for taken, repeated in ((1, 1), (0, 2)):
        told = Told()
        tally = grants.account_many(ledger, SITI, rows_of_file, program=TKM, on_reject=told)
        assert (tally.taken, tally.repeated) == (taken, repeated)
        assert [(line, code) for line, _, code in told.codes] == [
            (4, "report_given"),
            (5, "group_unknown"),
            (6, "papers_missing"),
            (7, "value_invalid"),
        ]
    assert log(ledger, since) == [AccountabilityReported(program=TKM, group_id="g1", report_ref="LPJ 1")]
