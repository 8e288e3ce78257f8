"""Notes are those of C2SP: held against the example of Go's note package, against openssl, and bit by bit."""

import subprocess
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.domain.errors import ProofFailedError
from ledger.transparency.merkle import Tree, leaf_hash, leaf_hashes
from ledger.transparency.notes import (
    COSIGNATURE,
    Checkpoint,
    Note,
    Proof,
    VerifierKey,
    checkpoint_of,
    cosign,
    decoded,
    number,
    sign,
    time_of,
    verifier_key,
)

ORIGIN = "salur/test"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KNOWN = verifier_key(ORIGIN, KEY)
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
KNOWN_WITNESS = verifier_key("witness.example/w1", WITNESS, COSIGNATURE)
TEXT = str(Checkpoint(ORIGIN, 7, bytes(32)))
NOTE = sign(TEXT, ORIGIN, KEY)

# The example in the documentation of golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""


def test_a_note_that_go_signed_is_verified() -> None:
    key = VerifierKey.parse(GO_KEY)

    assert str(key) == GO_KEY
    note = Note.parse(GO_NOTE.encode())
    assert str(note) == GO_NOTE
    note.require(key)


@pytest.mark.parametrize(("kind", "known"), [(0x01, KNOWN), (0x04, KNOWN_WITNESS)])
def test_a_key_is_written_as_the_specification_says(kind: int, known: VerifierKey) -> None:
    # C2SP signed-note: 0x01 is Ed25519, 0x04 a witness's; the id is of the name, a line's end, the type and the key.
    data = bytes([kind]) + known.public
    key_id = sha256(known.name.encode() + b"\n" + data).hexdigest()[:8]
    assert str(known) == f"{known.name}+{key_id}+{b64encode(data).decode()}"


def test_a_key_is_read_whatever_its_base64_holds() -> None:
    key = VerifierKey(ORIGIN, bytes.fromhex("fb" * 32))
    assert {"+", "/"} < set(str(key).split("+", 2)[2])
    assert VerifierKey.parse(str(key)) == key


def test_openssl_verifies_the_signature_of_a_text(tmp_path: Path) -> None:
    public = tmp_path / "key.pem"
    public.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "text").write_bytes(TEXT.encode())
    # As an outsider would: the last word of the signature's line, without its first four bytes.
    (tmp_path / "signature").write_bytes(b64decode(str(NOTE).split()[-1])[4:])

    def openssl(text: Path) -> int:
        command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", str(public)]
        command += ["-sigfile", str(tmp_path / "signature"), "-in", str(text)]
        return subprocess.run(command, capture_output=True).returncode

    assert openssl(tmp_path / "text") == 0
    (tmp_path / "other").write_bytes(TEXT.replace("7", "8", 1).encode())
    assert openssl(tmp_path / "other") != 0


def test_no_bit_of_a_note_can_be_turned() -> None:
    data = str(NOTE).encode()
    assert checkpoint_of(Note.parse(data), KNOWN) == Checkpoint(ORIGIN, 7, bytes(32))

    for place in range(len(data)):
        for bit in range(8):
            changed = data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
            with pytest.raises(ProofFailedError):
                checkpoint_of(Note.parse(changed), KNOWN)


