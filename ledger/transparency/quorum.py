"""Witnesses of this ledger's log: who they are, what they are asked, and the checkpoints that enough of them cosigned.

A log that requires witnesses goes on growing and signing by itself; what it gives to outsiders is the newest checkpoint
with a quorum of cosignatures, `published-checkpoint`. So whoever demands the quorum and sees such a checkpoint knows
that the log shows nobody another history of that size, unless that many witnesses help it.
"""

import re
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from ledger.domain.errors import IntegrityBrokenError, ProofFailedError, Said, ValueInvalidError
from ledger.store.durable import alone, sync, write_whole
from ledger.transparency.errors import CheckpointUnpublishedError, QuorumMissedError
from ledger.transparency.log import LOCK, Log
from ledger.transparency.notes import COSIGNATURE, Checkpoint, Note, Signature, VerifierKey, checkpoint_of, number
from ledger.transparency.witness import SIZE_TYPE

WITNESSES = "witnesses"
PUBLISHED = "published-checkpoint"
PUBLISHING = f"{PUBLISHED}.{LOCK}"
ANSWER_BYTES_MAX = 1 << 16
STEP_SECONDS_MAX = 10.0
"""For a witness to connect, or to send its next bytes."""
WITNESS_SECONDS_MAX = 30.0
"""For a witness to answer in all."""
_URL = re.compile("[!-~]+")
TRIES = 3
"""Of one witness, which may have been asked by somebody else in between."""


# Verifying


def cosigners(note: Note, key: VerifierKey, witnesses: Sequence[VerifierKey]) -> list[VerifierKey]:
    """Which of these witnesses have cosigned a checkpoint that its log has signed; who signs under two names counts once.

    Raises `ProofFailedError` where the log has not signed it, or where a witness's cosignature is not true.
    """
    checkpoint_of(note, key)
    known = {each.public: each for each in witnesses if each.kind == COSIGNATURE and each.public != key.public}
    return [found for found, _ in note.verified(list(known.values()))]


def require_quorum(note: Note, key: VerifierKey, witnesses: Sequence[VerifierKey], quorum: int) -> Checkpoint:
    """The checkpoint, which its log has signed and so many of these witnesses cosigned; else `ProofFailedError` says
    who is missing."""
    if not 0 < quorum <= len({each.public for each in witnesses}):
        raise ValueError(f"a quorum of {quorum} of {len(witnesses)} witnesses")
    found = cosigners(note, key, witnesses)
    if len(found) < quorum:
        missing = ", ".join(sorted({each.name for each in witnesses} - {each.name for each in found}))
        raise ProofFailedError(
            f"{len(found)} of the {quorum} witnesses required have cosigned this checkpoint; not by {missing}"
        )
    return Checkpoint.parse(note.text)


# Which witnesses a log requires


@dataclass(frozen=True, slots=True)
class RequiredWitness:
    """A witness whose word counts for this log."""

    key: VerifierKey
    url: str
    """What `/add-checkpoint` is put behind."""

    def __post_init__(self) -> None:
        if self.key.kind != COSIGNATURE:
            raise ValueInvalidError(
                field="witness", problem=Said("{name} is no witness's key; ask them for theirs", name=self.key.name)
            )
        try:
            place = urlsplit(self.url)
            is_good = place.scheme in ("http", "https") and bool(place.hostname) and place.port != 0
        except ValueError:
            is_good = False
        if not is_good or "@" in place.netloc or place.query or place.fragment or not _URL.fullmatch(self.url):
            raise ValueInvalidError(
                field="witness",
                problem=Said("no address of {name}; give one such as https://witness.example", name=self.key.name),
            )

    @property
    def call(self) -> str:
        """The address of the one call of a witness."""
        return f"{self.url.rstrip('/')}/add-checkpoint"


