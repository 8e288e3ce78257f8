"""`salur check`, and how laws are told."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ledger.console.options import Output, Session, reads
from ledger.console.output import Broken, counted_bar, present, print_json
from ledger.console.working import opened
from projections.commands.archive import archive_of

if TYPE_CHECKING:
    from ledger.application.ledger import Ledger
    from projections.laws.law import Law


@click.command()
@reads
def check(session: Session, output: Output) -> None:
    """Replay everything and hold it against the ledger's laws; exit code 4 names what breaks one."""
    from projections.audit.check import check as check_laws
    from projections.audit.vault_law import check_vault
    from projections.relation.spans import Stored

    with opened(session) as ledger:
        source = Stored(ledger.place)
        laws = check_laws(ledger.store, archive_of(ledger), source, absent=ledger.place.absent_people)
        vault, unshown = check_vault(ledger.place, ledger.store, is_audit=False)
        laws.append(vault)
        wider = [*ledger.place.wider_rights(), *ledger.place.open_to_others()]
    tell_laws(session, output, laws, whole=[asdict(law) for law in laws])
    if unshown:
        click.echo(f"Notice {vault.name}: {unshown}", err=True)
    for sentence in wider:
        click.echo(f"Notice rights: {sentence}", err=True)
    if not all(law.holds for law in laws):
        raise Broken()
    click.echo("Every law holds.", err=True)


def require_sound(ledger: "Ledger") -> None:
    """Name what of the store, the log or the archive is not as it was signed, and end with that; else nothing."""
    from projections.audit.soundness import unsound

    log = ledger.transparency_log
    with counted_bar(2 * ledger.store.size(), "verify") as advance:
        broken = unsound(log, ledger.place, advance)
    if broken:
        tell_breaches(broken)
        click.echo(
            f"Nothing was signed or written; find out what happened with `salur audit verify {ledger.folder}`", err=True
        )
        raise Broken()


def tell_laws(session: Session, output: Output, laws: "Sequence[Law]", *, whole: object) -> None:
    """Print the laws, or for JSON the whole finding; name what breaks one, and what is worth a look."""
    if output == "json":
        print_json(whole)
    else:
        rows = [
            {"law": law.name, "checked": law.checked, "broken": law.broken_count, "sentence": law.sentence}
            for law in laws
        ]
        present(session, output, rows, ("law", "checked", "broken", "sentence"))
    tell_breaches(laws)


def tell_breaches(laws: "Sequence[Law]") -> None:
    """Name what breaks a law, and what is worth a look."""
    for law in laws:
        for breach in law.broken:
            click.echo(f"BROKEN {law.name}: {breach.words}", err=True)
        for notice in law.notices:
            click.echo(f"Notice {law.name}: {notice.words}", err=True)
