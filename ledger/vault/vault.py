"""The vault: gives a person a number, finds them again, and opens what it holds of them.

What the ledger stores of a person is the number and a salted commitment, which the vault's data and salt can open. The
vault is not believed: whoever is found by a hash is opened, and must be the one who was asked for; and whoever asks for a
person's data names the commitment that their registration has.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hmac import digest as hmac_digest
from pathlib import Path
from typing import NamedTuple

from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.recipient import SharedAccount
from ledger.store.durable import sync, write_whole
from ledger.vault.errors import VaultKeyError, VaultRotatedError
from ledger.vault.keys import (
    KEY_BYTES,
    NONCE_BYTES,
    Keyring,
    RandomBytes,
    master_key,
    opened_for,
    person_place,
)
from ledger.vault.person import SALT_BYTES, Person, commitment_of, person_of, require_agreeing, salted
from ledger.vault.rows import NUMBER_MAX, NewPerson, PersonRow, PersonRows
from ledger.vault.sqlite import SQLitePersonRows


class Placed(NamedTuple):
    """A person's place in the vault: their number and commitment."""

    number: int
    commitment: str
    """SHA-256 over the salt and the person's data as kept, in hex."""
    is_rehearsed: bool = False
    """Whether the same rehearsal placed the person before."""


class Opened(NamedTuple):
    """What the vault holds of a person, and what shows that it is what was registered."""

    person: Person
    salted: bytes
    """The bytes whose SHA-256 is the commitment."""

    @property
    def commitment(self) -> str:
        """What the registration has of these bytes."""
        return commitment_of(self.salted)


class AccountShared(Exception):  # noqa: N818  # a finding about one row, turned into its refusal by the caller
    """The person's bank account already serves another recipient and no reason was given."""


