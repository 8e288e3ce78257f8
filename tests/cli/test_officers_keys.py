"""Officers' keys on the command line: made, asked for, enrolled from elsewhere, replaced."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import cli

Salur = Callable[..., int]
MAKER = ("--role", "maker")


@pytest.fixture
def salur(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Salur:
    """Run a command in a new ledger, with keys in `keys`; returns its exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SALUR_STORE", "ledger")
    monkeypatch.setenv("SALUR_KEYS", "keys")
    monkeypatch.delenv("SALUR_OFFICER", raising=False)
    monkeypatch.delenv("SALUR_PASSPHRASE_FILE", raising=False)
    assert cli.run(["init"]) == cli.DONE
    return lambda *words: cli.run([*words])


def key_files(folder: str = "keys") -> list[str]:
    return sorted(path.name for path in Path(folder).rglob("*") if path.is_file())


def test_a_key_is_made_locked_and_unlocked_from_a_file(salur: Salur, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("passphrase").write_text("kopi tubruk\n")
    monkeypatch.setenv("SALUR_PASSPHRASE_FILE", "passphrase")
    assert salur("officer", "enroll", "siti", *MAKER) == cli.DONE
    assert salur("officer", "enroll", "budi", "--role", "checker", "--officer", "siti") == cli.DONE
    assert key_files() == ["budi.pem", "siti.pem"]
    assert all(b"ENCRYPTED" in path.read_bytes() for path in Path("keys").rglob("*.pem"))
    assert salur("check") == cli.DONE


@pytest.mark.parametrize("passphrase", [None, "", "another"])
def test_without_the_passphrase_the_command_is_refused(
    salur: Salur, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], passphrase: str | None
) -> None:
    Path("passphrase").write_text("kopi tubruk")
    monkeypatch.setenv("SALUR_PASSPHRASE_FILE", "passphrase")
    assert salur("officer", "enroll", "siti", *MAKER) == cli.DONE
    if passphrase is None:
        monkeypatch.delenv("SALUR_PASSPHRASE_FILE")
    else:
        Path("passphrase").write_text(passphrase)
    assert salur("goods", "stock", "mask", "1", "--unit", "piece", "--from", "BLK", "--officer", "siti") == cli.REFUSED
    told = capsys.readouterr().err
    assert "[key_locked]" in told
    assert "kopi" not in told
    assert salur("history", "mask") == cli.REFUSED


def test_without_a_word_on_the_passphrase_no_key_is_made(salur: Salur, capsys: pytest.CaptureFixture[str]) -> None:
    assert salur("officer", "enroll", "siti", *MAKER) == cli.REFUSED
    assert "[key_locked]" in capsys.readouterr().err
    assert key_files() == []
    assert salur("officer", "enroll", "siti", *MAKER, "--no-passphrase") == cli.DONE


