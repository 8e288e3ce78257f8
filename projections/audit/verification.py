"""Establishes of a ledger, or of an export of one, that its history is complete, unchanged and agreed by two officers.

It trusts no more than it is told to: everything is computed anew from the events, and held against the log's signature,
against checkpoints that somebody kept, and against every file that lies with it. Nothing is written but to temporary
files, and no private key is asked for. The vault is examined where it and its key lie with the ledger.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import cast

from ledger.application.batches import proposals
from ledger.application.folder import BATCHES, EVENTS, SETTINGS, Place, require_ledger
from ledger.domain.errors import IntegrityBrokenError, LedgerError, ProofFailedError, Said
from ledger.store.durable import sha256_of
from ledger.store.errors import SettingsOfAnotherError, StoreFailedError
from ledger.store.recorder import EventLog, LedgerRecorder
from ledger.store.sqlite import is_unsettled, wal_of
from ledger.transparency.errors import LogMissingError
from ledger.transparency.log import CHECKPOINT, VERIFIER_KEY, Log
from ledger.transparency.notes import Note, VerifierKey
from ledger.transparency.quorum import PUBLISHED, require_quorum
from projections.audit import export as exports
from projections.audit.check import check_archive, check_readable, check_signatures, examine
from projections.audit.export import guide, is_export, journal, made_of_the_program
from projections.audit.exported import PublishedLog
from projections.audit.log_check import SignedLog, names_of_log
from projections.audit.log_check import verify as verify_log
from projections.audit.officers import officers_files, pem
from projections.audit.vault_law import NAME, check_vault
from projections.audit.vault_law import SENTENCE as VAULT_SENTENCE
from projections.laws.acts import SENTENCE, check_acts
from projections.laws.law import Breach, Law
from projections.laws.payment_lists import check_lists
from projections.relation.archive import ARCHIVE, Archive
from projections.relation.database import database_error
from projections.relation.kept_archive import KeptArchive
from projections.relation.relations import Segment, gaps
from projections.relation.spans import Source, Stored

OnProgress = Callable[[int], None]
"""Called with the number of events done since its last call; each event is counted twice."""

_LOG = "The events give the tree that the log signed and whose hashes it keeps, and continue every checkpoint given."
_UNNAMED = "no event names this log, so that settings without it would go unnoticed: record it with `salur log create`"
_STORE = (
    "The database finds no damage in itself, finds every event by its stream and version, and is that of the settings."
)
_FILES = "Every file of the export is listed, and has the SHA-256 that is listed."
_COLUMNS = "The archive's segments hold every event."
_BOOKS = "The journal is the one that follows from the events."
_KEYS = "The officers and keys listed are those in the events, and the log's key is that of its signature."
_WITNESSES = "The checkpoint that is given out was cosigned by as many of the witnesses as are demanded."
_QUERIES = "The queries, the verifier and the page are those that this version of the program writes."


@dataclass(frozen=True)
class Witnesses:
    """Whose cosignatures are demanded, and how many of them."""

    keys: tuple[VerifierKey, ...]
    quorum: int


@dataclass(frozen=True)
class Audit:
    """What was found, and what cannot be found so."""

    kind: str
    """`ledger` or `export`."""
    origin: str | None
    size: int
    laws: list[Law]
    not_shown: list[str]

    @property
    def holds(self) -> bool:
        """Whether nothing was found broken."""
        return all(law.holds for law in self.laws)


@dataclass(frozen=True)
class _Opened:
    events: EventLog
    source: Source[EventLog]
    archive: Archive | None
    lists: Path

    @property
    def size(self) -> int:
        """How many events there are; 0 where not even that can be read."""
        try:
            return self.events.size()
        except (IntegrityBrokenError, LedgerError):
            return 0


def audit(
    path: Path,
    *,
    key: VerifierKey | None = None,
    expected: Sequence[Path] = (),
    witnesses: Witnesses | None = None,
    on_progress: OnProgress = lambda _: None,
) -> Audit:
    """Examine every law of a ledger's folder or of an export, against a key and checkpoints that the asker trusts.

    Raises `LedgerMissingError` for a folder that is neither.
    """
    asked = partial(log_law, key=key, expected=expected, on_progress=on_progress)
    found = (
        _audit_export(path, asked, on_progress, key, expected)
        if is_export(path)
        else _audit_ledger(path, asked, on_progress, key, expected)
    )
    if witnesses is not None:
        found.laws.append(examined("log-witnessed", _WITNESSES, lambda: _witness_law(path, key, witnesses)))
    return found


def _witness_law(path: Path, key: VerifierKey | None, witnesses: Witnesses) -> Law:
    """Whether the checkpoint that is given out bears the cosignatures asked for."""
    place = None if is_export(path) else require_ledger(path).log
    folder = place.folder if place else path / exports.LOG
    known = key or VerifierKey.parse((folder / VERIFIER_KEY).read_text().removesuffix("\n"))
    given_out = folder / PUBLISHED
    note = Note.parse((given_out if given_out.exists() else folder / CHECKPOINT).read_bytes())
    law = Law("log-witnessed", _WITNESSES, checked=len(witnesses.keys))
    try:
        require_quorum(note, known, witnesses.keys, witnesses.quorum)
    except ProofFailedError as error:
        law.breach(Breach(None, "", str(error)))
    return law


def _audit_ledger(
    path: Path,
    log_law: Callable[[SignedLog, Source[EventLog]], tuple[Law, int]],
    on_progress: OnProgress,
    key: VerifierKey | None,
    expected: Sequence[Path],
) -> Audit:
    with _readable(require_ledger(path)) as place, closing(place.factory(read_only=True)) as factory:
        events = cast("LedgerRecorder", factory.application_recorder())
        source, not_shown = Stored(place, read_only=True), _never_shown(key, expected)
        log, problem = _log_of(place, events, not_shown)
        signed = _broken("log-signed", _LOG, problem or "the ledger has no transparency log, and was asked for one")
        waiting = 0

        def of_log() -> Law:
            nonlocal waiting
            law, waiting = log_law(cast("Log", log), source)
            return law

        if log is not None:
            signed = examined("log-signed", _LOG, of_log)
        if waiting:
            not_shown.append(f"The last {waiting} events are in no checkpoint yet: they can still be changed unseen.")
        has_none = not problem and log is None and key is None and not expected
        whole = examined("store-whole", _STORE, lambda: _store_law(place, events))
        archive = KeptArchive(path / ARCHIVE, events) if (path / ARCHIVE).is_dir() else None
        opened = _Opened(events, source, archive, path / BATCHES)
        laws = [
            *_laws_of_events(opened, is_export=False, on_progress=on_progress),
            *_vault_law(path, place, events, not_shown),
        ]
        origin = log.key.name if log else None
        return Audit("ledger", origin, opened.size, [whole, *laws] if has_none else [signed, whole, *laws], not_shown)


def _vault_law(path: Path, place: Place, events: LedgerRecorder, not_shown: list[str]) -> list[Law]:
    """The law of the vault where it and its key lie with the ledger; where not, that is added to what is not shown."""
    unshown: str | None = None

    def looked_through() -> Law:
        nonlocal unshown
        with _readable_vault(require_ledger(path)) as vault:
            law, unshown = check_vault(vault, events, is_audit=True, events=place)
        return law

    law = examined(NAME, VAULT_SENTENCE, looked_through)
    if unshown:
        not_shown.append(unshown)
    return [law] if law.checked or not law.holds else []


def _store_law(place: Place, events: LedgerRecorder) -> Law:
    law = Law("store-whole", _STORE, checked=events.size())
    for damage in events.damages():
        law.breach(Breach(None, place.database or EVENTS, damage))
    try:
        place.require_own(events)
    except SettingsOfAnotherError as error:
        law.breach(Breach(0, SETTINGS, str(error)))
    return law


def _log_of(place: Place, events: LedgerRecorder, not_shown: list[str]) -> tuple[Log | None, str]:
    """A ledger's log, or why that is a breach; where it need not be at hand, what therefore is not shown."""
    if place.log is not None:
        try:
            return Log(place.log.folder, events), ""
        except (LogMissingError, IntegrityBrokenError, OSError) as error:
            return None, str(error)
    try:
        named = names_of_log(events)
    except (IntegrityBrokenError, LedgerError):  # a damaged database, of which other laws tell
        named = []
    if not named:
        not_shown.append("This ledger has no transparency log: that its history was not changed cannot be shown.")
        return None, ""
    index, begun = named[0]
    if place.database is None:
        return None, f"event {index} names the log {begun.origin}, and the settings name none"
    not_shown.append(
        f"The ledger's log {begun.origin} is kept elsewhere: that its history was not changed is shown there."
    )
    return None, ""


