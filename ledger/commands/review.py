"""How a batch is shown to the officer who is asked to agree to it."""

from typing import TYPE_CHECKING, Any

import click

from ledger.console.columns import Column, Holds
from ledger.console.options import Session
from ledger.console.output import counted, counted_bar, money, present, present_terms, print_json
from ledger.console.tables import to_csv

if TYPE_CHECKING:
    from ledger.application.ledger import Ledger
    from ledger.application.review import Review

ROW_COLUMNS = (
    Column("recipient_id", Holds.TEXT, "Recipient", "Penerima"),
    Column("amount", Holds.MONEY, "Amount", "Jumlah"),
)
_KINDS = {"grants": "grants of groups", "reissues": "payments made again", "refunds": "refunds to the treasury"}
SHARES_SHOWN = 10
"""Regions and categories told apart for people; all of them as JSON."""


def show_batch(session: Session, ledger: "Ledger", batch_id: str, output: str, terms: dict[str, Any]) -> None:
    """Tell a batch's figures and first rows, or all of its rows as CSV. `terms` are those of its agreement."""
    from ledger.application import review

    if output == "csv":
        rows = [{"recipient_id": recipient, "amount": amount} for recipient, amount in review.rows_of(ledger, batch_id)]
        click.echo(to_csv(rows, ROW_COLUMNS), nl=False)
        return
    count = ledger.view().batch(batch_id).proposal.count
    with counted_bar(count, batch_id) as advance:
        found = review.review(ledger, batch_id, advance)
    if output == "json":
        print_json({**terms, **_figures(found)})
        return
    present_terms(
        session, output, {name: str(value) for name, value in (terms | _words(session, ledger, found)).items()}
    )
    first = [{"recipient_id": recipient, "amount": amount} for recipient, amount in found.first]
    click.echo(f"The first {len(first)} of {counted(found.count, 'row')}; all of them with `-o csv`:")
    present(session, output, first, ROW_COLUMNS, currency=ledger.currency)


def _figures(found: "Review") -> dict[str, Any]:
    """A review for programs; amounts in minor units."""
    before = found.before
    return {
        "batch_id": found.proposal.batch_id,
        "program": found.proposal.program,
        "tranche": found.proposal.tranche,
        "maker": found.proposal.maker,
        "rows_sha256": found.proposal.rows_sha256,
        "count": found.count,
        "total": found.total,
        "smallest": min(found.amounts),
        "median": found.median,
        "largest": max(found.amounts),
        "off_schedule": found.off_schedule,
        "regions": dict(found.regions.most_common()),
        "categories": dict(found.categories.most_common()),
        "first": [{"recipient_id": recipient, "amount": amount} for recipient, amount in found.first],
        "refused": {each.code: each.rows for each in found.refused},
        "in_open_batches": found.in_open_batches,
        "lists_missing": found.lists_missing,
        "registered_by_maker": found.registered_by_maker,
        "before": None if before is None else before.batch_id,
        "more_payments": None if before is None else found.count - before.count,
        "more_money": None if before is None else found.total - before.total,
    }


def _words(session: Session, ledger: "Ledger", found: "Review") -> dict[str, str]:
    """A review for people; what there is nothing of is left out, but for the questions that it answers with nobody."""
    proposal, before = found.proposal, found.before

    def amount(minor_units: int) -> str:
        return money(session, ledger, minor_units)

    def shares(of: "dict[str, int]") -> str:
        most = list(of.items())[:SHARES_SHOWN]
        rest = f", and {len(of) - len(most)} more" if len(of) > len(most) else ""
        return ", ".join(f"{name} {payments:,}" for name, payments in most) + rest

    said = {
        "pays": f"{proposal.program}, {_KINDS.get(str(proposal.kind)) or f'tranche {proposal.tranche}'}",
        "payments": f"{found.count:,}",
        "total": amount(found.total),
        "smallest, median, largest": ", ".join(map(amount, (min(found.amounts), found.median, max(found.amounts)))),
        "of another amount than the tranche's": f"{found.off_schedule:,}",
        "by region": shares(dict(found.regions.most_common())),
        "by category": shares(dict(found.categories.most_common())),
        "left out of the file": ", ".join(f"{each.code} {each.rows:,}" for each in found.refused) or "no row",
        "people also in another open batch": shares(found.in_open_batches) or "nobody",
        f"people whom {proposal.maker} registered{'' if before is None else ' since the batch before'}": (
            f"{found.registered_by_maker:,}"
        ),
        "against the batch before": "there is none",
        "SHA-256 of the list": proposal.rows_sha256,
    }
    if found.lists_missing:
        said["not compared, for their lists are not here"] = ", ".join(found.lists_missing)
    if before is not None:
        more = found.total - before.total
        change = f"{'+' if more >= 0 else '-'}{amount(abs(more))}"
        said["against the batch before"] = f"{before.batch_id}: {found.count - before.count:+,} payments, {change}"
    return said
