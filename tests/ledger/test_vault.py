import hashlib
import itertools
import json
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.recipient import SharedAccount
from ledger.store.errors import StoreFailedError
from ledger.vault.errors import VaultKeyError
from ledger.vault.person import SALT_BYTES, Person, normal_account
from ledger.vault.rows import NewPerson, PersonRow
from ledger.vault.sqlite import SQLitePersonRows
from ledger.vault.vault import AccountShared, Placed, Vault

ANI = Person("0000000101900001", "Ani", "900001", "081", "Jalan Melati")
BUDI = Person("0000000101900002", "Budi", "900002")


def counted_bytes(count: int) -> bytes:
    """Bytes that a test can foresee."""
    return bytes(number % 251 for number in range(count))


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    Vault.create(tmp_path / "vault.db", tmp_path / "vault.key")
    with closing(Vault(tmp_path / "vault.db", tmp_path / "vault.key", random_bytes=counted_bytes)) as made:
        yield made


def numbers(vault: Vault, *people: Person) -> list[int]:
    placed = vault.place([(person, None) for person in people])
    return [each.number for each in placed if isinstance(each, Placed)]


def opened(vault: Vault, number: int) -> Person | None:
    """What the vault holds of a person, whatever was registered."""
    found = [vault.opened(row).person for row in vault.rows.people([number])]
    return found[0] if found else None


def change(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "vault.db")) as database:
        database.execute("PRAGMA synchronous=OFF")
        with database:
            database.execute(statement, values)


def test_a_person_is_given_one_number_in_order(vault: Vault) -> None:
    assert numbers(vault, ANI, BUDI, ANI) == [1, 2, 1]
    assert numbers(vault, BUDI) == [2]
    found = vault.find([BUDI.national_id, ANI.national_id, "0000000101900009"])
    assert {each: placed.number for each, placed in found.items()} == {ANI.national_id: 1, BUDI.national_id: 2}
    assert (opened(vault, 1), opened(vault, 2), opened(vault, 3)) == (ANI, BUDI, None)
    assert vault.count() == 2


def test_what_is_kept_of_a_person_is_what_came_first(vault: Vault) -> None:
    [first] = vault.place([(ANI, None)])
    [again] = vault.place([(Person(ANI.national_id, "Another"), None)])
    assert isinstance(first, Placed)
    assert isinstance(again, Placed)
    assert again == first
    assert opened(vault, 1) == ANI


def test_a_commitment_is_opened_by_salt_and_data(vault: Vault) -> None:
    [placed] = vault.place([(ANI, None)])
    assert isinstance(placed, Placed)
    said = {"form": 2, "id": ANI.national_id, "name": "Ani", "account": "900001", "bank": "", "phone": "081"}
    data = json.dumps(said | {"address": "Jalan Melati"}, separators=(",", ":")).encode()
    salt = counted_bytes(SALT_BYTES)
    assert placed.commitment == hashlib.sha256(salt + data).hexdigest()


def test_two_people_with_the_same_data_elsewhere_have_different_commitments(tmp_path: Path) -> None:
    commitments: set[str] = set()
    for name in ("a", "b"):
        Vault.create(tmp_path / f"{name}.db", tmp_path / "vault.key")
        with closing(Vault(tmp_path / f"{name}.db", tmp_path / "vault.key")) as vault:
            commitments.update(each.commitment for each in vault.place([(ANI, None)]) if isinstance(each, Placed))
    assert len(commitments) == 2


def test_a_number_is_never_given_twice_even_when_the_last_person_is_erased(vault: Vault) -> None:
    assert numbers(vault, ANI, BUDI) == [1, 2]
    vault.rows.follow([], 1, 2)
    assert opened(vault, 2) is None
    assert numbers(vault, BUDI) == [3]
    vault.rows.follow([], 0, 3)
    assert numbers(vault, ANI) == [4]


def test_every_bit_flipped_in_a_sealed_row_is_found(vault: Vault, tmp_path: Path) -> None:
    numbers(vault, ANI)
    with closing(sqlite3.connect(tmp_path / "vault.db")) as database:
        (sealed,) = database.execute("SELECT sealed FROM person").fetchone()
    for index, bit in itertools.product(range(len(sealed)), (0, 7)):
        flipped = bytearray(sealed)
        flipped[index] ^= 1 << bit
        change(tmp_path, "UPDATE person SET sealed=?", bytes(flipped))
        with pytest.raises(IntegrityBrokenError):
            opened(vault, 1)
    change(tmp_path, "UPDATE person SET sealed=?", sealed)
    assert opened(vault, 1) == ANI


def test_rows_that_changed_places_are_found(vault: Vault, tmp_path: Path) -> None:
    numbers(vault, ANI, BUDI)
    change(tmp_path, "UPDATE person SET sealed=(SELECT sealed FROM person WHERE number=2) WHERE number=1")
    with pytest.raises(IntegrityBrokenError):
        opened(vault, 1)