@dataclass(frozen=True, slots=True)
class Required:
    """The witnesses of a log, and how many of them must cosign what is published."""

    witnesses: tuple[RequiredWitness, ...]
    quorum: int

    def __post_init__(self) -> None:
        count = len(self.witnesses)
        if len({each.key.public for each in self.witnesses}) < count:
            raise ValueInvalidError(field="witness", problem=Said("one key is given twice; each counts once"))
        if not 0 < self.quorum <= count:
            raise ValueInvalidError(
                field="quorum",
                problem=Said("{quorum} of {count}; give one from 1 to {count}", quorum=self.quorum, count=count),
            )

    @property
    def keys(self) -> list[VerifierKey]:
        """The verifier keys of the witnesses."""
        return [each.key for each in self.witnesses]

    def __str__(self) -> str:
        return f"quorum {self.quorum}\n" + "".join(f"{each.key} {each.url}\n" for each in self.witnesses)

    @classmethod
    def parse(cls, text: str) -> "Required":
        """The quorum that a file of a log says; raises `ProofFailedError` for another text."""
        first, *lines = text.removesuffix("\n").split("\n")
        found = [line.partition(" ") for line in lines]
        witnesses = tuple(RequiredWitness(VerifierKey.parse(key), url) for key, _, url in found)
        return cls(witnesses, number(first.removeprefix("quorum ")))


def required(folder: Path) -> Required | None:
    """What the log in a folder requires; None if it requires no witness. What cannot be read requires something."""
    path = folder / WITNESSES
    try:
        return Required.parse(path.read_text())
    except FileNotFoundError:
        return None
    except (ProofFailedError, UnicodeDecodeError) as error:
        problem = Said(
            "{path} cannot be read ({error}); write it anew with `salur log require-witnesses`", path=path, error=error
        )
        raise ValueInvalidError(field="witnesses", problem=problem) from None


def require_witnesses(log: Log, wanted: Required | None) -> None:
    """Publish no checkpoint from now on but with this quorum; with None, every one that is signed again."""
    if wanted and any(each.key.public == log.key.public for each in wanted.witnesses):
        raise ValueInvalidError(
            field="witness", problem=Said("this is the log's own key; name witnesses run by others")
        )
    with alone(log.folder / PUBLISHING):
        if wanted:
            write_whole(log.folder / WITNESSES, str(wanted).encode())
        else:
            (log.folder / WITNESSES).unlink(missing_ok=True)
            (log.folder / PUBLISHED).unlink(
                missing_ok=True
            )  # a checkpoint published earlier would return as the newest once witnesses are required again
            sync(log.folder)


# Publishing


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint that outsiders may be given, and in a sentence each why witnesses have not cosigned it."""

    note: Note
    cosigned: int
    problems: tuple[str, ...] = ()


def published(log: Log) -> Note:
    """The newest checkpoint that outsiders may be given; raises `CheckpointUnpublishedError` where there is none yet."""
    if (wanted := required(log.folder)) is None:
        return log.note()
    note = _published(log)
    if note is None or len(_cosigners(log, note, wanted)) < wanted.quorum:
        raise CheckpointUnpublishedError(origin=log.key.name)
    return note


def publish(log: Log) -> Published:
    """Have the newest checkpoint cosigned, and publish it; one published before is not asked for again.

    Raises `QuorumMissedError`, and publishes nothing, where too few witnesses cosigned it.
    """
    if (wanted := required(log.folder)) is None:
        return Published(log.note(), 0)
    with alone(log.folder / PUBLISHING):
        note, before = log.note(), _published(log)
        signed, old_size = Checkpoint.parse(note.text), 0
        if before is not None:
            count = len(_cosigners(log, before, wanted))
            if before.text == note.text and count >= wanted.quorum:
                return Published(before, count)
            old = Checkpoint.parse(before.text)
            if old.size > signed.size or log.levels.root(old.size) != old.root:
                raise IntegrityBrokenError(f"the log does not continue the one published, of {old.size} events")
            old_size = old.size
        cosignatures, problems = _asked(log, note, wanted, old_size)
        if len(cosignatures) < wanted.quorum:
            raise QuorumMissedError(
                cosigned=len(cosignatures), quorum=wanted.quorum, size=signed.size, problems=", ".join(problems)
            )
        whole = Note(note.text, (*note.signatures, *cosignatures))
        write_whole(log.folder / PUBLISHED, str(whole).encode())
    return Published(whole, len(cosignatures), tuple(problems))


def _published(log: Log) -> Note | None:
    """The checkpoint published last, under whatever quorum was required then."""
    with suppress(FileNotFoundError):
        try:
            note = Note.parse((log.folder / PUBLISHED).read_bytes())
            checkpoint_of(note, log.key)
        except ProofFailedError as error:
            raise _damaged(log, error) from error
        return note
    return None


def _cosigners(log: Log, note: Note, wanted: Required) -> list[VerifierKey]:
    try:
        return cosigners(note, log.key, wanted.keys)
    except ProofFailedError as error:
        raise _damaged(log, error) from error


def _damaged(log: Log, error: Exception) -> IntegrityBrokenError:
    return IntegrityBrokenError(
        f"{log.folder / PUBLISHED}: {error}; put a copy back that an auditor kept, or remove it and run `salur log publish`"
    )


# Asking


class _UncountedError(Exception):
    """The reason why a witness's answer does not count."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is not followed: the ledger that relies on a witness gives its new address, not the old address's
    owner."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def _asked(log: Log, note: Note, wanted: Required, old_size: int) -> tuple[list[Signature], list[str]]:
    """The true cosignatures of a checkpoint, and of each other witness why there is none; all are asked at once."""
    asked = [(each, _in_background(partial(_cosignature_of, log, note, each, old_size))) for each in wanted.witnesses]
    wait([future for _, future in asked], timeout=WITNESS_SECONDS_MAX)
    cosignatures: list[Signature] = []
    problems: list[str] = []
    for witness, future in asked:
        try:
            cosignatures.append(future.result(timeout=0))
        except TimeoutError:
            problems.append(f"{witness.key.name}: no answer in {WITNESS_SECONDS_MAX:g} seconds")
        except _UncountedError as error:
            problems.append(f"{witness.key.name}: {error}")
    return cosignatures, problems


