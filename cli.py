"""The command line: parse, call, print. Rules live in `ledger`, figures in `projections`.

Everything heavy is imported inside the commands, so that `salur --help` starts as fast as an empty click program.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

if TYPE_CHECKING:
    from datetime import date, datetime

    from ledger.application import Command, Ledger
    from ledger.console.columns import Column
    from ledger.console.headings import Language
    from ledger.errors import LedgerError
    from ledger.intake import Field, Row
    from ledger.keys import Keys
    from ledger.notes import VerifierKey
    from ledger.privacy import Holdings
    from ledger.rejects import Reject
    from ledger.rows import Tally
    from ledger.store import Entry
    from ledger.witnessed import Published
    from projections.archive import Archive
    from projections.check import Law
    from projections.engine import Reports
    from projections.explain import Explanation
    from projections.figures import Recheck

    # A file's rows, what to tell of a refused one, what to tell of progress → what became of them
    Work = Callable[
        [Ledger, Any, Callable[[Reject, LedgerError | None], None], Callable[[int], None], str | None], Tally
    ]
    # The sentence for a file that was read to its end, and what JSON says beside the counts
    Say = Callable[[Ledger], tuple[str, dict[str, object]]]

DONE, REFUSED, USAGE, SOME_REJECTED, BROKEN, ANSWER_LOST, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
DEFAULT_STORE = "salur-ledger"
DEMO_STORE = "demo-ledger"
SHA256_DIGITS = 64
ROWS_MAX = 1_000
"""Of a table on a screen; other forms have all rows."""
STEP_DONE = {
    "settle": "settled",
    "return": "returned, and open until it is reissued or refunded",
    "reissue": "paid again",
    "refund": "refunded to the treasury",
    "reverse": "reversed",
}


# Options that many commands share


class DateOption(click.ParamType[Any]):
    """A date, year first or with a month's name."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "date":
        from ledger.dates import parse_date
        from ledger.errors import LedgerError

        try:
            return parse_date(value, None)
        except LedgerError as error:
            self.fail(str(error), param, ctx)


class ReportName(click.ParamType[Any]):
    """A report's name; their records are read when somebody asks for a report, and not for any other command."""

    name = "report"

    def choice(self) -> "click.Choice[str]":
        from projections.reports.catalogue import REPORTS

        return click.Choice(list(REPORTS))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return self.choice().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        return self.choice().shell_complete(ctx, param, incomplete)


class ReportCommand(click.Command):
    """A command whose help lists the reports."""

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from projections.reports.catalogue import REPORTS

        with formatter.indentation():
            formatter.write("\n")
            formatter.write_dl([(name, each.tells) for name, each in REPORTS.items()])


class KnownAtOption(click.ParamType[Any]):
    """A size of the log, or an instant."""

    name = "size|instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "int | datetime":
        from datetime import datetime

        if value.isdigit():
            return int(value)
        try:
            return datetime.fromisoformat(value).astimezone()
        except ValueError:
            self.fail("give a log size such as 120 or an instant such as 2020-10-15T17:00:00+07:00", param, ctx)


@dataclass
class Session:
    """What was said before the command."""

    store: Path
    store_was_named: bool
    keys: Path | None
    """The folder of the officers' private keys, if it was named."""
    lang: "Language"


pass_session = click.make_pass_decorator(Session)
OUTPUTS = click.Choice(["table", "json", "csv"])
LANGUAGES = click.Choice(["en", "id"])
output_option = click.option("-o", "--output", type=OUTPUTS, default="table", help="How to print the result.")


