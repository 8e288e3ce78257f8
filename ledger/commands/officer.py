"""`salur officer`: who may act, and in which roles."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.console.keys import keep_new_key, key_at_hand, keys_of
from ledger.console.options import Request, Session, pass_session, reads, reason_option, signing_key_option, writes
from ledger.console.output import present, tell
from ledger.console.working import opened, record, require_acting

if TYPE_CHECKING:
    from ledger.application.attempt import Command
    from ledger.store.entries import Entry

officer = click.Group()

_no_passphrase = click.option(
    "--no-passphrase", is_flag=True, help="Leave a new key file unlocked, for scripts; whoever can read it can sign."
)


@officer.command("enroll")
@click.argument("officer_id")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(["maker", "checker", "recovery"]),
    help="May be given twice. A recovery key lets officers in again who lost theirs, and does nothing else.",
)
@click.option("--public-key", help="Of the key pair that they made on their own machine with `salur officer key`.")
@click.option("--without-key", is_flag=True, help="Let them act unsigned; `salur check` tells of it.")
@_no_passphrase
@writes
def officer_enroll(
    request: Request,
    officer_id: str,
    roles: tuple[str, ...],
    public_key: str | None,
    without_key: bool,
    no_passphrase: bool,
) -> None:
    """Let OFFICER_ID act. The first officer enrolls themselves.

    Their key pair is made here, unless you give the public key of one that they made elsewhere.
    """
    from ledger.application import officers
    from ledger.application.attempt import Attempt
    from ledger.domain.event import Role
    from ledger.domain.officer import officer_stream

    if bool(public_key) + without_key + no_passphrase > 1:
        raise click.UsageError("give one of --public-key, --without-key and --no-passphrase")
    command, named = request.command, tuple(map(Role, roles))
    with opened(request.session) as ledger:
        is_known = bool(ledger.load(officer_stream(officer_id)))
        if officers.is_first_officer(ledger) or (command.by is None and is_known):
            command = replace(command, by=officer_id)  # themselves, or the same command again
        require_acting(command)

        def enroll(command: "Command", public_key: str | None) -> "list[Entry]":
            return officers.enroll(ledger, command, officer_id=officer_id, roles=named, public_key=public_key)

        with request.session.upkeep(ledger, command):
            if not public_key and not without_key:
                if is_known:  # the same command given again means the same key, wherever it lies
                    public_key = Attempt(ledger, command).named_officer(officer_id).public_key
                else:
                    keys = request.keys if command.by == officer_id else keys_of(request.session, None)
                    public_key = key_at_hand(keys, ledger, officer_id) or keys.make(ledger.fingerprint, officer_id)
                    enroll(replace(command, dry_run=True), public_key)  # a refusal comes before the key is kept
                    if not command.dry_run:
                        keep_new_key(keys, ledger, officer_id, no_passphrase=no_passphrase)
            entries = enroll(command, public_key)
    tell(request, entries, f"{officer_id} is enrolled as {' and '.join(roles)}.")


@officer.command("key")
@click.argument("officer_id")
@signing_key_option
@_no_passphrase
@pass_session
def officer_key(session: Session, officer_id: str, key_file: Path | None, no_passphrase: bool) -> None:
    """Print the public key of OFFICER_ID, whose key pair is made here if there is none; another officer enrolls it."""
    keys = keys_of(session, key_file)
    with opened(session) as ledger:
        public_key = key_at_hand(keys, ledger, officer_id)
        if public_key is None:
            public_key = keys.make(ledger.fingerprint, officer_id)
            keep_new_key(keys, ledger, officer_id, no_passphrase=no_passphrase)
    click.echo(public_key)


@officer.command("replace-key")
@click.argument("officer_id")
@click.option("--public-key", required=True, help="Of their new key pair, as `salur officer key` printed it.")
@reason_option
@writes
def officer_replace_key(request: Request, officer_id: str, public_key: str, reason: str) -> None:
    """Let OFFICER_ID sign with another key, when theirs is lost or they had none; another officer does this."""
    from ledger.application import officers

    work = partial(officers.replace_key, officer_id=officer_id, public_key=public_key, reason=reason)
    record(request, work, f"{officer_id} signs with another key from now on.")


@officer.command("role")
@click.argument("officer_id")
@click.option("--give", "given", multiple=True, type=click.Choice(["maker", "checker"]), help="May be given twice.")
@click.option("--take", "taken", multiple=True, type=click.Choice(["maker", "checker"]), help="May be given twice.")
@reason_option
@writes
def officer_role(
    request: Request, officer_id: str, given: tuple[str, ...], taken: tuple[str, ...], reason: str
) -> None:
    """Give roles to OFFICER_ID, or take roles from them; what they did before stands."""
    from ledger.application import officers
    from ledger.domain.event import Role

    if not given and not taken:
        raise click.UsageError("say which role: --give ROLE, --take ROLE")
    give, take = tuple(map(Role, given)), tuple(map(Role, taken))
    work = partial(officers.change_roles, officer_id=officer_id, given=give, taken=take, reason=reason)
    record(request, work, f"The roles of {officer_id} are changed.")


@officer.command("revoke")
@click.argument("officer_id")
@reason_option
@writes
def officer_revoke(request: Request, officer_id: str, reason: str) -> None:
    """Stop OFFICER_ID from acting; what they did before stands."""
    from ledger.application import officers

    record(request, partial(officers.revoke, officer_id=officer_id, reason=reason), f"{officer_id} is revoked.")


@officer.command("list")
@reads
def officer_list(session: Session, output: str) -> None:
    """Everybody ever enrolled, and the public keys that count now."""

    with opened(session) as ledger:
        attempt = ledger.view()
        found = [attempt.named_officer(each.removeprefix("officer/")) for each in ledger.store.streams("officer/")]
    rows = [
        {
            "officer": each.officer_id,
            "roles": ", ".join(sorted(each.roles)),
            "is_revoked": each.is_revoked,
            "public_key": each.public_key,
        }
        for each in found
    ]
    present(session, output, rows, ("officer", "roles", "is_revoked", "public_key"))
