"""`salur demo`: the 2020 case in a new ledger."""

from pathlib import Path

import click

from ledger.console.options import Session

DEMO_STORE = "demo-ledger"


@click.command()
@click.option(
    "--scale",
    type=click.IntRange(1, 10_000),
    default=1_000,
    show_default=True,
    help="The wage subsidy and job expansion at 1:SCALE.",
)
@click.option(
    "--files",
    type=click.Path(path_type=Path),
    default=Path("demo-files"),
    show_default=True,
    help="Where the invented people's files go.",
)
@click.pass_context
def demo(context: click.Context, scale: int, files: Path) -> None:
    """Record Indonesia's 2020 case in a new ledger, with invented people, through the commands shown."""
    from seeds.case import play

    session: Session = context.obj
    store = session.store if session.store_was_named else Path(DEMO_STORE)
    keys = session.keys or store.with_name(f"{store.name}-keys")
    play(context.find_root().command, store=store, keys=keys, files=files, scale=scale)
