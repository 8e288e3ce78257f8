from datetime import date

import pytest

from ledger.domain import group as groups
from ledger.domain.errors import LedgerError
from ledger.domain.group import (
    AccountabilityReported,
    DecreeOutsideYearError,
    Group,
    GroupFunded,
    GroupFundedError,
    GroupJoined,
    PapersMissingError,
    ProposalTaken,
    ProposalTakenError,
    ReportGivenError,
)
from ledger.domain.program import CeilingExceededError, Kind, Program, ProgramClosedError, ProgramOpened

TKM = Program(
    ProgramOpened(program="tkm", name="Tenaga Kerja Mandiri", kind=Kind.GROUP_GRANT, ceiling=5000, fiscal_year=2020)
)
GRANT = GroupFunded(
    program="tkm",
    group_id="g1",
    amount=5000,
    members=("R000000001", "R000000002"),
    proposal_ref="P 1",
    decree_ref="SK 1",
    decree_on=date(2020, 9, 1),
    report_due_on=date(2021, 1, 13),
)
REPORT = AccountabilityReported(program="tkm", group_id="g1", report_ref="LPJ 1")
FUNDED = Group(GRANT)
P_1 = "85051de8facc43b399eb4e35d65dd6dd99e3cfb042b0fa9e26c52543322f628b"
"""`printf 'p 1' | sha256sum`."""


def test_a_grant_binds_each_member_to_its_group() -> None:
    assert groups.fund(None, TKM, grant=GRANT, proposal_of=None) == [
        GRANT,
        ProposalTaken(program="tkm", proposal_key=P_1, group_id="g1"),
        GroupJoined(program="tkm", recipient_id="R000000001", group_id="g1"),
        GroupJoined(program="tkm", recipient_id="R000000002", group_id="g1"),
    ]


@pytest.mark.parametrize("proposal_ref", ["P 1", "p 1", " P 1  "])
def test_a_proposal_is_one_groups_however_it_is_written(proposal_ref: str) -> None:
    other = GRANT.model_copy(update={"group_id": "g2", "proposal_ref": proposal_ref})
    assert groups.proposal_key(proposal_ref) == P_1
    with pytest.raises(ProposalTakenError) as refused:
        groups.fund(None, TKM, grant=other, proposal_of="g1")
    assert refused.value.group_id == "g1"
    assert groups.fund(None, TKM, grant=GRANT, proposal_of="g1")[0] == GRANT


def test_the_same_grant_on_a_later_day_records_nothing() -> None:
    assert (
        groups.fund(FUNDED, TKM, grant=GRANT.model_copy(update={"report_due_on": date(2021, 2, 1)}), proposal_of=None)
        == []
    )
    assert groups.fund(FUNDED, Program(TKM.terms, is_closed=True), grant=GRANT, proposal_of=None) == []


@pytest.mark.parametrize(
    "other", [{"amount": 4999}, {"members": ("R000000001",)}, {"proposal_ref": "P 2"}, {"decree_ref": "SK 2"}]
)
def test_a_group_is_funded_once(other: dict[str, object]) -> None:
    with pytest.raises(GroupFundedError):
        groups.fund(FUNDED, TKM, grant=GRANT.model_copy(update=other), proposal_of=None)


@pytest.mark.parametrize(("decree_on", "is_within"), [("2019-12-31", False), ("2020-01-01", True), ("2020-12-31", True), ("2021-01-01", False)])  # fmt: skip
def test_a_decree_is_dated_within_the_fiscal_year(decree_on: str, is_within: bool) -> None:
    grant = GRANT.model_copy(update={"decree_on": date.fromisoformat(decree_on)})
    if is_within:
        assert groups.fund(None, TKM, grant=grant, proposal_of=None)[0] == grant
    else:
        with pytest.raises(DecreeOutsideYearError) as refused:
            groups.fund(None, TKM, grant=grant, proposal_of=None)
        assert refused.value.decree_on == decree_on


def test_of_several_broken_rules_the_first_in_order_is_told() -> None:
    bad = GRANT.model_copy(update={"amount": 5001, "decree_on": date(2021, 1, 1)})
    closed = Program(TKM.terms, is_closed=True)
    told: list[type[LedgerError]] = []
    for known, program, grant in (
        (FUNDED, closed, bad),
        (None, closed, bad),
        (None, TKM, bad),
        (None, TKM, bad.model_copy(update={"decree_on": date(2020, 1, 1)})),
    ):
        with pytest.raises(LedgerError) as refused:
            groups.fund(known, program, grant=grant, proposal_of=None)
        told.append(refused.type)
    assert told == [GroupFundedError, ProgramClosedError, DecreeOutsideYearError, CeilingExceededError]


@pytest.mark.parametrize(
    ("papers", "missing"),
    [
        ({"proposal_ref": "", "decree_ref": "", "decree_on": ""}, "proposal"),
        ({"proposal_ref": "P 1", "decree_ref": "", "decree_on": ""}, "decree"),
        ({"proposal_ref": "P 1", "decree_ref": "SK 1", "decree_on": ""}, "decree date"),
    ],
)
def test_no_papers_no_money(papers: dict[str, str], missing: str) -> None:
    with pytest.raises(PapersMissingError) as refused:
        groups.require_papers("g1", **papers)
    assert refused.value.paper == missing


def test_a_report_is_given_once() -> None:
    assert groups.account(FUNDED, report_ref="LPJ 1") == [REPORT]
    reported = groups.evolve(FUNDED, REPORT)
    assert reported
    assert groups.account(reported, report_ref="LPJ 1") == []
    with pytest.raises(ReportGivenError) as refused:
        groups.account(reported, report_ref="LPJ 2")
    assert refused.value.report_ref == "LPJ 1"
