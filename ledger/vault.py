"""Personal data, outside the events: encrypted row by row, found by keyed hashes, and gone when its row is deleted.

The vault is a SQLite file of its own beside a key file. It gives each person a number, once and in order; what the
ledger stores of the person is that number and a salted commitment, which the vault's data and salt can open.
"""

import hashlib
import hmac
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from ledger.errors import DiskFullError, IntegrityBrokenError, StoreFailedError, StoreLockedError, VaultKeyError
from ledger.events import SharedAccount
from ledger.store import LOCK_TIMEOUT_S, is_disk_full

KEY_BYTES = 32
NONCE_BYTES = 12
SALT_BYTES = 16
NIKS_PER_QUERY = 10_000

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_SCHEMA = """
CREATE TABLE IF NOT EXISTS person (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice, also after its row is deleted
    nik_mac BLOB NOT NULL UNIQUE,
    account_mac BLOB,
    shared_account TEXT,
    sealed BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_recipient_an_account ON person (account_mac) WHERE shared_account IS NULL;
CREATE INDEX IF NOT EXISTS accounts ON person (account_mac);
CREATE TABLE IF NOT EXISTS key_check (mac BLOB NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Person:
    """What only the vault knows of a recipient."""

    nik: str
    name: str
    account: str = ""
    phone: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a person stands in the vault."""

    number: int
    commitment: str
    """SHA-256 over the salt and the person's data as kept, in hex."""
    is_new: bool
    is_rehearsed: bool = False
    """The same person was placed earlier in the same rehearsal."""


class AccountShared(Exception):  # noqa: N818  # a finding about one row, turned into its refusal by the caller
    """The person's bank account already serves another recipient and no reason was given."""