def stacked(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


as_of_option = click.option(
    "--as-of", type=DateOption(), help="Business time: what had happened by this date; today if not given."
)
known_at_option = click.option(
    "--known-at", type=KnownAtOption(), help="Ledger time: what was recorded by this log size or instant."
)

_who_and_when = stacked(
    click.option("--officer", envvar="SALUR_OFFICER", help="Who acts (or SALUR_OFFICER)."),
    click.option(
        "--key", "key_file", type=click.Path(path_type=Path), help="The officer's key; ID.pem of --keys if not given."
    ),
    click.option("--effective-on", type=DateOption(), help="Business date; today if not given."),
    click.option("--allow-future", is_flag=True, help="Accept a business date after today."),
    click.option("--reference", help="Your own reference: the same command under it is carried out once."),
    click.option("--note", help="A remark that is stored with the events; no personal data."),
    click.option("--dry-run", is_flag=True, help="Tell what would be recorded, and record nothing."),
    output_option,
)

_how_to_read = stacked(
    click.option("--map", "column_map", multiple=True, metavar="FIELD=COLUMN", help="Which column holds a field."),
    click.option("--sheet", help="Sheet of a workbook; the first if not given."),
    click.option("--date-order", type=click.Choice(["dmy", "mdy", "ymd"]), help="Order of dates in the file."),
    click.option("--decimal", type=click.Choice([".", ","]), help="The sign that separates decimals in the file."),
    click.option(
        "--rejects", type=click.Path(path_type=Path), help="Where refused rows go; by default FILE.rejects.csv here."
    ),
)


def reads(function: Any) -> Any:
    """A command that only reads: its function gets the `Session` first, in the language asked for, and `output`."""

    @pass_session
    def wrapped(session: Session, /, **options: Any) -> Any:
        lang = options.pop("lang") or session.lang
        return function(replace(session, lang=lang), **options)

    lang_option = click.option("--lang", type=LANGUAGES, help="Language of amounts, dates and headings.")
    return stacked(output_option, lang_option)(update_wrapper(wrapped, function))


@dataclass
class Request:
    """The options that every write shares."""

    session: Session
    command: "Command"
    output: str
    keys: "Keys"


@dataclass
class Reading:
    """How a file is to be read."""

    column_map: tuple[str, ...]
    sheet: str | None
    date_order: Any
    decimal: Any
    rejects: Path | None


def writes(function: Any) -> Any:
    """A command that records: its function gets a `Request` first."""

    @pass_session
    def wrapped(session: Session, /, **options: Any) -> Any:
        from datetime import datetime

        from ledger.application import Command

        today = datetime.now().astimezone().date()
        keys = keys_of(session, options.pop("key_file"))
        command = Command(
            by=options.pop("officer"),
            effective_on=options.pop("effective_on") or today,
            allow_future=options.pop("allow_future"),
            reference=options.pop("reference"),
            note=options.pop("note"),
            dry_run=options.pop("dry_run"),
            signer=keys.signer,
        )
        return function(Request(session, command, options.pop("output"), keys), **options)

    return _who_and_when(update_wrapper(wrapped, function))


def reads_file(function: Any) -> Any:
    """A command that reads a table: its function gets a `Reading` named `reading`."""

    def wrapped(*arguments: Any, **options: Any) -> Any:
        names = ("column_map", "sheet", "date_order", "decimal", "rejects")
        return function(*arguments, reading=Reading(*(options.pop(name) for name in names)), **options)

    return _how_to_read(update_wrapper(wrapped, function))


FILE = click.Path(path_type=Path, allow_dash=True)


# Keys and their passphrases


def keys_of(session: Session, file: Path | None) -> "Keys":
    """The private keys at hand: in the session's folder, or the one in a file that was named."""
    from ledger.keys import Keys, default_folder

    return Keys(session.keys or default_folder(), file=file, passphrase=ask_passphrase)


def ask_passphrase(path: Path, *, is_new: bool = False) -> bytes:
    """The passphrase of a key, from the file that SALUR_PASSPHRASE_FILE names, or from whoever sits there."""
    from ledger.errors import KeyLockedError

    if named := os.environ.get("SALUR_PASSPHRASE_FILE"):
        try:
            if given := Path(named).read_bytes().rstrip(b"\r\n"):
                return given
        except OSError:
            raise KeyLockedError(path=str(path), problem="SALUR_PASSPHRASE_FILE names no file to be read") from None
        raise KeyLockedError(path=str(path), problem="the file of SALUR_PASSPHRASE_FILE is empty")
    if not sys.stdin.isatty():
        problem = "nobody is there to be asked" + (", and --no-passphrase was not given" if is_new else "")
        raise KeyLockedError(path=str(path), problem=problem)
    words = f"{'New passphrase' if is_new else 'Passphrase'} for {path}"
    typed: str = click.prompt(words, hide_input=True, confirmation_prompt=is_new, err=True)
    return typed.encode()


def keep_new_key(keys: "Keys", ledger: "Ledger", officer_id: str, *, no_passphrase: bool) -> None:
    """Write a key that was just made, locked with a passphrase unless none is wanted, and say where it is."""
    path = keys.path(ledger.fingerprint, officer_id)
    if path.exists():
        return
    if path.resolve().is_relative_to(ledger.folder.resolve()):
        raise click.UsageError("keep private keys apart from the ledger: name another folder with --keys or SALUR_KEYS")
    keys.keep(ledger.fingerprint, officer_id, None if no_passphrase else ask_passphrase(path, is_new=True))
    click.echo(f"The private key of {officer_id} is in {path}; keep a copy in a safe place.", err=True)


# Opening, working, telling


@contextmanager
def opened(session: Session, command: "Command | None" = None) -> "Iterator[Ledger]":
    """The session's ledger; for a write, somebody must act."""
    from ledger.application import Ledger, require_ledger
    from projections.following import followed

    require_ledger(session.store)
    if command is not None and command.by is None:
        raise click.UsageError("say who acts: --officer ID, or set SALUR_OFFICER")
    ledger = Ledger(session.store)
    try:
        with nullcontext() if command is None else followed(session.store):
            yield ledger
        # Also where nothing was recorded now: the same command may have been interrupted before the log had it.
        has_written = ledger.recorded or (command is not None and not command.dry_run)
        if has_written and ledger.place.has_own_log:
            take_into_log(ledger)
        if command is not None:
            seal_what_is_due(ledger)
    finally:
        ledger.close()


def take_into_log(ledger: "Ledger") -> None:
    """After a write, where the log is the ledger's own; what was recorded stands, whatever comes of the log."""
    from ledger.errors import IntegrityBrokenError, LedgerError

    try:
        with log_bar(ledger, "log") as advance:
            ledger.transparency_log.grow(advance)
    except (OSError, LedgerError) as error:
        click.echo(f"Recorded, but not yet in the transparency log: {error}", err=True)
    except IntegrityBrokenError:
        click.echo("Recorded, but not taken into the transparency log:", err=True)
        raise


def archive_of(ledger: "Ledger") -> "Archive":
    """The ledger's archive; what must be made anew of it is told on the error channel."""
    from projections.archive import ARCHIVE, Archive

    return Archive(ledger.folder / ARCHIVE, ledger.store, tell=lambda sentence: click.echo(sentence, err=True))


def bring_up_to_date(archive: "Archive") -> "Archive":
    """Seal what is due, with a bar."""
    if archive.is_due():
        with progress_bar(lambda: archive.progress, "archive") as advance:
            archive.brought_up_to_date(advance)
    return archive


def seal_what_is_due(ledger: "Ledger") -> None:
    """After a write that filled a segment; what was recorded stands, whatever comes of the archive."""
    from ledger.errors import SegmentMismatchError

    try:
        bring_up_to_date(archive_of(ledger))
    except SegmentMismatchError as error:
        click.echo(str(error), err=True)


@contextmanager
def log_bar(ledger: "Ledger", title: str) -> "Iterator[Callable[[int], None]]":
    """A bar for work with the events of the whole log."""
    size, done = max(ledger.store.size(), 1), 0
    with progress_bar(lambda: done / size, title) as advance:

        def on_progress(events: int) -> None:
            nonlocal done
            done += events
            advance(events)

        yield on_progress


def tell(request: Request, entries: "Sequence[Entry]", sentence: str) -> None:
    """Say what was recorded."""
    if request.output == "json":
        print_json([stored_object(entry) for entry in entries])
    elif not entries:
        click.echo("Nothing new: this was already recorded.")
    elif request.command.dry_run:
        click.echo(f"Would record {_count(len(entries), 'event')}: {sentence}")
    else:
        click.echo(sentence)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def print_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def stored_object(entry: "Entry") -> dict[str, object]:
    """An event as it is stored, with its place."""
    import json

    from ledger.store import to_stored_event

    stored = to_stored_event(entry)
    place = {"stream": entry.originator_id, "version": entry.originator_version, "topic": stored.topic}
    return {**place, **json.loads(stored.state)}


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


def amount_of(ledger: "Ledger", text: str) -> int:
    """An amount typed on the command line, in whole minor units."""
    from ledger.money import parse_amount

    return parse_amount(text, ledger.currency)


def money(session: Session, ledger: "Ledger", amount: int) -> str:
    """An amount for people, in their language."""
    from ledger.console.tables import format_amount

    currency = ledger.currency
    return format_amount(amount, lang=session.lang, currency=currency.code, decimals=currency.decimals)


def work_file(
    request: Request,
    reading: Reading,
    path: Path,
    fields: "tuple[Field, ...]",
    work: "Work",
    *,
    name: str | None = None,
    program: str | None = None,
    noun: str = "row",
    say: "Say | None" = None,
) -> None:
    """Read a file's rows into the ledger, show progress, write the rejects and say what became of the rows."""
    from ledger.errors import ColumnMapError
    from ledger.intake import open_table
    from ledger.rejects import RejectsFile
    from ledger.rows import finish_file

    column_map = {}
    for given in reading.column_map:
        field, separator, column = given.partition("=")
        if not separator:
            raise ColumnMapError(given=given, problem="write FIELD=COLUMN")
        column_map[field] = column
    stem = "stdin" if str(path) == "-" else path.stem
    rejects_path = reading.rejects or Path(f"{stem}.rejects.csv")
    source = None if str(path) == "-" else path
    with (
        opened(request.session, request.command) as ledger,
        open_table(source, fields, column_map, reading.sheet) as table,
        RejectsFile(rejects_path) as rejects,
    ):
        this = (name, program, table.sha256)
        if name and ledger.was_carried_out(request.command, this):
            tell(request, [], "")
            return
        with progress_bar(lambda: table.progress, stem) as advance:
            tally = work(ledger, table.rows(), lambda reject, _: rejects.add(reject), advance, table.sha256)
        if name and not request.command.dry_run:
            finish_file(ledger, request.command, tally, name=name, file_sha256=table.sha256, program=program)
            ledger.mark_carried_out(request.command, this)
        sentence, more = say(ledger) if say else ("", {})
    tell_tally(request, tally, rejects_path, sentence=sentence, noun=noun, more=more)


def work_rows(request: Request, rows: "Sequence[Row]", work: "Work", sentence: str) -> None:
    """Carry out one thing that is given in words and not in a file; what refuses it refuses the command."""
    refused: list[LedgerError] = []

    def on_reject(reject: "Reject", error: "LedgerError | None") -> None:
        if error is None:
            raise click.UsageError(reject.reason)
        refused.append(error)

    with opened(request.session, request.command) as ledger:
        this = (sentence, *(row.values for row in rows))
        if ledger.was_carried_out(request.command, this):
            tell(request, [], "")
            return
        tally = work(ledger, rows, on_reject, lambda _: None, None)
        if refused:  # of a group and its members, the members' errors say what to mend
            raise next((error for error in refused if error.code != "roster_invalid"), refused[0])
        ledger.mark_carried_out(request.command, this)
    if request.output == "json":
        print_json({"taken": tally.taken, "repeated": tally.repeated})
    elif tally.repeated:
        click.echo("Nothing new: this was already recorded.")
    else:
        click.echo(("Would record: " if request.command.dry_run else "") + sentence)


def _refuse(reject: "Reject", error: "LedgerError | None") -> NoReturn:
    if error is None:
        raise click.UsageError(reject.reason)
    raise error


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
        taken = f"{'Would take' if request.command.dry_run else 'Took'} {_count(tally.taken, noun)}"
        repeated = f", {tally.repeated:,} already recorded" if tally.repeated else ""
        click.echo(sentence or f"{taken}{repeated}, {_count(refused, 'row')} refused.")
        for code, rows in tally.refused.most_common():
            click.echo(f"  {rows:>9,} refused: {code}", err=True)
    if refused:
        click.echo(f"Refused rows, with line and reason: {rejects_path}", err=True)
        raise Rejected()


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


class Rejected(Exception):  # noqa: N818  # an ending, not an error
    """Done, but some rows were refused."""


# The root


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--store", envvar="SALUR_STORE", type=click.Path(path_type=Path), help="The ledger's folder (or SALUR_STORE)."
)
@click.option(
    "--keys",
    envvar="SALUR_KEYS",
    type=click.Path(path_type=Path),
    help="The folder of your private keys (or SALUR_KEYS); ~/.config/salur/keys if not given.",
)
@click.option("--lang", type=LANGUAGES, envvar="SALUR_LANG", help="Language of amounts, dates and headings.")
@click.version_option(package_name="salur")
@click.pass_context
def salur(context: click.Context, store: Path | None, keys: Path | None, lang: str | None) -> None:
    """Record and prove what a social-protection program paid, to whom, and on whose word."""
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MONETARY") or os.environ.get("LANG") or ""
    chosen: Language = "id" if (lang or spoken).startswith("id") else "en"
    context.obj = Session(store or Path(DEFAULT_STORE), store is not None, keys, chosen)


@salur.command()
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
    "--without-log", is_flag=True, help="Make no transparency log in the folder; a database's has none there."
)
@click.option("--officer", envvar="SALUR_OFFICER", hidden=True)
@pass_session
def init(
    session: Session,
    name: str,
    currency: str,
    decimals: int | None,
    database: str | None,
    without_log: bool,
    officer: str | None,
) -> None:
    """Make a new ledger in the folder named by --store.

    In a database, run this as the database's owner; it prints the rights that officers and auditors need.
    """
    from datetime import UTC, datetime

    from ledger.application import Command, create
    from ledger.events import LedgerOpened
    from ledger.folder import VAULT_KEY
    from ledger.money import default_decimals
    from ledger.rows import built

    del officer  # everybody may have SALUR_OFFICER set; nobody is enrolled yet
    usual = default_decimals(currency)
    opened_as = built(LedgerOpened, name=name, currency=currency, decimals=usual if decimals is None else decimals)
    command = Command(by=None, effective_on=datetime.now().astimezone().date())
    create(
        session.store,
        command,
        opened=opened_as,
        now=lambda: datetime.now(UTC),
        database=checked(database),
        with_log=database is None and not without_log,
    ).close()
    # What is to be run in the database stands alone on standard output, for psql.
    sentence = f"New ledger in {session.store}, in {currency} with {opened_as.decimals} decimals."
    click.echo(sentence, err=database is not None)
    if database is not None:
        from ledger.postgres_rights import GRANTS

        click.echo(GRANTS, nl=False)
        click.echo(f"Keep a copy of {session.store / VAULT_KEY} in a safe place; give it to those who join.", err=True)
    click.echo("Next: `salur officer enroll ID --role maker`", err=True)


@salur.command()
@click.argument("database", metavar="ADDRESS")
@pass_session
def join(session: Session, database: str) -> None:
    """Let the folder named by --store work with the ledger in a database, postgresql://USER@HOST/NAME."""
    from ledger.folder import BATCHES, VAULT_KEY
    from ledger.moving import join as join_ledger

    ledger = join_ledger(session.store, database=checked(database) or "")
    name, size = ledger.opened.name, ledger.store.size()
    ledger.close()
    click.echo(f"{session.store} works with {name}, of {_count(size, 'event')}.")
    if not (session.store / VAULT_KEY).exists():
        click.echo(
            f"To register people or name them by NIK, copy {VAULT_KEY} by hand from the folder in which the ledger was"
            f" made to {session.store / VAULT_KEY}.",
            err=True,
        )
    click.echo(f"A batch is run where its list is: in {BATCHES} of the folder that proposed it.", err=True)


@salur.command()
@click.argument("source", type=click.Path(path_type=Path, file_okay=False))
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--database", metavar="ADDRESS", help="Where TARGET keeps events and personal data: an empty PostgreSQL database."
)
def copy(source: Path, target: Path, database: str | None) -> None:
    """Copy the ledger of folder SOURCE to the folder TARGET, event for event; interrupted, the same command goes on.

    Each of the two may keep its events in the folder or in a database. Let nobody work in SOURCE afterwards.
    """
    from ledger.moving import Move

    move = Move(source, target, database=checked(database))
    with progress_bar(lambda: move.progress, "copy") as advance:
        copied = move.carry_out(advance)
    click.echo(
        f"{target} holds all of {source}: {_count(copied.events, 'event')}, {copied.people:,} people in the vault."
    )
    click.echo(f"SHA-256 of both logs: {copied.log_sha256}")


