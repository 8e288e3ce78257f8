"""A vault of format 1 is brought over whole, whatever interrupts it, and what was changed in it is named first."""

import hashlib
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from ledger.application import vaults
from ledger.application.ledger import Ledger
from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.recipient import RecipientErased, RecipientRegistered
from ledger.store.entries import Entry, to_row
from ledger.vault.errors import VaultKeyError, VaultOlderError
from ledger.vault.older import Older, OlderRow, SQLiteOlderTables
from ledger.vault.rows import NewPerson
from ledger.vault.sqlite import SQLitePersonRows
from ledger.vault.vault import Vault
from tests.acts import held, nik, numbers_of  # fmt: skip

PEOPLE = 60
ERASED = (7, PEOPLE + 1)
"""The last one as well: their number is not given again."""
KEPT = Path(__file__).parents[1] / "kept" / "ledger-0.1" / "ledger" / "vault.db"
"""A vault that version 0.1.0 wrote: its tables are the ones."""


def tables_of_format_1() -> str:
    with closing(sqlite3.connect(f"{KEPT.as_uri()}?immutable=1", uri=True)) as database:
        made = database.execute("SELECT sql FROM sqlite_schema WHERE name<>'sqlite_sequence' ORDER BY rowid").fetchall()
    return ";".join(row[0] for row in made)