class Vault:
    """The one place that holds names, national ids and accounts."""

    def __init__(self, path: Path, key_path: Path, *, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
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
        self._rehearsed_from: int | None = None
        with self._told():
            # A vault that is gone is told, not made anew.
            uri = path.absolute().as_uri() + "?mode=rw"
            self._database = sqlite3.connect(uri, uri=True, timeout=LOCK_TIMEOUT_S, isolation_level=None)
            self._database.execute("PRAGMA synchronous=FULL")
            check = self._database.execute("SELECT mac FROM key_check").fetchone()
        if check is None or not hmac.compare_digest(check[0], _derived(master, b"check")):
            self._database.close()
            raise VaultKeyError(path=str(key_path))

    @staticmethod
    def create(path: Path, key_path: Path, *, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        """Make an empty vault and its key, readable by the owner only; what is there already is kept.

        The key is made under the vault's lock and under another name at first: of several makings at once one makes it,
        and an interrupted one leaves no half of it.
        """
        path.touch(mode=0o600)
        with Vault._told(), closing(sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(_SCHEMA)
            database.execute("BEGIN IMMEDIATE")
            if database.execute("SELECT 1 FROM key_check").fetchone() is None:
                if not key_path.exists():
                    _write_key(key_path, random_bytes(KEY_BYTES))
                check = _derived(key_path.read_bytes(), b"check")
                database.execute("INSERT INTO key_check VALUES (?)", (check,))
            database.execute("COMMIT")

    def close(self) -> None:
        self._database.close()

    def find(self, niks: Sequence[str]) -> dict[str, int]:
        """NIK → the person's number, of those that the vault knows."""
        by_mac = {self._mac(self._nik_key, nik): nik for nik in niks}
        with self._told():
            return {by_mac[mac]: number for mac, number, _ in self._rows(list(by_mac))}

    def place(self, people: Sequence[tuple[Person, SharedAccount | None]]) -> list[Placed | AccountShared]:
        """Give each person a number, or find the one they have; in the order given, in one transaction."""
        if self._rehearsed_from is not None:
            return self._place(people)
        with self._transaction("COMMIT"):
            return self._place(people)

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Let `place` tell what it would do; nothing of it is kept."""
        with self._transaction("ROLLBACK"):
            self._rehearsed_from = self._next_number()
            try:
                yield
            finally:
                self._rehearsed_from = None

    def open(self, number: int) -> Person | None:
        """The data of one person, or None when the vault does not hold it."""
        with self._told():
            row = self._database.execute("SELECT nik_mac, sealed FROM person WHERE number=?", (number,)).fetchone()
        return Person(**json.loads(self._unseal(*row)[SALT_BYTES:])) if row else None

    def count(self) -> int:
        """How many people the vault holds."""
        with self._told():
            return int(self._database.execute("SELECT COUNT(*) FROM person").fetchone()[0])

    def _place(self, people: Sequence[tuple[Person, SharedAccount | None]]) -> list[Placed | AccountShared]:
        macs = [self._mac(self._nik_key, person.nik) for person, _ in people]
        known = {
            mac: Placed(
                number,
                _commitment(self._unseal(mac, sealed)),
                is_new=False,
                is_rehearsed=self._rehearsed_from is not None and number >= self._rehearsed_from,
            )
            for mac, number, sealed in self._rows(macs)
        }
        next_number = self._next_number()
        accounts = {
            person.account: self._mac(self._account_key, person.account) for person, _ in people if person.account
        }
        taken = self._taken(list(accounts.values()))
        noise = self._random_bytes((SALT_BYTES + NONCE_BYTES) * len(people))
        result: list[Placed | AccountShared] = []
        rows = []
        for index, ((person, reason), mac) in enumerate(zip(people, macs, strict=True)):
            if mac in known:
                result.append(known[mac])
                continue
            account_mac = accounts.get(person.account)
            if account_mac in taken and reason is None:
                result.append(AccountShared())
                continue
            if account_mac is not None:
                taken.add(account_mac)
            at = index * (SALT_BYTES + NONCE_BYTES)
            salt, nonce = noise[at : at + SALT_BYTES], noise[at + SALT_BYTES : at + SALT_BYTES + NONCE_BYTES]
            plain = salt + _plain(person)
            commitment = _commitment(plain)
            rows.append((next_number, mac, account_mac, reason, nonce + self._seal.encrypt(nonce, plain, mac)))
            known[mac] = Placed(next_number, commitment, is_new=False)
            result.append(Placed(next_number, commitment, is_new=True))
            next_number += 1
        self._database.executemany("INSERT INTO person VALUES (?,?,?,?,?)", rows)
        return result

    def _next_number(self) -> int:
        return int(self._database.execute("SELECT COALESCE(MAX(seq), 0)+1 FROM sqlite_sequence").fetchone()[0])

    @contextmanager
    def _transaction(self, end: str) -> Iterator[None]:
        with self._told():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute(end)
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    def _rows(self, macs: list[bytes]) -> Iterator[tuple[bytes, int, bytes]]:
        for start in range(0, len(macs), NIKS_PER_QUERY):
            part = macs[start : start + NIKS_PER_QUERY]
            marks = ",".join("?" * len(part))
            yield from self._database.execute(
                f"SELECT nik_mac, number, sealed FROM person WHERE nik_mac IN ({marks})",
                part,
            )

    def _taken(self, account_macs: list[bytes]) -> set[bytes | None]:
        taken: set[bytes | None] = set()
        for start in range(0, len(account_macs), NIKS_PER_QUERY):
            part = account_macs[start : start + NIKS_PER_QUERY]
            marks = ",".join("?" * len(part))
            rows = self._database.execute(
                f"SELECT account_mac FROM person WHERE account_mac IN ({marks})",
                part,
            )
            taken.update(row[0] for row in rows)
        return taken

    def _unseal(self, mac: bytes, sealed: bytes) -> bytes:
        try:
            return self._seal.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], mac)
        except InvalidTag:
            raise IntegrityBrokenError("a row of the vault does not open with its key: it was changed") from None

    @staticmethod
    def _mac(key: bytes, text: str) -> bytes:
        return hmac.digest(key, text.encode(), "sha256")[:16]

    @staticmethod
    @contextmanager
    def _told() -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            text = str(error)
            if "locked" in text:
                raise StoreLockedError from error
            raise DiskFullError() if is_disk_full(error) else StoreFailedError(reason=text) from error
        except sqlite3.DatabaseError as error:
            raise IntegrityBrokenError(f"the vault is damaged ({error}); restore a copy") from error


def _write_key(path: Path, key: bytes) -> None:
    unnamed = path.with_name(path.name + ".new")
    with os.fdopen(os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    unnamed.replace(path)


def _derived(master: bytes, purpose: bytes) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=b"salur vault " + purpose).derive(master)


def _plain(person: Person) -> bytes:
    return _encoder.encode(
        {
            "nik": person.nik,
            "name": person.name,
            "account": person.account,
            "phone": person.phone,
            "address": person.address,
        }
    ).encode()


def _commitment(salted: bytes) -> str:
    return hashlib.sha256(salted).hexdigest()
