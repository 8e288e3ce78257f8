"""Officers' tables, CSV or XLSX, read as a stream of rows whose values stand in the order of the fields asked for."""

import difflib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from errno import ENAMETOOLONG
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self, cast

from ledger.domain.errors import Said, ValueInvalidError, did_you_mean, shape_of
from ledger.files.cells import CsvSheet, NumberCell, XlsxSheet, normal, scan
from ledger.files.errors import (
    ColumnMapError,
    ColumnMissingError,
    FileChangedError,
    FileDamagedError,
    FileEmptyError,
    FileIsDirectoryError,
    FileMissingError,
    IdentifierAsNumberError,
    RowIncompleteError,
    ValueMissingError,
)
from ledger.files.rejects import Reject

_SCIENTIFIC = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)
_COLUMNS_SHOWN_MAX = 30
_NAME_SHOWN_MAX = 60


class Row(NamedTuple):
    """One row that can be read; whether its values make sense is not known yet."""

    line: int
    """Physical line where the row begins; in a workbook, the row's number."""
    values: tuple[str, ...]
    """One for each field, in the order of the fields, without blanks around it; empty if there is none."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column that a command wants, with the other names it may have in a header."""

    name: str
    aliases: tuple[str, ...] = ()
    required: bool = False
    """The column must be there, and each of its cells filled."""
    identifier: bool = False
    """Whether its digits are a name, such as an account's: no digit may be lost."""