def on_a_terminal(*words: str, answers: list[str]) -> tuple[int, str]:
    """Run a command on a terminal of its own and answer what it asks; its exit code and what was to be seen."""
    ours, theirs = pty.openpty()
    program = [sys.executable, "-c", "from cli import main; main()", *words]
    process = subprocess.Popen(program, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    seen = ""
    while True:
        try:
            more = os.read(ours, 4096).decode()
        except OSError:  # how a terminal says that nobody is left on the other side
            break
        if not more:
            break
        seen += more
        if answers and seen.rstrip().endswith(":"):
            os.write(ours, answers.pop(0).encode() + b"\n")
            seen += "…\n"
    os.close(ours)
    return process.wait(), seen


def test_on_a_terminal_a_passphrase_is_asked_for_and_never_shown(salur: Salur) -> None:
    answers = ["", "kopi tubruk", "kopi tubrok", "kopi tubruk", "kopi tubruk"]  # none, a slip, then twice the same
    code, seen = on_a_terminal("officer", "enroll", "siti", *MAKER, answers=answers)
    assert (code, answers) == (cli.DONE, []), seen
    stock = ("goods", "stock", "mask", "1", "--unit", "piece", "--from", "BLK", "--officer", "siti")
    code, more = on_a_terminal(*stock, answers=["kopi tubruk"])
    assert code == cli.DONE, more
    assert "kopi" not in seen + more


def test_a_team_enrolls_keys_that_were_made_elsewhere(
    salur: Salur, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert salur("officer", "enroll", "siti", *MAKER, "--no-passphrase") == cli.DONE
    capsys.readouterr()
    printed = []
    for _ in range(2):  # the second time, the pair that is there
        assert salur("--keys", "laptop", "officer", "key", "budi", "--no-passphrase") == cli.DONE
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    public_key = printed[0].strip()
    enroll = ("officer", "enroll", "budi", "--role", "checker", "--officer", "siti")
    for _ in range(2):
        assert salur(*enroll, "--public-key", public_key) == cli.DONE
    assert salur(*enroll) == cli.DONE  # the same again, without naming the key
    assert key_files() == ["siti.pem"]
    assert salur("officer", "revoke", "siti", "--reason", "moved", "--officer", "budi") == cli.REFUSED
    assert "[key_missing]" in capsys.readouterr().err
    assert salur("--keys", "laptop", "officer", "revoke", "siti", "--reason", "moved", "--officer", "budi") == cli.DONE


def test_one_key_can_be_named_by_its_file(salur: Salur) -> None:
    enroll = ("officer", "enroll", "siti", *MAKER, "--no-passphrase", "--key", "usb/siti.pem")
    assert salur(*enroll) == cli.DONE
    assert (key_files("usb"), key_files()) == (["siti.pem"], [])
    stock = ("goods", "stock", "mask", "1", "--unit", "piece", "--from", "BLK", "--officer", "siti")
    assert salur(*stock) == cli.REFUSED
    assert salur(*stock, "--key", "usb/siti.pem") == cli.DONE


def test_an_enrolment_that_is_refused_or_rehearsed_leaves_no_key(salur: Salur) -> None:
    assert salur("officer", "enroll", "siti", *MAKER, "--no-passphrase", "--dry-run") == cli.DONE
    assert salur("officer", "enroll", "../siti", *MAKER, "--no-passphrase") == cli.REFUSED
    assert key_files() == []
    assert salur("officer", "enroll", "siti", *MAKER, "--no-passphrase") == cli.DONE
    assert salur("officer", "enroll", "budi", *MAKER, "--no-passphrase", "--officer", "rina") == cli.REFUSED
    assert key_files() == ["siti.pem"]


def test_an_enrolment_goes_on_with_the_key_that_an_interrupted_one_left(salur: Salur) -> None:
    assert salur("officer", "key", "siti", "--no-passphrase") == cli.DONE
    [before] = [path.read_bytes() for path in Path("keys").rglob("siti.pem")]
    for _ in range(2):
        assert salur("officer", "enroll", "siti", *MAKER, "--no-passphrase") == cli.DONE
    assert [path.read_bytes() for path in Path("keys").rglob("siti.pem")] == [before]


def test_a_lost_key_is_replaced_by_another_officer(salur: Salur, capsys: pytest.CaptureFixture[str]) -> None:
    assert salur("officer", "enroll", "siti", *MAKER, "--no-passphrase") == cli.DONE
    enroll = ("officer", "enroll", "budi", "--role", "checker", "--no-passphrase", "--officer", "siti")
    assert salur(*enroll) == cli.DONE
    [lost] = Path("keys").rglob("budi.pem")
    lost.unlink()
    capsys.readouterr()
    assert salur("officer", "key", "budi", "--no-passphrase") == cli.DONE
    public_key = capsys.readouterr().out.strip()
    words = ("officer", "replace-key", "budi", "--public-key", public_key, "--reason", "lost")
    assert salur(*words, "--officer", "budi") == cli.REFUSED
    assert "[key_foreign]" in capsys.readouterr().err
    assert salur(*words, "--officer", "siti") == cli.DONE
    assert salur("officer", "list", "-o", "json") == cli.DONE
    listed = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert [each["public_key"] for each in listed if each["officer"] == "budi"] == [public_key]
    assert salur("program", "close", "none", "--reason", "x", "--officer", "budi") == cli.REFUSED
    assert "[program_unknown]" in capsys.readouterr().err  # budi may act again


def test_an_officer_without_a_key_is_told_of_by_the_check(salur: Salur, capsys: pytest.CaptureFixture[str]) -> None:
    assert salur("officer", "enroll", "siti", *MAKER, "--without-key") == cli.DONE
    assert salur("check") == cli.DONE
    assert "Notice signatures-valid: event 2, officer/siti: siti was enrolled without a key" in capsys.readouterr().err


def test_a_key_is_given_in_one_way_only(salur: Salur) -> None:
    assert salur("officer", "enroll", "siti", *MAKER, "--without-key", "--no-passphrase") == cli.USAGE
    assert salur("officer", "enroll", "siti", *MAKER, "--public-key", "short") == cli.REFUSED


def test_no_private_key_is_made_in_the_ledgers_own_folder(salur: Salur) -> None:
    assert salur("--keys", "ledger/keys", "officer", "enroll", "siti", *MAKER, "--no-passphrase") == cli.USAGE
    assert salur("--keys", "ledger/keys", "officer", "key", "siti", "--no-passphrase") == cli.USAGE
    assert not list(Path("ledger").rglob("*.pem"))


def test_keys_are_kept_in_the_persons_settings_if_nothing_is_said(
    salur: Salur, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SALUR_KEYS")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    assert salur("officer", "enroll", "siti", *MAKER, "--no-passphrase") == cli.DONE
    [path] = (tmp_path / "settings" / "salur" / "keys").rglob("*.pem")
    assert path.name == "siti.pem"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert salur("officer", "key", "budi", "--no-passphrase") == cli.DONE
    assert [each.name for each in (tmp_path / "home" / ".config" / "salur" / "keys").rglob("*.pem")] == ["budi.pem"]


def test_a_signature_shows_in_the_history_without_its_bytes(salur: Salur, capsys: pytest.CaptureFixture[str]) -> None:
    assert salur("officer", "enroll", "siti", *MAKER, "--no-passphrase") == cli.DONE
    capsys.readouterr()
    assert salur("history", "siti", "-o", "csv") == cli.DONE
    assert "; signed" in capsys.readouterr().out
    assert salur("history", "siti", "-o", "json") == cli.DONE
    assert len(json.loads(capsys.readouterr().out)[0]["signature"]) == 88