def _audit_export(
    path: Path,
    log_law: Callable[[SignedLog, Source[EventLog]], tuple[Law, int]],
    on_progress: OnProgress,
    key: VerifierKey | None,
    expected: Sequence[Path],
) -> Audit:
    log, laws, not_shown = PublishedLog(path / exports.LOG), [_files_law(path)], _never_shown(key, expected)
    not_shown.append(
        "An export has no vault: that each number is one person, that nobody has two, and that the vault holds what was"
        " registered, is shown only where the vault and its key are (`salur check`), or of one person by what"
        " `salur recipient disclose` prints."
    )
    try:
        size, origin = log.checkpoint().size, log.key.name
    except IntegrityBrokenError as error:
        laws.append(_broken("log-signed", _LOG, f"{error}: nothing else can be examined"))
        return Audit("export", None, 0, laws, not_shown)
    events = log.recorder
    laws.append(examined("log-signed", _LOG, lambda: log_law(log, log)[0]))
    archive = KeptArchive(path / ARCHIVE, events)
    opened = _Opened(events, log, archive, path / exports.BATCHES)
    laws += _laws_of_events(opened, is_export=True, on_progress=on_progress)
    # Like every law, this one reads the columns, and holds only where the columns are what the events say.
    sound = archive if all(law.holds for law in laws if law.name == "archive-true") else None
    laws.append(examined("journal-true", _BOOKS, lambda: _journal_law(path, events, sound)))
    laws.append(examined("keys-listed", _KEYS, lambda: _keys_law(path, log)))
    laws.append(examined("queries-own", _QUERIES, lambda: _queries_law(path, size)))
    return Audit("export", origin, size, laws, not_shown)


