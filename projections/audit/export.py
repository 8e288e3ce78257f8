"""What a stranger is handed to verify a ledger: its log, columns, lists, keys, journal and queries, and how to use them.

All but the payment lists follows from the log's entries; so whoever verifies an export makes these files anew.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import TemporaryDirectory

from ledger.application.batches import proposals
from ledger.domain.batch import BatchApproved
from ledger.domain.opening import LedgerOpened
from ledger.store.durable import alone, sha256_of, sync, write_whole
from ledger.store.entries import to_entry, to_event
from ledger.store.errors import FolderNotEmptyError
from ledger.store.recorder import EventLog
from ledger.store.signed import split
from ledger.transparency.log import VERIFIER_KEY, Log
from ledger.transparency.merkle import TILE_WIDTH, Tile, entry_tiles_of, tiles_of
from projections.audit import published
from projections.audit.check import ABSENT
from projections.audit.exported import PublishedLog
from projections.audit.officers import officers_files, pem, tenures
from projections.laws.law import law_names, law_sql
from projections.relation.archive import ARCHIVE, Archive
from projections.relation.kept_archive import KeptArchive
from projections.relation.relations import empty_log, log_of, view_of
from projections.reports.catalogue import PROJECTIONS, read_alone
from projections.reports.engine import Reports, shared_views
from projections.reports.journal import journal_of

LOG, BATCHES, OFFICERS, QUERIES, VERIFIER = "log", "batches", "officers", "queries", "verifier"
OFFICERS_LIST, JOURNAL, README, SUMS = "officers.csv", "journal.hledger", "README.md", "SHA256SUMS"
LOG_KEY = "log-key.pem"
FOLDERS = (LOG, ARCHIVE, BATCHES, OFFICERS, QUERIES, VERIFIER)
LOCK = "lock"
NAMES = {*FOLDERS, LOG_KEY, OFFICERS_LIST, JOURNAL, README, SUMS, LOCK}
"""Of an export."""
_PAGE = 1_000

OnProgress = Callable[[str, int], None]
"""Called with the name of what is being written and the number of events done since its last call."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    origin: str
    size: int
    lists: int
    lists_missing: tuple[str, ...]
    """Batches whose list the ledger does not have as it was signed."""


def export(
    log: Log, folder: Path, *, archive: Archive | None, lists: Path, on_progress: OnProgress = lambda *_: None
) -> Exported:
    """Write all that a stranger needs into a folder; one that was interrupted or has grown old is gone on from.

    Of two at once into one folder, the second waits for the first. Raises `FolderNotEmptyError` for a folder that holds
    something else, or the export of another ledger.
    """
    _require_fit(folder, log)
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / LOCK, is_removed=True):
        _require_fit(folder, log)
        return _export(log, folder, archive, lists, on_progress)


def _require_fit(folder: Path, log: Log) -> None:
    """Refuse a folder that is neither free nor has an export of this log."""
    if not folder.exists():
        return
    if any(each.name.removesuffix(".new") not in NAMES for each in folder.iterdir()):
        raise FolderNotEmptyError(folder=str(folder))
    try:
        known = (folder / LOG / VERIFIER_KEY).read_text().removesuffix("\n")
    except FileNotFoundError:
        return
    if known != str(log.key):
        raise FolderNotEmptyError(folder=str(folder))


