"""New keys for a vault: everything is sealed anew, and a new lookup key is applied over the hashes that are there.

The plain text of a mark is gone, and so its hash can only be hashed again; the same is done with every other hash, so that
one rule finds all. The new key file lies beside the old one, as `vault.key.next`, until the vault holds the keyring that it
unwraps: an interruption at any point leaves one of the two files that opens the vault.
"""

import os
from itertools import starmap
from pathlib import Path

from ledger.domain.errors import IntegrityBrokenError
from ledger.store.durable import sync, write_whole
from ledger.vault.errors import VaultRotatedError
from ledger.vault.keys import KEY_BYTES, Keyring, RandomBytes, mark_place, opened_for, person_place, refused_place
from ledger.vault.rows import Index, MarkRow, PersonRow, RefusedRow, Stored
from ledger.vault.vault import Vault, next_key


def rotate(vault: Vault, key_path: Path, *, random_bytes: RandomBytes = os.urandom) -> int:
    """Give the vault new keys and a new key file, in one transaction; returns the number of rows sealed anew.

    Holds the sealed vault in memory, about 400 bytes a person. Raises `IntegrityBrokenError`, and changes nothing, where a
    row does not open: its data would be lost.
    """
    master, following = random_bytes(KEY_BYTES), next_key(key_path)
    write_whole(following, master, mode=0o600)
    rotated = vault.keyring.rotated(random_bytes)

    wrapped = rotated.wrapped(master, random_bytes)

    def work() -> int:
        if vault.rows.keyring() != vault.wrapped:
            raise VaultRotatedError()
        stored = _Resealed(vault, rotated, random_bytes).stored()
        vault.rows.replace(stored, wrapped)
        return len(stored.people) + len(stored.marks) + len(stored.refused)

    try:
        count = vault.rows.alone(work)
    except BaseException:
        following.unlink()
        raise
    following.replace(key_path)
    sync(key_path.parent)
    vault.wrapped, vault.keyring = wrapped, rotated
    vault.rows.forget()
    return count


class _Resealed:
    """All that a vault holds, as it is under other keys."""

    def __init__(self, vault: Vault, rotated: Keyring, random_bytes: RandomBytes) -> None:
        self._vault = vault
        self._rotated = rotated
        self._random_bytes = random_bytes

    def stored(self) -> Stored:
        """Everything, sealed and hashed anew."""
        rows = self._vault.rows
        return Stored(
            list(starmap(self._person, self._people())),
            self._entries("identity"),
            self._entries("account"),
            [self._mark(row) for row in rows.marks()],
            [self._refused(row) for row in rows.refused()],
        )

    def _people(self) -> list[PersonRow]:
        rows = self._vault.rows
        return rows.page(0, max(1, rows.count()))

    def _person(self, number: int, version: int, agreement: str, sealed: bytes) -> PersonRow:
        plain = opened_for(self._vault.keyring, number, version, agreement, sealed)
        place = person_place(number, version, agreement)
        return PersonRow(number, version, agreement, self._rotated.sealed(plain, place, self._random_bytes))

    def _entries(self, index: Index) -> list[tuple[bytes, int]]:
        entries = list(self._vault.rows.entries(index))
        macs = self._rotated.rehashed(index, [mac for mac, _ in entries])
        return sorted(zip(macs, (number for _, number in entries), strict=True))

    def _mark(self, row: MarkRow) -> MarkRow:
        [mac] = self._rotated.rehashed("identity", [row.mac])
        return MarkRow(mac, row.number, self._moved(row.sealed, mark_place(row.number)))

    def _refused(self, row: RefusedRow) -> RefusedRow:
        [mac] = self._rotated.rehashed("identity", [row.mac])
        return row._replace(mac=mac, sealed=self._moved(row.sealed, refused_place(row.file, row.line)))

    def _moved(self, sealed: bytes, place: bytes) -> bytes:
        plain = self._vault.keyring.opened(sealed, place)
        if plain is None:
            raise IntegrityBrokenError(
                f"what is kept at {place.decode()} in the vault does not open; run `salur check`"
            )
        return self._rotated.sealed(plain, place, self._random_bytes)