def checked(database: str | None) -> str | None:
    """The address of a database as it was given, unless a password is in it."""
    if database is None:
        return None
    from ledger.postgres import checked_address

    return checked_address(database)


# Officers


@salur.group()
def officer() -> None:
    """Who may act, and in which roles."""


_no_passphrase = click.option(
    "--no-passphrase", is_flag=True, help="Leave a new key file unlocked, for scripts; whoever can read it can sign."
)


@officer.command("enroll")
@click.argument("officer_id")
@click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(["maker", "checker"]), help="May be given twice."
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
    from ledger import administration
    from ledger.application import Attempt
    from ledger.events import Role, officer_stream

    if bool(public_key) + without_key + no_passphrase > 1:
        raise click.UsageError("give one of --public-key, --without-key and --no-passphrase")
    with opened(request.session) as ledger:
        command = request.command
        is_known = bool(ledger.load(officer_stream(officer_id)))
        if administration.is_first_officer(ledger) or (command.by is None and is_known):
            command = replace(command, by=officer_id)  # themselves, or the same command again
        elif command.by is None:
            raise click.UsageError("say who acts: --officer ID, or set SALUR_OFFICER")

        def enroll(command: "Command", public_key: str | None) -> "list[Entry]":
            named = tuple(Role(role) for role in roles)
            return administration.enroll(ledger, command, officer_id=officer_id, roles=named, public_key=public_key)

        if not public_key and not without_key:
            if is_known:  # the same command again means the same key, wherever that is
                public_key = Attempt(ledger, command).named_officer(officer_id).public_key
            else:
                keys = request.keys if command.by == officer_id else keys_of(request.session, None)
                public_key = _key_at_hand(keys, ledger, officer_id) or keys.make(ledger.fingerprint, officer_id)
                enroll(replace(command, dry_run=True), public_key)  # what refuses it does so before a key is kept
                if not command.dry_run:
                    keep_new_key(keys, ledger, officer_id, no_passphrase=no_passphrase)
        entries = enroll(command, public_key)
    tell(request, entries, f"{officer_id} is enrolled as {' and '.join(roles)}.")


@officer.command("key")
@click.argument("officer_id")
@click.option(
    "--key", "key_file", type=click.Path(path_type=Path), help="The officer's key; ID.pem of --keys if not given."
)
@_no_passphrase
@pass_session
def officer_key(session: Session, officer_id: str, key_file: Path | None, no_passphrase: bool) -> None:
    """Print the public key of OFFICER_ID, whose key pair is made here if there is none; another officer enrolls it."""
    keys = keys_of(session, key_file)
    with opened(session) as ledger:
        public_key = _key_at_hand(keys, ledger, officer_id)
        if public_key is None:
            public_key = keys.make(ledger.fingerprint, officer_id)
            keep_new_key(keys, ledger, officer_id, no_passphrase=no_passphrase)
    click.echo(public_key)


def _key_at_hand(keys: "Keys", ledger: "Ledger", officer_id: str) -> str | None:
    """The public key of the officer's pair on this machine, if there is one."""
    from ledger.events import LedgerEntrusted
    from ledger.rows import built

    built(LedgerEntrusted, officer_id=officer_id)  # an id of the right form, before a file is named after it
    return keys.public_key(ledger.fingerprint, officer_id)


@officer.command("replace-key")
@click.argument("officer_id")
@click.option("--public-key", required=True, help="Of their new key pair, as `salur officer key` printed it.")
@click.option("--reason", required=True, help="Why; stored with the event.")
@writes
def officer_replace_key(request: Request, officer_id: str, public_key: str, reason: str) -> None:
    """Let OFFICER_ID sign with another key, when theirs is lost or they had none; another officer does this."""
    from ledger import administration

    with opened(request.session, request.command) as ledger:
        entries = administration.replace_key(
            ledger, request.command, officer_id=officer_id, public_key=public_key, reason=reason
        )
    tell(request, entries, f"{officer_id} signs with another key from now on.")


@officer.command("revoke")
@click.argument("officer_id")
@click.option("--reason", required=True, help="Why; stored with the event.")
@writes
def officer_revoke(request: Request, officer_id: str, reason: str) -> None:
    """Stop OFFICER_ID from acting; what they did before stands."""
    from ledger import administration

    with opened(request.session, request.command) as ledger:
        entries = administration.revoke(ledger, request.command, officer_id=officer_id, reason=reason)
    tell(request, entries, f"{officer_id} is revoked.")


@officer.command("list")
@reads
def officer_list(session: Session, output: str) -> None:
    """Everybody ever enrolled, and the public keys that count now."""
    from datetime import date

    from ledger.application import Attempt, Command

    with opened(session) as ledger:
        attempt = Attempt(ledger, Command(None, date.min))
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


# Programs


@salur.group()
def program() -> None:
    """Programs, their terms and budgets."""


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
    from ledger import administration
    from ledger.events import Kind, ProgramOpened
    from ledger.rows import built

    with opened(request.session, request.command) as ledger:
        if terms["kind"] in set(Kind):
            terms["kind"] = Kind(terms["kind"])
        opening = built(
            ProgramOpened,
            program=code,
            ceiling=amount_of(ledger, ceiling) if ceiling else None,
            schedule=tuple(amount_of(ledger, each) for each in tranches),
            **terms,
        )
        entries = administration.open_program(ledger, request.command, terms=opening)
    tell(request, entries, f"Program {code} is open.")


@program.command("budget")
@click.argument("code")
@click.argument("amount")
@writes
def program_budget(request: Request, code: str, amount: str) -> None:
    """Set the budget of CODE to AMOUNT in all."""
    from ledger import administration

    with opened(request.session, request.command) as ledger:
        budget = amount_of(ledger, amount)
        entries = administration.set_budget(ledger, request.command, program=code, budget=budget)
        sentence = f"The budget of {code} is {money(request.session, ledger, budget)}."
    tell(request, entries, sentence)


@program.command("close")
@click.argument("code")
@click.option("--reason", required=True, help="Why; stored with the event.")
@writes
def program_close(request: Request, code: str, reason: str) -> None:
    """End the program CODE; returns, refunds and reports can still be recorded."""
    from ledger import administration

    with opened(request.session, request.command) as ledger:
        entries = administration.close_program(ledger, request.command, program=code, reason=reason)
    tell(request, entries, f"Program {code} is closed.")


@program.command("list")
@reads
def program_list(session: Session, output: str) -> None:
    """All programs with their figures as of today."""
    print_report(session, "programs", output)


@program.command("show")
@click.argument("code")
@reads
def program_show(session: Session, code: str, output: str) -> None:
    """The terms of CODE and its money."""
    from datetime import date

    from ledger.application import Attempt, Command

    with opened(session) as ledger:
        found = Attempt(ledger, Command(None, date.min)).program(code)
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
        rows = []
        for name, value in terms.items():
            values = value if isinstance(value, list) else [value]
            shown = [
                money(session, ledger, each) if each is not None and name in money_terms else str(each)
                for each in values
            ]
            rows.append({"term": name, "value": "-" if value is None else ", ".join(shown)})
        present(session, output, rows, ("term", "value"))


# Recipients


@salur.group()
def recipient() -> None:
    """People and households that a program may help."""


@recipient.command("register")
@click.option(
    "--nik", prompt="NIK", help="National id; asked for if not given, so that it stays out of the shell's history."
)
@click.option("--name", "full_name", prompt="Name", help="Full name; asked for if not given.")
@click.option("--account", default="", help="Bank account.")
@click.option("--phone", default="", help="Telephone.")
@click.option("--address", default="", help="Address.")
@click.option("--category", required=True, help="E.g. worker, pmi, cpmi.")
@click.option("--region", default="", help="Kemendagri code, e.g. 32.73.")
@click.option(
    "--shared-account", default="", help="Why the account may serve several: household, guardian or no-bank-nearby."
)
@writes
def recipient_register(
    request: Request,
    nik: str,
    full_name: str,
    account: str,
    phone: str,
    address: str,
    category: str,
    region: str,
    shared_account: str,
) -> None:
    """Register one person; their data goes into the vault only."""
    from ledger import registration
    from ledger.intake import Row
    from ledger.rows import recipient_id

    values = (nik, full_name, account, phone, address, category, region, shared_account)
    with opened(request.session, request.command) as ledger:

        def chosen_id() -> str | None:
            number = ledger.vault.find([nik]).get(nik)
            return recipient_id(number) if number else None

        if ledger.was_carried_out(request.command, ("register", chosen_id())):
            tell(request, [], "")
            return
        tally = registration.register(ledger, request.command, [Row(1, values)], file_sha256=None, on_reject=_refuse)
        chosen = None if request.command.dry_run else chosen_id()
        ledger.mark_carried_out(request.command, ("register", chosen))
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
    from ledger import registration

    def work(ledger: Any, rows: Any, on_reject: Any, on_progress: Any, sha256: Any) -> "Tally":
        return registration.register(
            ledger,
            request.command,
            rows,
            file_sha256=sha256,
            category=category,
            on_reject=on_reject,
            on_progress=on_progress,
        )

    work_file(request, reading, file, registration.FIELDS, work, name="recipient-import")


@recipient.group("erase")
def erase() -> None:
    """Erase a person's data from the vault, on the word of two officers; for good."""


def person_meant(ledger: "Ledger", recipient_id: str | None) -> str:
    """The recipient named by id, or by the NIK that is asked for: an argument would stay in the shell's history."""
    from ledger import privacy
    from ledger.rows import is_nik_shaped

    if recipient_id is None:
        return privacy.recipient_named(ledger, click.prompt("NIK", err=True).strip())
    if is_nik_shaped(recipient_id):
        raise click.UsageError("a NIK is no argument: leave it out, and it is asked for or read from standard input")
    return recipient_id


def tell_open_matters(ledger: "Ledger", recipient_id: str) -> None:
    """Before a person is erased: what is under way for them, for which their account will not be known any more."""
    from ledger import privacy

    for matter in privacy.open_matters(ledger, recipient_id):
        click.echo(f"Notice: {matter}; once {recipient_id} is erased, their account is not known any more", err=True)