def test_bits_that_base64_does_not_use_are_refused() -> None:
    # 68 bytes end in one sign of padding: two bits of the sign before it say nothing.
    written = str(NOTE).split()[-1]
    assert written.endswith("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet.index(written[-2])
    for hidden in (1, 2, 3):
        other = written[:-2] + alphabet[last ^ hidden] + "="
        assert b64decode(other) == b64decode(written)
        with pytest.raises(ProofFailedError):
            Note.parse(str(NOTE).replace(written, other).encode())


@pytest.mark.parametrize("text", ["", "AA", "AA=", "AAA", "A A=", "AA==\n", "=AA=", "AAAA====", "AA-_", "AB==", "Äö=="])
def test_base64_has_one_form(text: str) -> None:
    if text == "":
        assert decoded(text) == b""
        return
    with pytest.raises(ProofFailedError):
        decoded(text)


@pytest.mark.parametrize("text", ["0", "7", "10", "1234567890", "9876543210", "9" * 19])
def test_a_number_is_read(text: str) -> None:
    assert number(text) == int(text)


@pytest.mark.parametrize("text", ["", "00", "07", "+7", "-7", " 7", "7\n", "7_0", "7.0", "0x7", "٧", "1" + "0" * 19])
def test_a_number_has_one_form(text: str) -> None:
    with pytest.raises(ProofFailedError):
        number(text)


def test_strangers_are_ignored_and_prove_nothing() -> None:
    stranger = sign(TEXT, "somebody", WITNESS)
    both = Note(TEXT, (*stranger.signatures, *NOTE.signatures))

    assert [key for key, _ in Note.parse(str(both).encode()).verified([KNOWN])] == [KNOWN]
    with pytest.raises(ProofFailedError):
        Note.parse(str(stranger).encode()).require(KNOWN)


def test_a_false_signature_of_a_known_key_refuses_the_whole_note() -> None:
    false = sign("another text\n", ORIGIN, KEY).signatures
    with pytest.raises(ProofFailedError):
        Note(TEXT, (*NOTE.signatures, *false)).verified([KNOWN])
    with pytest.raises(ProofFailedError):
        Note(TEXT, (*false, *cosigned().signatures)).verified([KNOWN_WITNESS, KNOWN])


def cosigned() -> Note:
    return Note(TEXT, (*NOTE.signatures, cosign(TEXT, KNOWN_WITNESS.name, WITNESS, time=1_700_000_000)))


def test_a_witness_says_when_it_saw_the_checkpoint() -> None:
    note = Note.parse(str(cosigned()).encode())

    [_, (key, signature)] = note.verified([KNOWN, KNOWN_WITNESS])

    assert key == KNOWN_WITNESS
    assert time_of(signature.signature) == 1_700_000_000
    # C2SP tlog-cosignature: key id, then the time as eight bytes, then a signature over these words.
    key_id, time, made = signature.key_id, signature.signature[:8], signature.signature[8:]
    assert (key_id, int.from_bytes(time, "big")) == (KNOWN_WITNESS.key_id, 1_700_000_000)
    WITNESS.public_key().verify(made, b"cosignature/v1\ntime 1700000000\n" + TEXT.encode())


def test_no_bit_of_a_cosignature_can_be_turned() -> None:
    good = cosigned().signatures[1]
    for bit in range(8 * len(good.signature)):
        changed = (int.from_bytes(good.signature, "big") ^ 1 << bit).to_bytes(len(good.signature), "big")
        with pytest.raises(ProofFailedError):
            KNOWN_WITNESS.verify(TEXT, changed)
    with pytest.raises(ProofFailedError):
        KNOWN_WITNESS.verify(TEXT, good.signature[:-1])
    for size in (0, 7, 71, 73):
        with pytest.raises(ProofFailedError, match="not a cosignature"):
            time_of(bytes(size))


def test_a_key_for_notes_is_not_one_for_cosignatures() -> None:
    as_log = verifier_key(KNOWN_WITNESS.name, WITNESS)
    assert as_log.key_id != KNOWN_WITNESS.key_id
    assert not cosigned().verified([as_log])


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"text\n",
        b"text\n\n",
        TEXT.encode() + b"\n",
        TEXT.encode() + str(NOTE.signatures[0]).encode(),
        str(NOTE).encode()[:-1],
        str(NOTE).encode() + b"\n",
        str(NOTE).replace("—", "-").encode(),
        str(NOTE).replace("— ", "—  ").encode(),
        str(NOTE).replace("\n", "\r\n").encode(),
        b"\x00" + str(NOTE).encode(),
        b"\xff" + str(NOTE).encode(),
        (TEXT + "\n" + 101 * str(NOTE.signatures[0])).encode(),
        b"x" * 1_000_000 + str(NOTE).encode(),
        str(NOTE.signatures[0]).encode(),
        str(NOTE).replace("— salur/test", "— salur+test").encode(),
        f"{TEXT}\n— {ORIGIN} {b64encode(KNOWN.key_id).decode()}\n".encode(),
    ],
)
def test_what_is_not_a_note_is_refused(note: bytes) -> None:
    with pytest.raises(ProofFailedError):
        Note.parse(note)


