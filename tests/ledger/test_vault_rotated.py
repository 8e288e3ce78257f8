"""The vault is given other keys: everybody is found and opened as before, also marks whose plain text is gone."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.recipient import SharedAccount
from ledger.vault.errors import VaultKeyError, VaultRotatedError
from ledger.vault.keys import mark_place, refused_place
from ledger.vault.person import Person
from ledger.vault.rotation import rotate
from ledger.vault.rows import MarkRow, RefusedRow, Stored
from ledger.vault.vault import AccountShared, Placed, Vault
from tests.acts import nik  # fmt: skip

GONE = "0000000101909999"
"""The national id of somebody who is erased, and of whom a mark is kept."""
PEOPLE = [Person(nik(number), f"Person {number}", account) for number, account in ((1, "900-1"), (2, ""), (3, "9001"))]


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    Vault.create(tmp_path / "vault.db", tmp_path / "vault.key")
    with closing(Vault(tmp_path / "vault.db", tmp_path / "vault.key")) as made:
        made.place([(person, SharedAccount.HOUSEHOLD) for person in PEOPLE])
        with_marks(made)
        yield made


def with_marks(vault: Vault) -> None:
    """Put a mark and a refused row in, as an erasure and a file with refused rows do."""
    rows, keyring = vault.rows, vault.keyring
    [mac] = keyring.ids([GONE])
    mark = MarkRow(mac, 9, keyring.sealed(b"salt and hash", mark_place(9)))
    refused = RefusedRow("ab" * 32, 7, mac, keyring.sealed(b"salt of line 7", refused_place("ab" * 32, 7)))
    stored = Stored(rows.page(0, 10), list(rows.entries("identity")), list(rows.entries("account")), [mark], [refused])
    rows.alone(lambda: rows.replace(stored, rows.keyring() or b""))


def reopened(folder: Path) -> Vault:
    return Vault(folder / "vault.db", folder / "vault.key")


def require_everything(vault: Vault, commitments: list[str]) -> None:
    placed = vault.place([(person, None) for person in PEOPLE])
    assert [(each.number, each.commitment) for each in placed if isinstance(each, Placed)] == list(
        zip((1, 2, 3), commitments, strict=True)
    )
    opened = [vault.open(number, commitment=commitment) for number, commitment in enumerate(commitments, start=1)]
    assert [each.person for each in opened if each] == PEOPLE
    [mark] = vault.rows.marks()
    assert [mark.mac] == vault.keyring.ids([GONE])
    assert vault.keyring.opened(mark.sealed, mark_place(9)) == b"salt and hash"
    [refused] = vault.rows.refused()
    assert [refused.mac] == vault.keyring.ids([GONE])
    assert vault.keyring.opened(refused.sealed, refused_place("ab" * 32, 7)) == b"salt of line 7"
    [newcomer] = vault.place([(Person(nik(8), "Person 8", "9 0 0 1"), None)])
    assert isinstance(newcomer, AccountShared)


def commitments_of(vault: Vault) -> list[str]:
    return [vault.opened(row).commitment for row in vault.rows.page(0, 10)]


def test_after_three_changes_of_keys_everything_is_found_and_opened(vault: Vault, tmp_path: Path) -> None:
    commitments, asked = commitments_of(vault), vault.keyed_hash(b"a request")
    keys = [(tmp_path / "vault.key").read_bytes()]
    for _ in range(3):
        assert rotate(vault, tmp_path / "vault.key") == 5
        keys.append((tmp_path / "vault.key").read_bytes())
    assert len(set(keys)) == 4
    require_everything(vault, commitments)
    with closing(reopened(tmp_path)) as again:
        require_everything(again, commitments)
        assert again.keyed_hash(b"a request") == asked


def test_nothing_that_the_old_keys_sealed_or_hashed_is_left(vault: Vault, tmp_path: Path) -> None:
    rows = vault.rows
    before = [row.sealed for row in rows.page(0, 10)]
    before += [row.sealed for row in rows.marks()] + [row.sealed for row in rows.refused()]
    before += [mac[8:] for index in ("identity", "account") for mac, _ in rows.entries(index)]
    older = (tmp_path / "vault.key").read_bytes()
    rotate(vault, tmp_path / "vault.key")
    content = b"".join(path.read_bytes() for path in tmp_path.glob("vault.db*"))
    assert [each for each in before if each in content] == []
    (tmp_path / "vault.key").write_bytes(older)
    with pytest.raises(VaultKeyError):
        reopened(tmp_path)


def test_an_interruption_leaves_a_key_that_opens_the_vault(vault: Vault, tmp_path: Path) -> None:
    """Between the commit of the vault and the new name of the key file, and before the commit."""
    commitments = commitments_of(vault)
    older = (tmp_path / "vault.key").read_bytes()
    rotate(vault, tmp_path / "vault.key")
    shutil.move(tmp_path / "vault.key", tmp_path / "vault.key.next")
    (tmp_path / "vault.key").write_bytes(older)
    with closing(reopened(tmp_path)) as again:
        require_everything(again, commitments)
    assert not (tmp_path / "vault.key.next").exists()
    (tmp_path / "vault.key.next").write_bytes(bytes(32))  # of a change that did not come to its commit
    with closing(reopened(tmp_path)) as again:
        rotate(again, tmp_path / "vault.key")
        require_everything(again, commitments)


def test_who_worked_with_the_earlier_keys_adds_nothing_under_them(vault: Vault, tmp_path: Path) -> None:
    commitments = commitments_of(vault)
    with closing(reopened(tmp_path)) as other:
        rotate(other, tmp_path / "vault.key")
        key = (tmp_path / "vault.key").read_bytes()
        with pytest.raises(VaultRotatedError):
            vault.place([(Person(nik(8), "Person 8"), None)])
        with pytest.raises(VaultRotatedError):
            rotate(vault, tmp_path / "vault.key")
        assert (tmp_path / "vault.key").read_bytes() == key
        require_everything(other, commitments)


def test_a_row_that_does_not_open_is_not_sealed_away(vault: Vault, tmp_path: Path) -> None:
    key = (tmp_path / "vault.key").read_bytes()
    vault.rows.database.execute("UPDATE mark SET number=8")  # type: ignore[attr-defined]  # a hand in the file
    with pytest.raises(IntegrityBrokenError, match="mark 8"):
        rotate(vault, tmp_path / "vault.key")
    assert (tmp_path / "vault.key").read_bytes() == key
    assert not (tmp_path / "vault.key.next").exists()
    assert vault.find([nik(1)])[nik(1)].number == 1
