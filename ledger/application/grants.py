"""Funding groups: a roster, a proposal and a decree, or no money."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import groupby

from ledger.application import listed
from ledger.application.agreements import require_adopted, rules_bind
from ledger.application.attempt import Attempt, Command
from ledger.application.batches import Proposed
from ledger.application.chunks import CHUNK_ROWS, Chunk, Fill, OnProgress, OnReject, Tally, in_chunks
from ledger.application.given import built, require_texts
from ledger.application.ledger import Ledger
from ledger.application.listed import Asked, Listing
from ledger.application.people import RecipientIndex
from ledger.application.requests import Request
from ledger.domain import group as groups
from ledger.domain import program as programs
from ledger.domain.agreement import AgreementNeededError
from ledger.domain.batch import ListKind
from ledger.domain.errors import LedgerError, Said, ValueInvalidError
from ledger.domain.event import Event, Role
from ledger.domain.group import (
    AccountabilityReported,
    GrantsMadeError,
    GroupFunded,
    GroupFundedError,
    GroupJoined,
    MemberElsewhereError,
    PapersMissingError,
    ProposalTaken,
    RosterInvalidError,
    group_stream,
    membership_stream,
    proposal_key,
    proposal_stream,
)
from ledger.domain.program import FundsSpent, Program
from ledger.domain.recipient import DuplicateInFileError, RecipientRegistered
from ledger.files.amounts import DecimalMark, parse_amount
from ledger.files.dates import DateOrder, parse_date
from ledger.files.rejects import Reject
from ledger.files.tables import Field, Row
from ledger.store.entries import Entry

FIELDS = (
    Field("group", ("group", "group id", "kelompok", "kode kelompok"), required=True, identifier=True),
    Field("recipient", ("recipient", "recipient id", "member", "anggota", "nik"), required=True, identifier=True),
    Field("amount", ("amount", "jumlah", "nominal")),
    Field("proposal", ("proposal", "proposal ref", "nomor proposal")),
    Field("decree", ("decree", "decree ref", "sk", "nomor sk")),
    Field("decree_on", ("decree on", "decree date", "tanggal sk")),
    Field("region", ("region", "wilayah", "kode wilayah"), identifier=True),
)
"""A row a member; the rows of a group follow one another, and its papers stand in the first of them."""
REPORT_DUE_DAYS = 90
"""The days that a group has where its program sets none."""


@dataclass(frozen=True)
class Terms:
    """How the values of a grant's rows are to be read, and what serves rows that leave them empty."""

    amount: str = ""
    proposal: str = ""
    decree: str = ""
    decree_on: str = ""
    region: str = ""
    date_order: DateOrder | None = None
    decimal_mark: DecimalMark | None = None


