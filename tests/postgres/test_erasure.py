"""Of an erased person nothing is left in the vault's tables, nor in the files that hold them."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ledger.application import privacy
from ledger.application.folder import Place, write_settings
from ledger.application.ledger import Ledger
from ledger.application.moving import Move
from ledger.application.rights import roles_of
from ledger.store.errors import RightsMissingError
from projections.audit.check import check
from tests.acts import BUDI, LETTER, SITI, erase, now, pay, register, row_in_vault
from tests.postgres.server import AUDITOR, OFFICER, Home, Server

COUNT = 400


def row(ledger: Ledger, number: int) -> list[bytes]:
    """What a person's row consists of: the hashes, and the sealed data."""
    person = row_in_vault(ledger, number)
    return [each for each in (person.identity, person.account, person.row.sealed) if each]


def files_with(server: Server, home: Home, needles: list[bytes]) -> list[str]:
    """The files of the database's tables and indexes with one of the byte strings in it."""
    server.execute("CHECKPOINT", name=home.name)
    [(number,)] = server.execute(f"SELECT oid FROM pg_database WHERE datname='{home.name}'")
    folder = server.folder / "data" / "base" / str(number)
    contents = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return [name for name, content in contents.items() if any(needle in content for needle in needles)]


def broken(ledger: Ledger) -> list[str]:
    laws = check(ledger.store, absent=ledger.place.absent_people)
    return [breach.detail.partition(";")[0] for law in laws for breach in law.broken]


def test_nothing_of_an_erased_person_is_left_in_the_files_of_the_database(
    ledger: Ledger, home: Home, server: Server
) -> None:
    ids = register(ledger, COUNT)
    pay(ledger, ids[:3])
    chosen = [1, 200, COUNT]
    needles = [needle for number in chosen for needle in row(ledger, number)]
    assert files_with(server, home, needles), "they are found where they are"
    for number in chosen:
        asked = privacy.request_erasure(ledger, SITI, recipient_id=f"R{number:09}", **LETTER)
        assert len(asked) == 1
        assert privacy.approve_erasure(ledger, BUDI, recipient_id=f"R{number:09}").left == []
    assert files_with(server, home, needles) == []
    for name in ("person", "identity", "account", "mark", "refused", "vault"):
        assert all(
            value not in needles
            for told in server.execute(f"SELECT * FROM salur_vault.{name}", name=home.name)
            for value in told
        )
    assert ledger.vault.rows.absent() == [(1, 1), (200, 200), (COUNT, 999_999_999)]
    assert broken(ledger) == []
    assert register(ledger, 1, first=COUNT + 1) == [f"R{COUNT + 1:09}"], "a number is not given twice"


def test_an_officer_who_may_not_see_personal_data_erases_nobody_and_records_nothing(
    ledger: Ledger, home: Home, server: Server
) -> None:
    [recipient_id] = register(ledger, 1)
    privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER)
    size = ledger.store.size()
    server.execute(
        "DROP ROLE IF EXISTS budi",
        "CREATE ROLE budi LOGIN",
        f"GRANT {roles_of(home.name).officer} TO budi",
        name=home.name,
    )
    write_settings(Place(home.folder, server.address(home.name, "budi")))
    with closing(Ledger(home.folder, now=now)) as other, pytest.raises(RightsMissingError):
        privacy.approve_erasure(other, BUDI, recipient_id=recipient_id)
    assert ledger.store.size() == size
    assert ledger.vault.count() == 1


@contextmanager
def without_right(server: Server, home: Home, right: str) -> Iterator[None]:
    server.execute(f"REVOKE {right} ON salur_vault.person FROM {roles_of(home.name).vault}", name=home.name)
    try:
        yield
    finally:
        server.execute(f"GRANT {right} ON salur_vault.person TO {roles_of(home.name).vault}", name=home.name)


def test_without_the_right_to_delete_nothing_is_recorded_as_erased(ledger: Ledger, home: Home, server: Server) -> None:
    [recipient_id] = register(ledger, 1)
    privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER)
    size = ledger.store.size()
    with without_right(server, home, "DELETE"), pytest.raises(RightsMissingError):
        privacy.approve_erasure(ledger, BUDI, recipient_id=recipient_id)
    assert (ledger.store.size(), ledger.vault.count()) == (size, 1)


def test_what_only_the_databases_owner_can_do_is_told(ledger: Ledger, home: Home, server: Server) -> None:
    ids = register(ledger, 3)
    needles = row(ledger, 2)
    privacy.request_erasure(ledger, SITI, recipient_id=ids[1], **LETTER)
    with without_right(server, home, "MAINTAIN"):
        [left] = privacy.approve_erasure(ledger, BUDI, recipient_id=ids[1]).left
    assert "VACUUM (FULL) salur_vault.person" in left
    assert files_with(server, home, needles)
    assert privacy.approve_erasure(ledger, BUDI, recipient_id=ids[1]).left == []
    assert files_with(server, home, needles) == []


def test_an_auditor_examines_the_laws_that_need_no_vault(ledger: Ledger, home: Home, server: Server) -> None:
    erase(ledger, register(ledger, 2)[0])
    write_settings(Place(home.folder, server.address(home.name, AUDITOR)))
    with closing(Ledger(home.folder, now=now)) as audited:
        assert audited.place.absent_people() == []
        assert broken(audited) == []
    write_settings(Place(home.folder, server.address(home.name, OFFICER)))


def test_a_table_in_use_is_waited_for_and_told(
    ledger: Ledger, home: Home, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    monkeypatch.setenv("SALUR_DATABASE_TIMEOUT", "1")
    [recipient_id] = register(ledger, 1)
    privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER)
    with closing(psycopg.connect(server.address(home.name))) as reader:
        reader.execute("SELECT COUNT(*) FROM salur_vault.person")
        with closing(Ledger(home.folder, now=now)) as hurried:
            [left] = privacy.approve_erasure(hurried, BUDI, recipient_id=recipient_id).left
            assert left.startswith(f"still to be overwritten: the row of {recipient_id} is deleted")
    assert privacy.approve_erasure(ledger, BUDI, recipient_id=recipient_id).left == []
    assert broken(ledger) == []


def test_a_copy_into_sqlite_and_back_never_brings_the_erased_back(
    ledger: Ledger, server: Server, tmp_path: Path
) -> None:
    ids = register(ledger, 4)
    there, copy = tmp_path / "there", tmp_path / "copy"
    Move(ledger.folder, copy).carry_out()
    Move(copy, there, database=server.address(server.new_database())).carry_out()
    erase(ledger, ids[1])
    erase(ledger, ids[3])
    assert Move(ledger.folder, copy).carry_out().people == 2
    assert Move(copy, there).carry_out().people == 2
    for folder in (copy, there):
        with closing(Ledger(folder, now=now)) as copied:
            assert broken(copied) == []
