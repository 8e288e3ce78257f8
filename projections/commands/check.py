"""`salur check`, and how the laws are told."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ledger.console.options import Session, reads
from ledger.console.output import Broken, present, print_json
from ledger.console.working import opened
from projections.commands.archive import archive_of

if TYPE_CHECKING:
    from projections.check import Law


@click.command()
@reads
def check(session: Session, output: str) -> None:
    """Replay everything and hold it against the ledger's laws; exit code 4 names what breaks one."""
    from dataclasses import asdict

    from projections.check import check as check_laws
    from projections.parts import Stored

    with opened(session) as ledger:
        source = Stored(ledger.place)
        laws = check_laws(ledger.store, archive_of(ledger), source, absent=ledger.place.absent_people)
        wider = ledger.place.wider_rights()
    if output == "json":
        print_json([asdict(law) for law in laws])
    else:
        present(session, output, law_rows(laws), LAW_COLUMNS)
    tell_breaches(laws)
    for sentence in wider:
        click.echo(f"Notice rights: {sentence}", err=True)
    if not all(law.holds for law in laws):
        raise Broken()
    click.echo("Every law holds.", err=True)


LAW_COLUMNS = ("law", "checked", "broken", "sentence")


def law_rows(laws: "Sequence[Law]") -> list[dict[str, Any]]:
    """One row a law, for people."""
    return [
        {"law": law.name, "checked": law.checked, "broken": law.broken_count, "sentence": law.sentence} for law in laws
    ]


def tell_breaches(laws: "Sequence[Law]") -> None:
    """Name what breaks a law, and what is worth a look."""
    for law in laws:
        for breach in law.broken:
            click.echo(f"BROKEN {law.name}: {breach.words}", err=True)
        for notice in law.notices:
            click.echo(f"Notice {law.name}: {notice.words}", err=True)
