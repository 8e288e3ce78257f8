"""Every kind of change of the vault is found and named, and nothing that was changed is used.

A hand is in the vault's tables, in the SQLite file or as the owner of the database; the statements are the same.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ledger.application import privacy, registration
from ledger.application.ledger import Ledger
from ledger.application.people import recipient_id
from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.recipient import RecipientRegistered
from ledger.store.entries import Entry, to_row
from ledger.vault.keys import person_place
from ledger.vault.person import Person, salted
from projections.audit.vault_law import check_vault
from tests.acts import SITI, Told, entries, erase, nik, person, propose, register  # fmt: skip

PEOPLE = 4
"""The last two have one account, with a reason."""


@pytest.fixture
def people(ledger: Ledger) -> list[str]:
    rows = [
        person(1),
        person(2, account=""),
        person(3, account="0077-0001", shared_account="household"),
        person(4, account="770001", shared_account="household"),
    ]
    told = Told()
    registration.register(ledger, SITI, rows, file_sha256="ab" * 32, category="worker", on_reject=told)
    assert told.codes == []
    return [recipient_id(number) for number in range(1, PEOPLE + 1)]


def by_hand(ledger: Ledger, *statements: str, values: tuple[Any, ...] = ()) -> None:
    """Change the vault's tables as somebody who has every right on them."""
    if ledger.place.database is None:
        with closing(sqlite3.connect(ledger.folder / "vault.db", isolation_level=None)) as database:
            for statement in statements:
                database.execute(statement.replace("%s", "?"), values)
        return
    import psycopg

    from tests.postgres.server import OFFICER, OWNER

    with closing(
        psycopg.connect(ledger.place.database.replace(f"//{OFFICER}@", f"//{OWNER}@"), autocommit=True)
    ) as connection:
        connection.execute("SET search_path=salur_vault")
        for statement in statements:
            connection.execute(statement, values, binary=True)


def findings(ledger: Ledger) -> list[str]:
    """What breaks the law of the vault, each as `number: words`."""
    law, unshown = check_vault(ledger.place, ledger.store, is_audit=False)
    assert unshown is None
    assert len(law.broken) == law.broken_count
    return [f"{breach.stream.removeprefix('recipient/R00000000')}: {breach.detail}" for breach in law.broken]


def notices(ledger: Ledger) -> list[str]:
    law, _ = check_vault(ledger.place, ledger.store, is_audit=False)
    return [breach.words for breach in law.notices]


def test_a_sound_vault_is_sound(ledger: Ledger, people: list[str]) -> None:
    assert findings(ledger) == []
    assert notices(ledger) == []
    erase(ledger, people[0])
    erase(ledger, people[3])
    assert findings(ledger) == []
    assert notices(ledger) == []


_CLOSED = "the row does not open in its place: it was changed, or is another's"
_MISSING = "is registered, and not in the vault; put a copy of the vault back"
_STRAY = "the index of {} has an entry that leads to them and is not theirs"
_CHANGES: dict[str, tuple[list[str], list[str]]] = {
    "a row deleted": (
        ["DELETE FROM person WHERE number=2"],
        [f"2: {_MISSING}", f"2: {_STRAY.format('national ids')}"],
    ),
    "everybody deleted": (
        ["DELETE FROM person", "DELETE FROM identity", "DELETE FROM account", "DELETE FROM account_met"],
        [f"{number}: {_MISSING}" for number in (1, 2, 3, 4)],
    ),
    "two rows exchanged": (
        [
            "UPDATE person SET number=number+100 WHERE number IN (1, 2)",
            "UPDATE person SET number=103-number WHERE number IN (101, 102)",
        ],
        [f"1: {_CLOSED}", f"2: {_CLOSED}"],
    ),
    "a row overwritten by another's": (
        ["UPDATE person SET sealed=(SELECT sealed FROM person WHERE number=1) WHERE number=2"],
        [f"2: {_CLOSED}"],
    ),
    "a row moved to another number": (
        ["UPDATE person SET number=7 WHERE number=4"],
        [
            f"7: {_CLOSED}",
            f"4: {_MISSING}",
            "vault.db: the vault says that it has given the numbers up to 4; it has up to 7",
            f"4: {_STRAY.format('national ids')}",
            f"4: {_STRAY.format('accounts')}",
        ],
    ),
    "an entry of the national ids led elsewhere": (
        ["UPDATE identity SET number=2 WHERE number=1"],
        ["1: the index of national ids leads from theirs to R000000002"],
    ),
    "an entry of the national ids deleted": (
        ["DELETE FROM identity WHERE number=1"],
        ["1: the index of national ids leads from theirs to nobody"],
    ),
    "an entry of the accounts led elsewhere": (
        ["UPDATE account SET number=2 WHERE number=1"],
        ["1: the index of accounts does not lead from theirs to them"],
    ),
    "an entry of the accounts deleted": (
        ["DELETE FROM account WHERE number=1"],
        ["1: the index of accounts does not lead from theirs to them"],
    ),
    "another version put in": (
        ["INSERT INTO person SELECT number, 2, '', sealed FROM person WHERE number=1"],
        ["1: version 2 lies in the vault, and no event speaks of it"],
    ),
    "a proposal put in": (
        ["INSERT INTO person SELECT number, 1, 'recipient/R000000001', sealed FROM person WHERE number=1"],
        ["1: version 1 lies in the vault, and no event speaks of it"],
    ),
    "the first version made another": (
        ["UPDATE person SET version=2 WHERE number=1"],
        [
            "1: version 2 lies in the vault, and no event speaks of it",
            "1: the row that they were registered with is not in the vault",
        ],
    ),
    "the counter pushed on": (
        ["UPDATE vault SET highest=999999999"],
        ["vault.db: the vault says that it has given the numbers up to 999999999; it has up to 4"],
    ),
    "the counter set back": (
        ["UPDATE vault SET highest=2"],
        ["vault.db: the vault says that it has given the numbers up to 2; it has up to 4"],
    ),
}


