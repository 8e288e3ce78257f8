"""Officers' private keys at the terminal: where they are, and the passphrases that unlock them."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.console.options import Session
from ledger.domain.errors import Said

if TYPE_CHECKING:
    from ledger.application.ledger import Ledger
    from ledger.transparency.keys import Keys


def keys_of(session: Session, file: Path | None) -> "Keys":
    """The private keys at hand: in the session's folder, or the one in a file that was named."""
    from ledger.transparency.keys import Keys, default_folder

    return Keys(session.keys or default_folder(), file=file, passphrase=ask_passphrase)


def ask_passphrase(path: Path, *, is_new: bool = False) -> bytes:
    """The passphrase of a key, from the file that SALUR_PASSPHRASE_FILE names, or from whoever sits there."""
    from ledger.transparency.errors import KeyLockedError

    if named := os.environ.get("SALUR_PASSPHRASE_FILE"):
        try:
            if given := Path(named).read_bytes().rstrip(b"\r\n"):
                return given
        except OSError:
            raise KeyLockedError(
                path=str(path), problem=Said("SALUR_PASSPHRASE_FILE names no file to be read")
            ) from None
        raise KeyLockedError(path=str(path), problem=Said("the file of SALUR_PASSPHRASE_FILE is empty"))
    if not sys.stdin.isatty():
        problem = (
            "nobody is there to be asked, and --no-passphrase was not given"
            if is_new
            else "nobody is there to be asked"
        )
        raise KeyLockedError(path=str(path), problem=Said(problem))
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


def key_at_hand(keys: "Keys", ledger: "Ledger", officer_id: str) -> str | None:
    """The public key of the officer's pair on this machine, if there is one."""
    from ledger.application.given import built
    from ledger.domain.opening import LedgerEntrusted

    built(LedgerEntrusted, officer_id=officer_id)  # an id of the right form, before a file is named after it
    return keys.public_key(ledger.fingerprint, officer_id)
