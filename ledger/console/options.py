"""What commands are given: kinds of options, the options that many commands share, and the objects that hold them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

if TYPE_CHECKING:
    from ledger.application.attempt import Command
    from ledger.application.ledger import Ledger
    from ledger.console.headings import Language
    from ledger.files.amounts import DecimalMark
    from ledger.files.dates import DateOrder
    from ledger.transparency.keys import Keys
    from ledger.transparency.notes import VerifierKey

    Upkeep = Callable[[Ledger, Command], AbstractContextManager[None]]
    # A block around a write: at its end the transparency log and the archive take in the events recorded.

Function = Callable[..., None]
"""What a command does; click gives it its options by name."""
Decorator = Callable[[Function], Function]
Output = Literal["table", "json", "csv"]


class DateOption(click.ParamType[Any]):
    """A date, year first or with a month's name."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The date that was written; fails as click's own types do."""
        from ledger.domain.errors import LedgerError
        from ledger.files.dates import parse_date

        try:
            return parse_date(value, None)
        except LedgerError:  # the refusal's advice is about files, whose dates may be in another order
            self.fail("write the year first, such as 2020-10-15, or the month by its name", param, ctx)


class KnownAtOption(click.ParamType[Any]):
    """A size of the log, or an instant."""

    name = "size|instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | datetime:
        """The size or the instant that was written; fails as click's own types do."""
        if value.isascii() and value.isdigit() and len(value) < 20:
            return int(value)
        try:
            return datetime.fromisoformat(value).astimezone()
        except ValueError:
            self.fail("give a log size such as 120 or an instant such as 2020-10-15T17:00:00+07:00", param, ctx)


class VerifierKeyOption(click.ParamType[Any]):
    """A verifier key in a file."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "VerifierKey":
        """The key in the file; raises `ProofFailedError` if it holds none."""
        from ledger.transparency.notes import VerifierKey

        return VerifierKey.parse(KEPT_FILE.convert(value, param, ctx).read_text("utf-8").removesuffix("\n"))


FILE = click.Path(path_type=Path, allow_dash=True)
FOLDER = click.Path(path_type=Path, file_okay=False)
KEPT_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
NEW_FILE = click.Path(path_type=Path, dir_okay=False)
OUTPUTS = click.Choice(get_args(Output))
LANGUAGES = click.Choice(["en", "id"])


def stacked(*options: Decorator) -> Decorator:
    """One decorator that puts all these options on a command, in this order."""

    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


output_option = click.option("-o", "--output", type=OUTPUTS, default="table", help="How to print the result.")
lang_option = click.option("--lang", type=LANGUAGES, help="Language of amounts, dates and headings.")
as_of_option = click.option(
    "--as-of", type=DateOption(), help="Business time: what had happened by this date; today if not given."
)
known_at_option = click.option(
    "--known-at", type=KnownAtOption(), help="Ledger time: what was recorded by this log size or instant."
)
program_option = click.option("--program", "code", required=True, help="The program's code.")
reason_option = click.option("--reason", required=True, help="Why; stored with the event.")
signing_key_option = click.option(
    "--key", "key_file", type=click.Path(path_type=Path), help="The officer's key; ID.pem of --keys if not given."
)
group_option = click.option(
    "--group", metavar="NAME", help="Let the members of this group of the system read and write the folder, too."
)
trusted_key_option = click.option("--key", type=VerifierKeyOption(), help="The verifier key you trust, in a file.")
kept_checkpoints_option = click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=KEPT_FILE,
    help="A checkpoint that you kept; may be given several times.",
)
host_option = click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")

_who_and_when = stacked(
    click.option("--officer", envvar="SALUR_OFFICER", help="Who acts (or SALUR_OFFICER)."),
    signing_key_option,
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


@dataclass
class Session:
    """What was said before the command, and what surrounds every write."""

    store: Path
    store_was_named: bool
    keys: Path | None
    """The folder of the officers' private keys, if it was named."""
    lang: "Language"
    upkeep: "Upkeep"


@dataclass
class Request:
    """The options that every write shares."""

    session: Session
    command: "Command"
    output: Output
    keys: "Keys"


@dataclass
class Reading:
    """How a file is to be read."""

    column_map: tuple[str, ...]
    sheet: str | None
    date_order: "DateOrder | None"
    decimal: "DecimalMark | None"
    rejects: Path | None


def now() -> datetime:
    """This instant."""
    return datetime.now(UTC)


def today() -> date:
    """The day it is here."""
    return now().astimezone().date()


pass_session = click.make_pass_decorator(Session)


def reads(function: Function) -> Function:
    """A command that only reads: its function gets the `Session` first, in the language asked for, and `output`."""

    @pass_session
    def wrapped(session: Session, /, **options: Any) -> None:
        lang = options.pop("lang") or session.lang
        function(replace(session, lang=lang), **options)

    return stacked(output_option, lang_option)(update_wrapper(wrapped, function))


def writes(function: Function) -> Function:
    """A command that records: its function gets a `Request` first."""

    @pass_session
    def wrapped(session: Session, /, **options: Any) -> None:
        from ledger.application.attempt import Command
        from ledger.console.keys import keys_of

        given_on = options.pop("effective_on")
        keys = keys_of(session, options.pop("key_file"))
        command = Command(
            by=options.pop("officer"),
            effective_on=given_on or today(),
            is_dated=given_on is not None,
            signer=keys.signer,
            **{name: options.pop(name) for name in ("allow_future", "reference", "note", "dry_run")},
        )
        function(Request(session, command, options.pop("output"), keys), **options)

    return _who_and_when(update_wrapper(wrapped, function))


def reads_file(function: Function) -> Function:
    """A command that reads a table: its function gets a `Reading` named `reading`."""

    def wrapped(*arguments: Any, **options: Any) -> None:
        names = ("column_map", "sheet", "date_order", "decimal", "rejects")
        function(*arguments, reading=Reading(*(options.pop(name) for name in names)), **options)

    return _how_to_read(update_wrapper(wrapped, function))
