"""`salur group`: grants to groups, and the reports they owe."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.commands.disburse import disburse_cancel, disburse_run
from ledger.commands.proposals import propose_file, propose_rows, sha256_of
from ledger.console.options import Reading, Request, program_option, reads_file, stacked, writes
from ledger.console.output import counted
from ledger.console.working import Job, opened_to_write, record, work_file, work_rows

if TYPE_CHECKING:
    from ledger.application.batches import Proposed
    from ledger.console.working import Work
    from ledger.files.tables import Row

group = click.Group()


_papers = stacked(
    click.option(
        "--member", "members", multiple=True, help="Recipient in the roster of one group; may be given again."
    ),
    program_option,
    click.option("--amount", default="", help="For groups that name none."),
    click.option("--proposal", default="", help="Of one group; each has its own."),
    click.option("--decree", default="", help="For groups that name none."),
    click.option("--decree-on", default="", help="Date of the decree, for groups that name none."),
    click.option("--region", default="", help="For groups that name none."),
)


@group.command("propose")
@click.argument("group", metavar="GROUP|FILE")
@_papers
@click.option("--batch", "batch_id", help="Id of the batch; made from its content if not given.")
@reads_file
@writes
def group_propose(
    request: Request,
    group: str,
    members: tuple[str, ...],
    code: str,
    batch_id: str | None,
    reading: Reading,
    **defaults: str,
) -> None:
    """Propose to fund GROUP with its --member roster, or the groups of FILE, as one batch.

    FILE has a row a member (group, recipient), and a group's papers in the first of its rows.
    """
    from ledger.application import grants

    terms = grants.Terms(**defaults, date_order=reading.date_order, decimal_mark=reading.decimal)

    def work_of(file_sha256: str) -> "Work[Proposed]":
        return partial(grants.propose, asked=grants.GrantList(code, terms, file_sha256, batch_id))

    if members:
        with opened_to_write(request) as ledger:
            typed = sha256_of("\n".join((group, *members)))
            propose_rows(request, ledger, _roster(group, members), work_of(typed), "grant")
    else:
        propose_file(request, reading, Path(group), grants.FIELDS, work_of, "grant")


def _roster(group: str, members: tuple[str, ...]) -> "list[Row]":
    from ledger.application import grants
    from ledger.files.tables import Row

    no_papers = ("",) * (len(grants.FIELDS) - 2)
    return [Row(line, (group, member, *no_papers)) for line, member in enumerate(members, start=1)]


group.add_command(disburse_run, "run")
group.add_command(disburse_cancel, "cancel")


@group.command("fund")
@click.argument("group", metavar="GROUP|FILE")
@_papers
@reads_file
@writes
def group_fund(
    request: Request, group: str, members: tuple[str, ...], code: str, reading: Reading, **defaults: str
) -> None:
    """Fund GROUP with its --member roster, or the groups of FILE, as long as no rules are adopted.

    FILE has a row a member (group, recipient), and a group's papers in the first of its rows.
    """
    from ledger.application import grants, requests
    from ledger.application.people import is_nik_shaped

    terms = grants.Terms(**defaults, date_order=reading.date_order, decimal_mark=reading.decimal)
    job = Job("group-fund", grants.FIELDS, partial(grants.fund, program=code, terms=terms), code, defaults, "group")
    if members:
        roster = _roster(group, members)
        ids = sorted(member for member in members if not is_nik_shaped(member))
        inputs = {"program": code, "group": group, "members": ids, **asdict(terms)}
        asked = requests.Request(job.name, inputs, {"members": sorted(filter(is_nik_shaped, members))})
        sentence = f"Group {group} of {code} is funded, with {counted(len(members), 'member')}."
        work_rows(request, roster, job.work, sentence, asked)
    else:
        work_file(request, reading, Path(group), job)


@group.command("report")
@click.argument("group", metavar="GROUP|FILE")
@program_option
@click.option("--report", "report_ref", default="", help="Reference of the report (LPJ) of one group.")
@reads_file
@writes
def group_report(request: Request, group: str, code: str, report_ref: str, reading: Reading) -> None:
    """Record the accountability report (LPJ) of GROUP, or of the groups in FILE (group, report)."""
    from ledger.application import grants

    if report_ref:
        one = partial(grants.account, program=code, group_id=group, report_ref=report_ref)
        record(request, one, f"Group {group} has accounted for its grant.")
    else:
        work = partial(grants.account_many, program=code)
        work_file(request, reading, Path(group), Job("group-report", grants.REPORT_FIELDS, work, code, noun="report"))
