"""A witness of other ledgers' logs: it cosigns a checkpoint that continues the last one it cosigned, and no other (C2SP tlog-witness).

In its folder are its key and, for each log it knows, the log's verifier key and the last checkpoint that it cosigned.
That is on the disk before anybody is told the cosignature, and one request at a time is decided for a log, so that the
witness knows of all it may ever have signed, wherever it was interrupted. A folder put back from a backup has forgotten
what was signed since: a witness whose folder is lost is replaced by one with another key.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.domain.errors import IntegrityBrokenError, ProofFailedError, Said, ValueInvalidError
from ledger.store.durable import alone, sync, write_whole
from ledger.store.errors import FolderNotEmptyError
from ledger.transparency.errors import LogKnownError, WitnessExistsError, WitnessMissingError
from ledger.transparency.log import CHECKPOINT, KEY, LOCK, SEED_BYTES, VERIFIER_KEY
from ledger.transparency.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from ledger.transparency.notes import (
    COSIGNATURE,
    ED25519,
    Checkpoint,
    Note,
    Signature,
    VerifierKey,
    cosign,
    decoded,
    number,
    verifier_key,
)

LOGS = "logs"
PROOF_LINES_MAX = 63
SIZE_TYPE = "text/x.tlog.size"
"""The media type of an answer that holds the size of the last checkpoint cosigned."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Request:
    """A checkpoint, and what proves that it continues one of an earlier size."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint

    @classmethod
    def parse(cls, data: bytes) -> "Request":
        """Raises `ProofFailedError` for what is not such a request."""
        head, _, rest = data.partition(b"\n\n")
        try:
            first, *lines = head.decode().split("\n")
        except UnicodeDecodeError:
            raise ProofFailedError("not a request: it is not text") from None
        if not first.startswith("old ") or len(lines) > PROOF_LINES_MAX:
            raise ProofFailedError(f"not a request: an old size and at most {PROOF_LINES_MAX} hashes")
        proof = tuple(decoded(line) for line in lines)
        if any(len(each) != HASH_BYTES for each in proof):
            raise ProofFailedError(f"a hash has {HASH_BYTES} bytes")
        note = Note.parse(rest)
        return cls(number(first.removeprefix("old ")), proof, note, Checkpoint.parse(note.text))


@dataclass(frozen=True, slots=True)
class Answer:
    """What whoever asked is told, and by which status of HTTP."""

    status: HTTPStatus
    body: str
    content_type: str = "text/plain; charset=utf-8"


class Witness:
    """A witness, opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.key = _key_in(folder)
        except FileNotFoundError:
            raise WitnessMissingError(folder=str(folder)) from None

    def logs(self) -> list[tuple[VerifierKey, Checkpoint]]:
        """The logs it knows, by name, each with the last checkpoint it cosigned."""
        keys = [_key_in(path.parent) for path in (self.folder / LOGS).glob(f"*/{VERIFIER_KEY}")]
        return [(key, self._last(key.name)) for key in sorted(keys, key=lambda key: key.name)]

    def add_log(self, key: VerifierKey, *, now: Clock) -> bool:
        """Know a log from now on by its key, with nothing in it yet; False if it was known by that key before.

        Raises `LogKnownError` where it was known by another: two histories under one name could then be cosigned.
        """
        if key.kind != ED25519:
            raise ValueInvalidError(
                field="verifier key", problem=Said("it is that of a witness; give the key of a log")
            )
        place = self._place_of(key.name)
        with alone(self.folder / LOCK):
            if (place / VERIFIER_KEY).exists():
                if _key_in(place) != key:
                    raise LogKnownError(origin=key.name)
                return False
            place.mkdir(parents=True, exist_ok=True)
            nothing = str(Checkpoint(key.name, 0, EMPTY_ROOT))
            write_whole(place / CHECKPOINT, str(Note(nothing, (self._cosign(nothing, now),))).encode())
            write_whole(place / VERIFIER_KEY, f"{key}\n".encode())  # last: from here on its checkpoints are taken
            sync(place.parent)
            sync(self.folder)
        return True

    def add_checkpoint(self, data: bytes, *, now: Clock) -> Answer:
        """Cosign the checkpoint of a known log that continues the last one cosigned; the answers are those of the specification.

        Raises `IntegrityBrokenError`, and signs nothing, where the witness's own files are not as it left them.
        """
        try:
            request = Request.parse(data)
        except ProofFailedError as error:
            return Answer(HTTPStatus.BAD_REQUEST, f"{error}\n")
        place = self._place_of(request.checkpoint.origin)
        if not (place / VERIFIER_KEY).exists():
            return Answer(HTTPStatus.NOT_FOUND, "this log is not known here\n")
        try:
            signed = [signature for _, signature in request.note.verified([_key_in(place)])]
        except ProofFailedError:
            signed = []
        if not signed:
            return Answer(HTTPStatus.FORBIDDEN, "the log has not signed this checkpoint\n")
        with alone(place / LOCK):
            if refusal := _refusal(request, self._last(request.checkpoint.origin)):
                return refusal
            cosignature = self._cosign(request.note.text, now)
            write_whole(place / CHECKPOINT, str(Note(request.note.text, (*signed, cosignature))).encode())
        return Answer(HTTPStatus.OK, str(cosignature))

    def _place_of(self, origin: str) -> Path:
        return self.folder / LOGS / sha256(origin.encode()).hexdigest()

    def _last(self, origin: str) -> Checkpoint:
        """The last checkpoint of a log that was cosigned, which this witness's own signature vouches for."""
        path = self._place_of(origin) / CHECKPOINT
        try:
            note = Note.parse(path.read_bytes())
            note.require(self.key)
            found = Checkpoint.parse(note.text)
        except (FileNotFoundError, ProofFailedError) as error:
            raise IntegrityBrokenError(f"{path}: {error}; this witness may no longer sign for {origin}") from error
        if found.origin != origin:
            raise IntegrityBrokenError(f"{path}: it is of {found.origin}; this witness may no longer sign for {origin}")
        return found

    def _cosign(self, text: str, now: Clock) -> Signature:
        path = self.folder / KEY
        try:
            key = Ed25519PrivateKey.from_private_bytes(path.read_bytes())
        except (FileNotFoundError, ValueError) as error:
            raise IntegrityBrokenError(f"{path}: {error}; put the key back that the witness was made with") from error
        if verifier_key(self.key.name, key, COSIGNATURE) != self.key:
            raise IntegrityBrokenError(f"{path}: not the key that the witness was made with")
        return cosign(text, self.key.name, key, time=int(now().timestamp()))


