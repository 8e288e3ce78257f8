"""A group: funded once, on a roster and papers, and owing an accountability report."""

from dataclasses import dataclass, replace

from ledger.errors import DecreeOutsideYearError, GroupFundedError, PapersMissingError, ReportGivenError
from ledger.events import AccountabilityReported, Event, GroupFunded, GroupJoined
from ledger.program import Program, require_open, require_within


@dataclass(frozen=True)
class Group:
    grant: GroupFunded
    report_ref: str | None = None


def evolve(group: Group | None, event: Event) -> Group | None:
    match event:
        case GroupFunded():
            return Group(event)
        case AccountabilityReported() if group:
            return replace(group, report_ref=event.report_ref)
    return group


def fund(group: Group | None, program: Program, *, grant: GroupFunded) -> list[Event]:
    """Give a group its grant and bind its members to it; the same grant again records nothing."""
    if group is not None:
        # The day the report is due follows from the day of the command, which a repeat may be given on another one.
        if group.grant == grant.model_copy(update={"report_due_on": group.grant.report_due_on}):
            return []
        raise GroupFundedError(program=grant.program, group_id=grant.group_id)
    require_open(program)
    if grant.decree_on.year != program.terms.fiscal_year:
        raise DecreeOutsideYearError(
            group_id=grant.group_id, decree_on=grant.decree_on.isoformat(), fiscal_year=program.terms.fiscal_year
        )
    require_within(program, amount=grant.amount, ceiling=program.terms.ceiling)
    joined = [
        GroupJoined(program=grant.program, recipient_id=member, group_id=grant.group_id) for member in grant.members
    ]
    return [grant, *joined]


def require_papers(group_id: str, *, proposal_ref: str, decree_ref: str, decree_on: str) -> None:
    """Refuse a group that lacks a proposal, a decree or the decree's date."""
    for paper, given in (("proposal", proposal_ref), ("decree", decree_ref), ("decree date", decree_on)):
        if not given:
            raise PapersMissingError(group_id=group_id, paper=paper)


def account(group: Group, *, report_ref: str) -> list[Event]:
    """Record the group's accountability report (LPJ)."""
    if group.report_ref is None:
        return [
            AccountabilityReported(program=group.grant.program, group_id=group.grant.group_id, report_ref=report_ref)
        ]
    if group.report_ref != report_ref:
        raise ReportGivenError(group_id=group.grant.group_id, report_ref=group.report_ref)
    return []
