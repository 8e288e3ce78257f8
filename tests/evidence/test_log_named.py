"""That a ledger has a log, and its key, stands in its events: who changes the settings cannot take it away unseen."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import cli
from ledger.application.folder import SETTINGS
from ledger.application.ledger import Ledger
from tests.logged import add_log

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SALUR_KEYS", "keys")
    return tmp_path


@pytest.fixture
def office() -> Path:
    """A ledger with its log and an officer."""
    done("a", "init", "--name", "A")
    done("a", "officer", "enroll", "siti", "--role", "maker", "--officer", "siti", "--without-key")
    return Path("a")


def salur(store: str, *words: str) -> int:
    return cli.run(["--store", store, *words])


def done(store: str, *words: str) -> None:
    assert salur(store, *words) == cli.DONE, words


ENROLL = ("officer", "enroll", "budi", "--role", "checker", "--without-key", "--officer", "siti")


def size(store: str) -> int:
    with closing(sqlite3.connect(f"{store}/events.db")) as database:
        return int(database.execute("SELECT COUNT(*) FROM stored_events").fetchone()[0])


def settings(store: str, **changed: object) -> None:
    """What somebody with rights on the folder might write."""
    path = Path(store) / SETTINGS
    said = json.loads(path.read_text()) | changed
    path.write_text(json.dumps({name: value for name, value in said.items() if value is not None}))


def named(store: str) -> list[str]:
    with closing(sqlite3.connect(f"{store}/events.db")) as database:
        rows = database.execute("SELECT state FROM stored_events WHERE topic='LogBegun.v1'").fetchall()
    return [json.loads(state)["verifier_key"] for [state] in rows]


def test_a_ledger_names_its_log_in_its_second_event_and_no_log_in_none(office: Path) -> None:
    assert named("a") == [(office / "log" / "verifier-key").read_text().strip()]
    done("b", "init", "--without-log")
    assert named("b") == []
    done("b", "log", "create")
    assert named("b") == [Path("b/log/verifier-key").read_text().strip()]


def test_settings_without_the_log_stop_every_write_before_it_records(office: Path, capsys: Captured) -> None:
    kept, before = (office / SETTINGS).read_bytes(), size("a")
    settings("a", log=None)
    assert salur("a", *ENROLL) == cli.REFUSED
    assert "[log_left_out]" in capsys.readouterr().err
    Path("people.csv").write_text("nik,name\n0000010101900001,Warga Satu\n")
    assert salur("a", "recipient", "import", "people.csv", "--category", "worker", "--officer", "siti") == cli.REFUSED
    assert "[log_left_out]" in capsys.readouterr().err
    with closing(Ledger(office)) as ledger:
        assert ledger.vault.count() == 0
    assert size("a") == before
    assert salur("a", "audit", "verify", "a") == cli.BROKEN
    assert "BROKEN log-signed: event 1 names the log" in capsys.readouterr().err
    # Either remedy of the sentence: the settings as they were, or the log that is there.
    (office / SETTINGS).write_bytes(kept)
    done("a", *ENROLL)
    settings("a", log=None)
    done("a", "log", "create")
    done("a", "audit", "verify", "a")


def test_settings_that_name_another_log_stop_writing_sealing_and_publishing(office: Path, capsys: Captured) -> None:
    done("b", "init", "--name", "B")
    shutil.copytree("b/log", "other")
    settings("a", log={"folder": "../other"})
    before, checkpoint = size("a"), Path("other/checkpoint").read_bytes()
    for words in (ENROLL, ("log", "seal"), ("log", "seal", "--rebuild"), ("report", "programs", "--publish", "note")):
        capsys.readouterr()
        assert salur("a", *words) != cli.DONE, words
    assert salur("a", "log", "seal") == cli.REFUSED
    assert (size("a"), Path("other/checkpoint").read_bytes()) == (before, checkpoint)
    assert not Path("note").exists()
    capsys.readouterr()
    assert salur("a", "audit", "verify", "a") == cli.BROKEN
    assert "BROKEN log-signed" in capsys.readouterr().err
    done("a", "log", "create", "--folder", "a/log")
    done("a", *ENROLL)


def test_a_log_made_anew_in_place_of_the_old_one_is_refused_and_leaves_nothing_behind(
    office: Path, capsys: Captured
) -> None:
    before = size("a")
    shutil.move("a/log", "safe")
    assert salur("a", *ENROLL) == cli.REFUSED
    for words in (("--folder", "new"), (), ("--folder", "safe", "--origin", "office/other")):
        assert salur("a", "log", "create", *words) == cli.REFUSED
        assert "[log_left_out]" in capsys.readouterr().err
    assert size("a") == before
    assert not Path("new").exists()
    assert not Path("a/log").exists()
    done("a", "log", "create", "--folder", "safe")
    done("a", *ENROLL)
    done("a", "log", "seal")
    done("a", "log", "verify")


def test_a_log_of_which_only_the_key_is_left_is_made_anew_and_continues_every_checkpoint(office: Path) -> None:
    shutil.copy("a/log/checkpoint", "kept")
    shutil.copy("a/log/key", "key")
    shutil.rmtree("a/log")
    done("a", "log", "create", "--key", "key")
    done("a", *ENROLL)
    done("a", "log", "verify", "--checkpoint", "kept")


def test_a_log_kept_elsewhere_need_not_be_at_hand_to_record(office: Path, capsys: Captured) -> None:
    done("b", "init", "--without-log")
    done("b", "log", "create", "--folder", "stick/log")
    shutil.move("stick", "drawer")
    done("b", "officer", "enroll", "siti", "--role", "maker", "--officer", "siti", "--without-key")
    capsys.readouterr()
    assert salur("b", "audit", "verify", "b") == cli.BROKEN
    assert "no transparency log in" in capsys.readouterr().err


def test_the_logs_key_is_held_against_the_event_that_names_it(office: Path, capsys: Captured) -> None:
    other = "salur/other+00000000+AAAA"
    done("a", "audit", "export", "handed-over")
    done("a", "audit", "verify", "handed-over")
    with closing(sqlite3.connect("a/events.db")) as database, database:
        [state] = database.execute("SELECT state FROM stored_events WHERE topic='LogBegun.v1'").fetchone()
        changed = state.decode().replace(named("a")[0], other).encode()
        database.execute("UPDATE stored_events SET state=? WHERE topic='LogBegun.v1'", (changed,))
    capsys.readouterr()
    for words in (("log", "verify"), ("audit", "verify", "a")):
        assert salur("a", *words) == cli.BROKEN
        assert f"event 1 names the log {other}" in capsys.readouterr().err


def test_a_copy_goes_on_with_the_log_that_lay_in_the_ledgers_folder(office: Path) -> None:
    done("a", "copy", "a", "copied")
    assert Path("copied/log/key").stat().st_mode & 0o777 == 0o600
    done("copied", *ENROLL)
    done("copied", "audit", "verify", "copied")
    done("copied", "log", "verify", "--checkpoint", "a/log/checkpoint")


def test_a_ledger_whose_log_no_event_names_goes_on_and_is_told_how_to_name_it(capsys: Captured) -> None:
    done("old", "init", "--without-log")
    add_log(Path("old"))  # as versions before the event made it
    done("old", "officer", "enroll", "siti", "--role", "maker", "--officer", "siti", "--without-key")
    capsys.readouterr()
    done("old", "audit", "verify", "old")
    assert "Notice log-signed: no event names this log" in capsys.readouterr().err
    assert named("old") == []
    done("old", "log", "create", "--officer", "siti")
    assert named("old") == [Path("old/log/verifier-key").read_text().strip()]
    done("old", "log", "create")
    assert len(named("old")) == 1
    capsys.readouterr()
    done("old", "audit", "verify", "old")
    assert "names this log" not in capsys.readouterr().err


def test_whoever_makes_the_log_is_an_officer_in_office_if_there_are_any(capsys: Captured) -> None:
    done("b", "init", "--without-log")
    done("b", "officer", "enroll", "siti", "--role", "maker", "--officer", "siti", "--without-key")
    assert salur("b", "log", "create", "--officer", "nobody") == cli.REFUSED
    assert "[officer_unknown]" in capsys.readouterr().err
    assert not Path("b/log").exists()
    done("b", "log", "create", "--officer", "siti")
    done("b", "check")
