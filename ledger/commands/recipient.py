"""`salur recipient`: people and households that a program may help, and what is held of them."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.console.options import FILE, Reading, Request, reads_file, writes
from ledger.console.output import (
    EVENT_COLUMNS,
    event_row,
    present,
    present_terms,
    print_json,
    stored_object,
    tell,
    tell_word,
)
from ledger.console.working import Job, given_file, opened_to_write, refuse

if TYPE_CHECKING:
    from ledger.application.ledger import Ledger
    from ledger.application.privacy import Holdings
    from ledger.vault.person import Person

recipient = click.Group()
_person_argument = click.argument("recipient_id", required=False)
_reason_option = click.option("--reason", required=True, help="Why; stored with the event, without personal data.")


@recipient.command("register")
@click.option(
    "--nik", prompt="NIK", help="National id; asked for if not given, so that it stays out of the shell's history."
)
@click.option("--name", prompt="Name", help="Full name; asked for if not given.")
@click.option("--account", default="", help="Bank account.")
@click.option("--bank", default="", help="The account's bank.")
@click.option("--phone", default="", help="Telephone.")
@click.option("--address", default="", help="Address.")
@click.option("--category", required=True, help="E.g. worker, pmi, cpmi.")
@click.option("--region", default="", help="Kemendagri code, e.g. 32.73.")
@click.option(
    "--shared-account", default="", help="Why the account may serve several: household, guardian or no-bank-nearby."
)
@writes
def recipient_register(request: Request, nik: str, **person: str) -> None:
    """Register one person; their data goes into the vault only."""
    from ledger.application import registration, requests
    from ledger.application.people import recipient_id
    from ledger.files.tables import Row

    given = person | {"nik": nik}
    values = tuple(given[field.name] for field in registration.FIELDS)
    public = {name: given.pop(name) for name in ("category", "region", "shared_account")}
    if not given["bank"]:
        del given["bank"]  # a reference that was used before there was this option stands for the same request
    asked = requests.Request("recipient register", public, given)
    with opened_to_write(request) as ledger:

        def chosen_id() -> str | None:
            placed = ledger.vault.find([nik]).get(nik)
            return recipient_id(placed.number) if placed else None

        if ledger.was_carried_out(request.command, asked):
            tell(request, [], "")
            return
        tally = registration.register(ledger, request.command, [Row(1, values)], file_sha256=None, on_reject=refuse)
        chosen = None if request.command.dry_run else chosen_id()
        ledger.mark_carried_out(request.command, asked)
    if request.output == "json":
        print_json({"recipient_id": chosen, "taken": tally.taken})
    else:
        click.echo(f"Registered as {chosen}." if chosen else "Would register this person.")


@recipient.command("import")
@click.argument("file", type=FILE)
@click.option("--category", default="", help="For rows that name none.")
@reads_file
@writes
def recipient_import(request: Request, file: Path, category: str, reading: Reading) -> None:
    """Register the people of FILE (CSV or XLSX; - reads standard input)."""
    from ledger.application import registration

    with given_file(request, reading, file, registration.FIELDS) as given:
        work = partial(registration.register, file_sha256=given.sha256, category=category)
        given.take(Job("recipient-import", registration.FIELDS, work, inputs={"category": category}))
    given.tell()


@recipient.group("erase")
def erase() -> None:
    """Erase a person's data from the vault, on the word of two officers; for good."""


def _person_meant(ledger: "Ledger", recipient_id: str | None) -> str:
    """The recipient named by id, or by the NIK that is asked for: an argument would stay in the shell's history."""
    from ledger.application import privacy
    from ledger.application.people import is_nik_shaped

    if recipient_id is None:
        return privacy.recipient_named(ledger, click.prompt("NIK", err=True).strip())
    if is_nik_shaped(recipient_id):
        raise click.UsageError("a NIK is no argument: leave it out, and it is asked for or read from standard input")
    return recipient_id


def _tell_open_matters(ledger: "Ledger", recipient_id: str) -> None:
    """Before a person is erased: what is under way for them, for which their account will not be known any more."""
    from ledger.application import privacy

    for matter in privacy.open_matters(ledger, recipient_id):
        click.echo(f"Notice: {matter}; once {recipient_id} is erased, their account is not known any more", err=True)


@erase.command("request")
@_person_argument
@_reason_option
@click.option("--legal-basis", required=True, help="The law that asks for it; stored with the event.")
@writes
def erase_request(request: Request, recipient_id: str | None, reason: str, legal_basis: str) -> None:
    """Ask that RECIPIENT_ID be erased, or the person whose NIK is asked for."""
    from ledger.application import privacy

    with opened_to_write(request) as ledger:
        meant = _person_meant(ledger, recipient_id)
        _tell_open_matters(ledger, meant)
        entries = privacy.request_erasure(
            ledger, request.command, recipient_id=meant, reason=reason, legal_basis=legal_basis
        )
    if entries and not request.command.dry_run:
        click.echo(f"Next, another officer: `salur recipient erase approve {meant}`", err=True)
    tell(request, entries, f"The erasure of {meant} is asked for.")


