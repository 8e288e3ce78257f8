"""`salur program`: programs, their terms and budgets."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ledger.console.options import Request, Session, reads, reason_option, writes
from ledger.console.output import money, present_terms, print_json, tell
from ledger.console.working import opened, opened_to_write, record

if TYPE_CHECKING:
    from ledger.application.ledger import Ledger

program = click.Group()


def _amount(ledger: "Ledger", text: str) -> int:
    """An amount that was typed, in whole minor units."""
    from ledger.files.amounts import parse_amount

    return parse_amount(text, ledger.currency)


@program.command("open")
@click.argument("code")
@click.option("--name", required=True, help="What people call it.")
@click.option(
    "--kind",
    required=True,
    help="cash, group-grant, public-works, training, incubation, technology, digital, companion, goods, referral or umbrella.",
)
@click.option("--parent", help="Program that this one belongs to.")
@click.option("--ceiling", help="The most one recipient or group may get.")
@click.option("--tranche", "tranches", multiple=True, help="Amount of a tranche, in order; may be given again.")
@click.option("--fiscal-year", type=int, required=True, help="Decrees of its groups are dated in it.")
@click.option("--legal-basis", help="Law or decree.")
@click.option("--category", "categories", multiple=True, help="Category of recipients it is for; may be given again.")
@click.option("--report-due-days", type=int, help="Days a funded group has for its report (LPJ).")
@writes
def program_open(request: Request, code: str, ceiling: str | None, tranches: tuple[str, ...], **terms: Any) -> None:
    """Begin the program CODE."""
    from ledger.application import programs
    from ledger.application.given import built
    from ledger.domain.program import Kind, ProgramOpened

    with opened_to_write(request) as ledger:
        if terms["kind"] in set(Kind):
            terms["kind"] = Kind(terms["kind"])
        opening = built(
            ProgramOpened,
            program=code,
            ceiling=_amount(ledger, ceiling) if ceiling else None,
            schedule=tuple(_amount(ledger, each) for each in tranches),
            **terms,
        )
        entries = programs.open_program(ledger, request.command, terms=opening)
    tell(request, entries, f"Program {code} is open.")


@program.command("amend")
@click.argument("code")
@click.option("--name", help="What people call it.")
@click.option("--ceiling", help="The most one recipient or group may get; '' for none.")
@click.option("--tranche", "tranches", multiple=True, help="Amount of a tranche, all of them in order; '' for none.")
@click.option("--legal-basis", help="Law or decree; '' for none.")
@click.option(
    "--category", "categories", multiple=True, help="Category of recipients it is for, all of them; '' for everybody."
)
@click.option("--report-due-days", type=int, help="Days a funded group has for its report (LPJ).")
@reason_option
@writes
def program_amend(request: Request, code: str, reason: str, **given: Any) -> None:
    """Change terms of the program CODE: those that are given; the others stay.

    Its kind, its year and the program above it stay as they were opened, and so does a tranche that was paid to somebody.
    """
    from ledger.application import programs

    with opened_to_write(request) as ledger:
        changed = {name: given[name] for name in ("name", "report_due_days") if given[name] is not None}
        if given["legal_basis"] is not None:
            changed["legal_basis"] = given["legal_basis"] or None
        if given["ceiling"] is not None:
            changed["ceiling"] = _amount(ledger, given["ceiling"]) if given["ceiling"] else None
        if given["tranches"]:
            changed["schedule"] = tuple(_amount(ledger, each) for each in given["tranches"] if each)
        if given["categories"]:
            changed["categories"] = tuple(each for each in given["categories"] if each)
        if not changed:
            raise click.UsageError(
                "say what changes: --name, --ceiling, --tranche, --legal-basis, --category or --report-due-days"
            )
        entries = programs.amend(ledger, request.command, program=code, reason=reason, changed=changed)
    tell(request, entries, f"The terms of {code} are changed.")


@program.command("budget")
@click.argument("code")
@click.argument("amount")
@writes
def program_budget(request: Request, code: str, amount: str) -> None:
    """Set the budget of CODE to AMOUNT in all."""
    from ledger.application import programs

    with opened_to_write(request) as ledger:
        budget = _amount(ledger, amount)
        entries = programs.set_budget(ledger, request.command, program=code, budget=budget)
        sentence = f"The budget of {code} is {money(request.session, ledger, budget)}."
    tell(request, entries, sentence)


@program.command("close")
@click.argument("code")
@reason_option
@writes
def program_close(request: Request, code: str, reason: str) -> None:
    """End the program CODE; returns, refunds and reports can still be recorded."""
    from ledger.application import programs

    record(request, partial(programs.close_program, program=code, reason=reason), f"Program {code} is closed.")


@program.command("show")
@click.argument("code")
@reads
def program_show(session: Session, code: str, output: str) -> None:
    """The terms of CODE and its money."""

    with opened(session) as ledger:
        found = ledger.view().program(code)
        figures = {
            "budget": found.budget,
            "available": found.available,
            "reserved": found.reserved,
            "spent": found.spent,
        }
        terms = found.terms.model_dump(mode="json") | figures | {"is_closed": found.is_closed}
        if output == "json":
            print_json(terms)
            return
        money_terms = {"ceiling", "schedule", *figures}
        shown = {}
        for name, value in terms.items():
            values = value if isinstance(value, list) else [value]
            words = [
                money(session, ledger, each) if name in money_terms else str(each)
                for each in values
                if each is not None
            ]
            shown[name] = "-" if value is None else ", ".join(words)
    present_terms(session, output, shown)
