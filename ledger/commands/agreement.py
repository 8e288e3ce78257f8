"""What two officers do together: the acts that wait, the words on them, policies, and the rules that two adopt."""

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ledger.console.columns import Column, Holds
from ledger.console.options import Request, Session, reads, reason_option, writes
from ledger.console.output import money, present, present_terms, print_json, tell, tell_word
from ledger.console.working import opened, opened_to_write, record

if TYPE_CHECKING:
    from ledger.application.ledger import Ledger
    from ledger.domain.agreement import Agreement

policy, rules = click.Group(), click.Group()

WAITING_COLUMNS = (
    Column("id", Holds.TEXT, "Id", "Id"),
    Column("kind", Holds.TEXT, "Kind", "Jenis"),
    Column("asks", Holds.TEXT, "What is asked", "Yang diminta"),
    Column("proposer", Holds.TEXT, "Proposed by", "Diusulkan oleh"),
    Column("words", Holds.TEXT, "Words", "Persetujuan"),
    Column("lapses_on", Holds.DATE, "Lapses on", "Kedaluwarsa"),
)
POLICY_COLUMNS = (
    Column("kind", Holds.TEXT, "Kind", "Jenis"),
    Column("over", Holds.TEXT, "For amounts over", "Untuk jumlah di atas"),
    Column("checkers", Holds.COUNT, "Officers who must agree", "Pejabat yang harus setuju"),
)


@click.command()
@click.option("--officer", envvar="SALUR_OFFICER", help="Only what waits for this officer (or SALUR_OFFICER).")
@click.option("--all", "is_all", is_flag=True, help="What waits for anybody.")
@reads
def waiting(session: Session, officer: str | None, is_all: bool, output: str) -> None:
    """List the acts that wait for an officer's word."""
    from ledger.application import agreements

    with opened(session) as ledger:
        found = agreements.waiting(ledger)
    if officer and not is_all:
        found = [each for each in found if officer not in (each.proposed.proposer, *each.words)]
    rows = [_row(each) for each in found]
    present(session, output, rows, WAITING_COLUMNS)


def _row(agreement: "Agreement") -> dict[str, Any]:
    proposed = agreement.proposed
    return {
        "id": proposed.subject,
        "kind": str(proposed.kind),
        "asks": proposed.command,
        "proposer": proposed.proposer,
        "words": f"{len(agreement.words)} of {proposed.words}",
        "lapses_on": proposed.lapses_on,
    }


@click.command()
@click.argument("subject", metavar="ID")
@reads
def show(session: Session, subject: str, output: str) -> None:
    """Show what one would agree to: the act that waits under ID, event by event, or what became of it.

    Of a batch it tells the figures of the list, what in it is worth a question, and its first rows; with -o csv all rows.
    """
    from ledger.application import agreements
    from ledger.commands.review import show_batch

    with opened(session) as ledger:
        batch_id = subject.removeprefix("batch/")
        if batch_id != subject and not agreements.is_known(ledger, subject):
            show_batch(session, ledger, batch_id, output, {})
            return
        found = agreements.shown(ledger, subject)
        act, request = json.loads(found.proposed.act), json.loads(found.proposed.request)
        terms = _row(found) | {"outcome": found.outcome or "waiting", "agreed": ", ".join(found.words) or "nobody yet"}
        if batch_id != subject and request["command"] == "disburse approve":
            show_batch(session, ledger, batch_id, output, terms)
            return
        if subject == "rules":
            _show_rules(session, ledger, output, terms)
            return
    if output == "json":
        print_json({**terms, "request": request, "act": act, "act_sha256": found.proposed.act_sha256})
        return
    present_terms(session, output, {name: str(value) for name, value in terms.items()})
    for event in act:
        fields = "; ".join(f"{name} {value}" for name, value in event.items() if name != "topic" and value is not None)
        click.echo(f"  {event['topic'].partition('.')[0]}: {fields}")


