"""`salur training`, `salur support` and `salur referral`: help other than money."""

from functools import partial
from pathlib import Path

import click

from ledger.console.options import Reading, Request, program_option, reads_file, writes
from ledger.console.output import tell, tell_tally
from ledger.console.working import Job, opened_to_write, refuse, work_one_or_file

training, support, referral = click.Group(), click.Group(), click.Group()


def _work_for(request: Request, reading: Reading, who: str, job: Job, sentence: str) -> None:
    """Record the help that one recipient, or each of a file of them, was given."""
    from ledger.domain.payment import is_recipient_id

    work_one_or_file(request, reading, who, job, is_name=is_recipient_id, sentence=sentence)


@training.command("record")
@click.argument("who", metavar="RECIPIENT|FILE", required=False)
@program_option
@click.option("--session", "session_id", default="", help="For rows that name none.")
@click.option("--group", "group_id", help="Every member of this group attended, instead of a recipient or file.")
@click.option("--group-program", help="Program that funded the group, if another one trains it.")
@reads_file
@writes
def training_record(
    request: Request,
    who: str | None,
    code: str,
    session_id: str,
    group_id: str | None,
    group_program: str | None,
    reading: Reading,
) -> None:
    """Record who attended a session: RECIPIENT, the rows of FILE (recipient, session), or a whole group."""
    from ledger.application import requests, services

    if (who is None) == (group_id is None):
        raise click.UsageError("name a recipient, a file or a --group")
    work = partial(services.train, program=code, session_id=session_id, group_id=group_id)
    if who:
        job = Job("training-record", services.TRAINING_FIELDS, work, code, {"session": session_id})
        _work_for(request, reading, who, job, f"{who} attended {session_id}.")
    elif group_id:
        whose = {"group": group_id, "group_program": group_program or code}
        asked = requests.Request("training record", {"program": code, "session": session_id, **whose})
        with opened_to_write(request) as ledger:
            if ledger.was_carried_out(request.command, asked):
                tell(request, [], "")
                return
            rows = services.members_of(ledger, group_program or code, group_id, request.command)
            tally = work(ledger, request.command, rows=rows, on_reject=refuse)
            ledger.mark_carried_out(request.command, asked)
        tell_tally(request, tally, Path())


@support.command("record")
@click.argument("who", metavar="RECIPIENT|FILE")
@program_option
@click.option("--kind", default="", help="For rows that name none; the program's own kind if not given.")
@reads_file
@writes
def support_record(request: Request, who: str, code: str, kind: str, reading: Reading) -> None:
    """Record that a program helped RECIPIENT, or the people of FILE (recipient, kind)."""
    from ledger.application import services

    work = partial(services.support, program=code, kind=kind)
    job = Job("support-record", services.SUPPORT_FIELDS, work, code, {"kind": kind})
    _work_for(request, reading, who, job, f"{code} helped {who}.")


@referral.command("record")
@click.argument("who", metavar="RECIPIENT|FILE")
@click.option("--to", "scheme", default="", help="The scheme, e.g. kartu-prakerja; for rows that name none.")
@click.option("--channel", default="", help="regional-government, bp2mi or p3mi; for rows that name none.")
@reads_file
@writes
def referral_record(request: Request, who: str, scheme: str, channel: str, reading: Reading) -> None:
    """Record that RECIPIENT, or the people of FILE (recipient, scheme, channel), were referred."""
    from ledger.application import services

    work = partial(services.refer, scheme=scheme, channel=channel)
    job = Job("referral-record", services.REFERRAL_FIELDS, work, inputs={"scheme": scheme, "channel": channel})
    _work_for(request, reading, who, job, f"{who} is referred to {scheme}.")
