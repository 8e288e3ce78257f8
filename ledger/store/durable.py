"""Files that are whole at any instant, also after a loss of power, and work that one process does at a time."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
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


def write_whole(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that at any instant its old or its new content is there, also after a loss of power."""
    under_way = path.with_name(f"{path.name}.new")
    under_way.unlink(missing_ok=True)
    with os.fdopen(os.open(under_way, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    under_way.replace(path)
    sync(path.parent)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Let one process at a time do what is in this block; the lock ends with the process that holds it."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