@erase.command("request")
@click.argument("recipient_id", required=False)
@click.option("--reason", required=True, help="Why; stored with the event, without personal data.")
@click.option("--legal-basis", required=True, help="The law that asks for it; stored with the event.")
@writes
def erase_request(request: Request, recipient_id: str | None, reason: str, legal_basis: str) -> None:
    """Ask that RECIPIENT_ID be erased, or the person whose NIK is asked for."""
    from ledger import privacy

    with opened(request.session, request.command) as ledger:
        meant = person_meant(ledger, recipient_id)
        tell_open_matters(ledger, meant)
        entries = privacy.request_erasure(
            ledger, request.command, recipient_id=meant, reason=reason, legal_basis=legal_basis
        )
    if entries and not request.command.dry_run:
        click.echo(f"Next, another officer: `salur recipient erase approve {meant}`", err=True)
    tell(request, entries, f"The erasure of {meant} is asked for.")


@erase.command("approve")
@click.argument("recipient_id", required=False)
@writes
def erase_approve(request: Request, recipient_id: str | None) -> None:
    """Agree to the erasure of RECIPIENT_ID and carry it out; run again, it completes one that was interrupted."""
    from ledger import privacy

    with opened(request.session, request.command) as ledger:
        meant = person_meant(ledger, recipient_id)
        tell_open_matters(ledger, meant)
        erased = privacy.approve_erasure(ledger, request.command, recipient_id=meant)
    for left in erased.left:
        click.echo(f"Notice: {left}", err=True)
    tell(request, erased.entries, f"{meant} is erased.")


@erase.command("reject")
@click.argument("recipient_id", required=False)
@click.option("--reason", required=True, help="Why; stored with the event, without personal data.")
@writes
def erase_reject(request: Request, recipient_id: str | None, reason: str) -> None:
    """Do not erase RECIPIENT_ID: by a checker, or by the maker who withdraws the request."""
    from ledger import privacy

    with opened(request.session, request.command) as ledger:
        meant = person_meant(ledger, recipient_id)
        entries = privacy.reject_erasure(ledger, request.command, recipient_id=meant, reason=reason)
    tell(request, entries, f"{meant} is not erased.")


@recipient.command("disclose")
@click.argument("recipient_id", required=False)
@click.option("--reason", required=True, help="Why it is shown; stored with the event, without personal data.")
@writes
def recipient_disclose(request: Request, recipient_id: str | None, reason: str) -> None:
    """Show all that is held of RECIPIENT_ID, or of the person whose NIK is asked for.

    That it was shown, to whom and why, is recorded first. The vault's key is needed.
    """
    from ledger import privacy

    if request.output == "csv":
        raise click.UsageError("a disclosure is printed as a table or as JSON")
    with opened(request.session, request.command) as ledger:
        meant = person_meant(ledger, recipient_id)
        held = privacy.disclose(ledger, request.command, recipient_id=meant, reason=reason)
        if held is None:
            click.echo(
                "Would record that this is shown." if request.command.dry_run
                else "Shown before under this reference; take another one to see it again.",
                err=True,
            )  # fmt: skip
            return
        told = disclosure(held)
        if request.output == "json":
            print_json(told)
            return
        rows = [_history_row(request.session, ledger, each) for each in told["events"]]
    terms = {"recipient_id": meant, **(told["person"] or {"person": "nothing: erased" if held.erased else "nothing"})}
    terms |= {name: ", ".join(told[name]) for name in ("programs", "groups", "batches")}
    terms |= {f"payment {name}": paid["status"] for name, paid in told["payments"].items()}
    if told["erased"]:
        terms["erased"] = (
            f"on {told['erased']['on']}, asked by {told['erased']['maker']}, agreed by {told['erased']['checker']}"
        )
    present(
        request.session,
        "table",
        [{"term": name, "value": value or "-"} for name, value in terms.items()],
        ("term", "value"),
    )
    present(request.session, "table", rows, ("effective_on", "recorded_at", "officer", "event", "about"))


def disclosure(held: "Holdings") -> dict[str, Any]:
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
        "person": held.person._asdict() if held.person else None,
        "erased": erased,
        "programs": held.programs,
        "groups": held.groups,
        "payments": {name: {"status": paid.status, "amount": paid.amount} for name, paid in held.payments.items()},
        "batches": held.batches,
        "events": [stored_object(entry) for entry in held.history],
    }


# Paying


@salur.group()
def disburse() -> None:
    """Pay a tranche: propose, approve, run."""


def _program_and_tranche(function: Any) -> Any:
    return stacked(
        click.option("--program", "code", required=True, help="The program's code."),
        click.option("--tranche", type=int, required=True, help="1, 2, …"),
        click.option("--batch", "batch_id", help="Id of the batch; made from its content if not given."),
    )(function)


@disburse.command("propose")
@click.argument("file", type=FILE)
@_program_and_tranche
@reads_file
@writes
def disburse_propose(
    request: Request, file: Path, code: str, tranche: int, batch_id: str | None, reading: Reading
) -> None:
    """Propose to pay the rows of FILE (columns recipient and amount; no amount means the tranche's own)."""
    from ledger import disbursement

    made: Any = None

    def work(ledger: Any, rows: Any, on_reject: Any, on_progress: Any, sha256: Any) -> "Tally":
        nonlocal made
        made = disbursement.propose(
            ledger, request.command, rows, program=code, tranche=tranche, file_sha256=sha256, batch_id=batch_id,
            decimal_mark=reading.decimal, on_reject=on_reject, on_progress=on_progress,
        )  # fmt: skip
        tally: Tally = made.tally
        return tally

    work_file(request, reading, file, disbursement.FIELDS, work, say=lambda ledger: _proposed(request, ledger, made))


def _proposed(request: Request, ledger: "Ledger", made: Any) -> tuple[str, dict[str, object]]:
    """What was proposed, in a sentence and for JSON; the officer is told what comes next."""
    proposal, total = made.proposal, money(request.session, ledger, made.proposal.total)
    refused = sum(made.tally.refused.values())
    verb = "Would propose" if request.command.dry_run else "Proposed" if made.is_new else "Already proposed:"
    without = f" Left out: {_count(refused, 'row')}." if refused else ""
    if made.is_new and not request.command.dry_run:
        click.echo(f"Next, another officer: `salur disburse approve {proposal.batch_id}`", err=True)
    sentence = f"{verb} batch {proposal.batch_id}: {_count(proposal.count, 'payment')}, {total}.{without}"
    return sentence, {"batch_id": proposal.batch_id, "rows_sha256": proposal.rows_sha256}


@disburse.command("one")
@click.argument("recipient_id")
@click.option("--amount", default="", help="The tranche's own if not given.")
@_program_and_tranche
@writes
def disburse_one(
    request: Request, recipient_id: str, amount: str, code: str, tranche: int, batch_id: str | None
) -> None:
    """Propose a batch of one payment, to RECIPIENT_ID."""
    import hashlib

    from ledger import disbursement
    from ledger.intake import Row

    typed = f"{recipient_id},{amount}\n"
    with opened(request.session, request.command) as ledger:
        made = disbursement.propose(
            ledger, request.command, [Row(1, (recipient_id, amount))], program=code, tranche=tranche,
            file_sha256=hashlib.sha256(typed.encode()).hexdigest(), batch_id=batch_id, on_reject=_refuse,
        )  # fmt: skip
        sentence, more = _proposed(request, ledger, made)
    tell_tally(request, made.tally, Path(), sentence=sentence, more=more)


@disburse.command("approve")
@click.argument("batch_id")
@writes
def disburse_approve(request: Request, batch_id: str) -> None:
    """Agree that exactly the proposed rows of BATCH_ID are paid; holds the money."""
    from ledger import disbursement
    from ledger.application import Attempt

    with opened(request.session, request.command) as ledger:
        entries = disbursement.approve(ledger, request.command, batch_id=batch_id)
        proposal = Attempt(ledger, request.command).batch(batch_id).proposal
        total = money(request.session, ledger, proposal.total)
    tell(request, entries, f"Approved batch {batch_id}: {_count(proposal.count, 'payment')}, {total}.")
    if entries and not request.command.dry_run:
        click.echo(f"Next: `salur disburse run {batch_id}`", err=True)


@disburse.command("reject")
@click.argument("batch_id")
@click.option("--reason", required=True, help="Why; stored with the event.")
@writes
def disburse_reject(request: Request, batch_id: str, reason: str) -> None:
    """Refuse the proposed BATCH_ID; its maker may withdraw it so."""
    from ledger import disbursement

    with opened(request.session, request.command) as ledger:
        entries = disbursement.reject(ledger, request.command, batch_id=batch_id, reason=reason)
    tell(request, entries, f"Batch {batch_id} is rejected; nothing of it will be paid.")


@disburse.command("run")
@click.argument("batch_id")
@click.option("--rejects", type=click.Path(path_type=Path), help="Where rows refused now go.")
@writes
def disburse_run(request: Request, batch_id: str, rejects: Path | None) -> None:
    """Pay every row of the approved BATCH_ID; interrupted, the same command goes on."""
    from ledger import disbursement
    from ledger.application import Attempt
    from ledger.rejects import RejectsFile

    rejects_path = rejects or Path(f"{batch_id}.rejects.csv")
    with opened(request.session, request.command) as ledger, RejectsFile(rejects_path) as file:
        count, done = Attempt(ledger, request.command).batch(batch_id).proposal.count, 0

        def so_far() -> float:
            return done / count

        with progress_bar(so_far, batch_id) as advance:

            def on_progress(rows: int) -> None:
                nonlocal done
                done += rows
                advance(rows)

            tally = disbursement.run(
                ledger,
                request.command,
                batch_id=batch_id,
                on_reject=lambda reject, _: file.add(reject),
                on_progress=on_progress,
            )
        total = money(request.session, ledger, tally.total)
    verb = "Would pay" if request.command.dry_run else "Paid"
    before = f" ({tally.repeated:,} of them before)" if tally.repeated else ""
    payments = f"{_count(tally.taken + tally.repeated, 'payment')}{before}"
    sentence = f"{verb} {payments} of batch {batch_id}: {total}."
    tell_tally(request, tally, rejects_path, sentence=sentence)


@disburse.command("status")
@click.argument("batch_id", required=False)
@reads
def disburse_status(session: Session, batch_id: str | None, output: str) -> None:
    """What became of BATCH_ID, or of every batch."""
    if batch_id:
        from datetime import date

        from ledger.application import Attempt, Command

        with opened(session) as ledger:
            Attempt(ledger, Command(None, date.min)).batch(batch_id)
    print_report(session, "batches", output, only=("batch_id", batch_id) if batch_id else None)


