"""SQLite's errors are told apart by their codes, and the order of rows is not taken on trust."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.application.ledger import Ledger
from ledger.domain.errors import IntegrityBrokenError
from ledger.store.errors import DiskFullError, StoreFailedError, StoreLockedError
from ledger.store.sqlite import _require_in_order, refusal_of
from ledger.vault.sqlite import SQLitePersonRows, refusing


def error_of(statement: str, *, prepare: str = "") -> sqlite3.Error:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(prepare)
        with pytest.raises(sqlite3.Error) as raised:
            database.execute(statement).fetchall()
    return raised.value


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("SELECT * FROM locked", "no such table: locked"),
        ("SELECT * FROM busy", "no such table: busy"),
        ("SELECT json('{')", "malformed JSON"),
        ("SELECT * FROM 'not a database'", "no such table: not a database"),
    ],
)
def test_words_of_a_message_say_nothing_of_its_kind(statement: str, words: str) -> None:
    error = error_of(statement)
    assert str(error) == words
    assert isinstance(refusal_of(error), StoreFailedError)
    with pytest.raises(StoreFailedError), refusing():
        raise error


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY, StoreLockedError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreLockedError),
        (sqlite3.SQLITE_LOCKED, StoreLockedError),
        (sqlite3.SQLITE_FULL, DiskFullError),
        (sqlite3.SQLITE_IOERR_SHMSIZE, DiskFullError),
        (sqlite3.SQLITE_IOERR_READ, StoreFailedError),
        (sqlite3.SQLITE_CORRUPT, IntegrityBrokenError),
        (sqlite3.SQLITE_CORRUPT_INDEX, IntegrityBrokenError),
        (sqlite3.SQLITE_NOTADB, IntegrityBrokenError),
        (sqlite3.SQLITE_READONLY, StoreFailedError),
    ],
)
def test_a_code_is_told_as_what_it_is_whatever_its_words(code: int, kind: type[Exception]) -> None:
    error = sqlite3.OperationalError("in other words")
    error.sqlite_errorcode = code
    assert type(refusal_of(error)) is kind
    with pytest.raises(kind), refusing():
        raise error


def test_a_file_that_is_no_vault_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "vault.db").write_bytes(b"no database" * 100)
    with (
        closing(SQLitePersonRows(tmp_path / "vault.db")) as rows,
        pytest.raises(IntegrityBrokenError, match="the vault is damaged"),
    ):
        rows.count()


def test_lines_put_together_out_of_order_are_refused() -> None:
    _require_in_order("7,8,9", 6, 9)
    _require_in_order("2,5,9", 6, 9)  # some are missing, which others tell
    for ids in ("8,7,9", "7,9,8", "2,9,5"):
        with pytest.raises(StoreFailedError, match="out of their order"):
            _require_in_order(ids, 6, 9)


def test_the_order_is_looked_at_as_the_lines_are_read(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int, int]] = []
    monkeypatch.setattr("ledger.store.sqlite.LINES_PER_BLOCK", 4)
    monkeypatch.setattr("ledger.store.sqlite._require_in_order", lambda *given: seen.append(given))
    size = ledger.store.size()
    assert len(b"".join(ledger.store.lines(first=1)).splitlines()) == size - 1
    assert seen == [("2,3,4,5", 1, 5)]