def _key_in(folder: Path) -> VerifierKey:
    path = folder / VERIFIER_KEY
    try:
        return VerifierKey.parse(path.read_text().removesuffix("\n"))
    except (ProofFailedError, UnicodeDecodeError) as error:
        raise IntegrityBrokenError(f"{path}: {error}") from error


def _refusal(request: Request, held: Checkpoint) -> Answer | None:
    """The answer that refuses a checkpoint after the last one; None if it may be cosigned."""
    asked = request.checkpoint
    if request.old_size > asked.size:
        return Answer(HTTPStatus.BAD_REQUEST, "the old size is larger than the checkpoint's\n")
    if request.old_size != held.size:
        return Answer(HTTPStatus.CONFLICT, f"{held.size}\n", SIZE_TYPE)
    if asked.size == held.size and asked.root != held.root:
        return Answer(HTTPStatus.CONFLICT, "another tree of this size was cosigned\n")
    if not held.size:
        return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "an empty tree needs no proof\n") if request.proof else None
    try:
        verify_consistency(
            old_size=held.size, old_root=held.root, size=asked.size, root=asked.root, proof=request.proof
        )
    except ProofFailedError as error:
        return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, f"{error}\n")
    return None


def create_witness(folder: Path, *, name: str) -> Witness:
    """Make a witness with a new key; one that is there is opened, and an interrupted making finished by the same call.

    Raises `WitnessExistsError` where one of another name is, `FolderNotEmptyError` where something else is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if {each.name.removesuffix(".new") for each in folder.iterdir()} - {KEY, VERIFIER_KEY, LOCK, LOGS}:
        raise FolderNotEmptyError(folder=str(folder))
    with alone(folder / LOCK):
        if not (folder / VERIFIER_KEY).exists():
            _make(folder, name)
    witness = Witness(folder)
    if witness.key.name != name:
        raise WitnessExistsError(folder=str(folder), name=witness.key.name)
    return witness


def _make(folder: Path, name: str) -> None:
    if (folder / LOGS).exists():
        raise IntegrityBrokenError(f"{folder} has logs but no verifier key; put it back, or make another witness")
    path = folder / KEY
    if not path.exists():
        write_whole(path, secrets.token_bytes(SEED_BYTES), mode=0o600)
    try:
        known = verifier_key(name, Ed25519PrivateKey.from_private_bytes(path.read_bytes()), COSIGNATURE)
    except ValueError as error:
        raise ValueInvalidError(field="name", problem=Said("{error}", error=error)) from None
    write_whole(folder / VERIFIER_KEY, f"{known}\n".encode())
    sync(folder.parent)
