"""The vault's keys: what seals rows, what finds them, and how the key file wraps both.

`vault.key` holds 32 random bytes, from which only a wrapping key is derived. The keys that do the work are random, and lie
in the vault, encrypted under that one (the *keyring*). So the key file is changed without a new seal on every row; and
where the working keys change as well, a new lookup key is applied to the hashes that are there, over the old ones. What
has no plain text any more, as the mark of an erased person, is found after that as before.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from ledger.domain.errors import IntegrityBrokenError
from ledger.vault.errors import VaultKeyError
from ledger.vault.person import ACCOUNT_FORM, Person, normal_account

FORMAT = 2
"""Of the vault. Format 1 bound a row to the hash of its national id, not to its number, and had no keyring."""
KEY_BYTES = 32
NONCE_BYTES = 12
MAC_BYTES = 16

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True)
class Keyring:
    """The keys that seal and find."""

    seal_key: bytes
    lookup_keys: tuple[bytes, ...]
    """Applied one over the other, the oldest first."""
    request_key: bytes
    """For hashes of requests, which events hold: it never changes."""

    @classmethod
    def new(cls, random_bytes: RandomBytes = os.urandom) -> "Keyring":
        """Keys that nobody had before."""
        return cls(random_bytes(KEY_BYTES), (random_bytes(KEY_BYTES),), random_bytes(KEY_BYTES))

    def rotated(self, random_bytes: RandomBytes = os.urandom) -> "Keyring":
        """Another seal key, and one more lookup key over those that there are."""
        return Keyring(random_bytes(KEY_BYTES), (*self.lookup_keys, random_bytes(KEY_BYTES)), self.request_key)

    # Finding

    def ids(self, national_ids: Sequence[str]) -> list[bytes]:
        """The keyed hash of each national id."""
        return _nested(self._id_keys, [each.encode() for each in national_ids])

    def accounts(self, accounts: Iterable[str]) -> dict[str, bytes]:
        """Account → the keyed hash of its normal form and that form's number, of those that say anything."""
        normal = {each: form for each in accounts if (form := normal_account(each))}
        return dict(
            zip(
                normal,
                _nested(self._account_keys, [b"%d:%s" % (ACCOUNT_FORM, form.encode()) for form in normal.values()]),
                strict=True,
            )
        )

    def leading_to(self, person: Person) -> tuple[bytes, bytes | None]:
        """The hashes of a person's national id and of their account, if they have one."""
        [identity] = self.ids([person.national_id])
        return identity, self.accounts([person.account]).get(person.account)

    def rehashed(self, kind: str, macs: Sequence[bytes]) -> list[bytes]:
        """The hashes that an index of a kind has under this keyring, of those under the one that it was rotated from."""
        return _nested([_derived(self.lookup_keys[-1], kind)], macs)

    @cached_property
    def _id_keys(self) -> list[bytes]:
        return [_derived(key, "identity") for key in self.lookup_keys]

    @cached_property
    def _account_keys(self) -> list[bytes]:
        return [_derived(key, "account") for key in self.lookup_keys]

    # Sealing

    @cached_property
    def seal(self) -> AESGCM:
        """Encrypts a row for its place, and opens it there only."""
        return AESGCM(self.seal_key)

    def opened(self, sealed: bytes, place: bytes) -> bytes | None:
        """What was sealed for a place, or None where something else, or nothing of ours, was put there."""
        try:
            return self.seal.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
        except (InvalidTag, ValueError, TypeError):  # shorter than a nonce, or no bytes
            return None

    def sealed(self, plain: bytes, place: bytes, random_bytes: RandomBytes = os.urandom) -> bytes:
        """Bytes that open again only with this keyring and for this place."""
        nonce = random_bytes(NONCE_BYTES)
        return nonce + self.seal.encrypt(nonce, plain, place)

    # Wrapping

    def wrapped(self, master: bytes, random_bytes: RandomBytes = os.urandom) -> bytes:
        """The keyring encrypted under the key file's bytes."""
        plain = json.dumps(
            {
                "seal": self.seal_key.hex(),
                "lookups": [key.hex() for key in self.lookup_keys],
                "request": self.request_key.hex(),
            }
        ).encode()
        nonce = random_bytes(NONCE_BYTES)
        return nonce + _wrapping(master).encrypt(nonce, plain, _WRAP)

    @classmethod
    def unwrapped(cls, wrapped: bytes, master: bytes) -> "Keyring | None":
        """The keyring, or None where the key is another's."""
        try:
            stored = json.loads(_wrapping(master).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _WRAP))
        except (InvalidTag, ValueError, TypeError):
            return None
        lookups = tuple(bytes.fromhex(key) for key in stored["lookups"])
        return cls(bytes.fromhex(stored["seal"]), lookups, bytes.fromhex(stored["request"]))


_WRAP = b"salur vault keyring %d" % FORMAT


def person_place(number: int, version: int, agreement: str) -> bytes:
    """What a person's row is sealed for."""
    return b"person %d %d %s" % (number, version, agreement.encode())


def mark_place(number: int) -> bytes:
    """What the mark of an erased person is sealed for."""
    return b"mark %d" % number


def refused_place(file: str, line: int) -> bytes:
    """What is kept of a refused row is sealed for."""
    return b"refused %d %s" % (line, file.encode())


def master_key(path: Path) -> bytes:
    """The bytes of a key file; raises `VaultKeyError` where there is none, or another file."""
    try:
        master = path.read_bytes()
    except OSError:
        raise VaultKeyError(path=str(path)) from None
    if len(master) != KEY_BYTES:
        raise VaultKeyError(path=str(path))
    return master


def opened_for(keyring: Keyring, number: int, version: int, agreement: str, sealed: bytes) -> bytes:
    """The salted bytes of a person's row; raises `IntegrityBrokenError` where it does not open in its place."""
    plain = keyring.opened(sealed, person_place(number, version, agreement))
    if plain is None:
        raise IntegrityBrokenError(
            f"the vault's row of R{number:09d} does not open in its place: it was changed, or is another's; run `salur check`"
        )
    return plain


def _wrapping(master: bytes) -> AESGCM:
    return AESGCM(derived(master, b"keyring"))


def derived(master: bytes, purpose: bytes) -> bytes:
    """A key for one purpose, from the bytes of a key file."""
    return HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=b"salur vault " + purpose).derive(master)


def _derived(key: bytes, kind: str) -> bytes:
    return derived(key, b"lookup " + kind.encode())


def _nested(keys: Sequence[bytes], texts: Sequence[bytes]) -> list[bytes]:
    found = list(texts)
    for key in keys:
        keyed = hashlib.blake2b(key=key, digest_size=MAC_BYTES)
        for place, text in enumerate(found):
            mac = keyed.copy()
            mac.update(text)
            found[place] = mac.digest()
    return found
