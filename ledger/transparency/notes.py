"""Signed notes (C2SP signed-note): texts that name who signed them; and the checkpoints, cosignatures and proofs in them.

Pure: keys and instants are handed in, nothing here reads a file or a clock. Whatever does not verify raises
`ProofFailedError`; giving what cannot be signed is a `ValueError`.
"""

import re
import struct
from base64 import b64encode
from binascii import Error as BinasciiError
from binascii import a2b_base64
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.domain.errors import ProofFailedError
from ledger.transparency.merkle import HASH_BYTES, leaf_hash, verify_inclusion

ED25519 = 0x01
"""The type of a key that signs the text itself."""
COSIGNATURE = 0x04
"""The type of a witness's key, which signs the text and the time at which it saw it (C2SP tlog-cosignature)."""
KEY_ID_BYTES = 4
NOTE_BYTES_MAX = 1_000_000
SIGNATURES_MAX = 100
"""The most signatures of a note, as in Go's reader: a note must not keep its reader busy without end."""

_NAME = re.compile(r"[^\s+]+")
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_NUMBER = re.compile("0|[1-9][0-9]{0,18}")
_PROOF_HEAD = "c2sp.org/tlog-proof@v1"


def decoded(text: str) -> bytes:
    """Bytes from base64 in canonical form: bits that readers ignore could carry something hidden."""
    try:
        found = a2b_base64(text, strict_mode=True)
    except (BinasciiError, ValueError):
        raise ProofFailedError("not base64") from None
    if encoded(found) != text:
        raise ProofFailedError("base64 with bits that say nothing")
    return found


def encoded(data: bytes) -> str:
    """Bytes in base64."""
    return b64encode(data).decode()


def number(text: str) -> int:
    """A whole number in its one decimal form."""
    if not _NUMBER.fullmatch(text):
        raise ProofFailedError("not a number in decimal digits")
    return int(text)


# Keys


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """What a signer is known by: their name and public key."""

    name: str
    public: bytes
    kind: int = ED25519

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("a key's name has no spaces and no plus sign")

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature line names the key."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encoded(bytes([self.kind]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """The key written as `name+hex(key id)+base64(type and public key)`."""
        name, key_id, key = ([*text.split("+", 2), "", ""])[:3]
        data = decoded(key)
        if not _NAME.fullmatch(name) or len(data) != 1 + 32 or data[0] not in (ED25519, COSIGNATURE):
            raise ProofFailedError("not a verifier key of Ed25519")
        found = cls(name, data[1:], data[0])
        if found.key_id.hex() != key_id:
            raise ProofFailedError("the verifier key's id is not that of its name and key")
        return found

    def verify(self, text: str, signature: bytes) -> None:
        """Raise `ProofFailedError` unless this key made that signature of a note's text."""
        signed = text.encode()
        if self.kind == COSIGNATURE:
            signed, signature = _cosigned(text, time_of(signature)), signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, signed)
        except InvalidSignature:
            raise ProofFailedError(f"{self.name} has not signed this") from None


def verifier_key(name: str, key: Ed25519PrivateKey, kind: int = ED25519) -> VerifierKey:
    """What those are given who shall verify what the key signs."""
    return VerifierKey(name, key.public_key().public_bytes_raw(), kind)


# Notes


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"— {self.name} {encoded(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures, none of them verified yet."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(map(str, self.signatures))

    @classmethod
    def parse(cls, data: bytes) -> "Note":
        """Raises `ProofFailedError` for what is not a signed note."""
        if len(data) > NOTE_BYTES_MAX:
            raise ProofFailedError(f"a note has at most {NOTE_BYTES_MAX:,} bytes")
        try:
            note = data.decode()
        except UnicodeDecodeError:
            raise ProofFailedError("not a note: it is not text") from None
        text, blank, lines = note.rpartition("\n\n")
        if not blank or not lines.endswith("\n") or any(sign < " " and sign != "\n" for sign in note):
            raise ProofFailedError("not a note: a text, an empty line, and lines of signatures")
        found = tuple(_signature(line) for line in lines[:-1].split("\n"))
        if len(found) > SIGNATURES_MAX:
            raise ProofFailedError(f"a note has at most {SIGNATURES_MAX} signatures")
        return cls(text + "\n", found)

    def verified(self, known: Sequence[VerifierKey]) -> list[tuple[VerifierKey, Signature]]:
        """The signatures by known keys, all of which must be true; those of unknown keys are ignored."""
        key_of = {(key.name, key.key_id): key for key in known}
        found: dict[VerifierKey, Signature] = {}
        for each in self.signatures:
            if (key := key_of.get((each.name, each.key_id))) is not None:
                key.verify(self.text, each.signature)
                found.setdefault(key, each)
        return list(found.items())

    def require(self, key: VerifierKey) -> None:
        """Raise `ProofFailedError` unless that key has signed: a note that only strangers signed proves nothing."""
        if not self.verified([key]):
            raise ProofFailedError(f"{key.name} has not signed this")


