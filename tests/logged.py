"""A ledger with its log, and what both must hold, computed here from the database's rows and the definitions alone."""

import json
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from ledger.application.folder import LOG, LogPlace, Place, write_settings
from ledger.store.entries import StoredRow
from ledger.store.recorder import LedgerRecorder
from ledger.store.sqlite import LedgerFactory
from ledger.transparency.log import Log, create_log


def recorder_of(folder: Path) -> LedgerRecorder:
    recorder = LedgerFactory(folder / "events.db").application_recorder()
    assert isinstance(recorder, LedgerRecorder)
    return recorder


def add_log(folder: Path) -> None:
    """Give a ledger that has none its log."""
    recorder = recorder_of(folder)
    create_log(folder / LOG, recorder).grow()
    recorder.datastore.close()  # type: ignore[attr-defined]
    write_settings(Place(folder, None, LogPlace(folder / LOG)))


def some_rows(first: int, end: int) -> list[StoredRow]:
    return [(f"thing/{number:06}", 1, "Thing.v1", b'{"number":%d}' % number) for number in range(first, end)]


def append(folder: Path, first: int, end: int) -> None:
    recorder = recorder_of(folder)
    recorder.append(some_rows(first, end))
    recorder.datastore.close()  # type: ignore[attr-defined]


def execute(folder: Path, statements: str) -> None:
    """What somebody with rights on the database might do."""
    with closing(sqlite3.connect(folder / "events.db")) as database:
        database.executescript(statements)


def cut_to(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def turn(path: Path, bit: int) -> None:
    """Turn over one bit of a file."""
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def lines(folder: Path) -> list[bytes]:
    """The leaves: stream, version and topic in front of the stored object."""
    with closing(sqlite3.connect(folder / "events.db")) as database:
        rows = database.execute(
            "SELECT originator_id, originator_version, topic, state FROM stored_events ORDER BY rowid"
        ).fetchall()
    found = []
    for stream, version, topic, state in rows:
        place = json.dumps({"stream": stream, "version": version, "topic": topic}, separators=(",", ":"))
        found.append(place.encode()[:-1] + b"," + bytes(state)[1:])
    return found


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it is written."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def level_files(leaves: list[bytes]) -> dict[str, bytes]:
    """What the log's files of hashes must hold."""
    found, level, hashes = {}, 0, [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while hashes:
        found[f"level-{level}"] = b"".join(hashes)
        tiles = [hashes[at : at + 256] for at in range(0, len(hashes) // 256 * 256, 256)]
        hashes = [_tile_root(tile) for tile in tiles]
        level += 1
    return found


def _tile_root(tile: list[bytes]) -> bytes:
    while len(tile) > 1:
        tile = [sha256(b"\x01" + tile[at] + tile[at + 1]).digest() for at in range(0, len(tile), 2)]
    return tile[0]


def files_of(log: Log) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in log.folder.glob("level-*")}


def assert_whole(folder: Path) -> None:
    """The log holds every event of the store, is signed, and its files are exactly what they must be."""
    recorder = recorder_of(folder)
    log = Log(folder / LOG, recorder)
    leaves = lines(folder)
    signed = log.checkpoint()
    assert (signed.size, signed.root) == (len(leaves), root_of(leaves))
    assert files_of(log) == level_files(leaves)
    recorder.datastore.close()  # type: ignore[attr-defined]
