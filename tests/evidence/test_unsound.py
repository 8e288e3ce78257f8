"""The log's key signs nothing, and nothing is handed over, of a store or an archive that was changed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import cli
from ledger.application.folder import SETTINGS
from tests.evidence.test_audit import change_columns
from tests.logged import execute

Captured = pytest.CaptureFixture[str]
PUBLISH, EXPORT = ("report", "programs", "--publish", "note"), ("audit", "export", "out")


@pytest.fixture
def office(made_office: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copied = Path(shutil.copytree(made_office, tmp_path / "office"))
    monkeypatch.chdir(copied)
    return copied


def salur(*words: str) -> int:
    return cli.run(["--store", "ledger", *words])


def bigger_budget() -> None:
    execute(
        Path("ledger"),
        "UPDATE stored_events SET state=CAST(replace(CAST(state AS TEXT), '\"budget\":', '\"budget\":9') AS BLOB)"
        " WHERE topic='BudgetSet.v1'",
    )


def a_removed_tail() -> None:
    execute(Path("ledger"), "DELETE FROM stored_events WHERE rowid > 600")


def an_event_that_nobody_can_read() -> None:
    execute(Path("ledger"), "UPDATE stored_events SET state=x'7b7d' WHERE rowid=20")


def another_amount_in_a_column() -> None:
    shutil.rmtree("ledger/archive")
    shutil.copytree("export/archive", "ledger/archive")
    assert salur(*PUBLISH) == cli.DONE
    Path("note").unlink()
    (Path("ledger/archive") / "lock").unlink(missing_ok=True)
    change_columns(Path("ledger"))


CHANGES: dict[Callable[[], None], str] = {
    bigger_budget: "BROKEN log-signed: event",
    a_removed_tail: "BROKEN log-signed: the store holds 600 events",
    an_event_that_nobody_can_read: "BROKEN readable: event 19",
    another_amount_in_a_column: "BROKEN archive-true: event",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("words", [PUBLISH, EXPORT])
def test_what_was_changed_is_neither_signed_nor_handed_over(
    office: Path, change: Callable[[], None], words: tuple[str, ...], capsys: Captured
) -> None:
    change()
    checkpoint = (office / "ledger/log/checkpoint").read_bytes()
    capsys.readouterr()
    assert salur(*words) == cli.BROKEN
    told = capsys.readouterr()
    assert CHANGES[change] in told.err
    assert "Nothing was signed or written" in told.err
    assert "salur audit verify ledger" in told.err
    assert not Path(words[-1]).exists()
    assert (office / "ledger/log/checkpoint").read_bytes() == checkpoint
    assert (office / "ledger" / SETTINGS).exists()


def test_an_export_that_is_there_stays_as_it_is(office: Path) -> None:
    assert salur(*EXPORT) == cli.DONE
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    bigger_budget()
    assert salur(*EXPORT) == cli.BROKEN
    assert {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()} == before
