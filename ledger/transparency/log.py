"""The transparency log of a ledger: the tree over its events on disk, and the checkpoints signed over it.

In the log's folder each level of tiles is one file of hashes that only grows, `level-0` with the leaves. The checkpoint
is written last and replaced at once, so that up to its size everything below it is there; what lies beyond is the
remainder of an interruption, and is made anew. The ledger's store alone is the source: hashes that are lost or damaged
are made again from it, and must give the root that was signed. What contradicts it is never signed.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import IO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.domain.errors import IntegrityBrokenError, ProofFailedError, Said, ThingUnknownError, ValueInvalidError
from ledger.domain.log import LOG_STREAM, LogBegun
from ledger.store.durable import alone, sync, write_whole
from ledger.store.entries import to_event
from ledger.store.recorder import LedgerRecorder
from ledger.transparency.errors import LogExistsError, LogKeyError, LogLeftOutError, LogMissingError, NotInLogError
from ledger.transparency.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    TILE_WIDTH,
    Tree,
    leaf_hash,
    leaf_hashes,
    tile_roots,
    verify_consistency,
    verify_inclusion,
)
from ledger.transparency.notes import Checkpoint, Note, Proof, VerifierKey, checkpoint_of, encoded, sign, verifier_key

CHECKPOINT = "checkpoint"
VERIFIER_KEY = "verifier-key"
KEY = "key"
LOCK = "lock"
SEED_BYTES = 32
STEP_EVENTS = 1 << 20
"""A long growth signs after so many events; after an interruption no more than these are taken in again."""
_TILES_PER_READ = 256
_UNDER_WAY = "rebuild-"

OnProgress = Callable[[int], None]
"""Called with the number of events taken in since its last call."""


class Levels:
    """The hashes of a tree in a folder, a file a level of tiles."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, level: int) -> Path:
        """The file of one level."""
        return self.folder / f"level-{level}"

    def name(self, level: int, index: int) -> str:
        """The file that a hash is in, whatever its index."""
        del index
        return str(self.path(level))

    def found(self, level: int, first: int, count: int) -> bytes:
        """So many hashes of a level from an index on, as far as they are there."""
        with suppress(FileNotFoundError), self.path(level).open("rb") as file:
            file.seek(first * HASH_BYTES)
            return file.read(count * HASH_BYTES)
        return b""

    def read(self, level: int, first: int, count: int) -> bytes:
        """The same; raises `IntegrityBrokenError` where they are not all there."""
        hashes = self.found(level, first, count)
        if len(hashes) != count * HASH_BYTES:
            raise IntegrityBrokenError(f"{self.path(level)} is too short; make it anew with `salur log seal --rebuild`")
        return hashes

    def root(self, size: int) -> bytes:
        """The root of the tree of so many leaves, computed from the stored hashes."""
        return Tree(size, self.read).root()

    def grow(self, recorder: LedgerRecorder, size: int, end: int, on_progress: OnProgress = lambda _: None) -> None:
        """Take in the store's events from one size of the tree to another, and wait until their hashes are on the disk.

        Hashes beyond the first size are overwritten.
        """
        with self._appending(0, size) as file:
            for lines in recorder.leaves(first=size, until=end):
                file.write(leaf_hashes(lines))
                on_progress(len(lines))
            if file.tell() != end * HASH_BYTES:
                raise IntegrityBrokenError(f"events {size} to {end - 1} are not all in the store; run `salur check`")
        level = 0
        while (end := end // TILE_WIDTH) > (size := size // TILE_WIDTH):  # only complete tiles have a root that stays
            with self._appending(level + 1, size) as file:
                for first in range(size, end, _TILES_PER_READ):
                    tiles = min(_TILES_PER_READ, end - first)
                    file.write(tile_roots(self.read(level, first * TILE_WIDTH, tiles * TILE_WIDTH)))
            level += 1

    @contextmanager
    def _appending(self, level: int, count: int) -> Iterator[IO[bytes]]:
        """A level's file, cut to so many hashes and written on from there; on the disk at the end."""
        with os.fdopen(os.open(self.path(level), os.O_RDWR | os.O_CREAT, 0o666), "r+b") as file:
            file.truncate(count * HASH_BYTES)
            file.seek(count * HASH_BYTES)
            yield file
            file.flush()
            os.fsync(file.fileno())


class Log:
    """A ledger's log, opened: with the key, who may sign; without, who may only read."""

    def __init__(self, folder: Path, recorder: LedgerRecorder, *, key: Path | None = None) -> None:
        self.folder = folder
        self.recorder = recorder
        self.key_path = key or folder / KEY
        self.levels = Levels(folder)
        try:
            self.key = VerifierKey.parse((folder / VERIFIER_KEY).read_text().removesuffix("\n"))
        except FileNotFoundError:
            raise LogMissingError(folder=str(folder)) from None
        except (ProofFailedError, UnicodeDecodeError) as error:
            raise IntegrityBrokenError(f"{folder / VERIFIER_KEY}: {error}") from error

    # What is signed

    def note(self) -> Note:
        """The newest checkpoint as it was signed."""
        path = self.folder / CHECKPOINT
        try:
            note = Note.parse(path.read_bytes())
            checkpoint_of(note, self.key)
        except FileNotFoundError:
            raise LogMissingError(folder=str(self.folder)) from None
        except ProofFailedError as error:
            raise IntegrityBrokenError(f"{path}: {error}; put a copy back that an auditor kept") from error
        return note

    def checkpoint(self) -> Checkpoint:
        """The newest checkpoint that the log signed."""
        return Checkpoint.parse(self.note().text)

    def index_of(self, name: str) -> int:
        """The index of an event named by it, or by its stream and version such as `program/bsu-2020/1`."""
        if name.isdecimal():
            return int(name)
        stream, _, version = name.rpartition("/")
        if not version.isdecimal() or not self.recorder.select_events(stream, gt=int(version) - 1, lte=int(version)):
            raise ThingUnknownError(thing=name)
        return self.recorder.position(stream, int(version))

    def prove(self, index: int, note: Note | None = None) -> Proof:
        """All that shows an event to be in the log, with its line; raises `NotInLogError` for one not yet in it.

        The checkpoint is the newest unless an earlier one is given.
        """
        note = note or self.note()
        signed = Checkpoint.parse(note.text)
        if not 0 <= index < signed.size:
            raise NotInLogError(size=signed.size, asked=index)
        line = self.recorder.leaf(index)
        hashes = Tree(signed.size, self.levels.read).inclusion(index)
        try:
            verify_inclusion(index=index, size=signed.size, leaf=leaf_hash(line), proof=hashes, root=signed.root)
        except ProofFailedError as error:
            raise IntegrityBrokenError(f"event {index} is not proved; find out why with `salur log verify`") from error
        return Proof(index, tuple(hashes), note, line)

    def prove_consistency(self, old_size: int, note: Note | None = None) -> str:
        """What shows a checkpoint, the newest unless one is given, to continue that of an earlier size, as witnesses
        are sent it."""
        note = note or self.note()
        signed = Checkpoint.parse(note.text)
        if not 0 < old_size <= signed.size:
            raise NotInLogError(size=signed.size, asked=old_size)
        tree = Tree(signed.size, self.levels.read)
        hashes, old_root = tree.consistency(old_size), self.levels.root(old_size)
        try:
            verify_consistency(old_size=old_size, old_root=old_root, size=signed.size, root=signed.root, proof=hashes)
        except ProofFailedError as error:
            raise IntegrityBrokenError(f"{error}; find out why with `salur log verify`") from error
        return f"old {old_size}\n" + "".join(f"{encoded(each)}\n" for each in hashes) + f"\n{note}"

    # Growing

    def grow(self, on_progress: OnProgress = lambda _: None, *, events_max: int | None = None) -> Checkpoint:
        """Take in the events that the store holds beyond the log, sign, and return the newest checkpoint.

        Raises `IntegrityBrokenError`, and signs nothing, where the store or the hashes contradict the last checkpoint.
        """
        self.require_named()
        with alone(self.folder / LOCK):
            signed = self.checkpoint()
            size = self._size_beyond(signed)
            if not self._is_borne_out(signed):
                self._rebuild(signed)
            end = size if events_max is None else min(size, signed.size + events_max)
            while signed.size < end:
                signed = self._grow_to(signed, min(end, signed.size + STEP_EVENTS), on_progress)
            return signed

    def rebuild(self, on_progress: OnProgress = lambda _: None) -> None:
        """Make all hashes anew from the store; raises `IntegrityBrokenError` where they do not give the signed root."""
        with alone(self.folder / LOCK):
            signed = self.checkpoint()
            self._size_beyond(signed)
            self._rebuild(signed, on_progress)

    def _grow_to(self, signed: Checkpoint, end: int, on_progress: OnProgress) -> Checkpoint:
        self.levels.grow(self.recorder, signed.size, end, on_progress)
        # Two trees out of the same hashes, the smaller of which is the one signed last, are consistent.
        if self.levels.root(signed.size) != signed.root:
            raise IntegrityBrokenError(f"{self.folder} changed while it grew; nothing was signed")
        return self._sign(Checkpoint(signed.origin, end, self.levels.root(end)))

    def _sign(self, checkpoint: Checkpoint) -> Checkpoint:
        write_whole(self.folder / CHECKPOINT, str(self.signed(str(checkpoint))).encode())
        return checkpoint

    def signed(self, text: str) -> Note:
        """A text signed with the log's key.

        Raises `LogKeyError` where that is not at hand, `LogLeftOutError` where the ledger's events name another one.
        """
        self.require_named()
        key = _private_key(self.key_path)
        if verifier_key(self.key.name, key) != self.key:
            raise LogKeyError(path=str(self.key_path), problem=Said("another one made this log"))
        return sign(text, self.key.name, key)

    def require_named(self) -> None:
        """Raise `LogLeftOutError` where the ledger's events name a log of another key."""
        begun = begun_in(self.recorder)
        if begun is not None and begun.verifier_key != str(self.key):
            raise LogLeftOutError(
                origin=begun.origin, problem=Said("in {folder} is one of another key", folder=self.folder)
            )

    def _size_beyond(self, signed: Checkpoint) -> int:
        """How many events the store holds; fewer than were signed are refused."""
        if (size := self.recorder.size()) < signed.size:
            raise IntegrityBrokenError(
                f"the store holds {size} events, {signed.size} were signed: it is an older copy, or events were removed"
            )
        return size

    def _is_borne_out(self, signed: Checkpoint) -> bool:
        """Whether the stored hashes give the root that was signed, and the store's event at its end is in it.

        It costs a few reads: a tail that was cut off and numbered again is found, not every change before it.
        """
        if not signed.size:
            return True
        last, tree = signed.size - 1, Tree(signed.size, self.levels.read)
        try:
            leaf = leaf_hash(self.recorder.leaf(last))
            verify_inclusion(index=last, size=signed.size, leaf=leaf, proof=tree.inclusion(last), root=signed.root)
            return tree.root() == signed.root
        except IntegrityBrokenError:
            return False

    def _rebuild(self, signed: Checkpoint, on_progress: OnProgress = lambda _: None) -> None:
        for left_over in self.folder.glob(f"{_UNDER_WAY}*"):
            rmtree(left_over, ignore_errors=True)
        with TemporaryDirectory(prefix=_UNDER_WAY, dir=self.folder) as room:
            anew = Levels(Path(room))
            anew.grow(self.recorder, 0, signed.size, on_progress)
            if anew.root(signed.size) != signed.root:
                raise IntegrityBrokenError(
                    f"the store's events are not those signed at size {signed.size}; find the first with `salur log verify`"
                )
            level = 0
            while anew.path(level).exists():
                anew.path(level).replace(self.levels.path(level))
                level += 1
        sync(self.folder)


# Making one


def begun_in(recorder: LedgerRecorder) -> LogBegun | None:
    """The event that names the ledger's log; None where nobody recorded it, as before there was such an event."""
    for stored in recorder.select_events(LOG_STREAM, limit=1):
        event = to_event(stored)
        if not isinstance(event, LogBegun):
            raise IntegrityBrokenError(f"{LOG_STREAM} begins with {stored.topic}; run `salur check`")
        return event
    return None


def create_log(folder: Path, recorder: LedgerRecorder, *, origin: str | None = None, key: Path | None = None) -> Log:
    """Make a ledger's log, with a new key unless there is one; a log that is there is opened.

    An interrupted making is finished by the same call. Raises `LogExistsError` where the log has another origin.
    """
    named = origin or f"salur/{leaf_hash(recorder.leaf(0)).hex()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / LOCK):
        if not (folder / CHECKPOINT).exists():
            _make(folder, named, key or folder / KEY)
    log = Log(folder, recorder, key=key)
    if origin is not None and log.key.name != origin:
        raise LogExistsError(folder=str(folder), origin=log.key.name)
    return log


def key_in(place: Path, *, origin: str, key: Path | None = None) -> str | None:
    """The verifier key of the log in a folder, or of the one that its private key would make under that name."""
    if (place / CHECKPOINT).exists() and (place / VERIFIER_KEY).exists():
        return (place / VERIFIER_KEY).read_text().removesuffix("\n")
    path = key or place / KEY
    return str(verifier_key(origin, _private_key(path))) if path.exists() else None


def _make(folder: Path, origin: str, key_path: Path) -> None:
    if Levels(folder).path(0).exists():
        raise IntegrityBrokenError(f"{folder} has hashes but no checkpoint; put a copy back that an auditor kept")
    if not key_path.exists():
        write_whole(key_path, secrets.token_bytes(SEED_BYTES), mode=0o600)
    key = _private_key(key_path)
    try:
        known = verifier_key(origin, key)
    except ValueError as error:
        raise ValueInvalidError(field="origin", problem=Said("{error}", error=error)) from None
    write_whole(folder / VERIFIER_KEY, f"{known}\n".encode())
    empty = Checkpoint(origin, 0, EMPTY_ROOT)
    write_whole(folder / CHECKPOINT, str(sign(str(empty), origin, key)).encode())
    sync(folder.parent)


def _private_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file: its 32 bytes as they are, or as PEM."""
    try:
        data = path.read_bytes()
        if len(data) == SEED_BYTES:
            return Ed25519PrivateKey.from_private_bytes(data)
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key = load_pem_private_key(data, password=None)
    except FileNotFoundError:
        raise LogKeyError(path=str(path), problem=Said("there is no such file")) from None
    except PermissionError:
        raise LogKeyError(path=str(path), problem=Said("only its owner may read it, and seals the log")) from None
    except (ValueError, TypeError):
        raise LogKeyError(path=str(path), problem=Said("it is neither 32 bytes nor a PEM without a password")) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise LogKeyError(path=str(path), problem=Said("it is not one of Ed25519"))
    return key