def _export(log: Log, folder: Path, archive: Archive | None, lists: Path, on_progress: OnProgress) -> Exported:
    (folder / SUMS).unlink(missing_ok=True)  # the list of hashes is written last, so that an unfinished export has none
    # First of all, so that what an interruption leaves says whose it is.
    _write(folder / LOG / VERIFIER_KEY, f"{log.key}\n".encode())
    size = published.export(log, folder / LOG, lambda done: on_progress("log", done))
    _remove_older_tiles(folder / LOG, size)
    events = PublishedLog(folder / LOG).recorder
    columns = KeptArchive(folder / ARCHIVE, events)
    sealed = [each for each in (archive.segments() if archive else ()) if each.last < size]
    columns.complete(sealed, lambda done: on_progress("archive", done))
    missing = _export_lists(events, lists, folder / BATCHES)
    _write_journal(events, columns, folder / JOURNAL, on_progress)
    for name in (OFFICERS, QUERIES, VERIFIER):
        rmtree(folder / name, ignore_errors=True)
    for path, content in {**officers_files(events), **made_of_the_program(size)}.items():
        _write(folder / path, content)
    _write(folder / LOG_KEY, pem(log.key.public))
    _write(folder / README, guide(folder))
    write_whole(folder / SUMS, b"".join(sums(folder)))
    sync(folder)
    proposed = sum(1 for _ in proposals(events))
    return Exported(log.key.name, size, proposed - len(missing), tuple(missing))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _remove_older_tiles(folder: Path, size: int) -> None:
    """Partial tiles of an earlier size: a log that is served keeps them, for those who hand it over they are strangers."""
    kept = {folder / tile.path() for tile in (*tiles_of(size), *entry_tiles_of(size)) if tile.width < TILE_WIDTH}
    for partial in folder.glob("tile/**/*.p/*"):
        if partial not in kept:
            partial.unlink()
    for empty in folder.glob("tile/**/*.p"):
        if not any(empty.iterdir()):
            empty.rmdir()


# The payment lists


def _export_lists(events: EventLog, source: Path, folder: Path) -> list[str]:
    """Copy each list that is the one signed; returns the batches of which there is none."""
    folder.mkdir(exist_ok=True)
    missing = []
    for proposal in proposals(events):
        name = proposal.list_name
        if sha256_of(folder / name) == proposal.rows_sha256:
            continue
        (folder / name).unlink(missing_ok=True)
        if sha256_of(source / name) == proposal.rows_sha256:
            copyfile(source / name, folder / name)
        else:
            missing.append(proposal.batch_id)
    return missing


# The journal


def journal(events: EventLog, columns: Archive | None) -> Iterator[str]:
    """The text of the journal over all events, transaction by transaction; from the events alone without columns."""
    with TemporaryDirectory(prefix="salur-") as room, Reports(events, columns) as reports:
        path = Path(room) / "journal"
        reports.write("journal", path, form="json", as_of=date.max)
        with path.open(encoding="utf-8", newline="") as lines:
            yield from journal_of(lines)


def _write_journal(events: EventLog, columns: Archive, path: Path, on_progress: OnProgress) -> None:
    under_way = path.with_name(f"{path.name}.new")
    with under_way.open("w", encoding="utf-8", newline="") as file:
        for transaction in journal(events, columns):
            file.write(transaction)
    under_way.replace(path)
    on_progress("journal", events.size())


# What follows from the program alone


def made_of_the_program(size: int) -> dict[str, bytes]:
    """Path → content: the queries of the reports and laws, what prepares them, and the verifier's source."""
    guide_folder = files("projections.audit.guide")
    queries = {f"{QUERIES}/{each.file}": each.sql for each in map(PROJECTIONS.__getitem__, read_alone())}
    queries |= {f"{QUERIES}/laws/{name.replace('-', '_')}.sql": law_sql(name) for name in law_names()}
    prepared = [
        *empty_log(),
        f"CREATE OR REPLACE VIEW log AS {log_of(repr(f'{ARCHIVE}/events-*.parquet'))}",
        *view_of(date.max, size),
        *shared_views(),
        ABSENT,
    ]
    texts = {path: text.rstrip().rstrip(";") + ";\n" for path, text in queries.items()}
    texts[f"{QUERIES}/prepare.sql"] = "".join(f"{statement.rstrip()};\n\n" for statement in prepared)
    texts[f"{QUERIES}/leaves.sql"] = guide_folder.joinpath("leaves.sql").read_text(encoding="utf-8")
    source = files("projections.audit").joinpath("verifier", "main.go").read_text(encoding="utf-8")
    texts[f"{VERIFIER}/main.go"] = source
    return {path: text.encode() for path, text in texts.items()}


# The page that tells how to verify