# Payments on their way


@salur.group()
def payment() -> None:
    """What happened to payments after they left. PAYMENT is PROGRAM/TRANCHE/RECIPIENT, a later attempt …/2, or a file."""


def _payment_step(step: str, *options: Any, help_text: str) -> None:
    """Add the command of one step, for one payment or a file of them."""

    @payment.command(step, help=help_text)
    @click.argument("payment", metavar="PAYMENT|FILE")
    @stacked(*options)
    @reads_file
    @writes
    def command(request: Request, payment: str, reading: Reading, reason: str = "", treasury_ref: str = "") -> None:
        from ledger import aftercare
        from ledger.intake import Row
        from ledger.payment import is_payment_id

        def work(ledger: Any, rows: Any, on_reject: Any, on_progress: Any, _sha256: Any) -> "Tally":
            return aftercare.change(
                ledger, request.command, aftercare.Step(step), rows, reason=reason, treasury_ref=treasury_ref,
                on_reject=on_reject, on_progress=on_progress,
            )  # fmt: skip

        if is_payment_id(payment) and not Path(payment).exists():
            work_rows(request, [Row(1, (payment, "", ""))], work, f"Payment {payment}: {STEP_DONE[step]}.")
        else:
            work_file(request, reading, Path(payment), aftercare.FIELDS, work, name=f"payment-{step}")


_reason_option = click.option("--reason", default="", help="For payments that name none.")
_payment_step("settle", help_text="The bank confirmed that the recipient has the money.")
_payment_step("return", _reason_option, help_text="The bank sent the money back (ISO 20022 reason, e.g. AC04).")
_payment_step("reissue", help_text="Pay again what had come back; another officer than recorded the return.")
_payment_step(
    "refund",
    click.option("--treasury-ref", default="", help="Receipt of the treasury, for payments that name none."),
    help_text="Give money that had come back to the treasury.",
)
_payment_step("reverse", _reason_option, help_text="Correct the ledger's own mistake: the payment never left.")


# Groups


@salur.group()
def group() -> None:
    """Grants to groups, and the reports they owe."""


@group.command("fund")
@click.argument("group", metavar="GROUP|FILE")
@click.option("--member", "members", multiple=True, help="Recipient in the roster of one group; may be given again.")
@click.option("--program", "code", required=True, help="The program's code.")
@click.option("--amount", default="", help="For groups that name none.")
@click.option("--proposal", default="", help="For groups that name none.")
@click.option("--decree", default="", help="For groups that name none.")
@click.option("--decree-on", default="", help="Date of the decree, for groups that name none.")
@click.option("--region", default="", help="For groups that name none.")
@reads_file
@writes
def group_fund(
    request: Request, group: str, members: tuple[str, ...], code: str, reading: Reading, **defaults: str
) -> None:
    """Fund GROUP with its --member roster, or the groups of FILE.

    FILE has a row a member (group, recipient), and a group's papers in the first of its rows.
    """
    from ledger import grants
    from ledger.intake import Row

    terms = grants.Terms(**defaults, date_order=reading.date_order, decimal_mark=reading.decimal)

    def work(ledger: Any, rows: Any, on_reject: Any, on_progress: Any, _sha256: Any) -> "Tally":
        return grants.fund(
            ledger, request.command, rows, program=code, terms=terms, on_reject=on_reject, on_progress=on_progress
        )

    if members:
        no_papers = ("",) * (len(grants.FIELDS) - 2)
        roster = [Row(line, (group, member, *no_papers)) for line, member in enumerate(members, start=1)]
        work_rows(request, roster, work, f"Group {group} of {code} is funded, with {_count(len(members), 'member')}.")
    else:
        work_file(request, reading, Path(group), grants.FIELDS, work, name="group-fund", program=code, noun="group")


@group.command("report")
@click.argument("group", metavar="GROUP|FILE")
@click.option("--program", "code", required=True, help="The program's code.")
@click.option("--report", "report_ref", default="", help="Reference of the report (LPJ) of one group.")
@reads_file
@writes
def group_report(request: Request, group: str, code: str, report_ref: str, reading: Reading) -> None:
    """Record the accountability report (LPJ) of GROUP, or of the groups in FILE (group, report)."""
    from ledger import grants

    if report_ref:
        with opened(request.session, request.command) as ledger:
            entries = grants.account(ledger, request.command, program=code, group_id=group, report_ref=report_ref)
        tell(request, entries, f"Group {group} has accounted for its grant.")
        return

    def work(ledger: Any, rows: Any, on_reject: Any, on_progress: Any, _sha256: Any) -> "Tally":
        return grants.account_many(
            ledger, request.command, rows, program=code, on_reject=on_reject, on_progress=on_progress
        )

    work_file(
        request, reading, Path(group), grants.REPORT_FIELDS, work, name="group-report", program=code, noun="report"
    )


# Goods and destinations


@salur.group()
def goods() -> None:
    """Masks, staple goods and other things: stocked, shipped, delivered."""


@goods.command("stock")
@click.argument("item")
@click.argument("quantity", type=click.IntRange(min=1))
@click.option("--unit", required=True, help="E.g. piece, package; fixed for an item by its first stock.")
@click.option("--from", "origin", required=True, help="Who made or gave them.")
@writes
def goods_stock(request: Request, item: str, quantity: int, unit: str, origin: str) -> None:
    """Take QUANTITY of ITEM into stock."""
    from ledger import administration

    with opened(request.session, request.command) as ledger:
        entries = administration.stock(ledger, request.command, item=item, quantity=quantity, unit=unit, origin=origin)
    tell(request, entries, f"Into stock: {quantity:,} {item} ({unit}) from {origin}.")


@goods.command("ship")
@click.argument("item")
@click.argument("quantity", type=click.IntRange(min=1))
@click.option("--shipment", "shipment_id", required=True, help="Id of the shipment.")
@click.option("--to", "country", required=True, help="Country, ISO 3166 (HK, TW, MY, …; ID for goods given at home).")
@click.option("--region", help="Kemendagri code, for goods given at home.")
@click.option("--program", help="Program that the aid belongs to.")
@click.option("--partner", help="Who ships it with you.")
@writes
def goods_ship(request: Request, item: str, quantity: int, shipment_id: str, **where: Any) -> None:
    """Send QUANTITY of ITEM from stock to a country."""
    from ledger import administration

    with opened(request.session, request.command) as ledger:
        entries = administration.ship(
            ledger, request.command, shipment_id=shipment_id, item=item, quantity=quantity, **where
        )
    tell(request, entries, f"Shipment {shipment_id}: {quantity:,} {item} under way to {where['country'].upper()}.")


@goods.command("deliver")
@click.argument("shipment_id")
@click.option("--quantity", type=click.IntRange(min=1), help="All that is under way if not given.")
@click.option("--proof", "proof_ref", required=True, help="Reference of the proof of delivery.")
@writes
def goods_deliver(request: Request, shipment_id: str, quantity: int | None, proof_ref: str) -> None:
    """Confirm that SHIPMENT_ID arrived, whole or in part."""
    from ledger import administration

    with opened(request.session, request.command) as ledger:
        entries = administration.deliver(
            ledger, request.command, shipment_id=shipment_id, quantity=quantity, proof_ref=proof_ref
        )
    tell(request, entries, f"Delivery of {shipment_id} is recorded.")


@salur.group()
def destination() -> None:
    """Countries where placement of migrant workers is open."""


@destination.command("reopen")
@click.argument("country")
@click.option("--decree", "decree_ref", required=True, help="The decree that opens it.")
@writes
def destination_reopen(request: Request, country: str, decree_ref: str) -> None:
    """Open placement in COUNTRY (ISO 3166) again."""
    from ledger import administration

    with opened(request.session, request.command) as ledger:
        entries = administration.reopen(ledger, request.command, country=country, decree_ref=decree_ref)
    tell(request, entries, f"Placement in {country.upper()} is open again.")


# Help other than money


def _person_or_file(
    request: Request,
    reading: Reading,
    who: str,
    fields: Any,
    work: "Work",
    *,
    sentence: str,
    name: str,
    program: str | None,
) -> None:
    """One recipient named by id, or a file of them."""
    from ledger.intake import Row
    from ledger.payment import is_recipient_id

    if is_recipient_id(who) and not Path(who).exists():
        work_rows(request, [Row(1, (who, *[""] * (len(fields) - 1)))], work, sentence)
    else:
        work_file(request, reading, Path(who), fields, work, name=name, program=program)


@salur.group()
def training() -> None:
    """Training of recipients and groups."""


@training.command("record")
@click.argument("who", metavar="RECIPIENT|FILE", required=False)
@click.option("--program", "code", required=True, help="The program's code.")
@click.option("--session", "session_id", default="", help="For rows that name none.")
@click.option("--group", "group_id", help="Every member of this group attended, instead of a recipient or file.")
@click.option("--group-program", help="Program that funded the group, if another one trains it.")
@reads_file
@writes
def training_record(
    request: Request,
    who: str | None,
    code: str,
    session_id: str,
    group_id: str | None,
    group_program: str | None,
    reading: Reading,
) -> None:
    """Record who attended a session: RECIPIENT, the rows of FILE (recipient, session), or a whole group."""
    from ledger import services

    if (who is None) == (group_id is None):
        raise click.UsageError("name a recipient, a file or a --group")

    def work(ledger: Any, rows: Any, on_reject: Any, on_progress: Any, _sha256: Any) -> "Tally":
        return services.train(
            ledger, request.command, rows, program=code, session_id=session_id, group_id=group_id,
            on_reject=on_reject, on_progress=on_progress,
        )  # fmt: skip

    if group_id:
        with opened(request.session, request.command) as ledger:
            rows = services.members_of(ledger, group_program or code, group_id, request.command)
            tally = work(ledger, rows, _refuse, lambda _: None, None)
        tell_tally(request, tally, Path())
    elif who:
        _person_or_file(
            request, reading, who, services.TRAINING_FIELDS, work,
            sentence=f"{who} attended {session_id}.", name="training-record", program=code,
        )  # fmt: skip


@salur.group()
def support() -> None:
    """Help other than money and training: incubation, works, companions, technology."""