def _never_shown(key: VerifierKey | None, expected: Sequence[Path]) -> list[str]:
    """What the asker would have to bring, or ask elsewhere."""
    found = []
    if key is None:
        found.append(
            "No --key was given: the log's key is the one that lies beside the data, and whoever wrote the data could"
            " have written it, too."
        )
    if not expected:
        found.append(
            "No --checkpoint was given: that an earlier history was not replaced by this one, or another shown to"
            " somebody else, is not shown. Keep this log's checkpoint for the next time."
        )
    found.append("Whether the officers' keys are theirs: ask each of them for the public key they hold.")
    return found


@contextmanager
def _readable(place: Place) -> Iterator[Place]:
    """Where the events can be read without writing there; raises `StoreFailedError` if they changed meanwhile."""
    events = place.folder / EVENTS
    if place.database is not None or not events.exists():
        yield place
        return
    if _would_be_written_to(events):
        with TemporaryDirectory(prefix="salur-") as room:
            yield replace(place, folder=_copied(events, Path(room)).parent)
        return
    before = events.stat()
    yield place
    after = events.stat()
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        raise StoreFailedError(
            reason=Said("{events} was written to meanwhile; audit a copy, or when nobody records", events=events)
        )


@contextmanager
def _readable_vault(place: Place) -> Iterator[Place]:
    """Where the vault can be read without writing there."""
    if place.database is not None or not _would_be_written_to(place.vault_file):
        yield place
        return
    with TemporaryDirectory(prefix="salur-") as room:
        yield replace(place, vault_copy=_copied(place.vault_file, Path(room)))


def _would_be_written_to(database: Path) -> bool:
    """Whether the write-ahead log of a killed process lies there: SQLite would write its index beside it."""
    return database.exists() and is_unsettled(database) and not database.with_name(f"{database.name}-shm").exists()


def _copied(database: Path, room: Path) -> Path:
    """The copy of a SQLite file with its write-ahead log."""
    for each in (database, wal_of(database)):
        copyfile(each, room / each.name)
    return room / database.name


# Laws


def _broken(name: str, sentence: str, detail: str) -> Law:
    law = Law(name, sentence)
    law.breach(Breach(None, "", detail))
    return law


def examined(name: str, sentence: str, work: Callable[[], Law]) -> Law:
    """A law, which is broken as well where what it is about cannot be read."""
    try:
        return work()
    except (IntegrityBrokenError, LedgerError, OSError, ValueError, database_error()) as error:
        return _broken(name, sentence, str(error).partition("\n")[0])


def log_law(
    log: SignedLog,
    source: Source[EventLog],
    *,
    key: VerifierKey | None,
    expected: Sequence[Path],
    on_progress: OnProgress,
) -> tuple[Law, int]:
    """The law of the log: that the events are those it signed; and how many events it has not signed yet."""
    found = verify_log(log, key=key, expected=expected, source=source, on_progress=on_progress)
    law = Law("log-signed", _LOG, checked=found.size)
    for sentence in found.broken:
        law.breach(Breach(None, "", sentence))
    if not found.is_named:
        law.notice(Breach(None, "", _UNNAMED))
    return law, found.waiting