def guide(folder: Path) -> bytes:
    """The page for strangers, with this export's own names, sizes and commands filled in."""
    text = files("projections.audit.guide").joinpath("README.md").read_text(encoding="utf-8")
    log = PublishedLog(folder / LOG)
    signed = log.checkpoint()
    opened = [to_event(each) for each in log.recorder.page(1, 1)]
    name = next((each.name for each in opened if isinstance(each, LedgerOpened)), log.key.name)
    values = {
        "name": name,
        "origin": signed.origin,
        "size": str(signed.size),
        "last_event": str(signed.size - 1),
        "root": signed.root.hex(),
        "version": version("salur"),
        "contents": _contents(folder),
        "signature": _a_signature(log),
    }
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value)
    return text.encode()


def _contents(folder: Path) -> str:
    told = {
        LOG: "the checkpoint, the key, the entries, and the tiles of hashes over them (C2SP tlog-tiles)",
        ARCHIVE: "the same events as columns, for queries (Parquet)",
        BATCHES: "the payment list of each batch, recipients by number",
        LOG_KEY: "the log's key, for openssl",
        OFFICERS_LIST: "the officers, with the key each held from one event to another",
        OFFICERS: "these keys, for openssl",
        JOURNAL: "all postings, for hledger",
        QUERIES: "the reports and the laws, as SQL",
        VERIFIER: "a verifier in Go",
    }
    rows = []
    for name, what in told.items():
        paths = [each for each in (folder / name).rglob("*") if each.is_file()] if (folder / name).is_dir() else []
        paths = paths or [each for each in [folder / name] if each.is_file()]
        size_bytes = sum(each.stat().st_size for each in paths)
        is_folder = "/" if name in FOLDERS else ""
        rows.append(
            f"| `{name}{is_folder}` | {what}; {len(paths):,} file{'' if len(paths) == 1 else 's'}, {size_bytes:,} bytes |"
        )
    return "\n".join(rows)


def _a_signature(log: PublishedLog) -> str:
    """How to verify one officer's signature by hand: the newest approval's if there is one; empty where nobody signed."""
    events = log.recorder
    approvals = events.page(1, _PAGE, topics=(BatchApproved.TOPIC,))
    held = tenures(events)
    for stored in reversed(approvals):
        index, entry = int(stored.id) - 1, to_entry(stored)
        keys = [
            each
            for each in held
            if each.officer == entry.meta.by
            and each.public_key
            and each.from_event < index <= (each.until_event or index)
        ]
        if split(stored.state)[1] is None or not keys:
            continue
        first_bundle, _, first_bytes = _place_of(log, 0)
        bundle, offset, length = _place_of(log, index)
        values = {
            "index": str(index),
            "event": "a BatchApproved",
            "officer": str(entry.meta.by),
            "pem": f"{OFFICERS}/{keys[-1].officer}-{keys[-1].from_event}.pem",
            "first_bundle": first_bundle,
            "first_bytes": str(first_bytes),
            "bundle": bundle,
            "offset": str(offset),
            "bytes": str(length),
        }
        text = files("projections.audit.guide").joinpath("signature.md").read_text(encoding="utf-8")
        return text.format(**values)
    return ""


def _place_of(log: PublishedLog, index: int) -> tuple[str, int, int]:
    """The bundle that an entry stands in, its first byte there counted from 1, and its length."""
    size, number = log.recorder.size(), index // TILE_WIDTH
    tile = Tile(None, number, min(TILE_WIDTH, size - number * TILE_WIDTH))
    before = [line for lines in log.recorder.leaves(first=tile.first, until=index) for line in lines]
    return f"{LOG}/{tile.path()}", sum(2 + len(line) for line in before) + 3, len(log.recorder.leaf(index))


# What says that all is there


def paths_of(folder: Path) -> Sequence[Path]:
    """Every file of an export but its list of hashes, in order of name."""
    return sorted(each for each in folder.rglob("*") if each.is_file() and each != folder / SUMS)


def sums(folder: Path) -> Iterator[bytes]:
    """The lines of the list, as `sha256sum` writes and reads them."""
    for path in paths_of(folder):
        if path == folder / LOCK:  # of the process that writes this
            continue
        yield f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n".encode()


def is_export(folder: Path) -> bool:
    """Whether a folder looks like an export and not like a ledger."""
    return (folder / LOG / "tile").is_dir()