@support.command("record")
@click.argument("who", metavar="RECIPIENT|FILE")
@click.option("--program", "code", required=True, help="The program's code.")
@click.option("--kind", default="", help="For rows that name none; the program's own kind if not given.")
@reads_file
@writes
def support_record(request: Request, who: str, code: str, kind: str, reading: Reading) -> None:
    """Record that a program helped RECIPIENT, or the people of FILE (recipient, kind)."""
    from ledger import services

    def work(ledger: Any, rows: Any, on_reject: Any, on_progress: Any, _sha256: Any) -> "Tally":
        return services.support(
            ledger, request.command, rows, program=code, kind=kind, on_reject=on_reject, on_progress=on_progress
        )

    _person_or_file(
        request, reading, who, services.SUPPORT_FIELDS, work,
        sentence=f"{code} helped {who}.", name="support-record", program=code,
    )  # fmt: skip


@salur.group()
def referral() -> None:
    """Referrals to other schemes."""


@referral.command("record")
@click.argument("who", metavar="RECIPIENT|FILE")
@click.option("--to", "scheme", default="", help="The scheme, e.g. kartu-prakerja; for rows that name none.")
@click.option("--channel", default="", help="regional-government, bp2mi or p3mi; for rows that name none.")
@reads_file
@writes
def referral_record(request: Request, who: str, scheme: str, channel: str, reading: Reading) -> None:
    """Record that RECIPIENT, or the people of FILE (recipient, scheme, channel), were referred."""
    from ledger import services

    def work(ledger: Any, rows: Any, on_reject: Any, on_progress: Any, _sha256: Any) -> "Tally":
        return services.refer(
            ledger, request.command, rows, scheme=scheme, channel=channel, on_reject=on_reject, on_progress=on_progress
        )

    _person_or_file(
        request, reading, who, services.REFERRAL_FIELDS, work,
        sentence=f"{who} is referred to {scheme}.", name="referral-record", program=None,
    )  # fmt: skip


# Reading


@salur.command(cls=ReportCommand)
@click.argument("name", type=ReportName())
@as_of_option
@known_at_option
@click.option(
    "--publish",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it to this file as a note signed with the log's key, as known at its newest checkpoint.",
)
@reads
def report(session: Session, name: str, as_of: "date | None", known_at: Any, publish: Path | None, output: str) -> None:
    """Print a report, rebuilt from the events alone."""
    if publish is None:
        print_report(session, name, output, as_of=as_of, known_at=known_at)
    elif known_at is None:
        publish_report(session, name, publish, as_of=as_of)
    else:
        raise click.UsageError("what is published is known at the log's newest checkpoint: leave --known-at out")


def print_report(
    session: Session,
    name: str,
    output: str,
    *,
    as_of: "date | None" = None,
    known_at: "int | datetime | None" = None,
    only: tuple[str, str] | None = None,
) -> None:
    """Print a report, or only its rows that have a value in a column."""
    import shutil
    from datetime import datetime

    from ledger.console.headings import phrase
    from ledger.console.tables import format_number
    from projections.engine import Reports
    from projections.journal import journal_text

    with opened(session) as ledger, Reports(ledger.store, bring_up_to_date(archive_of(ledger))) as reports:
        moment: dict[str, Any] = {"as_of": as_of or datetime.now().astimezone().date(), "known_at": known_at}
        if output == "csv" and only is None:
            with written_report(reports, name, "csv", moment) as file:
                shutil.copyfileobj(file, sys.stdout)
            return
        found = reports.run(name, **moment, rows_max=None if only else ROWS_MAX)
        if found.is_cut and (output == "json" or name == "journal"):
            with written_report(reports, name, "json", moment) as file:
                print_long_report(output, file)
            return
        title = ledger.opened.name
    rows = [row for row in found.rows if row[only[0]] == only[1]] if only else found.rows
    if name == "journal" and output == "table":
        for transaction in journal_text(rows):
            click.echo(transaction, nl=False)
        return
    present(
        session,
        output,
        rows,
        found.columns,
        layout=found.layout,
        currency=found.currency,
        decimals=found.decimals,
        heading=f"{title}: {name}",
        footer=true_for(session, found.as_of, found.log_size)
        + (
            " " + phrase("cut", session.lang).format(rows=format_number(len(rows), lang=session.lang))
            if found.is_cut
            else ""
        ),
    )


def true_for(session: Session, as_of: "date", log_size: int) -> str:
    """The sentence that says as of when and from which events figures are true."""
    from ledger.console.headings import phrase
    from ledger.console.tables import format_date, format_number

    day, size = format_date(as_of, lang=session.lang), format_number(log_size, lang=session.lang)
    return phrase("true for", session.lang).format(as_of=day, log_size=size)


def publish_report(session: Session, name: str, path: Path, *, as_of: "date | None") -> None:
    """Write a report as a signed note, and say so."""
    from datetime import datetime

    from ledger.durable import write_whole
    from ledger.notes import Checkpoint
    from projections.engine import Reports
    from projections.figures import publish

    with opened(session) as ledger:
        checkpoint = ledger.transparency_log.note()
        day = as_of or datetime.now().astimezone().date()
        with Reports(ledger.store, bring_up_to_date(archive_of(ledger))) as reports:
            note = publish(reports, ledger.transparency_log, name, as_of=day, checkpoint=checkpoint)
    write_whole(path, str(note).encode())
    size = Checkpoint.parse(checkpoint.text).size
    click.echo(f"Published {name} as of {day}, from the first {_count(size, 'event')}, in {path}.")


