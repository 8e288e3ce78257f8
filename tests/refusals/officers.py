"""Officers and their keys."""

from pathlib import Path
from typing import Any

from ledger.application import officers, registration
from ledger.application.ledger import Ledger
from ledger.domain.event import Role
from ledger.files.tables import Row
from ledger.transparency.keys import Keys
from tests.acts import (  # fmt: skip
    BUDI,
    SITI,
    approve,
    by,
    person,
    propose,
    register,
    stop,
)
from tests.ledger.examples_of_events import PUBLIC_KEY
from tests.refusals.case import refusal

# Officers


@refusal
def officer_unknown(ledger: Ledger, folder: Path) -> Any:
    return {"officer_id": "sitti", "nearest": " (did you mean siti?)"}, lambda: register_as(ledger, "sitti")


def register_as(ledger: Ledger, officer_id: str, *rows: Row, **more: Any) -> None:
    registration.register(ledger, by(officer_id), rows or [person(1)], **{"file_sha256": None, "category": "worker", "on_reject": stop, **more})  # fmt: skip


@refusal
def officer_exists(ledger: Ledger, folder: Path) -> Any:
    roles = (Role.CHECKER,)
    return {"officer_id": "siti"}, lambda: officers.enroll(ledger, BUDI, officer_id="siti", roles=roles)


@refusal
def officer_revoked(ledger: Ledger, folder: Path) -> Any:
    officers.revoke(ledger, BUDI, officer_id="siti", reason="moved")
    return {"officer_id": "siti"}, lambda: register(ledger, 1)


@refusal
def role_missing(ledger: Ledger, folder: Path) -> Any:
    return {"officer_id": "budi", "role": "maker"}, lambda: register_as(ledger, "budi")


@refusal
def same_officer(ledger: Ledger, folder: Path) -> Any:
    both = (Role.MAKER, Role.CHECKER)
    officers.enroll(ledger, SITI, officer_id="agus", roles=both)
    batch_id = propose(ledger, register(ledger, 1), command=by("agus"))
    return {"officer_id": "agus", "thing": f"batch {batch_id}"}, lambda: approve(ledger, batch_id, command=by("agus"))


SIGNING = ("0123456789abcdef" * 4, "siti")


def keys_with_a_file(folder: Path, passphrase: bytes | None = None) -> tuple[Keys, Path, str]:
    """Keys in a folder with the key of siti in it, its file, and the public key."""
    keys = Keys(folder, passphrase=lambda _: b"kopi")
    public_key = keys.make(*SIGNING)
    return Keys(folder, passphrase=lambda _: b"kopi"), keys.keep(*SIGNING, passphrase), public_key


@refusal
def key_missing(ledger: Ledger, folder: Path) -> Any:
    keys, path, public_key = keys_with_a_file(folder)
    path.unlink()
    return {"officer_id": "siti", "path": str(path)}, lambda: keys.signer(*SIGNING, public_key)


@refusal
def key_locked(ledger: Ledger, folder: Path) -> Any:
    keys, path, public_key = keys_with_a_file(folder, b"teh")
    fields = {"path": str(path), "problem": "another passphrase, or a damaged file"}
    return fields, lambda: keys.signer(*SIGNING, public_key)


@refusal
def key_unreadable(ledger: Ledger, folder: Path) -> Any:
    keys, path, public_key = keys_with_a_file(folder)
    path.write_text("-----BEGIN PRIVATE KEY-----\n")
    return {"path": str(path)}, lambda: keys.signer(*SIGNING, public_key)


@refusal
def key_foreign(ledger: Ledger, folder: Path) -> Any:
    keys, _, _ = keys_with_a_file(folder)
    return {"officer_id": "siti"}, lambda: keys.signer(*SIGNING, PUBLIC_KEY)


@refusal
def key_taken(ledger: Ledger, folder: Path) -> Any:
    enrolled: dict[str, Any] = {"roles": (Role.MAKER,), "public_key": PUBLIC_KEY}
    officers.enroll(ledger, SITI, officer_id="agus", **enrolled)
    return {"officer_id": "agus"}, lambda: officers.enroll(ledger, SITI, officer_id="rina", **enrolled)