def _show_rules(session: Session, ledger: "Ledger", output: str, terms: dict[str, Any]) -> None:
    """All that is adopted with the rules: who is in office with which key, programs with terms and money, policies."""
    from ledger.application import agreements
    from ledger.domain import officer as officers
    from ledger.domain import program as programs

    view = ledger.view()
    adopted: dict[str, Any] = {
        "officers": [
            {
                "officer": each.officer_id,
                "roles": ", ".join(sorted(each.roles)),
                "public_key": each.public_key or "none",
            }
            for each in view.load_range("officer/", officers.evolve).values()
            if not each.is_revoked
        ],
        "programs": [
            each.terms.model_dump(mode="json", exclude_none=True) | {"budget": each.budget, "is_closed": each.is_closed}
            for each in view.load_range("program/", programs.evolve).values()
        ],
        "policies": {str(kind): amounts for kind, amounts in agreements.policies(ledger).items()},
    }
    if output == "json":
        print_json({**terms, **adopted})
        return
    present_terms(session, output, {name: str(value) for name, value in terms.items()})
    click.echo("With the rules all of this is adopted:")
    present(session, output, adopted["officers"], ("officer", "roles", "public_key"))
    for program in adopted["programs"]:
        budget = money(session, ledger, program.pop("budget"))
        said = "; ".join(f"{name} {_said(value)}" for name, value in program.items() if value not in ([], False))
        click.echo(f"  {said}; budget {budget}")
    for kind, amounts in adopted["policies"].items():
        words = (
            f"over {_over(session, ledger, kind, over)}: {checkers}" if over else str(checkers)
            for over, checkers in sorted(amounts.items())
        )
        click.echo(f"  policy on {kind}: {', '.join(words)}")


def _over(session: Session, ledger: "Ledger", kind: str, over: int) -> str:
    """The amount of a policy for people: goods are counted in units of the item."""
    return f"{over:,}" if kind == "goods" else money(session, ledger, over)


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@click.command()
@click.argument("subject", metavar="ID")
@writes
def approve(request: Request, subject: str) -> None:
    """Agree to the act that waits under ID; the last word records it."""
    from ledger.application import agreements

    with opened_to_write(request) as ledger:
        entries = agreements.approve(ledger, request.command, subject=subject)
        asks = agreements.shown(ledger, subject).proposed.command
    tell_word(request, entries, subject, f"Agreed to {subject} ({asks}), and it is recorded.")


@click.command()
@click.argument("subject", metavar="ID")
@reason_option
@writes
def reject(request: Request, subject: str, reason: str) -> None:
    """Refuse the act that waits under ID."""
    from ledger.application import agreements

    record(request, partial(agreements.reject, subject=subject, reason=reason), f"Rejected {subject}.")


@click.command()
@click.argument("subject", metavar="ID")
@reason_option
@writes
def withdraw(request: Request, subject: str, reason: str) -> None:
    """Take back the act that one proposed oneself under ID."""
    from ledger.application import agreements

    work = partial(agreements.reject, subject=subject, reason=reason, is_withdrawn=True)
    record(request, work, f"Withdrew {subject}.")


@policy.command("show")
@reads
def policy_show(session: Session, output: str) -> None:
    """Show how many officers must agree to each kind of act."""
    from ledger.application import agreements

    with opened(session) as ledger:
        found = agreements.policies(ledger)
        rows: list[dict[str, Any]] = [
            {"kind": str(kind), "over": over, "checkers": checkers}
            for kind, amounts in found.items()
            for over, checkers in sorted(amounts.items())
        ]
        if output == "table":
            for row in rows:
                row["over"] = _over(session, ledger, row["kind"], row["over"]) if row["over"] else ""
    present(session, output, rows, POLICY_COLUMNS)


@policy.command("set")
@click.argument("kind")
@click.option("--over", default="0", help="Only above this amount of money, or of goods; for every act if not given.")
@click.option("--checkers", type=click.IntRange(min=1), required=True, help="How many officers beside the proposer.")
@writes
def policy_set(request: Request, kind: str, over: str, checkers: int) -> None:
    """Let acts of KIND (batches, programs, officers, recovery, goods, erasures, policy) need so many officers' words."""
    from ledger.application import agreements
    from ledger.files.amounts import parse_amount

    with opened_to_write(request) as ledger:
        # Goods are counted in whole units.
        unit = replace(ledger.currency, decimals=0) if kind == "goods" else ledger.currency
        above = 0 if over == "0" else parse_amount(over, unit)
        entries = agreements.set_policy(ledger, request.command, kind=kind, over=above, checkers=checkers)
    tell(request, entries, f"Acts of the kind {kind} need {checkers} officers beside the one who proposes.")


@rules.command("adopt")
@writes
def rules_adopt(request: Request) -> None:
    """Propose that the rules bind from here on: no officer alone moves money or rights any more."""
    from ledger.application import agreements

    with opened_to_write(request) as ledger:
        entries = agreements.adopt_rules(ledger, request.command)
    tell(request, entries, "The rules of the ledger bind, with all that is set up.")
