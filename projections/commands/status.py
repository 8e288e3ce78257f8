"""`salur status`: what waits for whom, and what is due."""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from ledger.console.columns import Column, Holds
from ledger.console.options import Output, Session, reads, today
from ledger.console.output import counted, money, present
from projections.commands.archive import opened_reports

if TYPE_CHECKING:
    from ledger.application.ledger import Ledger
    from projections.reports.engine import Reports

Line = dict[str, Any]

STATUS_COLUMNS = (
    Column("about", Holds.TEXT, "About", "Tentang"),
    Column("what", Holds.WORDS, "What", "Apa"),
    Column("next", Holds.WORDS, "Next", "Berikutnya"),
)
RETURNED_LONG_DAYS = 30
"""A payment that came back so long ago is told apart."""


@click.command()
@click.option("--officer", envvar="SALUR_OFFICER", help="Whose word is meant by mine (or SALUR_OFFICER).")
@reads
def status(session: Session, officer: str | None, output: Output) -> None:
    """Tell what waits for me and for others, what is approved and not run, what is due, and the log's last checkpoint."""
    with opened_reports(session) as (ledger, reports):
        lines = [
            *_agreements(ledger, officer),
            *_batches(session, ledger, reports, officer),
            *_returns(session, ledger, reports),
            *_groups(reports),
            *_log(ledger),
        ]
    present(session, output, lines, STATUS_COLUMNS)


def _agreements(ledger: "Ledger", officer: str | None) -> Iterator[Line]:
    from ledger.application import agreements

    for each in agreements.waiting(ledger):
        proposed = each.proposed
        is_mine = officer is not None and officer not in (proposed.proposer, *each.words)
        words = f"{len(each.words)} of {counted(proposed.words, 'word')} until {proposed.lapses_on.isoformat()}"
        yield {
            "about": proposed.subject,
            "what": f"{proposed.proposer} proposed it, {words}",
            "next": f"salur show {proposed.subject}" if is_mine else "another officer's word",
        }


def _batches(session: Session, ledger: "Ledger", reports: "Reports", officer: str | None) -> Iterator[Line]:
    for row in reports.run("batches", as_of=date.max).rows:
        rows = f"{counted(row['count'], 'payment')}, {money(session, ledger, int(row['total']))}"
        about = f"batch/{row['batch_id']}"
        if row["status"] == "proposed":
            done = f"salur disburse approve {row['batch_id']}"
            mine = officer is not None and officer != row["maker"]
            yield {
                "about": about,
                "what": f"{row['maker']} proposed {rows}",
                "next": done if mine else "another officer's word",
            }
        elif row["status"] == "approved":
            yield {
                "about": about,
                "what": f"approved and not run to its end: {row['paid_count']:,} of {rows} paid",
                "next": f"salur disburse run {row['batch_id']}",
            }


def _returns(session: Session, ledger: "Ledger", reports: "Reports") -> Iterator[Line]:
    rows = reports.run("returns", as_of=today()).rows
    for name, found in (
        (f"returned more than {RETURNED_LONG_DAYS} days ago", [r for r in rows if r["age_days"] > RETURNED_LONG_DAYS]),
        ("returned since", [r for r in rows if r["age_days"] <= RETURNED_LONG_DAYS]),
    ):
        if found:
            amount = money(session, ledger, sum(int(row["amount"]) for row in found))
            what = f"{counted(len(found), 'payment')} {name} and still open: {amount}"
            yield {"about": "returns", "what": what, "next": "salur report returns"}


def _groups(reports: "Reports") -> Iterator[Line]:
    for row in reports.run("groups", as_of=today()).rows:
        if row["reports_overdue"]:
            what = f"{counted(row['reports_overdue'], 'report')} of groups overdue"
            yield {"about": f"program/{row['program']}", "what": what, "next": "salur report groups"}


def _log(ledger: "Ledger") -> Iterator[Line]:
    if ledger.place.log is None and (begun := ledger.log_begun):
        yield {"about": "log", "what": f"{begun.origin} is kept elsewhere", "next": "ask who keeps it"}
        return
    if ledger.place.log is None:
        yield {
            "about": "log",
            "what": "no transparency log: nobody outside can prove the history",
            "next": "salur log create",
        }
        return
    log, size = ledger.transparency_log, ledger.store.size()
    signed = log.checkpoint().size
    behind = size - signed
    what = f"checkpoint of {counted(signed, 'event')}"
    if behind:
        yield {"about": "log", "what": f"{what}, {counted(behind, 'event')} behind", "next": "salur log seal"}
    else:
        yield {"about": "log", "what": f"{what}, all there are", "next": "salur log checkpoint, to be kept elsewhere"}
    yield from _witnesses(ledger)


def _witnesses(ledger: "Ledger") -> Iterator[Line]:
    from ledger.transparency.errors import CheckpointUnpublishedError
    from ledger.transparency.notes import checkpoint_of
    from ledger.transparency.quorum import published, required

    log = ledger.transparency_log
    if (quorum := required(log.folder)) is None:
        yield {"about": "witnesses", "what": "none are required", "next": "salur log require-witnesses"}
        return
    try:
        size = checkpoint_of(published(log), log.key).size
    except CheckpointUnpublishedError:
        size = 0
    what = f"{quorum.quorum} of {len(quorum.witnesses)} must cosign; {counted(size, 'event')} published"
    yield {"about": "witnesses", "what": what, "next": "salur log publish"}