class Format1:
    """Writes a vault as version 0.1.0 did: from its own description, not from the program's code."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.rows: list[tuple[int, bytes, bytes | None, None, bytes]] = []
        self.commitments: dict[int, str] = {}

    def derived(self, purpose: bytes) -> bytes:
        return HKDFExpand(algorithm=SHA256(), length=32, info=b"salur vault " + purpose).derive(self._key)

    def _mac(self, purpose: bytes, text: str) -> bytes:
        return hashlib.blake2b(text.encode(), key=self.derived(purpose), digest_size=16).digest()

    def add(self, number: int, account: str) -> None:
        salt, nonce = bytes([number]) * 16, bytes([number]) * 12
        plain = (
            salt
            + (
                f'{{"nik":"{nik(number)}","name":"Warga {number}","account":"{account}","phone":"","address":"Jalan {number}"}}'
            ).encode()
        )
        mac = self._mac(b"nik", nik(number))
        sealed = nonce + AESGCM(self.derived(b"seal")).encrypt(nonce, plain, mac)
        self.rows.append((number, mac, self._mac(b"account", account) if account else None, None, sealed))
        self.commitments[number] = hashlib.sha256(plain).hexdigest()

    def write(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(tables_of_format_1())
            database.execute("INSERT INTO key_check VALUES (?)", (self.derived(b"check"),))
            database.executemany("INSERT INTO person VALUES (?,?,?,?,?)", self.rows)
            database.execute("DELETE FROM person WHERE number IN (?,?)", ERASED)
            database.commit()


def account_of(number: int) -> str:
    """People 10 and 11 have one account, written in two ways; every fifth person has none."""
    return {10: "0012-3456-78", 11: "0012345678"}.get(number, "" if number % 5 == 0 else f"9{number:07}")


def registered_in_format_1(ledger: Ledger) -> Format1:
    """People of a vault of format 1, and their registrations in the ledger; two of them are erased."""
    made = Format1((ledger.folder / "vault.key").read_bytes())
    for number in range(1, PEOPLE + 2):
        made.add(number, account_of(number))
    meta = ledger.view().command.meta(ledger.now())
    rows = []
    for number, commitment in made.commitments.items():
        event = RecipientRegistered(recipient_id=f"R{number:09}", commitment=commitment, category="worker")
        rows.append(to_row(Entry(event.stream, 1, meta, event)))
    for number in ERASED:
        erased = RecipientErased(recipient_id=f"R{number:09}", checker="budi", reason="letter", legal_basis="law")
        rows.append(to_row(Entry(erased.stream, 2, meta, erased)))
    ledger.store.append(rows)
    return made


@pytest.fixture
def older(ledger: Ledger) -> Ledger:
    """A ledger with people whose vault is of format 1."""
    for path in ledger.folder.glob("vault.db*"):
        path.unlink()
    registered_in_format_1(ledger).write(ledger.folder / "vault.db")
    return ledger


def require_all(ledger: Ledger) -> None:
    """Everybody is there, found by their own id, and as registered."""
    numbers = [number for number in range(1, PEOPLE + 1) if number not in ERASED]
    assert numbers_of(ledger, [nik(number) for number in range(1, PEOPLE + 3)]) == {nik(n): n for n in numbers}
    for number in numbers:
        person = held(ledger, number)
        assert person is not None
        assert (person.name, person.account, person.bank) == (f"Warga {number}", account_of(number), "")
        assert person.address == f"Jalan {number}"
    assert ledger.vault.rows.highest() == PEOPLE + 1


def test_a_vault_of_format_1_is_refused_until_it_is_brought_over(older: Ledger) -> None:
    with pytest.raises(VaultOlderError):
        older.place.vault()
    done = vaults.upgrade(older.place, older.store)
    assert done.moved == PEOPLE - 1
    require_all(older)
    again = vaults.upgrade(older.place, older.store)
    assert again.moved == 0
    assert again.findings == done.findings


def test_no_vault_is_made_in_the_place_of_one_of_format_1(older: Ledger) -> None:
    before = (older.folder / "vault.db").read_bytes()
    with pytest.raises(VaultOlderError):
        Vault.create(older.folder / "vault.db", older.folder / "vault.key")
    assert (older.folder / "vault.db").read_bytes() == before
    assert vaults.upgrade(older.place, older.store).moved == PEOPLE - 1


def test_people_whose_accounts_meet_are_named(older: Ledger) -> None:
    findings = vaults.upgrade(older.place, older.store).findings
    assert [(each.number, each.detail) for each in findings if each.is_notice] == [
        (11, "has one account with R000000010, and no reason is recorded")
    ]


def test_nothing_of_the_older_form_is_left_in_the_file(older: Ledger) -> None:
    with closing(sqlite3.connect(older.folder / "vault.db")) as database:
        rows = database.execute("SELECT nik_mac, sealed FROM person").fetchall()
    vaults.upgrade(older.place, older.store)
    content = b"".join(path.read_bytes() for path in older.folder.glob("vault.db*"))
    assert not [number for number, (mac, sealed) in enumerate(rows) if mac in content or sealed[-32:] in content]
    with closing(sqlite3.connect(older.folder / "vault.db")) as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_schema")}
    assert not tables & {"older_person", "key_check", "nik", "shared_accounts"}


class _Stop(BaseException):
    """A kill, at a statement."""


class _Stopping:
    """Stops at the n-th statement."""

    def __init__(self, at: int) -> None:
        self._left = at

    def __call__(self, _: str) -> None:
        self._left -= 1
        if not self._left:
            raise _Stop


def test_an_interruption_at_any_point_loses_nobody(
    older: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 100 random statements of the upgrade; afterwards the same call completes it."""
    monkeypatch.setattr("ledger.vault.older.PAGE_ROWS", 7)
    for path in older.folder.glob("vault.db-*"):
        path.unlink()
    kept = tmp_path / "kept.db"
    shutil.copy(older.folder / "vault.db", kept)
    statements = 0

    def count(_: str) -> None:
        nonlocal statements
        statements += 1

    bring_over(older, count)
    assert statements > 50
    for point in random.Random(11).sample(range(statements * 2), min(100, statements * 2)):
        for path in older.folder.glob("vault.db*"):
            path.unlink()
        shutil.copy(kept, older.folder / "vault.db")
        with pytest.raises(_Stop):
            bring_over(older, _Stopping(point // 2 + 1))
        if point % 2:  # a second interruption, at the same statement of what is left
            with suppress(_Stop):
                bring_over(older, _Stopping(point // 2 + 1))
        done = vaults.upgrade(older.place, older.store)
        assert [each for each in done.findings if not each.is_notice] == []
        require_all(older)
        older.vault.close()
        older._vault = None


def bring_over(ledger: Ledger, before: Callable[[str], None]) -> None:
    """The upgrade, with something done before each statement; what was open is lost as with a killed process."""

    class Watched(sqlite3.Connection):
        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            before(statement)
            return super().execute(statement, *values)

        def executemany(self, statement: str, *values: Any) -> sqlite3.Cursor:
            before(statement)
            return super().executemany(statement, *values)

    rows = SQLitePersonRows(ledger.folder / "vault.db")
    rows._opened = sqlite3.connect(ledger.folder / "vault.db", isolation_level=None, factory=Watched)
    try:
        Older(SQLiteOlderTables(rows), ledger.folder / "vault.key").bring_over()
    finally:
        rows.close()


def test_another_key_brings_nothing_over(older: Ledger) -> None:
    (older.folder / "vault.key").write_bytes(bytes(32))
    with pytest.raises(VaultKeyError):
        vaults.upgrade(older.place, older.store)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "UPDATE person SET number=-number WHERE number IN (49, 51); UPDATE person SET number=100+number WHERE number<0",
            "R000000049 is not who was registered; R000000051 is not who was registered",
        ),
        ("UPDATE person SET sealed=zeroblob(80) WHERE number=3", "R000000003 does not open with the vault's key"),
    ],
)
def test_a_vault_that_was_changed_is_not_brought_over_unless_it_is_asked_for(
    older: Ledger, statement: str, named: str
) -> None:
    with closing(sqlite3.connect(older.folder / "vault.db")) as database:
        for each in statement.split(";"):
            database.execute(each)
        database.commit()
    with pytest.raises(IntegrityBrokenError, match=named):
        vaults.upgrade(older.place, older.store)
    with pytest.raises(VaultOlderError):
        older.place.vault()
    found = vaults.upgrade(older.place, older.store, as_it_is=True)
    numbers = {each.number for each in found.findings if not each.is_notice}
    assert {int(text[1:10]) for text in named.split("; ")} <= numbers


def test_a_moved_row_that_fails_leaves_the_page_where_it_was(older: Ledger) -> None:
    def failing(row: OlderRow) -> NewPerson:
        raise RuntimeError(row.number)

    with closing(SQLitePersonRows(older.folder / "vault.db")) as rows:
        tables = SQLiteOlderTables(rows)
        tables.put_aside(lambda: b"keyring")
        with pytest.raises(RuntimeError, match="1"):
            tables.move(failing, 10)
        assert len(tables.page(0, 1_000)) == PEOPLE - 1
