"""Moving house: a second machine joins a ledger in a database, and a ledger is copied from one store to another.

A copy has the same events in the same order and bytes, the same vault under the same key, the same payment lists, and
the same log where that lies in the ledger's folder.
It goes on where it was interrupted, and is a ledger only when all of it is there.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import cast

from ledger.application.batches import fetch_list, proposals, share_list
from ledger.application.folder import (
    BATCHES,
    EVENTS,
    LOG,
    LOG_KEY,
    SETTINGS,
    VAULT,
    VAULT_KEY,
    LogPlace,
    Place,
    fingerprint_of,
    is_free,
    require_ledger,
    write_settings,
)
from ledger.application.ledger import Ledger
from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.opening import LEDGER_STREAM
from ledger.domain.recipient import RecipientErased
from ledger.store.durable import sync, write_whole
from ledger.store.errors import (
    CopyDiffersError,
    DatabaseEmptyError,
    DatabaseTakenError,
    FolderNotEmptyError,
    LedgerExistsError,
)
from ledger.store.owners import made_for, make_database, make_folder
from ledger.store.recorder import Conflict, LedgerRecorder
from ledger.transparency.log import CHECKPOINT, LOCK
from ledger.vault.errors import VaultKeyError
from ledger.vault.vault import Vault

PAGE_ROWS = 10_000
KEY_MODE = 0o600
_ERASED = {RecipientErased.TOPIC}

OnProgress = Callable[[int], None]
"""Called with the number of rows done since its last call."""


def join(folder: Path, *, database: str, group: str | None = None) -> Ledger:
    """Let a new or empty folder work with the ledger that is in a database; joining again changes nothing.

    The vault's key is not in the database: without a copy of it in the folder, everything works but personal data.
    """
    place = Place(folder, database, group=group)
    if (folder / SETTINGS).exists():
        if require_ledger(folder) != place:
            raise LedgerExistsError(folder=str(folder))
        return Ledger(folder)
    if not is_free(folder):
        raise FolderNotEmptyError(folder=str(folder))
    with closing(place.factory()) as factory:
        recorder = cast("LedgerRecorder", factory.application_recorder())
        if not recorder.is_there() or not recorder.select_events(LEDGER_STREAM, limit=1):
            raise DatabaseEmptyError(folder=str(folder))
        place = replace(place, fingerprint=fingerprint_of(recorder))
    with made_for(group):
        make_folder(folder, group)
        (folder / BATCHES).mkdir(exist_ok=True)
        write_settings(place)
        return Ledger(folder)


@dataclass(frozen=True)
class Copied:
    """What a finished copy holds."""

    events: int
    people: int
    log_sha256: str
    """Of the lines of the log, one JSON object an event; the same for the original and the copy."""


class Move:
    """A ledger's copy from one folder, with what it names, to another."""

    def __init__(self, source: Path, target: Path, *, database: str | None = None, group: str | None = None) -> None:
        """Refuses a target that is, or may become, another ledger; nothing has changed then."""
        self._source = require_ledger(source)
        self._target = Place(target, database, group=group)
        if (target / SETTINGS).exists():
            found = require_ledger(target)
            if database is not None and found != self._target:
                raise LedgerExistsError(folder=str(target))
            self._target = found
        elif not is_free(target):
            raise FolderNotEmptyError(folder=str(target))
        same_database = self._source.database is not None and self._source.database == self._target.database
        if same_database or source.resolve() == target.resolve():
            raise LedgerExistsError(folder=str(target))
        self.progress = 0.0
        """How much is done, 0 to 1."""
        self._erased: set[int] = set()
        """Numbers of the people whose erasure stands in the log."""

    def carry_out(self, on_progress: OnProgress = lambda _: None) -> Copied:
        """Copy what is missing in the target, and compare all of it; raises `CopyDiffersError` where it is different."""
        with closing(self._source.factory()) as factory:
            self._source.require_own(cast("LedgerRecorder", factory.application_recorder()))
        with made_for(self._target.group):
            return self._carry_out(on_progress)

    def _carry_out(self, on_progress: OnProgress) -> Copied:
        folder = self._target.folder
        make_folder(folder, self._target.group)
        (folder / BATCHES).mkdir(exist_ok=True)
        if self._target.database is None:
            make_database(folder / EVENTS)
            make_database(folder / VAULT)
        signed = self._newest_checkpoint()
        self._copy_key()
        with closing(self._source.vault()) as original:
            keyring = original.rows.keyring() or b""
            with closing(self._target.person_rows()) as rows:
                rows.create(lambda: keyring)
            with closing(self._opened_vault()) as vault:
                events, log_sha256 = self._copy_events(on_progress)
                # After the events: whoever stands in one of them was in the vault before.
                _follow(original, vault, without=self._erased)
                people = vault.count()
        self._copy_lists()
        self._copy_log(signed)
        write_settings(self._target)
        return Copied(events, people, log_sha256)

    def _copy_key(self) -> None:
        source, target = self._source.vault_key, self._target.folder / VAULT_KEY
        if not source.exists():
            raise VaultKeyError(path=str(source))
        if not target.exists():
            _copy_file(source, target, mode=KEY_MODE)
        if source.read_bytes() != target.read_bytes():
            raise LedgerExistsError(folder=str(self._target.folder))

    def _opened_vault(self) -> Vault:
        try:
            return self._target.vault()
        except VaultKeyError:
            raise DatabaseTakenError(folder=str(self._target.folder)) from None

    def _copy_events(self, on_progress: OnProgress) -> tuple[int, str]:
        with closing(self._source.factory()) as source_factory, closing(self._target.factory()) as target_factory:
            source = cast("LedgerRecorder", source_factory.application_recorder())
            target = cast("LedgerRecorder", target_factory.application_recorder())
            target.create_table()
            self._require_begun_with(source, target)
            while (done := target.size()) < (size := source.size()):
                rows = [
                    (str(row.originator_id), row.originator_version, row.topic, row.state)
                    for expected, row in enumerate(source.page(done + 1, PAGE_ROWS), start=done + 1)
                    if _require_sound(row.id, expected, row.state)
                ]
                try:
                    target.append(rows)
                except Conflict:  # another copying of the same ledger was faster, or it is another ledger
                    if target.size() == done:
                        raise CopyDiffersError(folder=str(self._target.folder), log_index=done) from None
                self.progress = (done + len(rows)) / size
                on_progress(len(rows))
            self._target = replace(self._target, fingerprint=fingerprint_of(target))
            return size, self._compared(source, target)

    def _require_begun_with(self, source: LedgerRecorder, target: LedgerRecorder) -> None:
        """Refuse a target whose first or last event is not the source's."""
        size = target.size()
        for index in (0, size - 1) if size else ():
            if list(source.lines(first=index, until=index + 1)) != list(target.lines(first=index, until=index + 1)):
                raise CopyDiffersError(folder=str(self._target.folder), log_index=index)

    def _compared(self, source: LedgerRecorder, target: LedgerRecorder) -> str:
        """The SHA-256 of both logs, compared event by event."""
        digest = hashlib.sha256()
        size = target.size()
        for index, (theirs, ours) in enumerate(zip_longest(_lines(source, size), self._lines(target, size))):
            if theirs != ours:
                raise CopyDiffersError(folder=str(self._target.folder), log_index=index)
            digest.update(ours)
        return digest.hexdigest()

    def _lines(self, recorder: LedgerRecorder, size: int) -> Iterator[bytes]:
        """The log's lines; on their way it is noted who is erased."""
        for block in recorder.blocks(until=size):
            lines = block.lines.splitlines(keepends=True)
            if not block.topics.isdisjoint(_ERASED):
                stored = (json.loads(line) for line in lines)
                self._erased |= {int(each["recipient_id"][1:]) for each in stored if each["topic"] in _ERASED}
            yield from lines

    def _newest_checkpoint(self) -> bytes | None:
        """The log's checkpoint before the events are copied: the copy has all that it was signed over."""
        if self._source.log is None or not self._source.has_own_log:
            return None
        with suppress(FileNotFoundError):
            return (self._source.log.folder / CHECKPOINT).read_bytes()
        return None

    def _copy_log(self, signed: bytes | None) -> None:
        """Copy a log in the ledger's folder, its checkpoint last; a log that is kept elsewhere stays the copy's log."""
        if (log := self._source.log) is None or self._target.log is not None:
            return
        if signed is not None:
            copied = self._target.folder / LOG
            copied.mkdir(exist_ok=True)
            if not (copied / CHECKPOINT).exists():
                for path in sorted(log.folder.iterdir()):
                    if path.is_file() and path.name not in (CHECKPOINT, LOCK):
                        _copy_file(path, copied / path.name, mode=KEY_MODE if path.name == LOG_KEY else 0o666)
                write_whole(copied / CHECKPOINT, signed)
            log = LogPlace(copied, log.key)
        self._target = replace(self._target, log=log)

    def _copy_lists(self) -> None:
        folder = self._target.folder / BATCHES
        with closing(self._source.factory()) as source_factory, closing(self._target.factory()) as target_factory:
            source = cast("LedgerRecorder", source_factory.application_recorder())
            target = cast("LedgerRecorder", target_factory.application_recorder())
            self._copy_files_of_lists()
            for proposal in proposals(target):
                if not (folder / proposal.list_name).exists():
                    fetch_list(source, proposal, folder)
                share_list(target, proposal, folder)

    def _copy_files_of_lists(self) -> None:
        for path in sorted((self._source.folder / BATCHES).glob("[!.]*")):
            target = self._target.folder / BATCHES / path.name
            if not target.exists():
                _copy_file(path, target)
        sync(self._target.folder / BATCHES)


