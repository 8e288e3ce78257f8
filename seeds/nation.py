"""Invented people, as many as a nation has, and the tables in which their data arrive.

A person is a number: under one seed it always gives the same person. Nobody alive can be meant: the NIK begins with
00, a province that does not exist; names are put together from words for things; accounts begin with 000.
"""

import os
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import NamedTuple

SERIALS = 9_999
"""People of one invented district; the last four digits of a NIK run from 0001."""
POPULATION = SERIALS * 10_000
OLDEST, YOUNGEST = date(1958, 1, 1), date(2001, 12, 31)
WOMAN_DAYS = 40
"""Added to the day of birth in a woman's NIK."""

# The numbers of names, regions and births share no factor: who shares one with a neighbor shares no other.
_FIRST = (
    "Awan Bambu Batik Cemara Damar Delima Embun Fajar Gading Hujan Intan Jati Kabut Kapas Kenanga Kopi Kunyit Lada "
    "Langit Lontar Mangga Meranti Nipah Ombak Padi Pandan Pala Rotan Sagu Samudra Senja Serai Suji Tebu Telaga Teratai "
    "Ubi Wangi Waru Widuri Zaitun"
)
_LAST = (
    "Angin Arus Bukit Danau Daratan Gelombang Gunung Halaman Jagung Jembatan Karang Kebun Kelapa Laguna Lembah Lereng "
    "Lumbung Muara Padang Pantai Pasir Payung Pelita Perahu Purnama Rimba Sawah Selat Seruling Sungai Tanjung Tepian "
    "Teluk Terang Tikar Titian Ufuk"
)
_REGIONS = (
    "12.71 16.71 18.71 31.71 31.74 32.04 32.16 32.73 33.22 33.74 34.71 35.07 35.78 36.03 36.71 51.71 52.71 53.71 61.71 "
    "63.71 64.71 65.71 71.71 73.06 73.71 81.71 82.71 91.71 92.71"
)


class Person(NamedTuple):
    """One invented person."""

    nik: str
    name: str
    account: str
    region: str
    """Kemendagri code of a regency or city that exists."""


class Nation:
    """Everybody there is under one seed."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        days = [OLDEST + timedelta(days) for days in range((YOUNGEST - OLDEST).days + 1)]
        births = [f"{day.day + extra:02d}{day:%m%y}" for day in days for extra in (0, WOMAN_DAYS)]
        names = [f"{first} {last}" for first in _FIRST.split() for last in _LAST.split()]
        self._births = chance.sample(births, len(births))
        self._names = chance.sample(names, len(names))
        regions = _REGIONS.split()
        self._regions = chance.sample(regions, len(regions))

    def people(self, numbers: range) -> Iterator[Person]:
        """The people of these numbers, each below `POPULATION`; no two share a NIK or an account."""
        births, names, regions = self._births, self._names, self._regions
        birth_count, name_count, region_count = len(births), len(names), len(regions)
        for number in numbers:
            district, serial = divmod(number, SERIALS)
            yield Person(
                f"00{district:04d}{births[number % birth_count]}{serial + 1:04d}",
                names[number % name_count],
                f"000{number:09d}",
                regions[number % region_count],
            )

    def niks(self, numbers: range) -> Iterator[str]:
        """The national ids of these people, in order."""
        return (person.nik for person in self.people(numbers))


@dataclass(frozen=True)
class Table:
    """A file as it arrives from another office; its cells need no quoting."""

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[str]]
    """Read once, when the file is written."""
    delimiter: str = ","
    newline: str = "\n"
    has_mark: bool = False
    """Whether it begins with a byte-order mark, as spreadsheets write it."""

    def write(self, folder: Path) -> None:
        """Write the file unless it is there: it gets its name only when it is complete."""
        path = folder / self.name
        if path.exists():
            return
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        join, end = self.delimiter.join, self.newline
        try:
            with temporary.open("w", encoding="utf-8-sig" if self.has_mark else "utf-8", newline="") as file:
                file.writelines(join(cells) + end for cells in chain([self.header], self.rows))
            temporary.replace(path)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()