@contextmanager
def written_report(reports: "Reports", name: str, form: Any, moment: dict[str, Any]) -> "Iterator[TextIO]":
    """A report's rows in a temporary file: millions of them would not fit into memory."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="salur-") as folder:
        path = Path(folder) / "report"
        reports.write(name, path, form=form, **moment)
        with path.open(encoding="utf-8", newline="") as file:
            yield file


def print_long_report(output: str, lines: "Iterator[str]") -> None:
    """A report of millions of rows, row by row: as one JSON list, or as a journal."""
    from projections.journal import journal_of

    if output == "json":
        separator = "[\n"
        for line in lines:
            click.echo(separator + line.rstrip("\n"), nl=False)
            separator = ",\n"
        click.echo("\n]")
        return
    for transaction in journal_of(lines):
        click.echo(transaction, nl=False)


@salur.command()
@click.argument("thing")
@reads
def history(session: Session, thing: str, output: str) -> None:
    """Every event of THING in order: a recipient, program, batch, group, payment, shipment, item or officer."""
    with opened(session) as ledger:
        objects = [stored_object(entry) for entry in ledger.history(thing)]
        if output == "json":
            print_json(objects)
            return
        rows = [_history_row(session, ledger, each) for each in objects]
    present(session, output, rows, ("effective_on", "recorded_at", "officer", "event", "about"))


_PLACE_FIELDS = ("stream", "version", "topic", "effective_on", "recorded_at", "by", "signature")


def _history_row(session: Session, ledger: "Ledger", stored: dict[str, Any]) -> dict[str, Any]:
    """One event for people: when, who, what, and its fields in one line."""
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


@salur.command()
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


@salur.command()
@click.option("--rebuild", is_flag=True, help="Remove all segments first, and make the archive anew from the store.")
@output_option
@pass_session
def seal(session: Session, rebuild: bool, output: str) -> None:
    """Seal events into the archive: files of columns from which reports are rebuilt in seconds.

    It also happens by itself, after a write or before a report, whenever enough events for a segment have come together.
    """
    with opened(session) as ledger:
        archive = archive_of(ledger)
        if rebuild:
            archive.discard()
        with progress_bar(lambda: archive.progress, "archive") as advance:
            new = len(archive.seal(advance))
        segments = archive.segments()
        sealed = sum(segment.last - segment.first + 1 for segment in segments)
        row = {"segments": len(segments), "new": new, "sealed": sealed, "waiting": ledger.store.size() - sealed}
    if output == "table":
        click.echo(
            f"{_count(len(segments), 'segment')} with {_count(sealed, 'event')}, {new:,} of them new;"
            f" {row['waiting']:,} wait in the store."
        )
    else:
        present(session, output, [row], tuple(row))


# The transparency log


@salur.group("log")
def log() -> None:
    """The transparency log: one signed hash of all events, and proofs that anybody can check."""


@log.command("create")
@click.option(
    "--origin", metavar="NAME", help="The log's name for good; made from the ledger's first event if not given."
)
@click.option(
    "--key", type=click.Path(path_type=Path, dir_okay=False), help="The key that signs; made if it is not there."
)
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Where; by default in the ledger's folder."
)
@pass_session
def log_create(session: Session, origin: str | None, key: Path | None, folder: Path | None) -> None:
    """Make the ledger's log on this machine, over all that was recorded so far, or go on with the one in --folder.

    In the ledger's folder it grows with whatever is recorded there; elsewhere, or for a database, when you seal it.
    """
    from ledger.log import begin_log

    with opened(session) as ledger:
        signed = begin_log(ledger.place, ledger.store, folder=folder, origin=origin, key=key)
    click.echo(f"Log {signed.origin} holds {_count(signed.size, 'event')}.")


@log.command("seal")
@click.option("--rebuild", is_flag=True, help="Make the log's hashes anew first; they must give the root signed last.")
@output_option
@pass_session
def log_seal(session: Session, rebuild: bool, output: str) -> None:
    """Take everything recorded so far into the log, sign it, and have the witnesses that it requires cosign it."""
    from ledger.witnessed import publish

    with opened(session) as ledger:
        found = ledger.transparency_log
        before = found.checkpoint().size
        with log_bar(ledger, "log") as advance:
            if rebuild:
                found.rebuild(advance)
            signed = found.grow(advance)
        row = {"origin": signed.origin, "size": signed.size, "new": signed.size - before, "root": signed.root.hex()}
        if output == "table":
            click.echo(f"Log {signed.origin} holds {_count(signed.size, 'event')}, {row['new']:,} of them new.")
        else:
            present(session, output, [row], tuple(row))
        tell_published(publish(found))


@log.command("publish")
@pass_session
def log_publish(session: Session) -> None:
    """Have the newest checkpoint cosigned by the witnesses that the log requires, and give it to outsiders from now on."""
    from ledger.witnessed import publish

    with opened(session) as ledger:
        tell_published(publish(ledger.transparency_log))


def tell_published(found: "Published") -> None:
    """Say which checkpoint outsiders are given, and which witnesses have not cosigned it."""
    from ledger.notes import Checkpoint

    size = Checkpoint.parse(found.note.text).size
    for problem in found.problems:
        click.echo(f"Not cosigned by {problem}", err=True)
    if found.cosigned:
        click.echo(
            f"The checkpoint of {_count(size, 'event')} is published, with {found.cosigned} cosigning.", err=True
        )


@log.command("require-witnesses")
@click.option(
    "--witness",
    "witnesses",
    nargs=2,
    multiple=True,
    metavar="KEY URL",
    help="A witness's verifier key, or a file with it, and the address it answers at; may be given several times.",
)
@click.option("--quorum", type=click.IntRange(min=1), help="How many of them must cosign a checkpoint.")
@click.option("--none", "is_lifted", is_flag=True, help="Require no witness any more.")
@pass_session
def log_require_witnesses(
    session: Session, witnesses: tuple[tuple[str, str], ...], quorum: int | None, is_lifted: bool
) -> None:
    """Publish a checkpoint only when enough witnesses cosigned it; those given replace all that were required before.

    The log goes on growing and being signed without them; `log seal` and `log publish` ask them.
    """
    from ledger.witnessed import Required, RequiredWitness, require_witnesses

    if is_lifted == bool(witnesses) or bool(witnesses) != (quorum is not None):
        raise click.UsageError("give each --witness and their --quorum, or --none")
    wanted = None
    if quorum is not None:
        wanted = Required(tuple(RequiredWitness(verifier_key_given(key), url) for key, url in witnesses), quorum)
    with opened(session) as ledger:
        require_witnesses(ledger.transparency_log, wanted)
    if wanted is None:
        click.echo("No witness is required; what is signed is published.")
    else:
        click.echo(f"A checkpoint is published when {quorum} of {len(witnesses)} cosigned it.")


def verifier_key_given(text: str) -> "VerifierKey":
    """A verifier key written out, or the one in a file."""
    from ledger.errors import ProofFailedError, ValueInvalidError
    from ledger.notes import VerifierKey

    with suppress(ProofFailedError):
        return VerifierKey.parse(text)
    try:
        return VerifierKey.parse(Path(text).read_text().strip())
    except (OSError, ProofFailedError, UnicodeDecodeError):
        problem = "neither a verifier key nor a file with one; ask whose it is for it, in the form NAME+ID+KEY"
        raise ValueInvalidError(field="verifier key", problem=problem) from None


@log.command("checkpoint")
@pass_session
def log_checkpoint(session: Session) -> None:
    """Print the newest checkpoint that is published: the log's name, its size, its root, and who signed them.

    Keep it, or have others keep it: with it, `salur log verify --checkpoint` finds any change to what it covers.
    """
    from ledger.witnessed import published

    with opened(session) as ledger:
        click.echo(str(published(ledger.transparency_log)), nl=False)


@log.command("prove")
@click.argument("event", metavar="[INDEX|STREAM/VERSION]", required=False)
@click.option(
    "--consistency", "old_size", type=click.IntRange(min=1), help="Prove that the log continues its first N events."
)
@pass_session
def log_prove(session: Session, event: str | None, old_size: int | None) -> None:
    """Print what proves an event to be in the log, or the log to continue an earlier one.

    An event is named by its place in the log, from 0, or as program/bsu-2020/1. The proof holds its line as well.
    """
    if (event is None) == (old_size is None):
        raise click.UsageError("name either an event or, with --consistency, an earlier size")
    from ledger.witnessed import published

    with opened(session) as ledger:
        found = ledger.transparency_log
        note = published(found)
        proof = str(found.prove(found.index_of(event), note)) if event else found.prove_consistency(old_size or 0, note)
    click.echo(proof, nl=False)


@log.command("verify")
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A checkpoint that you kept; may be given several times.",
)
@click.option(
    "--key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The verifier key you trust, in a file."
)
@output_option
@pass_session
def log_verify(session: Session, checkpoints: tuple[Path, ...], key: Path | None, output: str) -> None:
    """Compute the whole log anew from the store, and compare; exit code 4 names the first event or file that differs.

    Without a checkpoint that was kept elsewhere this shows no more than that store and log agree with each other.
    """
    from dataclasses import asdict

    from ledger.notes import VerifierKey
    from projections.log_check import verify
    from projections.parts import Stored

    trusted = VerifierKey.parse(key.read_text().removesuffix("\n")) if key else None
    with opened(session) as ledger, log_bar(ledger, "verify") as advance:
        options: dict[str, Any] = {"key": trusted, "expected": checkpoints, "source": Stored(ledger.place)}
        found = verify(ledger.transparency_log, **options, on_progress=advance)
    if output == "json":
        print_json(asdict(found))
    else:
        row = asdict(found) | {"broken": len(found.broken)}
        present(session, output, [row], ("origin", "size", "waiting", "expected", "broken"))
    for sentence in found.broken:
        click.echo(f"BROKEN log: {sentence}", err=True)
    if found.broken:
        raise Broken()
    kept = f" and continues {_count(found.expected, 'checkpoint')} that were kept" if found.expected else ""
    click.echo(f"The log is that of the store's first {_count(found.size, 'event')}{kept}.", err=True)


@log.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@pass_session
def log_export(session: Session, folder: Path) -> None:
    """Write the log to FOLDER as files that any web server can offer and any reader of C2SP tiles can verify.

    Run again it goes on, after an interruption as well as after the log has grown.
    """
    from projections.published import export

    with opened(session) as ledger, log_bar(ledger, "export") as advance:
        size = export(ledger.transparency_log, folder, advance)
    click.echo(f"{folder} holds the log of {_count(size, 'event')}.")


@log.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8_480, show_default=True, help="0 takes a free one.")
@pass_session
def log_serve(session: Session, host: str, port: int) -> None:
    """Offer the log over HTTP as it is now and as it grows, read-only, until interrupted."""
    from projections.published import LogServer

    with opened(session) as ledger, LogServer((host, port), ledger.transparency_log) as server:
        click.echo(f"The log is offered at {server.url()}", err=True)
        server.serve_forever()


# A witness of other ledgers' logs


def now() -> "datetime":
    from datetime import UTC, datetime

    return datetime.now(UTC)


@log.group("witness")
def log_witness() -> None:
    """A witness of other ledgers' logs: it cosigns what continues the history it has seen, and nothing else."""


WITNESS_FOLDER = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@log_witness.command("create")
@WITNESS_FOLDER
@click.option("--name", required=True, help="The witness's name for good, such as witness.example/one.")
def log_witness_create(folder: Path, name: str) -> None:
    """Make a witness in FOLDER, and print the verifier key by which ledgers and auditors know it."""
    from ledger.witness import create_witness

    click.echo(create_witness(folder, name=name).key)


@log_witness.command("add")
@WITNESS_FOLDER
@click.argument("key", metavar="VERIFIER_KEY")
def log_witness_add(folder: Path, key: str) -> None:
    """Cosign the log of VERIFIER_KEY, given as a file or as its text, from now on."""
    from ledger.witness import Witness

    known = verifier_key_given(key)
    is_new = Witness(folder).add_log(known, now=now)
    click.echo(f"The checkpoints of {known.name} are cosigned{' from now on' if is_new else ' already'}.")


@log_witness.command("show")
@WITNESS_FOLDER
@output_option
@pass_session
def log_witness_show(session: Session, folder: Path, output: str) -> None:
    """Print the witness's verifier key, and of each log it knows the last size and root that it cosigned."""
    from ledger.witness import Witness

    witness = Witness(folder)
    click.echo(witness.key, err=True)
    rows = [{"origin": key.name, "size": last.size, "root": last.root.hex()} for key, last in witness.logs()]
    present(session, output, rows, ("origin", "size", "root"))


@log_witness.command("serve")
@WITNESS_FOLDER
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8_481, show_default=True, help="0 takes a free one.")
def log_witness_serve(folder: Path, host: str, port: int) -> None:
    """Answer the logs that the witness knows, over HTTP at /add-checkpoint, until interrupted."""
    from ledger.witness import Witness
    from ledger.witness_server import WitnessServer

    with WitnessServer((host, port), Witness(folder), now=now) as server:
        click.echo(f"The witness {server.witness.key.name} answers at {server.url()}", err=True)
        server.serve_forever()


# Tracing figures


@salur.group()
def audit() -> None:
    """Verify a ledger without trusting it, and trace its figures to their events."""


@audit.command("explain")
@click.argument("figure")
@as_of_option
@known_at_option
@click.option("--page", type=click.IntRange(min=1), help="Only this page of the events; on a terminal the first.")
@click.option(
    "--proofs",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a proof from the transparency log for each event shown into this folder.",
)
@reads
def audit_explain(
    session: Session,
    figure: str,
    as_of: "date | None",
    known_at: Any,
    page: int | None,
    proofs: Path | None,
    output: str,
) -> None:
    """Print the events that FIGURE is the sum of; exit code 4 if they do not sum to it.

    FIGURE names a report, a row by its keys, and a column: programs/bsu-2020/disbursed, tranches/bsu-2020/1/returned.
    """
    from datetime import datetime
    from tempfile import TemporaryDirectory

    from projections.engine import Reports
    from projections.explain import explain

    with opened(session) as ledger, Reports(ledger.store, bring_up_to_date(archive_of(ledger))) as reports:
        day = as_of or datetime.now().astimezone().date()
        found = explain(reports, figure, as_of=day, known_at=known_at)
        if page is not None and page > found.page_count():
            raise click.UsageError(f"--page {page}: there are {_count(found.page_count(), 'page')}")
        shown = page or (1 if output == "table" else None)
        if proofs is not None:
            written = found.prove(ledger.transparency_log, proofs, page=shown)
            click.echo(f"{_count(written, 'proof')} in {proofs}.", err=True)
        if output == "table":
            print_explanation(session, found, shown or 1)
            return
        with TemporaryDirectory(prefix="salur-") as folder:
            path = Path(folder) / "events"
            found.write(path, form=output, page=page)  # type: ignore[arg-type]  # csv or json
            if output == "csv":
                click.echo(f"{found.file} WHERE {found.figure.where()}", err=True)
            print_file(output, path, found.head(), "events")


