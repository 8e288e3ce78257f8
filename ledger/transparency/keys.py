"""Officers' private keys: a file each, locked with a passphrase, in a folder of the person's and never in the ledger.

A file is PKCS #8 in PEM, its passphrase stretched by scrypt (RFC 7914) as `openssl pkcs8 -topk8 -scrypt` does it, so
that openssl opens it as well. A command unlocks a key once and keeps it in memory to its end.
"""

import base64
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.domain.errors import Said
from ledger.domain.officer import KeyForeignError
from ledger.store.durable import sync
from ledger.transparency.errors import KeyLockedError, KeyMissingError, KeyUnreadableError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FINGERPRINT_DIGITS = 16
"""Of the ledger's fingerprint, in the name of the folder that holds its officers' keys."""
SCRYPT_COST = 2**14
"""About 40 ms and 16 MB a try; openssl's own choice, and half the most that it opens."""
SCRYPT_BLOCK = 8

Passphrase = Callable[[Path], bytes]
"""Asked for the passphrase of a key's file; raises `KeyLockedError` where nobody answers."""


def default_folder() -> Path:
    """Where a person's keys lie if they do not say otherwise."""
    settings = os.environ.get("XDG_CONFIG_HOME")
    return (Path(settings) if settings else Path.home() / ".config") / "salur" / "keys"


class Keys:
    """The keys on this machine."""

    def __init__(self, folder: Path, *, file: Path | None = None, passphrase: Passphrase) -> None:
        """Keys in a folder, or one in a file that was named."""
        self._folder = folder
        self._file = file
        self._passphrase = passphrase
        self._unlocked: dict[Path, Ed25519PrivateKey] = {}

    def path(self, fingerprint: str, officer_id: str) -> Path:
        """Where the key of a ledger's officer lies."""
        return self._file or self._folder / fingerprint[:FINGERPRINT_DIGITS] / f"{officer_id}.pem"

    def signer(self, fingerprint: str, officer_id: str, public_key: str) -> Callable[[bytes], str]:
        """Signs as an officer; raises a refusal unless the key here is the one that they are enrolled with."""
        path = self.path(fingerprint, officer_id)
        if (key := self._key(path)) is None:
            raise KeyMissingError(officer_id=officer_id, path=str(path))
        if public_key_of(key) != public_key:
            raise KeyForeignError(officer_id=officer_id)
        return lambda text: base64.b64encode(key.sign(text)).decode()

    def public_key(self, fingerprint: str, officer_id: str) -> str | None:
        """The public key of an officer's pair, if it is here."""
        key = self._key(self.path(fingerprint, officer_id))
        return None if key is None else public_key_of(key)

    def make(self, fingerprint: str, officer_id: str) -> str:
        """Make an officer's pair, of which only the memory knows until it is kept; returns the public key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        made = self._unlocked[self.path(fingerprint, officer_id)] = Ed25519PrivateKey.generate()
        return public_key_of(made)

    def keep(self, fingerprint: str, officer_id: str, passphrase: bytes | None) -> Path:
        """Write a pair just made, all at once and for its owner's eyes only; without a passphrase it stays open."""
        path = self.path(fingerprint, officer_id)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        under_way = path.with_name(f".{path.name}.{os.getpid()}")
        handle = os.open(under_way, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_pem(self._unlocked[path], passphrase))
                file.flush()
                os.fsync(file.fileno())
            os.link(under_way, path)  # unlike renaming, it never takes the place of a key that is there
        finally:
            under_way.unlink()
        sync(path.parent)
        return path

    def _key(self, path: Path) -> "Ed25519PrivateKey | None":
        if path not in self._unlocked and path.exists():
            self._unlocked[path] = _unlocked(path, self._passphrase)
        return self._unlocked.get(path)


def public_key_of(key: "Ed25519PrivateKey") -> str:
    """The public half of a pair, as events have it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def _unlocked(path: Path, passphrase: Passphrase) -> "Ed25519PrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    stored = path.read_bytes()
    is_locked = b"ENCRYPTED" in stored
    given = passphrase(path) if is_locked else None
    try:
        key = load_pem_private_key(stored, given)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if is_locked:
            raise KeyLockedError(path=str(path), problem=Said("another passphrase, or a damaged file")) from None
        raise KeyUnreadableError(path=str(path)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnreadableError(path=str(path))
    return key


def _pem(key: "Ed25519PrivateKey", passphrase: bytes | None) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    if passphrase is None:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    whole = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    text = base64.encodebytes(_locked(whole, passphrase, salt=os.urandom(16), start=os.urandom(16)))
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + text + b"-----END ENCRYPTED PRIVATE KEY-----\n"


def _locked(whole: bytes, passphrase: bytes, *, salt: bytes, start: bytes) -> bytes:
    """An EncryptedPrivateKeyInfo (RFC 5958) under scrypt and AES-256-CBC.

    The library would stretch the passphrase by 2,048 rounds of PBKDF2, which costs a thief next to nothing.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES256
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    stretched = hashlib.scrypt(passphrase, salt=salt, n=SCRYPT_COST, r=SCRYPT_BLOCK, p=1, dklen=32)
    lock = Cipher(AES256(stretched), CBC(start)).encryptor()
    padding = 16 - len(whole) % 16
    sealed = lock.update(whole + bytes([padding]) * padding) + lock.finalize()
    numbers = [_der(0x02, each.to_bytes(each.bit_length() // 8 + 1, "big")) for each in (SCRYPT_COST, SCRYPT_BLOCK, 1)]
    stretching = _der(0x30, _SCRYPT, _der(0x30, _der(0x04, salt), *numbers))
    locking = _der(0x30, _AES_256_CBC, _der(0x04, start))
    return _der(0x30, _der(0x30, _PBES2, _der(0x30, stretching, locking)), _der(0x04, sealed))


_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_SCRYPT = bytes.fromhex("06092b06010401da47040b")
_AES_256_CBC = bytes.fromhex("060960864801650304012a")
"""Object identifiers in DER: 1.2.840.113549.1.5.13, 1.3.6.1.4.1.11591.4.11, 2.16.840.1.101.3.4.1.42."""


def _der(tag: int, *parts: bytes) -> bytes:
    """One value of at most 255 bytes in DER."""
    body = b"".join(parts)
    size = bytes([len(body)]) if len(body) < 0x80 else bytes([0x81, len(body)])
    return bytes([tag]) + size + body
