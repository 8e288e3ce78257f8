"""Making a ledger, and its log."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from ledger.application.attempt import Command
from ledger.application.folder import (
    BATCHES,
    EVENTS,
    LOG,
    SETTINGS,
    VAULT,
    VAULT_KEY,
    LogPlace,
    Place,
    fingerprint_of,
    is_free,
    write_settings,
)
from ledger.application.ledger import Ledger
from ledger.domain.errors import Said
from ledger.domain.event import Meta
from ledger.domain.log import LOG_STREAM, LogBegun
from ledger.domain.officer import require
from ledger.domain.opening import LEDGER_STREAM, LedgerOpened
from ledger.store.entries import Entry, to_row
from ledger.store.errors import DatabaseTakenError, FolderNotEmptyError, LedgerExistsError
from ledger.store.owners import made_for, make_database, make_folder
from ledger.store.recorder import Conflict, LedgerRecorder
from ledger.transparency.errors import LogExistsError, LogLeftOutError
from ledger.transparency.log import Log, begun_in, create_log, key_in
from ledger.transparency.notes import Checkpoint
from ledger.vault.errors import VaultKeyError


def create(
    folder: Path,
    command: Command,
    *,
    opened: LedgerOpened,
    now: Callable[[], datetime],
    database: str | None = None,
    with_log: bool = False,
    group: str | None = None,
) -> Ledger:
    """Make a ledger in a new or empty folder, or in an empty PostgreSQL database with such a folder beside it.

    With its transparency log, that and the key that signs it are in the same folder. The folder is its owner's, or also
    a group's; the keys are the owner's alone.

    An interrupted making is finished by the same call. Raises `LedgerExistsError`, `FolderNotEmptyError`,
    `DatabaseTakenError` or `OwnersGroupError`, and then nothing has changed.
    """
    place = Place(folder, database, group=group)
    if (folder / SETTINGS).exists():
        raise LedgerExistsError(folder=str(folder))
    if not is_free(folder):
        raise FolderNotEmptyError(folder=str(folder))
    with made_for(group):
        _require_untaken(place)
        _make_room(place)
        _open(place, command, opened=opened, now=now, with_log=with_log)
        made = Ledger(folder, now=now)
    if made.opened != opened:  # another run, interrupted or at the same time, opened the ledger on other terms
        made.close()
        raise LedgerExistsError(folder=str(folder))
    return made


def _make_room(place: Place) -> None:
    """The ledger's folder, with its vault and the key of that."""
    from ledger.vault.vault import Vault

    folder = place.folder
    make_folder(folder, place.group)
    (folder / BATCHES).mkdir(exist_ok=True)
    if place.database is None:
        make_database(folder / EVENTS)
        make_database(folder / VAULT)
    Vault.create(place.person_rows(), folder / VAULT_KEY)
    _require_own_vault(place)


def _open(place: Place, command: Command, *, opened: LedgerOpened, now: Callable[[], datetime], with_log: bool) -> None:
    """Record that the ledger is opened, make its log, and write the settings, which make it a ledger."""
    folder = place.folder
    factory = place.factory()
    recorder = cast("LedgerRecorder", factory.application_recorder())
    recorder.create_table()
    meta = Meta(recorded_at=now().astimezone(UTC), effective_on=command.effective_on, by=command.by, note=command.note)
    with suppress(Conflict):  # the interrupted run had written the event already
        recorder.append([to_row(Entry(LEDGER_STREAM, 1, meta, opened))])
    if with_log:
        place = replace(place, log=LogPlace(folder / LOG))
        log = create_log(folder / LOG, recorder)
        _record_begun(recorder, log, meta)
        log.grow()
    place = replace(place, fingerprint=fingerprint_of(recorder))
    factory.close()
    write_settings(place)


def _require_untaken(place: Place) -> None:
    """Refuse a database with a ledger in it, unless the folder holds the key of an interrupted making."""
    if place.database is None or (place.folder / VAULT_KEY).exists():
        return
    factory = place.factory()
    try:
        if cast("LedgerRecorder", factory.application_recorder()).is_there():
            raise DatabaseTakenError(folder=str(place.folder))
    finally:
        factory.close()


def _require_own_vault(place: Place) -> None:
    from ledger.vault.vault import Vault

    try:
        Vault(place.person_rows(), place.folder / VAULT_KEY).close()
    except VaultKeyError:
        if place.database is None:
            raise
        raise DatabaseTakenError(folder=str(place.folder)) from None


def begin_log(
    ledger: Ledger,
    command: Command,
    *,
    folder: Path | None = None,
    origin: str | None = None,
    key: Path | None = None,
) -> Checkpoint:
    """Make the log of a ledger that has none, or go on with one that is there; the ledger's folder remembers where it is.

    That there is a log, and its key, is recorded. Raises `LogExistsError` where the ledger has another one already, and
    `LogLeftOutError` where its events name another one; nothing has been made then.
    """
    place, recorder = ledger.place, ledger.store
    wanted = LogPlace(folder or place.folder / LOG, key)
    meta = command.meta(ledger.now())
    if command.by is not None:
        require(ledger.view().named_officer(command.by), None)
    begun = begun_in(recorder)
    if begun is not None:
        origin = _require_the_one(begun, wanted, origin)
    elif place.log is not None and place.log.folder.resolve() != wanted.folder.resolve():
        there = Log(place.log.folder, recorder)
        raise LogExistsError(folder=str(place.log.folder), origin=there.key.name)
    log = create_log(wanted.folder, recorder, origin=origin, key=key)
    if begun is None:
        _record_begun(recorder, log, meta)
    signed = log.grow()
    write_settings(replace(place, log=wanted, fingerprint=ledger.fingerprint))
    return signed


def _require_the_one(begun: LogBegun, wanted: LogPlace, origin: str | None) -> str:
    """The name of the log that the ledger's events name; raises `LogLeftOutError` unless it is in the folder wanted.

    Where only its private key is there, the log can be made anew from the events.
    """
    found = key_in(wanted.folder, origin=begun.origin, key=wanted.key)
    if found is None:
        raise LogLeftOutError(origin=begun.origin, problem=Said("there is none in {folder}", folder=wanted.folder))
    if found != begun.verifier_key or origin not in (None, begun.origin):
        problem = Said("in {folder} is one of another name or key", folder=wanted.folder)
        raise LogLeftOutError(origin=begun.origin, problem=problem)
    return begun.origin


def _record_begun(recorder: LedgerRecorder, log: Log, meta: Meta) -> None:
    """Record that the log is the ledger's; where another process was faster, the log tells by itself whether it is."""
    with suppress(Conflict):
        recorder.append([to_row(Entry(LOG_STREAM, 1, meta, LogBegun(verifier_key=str(log.key))))])