def _laws_of_events(opened: _Opened, *, is_export: bool, on_progress: OnProgress) -> list[Law]:
    """Those of `salur check`, and the one of the lists."""
    events = opened.events
    readable = examined(
        "readable", "Every event can be read.", lambda: check_readable(opened.source, events.size(), on_progress)
    )
    signed = examined("signatures-valid", "Every act is signed.", lambda: check_signatures(events))
    exact = examined("acts-exact", SENTENCE, lambda: check_acts(events))
    segments: list[Segment] = []

    def archived() -> Law:
        law, found = check_archive(opened.archive)
        segments.extend(found)
        for first, end in gaps(found, events.size()) if is_export and law.holds else ():
            law.breach(Breach(None, ARCHIVE, f"no segment holds events {first} to {end - 1}"))
        return law

    columns = examined("archive-true", _COLUMNS, archived)
    also = [lambda connection: check_lists(connection, opened.lists, list(proposals(events)), is_export=is_export)]
    try:
        others = examine(events, segments if columns.holds else (), readable, also)
    except (IntegrityBrokenError, LedgerError, OSError, database_error()) as error:
        others = [_broken("laws", "Every law can be examined.", str(error).partition("\n")[0])]
    return [readable, signed, exact, columns, *others]


def _files_law(path: Path) -> Law:
    law = Law("files-listed", _FILES)
    listed: dict[str, str] = {}
    try:
        for line in (path / exports.SUMS).read_text(encoding="utf-8").splitlines():
            digest, _, name = line.partition("  ")
            listed[name] = digest
    except (OSError, UnicodeDecodeError) as error:
        law.breach(Breach(None, exports.SUMS, f"cannot be read: {error}"))
        return law
    there = {each.relative_to(path).as_posix(): each for each in exports.paths_of(path)}
    for name in sorted(listed.keys() | there.keys()):
        law.checked += 1
        if name not in there:
            law.breach(Breach(None, name, f"is in {exports.SUMS} and not there"))
        elif name not in listed:
            law.breach(Breach(None, name, f"is there and not in {exports.SUMS}"))
        elif sha256_of(there[name]) != listed[name]:
            law.breach(Breach(None, name, f"its SHA-256 is not the one in {exports.SUMS}"))
    return law


def _journal_law(path: Path, events: EventLog, archive: Archive | None) -> Law:
    law = Law("journal-true", _BOOKS)
    with (path / exports.JOURNAL).open(encoding="utf-8", newline="", errors="surrogateescape") as file:
        for transaction in journal(events, archive):
            law.checked += 1
            if file.read(len(transaction)) != transaction:
                title = transaction.strip().partition("\n")[0]
                law.breach(Breach(None, exports.JOURNAL, f"differs from the events at the transaction {title}"))
                return law
        if file.read(1):
            law.breach(Breach(None, exports.JOURNAL, "goes on where the events end"))
    return law


def _keys_law(path: Path, log: PublishedLog) -> Law:
    wanted = officers_files(log.recorder) | {exports.LOG_KEY: pem(log.key.public)}
    law = Law("keys-listed", _KEYS, checked=len(wanted))
    for name in _differing(path, wanted, (exports.OFFICERS,)):
        law.breach(Breach(None, name, "is not what the events say"))
    return law


def _queries_law(path: Path, size: int) -> Law:
    """A notice only: another version of the program has other queries."""
    wanted = made_of_the_program(size) | {exports.README: guide(path)}
    law = Law("queries-own", _QUERIES, checked=len(wanted))
    for name in _differing(path, wanted, (exports.QUERIES, exports.VERIFIER)):
        law.notice(Breach(None, name, "is not the one that this version of the program writes"))
    return law


def _differing(path: Path, wanted: dict[str, bytes], folders: Sequence[str]) -> Iterator[str]:
    there = {name for each in folders for file in (path / each).rglob("*") if (name := _name(path, file))}
    for name in sorted(wanted.keys() | there):
        file = path / name
        if name not in wanted or not file.is_file() or file.read_bytes() != wanted[name]:
            yield name


def _name(path: Path, file: Path) -> str:
    return file.relative_to(path).as_posix() if file.is_file() else ""
