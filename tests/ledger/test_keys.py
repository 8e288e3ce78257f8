import subprocess
from pathlib import Path
from typing import Any

import pytest

from ledger.domain.officer import KeyForeignError
from ledger.transparency.errors import KeyLockedError, KeyMissingError, KeyUnreadableError
from ledger.transparency.signatures import is_genuine
from tests.ledger.signing import PASSPHRASE, keys_in

FINGERPRINT = "0123456789abcdef" * 4
PLACE = (FINGERPRINT, "siti")


def kept(folder: Path, passphrase: bytes | None = PASSPHRASE) -> tuple[Path, str]:
    """A new key's file and public key."""
    keys = keys_in(folder)
    public_key = keys.make(*PLACE)
    return keys.keep(*PLACE, passphrase), public_key


def openssl(*words: str | Path, **more: Any) -> str:
    done = subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, text=True, **more)
    return str(done.stdout)


def test_a_key_lies_in_a_folder_of_its_ledger_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path, _ = kept(tmp_path / "keys")
    assert path == tmp_path / "keys" / "0123456789abcdef" / "siti.pem"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [each.name for each in path.parent.iterdir()] == ["siti.pem"]


@pytest.mark.parametrize("passphrase", [PASSPHRASE, None])
def test_a_key_kept_signs_in_a_later_command(tmp_path: Path, passphrase: bytes | None) -> None:
    _, public_key = kept(tmp_path, passphrase)
    later = keys_in(tmp_path)
    assert later.public_key(*PLACE) == public_key
    signature = later.signer(*PLACE, public_key)(b"text")
    assert is_genuine(public_key, b"text", signature)
    assert not is_genuine(public_key, b"texts", signature)
    assert not is_genuine("A" * 43 + "=", b"text", signature)


def test_a_locked_key_is_not_read_without_its_passphrase(tmp_path: Path) -> None:
    path, public_key = kept(tmp_path)
    assert b"ENCRYPTED" in path.read_bytes()
    with pytest.raises(KeyLockedError):
        keys_in(tmp_path, b"another").signer(*PLACE, public_key)


def test_a_key_is_asked_for_its_passphrase_once_a_command(tmp_path: Path) -> None:
    _, public_key = kept(tmp_path)
    asked = []
    keys = keys_in(tmp_path)
    keys._passphrase = lambda path: asked.append(path) or PASSPHRASE  # type: ignore[func-returns-value]
    for _ in range(3):
        keys.signer(*PLACE, public_key)
    assert len(asked) == 1


def test_openssl_opens_a_key_and_finds_the_same_public_key(tmp_path: Path) -> None:
    path, public_key = kept(tmp_path)
    (tmp_path / "passphrase").write_bytes(PASSPHRASE)
    told = openssl("pkey", "-in", path, "-passin", f"file:{tmp_path / 'passphrase'}", "-pubout", "-outform", "DER", "-out", tmp_path / "public")  # fmt: skip
    assert told == ""
    import base64

    assert (tmp_path / "public").read_bytes()[-32:] == base64.b64decode(public_key)


def test_a_key_that_openssl_locked_signs_too(tmp_path: Path) -> None:
    path, public_key = kept(tmp_path, None)
    (tmp_path / "passphrase").write_bytes(PASSPHRASE)
    locked = tmp_path / "by-openssl.pem"
    openssl("pkcs8", "-topk8", "-in", path, "-passout", f"file:{tmp_path / 'passphrase'}", "-out", locked)
    locked.replace(path)
    assert keys_in(tmp_path).public_key(*PLACE) == public_key


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    path, _ = kept(tmp_path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        kept(tmp_path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["siti.pem"]


def test_another_key_than_the_officers_does_not_sign(tmp_path: Path) -> None:
    _, public_key = kept(tmp_path)
    with pytest.raises(KeyForeignError):
        keys_in(tmp_path).signer(*PLACE, "A" * 43 + "=")
    with pytest.raises(KeyMissingError):
        keys_in(tmp_path).signer(FINGERPRINT, "budi", public_key)


@pytest.mark.parametrize("kind", ["RSA", "X25519", "nothing"])
def test_a_file_of_another_kind_is_no_key(tmp_path: Path, kind: str) -> None:
    path, public_key = kept(tmp_path)
    path.unlink()
    if kind == "nothing":
        path.touch()
    else:
        openssl("genpkey", "-algorithm", kind, "-out", path)
    with pytest.raises(KeyUnreadableError):
        keys_in(tmp_path).signer(*PLACE, public_key)
