"""The command line: the groups of commands put together, and the sentence and exit code of each ending.

The commands that write lie in `ledger.commands`, those that read in `projections.commands`. A module is imported when
one of its commands is needed, so that `salur --help` starts as fast as an empty click program.
"""

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from ledger.console.groups import LazyGroup, SectionedGroup, Sections

if TYPE_CHECKING:
    from ledger.console.headings import Language

DONE, REFUSED, USAGE, SOME_REJECTED, BROKEN, ANSWER_LOST, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
OWNER_ONLY = 0o077
"""The mask of the process: whatever it makes is its owner's, or a group's too where the ledger is one of a group."""
DEFAULT_STORE = "salur-ledger"

SECTIONS: Sections = {
    "For everybody": {
        "init": "ledger.commands.ledger",
        "join": "ledger.commands.ledger",
        "copy": "ledger.commands.ledger",
        "demo": "seeds.demo",
        "report": "projections.commands.report",
        "history": "projections.commands.report",
        "status": "projections.commands.status",
        "check": "projections.commands.check",
    },
    "For two": {
        "waiting": "ledger.commands.agreement",
        "show": "ledger.commands.agreement",
        "approve": "ledger.commands.agreement",
        "reject": "ledger.commands.agreement",
        "withdraw": "ledger.commands.agreement",
        "policy": LazyGroup("How many officers must agree, by kind of act and amount.", "ledger.commands.agreement"),
        "rules": LazyGroup("The rules of the ledger, which two officers adopt.", "ledger.commands.agreement"),
    },
    "Officers": {"officer": LazyGroup("Who may act, and in which roles.", "ledger.commands.officer")},
    "Programs and people": {
        "program": LazyGroup(
            "Programs, their terms and budgets.", "ledger.commands.program", "projections.commands.report"
        ),
        "recipient": LazyGroup("People and households that a program may help.", "ledger.commands.recipient"),
        "training": LazyGroup("Training of recipients and groups.", "ledger.commands.services"),
        "support": LazyGroup(
            "Help other than money and training: incubation, works, companions, technology.", "ledger.commands.services"
        ),
        "referral": LazyGroup("Referrals to other schemes.", "ledger.commands.services"),
    },
    "Money": {
        "disburse": LazyGroup(
            "Pay a tranche: propose, approve, run.", "ledger.commands.disburse", "projections.commands.report"
        ),
        "payment": LazyGroup(
            "What happened to payments after they left. PAYMENT is PROGRAM/TRANCHE/RECIPIENT, a later attempt …/2, or"
            " a file.",
            "ledger.commands.payment",
        ),
    },
    "Groups and goods": {
        "group": LazyGroup("Grants to groups, and the reports they owe.", "ledger.commands.group"),
        "goods": LazyGroup(
            "Masks, staple goods and other things: stocked, shipped, delivered.", "ledger.commands.goods"
        ),
        "destination": LazyGroup("Countries where placement of migrant workers is open.", "ledger.commands.goods"),
    },
    "Readers and auditors": {
        "audit": LazyGroup(
            "Verify a ledger without trusting it, and trace its figures to their events.", "projections.commands.audit"
        )
    },
    "Keeping it": {
        "log": LazyGroup(
            "The transparency log: one signed hash of all events, and proofs that anybody can check.",
            "ledger.commands.log",
            "projections.commands.log",
        ),
        "seal": "projections.commands.archive",
        "vault": LazyGroup(
            "Where personal data lies: brought over from earlier versions, and its keys.", "ledger.commands.vault"
        ),
    },
}


@click.group(cls=SectionedGroup, sections=SECTIONS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--store", envvar="SALUR_STORE", type=click.Path(path_type=Path), help="The ledger's folder (or SALUR_STORE)."
)
@click.option(
    "--keys",
    envvar="SALUR_KEYS",
    type=click.Path(path_type=Path),
    help="The folder of your private keys (or SALUR_KEYS); ~/.config/salur/keys if not given.",
)
@click.option(
    "--lang", type=click.Choice(["en", "id"]), envvar="SALUR_LANG", help="Language of amounts, dates and headings."
)
@click.version_option(package_name="salur")
@click.pass_context
def salur(context: click.Context, store: Path | None, keys: Path | None, lang: str | None) -> None:
    """Record and prove what a social-protection program paid, to whom, and on whose word."""
    from ledger.console.options import Session
    from projections.commands.archive import upkeep

    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MONETARY") or os.environ.get("LANG") or ""
    chosen: Language = "id" if (lang or spoken).startswith("id") else "en"
    context.call_on_close(partial(os.umask, os.umask(OWNER_ONLY)))
    context.obj = Session(store or Path(DEFAULT_STORE), store is not None, keys, chosen, upkeep)


def main() -> NoReturn:
    """Run the command; refusals, broken integrity and interruptions each have a sentence and an exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Carry out one command line and return its exit code."""
    from ledger.console.output import Broken, Rejected

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
        sys.unraisablehook = lambda _: None  # objects that were half open report nothing more
        click.echo("Interrupted. What was recorded is safe; run the same command again to go on.", err=True)
        return INTERRUPTED
    except SystemExit:  # click and rich end in this way when nobody reads the output any more
        return DONE
    except Exception as error:  # noqa: BLE001  # the last place: a refusal becomes a sentence, a bug goes on
        return _told(error)
    return DONE


def _told(error: Exception) -> int:
    from errno import EDQUOT, ENOSPC

    from ledger.domain.errors import AnswerLostError, IntegrityBrokenError, LedgerError
    from ledger.store.errors import DiskFullError, StoreFailedError

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