def test_key_and_vault_are_for_their_owner_only(tmp_path: Path) -> None:
    Vault.create(tmp_path / "vault.db", tmp_path / "vault.key")
    for name in ("vault.db", "vault.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("key", [bytes(32), b"short", b"", None])
def test_a_vault_opens_only_with_its_own_key(tmp_path: Path, key: bytes | None) -> None:
    Vault.create(tmp_path / "vault.db", tmp_path / "vault.key")
    (tmp_path / "vault.key").unlink()
    if key is not None:
        (tmp_path / "vault.key").write_bytes(key)
    with pytest.raises(VaultKeyError) as refused:
        Vault(tmp_path / "vault.db", tmp_path / "vault.key")
    assert refused.value.path == str(tmp_path / "vault.key")


def test_making_a_vault_again_keeps_what_is_there(vault: Vault, tmp_path: Path) -> None:
    numbers(vault, ANI)
    Vault.create(tmp_path / "vault.db", tmp_path / "vault.key")
    assert opened(vault, 1) == ANI


def test_a_vault_that_is_gone_is_told_and_not_made_anew(tmp_path: Path) -> None:
    Vault.create(tmp_path / "vault.db", tmp_path / "vault.key")
    for path in tmp_path.glob("vault.db*"):
        path.unlink()
    with pytest.raises(StoreFailedError):
        Vault(tmp_path / "vault.db", tmp_path / "vault.key")
    assert not (tmp_path / "vault.db").exists()


def test_a_damaged_vault_is_broken_integrity(tmp_path: Path) -> None:
    Vault.create(tmp_path / "vault.db", tmp_path / "vault.key")
    (tmp_path / "vault.db").write_bytes(b"no database" * 1000)
    with pytest.raises(IntegrityBrokenError):
        Vault(tmp_path / "vault.db", tmp_path / "vault.key")


def test_an_account_serves_one_person_unless_a_reason_is_given(vault: Vault) -> None:
    same = [Person(f"000000010190000{number}", "X", "900") for number in range(4)]
    first, second, third, fourth = vault.place(
        [(same[0], None), (same[1], None), (same[2], SharedAccount.HOUSEHOLD), (same[3], None)]
    )
    assert [isinstance(each, AccountShared) for each in (first, second, third, fourth)] == [False, True, False, True]
    [later] = vault.place([(same[1], None)])
    assert isinstance(later, AccountShared)
    assert vault.count() == 2


def test_a_rehearsal_keeps_nothing_and_knows_who_came_before_in_it(vault: Vault) -> None:
    numbers(vault, ANI)
    with vault.rehearsal():
        first = vault.place([(ANI, None), (BUDI, None)])
        again = vault.place([(BUDI, None)])
    assert [(each.number, each.is_rehearsed) for each in (*first, *again) if isinstance(each, Placed)] == [
        (1, False),
        (2, False),
        (2, True),
    ]
    assert vault.count() == 1
    assert numbers(vault, BUDI) == [2]


def test_a_rehearsal_that_breaks_off_keeps_nothing(vault: Vault) -> None:
    def break_off() -> None:
        with vault.rehearsal():
            vault.place([(ANI, None)])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert vault.count() == 0
    assert numbers(vault, BUDI, ANI) == [1, 2]


def test_hashes_that_share_their_first_half_lead_to_their_own_people(tmp_path: Path) -> None:
    niks = [b"8 bytes " + ending for ending in (b"first   ", b"second  ", b"third   ")]
    account = b"own account 0001"
    SQLitePersonRows(tmp_path / "vault.db").create(lambda: b"")

    def person(number: int, identity: bytes, account: bytes | None = None) -> NewPerson:
        return NewPerson(PersonRow(number, 1, "", b""), identity, account)

    with closing(SQLitePersonRows(tmp_path / "vault.db")) as rows:
        rows.alone(lambda: rows.add([person(1, niks[0], account), person(2, niks[1])]))
        assert rows.of_ids(niks) == {niks[0]: 1, niks[1]: 2}
        # Whoever adds a number twice has a bug: the vault is not damaged.
        with pytest.raises(sqlite3.IntegrityError):
            rows.alone(lambda: rows.add([person(2, niks[2])]))
        assert rows.count() == 2
        assert rows.entry_count("identity") == 2
        rows.follow([], 0, 1)  # the one who came first is gone
        assert rows.of_ids(niks) == {niks[1]: 2}
        assert rows.holders([account]) == set()
        rows.alone(lambda: rows.add([person(3, niks[2], account), person(4, niks[0], account)]))
        assert rows.of_ids(niks) == {niks[1]: 2, niks[2]: 3, niks[0]: 4}
        assert rows.holders([account]) == {(account, 3), (account, 4)}


@pytest.mark.parametrize(
    ("account", "same"),
    [
        ("0012345678", "0012-3456-78"),
        ("0012345678", "0012 3456 78"),
        ("0012345678", "12345678"),
        ("0012345678", "\uff10\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18"),
        ("DE89370400440532013000", "de89 3704 0044 0532 0130 00"),
        ("0", "000"),
    ],
)
def test_one_account_written_in_two_ways_is_one(vault: Vault, account: str, same: str) -> None:
    assert normal_account(account) == normal_account(same)
    first, second = vault.place([(ANI._replace(account=account), None), (BUDI._replace(account=same), None)])
    assert isinstance(first, Placed)
    assert isinstance(second, AccountShared)


@pytest.mark.parametrize(("one", "other"), [("0012345678", "0012345679"), ("A12", "12"), ("1", "10")])
def test_two_accounts_are_two(one: str, other: str) -> None:
    assert normal_account(one) != normal_account(other)


def test_what_is_no_account_is_shared_by_everybody(vault: Vault) -> None:
    assert numbers(vault, ANI._replace(account="-"), BUDI._replace(account=" - ")) == [1, 2]


def test_a_vault_is_closed_by_any_thread_and_more_than_once(vault: Vault) -> None:
    """As the collector of garbage does with a ledger that nobody holds any more, in the thread where it runs."""
    numbers(vault, ANI)
    with ThreadPoolExecutor(1) as other:
        for _ in range(2):
            other.submit(vault.close).result()
    with pytest.raises(sqlite3.ProgrammingError):
        vault.count()
