"""`salur vault`: keeping the place where personal data lies."""

import click

from ledger.console.options import Session, pass_session
from ledger.console.output import Broken, counted, counted_bar
from ledger.console.working import opened

vault = click.Group()


@vault.command("upgrade")
@click.option("--as-it-is", is_flag=True, help="Also take rows along that are not what was registered.")
@pass_session
def vault_upgrade(session: Session, *, as_it_is: bool) -> None:
    """Bring a vault of an earlier version over to today's form; interrupted, the same command goes on.

    In a database, run this as the database's owner; it prints the rights that officers and auditors need. People whose
    accounts are one account, written in two ways, are named. Exit code 4 where a row is not what was registered.
    """
    from ledger.application.people import RegisteredPeople
    from ledger.application.vaults import upgrade

    with opened(session) as ledger:
        if ledger.place.database is not None:
            ledger.store.create_table()
        with counted_bar(RegisteredPeople(ledger.store).last(), "vault") as advance:
            done = upgrade(ledger.place, ledger.store, as_it_is=as_it_is, on_progress=advance)
        address = ledger.place.database
    click.echo(f"{counted(done.moved, 'row')} brought over; the vault is of today's form.", err=True)
    if address is not None:
        from ledger.application.rights import grants_at

        click.echo(grants_at(address), nl=False)  # what is to be run in the database stands alone on standard output
    for finding in done.findings:
        who = "the vault" if finding.number is None else f"R{finding.number:09d}"
        click.echo(f"{'Notice' if finding.is_notice else 'BROKEN'} vault-true: {who}: {finding.detail}", err=True)
    if any(not finding.is_notice for finding in done.findings):
        raise Broken()


@vault.command("rotate")
@pass_session
def vault_rotate(session: Session) -> None:
    """Give the vault new keys, and write a new key file: whoever kept the old one opens nothing that is sealed from now on.

    Everybody who works with a copy of the key needs the new one. Copies of the vault made before still open with the old.
    """
    from ledger.application.vaults import rotate

    with opened(session) as ledger:
        count = rotate(ledger.place)
        path = ledger.place.vault_key
    click.echo(f"{count:,} rows sealed anew; the new key is {path}. Keep a copy of it in a safe place.")