@pytest.mark.parametrize("name", _CHANGES)
def test_a_change_of_the_vault_is_found_and_named(ledger: Ledger, people: list[str], name: str) -> None:
    del people
    statements, named = _CHANGES[name]
    if ledger.place.database is not None:
        statements = [each for each in statements if "_met" not in each]
    by_hand(ledger, *statements)
    assert findings(ledger) == named


def test_a_row_whose_number_nobody_can_have_is_named_with_little_memory(ledger: Ledger, people: list[str]) -> None:
    del people
    by_hand(ledger, "UPDATE person SET number=4611686018427387904 WHERE number=4", "UPDATE vault SET highest=4")
    assert findings(ledger)[:2] == [
        f"4: {_MISSING}",
        "vault.db: a row has the number 4611686018427387904, and a recipient's has one to nine digits",
    ]
    with pytest.raises(IntegrityBrokenError, match="leads to R000000004, who is not in the vault"):
        register(ledger, 1, first=4)


def test_a_registration_forged_far_beyond_the_others_stops_nobody(ledger: Ledger, people: list[str]) -> None:
    del people
    event = RecipientRegistered(recipient_id="R999999999", commitment="0" * 64, category="worker")
    meta = SITI.meta(ledger.now())
    ledger.store.append([to_row(Entry(event.stream, 1, meta, event))])
    assert register(ledger, 1, first=5) == ["R000000005"]
    assert [each for each in findings(ledger) if each.startswith("recipient/")] == [f"recipient/R999999999: {_MISSING}"]


def test_a_mark_and_a_refused_row_that_nobody_committed_to_are_found(ledger: Ledger, people: list[str]) -> None:
    del people
    by_hand(ledger, "INSERT INTO mark VALUES (%s, 3, %s)", values=(b"m" * 16, b"sealed"))
    by_hand(ledger, "INSERT INTO refused VALUES ('cd', 7, %s, %s)", values=(b"m" * 16, b"sealed"))
    assert findings(ledger) == [
        "3: a mark lies in the vault that no event commits to",
        "vault.db: what is kept of line 7 of file cd is in no event",
    ]


def sealed_anew(ledger: Ledger, number: int, someone: Person) -> None:
    """As whoever has the vault's key and a hand in its tables can do."""
    sealed = ledger.vault.keyring.sealed(salted(someone, bytes(16)), person_place(number, 1, ""))
    by_hand(ledger, f"UPDATE person SET sealed=%s WHERE number={number}", values=(sealed,))


def test_an_account_sealed_anew_with_the_key_is_found(ledger: Ledger, people: list[str]) -> None:
    del people
    sealed_anew(ledger, 1, Person(nik(1), "Person 1", "666"))
    assert findings(ledger) == [
        "1: the vault holds other data than was registered: the commitment differs",
        "1: the index of accounts does not lead from theirs to them",
    ]