def _in_background(act: Callable[[], Signature]) -> "Future[Signature]":
    """Start the thread as a daemon: a witness that never answers does not keep the process alive."""
    future: Future[Signature] = Future()

    def run() -> None:
        try:
            future.set_result(act())
        except BaseException as error:  # noqa: BLE001  # it is raised where it is waited for
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def _cosignature_of(log: Log, note: Note, witness: RequiredWitness, old_size: int) -> Signature:
    """One witness's true cosignature of a checkpoint; a witness that has come to another size is proved to from there."""
    size = Checkpoint.parse(note.text).size
    for _ in range(TRIES):
        request = log.prove_consistency(old_size, note) if old_size else f"old 0\n\n{note}"
        status, kind, body = _post(witness.call, request.encode())
        if status == 200:
            return _true_cosignature(note, witness.key, body)
        if status != 409 or kind != SIZE_TYPE:
            raise _UncountedError(_MEANINGS.get(status, f"it answered {status}"))
        try:
            old_size = number(body.decode().removesuffix("\n"))
        except (ProofFailedError, UnicodeDecodeError):
            raise _UncountedError("its size cannot be read") from None
        if old_size > size:
            raise _UncountedError(f"it has already cosigned {old_size} events, which this log has not")
    raise _UncountedError("it was asked by others again and again; is this log kept in two places?")


_MEANINGS = {
    400: "it cannot read what it was asked",
    403: "it knows this log by another key",
    404: "it does not know this log",
    409: "it has cosigned another history of this size",
    422: "it has cosigned another history",
}


def _true_cosignature(note: Note, key: VerifierKey, body: bytes) -> Signature:
    try:
        answered = Note.parse(str(note).encode() + body)
        found = answered.verified([key])
    except ProofFailedError:
        raise _UncountedError("its cosignature is not one of this checkpoint") from None
    if answered.text != note.text:  # an empty line in the answer makes the checkpoint a part of another text
        raise _UncountedError("its cosignature is not one of this checkpoint")
    if not found:
        raise _UncountedError("it did not cosign with the key expected of it")
    return found[0][1]


def _post(url: str, data: bytes) -> tuple[int, str, bytes]:
    """Status, type and body of the answer."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "salur"}
    request = urllib.request.Request(url, data, headers)  # noqa: S310  # http or https: RequiredWitness has no other
    try:
        with _opened(request) as answer:
            body: bytes = answer.read(ANSWER_BYTES_MAX + 1)
    except (OSError, HTTPException, UnicodeError) as error:  # the last error, for a name that no host can have
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise _UncountedError(f"no answer in {STEP_SECONDS_MAX:g} seconds") from None
        why = getattr(reason, "strerror", None) or type(reason).__name__
        raise _UncountedError(f"it cannot be reached ({why})") from None
    if len(body) > ANSWER_BYTES_MAX:
        raise _UncountedError(f"its answer has over {ANSWER_BYTES_MAX:,} bytes")
    return answer.status, answer.headers.get_content_type(), body


def _opened(request: urllib.request.Request) -> Any:
    try:
        return _opener.open(request, timeout=STEP_SECONDS_MAX)
    except urllib.error.HTTPError as error:
        return error  # an error of HTTP is an answer as well
