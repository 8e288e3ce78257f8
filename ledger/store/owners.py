"""Who may read the files of a ledger: the one who made it, or the members of one group as well.

The folder itself is closed to everybody else, and the mask of the process closes each file that is made in it, from the
instant that it is there. A key is its owner's alone, whatever the group. On Windows nothing of this is done: there the
rights of the folder above count.
"""

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ledger.domain.errors import Said
from ledger.store.errors import OwnersGroupError

OWNER_ONLY, OWNER_AND_GROUP = 0o077, 0o007
"""Masks: the rights that no new file has."""
_IS_WINDOWS = os.name == "nt"


def mask_of(group: str | None) -> int:
    """The mask of a process that makes files of a ledger."""
    return OWNER_ONLY if group is None else OWNER_AND_GROUP


@contextmanager
def made_for(group: str | None) -> Iterator[None]:
    """Let what is made in this block be its owner's, or also a group's; raises `OwnersGroupError` for an unfit group."""
    _gid_of(group)
    before = os.umask(mask_of(group))
    try:
        yield
    finally:
        os.umask(before)


def make_folder(folder: Path, group: str | None) -> None:
    """Make a ledger's folder, or close one that is there: whatever is made in it belongs to its group."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if _IS_WINDOWS:
        return
    if (gid := _gid_of(group)) is None:
        folder.chmod(0o700)
    else:
        os.chown(folder, -1, gid)
        folder.chmod(0o2770)


def make_database(path: Path) -> None:
    """Make an empty file that SQLite takes for a new database: by itself it would give the group no right to write."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666))


def _gid_of(group: str | None) -> int | None:
    """The number of a group that this user may give files to; None for no group."""
    if group is None or _IS_WINDOWS:
        return None
    from grp import getgrnam

    try:
        gid = getgrnam(group).gr_gid
    except KeyError:
        raise OwnersGroupError(group=group, problem=Said("there is none of that name")) from None
    if os.geteuid() != 0 and gid not in {*os.getgroups(), os.getegid()}:
        raise OwnersGroupError(group=group, problem=Said("you are not in it"))
    return gid


def open_to_others(folder: Path, keys: Sequence[Path], group: str | None) -> list[str]:
    """A sentence for the folder and for each key that others may read, with the command that closes it."""
    if _IS_WINDOWS:
        return []
    found, whose = [], "its owner" if group is None else f"its owner and the group {group}"
    if folder.stat().st_mode & mask_of(group):
        rights = "go=" if group is None else "o="
        command = f"chmod -R {rights} {shlex.quote(str(folder))}"
        found.append(f"{folder} is open to others than {whose}: close it with `{command}`")
    open_keys = [key for key in keys if key.exists() and key.stat().st_mode & OWNER_ONLY]
    return found + [
        f"{key} is open to others than its owner: close it with `chmod 600 {shlex.quote(str(key))}`"
        for key in open_keys
    ]