def _lines(recorder: LedgerRecorder, size: int) -> Iterator[bytes]:
    for block in recorder.blocks(until=size):
        yield from block.lines.splitlines(keepends=True)


def _require_sound(notification_id: int, expected: int, state: object) -> bool:
    if notification_id != expected or not isinstance(state, bytes):
        raise IntegrityBrokenError(f"event {expected - 1} cannot be copied as it is; run `salur check`")
    return True


def _follow(original: Vault, copy: Vault, *, without: set[int]) -> None:
    """Let one vault hold the people of another but for the erased, and give no number that was given there.

    Raises `IntegrityBrokenError` where a row does not open: no copy is made of what was changed.
    """
    after = 0
    while page := original.rows.page(after, PAGE_ROWS):
        until = page[-1].number
        kept = [row for row in page if row.number not in without]
        if [row for row in copy.rows.page(after, len(page)) if row.number <= until] != kept:
            copy.rows.follow([original.with_hashes(row) for row in kept], after, until)
        after = until
    copy.rows.follow([], after, max(after, original.rows.highest()))
    if without:
        copy.rows.forget()


def _copy_file(source: Path, target: Path, *, mode: int = 0o666) -> None:
    """Copy a file under another name first, so that no half of it is ever taken for it.

    A key has a mode of its own from its first byte on.
    """
    unfinished = target.with_name(target.name + ".new")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with source.open("rb") as original, os.fdopen(handle, "wb") as copied:
        shutil.copyfileobj(original, copied)
    sync(unfinished)
    unfinished.replace(target)
