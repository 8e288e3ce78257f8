"""Which witnesses a log may require, and what somebody who verifies demands of its checkpoints."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.domain.errors import ProofFailedError, ValueInvalidError
from ledger.transparency.log import Log
from ledger.transparency.notes import COSIGNATURE, Note, VerifierKey, cosign, sign, verifier_key
from ledger.transparency.quorum import (
    Required,
    RequiredWitness,
    publish,
    published,
    require_quorum,
    require_witnesses,
    required,
)
from ledger.transparency.witness import Witness
from tests.witnessing import NAMES, clock

# What is required


def test_what_is_required_is_kept_as_it_was_given(log: Log) -> None:
    wanted = Required(
        (
            RequiredWitness(key_of("a"), "https://witness.example/salur/"),
            RequiredWitness(key_of("b"), "http://[::1]:80"),
        ),
        2,
    )
    require_witnesses(log, wanted)
    assert required(log.folder) == wanted
    assert wanted.witnesses[0].call == "https://witness.example/salur/add-checkpoint"


def key_of(name: str) -> VerifierKey:
    return verifier_key(name, Ed25519PrivateKey.generate(), COSIGNATURE)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "witness.example",
            "file:///etc/passwd",
            "ftp://witness.example",
            "http://",
            "http:///x",
            "http://w:99999",
        ),
        *(
            "http://w:x",
            "http://user@w",
            "http://user:secret@w",
            "http://w?x=1",
            "http://w#x",
            "http://w w",
            "http://w\n",
        ),
        *("http://wé", "http://w:0", "http://[::1"),
    ],
)
def test_only_an_address_on_the_web_is_taken(url: str) -> None:
    with pytest.raises(ValueInvalidError) as refused:
        RequiredWitness(key_of("a"), url)
    assert "secret" not in str(refused.value)


def test_a_witness_counts_once_and_is_not_the_log_itself(log: Log, witnesses: list[RequiredWitness]) -> None:
    one = witnesses[0]
    twice = RequiredWitness(VerifierKey("again.example", one.key.public, COSIGNATURE), one.url)
    for wrong in ((one, one), (one, twice)):
        with pytest.raises(ValueInvalidError, match="twice"):
            Required(wrong, 1)
    for quorum in (-1, 0, 4):
        with pytest.raises(ValueInvalidError, match="quorum"):
            Required(tuple(witnesses), quorum)
    with pytest.raises(ValueInvalidError, match="no witness's key"):
        RequiredWitness(log.key, one.url)
    own = VerifierKey("self.example", log.key.public, COSIGNATURE)
    with pytest.raises(ValueInvalidError, match="the log's own key"):
        require_witnesses(log, Required((RequiredWitness(own, one.url),), 1))


@pytest.mark.parametrize("content", [b"", b"quorum\n", b"quorum 1\n", b"quorum 1\nkey url\n", b"\xff", b"quorum 0\n"])
def test_settings_that_cannot_be_read_publish_nothing(log: Log, content: bytes) -> None:
    (log.folder / "witnesses").write_bytes(content)
    for act in (lambda: published(log), lambda: publish(log)):
        with pytest.raises(ValueInvalidError):
            act()


# For those who verify


@pytest.fixture
def note(log: Log, witnesses: list[RequiredWitness]) -> Note:
    """A checkpoint that one and two of three have cosigned."""
    require_witnesses(log, Required(tuple(witnesses[:2]), 2))
    return publish(log).note


def test_a_verifier_is_told_which_witnesses_are_missing(log: Log, witnesses: list[RequiredWitness], note: Note) -> None:
    keys = [each.key for each in witnesses]
    for quorum in (1, 2):
        assert require_quorum(note, log.key, keys, quorum) == log.checkpoint()
    with pytest.raises(ProofFailedError, match=r"2 of the 3 witnesses required .*; not by three\.example$"):
        require_quorum(note, log.key, keys, 3)
    with pytest.raises(ProofFailedError, match=r"not by other\.example$"):
        require_quorum(note, log.key, [key_of("other.example")], 1)
    with pytest.raises(ProofFailedError, match="has not signed"):
        require_quorum(Note(note.text, note.signatures[1:]), log.key, keys, 1)
    with pytest.raises(ProofFailedError, match="has not signed"):
        require_quorum(note, verifier_key(log.key.name, Ed25519PrivateKey.generate()), keys, 1)
    for quorum in (-1, 0, 4):
        with pytest.raises(ValueError, match="quorum"):
            require_quorum(note, log.key, keys, quorum)


def test_a_false_cosignature_of_a_known_witness_rejects_the_note(
    log: Log, witnesses: list[RequiredWitness], note: Note
) -> None:
    own, first, second = note.signatures
    swapped = replace(first, signature=second.signature)
    with pytest.raises(ProofFailedError, match=r"one\.example has not signed"):
        require_quorum(Note(note.text, (own, swapped, second)), log.key, [each.key for each in witnesses], 1)
    require_quorum(Note(note.text, (own, swapped, second)), log.key, [witnesses[1].key], 1)  # a stranger's line


def test_neither_the_log_nor_one_witness_under_two_names_makes_a_quorum(
    log: Log, witnesses: list[RequiredWitness], note: Note, tmp_path: Path
) -> None:
    log_seed = Ed25519PrivateKey.from_private_bytes((log.folder / "key").read_bytes())
    own = VerifierKey("self.example", log.key.public, COSIGNATURE)
    by_itself = Note(note.text, (note.signatures[0], cosign(note.text, "self.example", log_seed, time=1)))
    with pytest.raises(ProofFailedError, match="0 of the 1"):
        require_quorum(by_itself, log.key, [own], 1)

    seed = Ed25519PrivateKey.from_private_bytes((tmp_path / "one.example" / "key").read_bytes())
    again = VerifierKey("again.example", witnesses[0].key.public, COSIGNATURE)
    twice = Note(note.text, (*note.signatures[:2], cosign(note.text, "again.example", seed, time=1)))
    with pytest.raises(ProofFailedError, match="1 of the 2"):
        require_quorum(twice, log.key, [witnesses[0].key, again, witnesses[2].key], 2)

    as_note = Note(note.text, (note.signatures[0], *sign(note.text, "one.example", seed).signatures))
    with pytest.raises(ProofFailedError, match="0 of the 1"):  # signed without a time is not cosigned
        require_quorum(as_note, log.key, [verifier_key("one.example", seed)], 1)


def test_witnesses_hold_what_was_published(
    log: Log, witnesses: list[RequiredWitness], note: Note, tmp_path: Path
) -> None:
    for name in NAMES[:2]:
        assert Witness(tmp_path / name).logs() == [(log.key, log.checkpoint())]
    assert not Witness(tmp_path / NAMES[0]).add_log(log.key, now=clock)
