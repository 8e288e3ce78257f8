"""`salur log`: the transparency log as it is made, sealed and proved, and witnesses of other ledgers' logs."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.console.options import FOLDER, NEW_FILE, Session, host_option, now, output_option, pass_session, today
from ledger.console.output import counted, counted_bar, present
from ledger.console.working import opened

if TYPE_CHECKING:
    from ledger.transparency.notes import VerifierKey
    from ledger.transparency.quorum import Published

log = click.Group()
_witness_folder = click.argument("folder", type=FOLDER)


@log.command("create")
@click.option(
    "--origin", metavar="NAME", help="The log's name for good; made from the ledger's first event if not given."
)
@click.option("--key", type=NEW_FILE, help="The key that signs; made if it is not there.")
@click.option("--folder", type=FOLDER, help="Where; by default in the ledger's folder.")
@click.option("--officer", envvar="SALUR_OFFICER", help="Who makes it (or SALUR_OFFICER), once there are officers.")
@pass_session
def log_create(
    session: Session, origin: str | None, key: Path | None, folder: Path | None, officer: str | None
) -> None:
    """Make the ledger's log on this machine, over all that was recorded so far, or go on with the one in --folder.

    Its key is recorded: from then on no other log, and no ledger without it, is gone on with. In the ledger's folder it
    grows with whatever is recorded there; elsewhere, or for a database, when you seal it.
    """
    from ledger.application.attempt import Command
    from ledger.application.creation import begin_log
    from ledger.application.officers import is_first_officer

    with opened(session) as ledger:
        by = None if is_first_officer(ledger) else officer
        command = Command(by=by, effective_on=today())
        signed = begin_log(ledger, command, folder=folder, origin=origin, key=key)
    click.echo(f"Log {signed.origin} holds {counted(signed.size, 'event')}.")


@log.command("seal")
@click.option("--rebuild", is_flag=True, help="Make the log's hashes anew first; they must give the root signed last.")
@output_option
@pass_session
def log_seal(session: Session, rebuild: bool, output: str) -> None:
    """Take everything recorded so far into the log, sign it, and have the witnesses that it requires cosign it."""
    from ledger.transparency.quorum import publish

    with opened(session) as ledger:
        found = ledger.transparency_log
        before = found.checkpoint().size
        with counted_bar(ledger.store.size(), "log") as advance:
            if rebuild:
                found.rebuild(advance)
            signed = found.grow(advance)
        row = {"origin": signed.origin, "size": signed.size, "new": signed.size - before, "root": signed.root.hex()}
        if output == "table":
            click.echo(f"Log {signed.origin} holds {counted(signed.size, 'event')}, {row['new']:,} of them new.")
        else:
            present(session, output, [row], tuple(row))
        _tell_published(publish(found))


@log.command("publish")
@pass_session
def log_publish(session: Session) -> None:
    """Have the newest checkpoint cosigned by the witnesses that the log requires, and give it to outsiders from now on."""
    from ledger.transparency.quorum import publish

    with opened(session) as ledger:
        _tell_published(publish(ledger.transparency_log))


def _tell_published(found: "Published") -> None:
    """Say which checkpoint outsiders are given, and which witnesses have not cosigned it."""
    from ledger.transparency.notes import Checkpoint

    size = Checkpoint.parse(found.note.text).size
    for problem in found.problems:
        click.echo(f"Not cosigned by {problem}", err=True)
    if found.cosigned:
        click.echo(
            f"The checkpoint of {counted(size, 'event')} is published, with {found.cosigned} cosigning.", err=True
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
    from ledger.transparency.quorum import Required, RequiredWitness, require_witnesses

    if is_lifted == bool(witnesses) or bool(witnesses) != (quorum is not None):
        raise click.UsageError("give each --witness and their --quorum, or --none")
    wanted = None
    if quorum is not None:
        wanted = Required(tuple(RequiredWitness(_key_given(key), url) for key, url in witnesses), quorum)
    with opened(session) as ledger:
        require_witnesses(ledger.transparency_log, wanted)
    if wanted is None:
        click.echo("No witness is required; what is signed is published.")
    else:
        click.echo(f"A checkpoint is published when {quorum} of {len(witnesses)} cosigned it.")


def _key_given(text: str) -> "VerifierKey":
    """A verifier key written out, or the one in a file."""
    from ledger.domain.errors import ProofFailedError, Said, ValueInvalidError
    from ledger.transparency.notes import VerifierKey

    with suppress(ProofFailedError):
        return VerifierKey.parse(text)
    try:
        return VerifierKey.parse(Path(text).read_text().strip())
    except (OSError, ProofFailedError, UnicodeDecodeError):
        problem = Said("neither a verifier key nor a file with one; ask whose it is for it, in the form NAME+ID+KEY")
        raise ValueInvalidError(field="verifier key", problem=problem) from None


@log.command("checkpoint")
@pass_session
def log_checkpoint(session: Session) -> None:
    """Print the newest checkpoint that is published: the log's name, its size, its root, and who signed them.

    Keep it, or have others keep it: with it, `salur log verify --checkpoint` finds any change to what it covers.
    """
    from ledger.transparency.quorum import published

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
    from ledger.transparency.quorum import published

    with opened(session) as ledger:
        found = ledger.transparency_log
        note = published(found)
        proof = str(found.prove(found.index_of(event), note)) if event else found.prove_consistency(old_size or 0, note)
    click.echo(proof, nl=False)


# A witness of other ledgers' logs


@log.group("witness")
def log_witness() -> None:
    """A witness of other ledgers' logs: it cosigns what continues the history it has seen, and nothing else."""


@log_witness.command("create")
@_witness_folder
@click.option("--name", required=True, help="The witness's name for good, such as witness.example/one.")
def log_witness_create(folder: Path, name: str) -> None:
    """Make a witness in FOLDER, and print the verifier key by which ledgers and auditors know it."""
    from ledger.transparency.witness import create_witness

    click.echo(create_witness(folder, name=name).key)


@log_witness.command("add")
@_witness_folder
@click.argument("key", metavar="VERIFIER_KEY")
def log_witness_add(folder: Path, key: str) -> None:
    """Cosign the log of VERIFIER_KEY, given as a file or as its text, from now on."""
    from ledger.transparency.witness import Witness

    known = _key_given(key)
    is_new = Witness(folder).add_log(known, now=now)
    click.echo(f"The checkpoints of {known.name} are cosigned{' from now on' if is_new else ' already'}.")


@log_witness.command("show")
@_witness_folder
@output_option
@pass_session
def log_witness_show(session: Session, folder: Path, output: str) -> None:
    """Print the witness's verifier key, and of each log it knows the last size and root that it cosigned."""
    from ledger.transparency.witness import Witness

    witness = Witness(folder)
    click.echo(witness.key, err=True)
    rows = [{"origin": key.name, "size": last.size, "root": last.root.hex()} for key, last in witness.logs()]
    present(session, output, rows, ("origin", "size", "root"))


@log_witness.command("serve")
@_witness_folder
@host_option
@click.option("--port", type=click.IntRange(0, 65_535), default=8_481, show_default=True, help="0 takes a free one.")
def log_witness_serve(folder: Path, host: str, port: int) -> None:
    """Answer the logs that the witness knows, over HTTP at /add-checkpoint, until interrupted."""
    from ledger.transparency.witness import Witness
    from ledger.transparency.witness_server import WitnessServer

    with WitnessServer((host, port), Witness(folder), now=now) as server:
        click.echo(f"The witness {server.witness.key.name} answers at {server.url()}", err=True)
        server.serve_forever()
