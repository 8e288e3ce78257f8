"""What commands say: sentences, rows, events, the outcome of a file, a bar of progress, and endings that are no
refusals."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.console.options import Request, Session

if TYPE_CHECKING:
    from ledger.application.agreements import Entries
    from ledger.application.chunks import Tally
    from ledger.application.ledger import Ledger
    from ledger.console.columns import Column
    from ledger.store.entries import Entry

SHA256_DIGITS = 64
EVENT_COLUMNS = ("effective_on", "recorded_at", "officer", "event", "about")
_PLACE_FIELDS = ("stream", "version", "topic", "effective_on", "recorded_at", "by", "signature")


class Rejected(Exception):  # noqa: N818  # an ending, not an error
    """Done, but some rows were refused."""


class Broken(Exception):  # noqa: N818  # an ending, not an error
    """A law is broken, and what breaks it has been named."""


# Words and rows


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as `1 event` or `2,000 events`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def print_json(value: object) -> None:
    """Print a value as JSON; days as YYYY-MM-DD."""
    import json
    from datetime import date

    def day(value: object) -> str:
        if isinstance(value, date):
            return value.isoformat()
        raise TypeError(f"{type(value).__name__} has no form in JSON")

    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=day))


def present(
    session: Session, output: str, rows: "Sequence[dict[str, Any]]", shown: "Sequence[Column | str]", **table: Any
) -> None:
    """Print rows as a table for people, or exactly for programs; shared columns are named."""
    from ledger.console.columns import columns
    from ledger.console.tables import render, to_csv, to_json

    if output == "json":
        click.echo(to_json(rows), nl=False)
    elif output == "csv":
        click.echo(to_csv(rows, columns(*shown)), nl=False)
    else:
        render(rows, columns(*shown), lang=session.lang, **table)


def present_terms(session: Session, output: str, terms: dict[str, str]) -> None:
    """Print a thing's terms, one a line."""
    present(session, output, [{"term": name, "value": value} for name, value in terms.items()], ("term", "value"))


def money(session: Session, ledger: "Ledger", amount: int) -> str:
    """An amount for people, in their language."""
    from ledger.console.tables import format_amount

    currency = ledger.currency
    return format_amount(amount, lang=session.lang, currency=currency.code, decimals=currency.decimals)


# Events


def tell(request: Request, entries: "Sequence[Entry]", sentence: str) -> None:
    """Say what was recorded."""
    if request.output == "json":
        print_json([stored_object(entry) for entry in entries])
    elif waits := getattr(entries, "waiting", None):
        did = "Would propose" if request.command.dry_run else "Proposed" if entries else "Proposed before"
        where = "" if request.command.dry_run else f"; waiting as {waits}"
        click.echo(f"{did}: {sentence.removesuffix('.')}, once another officer agrees{where}.")
        click.echo(f"Next, another officer: `salur show {waits}`, then `salur approve {waits}`", err=True)
    elif not entries:
        click.echo("Nothing new: this was already recorded.")
    elif request.command.dry_run:
        click.echo(f"Would record {counted(len(entries), 'event')}: {sentence}")
    else:
        click.echo(sentence)


def tell_word(request: Request, entries: "Entries", subject: str, sentence: str) -> None:
    """Say what became of an officer's word about a subject: it waits for others, or what it agreed to is recorded."""
    for left in entries.left:
        click.echo(f"Notice: {left}", err=True)
    if entries.waiting and request.output != "json":
        click.echo(f"Agreed to {subject}, which waits for more words.")
    else:
        entries.waiting = None
        tell(request, entries, sentence)


def stored_object(entry: "Entry") -> dict[str, Any]:
    """An event as it is stored, with its place."""
    import json

    from ledger.store.entries import to_stored_event

    stored = to_stored_event(entry)
    place = {"stream": entry.originator_id, "version": entry.originator_version, "topic": stored.topic}
    return {**place, **json.loads(stored.state)}


def event_row(session: Session, ledger: "Ledger", stored: dict[str, Any]) -> dict[str, Any]:
    """One event for people, in `EVENT_COLUMNS`: when, who, what, and its fields in one line."""
    from datetime import date

    about = []
    for name, value in stored.items():
        if name in _PLACE_FIELDS or value in ([], None):
            continue
        if name in {"amount", "total", "budget", "ceiling"}:
            about.append(f"{name} {money(session, ledger, value)}")
        elif name == "members":
            about.append(f"{len(value)} members")
        elif isinstance(value, str) and len(value) == SHA256_DIGITS:
            about.append(f"{name} {value[:12]}…")
        else:
            about.append(f"{name} {value}")
    if "signature" in stored:
        about.append("signed")
    return {
        "effective_on": date.fromisoformat(stored["effective_on"]),
        "recorded_at": stored["recorded_at"][:19].replace("T", " "),
        "officer": stored.get("by"),
        "event": stored["topic"].partition(".")[0],
        "about": "; ".join(about),
    }


# Rows of a file


def tell_tally(
    request: Request,
    tally: "Tally",
    rejects_path: Path,
    *,
    sentence: str = "",
    noun: str = "row",
    more: dict[str, object] | None = None,
) -> None:
    """Say what became of a file's rows; ends the command with its own code if some were refused."""
    refused = sum(tally.refused.values())
    if request.output == "json":
        counts = {"taken": tally.taken, "repeated": tally.repeated, "total": tally.total}
        file = str(rejects_path) if refused else None
        print_json({**counts, "refused": dict(tally.refused), "rejects_file": file, **(more or {})})
    else:
        taken = f"{'Would take' if request.command.dry_run else 'Took'} {counted(tally.taken, noun)}"
        repeated = f", {tally.repeated:,} already recorded" if tally.repeated else ""
        click.echo(sentence or f"{taken}{repeated}, {counted(refused, 'row')} refused.")
        for code, rows in tally.refused.most_common():
            click.echo(f"  {rows:>9,} refused: {code}", err=True)
    if refused:
        click.echo(f"Refused rows, with line and reason: {rejects_path}", err=True)
        raise Rejected()


# Progress


@contextmanager
def progress_bar(progress: Callable[[], float], title: str) -> Iterator[Callable[[int], None]]:
    """A bar with rows, rate and time left on the terminal's error channel; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=1.0, rows=0, rate=0)
        rows = 0

        def advance(more: int) -> None:
            nonlocal rows
            rows += more
            elapsed = bar.tasks[0].elapsed or 0
            bar.update(task, completed=progress(), rows=rows, rate=int(rows / elapsed) if elapsed else 0)

        yield advance


@contextmanager
def counted_bar(size: int, title: str) -> Iterator[Callable[[int], None]]:
    """A bar for work with so many rows or events; the work says how many more of them are done."""
    done = 0
    with progress_bar(lambda: done / max(size, 1), title) as advance:

        def on_progress(more: int) -> None:
            nonlocal done
            done += more
            advance(more)

        yield on_progress