class Table:
    """A table whose header is understood and whose rows can be read, from the top as often as needed."""

    def __init__(
        self, file: BinaryIO, name: str, fields: Sequence[Field], column_map: Mapping[str, str], sheet: str | None
    ) -> None:
        self._file, self._state, self._fields = file, _state_of(file), tuple(fields)
        found = scan(file, name)
        self.name, self.sha256, self.size_bytes = name, found.sha256, found.size_bytes
        self._sheet: CsvSheet | XlsxSheet
        if found.encoding is None:
            self._sheet = XlsxSheet(file, name, sheet)
        elif sheet is None:
            self._sheet = CsvSheet(file, found, name, _known_columns(fields, column_map))
        else:
            raise ValueInvalidError(
                field="sheet", problem=Said("{name} is a CSV file, which has none; leave it out", name=name)
            )
        header = next((cells for _, cells in self._sheet.records() if not _is_blank(cells)), None)
        if header is None:
            raise FileEmptyError(path=name)
        self._header, self._width = header, len(header)
        places = _places_of(self._fields, header, column_map, name)
        # A field without a column is read from a blank cell that is put behind each row.
        self._is_padded = None in places
        self._pick = _picker([self._width if place is None else place for place in places])
        self._identifiers = [
            (field, place)
            for field, place in zip(self._fields, places, strict=True)
            if field.identifier and place is not None
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def progress(self) -> float:
        """The part of the table read so far, from 0 to 1."""
        return self._sheet.progress

    def rows(self) -> Iterator[Row | Reject]:
        """Each row below the header, or why it cannot be read; blank rows and repeated headers are left out.

        Raises FileEmptyError and FileChangedError, which are known only after the last row, and FileDamagedError.
        """
        header, read_row, is_empty = self._header, self._row, True
        for line, cells in self._sheet.records():
            if cells != header and (row := read_row(line, cells)):
                is_empty = False
                yield row
        if _state_of(self._file) != self._state:
            raise FileChangedError(path=self.name)
        if is_empty:
            raise FileEmptyError(path=self.name)

    def _row(self, line: int, cells: list[str]) -> Row | Reject | None:
        if len(cells) != self._width:
            if _is_blank(cells):
                return None
            incomplete = RowIncompleteError(found=len(cells), expected=self._width)
            return Reject.of(incomplete, line=line, field="", text=" ".join(cells))
        if self._is_padded:
            cells.append("")
        values = tuple(map(str.strip, self._pick(cells)))
        if "" in values:
            if _is_blank(cells):
                return None
            for field, value in zip(self._fields, values, strict=True):
                if field.required and not value:
                    return Reject.of(ValueMissingError(field=field.name), line=line, field=field.name, text=value)
        for field, place in self._identifiers:
            if _is_cut_number(cells[place]):
                return Reject.of(IdentifierAsNumberError(), line=line, field=field.name, text=cells[place])
        return Row(line, values)


def open_table(
    path: Path | None,
    fields: Sequence[Field],
    column_map: Mapping[str, str],
    sheet: str | None = None,
    stdin: BinaryIO | None = None,
) -> Table:
    """Open a table and understand its header; without a path it is read from standard input.

    `column_map` is field → column, and comes before the names a field knows. What arrives through a pipe is first
    copied to a temporary file. Raises one of the refusals for files and columns.
    """
    name = "standard input" if path is None else str(path)
    try:
        if path is None:
            file = _spooled(stdin or sys.stdin.buffer)
        else:
            file = path.open("rb")
            if not file.seekable():
                with file as pipe:
                    file = _spooled(pipe)
    except (FileNotFoundError, NotADirectoryError):
        raise FileMissingError(path=name) from None
    except IsADirectoryError:
        raise FileIsDirectoryError(path=name) from None
    except PermissionError as error:
        raise FileDamagedError(path=name, reason=str(error.strerror)) from None
    except OSError as error:
        if error.errno == ENAMETOOLONG:  # no file can have such a name
            raise FileMissingError(path=name) from None
        raise
    try:
        return Table(file, name, fields, column_map, sheet)
    except BaseException:
        file.close()
        raise


def _spooled(stream: BinaryIO) -> BinaryIO:
    spool = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 -- closed with the table
    try:
        shutil.copyfileobj(stream, spool)
        spool.flush()
    except BaseException:
        with suppress(OSError):  # closing writes what is left, on a disk that may be full
            spool.close()
        raise
    return spool


def _state_of(file: BinaryIO) -> tuple[int, int]:
    state = os.fstat(file.fileno())
    return state.st_size, state.st_mtime_ns


def _picker(places: list[int]) -> Callable[[list[str]], tuple[str, ...]]:
    # itemgetter gives a tuple only for two places and more.
    return itemgetter(*places) if len(places) > 1 else lambda cells: tuple(cells[place] for place in places)


def _is_blank(cells: list[str]) -> bool:
    return not any(map(str.strip, cells))


def _is_cut_number(cell: str) -> bool:
    """An identifier of which a spreadsheet kept only the first digits: a long number, or 3.27302E+15 in a CSV file."""
    return (isinstance(cell, NumberCell) and len(re.findall("[0-9]", cell)) >= 15) or bool(_SCIENTIFIC.fullmatch(cell))


# How columns are found


def _known_columns(fields: Sequence[Field], column_map: Mapping[str, str]) -> frozenset[str]:
    known = [name for field in fields for name in (field.name, *field.aliases)]
    return frozenset(map(normal, [*known, *column_map.values()]))


def _places_of(
    fields: Sequence[Field], header: list[str], column_map: Mapping[str, str], path: str
) -> list[int | None]:
    """Where in the header the column of each field stands; None for an optional field that has no column."""
    names = [field.name for field in fields]
    for name, column in column_map.items():
        if name not in names:
            problem = Said(
                "there is no field {name}{nearest}; the fields are {names}",
                name=name,
                nearest=_nearest(name, names),
                names=", ".join(names),
            )
            raise ColumnMapError(given=_given(name, column), problem=problem)
    places: list[int | None] = []
    for field in fields:
        found = _stated_places(field, column_map, header) if field.name in column_map else _own_places(field, header)
        if len(found) > 1:
            columns = " and ".join(_shown([header[place] for place in found]))
            problem = Said("the columns {columns} both fit; say which one, or rename the others", columns=columns)
            raise ColumnMapError(given=_given(field.name, column_map.get(field.name, "COLUMN")), problem=problem)
        if not found and field.required:
            raise ColumnMissingError(path=path, field=field.name, columns=_listed(header))
        places.append(found[0] if found else None)
    return places


def _own_places(field: Field, header: list[str]) -> list[int]:
    """Columns that bear the field's own name, else those that bear one of its other names."""
    columns, aliases = list(map(normal, header)), set(map(normal, field.aliases))
    return [place for place, column in enumerate(columns) if column == normal(field.name)] or [
        place for place, column in enumerate(columns) if column in aliases
    ]


def _stated_places(field: Field, column_map: Mapping[str, str], header: list[str]) -> list[int]:
    wanted = column_map[field.name]
    found = [place for place, column in enumerate(header) if column.strip() and normal(column) == normal(wanted)]
    if not found:
        problem = Said(
            "there is no such column{nearest}; the columns are {header}",
            nearest=_nearest(wanted, _shown(header)),
            header=_listed(header),
        )
        raise ColumnMapError(given=_given(field.name, wanted), problem=problem)
    return found


def _nearest(wanted: str, names: list[str]) -> Said:
    by_normal = {normal(name): name for name in names}
    return did_you_mean([by_normal[each] for each in difflib.get_close_matches(normal(wanted), by_normal, n=1)])


def _given(name: str, column: str) -> str:
    return "=".join(_shown([name, column]))


def _listed(header: list[str]) -> str:
    names = [name for name in _shown(header) if name]
    return ", ".join(names[:_COLUMNS_SHOWN_MAX]) + (", …" if len(names) > _COLUMNS_SHOWN_MAX else "")


def _shown(header: list[str]) -> list[str]:
    """Names of columns for a message. Where they look like values, a person's data stands there: then only their
    shapes."""
    names = [name.strip()[:_NAME_SHOWN_MAX] for name in header]
    return [shape_of(name) for name in names if name] if any(map(_is_value, names)) else names


def _is_value(name: str) -> bool:
    digits = len(re.findall(r"\d", name))
    return digits >= 10 or (digits > 0 and not re.search(r"[^\W\d]", name))