@erase.command("approve")
@_person_argument
@writes
def erase_approve(request: Request, recipient_id: str | None) -> None:
    """Agree to the erasure of RECIPIENT_ID and carry it out; run again, it completes one that was interrupted."""
    from ledger.application import privacy

    with opened_to_write(request) as ledger:
        meant = _person_meant(ledger, recipient_id)
        _tell_open_matters(ledger, meant)
        erased = privacy.approve_erasure(ledger, request.command, recipient_id=meant)
    tell_word(request, erased, f"recipient/{meant}", f"{meant} is erased.")


@erase.command("reject")
@_person_argument
@_reason_option
@writes
def erase_reject(request: Request, recipient_id: str | None, reason: str) -> None:
    """Do not erase RECIPIENT_ID: by a checker, or by the maker who withdraws the request."""
    from ledger.application import privacy

    with opened_to_write(request) as ledger:
        meant = _person_meant(ledger, recipient_id)
        entries = privacy.reject_erasure(ledger, request.command, recipient_id=meant, reason=reason)
    tell(request, entries, f"{meant} is not erased.")


@recipient.command("disclose")
@_person_argument
@click.option("--reason", required=True, help="Why it is shown; stored with the event, without personal data.")
@writes
def recipient_disclose(request: Request, recipient_id: str | None, reason: str) -> None:
    """Show all that is held of RECIPIENT_ID, or of the person whose NIK is asked for.

    That it was shown, to whom and why, is recorded first. The vault's key is needed.
    """
    from ledger.application import privacy

    if request.output == "csv":
        raise click.UsageError("a disclosure is printed as a table or as JSON")
    with opened_to_write(request) as ledger:
        meant = _person_meant(ledger, recipient_id)
        held = privacy.disclose(ledger, request.command, recipient_id=meant, reason=reason)
        if held is None:
            click.echo(
                "Would record that this is shown." if request.command.dry_run
                else "Shown before under this reference; take another one to see it again.",
                err=True
            )  # fmt: skip
            return
        told = _disclosure(held)
        if request.output == "json":
            print_json(told)
            return
        rows = [event_row(request.session, ledger, each) for each in told["events"]]
    terms = {"recipient_id": meant, **(told["person"] or {"person": "nothing: erased" if held.erased else "nothing"})}
    terms |= {name: ", ".join(told[name]) for name in ("programs", "groups", "batches")}
    terms |= {f"payment {name}": paid["status"] for name, paid in told["payments"].items()}
    if told["erased"]:
        terms["erased"] = (
            f"on {told['erased']['on']}, asked by {told['erased']['maker']}, agreed by {told['erased']['checker']}"
        )
    present_terms(request.session, "table", {name: value or "-" for name, value in terms.items()})
    present(request.session, "table", rows, EVENT_COLUMNS)
    if told["proof"]:
        click.echo(
            f"\nThat this is what was registered, anybody can compute: the next line prints the commitment in the event"
            f" {told['proof']['event']},\nand `salur log prove {told['proof']['event']}` proves that the event, which its line"
            f" `extra` holds in base64,\nstands in the log.\n\n{told['proof']['recipe']}\n{told['proof']['commitment']}"
        )


def _proof(held: "Holdings") -> dict[str, str] | None:
    """What shows an outsider that the vault's data is what was registered: the commitment, opened."""
    from base64 import b64encode

    if held.held is None:
        return None
    opened = b64encode(held.held.salted).decode()
    return {
        "event": f"recipient/{held.recipient_id}/1",
        "commitment": held.registered.commitment,
        "salt_and_data": opened,
        "recipe": f"printf %s '{opened}' | base64 -d | sha256sum",
    }


def _person(person: "Person") -> dict[str, str]:
    """A person's data by the names that files give it."""
    said = person._asdict()
    return {"nik": said.pop("national_id"), **said}


def _disclosure(held: "Holdings") -> dict[str, Any]:
    """All that is held of a person, for JSON; amounts in minor units of the ledger's currency."""
    erased = None
    if held.erased and held.request:
        erased = {
            "on": held.erased.meta.effective_on.isoformat(),
            "recorded_at": held.erased.meta.recorded_at.isoformat(),
            "maker": held.request.maker,
            "checker": held.erased.meta.by,
            "reason": held.request.reason,
            "legal_basis": held.request.legal_basis,
        }
    return {
        "recipient_id": held.recipient_id,
        "person": _person(held.person) if held.person else None,
        "proof": _proof(held),
        "erased": erased,
        "programs": held.programs,
        "groups": held.groups,
        "payments": {name: {"status": paid.status, "amount": paid.amount} for name, paid in held.payments.items()},
        "batches": held.batches,
        "events": [stored_object(entry) for entry in held.history],
    }