def fund(
    ledger: Ledger,
    command: Command,
    rows: Iterable[Row | Reject],
    *,
    program: str,
    terms: Terms,
    on_reject: OnReject,
    on_progress: OnProgress = lambda _: None,
) -> Tally:
    """Fund each group of a file (rows as in `FIELDS`) whose roster and papers are in order, until the rules bind.

    A bad member refuses the whole group, and each of its bad members is named. A chunk holds whole groups; its money
    is reserved and spent in one sum.
    """
    decide = _deciding(ledger, command, program, terms)

    def fill(attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
        if rules_bind(attempt):
            raise AgreementNeededError(command="salur group propose")
        require_adopted(attempt)
        decide(attempt, rows, chunk)

    return in_chunks(ledger, command, rows, fill, on_reject=on_reject, on_progress=on_progress, chunks=whole_groups)


@dataclass(frozen=True)
class GrantList:
    """A list of grants as a maker asks for it."""

    program: str
    terms: Terms
    file_sha256: str
    """Of the file that the rows come from."""
    batch_id: str | None = None
    """None for an id made of the program and the list's hash."""


def propose(
    ledger: Ledger,
    command: Command,
    rows: Iterable[Row | Reject],
    *,
    asked: GrantList,
    on_reject: OnReject,
    on_progress: OnProgress = lambda _: None,
) -> Proposed:
    """Put the groups of a file up for approval whose roster and papers are in order, as a batch."""
    return listed.propose(
        ledger,
        command,
        rows,
        listing=GRANTS,
        asked=Asked("group propose", asked.program, asked.file_sha256, asked.batch_id, asdict(asked.terms)),
        fill=_deciding(ledger, command, asked.program, asked.terms, batch_id=asked.batch_id),
        chunks=whole_groups,
        on_reject=on_reject,
        on_progress=on_progress,
    )


def _again(attempt: Attempt, grants: Sequence[GroupFunded]) -> Callable[[GroupFunded], list[Event]]:
    """How each grant of a chunk is decided anew."""
    program = grants[0].program
    funding = attempt.program(program)
    ids = sorted({member for grant in grants for member in grant.members})
    people = RecipientIndex(attempt.ledger, attempt, ids)
    members = attempt.first([membership_stream(program, each) for each in ids])
    joined = {e.recipient_id: e.group_id for e in members.values() if isinstance(e, GroupJoined)}
    known = attempt.load_many([grant.stream for grant in grants], groups.evolve)
    proposals = _proposals(attempt, program, (grant.proposal_ref for grant in grants))

    def decide(grant: GroupFunded) -> list[Event]:
        before = known.get(grant.stream)
        if before is None:
            for member in grant.members:
                _require_free(people[member], funding, joined, grant.group_id)
        elif before.grant.batch_id != grant.batch_id:
            raise GroupFundedError(program=program, group_id=grant.group_id)
        proposal = proposal_key(grant.proposal_ref)
        events = groups.fund(before, funding, grant=grant, proposal_of=proposals.get(proposal))
        proposals[proposal] = grant.group_id
        joined.update(dict.fromkeys(grant.members, grant.group_id))
        return events

    return decide


def _proposals(attempt: Attempt, program: str, references: Iterable[str]) -> dict[str, str]:
    """Key of a proposal → the group that it belongs to, of those that belong to one."""
    streams = [proposal_stream(program, proposal_key(each)) for each in references if each]
    taken = attempt.first(sorted(set(streams)))
    return {e.proposal_key: e.group_id for e in taken.values() if isinstance(e, ProposalTaken)}


def _as_asked(grant: GroupFunded) -> GroupFunded:
    """The day its report is due follows from the day of the command."""
    return grant.model_copy(update={"report_due_on": grant.decree_on})


GRANTS = Listing(
    kind=ListKind.GRANTS,
    event=GroupFunded,
    again=_again,
    name=("group", lambda grant: grant.group_id),
    all_done=lambda count: GrantsMadeError(count=count),
    as_asked=_as_asked,
)


def _require_free(person: RecipientRegistered, program: Program, joined: dict[str, str], group_id: str) -> None:
    """Refuse a member whom the program is not for, or who is in another group of it."""
    programs.require_eligible(program, person.category)
    elsewhere = joined.get(person.recipient_id, group_id)
    if elsewhere != group_id:
        raise MemberElsewhereError(program=program.code, group_id=elsewhere)


def _deciding(ledger: Ledger, command: Command, program: str, terms: Terms, *, batch_id: str | None = None) -> Fill:
    """How a chunk of rows funds groups. What the batch that is proposed has funded belongs to its list: the same file
    gives the same list again."""

    def fill(attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
        attempt.officer(Role.MAKER)
        funding = attempt.program(program)
        people = RecipientIndex(ledger, attempt, (row.values[1] for row in rows))
        ids = {found.recipient_id for row in rows if (found := people.get(row.values[1]))}
        members = attempt.first([membership_stream(program, each) for each in sorted(ids)])
        rosters = [list(part) for _, part in groupby(rows, key=lambda row: row.values[0])]
        known = attempt.load_many([group_stream(program, roster[0].values[0]) for roster in rosters], groups.evolve)
        joined = {e.recipient_id: e.group_id for e in members.values() if isinstance(e, GroupJoined)}
        proposals = _proposals(attempt, program, (roster[0].values[3] or terms.proposal for roster in rosters))
        spent = 0
        for roster in rosters:
            first = roster[0]
            try:
                recipient_ids = _roster(roster, people, funding, joined, chunk)
                grant = _grant(ledger, command, funding, first, recipient_ids, terms)
                before = known.get(grant.stream)
                proposal = proposal_key(grant.proposal_ref)
                events = groups.fund(before, funding, grant=grant, proposal_of=proposals.get(proposal))
                if before is not None and batch_id is not None and before.grant.batch_id == batch_id:
                    chunk.take([before.grant])
                    continue
                if events:
                    programs.reserve(funding, amount=spent + grant.amount, reserved_for=f"groups of {program}")
            except LedgerError as error:
                chunk.refuse(first, error, field="group", text=first.values[0])
                continue
            chunk.take(events)
            if events:
                spent += grant.amount
                known[grant.stream] = groups.Group(grant)
                proposals[proposal] = grant.group_id
                joined.update(dict.fromkeys(recipient_ids, grant.group_id))
        if spent:
            reserved_for = f"groups of {program}"
            chunk.events[:0] = programs.reserve(funding, amount=spent, reserved_for=reserved_for)
            chunk.events.append(FundsSpent(program=program, amount=spent, reserved_for=reserved_for))

    return fill


def _roster(
    roster: list[Row], people: RecipientIndex, program: Program, joined: dict[str, str], chunk: Chunk
) -> tuple[str, ...]:
    """The recipients of a group, in order of id; each that cannot be taken is refused by its own row."""
    group_id = roster[0].values[0]
    lines: dict[str, int] = {}
    bad_members = 0
    for row in roster:
        try:
            person = people[row.values[1]]
            _require_free(person, program, joined, group_id)
            if person.recipient_id in lines:
                raise DuplicateInFileError(first=f"line {lines[person.recipient_id]}")
        except LedgerError as error:
            bad_members += 1
            chunk.refuse(row, error, field="recipient", text=row.values[1])
        else:
            lines[person.recipient_id] = row.line
    if bad_members:
        raise RosterInvalidError(group_id=group_id, bad_members=bad_members)
    return tuple(sorted(lines))


def _grant(
    ledger: Ledger, command: Command, program: Program, first: Row, members: tuple[str, ...], terms: Terms
) -> GroupFunded:
    group_id, _, amount, proposal, decree, decree_on, region = first.values
    amount, proposal, decree = amount or terms.amount, proposal or terms.proposal, decree or terms.decree
    decree_on = decree_on or terms.decree_on
    groups.require_papers(group_id, proposal_ref=proposal, decree_ref=decree, decree_on=decree_on)
    if not amount:
        raise ValueInvalidError(field="amount", problem=Said("missing; add a column or give --amount"))
    due_days = program.terms.report_due_days or REPORT_DUE_DAYS
    return built(
        GroupFunded,
        program=program.code,
        group_id=group_id,
        amount=parse_amount(amount, ledger.currency, terms.decimal_mark),
        members=members,
        proposal_ref=proposal,
        decree_ref=decree,
        decree_on=parse_date(decree_on, terms.date_order),
        report_due_on=command.effective_on + timedelta(days=due_days),
        region=region or terms.region or None,
    )


def whole_groups(rows: Iterable[Row | Reject]) -> Iterator[list[Row | Reject]]:
    """Chunks that never cut a group whose rows follow one another."""
    part: list[Row | Reject] = []
    last_group = None
    for row in rows:
        group_id = row.values[0] if isinstance(row, Row) else last_group
        if len(part) >= CHUNK_ROWS and group_id != last_group:
            yield part
            part = []
        part.append(row)
        last_group = group_id
    if part:
        yield part


def account(ledger: Ledger, command: Command, *, program: str, group_id: str, report_ref: str) -> list[Entry]:
    """Record a group's accountability report (LPJ)."""
    require_texts(report_ref=report_ref)

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer(Role.MAKER)
        attempt.program(program)
        return groups.account(attempt.group(program, group_id), report_ref=report_ref)

    inputs = {"program": program, "group": group_id, "report": report_ref}
    return ledger.carry_out(command, decide, request=Request("group report", inputs))


REPORT_FIELDS = (
    Field("group", ("group", "group id", "kelompok", "kode kelompok"), required=True, identifier=True),
    Field("report", ("report", "report ref", "lpj", "nomor lpj")),
)


def account_many(
    ledger: Ledger,
    command: Command,
    rows: Iterable[Row | Reject],
    *,
    program: str,
    on_reject: OnReject,
    on_progress: OnProgress = lambda _: None,
) -> Tally:
    """Record the accountability reports of a file (rows as in `REPORT_FIELDS`)."""

    def fill(attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
        attempt.officer(Role.MAKER)
        attempt.program(program)
        known = attempt.load_many([group_stream(program, row.values[0]) for row in rows], groups.evolve)

        def decide(row: Row) -> list[Event]:
            group_id, report_ref = row.values
            stream = group_stream(program, group_id)
            if not report_ref:
                raise PapersMissingError(group_id=group_id, paper="report reference")
            group = known.get(stream) or attempt.group(program, group_id)
            built(AccountabilityReported, program=program, group_id=group_id, report_ref=report_ref)
            events = groups.account(group, report_ref=report_ref)
            for event in events:
                known[stream] = groups.evolve(group, event) or group
            return events

        chunk.each(rows, REPORT_FIELDS, decide)

    return in_chunks(ledger, command, rows, fill, on_reject=on_reject, on_progress=on_progress)
