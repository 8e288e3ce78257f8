"""A group: funded once, on a roster and papers, and owing an accountability report."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated

from pydantic import Field

from ledger.domain.errors import LedgerError, Said
from ledger.domain.event import Event, Role, Stream
from ledger.domain.fields import ROSTER_MAX, Amount, BatchId, GroupId, ProgramCode, RecipientId, Region, Sha256, Text
from ledger.domain.program import Program, require_open, require_within

group_stream = Stream("group/{program}/{group_id}", "funding a group twice")
membership_stream = Stream("membership/{program}/{recipient_id}", "a person in two groups of one program")

proposal_stream = Stream("proposal/{program}/{proposal_key}", "funding two groups of a program on one proposal")


class _GroupEvent(Event):
    STREAM = group_stream
    ROLE = Role.MAKER
    program: ProgramCode
    group_id: GroupId


class GroupFunded(_GroupEvent):
    """A group with a roster and its papers got its grant."""

    TOPIC = "GroupFunded.v1"
    AGREED = "batches"
    NEEDS_OPEN = True
    amount: Amount
    members: Annotated[tuple[RecipientId, ...], Field(min_length=1, max_length=ROSTER_MAX)]
    proposal_ref: Text
    decree_ref: Text
    decree_on: date
    report_due_on: date
    region: Region | None = None
    batch_id: BatchId | None = None
    """The batch that it was agreed to in."""


class GroupJoined(Event):
    """A person is a member of a funded group."""

    TOPIC = "GroupJoined.v1"
    IS_SIGNED = False
    STREAM = membership_stream
    NEEDS_OPEN = False
    NEEDS_ELIGIBLE = False
    program: ProgramCode
    recipient_id: RecipientId
    group_id: GroupId


class ProposalTaken(Event):
    """A proposal is one group's: no other group of the program is funded on it."""

    TOPIC = "ProposalTaken.v1"
    IS_SIGNED = False
    STREAM = proposal_stream
    NEEDS_OPEN = False
    program: ProgramCode
    proposal_key: Sha256
    """The SHA-256 of the proposal's reference, in lower case and without blanks around it."""
    group_id: GroupId


def proposal_key(proposal_ref: str) -> str:
    """What tells proposals apart."""
    return hashlib.sha256(proposal_ref.strip().lower().encode()).hexdigest()


class AccountabilityReported(_GroupEvent):
    """A group accounted for its grant (LPJ)."""

    TOPIC = "AccountabilityReported.v1"
    NEEDS_OPEN = False
    report_ref: Text


class GroupUnknownError(LedgerError):
    """No such group was funded."""

    code = "group_unknown"
    sentence = "no group {group_id} in {program}{nearest}; see `salur report groups`"
    program: str
    group_id: str
    nearest: Said = Said("")


class GroupFundedError(LedgerError):
    """The group already has its grant."""

    code = "group_already_funded"
    sentence = "group {group_id} of {program} was already funded on other papers; a group is funded once"
    program: str
    group_id: str


class ProposalTakenError(LedgerError):
    """Another group of the program has that proposal."""

    code = "proposal_taken"
    sentence = (
        "proposal {proposal_ref} is that of group {group_id} in {program}; a decree may name many groups, a proposal is one "
        "group's: give this group its own"
    )
    proposal_ref: str
    group_id: str
    program: str


class PapersMissingError(LedgerError):
    """A group without its papers gets no money."""

    code = "papers_missing"
    sentence = "group {group_id} has no {paper}; no papers, no money"
    group_id: str
    paper: str


class DecreeOutsideYearError(LedgerError):
    """The decree is dated outside the program's fiscal year."""

    code = "decree_outside_fiscal_year"
    sentence = (
        "the decree of group {group_id} is dated {decree_on}, outside fiscal year {fiscal_year}; give one of that year"
    )
    group_id: str
    decree_on: str
    fiscal_year: int


class GrantsMadeError(LedgerError):
    """All groups that are proposed have their grants already."""

    code = "grants_made"
    sentence = (
        "all {count} groups that could be funded are funded already, on the same papers; see `salur report groups`"
    )
    count: int


class RosterInvalidError(LedgerError):
    """A member of the roster cannot be taken, so the group cannot be funded."""

    code = "roster_invalid"
    sentence = "group {group_id} has {bad_members} members that cannot be taken; correct them and give the group again"
    group_id: str
    bad_members: int


class MemberElsewhereError(LedgerError):
    """A person is in one group of a program only."""

    code = "member_elsewhere"
    sentence = "this person is already in group {group_id} of {program}; name another member"
    program: str
    group_id: str


class ReportGivenError(LedgerError):
    """The group's accountability report is already in."""

    code = "report_given"
    sentence = "the report of group {group_id} is already recorded as {report_ref}; check which group this one is from"
    group_id: str
    report_ref: str


@dataclass(frozen=True)
class Group:
    """One funded group, and whether it has accounted for its grant."""

    grant: GroupFunded
    report_ref: str | None = None


def evolve(group: Group | None, event: Event) -> Group | None:
    """The group after one more event."""
    match event:
        case GroupFunded():
            return Group(event)
        case AccountabilityReported() if group:
            return replace(group, report_ref=event.report_ref)
    return group


def fund(group: Group | None, program: Program, *, grant: GroupFunded, proposal_of: str | None) -> list[Event]:
    """Give a group its grant and bind its members and its proposal to it; the same grant again records nothing.

    `proposal_of` is the group that the proposal belongs to already.
    """
    if group is not None:
        # The day the report is due follows from the day of the command, which a repeat may be given on another one.
        own = {"report_due_on": group.grant.report_due_on, "batch_id": group.grant.batch_id}
        if group.grant == grant.model_copy(update=own):
            return []
        raise GroupFundedError(program=grant.program, group_id=grant.group_id)
    require_open(program)
    if grant.decree_on.year != program.terms.fiscal_year:
        raise DecreeOutsideYearError(
            group_id=grant.group_id, decree_on=grant.decree_on.isoformat(), fiscal_year=program.terms.fiscal_year
        )
    require_within(program, amount=grant.amount, ceiling=program.terms.ceiling)
    if proposal_of not in (None, grant.group_id):
        raise ProposalTakenError(proposal_ref=grant.proposal_ref, group_id=proposal_of, program=grant.program)
    key = proposal_key(grant.proposal_ref)
    taken = ProposalTaken(program=grant.program, proposal_key=key, group_id=grant.group_id)
    joined = [
        GroupJoined(program=grant.program, recipient_id=member, group_id=grant.group_id) for member in grant.members
    ]
    return [grant, taken, *joined]


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