def test_a_note_is_as_long_and_as_often_signed_as_its_bounds_allow() -> None:
    longest = "x" * (1_000_000 - len(str(NOTE).encode())) + str(NOTE)
    assert Note.parse(longest.encode()).signatures == NOTE.signatures
    with pytest.raises(ProofFailedError, match="bytes"):
        Note.parse(b"x" + longest.encode())
    signatures = 100 * NOTE.signatures
    assert Note.parse(str(Note(TEXT, signatures)).encode()).signatures == signatures


def test_a_text_may_hold_empty_lines() -> None:
    text = "one\n\ntwo\n\n\nthree\n"
    note = Note.parse(str(sign(text, ORIGIN, KEY)).encode())
    assert note.text == text
    note.require(KNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "\n",
        "o",
        TEXT[:-1],
        TEXT + "\n",
        "o\n1\n",
        "o\n01\nAAAA\n",
        f"o\n-1\n{b64encode(bytes(32)).decode()}\n",
        "o\n1\nAAAA\n",
        f"\n1\n{b64encode(bytes(32)).decode()}\n",
        f"o\n1\n{b64encode(bytes(32)).decode()}\n\nx\n",
        "o\n²\nAA==\n",
    ],
)
def test_what_is_not_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(ProofFailedError):
        Checkpoint.parse(text)


def test_a_checkpoint_may_say_more_and_must_be_of_its_log() -> None:
    assert Checkpoint.parse(TEXT + "more\n") == Checkpoint(ORIGIN, 7, bytes(32))
    with pytest.raises(ProofFailedError, match="salur/other"):
        checkpoint_of(sign(TEXT.replace("test", "other"), ORIGIN, KEY), KNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a+b",
        "a+00000000+AQ==",
        str(VerifierKey(ORIGIN, KNOWN.public, 0x02)),
        str(KNOWN)[:-1],
        str(KNOWN).replace("salur", "Salur"),
        "a b" + str(KNOWN),
    ],
)
def test_what_is_not_a_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(ProofFailedError):
        VerifierKey.parse(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\n"])
def test_a_keys_name_is_one_word(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        verifier_key(name, KEY)


@pytest.mark.parametrize("text", ["", "no end", "a\tb\n"])
def test_what_no_note_can_hold_is_not_signed(text: str) -> None:
    with pytest.raises(ValueError, match="text"):
        sign(text, ORIGIN, KEY)


# Proofs that stand for themselves

LINES = [f'{{"event":{number}}}'.encode() for number in range(70)]


def proof_of(index: int, extra: bytes | None = None) -> Proof:
    hashes = leaf_hashes(LINES)
    tree = Tree(len(LINES), lambda _, first, count: hashes[32 * first : 32 * (first + count)])
    note = sign(str(Checkpoint(ORIGIN, tree.size, tree.root())), ORIGIN, KEY)
    return Proof(index, tuple(tree.inclusion(index)), note, extra)


@pytest.mark.parametrize("extra", [None, b"", b"any bytes\x00"])
def test_a_proof_is_read_as_it_was_written(extra: bytes | None) -> None:
    proof = proof_of(41, extra)

    found = Proof.parse(str(proof).encode())

    assert str(proof).startswith("c2sp.org/tlog-proof@v1\n")
    assert found == proof
    assert found.verify(LINES[41], KNOWN).size == 70


def test_a_proof_shows_its_own_event_only() -> None:
    for index, line in enumerate(LINES):
        if index != 41:
            with pytest.raises(ProofFailedError):
                proof_of(41).verify(line, KNOWN)
    assert leaf_hash(LINES[41]) not in proof_of(41).hashes


def test_no_bit_of_a_proof_can_be_turned() -> None:
    data = str(proof_of(41)).encode()
    for place in range(len(data)):
        for bit in range(8):
            changed = data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
            with pytest.raises(ProofFailedError):
                Proof.parse(changed).verify(LINES[41], KNOWN)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("index 41", "index 041"),
        ("index 41", "41"),
        ("@v1", "@v2"),
        ("index 41\n", ""),
        ("\n\n", "\n"),
        ("index", "extra QQ\nindex"),
        ("index", "extraQQQ\nindex"),
        ("index", "\nindex"),
        ("index", "extra QQ==\n\nindex"),
    ],
)
def test_what_is_not_a_proof_is_refused(old: str, new: str) -> None:
    with pytest.raises(ProofFailedError):
        Proof.parse(str(proof_of(41)).replace(old, new, 1).encode())