def _signature(line: str) -> Signature:
    if not (match := _SIGNATURE.fullmatch(line)):
        raise ProofFailedError("not a note: a line of signature cannot be read")
    data = decoded(match[2])
    if len(data) <= KEY_ID_BYTES:
        raise ProofFailedError("not a note: a signature is too short")
    return Signature(match[1], data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def sign(text: str, name: str, key: Ed25519PrivateKey) -> Note:
    """The text as a note that this key has signed."""
    if not text.endswith("\n") or any(sign < " " and sign != "\n" for sign in text):
        raise ValueError("the text of a note ends with a line's end and has no other control characters")
    return Note(text, (Signature(name, verifier_key(name, key).key_id, key.sign(text.encode())),))


# Cosignatures


def cosign(text: str, name: str, key: Ed25519PrivateKey, *, time: int) -> Signature:
    """A witness's word that it saw this checkpoint at that time (seconds since 1970) and none that contradicts it."""
    key_id = verifier_key(name, key, COSIGNATURE).key_id
    return Signature(name, key_id, struct.pack(">Q", time) + key.sign(_cosigned(text, time)))


def time_of(signature: bytes) -> int:
    """The time in a cosignature, which stands before the signature of Ed25519."""
    if len(signature) != 8 + 64:
        raise ProofFailedError("not a cosignature with its time")
    return int(struct.unpack(">Q", signature[:8])[0])


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


# Checkpoints


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size and root of a log's tree, the text of the note that its log signs (C2SP tlog-checkpoint)."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{encoded(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Extension lines may follow; what they say is signed, and not known here."""
        lines = text.split("\n")
        if len(lines) < 4 or not all(lines[:-1]):
            raise ProofFailedError("not a checkpoint: an origin, a size and a root")
        root = decoded(lines[2])
        if len(root) != HASH_BYTES:
            raise ProofFailedError("not a checkpoint: its root is not a hash")
        return cls(lines[0], number(lines[1]), root)


def checkpoint_of(note: Note, key: VerifierKey) -> Checkpoint:
    """The checkpoint that a log has signed; raises `ProofFailedError` where this log has not."""
    note.require(key)
    found = Checkpoint.parse(note.text)
    if found.origin != key.name:
        raise ProofFailedError(f"a checkpoint of {found.origin}, signed by {key.name}")
    return found


# Proofs that stand for themselves


@dataclass(frozen=True, slots=True)
class Proof:
    """All that shows one event to be in a log: its index, the hashes beside its way up, and the checkpoint (C2SP tlog-
    proof)."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: Note
    extra: bytes | None = None

    def __str__(self) -> str:
        extra = f"extra {encoded(self.extra)}\n" if self.extra is not None else ""
        hashes = "".join(f"{encoded(each)}\n" for each in self.hashes)
        return f"{_PROOF_HEAD}\n{extra}index {self.index}\n{hashes}\n{self.checkpoint}"

    @classmethod
    def parse(cls, data: bytes) -> "Proof":
        """Raises `ProofFailedError` for what is not such a proof."""
        head, _, note = data.partition(b"\n\n")
        try:
            first, *lines = head.decode().split("\n")
        except UnicodeDecodeError:
            raise ProofFailedError("not a proof: it is not text") from None
        extra = decoded(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
        if first != _PROOF_HEAD or not lines or not lines[0].startswith("index "):
            raise ProofFailedError(f"not a proof: {_PROOF_HEAD}, an index, hashes and a checkpoint")
        index = number(lines[0].removeprefix("index "))
        hashes = tuple(decoded(line) for line in lines[1:])
        return cls(index, hashes, Note.parse(note), extra)

    def verify(self, line: bytes, key: VerifierKey) -> Checkpoint:
        """Raise `ProofFailedError` unless that line is the log's event at the proof's index; the checkpoint that says
        so."""
        found = checkpoint_of(self.checkpoint, key)
        verify_inclusion(index=self.index, size=found.size, leaf=leaf_hash(line), proof=self.hashes, root=found.root)
        return found