def print_explanation(session: Session, found: "Explanation", page: int) -> None:
    """One page of the events behind a figure, for people."""
    from ledger.console.headings import phrase
    from ledger.console.tables import format_amount, format_number
    from projections.explain import EVENT_COLUMNS

    def text(value: int) -> str:
        if found.is_money:
            return format_amount(value, lang=session.lang, currency=found.currency, decimals=found.decimals)
        return format_number(value, lang=session.lang)

    told = phrase("explained", session.lang).format(
        page=page,
        pages=found.page_count(),
        count=format_number(found.count, lang=session.lang),
        file=found.file,
        where=found.figure.where(),
    )
    present(
        session,
        "table",
        [row | {"contribution": text(row["contribution"])} for row in found.page(page)],
        EVENT_COLUMNS,
        heading=f"{found.figure} = {text(found.value)}",
        footer=f"{told} {true_for(session, found.as_of, found.log_size)}",
    )


def print_file(output: str, path: Path, head: dict[str, Any], name: str) -> None:
    """Rows that were written to a file: as they are for CSV, for JSON in an object beside what they are of."""
    import json
    import shutil

    with path.open(encoding="utf-8", newline="") as file:
        if output == "csv":
            shutil.copyfileobj(file, sys.stdout)
            return
        sys.stdout.write(json.dumps(head, ensure_ascii=False, indent=2).removesuffix("\n}") + f',\n  "{name}": [')
        sys.stdout.writelines(f"{',' if number else ''}\n    {line.rstrip()}" for number, line in enumerate(file))
        sys.stdout.write("\n  ]\n}\n")


@audit.command("figure")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The verifier key you trust, in a file."
)
@reads
def audit_figure(session: Session, file: Path, key: Path | None, output: str) -> None:
    """Check figures published in FILE, compute them again, and tell what has changed since and by which events.

    Exit code 4 if the signature, the log or the events of that time do not bear them out.
    """
    from tempfile import TemporaryDirectory

    from ledger.notes import VerifierKey
    from projections.engine import Reports
    from projections.figures import recheck

    trusted = VerifierKey.parse(key.read_text().removesuffix("\n")) if key else None
    with opened(session) as ledger, Reports(ledger.store, bring_up_to_date(archive_of(ledger))) as reports:
        found = recheck(reports, ledger.transparency_log, file.read_bytes(), key=trusted)
        for name in found.sql_changed:
            click.echo(
                f"Notice sql: the SQL of {name} is not the one that these figures were published with.", err=True
            )
        click.echo(found.sentence(), err=True)
        if output == "table":
            print_recheck(session, found)
            return
        with TemporaryDirectory(prefix="salur-") as folder:
            path = Path(folder) / "changes"
            found.write(path, form=output)  # type: ignore[arg-type]  # csv or json
            print_file(output, path, found.head(), "changes")


def print_recheck(session: Session, found: "Recheck") -> None:
    """What has changed since figures were published, and by which events, for people."""
    from dataclasses import asdict

    from ledger.console.headings import phrase
    from projections.explain import EVENT_COLUMNS

    if not found.changes:
        return
    rows = [asdict(each) | {"difference": each.difference if each.is_sum else None} for each in found.changes]
    present(session, "table", rows, ("figure", "was", "now", "difference"))
    events = found.events(ROWS_MAX + 1)
    cut = phrase("cut", session.lang).format(rows=ROWS_MAX) if len(events) > ROWS_MAX else None
    present(session, "table", events[:ROWS_MAX], ("figure", *EVENT_COLUMNS), footer=cut)


@audit.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@pass_session
def audit_export(session: Session, folder: Path) -> None:
    """Write to FOLDER all that a stranger needs to verify the ledger up to its newest checkpoint, and no personal data.

    FOLDER/README.md says how, with tools of others. Run again it goes on, after an interruption as well as after the
    log has grown.
    """
    from projections.audit_export import export

    with opened(session) as ledger:
        found = ledger.transparency_log
        steps, size, done = 2, max(found.checkpoint().size, 1), 0
        with progress_bar(lambda: done / size / steps, "export") as advance:

            def on_progress(what: str, events: int) -> None:
                nonlocal done
                if what != "journal":
                    done += events
                    advance(events)

            written = export(
                found, folder, archive=archive_of(ledger), lists=ledger.batches_folder, on_progress=on_progress
            )
    for batch_id in written.lists_missing:
        click.echo(f"The list of batch {batch_id} is not in the ledger's folder, and so not in the export.", err=True)
    click.echo(f"{folder} holds {_count(written.size, 'event')} of {written.origin}; read {folder / 'README.md'}")


@audit.command("verify")
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A checkpoint that you kept; may be given several times.",
)
@click.option(
    "--key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The verifier key you trust, in a file."
)
@click.option(
    "--witness",
    "witness_files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The verifier key of a witness you trust, in a file; may be given several times.",
)
@click.option("--quorum", type=click.IntRange(min=1), help="How many of them must have cosigned; all if not given.")
@reads
def audit_verify(
    session: Session,
    path: Path,
    checkpoints: tuple[Path, ...],
    key: Path | None,
    witness_files: tuple[Path, ...],
    quorum: int | None,
    output: str,
) -> None:
    """Establish of a ledger's folder, or of an export, that its history is complete, unchanged and agreed by two.

    It needs neither the vault nor a private key nor, for an export, a network, and writes nothing there. Exit code 4
    names every event and file that is not as it must be.
    """
    from dataclasses import asdict

    from ledger.notes import VerifierKey
    from projections.audit import Witnesses
    from projections.audit import audit as audited

    def key_in(file: Path) -> VerifierKey:
        return VerifierKey.parse(file.read_bytes().decode().removesuffix("\n"))

    if (quorum or 0) > len(witness_files):
        raise click.UsageError("a --quorum needs at least as many --witness keys")
    keys = tuple(map(key_in, witness_files))
    witnesses = Witnesses(keys, quorum or len(keys)) if keys else None
    trusted = key_in(key) if key else None
    with progress_bar(lambda: 0.0, "audit") as advance:
        found = audited(path, key=trusted, expected=checkpoints, witnesses=witnesses, on_progress=advance)
    if output == "json":
        print_json(asdict(found) | {"holds": found.holds})
    else:
        present(session, output, law_rows(found.laws), LAW_COLUMNS)
    tell_breaches(found.laws)
    for sentence in found.not_shown:
        click.echo(f"Not shown: {sentence}", err=True)
    if not found.holds:
        raise Broken()
    click.echo(
        f"Every law holds over {_count(found.size, 'event')} of {found.origin or 'a ledger without a log'}.", err=True
    )


@audit.command("prove")
@click.argument("event", metavar="PAYMENT|INDEX|STREAM/VERSION")
@click.option("-o", "--output", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file.")
@pass_session
def audit_prove(session: Session, event: str, file: Path | None) -> None:
    """Give a receipt that shows, without the ledger, that one event is in its log.

    PAYMENT is one such as bsu-2020/1/R000000123, or its second attempt bsu-2020/1/R000000123/2.
    """
    from ledger.durable import write_whole
    from projections.receipts import prove

    with opened(session) as ledger:
        receipt = str(prove(ledger.transparency_log, event))
    if file is None:
        click.echo(receipt, nl=False)
    else:
        write_whole(file, receipt.encode())
        click.echo(f"{file} proves {event}; verify it with `salur audit receipt {file} --key VERIFIER-KEY`.", err=True)


@audit.command("receipt")
@click.argument("file", type=FILE)
@click.option(
    "--key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="The verifier key you trust, in a file.",
)
@output_option
def audit_receipt(file: Path, key: Path, output: str) -> None:
    """Verify the receipt in FILE (- reads standard input) and say what it proves; nothing but the key is needed."""
    from ledger.notes import VerifierKey
    from projections.receipts import verified

    trusted = VerifierKey.parse(key.read_bytes().decode().removesuffix("\n"))
    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    found = verified(data, trusted)
    if output == "table":
        for sentence in found.words():
            click.echo(sentence)
    else:
        signed = found.checkpoint
        place = {"origin": signed.origin, "index": found.index, "size": signed.size, "root": signed.root.hex()}
        print_json(place | {"event": found.event})


class Broken(Exception):  # noqa: N818  # an ending, not an error
    """A law is broken, and what breaks it has been named."""


@salur.command()
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
@pass_session
def demo(session: Session, scale: int, files: Path) -> None:
    """Record Indonesia's 2020 case in a new ledger, with invented people, through the commands shown."""
    from seeds.case import play

    store = session.store if session.store_was_named else Path(DEMO_STORE)
    play(salur, store=store, keys=session.keys or store.with_name(f"{store.name}-keys"), files=files, scale=scale)


# Ending


def main() -> NoReturn:
    """Run the command; refusals, broken integrity and interruptions each have a sentence and an exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Carry out one command line and return its exit code."""
    try:
        salur.main(arguments, prog_name="salur", standalone_mode=False)
    except Rejected:
        return SOME_REJECTED
    except Broken:
        return BROKEN
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        sys.unraisablehook = lambda _: None  # of what was half open, nothing more is to be told
        click.echo("Interrupted. What was recorded is safe; run the same command again to go on.", err=True)
        return INTERRUPTED
    except SystemExit:  # click and rich end so when nobody reads the output any more; they have silenced it
        return DONE
    except Exception as error:  # noqa: BLE001  # the last place: refusals are told, bugs go on
        return _told(error)
    return DONE


def _told(error: Exception) -> int:
    from errno import EDQUOT, ENOSPC

    from ledger.errors import AnswerLostError, DiskFullError, IntegrityBrokenError, LedgerError, StoreFailedError

    if isinstance(error, OSError):
        what = f"{error.filename or 'a file'}: {error.strerror}"
        error = DiskFullError() if error.errno in (ENOSPC, EDQUOT) else StoreFailedError(reason=what)
    if isinstance(error, LedgerError):
        click.echo(f"Refused [{error.code}]: {error}", err=True)
        return REFUSED
    if isinstance(error, IntegrityBrokenError):
        click.echo(f"INTEGRITY BROKEN: {error}", err=True)
        return BROKEN
    if isinstance(error, AnswerLostError):
        click.echo(
            f"NOT KNOWN whether this step was recorded: the database's answer was lost ({error}). Run the same command"
            " again when the database can be reached: it finds what was recorded and records nothing twice.",
            err=True,
        )
        return ANSWER_LOST
    raise error


if __name__ == "__main__":
    main()