class Vault:
    """The one place that holds names, national ids and accounts."""

    def __init__(self, where: Path | PersonRows, key_path: Path, *, random_bytes: RandomBytes = os.urandom) -> None:
        """Open the vault on a SQLite file, or on other rows."""
        self._random_bytes = random_bytes
        self._rehearsed_from: int | None = None
        master_key(key_path)  # without it, nothing is opened
        self.rows = rows_of(where)
        try:
            self.wrapped, self.keyring = _keyring_of(self.rows, key_path)
        except BaseException:
            self.rows.close()
            raise

    @staticmethod
    def create(where: Path | PersonRows, key_path: Path, *, random_bytes: RandomBytes = os.urandom) -> None:
        """Make an empty vault and its key, readable by the owner only; what is there already is kept.

        The key is made under the vault's lock and under another name at first: of several makings at once one makes it,
        and an interrupted one leaves no half of it.
        """

        def keyring() -> bytes:
            if not key_path.exists():
                write_whole(key_path, random_bytes(KEY_BYTES), mode=0o600)
            return Keyring.new(random_bytes).wrapped(key_path.read_bytes(), random_bytes)

        with closing(rows_of(where)) as rows:
            rows.create(keyring)

    def close(self) -> None:
        """Close the vault's rows."""
        self.rows.close()

    def keyed_hash(self, personal: bytes) -> str:
        """A hash of a request's personal inputs, in hex, that nobody can compute without the vault's key."""
        return hmac_digest(self.keyring.request_key, personal, "sha256").hex()

    def find(self, national_ids: Sequence[str]) -> dict[str, Placed]:
        """National id → place, of the people whom the vault knows.

        Raises `IntegrityBrokenError` where the index leads from an id to somebody else.
        """
        macs = dict(zip(self.keyring.ids(national_ids), national_ids, strict=True))
        known = self._known(macs)
        return {macs[mac]: placed for mac, placed in known.items()}

    def place(self, people: Sequence[tuple[Person, SharedAccount | None]]) -> list[Placed | AccountShared]:
        """Give each person a number, or find the one they have; in the order given, in one transaction."""
        if self._rehearsed_from is not None:
            return self._place(people)
        return self.rows.alone(lambda: self._place(people))

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Undo at the end of the block whatever `place` does in it."""
        with self.rows.rehearsal():
            self._rehearsed_from = self.rows.highest() + 1
            try:
                yield
            finally:
                self._rehearsed_from = None

    def open(self, number: int, *, commitment: str) -> Opened | None:
        """The data of one person as registered, or None when the vault does not hold it.

        Raises `IntegrityBrokenError` where the vault holds other data than the registration committed to.
        """
        for row in self._registered([number]):
            opened = self.opened(row)
            require_agreeing(number, opened.commitment, commitment)
            return opened
        return None

    def _registered(self, numbers: Sequence[int]) -> Iterator[PersonRow]:
        """The rows with which people were registered."""
        return (row for row in self.rows.people(numbers) if (row.version, row.agreement) == (1, ""))

    def opened(self, row: PersonRow) -> Opened:
        """A row's data; raises `IntegrityBrokenError` where the row does not open in its place."""
        plain = opened_for(self.keyring, *row)
        try:
            return Opened(person_of(plain), plain)
        except (ValueError, KeyError):
            raise IntegrityBrokenError(f"the vault's row of R{row.number:09d} is of no form that is known") from None

    def with_hashes(self, row: PersonRow) -> NewPerson:
        """A row, and the hashes that lead to its number; raises as `opened`."""
        return NewPerson(row, *self.keyring.leading_to(self.opened(row).person))

    def count(self) -> int:
        """How many people the vault holds."""
        return self.rows.count()

    def _place(self, people: Sequence[tuple[Person, SharedAccount | None]]) -> list[Placed | AccountShared]:
        if self.rows.keyring() != self.wrapped:  # what the earlier keys seal, nobody would open any more
            raise VaultRotatedError()
        macs = self.keyring.ids([person.national_id for person, _ in people])
        known = self._known(dict(zip(macs, (person.national_id for person, _ in people), strict=True)))
        account_macs = self.keyring.accounts(person.account for person, _ in people if person.account)
        taken = {mac for mac, _ in self.rows.holders(list(set(account_macs.values())))}
        next_number, seal = self.rows.highest() + 1, self.keyring.seal.encrypt
        noise = self._random_bytes((SALT_BYTES + NONCE_BYTES) * len(people))
        result: list[Placed | AccountShared] = []
        fresh: list[NewPerson] = []
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
                plain = salted(person, salt)
                sealed = nonce + seal(nonce, plain, person_place(next_number, 1, ""))
                fresh.append(NewPerson(PersonRow(next_number, 1, "", sealed), mac, account_mac))
                placed = known[mac] = Placed(next_number, commitment_of(plain))
                next_number += 1
            result.append(placed)
        if next_number > NUMBER_MAX + 1:
            raise IntegrityBrokenError(
                f"the vault has given its numbers up to {next_number - 1}, and R{NUMBER_MAX} is the last; run `salur check`"
            )
        self.rows.add(fresh)
        return result

    def _known(self, wanted: dict[bytes, str]) -> dict[bytes, Placed]:
        """Hash → place, of the people whom the vault has already; `wanted` says whose hash each is."""
        first_rehearsed = self._rehearsed_from or NUMBER_MAX + 1
        found = self.rows.of_ids(list(wanted))
        rows = {row.number: row for row in self._registered(list(found.values()))}
        known = {}
        for mac, number in found.items():
            opened = self.opened(rows[number]) if number in rows else None
            if opened is None or opened.person.national_id != wanted[mac]:
                raise IntegrityBrokenError(
                    f"the vault's index of national ids leads to R{number:09d}, who"
                    f" {'is not in the vault' if opened is None else 'is somebody else'}; run `salur check`"
                )
            known[mac] = Placed(number, opened.commitment, is_rehearsed=number >= first_rehearsed)
        return known


def next_key(key_path: Path) -> Path:
    """Where a key file lies that is to take the place of another."""
    return key_path.with_name(f"{key_path.name}.next")


def _keyring_of(rows: PersonRows, key_path: Path) -> tuple[bytes, Keyring]:
    """The keyring as it lies there, and opened with the key file, or with the next one where a change of keys was
    interrupted at its end."""
    wrapped, following = rows.keyring(), next_key(key_path)
    if wrapped is not None:
        if (keyring := Keyring.unwrapped(wrapped, master_key(key_path))) is not None:
            return wrapped, keyring
        if following.exists() and (keyring := Keyring.unwrapped(wrapped, master_key(following))) is not None:
            following.replace(key_path)
            sync(key_path.parent)
            return wrapped, keyring
    raise VaultKeyError(path=str(key_path))


def rows_of(where: Path | PersonRows) -> PersonRows:
    """The vault's rows in a SQLite file, or what else holds them; sealed as they are, no key is needed."""
    return SQLitePersonRows(where) if isinstance(where, Path) else where
