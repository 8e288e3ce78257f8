"""`salur vault`, and what outsiders can check of a disclosure."""

import base64
import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import cli
from tests.acts import nik

Salur = Callable[..., int]
KEPT = Path(__file__).parents[1] / "kept" / "ledger-0.1" / "ledger"


@pytest.fixture
def salur(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Salur:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SALUR_STORE", "ledger")
    return lambda *words: cli.run([*words])


@pytest.fixture
def people(salur: Salur) -> None:
    Path("people.csv").write_text("nik,name,account\n" + "".join(f"{nik(n)},Warga {n},77{n}\n" for n in (1, 2, 3)))
    salur("init")
    salur("officer", "enroll", "siti", "--role", "maker", "--without-key")
    salur("recipient", "import", "people.csv", "--category", "worker", "--officer", "siti")


@pytest.mark.usefixtures("people")
def test_a_disclosed_commitment_is_opened_by_the_printed_line(salur: Salur, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert salur("recipient", "disclose", "R000000002", "--reason", "asked", "--officer", "siti") == cli.DONE
    out = capsys.readouterr().out
    [recipe] = [line for line in out.splitlines() if line.startswith("printf ")]
    computed = subprocess.run(["sh", "-c", recipe], capture_output=True, text=True, check=True).stdout.split()[0]
    # The outsider reads the commitment in the event, which the log proves, and not in what the officer printed.
    with closing(sqlite3.connect("ledger/events.db")) as database:
        [(state,)] = database.execute(
            "SELECT state FROM stored_events WHERE originator_id='recipient/R000000002' AND originator_version=1"
        ).fetchall()
    assert json.loads(state)["commitment"] == computed
    opened = subprocess.run(["sh", "-c", recipe.replace("sha256sum", "tail -c +17")], capture_output=True, text=True)
    assert json.loads(opened.stdout)["name"] == "Warga 2"
    assert salur("log", "prove", "recipient/R000000002/1") == cli.DONE
    [extra] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("extra ")]
    assert computed.encode() in base64.b64decode(extra.removeprefix("extra "))


@pytest.mark.usefixtures("people")
def test_check_and_audit_name_what_the_vault_holds_otherwise(salur: Salur, capsys: pytest.CaptureFixture[str]) -> None:
    assert salur("check") == cli.DONE
    assert salur("audit", "verify", "ledger") == cli.DONE
    assert "vault-true" in capsys.readouterr().out
    with closing(sqlite3.connect("ledger/vault.db")) as database, database:
        database.execute("UPDATE identity SET number=2 WHERE number=1")
    for command in (["check"], ["audit", "verify", "ledger"]):
        assert salur(*command) == cli.BROKEN
        told = capsys.readouterr().err
        assert "BROKEN vault-true: " in told
        assert "recipient/R000000001: the index of national ids leads from theirs to R000000002" in told


@pytest.mark.usefixtures("people")
def test_without_its_key_or_itself_the_vault_is_said_to_be_unshown(
    salur: Salur, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("ledger/vault.key").rename("vault.key")
    for command in (["check"], ["audit", "verify", "ledger"]):
        assert salur(*command) == cli.DONE
        assert "is not shown: its key is not at hand" in " ".join(capsys.readouterr().err.split())
    for path in Path("ledger").glob("vault.db*"):
        path.unlink()
    assert salur("audit", "verify", "ledger") == cli.DONE
    assert "is not shown: there is no vault here" in " ".join(capsys.readouterr().err.split())
    assert salur("check") == cli.BROKEN
    assert "the vault is missing" in capsys.readouterr().err


@pytest.mark.usefixtures("people")
def test_rotating_writes_a_new_key_and_everybody_is_found_as_before(
    salur: Salur, capsys: pytest.CaptureFixture[str]
) -> None:
    key = Path("ledger/vault.key").read_bytes()
    assert salur("vault", "rotate") == cli.DONE
    assert "3 rows sealed anew" in capsys.readouterr().out
    assert Path("ledger/vault.key").read_bytes() != key
    assert salur("recipient", "import", "people.csv", "--category", "worker", "--officer", "siti") == cli.DONE
    assert salur("check") == cli.DONE


def test_an_older_vault_is_refused_named_and_brought_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = shutil.copytree(KEPT, tmp_path / "kept")

    def salur(*words: str) -> int:
        return cli.run(["--store", str(ledger), *words])

    assert salur("check") == cli.DONE
    assert "`salur vault upgrade` brings it over" in capsys.readouterr().err
    assert salur("vault", "upgrade") == cli.DONE
    assert "6 rows brought over" in capsys.readouterr().err
    assert salur("vault", "upgrade") == cli.DONE
    assert "0 rows brought over" in capsys.readouterr().err
    assert salur("check") == cli.DONE
    assert "vault-true" not in capsys.readouterr().err


def test_a_changed_older_vault_is_brought_over_only_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = shutil.copytree(KEPT, tmp_path / "kept")
    with closing(sqlite3.connect(ledger / "vault.db")) as database, database:
        database.execute("UPDATE person SET sealed=(SELECT sealed FROM person WHERE number=1) WHERE number=2")
    assert cli.run(["--store", str(ledger), "vault", "upgrade"]) == cli.BROKEN
    assert "R000000002 does not open with the vault's key" in capsys.readouterr().err
    assert cli.run(["--store", str(ledger), "vault", "upgrade", "--as-it-is"]) == cli.BROKEN
    assert "BROKEN vault-true: R000000002: the row does not open in its place" in capsys.readouterr().err
