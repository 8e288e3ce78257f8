"""Making a ledger, joining one in a database, and moving one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ledger.console.options import FOLDER, Session, group_option, now, pass_session, today
from ledger.console.output import counted, progress_bar
from ledger.console.working import opened


def _checked(database: str | None) -> str | None:
    """The address of a database as it was given, unless a password is in it."""
    if database is None:
        return None
    from ledger.store.server import checked_address

    return checked_address(database)


@click.command()
@click.option("--name", default="Salur ledger", show_default=True, help="What the ledger is called on reports.")
@click.option("--currency", default="IDR", show_default=True, help="ISO 4217 code; fixed for good.")
@click.option("--decimals", type=click.IntRange(0, 4), help="Decimals of amounts; the currency's own if not given.")
@click.option(
    "--database",
    metavar="ADDRESS",
    help="Keep events and personal data in this empty PostgreSQL database (postgresql://USER@HOST/NAME) instead of the"
    " folder; passwords come from PGPASSFILE or a service file.",
)
@click.option(
    "--continues",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of a ledger whose officers have lost their keys: the new one names it, and takes nothing over.",
)
@click.option(
    "--without-log", is_flag=True, help="Make no transparency log in the folder; a database's has none there."
)
@group_option
@click.option("--officer", envvar="SALUR_OFFICER", hidden=True)
@pass_session
def init(
    session: Session,
    name: str,
    currency: str,
    decimals: int | None,
    database: str | None,
    continues: Path | None,
    without_log: bool,
    group: str | None,
    officer: str | None,
) -> None:
    """Make a new ledger in the folder named by --store, which only its owner can read, or also a --group.

    In a database, run this as the database's owner; it prints the rights that officers and auditors need.
    """
    from ledger.application.attempt import Command
    from ledger.application.creation import create
    from ledger.application.folder import VAULT_KEY
    from ledger.application.given import built
    from ledger.domain.money import default_decimals
    from ledger.domain.opening import EDITION, LedgerOpened

    del officer  # everybody may have SALUR_OFFICER set; nobody is enrolled yet
    usual = default_decimals(currency)
    terms: dict[str, Any] = {
        "currency": currency,
        "decimals": usual if decimals is None else decimals,
        "rules_edition": EDITION,
    }
    if continues is not None:
        with opened(replace(session, store=continues)) as older:
            terms["continues"] = older.fingerprint
    opened_as = built(LedgerOpened, name=name, **terms)
    command = Command(by=None, effective_on=today())
    create(
        session.store,
        command,
        opened=opened_as,
        now=now,
        database=_checked(database),
        with_log=database is None and not without_log,
        group=group,
    ).close()
    # What is to be run in the database stands alone on standard output, for psql.
    sentence = f"New ledger in {session.store}, in {currency} with {opened_as.decimals} decimals."
    click.echo(sentence, err=database is not None)
    if database is not None:
        from ledger.application.rights import grants_at

        click.echo(grants_at(database), nl=False)
        click.echo(f"Keep a copy of {session.store / VAULT_KEY} in a safe place; give it to those who join.", err=True)
    click.echo("Next: `salur officer enroll ID --role maker`", err=True)


@click.command()
@click.argument("database", metavar="ADDRESS")
@group_option
@pass_session
def join(session: Session, database: str, group: str | None) -> None:
    """Let the folder named by --store work with the ledger in a database, postgresql://USER@HOST/NAME."""
    from ledger.application.folder import BATCHES, VAULT_KEY
    from ledger.application.moving import join as join_ledger

    ledger = join_ledger(session.store, database=_checked(database) or "", group=group)
    name, size = ledger.opened.name, ledger.store.size()
    ledger.close()
    click.echo(f"{session.store} works with {name}, of {counted(size, 'event')}.")
    if not (session.store / VAULT_KEY).exists():
        click.echo(
            f"To register people or name them by NIK, copy {VAULT_KEY} by hand from the folder in which the ledger was"
            f" made to {session.store / VAULT_KEY}.",
            err=True,
        )
    click.echo(f"A batch is run where its list is: in {BATCHES} of the folder that proposed it.", err=True)


@click.command()
@click.argument("source", type=FOLDER)
@click.argument("target", type=FOLDER)
@click.option(
    "--database", metavar="ADDRESS", help="Where TARGET keeps events and personal data: an empty PostgreSQL database."
)
@group_option
def copy(source: Path, target: Path, database: str | None, group: str | None) -> None:
    """Copy the ledger of folder SOURCE to the folder TARGET, event for event; interrupted, the same command goes on.

    Each of the two may keep its events in the folder or in a database. Let nobody work in SOURCE afterwards.
    """
    from ledger.application.moving import Move

    move = Move(source, target, database=_checked(database), group=group)
    with progress_bar(lambda: move.progress, "copy") as advance:
        copied = move.carry_out(advance)
    # As of `init`, what is to be run in the database stands alone on standard output.
    click.echo(
        f"{target} holds all of {source}: {counted(copied.events, 'event')}, {copied.people:,} people in the vault.",
        err=database is not None,
    )
    click.echo(f"SHA-256 of both logs: {copied.log_sha256}", err=database is not None)
    if database is not None:
        from ledger.application.rights import grants_at

        click.echo(grants_at(database), nl=False)
