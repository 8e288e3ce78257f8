"""Files that are whole at any instant, also after a loss of power, and work that one process does at a time."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

POLL_S = 0.002
"""How often a waiting process tries a lock that another process holds."""


def sync(path: Path) -> None:
    """Wait until the content of a file, or the names in a folder, are on the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folder as a file; NTFS keeps a journal of its folders by itself
    # Windows flushes only what is open for writing.
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str | None:
    """The hash of a file's content; None where there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def write_whole(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Write a file so that at any instant its old or its new content is there, also after a loss of power.

    No instant passes in which somebody may read it whom the mode, less the mask of the process, does not let.
    """
    under_way = path.with_name(f"{path.name}.new")
    under_way.unlink(missing_ok=True)
    with os.fdopen(os.open(under_way, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    under_way.replace(path)
    sync(path.parent)


@contextmanager
def alone(lock: Path, *, is_removed: bool = False) -> Iterator[None]:
    """Let one process at a time do what is in this block; the lock ends with the process that holds it.

    The lock belongs to the open file: a file that stays behind does not mean that anybody holds the lock. Where it is
    removed at the end, whoever waited for it takes the file that is there then.
    """
    from filelock import lock_descriptor

    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            lock_descriptor(handle, poll_interval=POLL_S)
        except BaseException:
            os.close(handle)
            raise
        if not is_removed or _is_at(handle, lock):
            break
        os.close(handle)
    try:
        yield
    finally:
        if is_removed and os.name != "nt":
            lock.unlink(missing_ok=True)
        os.close(handle)
        if is_removed and os.name == "nt":  # it removes no file that is open, and so none that another one holds
            with suppress(OSError):
                lock.unlink()


def _is_at(handle: int, path: Path) -> bool:
    """Whether an open file is the one of that name."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), path.stat())
    return False
