"""What a disk may hold after the power is cut: a command's writes are written down, and each prefix of them is made again.

A library that is loaded before the C library (`logged.c`) notes every write, cut, sync, creation, renaming and removal
below a folder. `Recording` replays them over the files as they were before. After each of them the power may be cut, and
the disk then holds, by `Cut`:

- `SYNCED`: only what was synced, and names that a synced folder has;
- `WRITTEN`: all that was written (a killed process);
- `TORN`: all but the second half of the last write;
- `SHUFFLED`: what was synced, and any of the writes since, in no order.

What was acknowledged before the cut must be there, whole and in order, under each of them.
"""

import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

SECTOR = 512
_HEAD = struct.Struct("<cHIq")
"""Operation, length of the path, length of the data, offset."""
ACKNOWLEDGED = "acknowledged"


class Cut(StrEnum):
    """What of the writes since the last sync is on the disk when the power comes back."""

    SYNCED = "synced"
    WRITTEN = "written"
    TORN = "torn"
    SHUFFLED = "shuffled"


@dataclass(frozen=True)
class Record:
    """One thing that a process did to a file."""

    operation: str
    path: str
    offset: int
    data: bytes


@dataclass
class _File:
    synced: bytearray = field(default_factory=bytearray)
    since: list[Record] = field(default_factory=list)
    """What was done to it since it was synced, in order."""

    def content(self, cut: Cut, last: Record | None, chance: random.Random) -> bytes:
        found = bytearray(self.synced)
        for record in self.since if cut is not Cut.SYNCED else ():
            if cut is Cut.SHUFFLED and chance.random() < 0.5:
                continue
            half = len(record.data) // 2 // SECTOR * SECTOR if cut is Cut.TORN and record is last else len(record.data)
            _apply(found, record, half)
        return bytes(found)


def _apply(content: bytearray, record: Record, length: int) -> None:
    if record.operation == "T":
        del content[record.offset :]
        content.extend(bytes(record.offset - len(content)))
    else:
        content.extend(bytes(max(0, record.offset - len(content))))
        content[record.offset : record.offset + length] = record.data[:length]


def library(folder: Path) -> Path | None:
    """The library that writes down, built in a folder; None where no C compiler is at hand."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    made = folder / "logged.so"
    source = Path(__file__).with_name("logged.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl"], check=True)
    return made


class Recording:
    """A command that ran to its end on a copy of a desk, and all that it did there."""

    def __init__(
        self, base: Path, work: Path, library: Path, arguments: list[str], *, is_control: bool = False
    ) -> None:
        """Run it; `@` in an argument stands for the desk."""
        self.base, self.desk = base, work / "desk"
        shutil.copytree(base, self.desk)
        log = work / "log"
        watched = {"LD_PRELOAD": str(library), "POWER_ROOT": f"{self.desk}/", "POWER_LOG": str(log)}
        control = {"POWER_CONTROL": "1"} if is_control else {}
        told = subprocess.run(
            [
                sys.executable,
                "-P",
                "-m",
                "tests.survival.power.work",
                *[each.replace("@", str(self.desk)) for each in arguments],
            ],
            cwd=self.desk,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "SALUR_KEYS": "keys"} | watched | control,
            capture_output=True,
            text=True,
        )
        assert told.returncode == 0, told.stderr
        self.records = list(_records(log.read_bytes(), self.desk))

    def acknowledged(self, point: int) -> int:
        """The size of the log that the command had been told of, after so many of its records."""
        told = [each.data for each in self.records[:point] if each.path == ACKNOWLEDGED and each.operation == "W"]
        return int(b"".join(told).split()[-1]) if told else 0

    def disk(self, point: int, cut: Cut, into: Path) -> None:
        """Make the desk as it may be after the power was cut at a point."""
        files: dict[str, _File] = {}
        for path in self.base.rglob("*"):
            if path.is_file():
                files[str(path.relative_to(self.base))] = _File(bytearray(path.read_bytes()))
        names, synced_names = dict(files), dict(files)
        for record in self.records[:point]:
            self._follow(record, names, synced_names)
        last = next((each for each in reversed(self.records[:point]) if each.operation == "W"), None)
        chance = random.Random(point)
        into.mkdir(parents=True)
        for folder in [each for each in self.desk.rglob("*") if each.is_dir()]:
            (into / folder.relative_to(self.desk)).mkdir(parents=True, exist_ok=True)
        for name, file in (synced_names if cut is Cut.SYNCED else names).items():
            if not name.endswith("-shm"):  # what is shared in memory is made again from the rest
                (into / name).write_bytes(file.content(cut, last, chance))
                (into / name).chmod(0o600)

    @staticmethod
    def _follow(record: Record, names: dict[str, _File], synced_names: dict[str, _File]) -> None:
        path = record.path
        match record.operation:
            case "C":
                names[path] = _File()
            case "W" | "T":
                names.setdefault(path, _File()).since.append(record)
            case "R":
                names[record.data.decode()] = names.pop(path)
            case "U":
                names.pop(path, None)
            case "S" if path in names:
                file = names[path]
                for done in file.since:
                    _apply(file.synced, done, len(done.data))
                file.since.clear()
            case "S":  # a folder: the names in it are on the disk now
                inside = {name for name in {*names, *synced_names} if str(Path(name).parent) == (path or ".")}
                for name in inside:
                    synced_names.pop(name, None)
                    if name in names:
                        synced_names[name] = names[name]


def _records(log: bytes, root: Path) -> Iterator[Record]:
    at = 0

    def local(path: str) -> str:
        found = os.path.relpath(path, root)
        return "" if found == "." else found

    while at < len(log):
        operation, path_length, length, offset = _HEAD.unpack_from(log, at)
        at += _HEAD.size
        path = local(log[at : at + path_length].decode())
        data = log[at + path_length : at + path_length + length]
        at += path_length + length
        code = operation.decode()
        yield Record(code, path, offset, local(data.decode()).encode() if code == "R" else data)