def test_an_older_copy_put_back_is_found_and_gives_no_number_again(ledger: Ledger, people: list[str]) -> None:
    del people
    kept = [tuple(row) for row in ledger.vault.rows.page(0, 10)]
    register(ledger, 2, first=5)
    # The older copy: who came since, and whatever leads to them, is not in it, and its counter stands where it stood.
    tables = ["person", "identity", "account"]
    by_hand(ledger, *(f"DELETE FROM {table} WHERE number>4" for table in tables), "UPDATE vault SET highest=4")
    assert [tuple(row) for row in ledger.vault.rows.page(0, 10)] == kept
    assert findings(ledger) == [
        f"5: {_MISSING}",
        f"6: {_MISSING}",
        "vault.db: the vault says that it has given the numbers up to 4; it has up to 6",
    ]
    size = ledger.store.size()
    with pytest.raises(IntegrityBrokenError, match="given the numbers up to 4, and R000000005 is registered"):
        register(ledger, 1, first=9)
    assert ledger.store.size() == size


def test_a_counter_that_was_pushed_on_gives_no_number(ledger: Ledger, people: list[str]) -> None:
    del people
    by_hand(ledger, "UPDATE vault SET highest=999999998")
    with pytest.raises(IntegrityBrokenError, match="has given the number 999999998, and nobody has it"):
        register(ledger, 1, first=9)
    assert ledger.vault.count() == PEOPLE


def test_nobody_is_paid_disclosed_or_registered_by_a_row_that_was_changed(ledger: Ledger, people: list[str]) -> None:
    size = len(entries(ledger))
    acts: list[Callable[[], object]] = [
        lambda: propose(ledger, [nik(1)]),
        lambda: register(ledger, 1),
        lambda: privacy.recipient_named(ledger, nik(1)),
    ]
    by_hand(ledger, "UPDATE identity SET number=2 WHERE number=1")
    for act in acts:
        with pytest.raises(IntegrityBrokenError, match="leads to R000000002, who is somebody else"):
            act()
    by_hand(
        ledger, "UPDATE identity SET number=1 WHERE number=2 AND NOT EXISTS (SELECT 1 FROM identity WHERE number=1)"
    )
    sealed_anew(ledger, 3, Person(nik(3), "Person 3", "666"))
    for act in (
        lambda: propose(ledger, [nik(3)]),
        lambda: register(ledger, 1, first=3),
        lambda: privacy.disclose(ledger, SITI, recipient_id=people[2], reason="asked"),
    ):
        with pytest.raises(IntegrityBrokenError, match="other data of R000000003 than was registered"):
            act()
    assert len(entries(ledger)) == size


def test_a_vault_that_is_gone_or_anothers_is_named(ledger: Ledger, people: list[str], tmp_path: Path) -> None:
    del people
    if ledger.place.database is not None:
        own = ledger.vault.rows.keyring()
        by_hand(ledger, "UPDATE vault SET keyring=%s", values=(b"another's" * 20,))
        try:
            [found] = findings(ledger)
        finally:
            by_hand(ledger, "UPDATE vault SET keyring=%s", values=(own,))
        assert "another vault was put in the place of the ledger's" in found
        return
    from ledger.vault.vault import Vault

    for path in ledger.folder.glob("vault.db*"):
        path.rename(tmp_path / path.name)
    assert findings(ledger) == ["vault.db: the vault is missing; put a copy of it back"]
    Vault.create(ledger.folder / "vault.db", tmp_path / "another.key")
    [found] = findings(ledger)
    assert "another vault was put in the place of the ledger's" in found
    # An empty one under the ledger's own key, as whoever has the key can make it.
    (ledger.folder / "vault.db").unlink()
    Vault.create(ledger.folder / "vault.db", ledger.folder / "vault.key")
    assert findings(ledger)[:4] == [f"{number}: {_MISSING}" for number in (1, 2, 3, 4)]


def test_without_the_key_it_is_said_what_is_not_shown(ledger: Ledger, people: list[str]) -> None:
    del people
    (ledger.folder / "vault.key").unlink()
    law, unshown = check_vault(ledger.place, ledger.store, is_audit=False)
    assert (law.checked, law.broken) == (0, [])
    assert unshown is not None
    assert "its key is not at hand" in unshown


def test_who_was_placed_and_not_registered_is_a_notice(ledger: Ledger, people: list[str]) -> None:
    del people
    ledger.vault.place([(Person(nik(9), "Person 9"), None)])
    assert findings(ledger) == []
    assert notices(ledger) == [
        "recipient/R000000005: is in the vault and not registered: an import was interrupted; import the same file again"
    ]


def test_what_opens_a_commitment_is_disclosed(ledger: Ledger, people: list[str]) -> None:
    shown = privacy.disclose(ledger, SITI, recipient_id=people[0], reason="asked")
    assert shown is not None
    assert shown.held is not None
    assert hashlib.sha256(shown.held.salted).hexdigest() == shown.registered.commitment
    assert json.loads(shown.held.salted[16:])["name"] == "Person 1"
