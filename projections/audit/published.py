"""The transparency log as outsiders read it (C2SP tlog-tiles): its checkpoint, tiles of hashes and bundles of entries.

Everything comes straight from the log's files and the ledger's store; nothing is kept a second time but in an export.
"""

import struct
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ledger.domain.errors import IntegrityBrokenError, ProofFailedError
from ledger.store.durable import write_whole
from ledger.store.errors import FolderNotEmptyError
from ledger.transparency.errors import CheckpointUnpublishedError
from ledger.transparency.log import CHECKPOINT, VERIFIER_KEY, Log
from ledger.transparency.merkle import TILE_WIDTH, Tile, entry_tiles_of, tile_at, tiles_of
from ledger.transparency.notes import Checkpoint, Note, checkpoint_of
from ledger.transparency.quorum import published

OnProgress = Callable[[int], None]
"""Called with the number of events done since its last call."""


def tile_bytes(log: Log, tile: Tile) -> bytes:
    """What is served of a tile: its hashes behind one another, or its entries, each behind its length."""
    if tile.level is not None:
        return log.levels.read(tile.level, tile.first, tile.width)
    entries = [line for lines in log.recorder.leaves(first=tile.first, until=tile.first + tile.width) for line in lines]
    if len(entries) != tile.width:
        raise IntegrityBrokenError(f"event {tile.first + len(entries)} is not in the store; run `salur log verify`")
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def is_in(tile: Tile, size: int) -> bool:
    """Whether a tree of that size has the tile at that width, be it that it has grown since."""
    hashes: int = size // TILE_WIDTH ** (tile.level or 0)
    return tile.first + tile.width <= hashes


# A folder of files


def export(log: Log, folder: Path, on_progress: OnProgress = lambda _: None) -> int:
    """Write the log as a folder that any web server can serve; returns the log's size.

    What an earlier export left is gone on from, and so is one that was interrupted; the checkpoint is written last.
    Raises `FolderNotEmptyError` for a folder that holds something else.
    """
    note = published(log)
    signed = checkpoint_of(note, log.key)
    since = _exported(log, folder, signed.size)
    for tile in entry_tiles_of(signed.size, since=since):
        _write(folder / tile.path(), tile_bytes(log, tile))
        on_progress(tile.width)
    for tile in tiles_of(signed.size, since=since):
        _write(folder / tile.path(), tile_bytes(log, tile))
    _write(folder / VERIFIER_KEY, f"{log.key}\n".encode())
    write_whole(folder / CHECKPOINT, str(note).encode())
    return signed.size


def _exported(log: Log, folder: Path, size: int) -> int:
    """The size up to which a folder already holds this log."""
    if not folder.exists() or all(each.name in ("tile", VERIFIER_KEY) for each in folder.iterdir()):
        return 0
    try:
        found = checkpoint_of(Note.parse((folder / CHECKPOINT).read_bytes()), log.key)
    except (FileNotFoundError, ProofFailedError):
        raise FolderNotEmptyError(folder=str(folder)) from None
    if found.size > size or log.levels.root(found.size) != found.root:
        raise IntegrityBrokenError(f"the log does not continue the one exported to {folder}, of {found.size} events")
    return found.size


def _write(path: Path, data: bytes) -> None:
    """A whole file or none; one that is there as it shall be is left alone."""
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    under_way = path.with_name(f"{path.name}.new")
    under_way.write_bytes(data)
    under_way.replace(path)


# A server


class _Handler(BaseHTTPRequestHandler):
    server: "LogServer"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # the library's name
        self._answer(with_body=True)

    def do_HEAD(self) -> None:  # the library's name
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        try:
            body, kind, caching = self._found()
        except (FileNotFoundError, CheckpointUnpublishedError):
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        except Exception as error:  # noqa: BLE001  # whatever it is, the operator is told and the reader gets an answer
            self.log_error("%s", error)
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", caching)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _found(self) -> tuple[bytes, str, str]:
        """The body, its type, and how long it stays as it is."""
        log, name = self.server.transparency_log, self.path.partition("?")[0].removeprefix("/")
        if name == CHECKPOINT:
            return str(published(log)).encode(), "text/plain; charset=utf-8", "no-cache"
        if name == VERIFIER_KEY:
            return f"{log.key}\n".encode(), "text/plain; charset=utf-8", "no-cache"
        tile = tile_at(name)
        if tile is None or not is_in(tile, Checkpoint.parse(published(log).text).size):
            raise FileNotFoundError
        return tile_bytes(log, tile), "application/octet-stream", "public, max-age=31536000, immutable"


class LogServer(ThreadingHTTPServer):
    """Serves a log, and only that, to whoever asks; nothing can be written through it."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], log: Log) -> None:
        super().__init__(address, _Handler)
        self.transparency_log = log

    def url(self) -> str:
        """The address at which the log is served."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/"
