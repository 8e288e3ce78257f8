"""Personal data, outside the events: encrypted row by row, found by keyed hashes, and gone when its row is deleted.

The vault is a table of its own, in a SQLite file or in PostgreSQL, and a key file. It gives each person a number, once and in order; what the
ledger stores of the person is that number and a salted commitment, which the vault's data and salt can open.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.recipient import SharedAccount
from ledger.store.durable import write_whole
from ledger.vault.errors import VaultKeyError
from ledger.vault.rows import PersonRow, PersonRows, SQLitePersonRows

KEY_BYTES = 32
NONCE_BYTES = 12
SALT_BYTES = 16
MAC_BYTES = 16

_quoted = json.encoder.encode_basestring


class Person(NamedTuple):
    """A recipient's personal data, which only the vault holds."""

    nik: str
    name: str
    account: str = ""
    phone: str = ""
    address: str = ""


class Placed(NamedTuple):
    """A person's place in the vault: their number and commitment."""

    number: int
    commitment: str
    """SHA-256 over the salt and the person's data as kept, in hex."""
    is_rehearsed: bool = False
    """Whether the same rehearsal placed the person before."""


class AccountShared(Exception):  # noqa: N818  # a finding about one row, turned into its refusal by the caller
    """The person's bank account already serves another recipient and no reason was given."""


class Vault:
    """The one place that holds names, national ids and accounts."""

    def __init__(
        self, where: Path | PersonRows, key_path: Path, *, random_bytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        """Open the vault on a SQLite file, or on other rows."""
        self._random_bytes = random_bytes
        try:
            master = key_path.read_bytes()
        except OSError:
            raise VaultKeyError(path=str(key_path)) from None
        if len(master) != KEY_BYTES:
            raise VaultKeyError(path=str(key_path))
        self._seal = AESGCM(_derived(master, b"seal"))
        self._nik_key = _derived(master, b"nik")
        self._account_key = _derived(master, b"account")
        self._request_key = _derived(master, b"request")
        self._rehearsed_from: int | None = None
        self.rows = rows_of(where)
        try:
            check = self.rows.key_check()
        except BaseException:
            self.rows.close()
            raise
        if check is None or not hmac.compare_digest(check, _derived(master, b"check")):
            self.rows.close()
            raise VaultKeyError(path=str(key_path))

    @staticmethod
    def create(where: Path | PersonRows, key_path: Path, *, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        """Make an empty vault and its key, readable by the owner only; what is there already is kept.

        The key is made under the vault's lock and under another name at first: of several makings at once one makes it,
        and an interrupted one leaves no half of it.
        """

        def key_check() -> bytes:
            if not key_path.exists():
                write_whole(key_path, random_bytes(KEY_BYTES), mode=0o600)
            return _derived(key_path.read_bytes(), b"check")

        with closing(rows_of(where)) as rows:
            rows.create(key_check)

    def close(self) -> None:
        """Close the vault's rows."""
        self.rows.close()

    def keyed_hash(self, personal: bytes) -> str:
        """A hash of a request's personal inputs, in hex, that nobody can compute without the vault's key."""
        return hmac.digest(self._request_key, personal, "sha256").hex()

    def find(self, niks: Sequence[str]) -> dict[str, int]:
        """National id → number, of the people whom the vault knows."""
        by_mac = dict(zip(self._macs(self._nik_key, niks), niks, strict=True))
        return {by_mac[mac]: number for mac, number in self.rows.of_niks(list(by_mac)).items()}

    def place(self, people: Sequence[tuple[Person, SharedAccount | None]]) -> list[Placed | AccountShared]:
        """Give each person a number, or find the one they have; in the order given, in one transaction."""
        if self._rehearsed_from is not None:
            return self._place(people)
        return self.rows.alone(lambda: self._place(people))

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Undo at the end of the block whatever `place` does in it."""
        with self.rows.rehearsal():
            self._rehearsed_from = self.rows.next_number()
            try:
                yield
            finally:
                self._rehearsed_from = None

    def open(self, number: int) -> Person | None:
        """The data of one person, or None when the vault does not hold it."""
        for _, mac, sealed in self.rows.sealed([number]):
            return Person(**json.loads(self._unseal(mac, sealed)[SALT_BYTES:]))
        return None

    def count(self) -> int:
        """How many people the vault holds."""
        return self.rows.count()

    def _place(self, people: Sequence[tuple[Person, SharedAccount | None]]) -> list[Placed | AccountShared]:
        macs = self._macs(self._nik_key, [person.nik for person, _ in people])
        known = self._known(macs)
        accounts = [person.account for person, _ in people if person.account]
        account_macs = dict(zip(accounts, self._macs(self._account_key, accounts), strict=True))
        taken = self.rows.taken(list(account_macs.values()))
        next_number, seal = self.rows.next_number(), self._seal.encrypt
        noise = self._random_bytes((SALT_BYTES + NONCE_BYTES) * len(people))
        result: list[Placed | AccountShared] = []
        rows: list[PersonRow] = []
        at = 0
        for (person, reason), mac in zip(people, macs, strict=True):
            if (placed := known.get(mac)) is None:
                account_mac = account_macs.get(person.account)
                if account_mac is not None:
                    if account_mac in taken and reason is None:
                        result.append(AccountShared())
                        continue
                    taken.add(account_mac)
                salt, nonce = noise[at : at + SALT_BYTES], noise[at + SALT_BYTES : at + SALT_BYTES + NONCE_BYTES]
                at += SALT_BYTES + NONCE_BYTES
                plain = salt + _plain(person)
                rows.append((next_number, mac, account_mac, reason, nonce + seal(nonce, plain, mac)))
                placed = known[mac] = Placed(next_number, _commitment(plain))
                next_number += 1
            result.append(placed)
        self.rows.add(rows)
        return result

    def _known(self, macs: Sequence[bytes]) -> dict[bytes, Placed]:
        """The places of the people whom the vault has already."""
        first_rehearsed = self._rehearsed_from or self.rows.next_number()
        numbers = list(self.rows.of_niks(macs).values())
        return {
            mac: Placed(number, _commitment(self._unseal(mac, sealed)), is_rehearsed=number >= first_rehearsed)
            for number, mac, sealed in self.rows.sealed(numbers)
        }

    def _unseal(self, mac: bytes, sealed: bytes) -> bytes:
        try:
            return self._seal.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], mac)
        except InvalidTag:
            raise IntegrityBrokenError("a row of the vault does not open with its key: it was changed") from None

    @staticmethod
    def _macs(key: bytes, texts: Sequence[str]) -> list[bytes]:
        keyed = hashlib.blake2b(key=key, digest_size=MAC_BYTES)
        macs = []
        for text in texts:
            mac = keyed.copy()
            mac.update(text.encode())
            macs.append(mac.digest())
        return macs


def rows_of(where: Path | PersonRows) -> PersonRows:
    """The vault's rows in a SQLite file, or what else holds them; sealed as they are, no key is needed."""
    return SQLitePersonRows(where) if isinstance(where, Path) else where


def _derived(master: bytes, purpose: bytes) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=b"salur vault " + purpose).derive(master)


def _plain(person: Person) -> bytes:
    """The person's data as one JSON object, which the commitment covers."""
    return (
        f'{{"nik":{_quoted(person.nik)},"name":{_quoted(person.name)},"account":{_quoted(person.account)},'
        f'"phone":{_quoted(person.phone)},"address":{_quoted(person.address)}}}'
    ).encode()


def _commitment(salted: bytes) -> str:
    return hashlib.sha256(salted).hexdigest()
