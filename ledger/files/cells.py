"""From the bytes of a CSV or XLSX file to numbered rows of text cells.

A CSV file is read as a stream; a workbook's sheet is held in memory whole, because its format allows no other way.
"""

import codecs
import csv
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date, time
from functools import reduce
from typing import TYPE_CHECKING, BinaryIO

from ledger.domain.errors import Said, ValueInvalidError
from ledger.files.errors import FileBinaryError, FileChangedError, FileDamagedError, FileEmptyError, SheetSparseError

if TYPE_CHECKING:
    from _csv import Reader

_CHUNK_BYTES = 1 << 20
_ZIP_MAGIC = b"PK\x03\x04"
_DELIMITERS = ",;\t|"
_FILLED_CELL = re.compile(rb'\sr="([A-Z]{1,3})([0-9]{1,7})"[^>]*+(?<!/)>')
"""A cell's reference, such as `r="B7"`; only cells have one. A cell whose element closes at once is empty."""
_SHEET_KEY = re.compile(rb'<(?:\w+:)?sheet\s[^>]*:id="([^"]*)"')
_PLACES_MAX = 10_000_000
"""Of a sheet that is mostly empty: its reader takes 32 bytes for each cell up to the last row and the last column."""
_PLACES_A_CELL_MAX = 4
_SEP_LINE = re.compile(r'"?sep=([;,\t|])"?\s*', re.IGNORECASE)


def normal(header: str) -> str:
    """A column's name as it is compared: case, blanks around it, and the kind of blank in it do not matter."""
    return " ".join(re.sub(r"[_-]", " ", header).casefold().split())


class NumberCell(str):
    """The digits of a cell that a workbook holds as a number, not as text."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """What one reading of all bytes of a file says: hash and encoding."""

    sha256: str
    size_bytes: int
    encoding: str | None
    """The encoding of a text; None for a workbook."""


def scan(file: BinaryIO, name: str) -> Scan:
    """Hash the file as it arrived and find its encoding: by its byte-order mark, else UTF-8, else Windows-1252.

    Raises FileEmptyError, FileBinaryError or FileDamagedError.
    """
    file.seek(0)
    start = file.read(len(_ZIP_MAGIC))
    if not start:
        raise FileEmptyError(path=name)
    finder = None if start == _ZIP_MAGIC else _EncodingFinder(start, name)
    file.seek(0)
    sha256, size_bytes = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK_BYTES):
        sha256.update(chunk)
        size_bytes += len(chunk)
        if finder:
            finder.feed(chunk)
    return Scan(sha256.hexdigest(), size_bytes, finder.finish() if finder else None)


class _EncodingFinder:
    """The encodings that a text can still have, after as many of its bytes as were fed."""

    def __init__(self, start: bytes, name: str) -> None:
        self._name = name
        if start.startswith(codecs.BOM_UTF8):
            encodings = ["utf-8-sig"]
        elif start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            encodings = ["utf-16"]
        else:
            encodings = ["utf-8", "cp1252"]
        self._decoders = {each: codecs.getincrementaldecoder(each)() for each in encodings}
        self._is_marked = len(encodings) == 1
        self._has_multibyte = False

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        """Rule out the encodings in which these bytes are no text."""
        for encoding, decoder in list(self._decoders.items()):
            try:
                text = decoder.decode(chunk, final)
            except UnicodeDecodeError as error:
                self._drop(encoding, valid_bytes=error.object[: error.start])
                continue
            if "\0" in text:
                raise FileBinaryError(path=self._name)
            if encoding == "utf-8" and not text.isascii():
                self._has_multibyte = True
        # This bound keeps a file of one endless line out of memory.
        if len(chunk) == _CHUNK_BYTES and b"\n" not in chunk and b"\r" not in chunk:
            raise FileDamagedError(path=self._name, reason=Said("a line is longer than a million characters"))

    def _drop(self, encoding: str, valid_bytes: bytes) -> None:
        # A text that begins in UTF-8 and breaks off is cut or mixed; read as Windows-1252, each accent would become two
        # wrong signs.
        if self._is_marked or (encoding == "utf-8" and (self._has_multibyte or not valid_bytes.isascii())):
            raise FileDamagedError(
                path=self._name, reason=Said("it begins as {upper} text but does not go on so", upper=encoding.upper())
            )
        del self._decoders[encoding]
        if not self._decoders:
            raise FileBinaryError(path=self._name)

    def finish(self) -> str:
        """The encoding, UTF-8 before Windows-1252."""
        self.feed(b"", final=True)
        return next(iter(self._decoders))


class CsvSheet:
    """A CSV text, delimited by whichever sign makes most known columns of its first row."""

    def __init__(self, file: BinaryIO, found: Scan, name: str, known_columns: Container[str]) -> None:
        self._file, self._size_bytes, self._name = file, found.size_bytes, name
        file.seek(0)
        self._text = io.TextIOWrapper(file, encoding=found.encoding, newline="")
        stated = _SEP_LINE.fullmatch(self._text.readline())
        self._lines_before = 1 if stated else 0
        self._delimiter = stated[1] if stated else max(_DELIMITERS, key=lambda each: self._fit(each, known_columns))

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Each row that is not an empty line, with the number of the physical line where it begins."""
        rows = self._reader(self._delimiter)
        before = end = self._lines_before
        try:
            for cells in rows:
                begin, end = end + 1, rows.line_num + before
                if cells:
                    yield begin, cells
        except (csv.Error, OSError) as error:
            raise FileDamagedError(
                path=self._name, reason=Said("the row that begins in line {end}: {error}", end=end + 1, error=error)
            ) from None
        except UnicodeDecodeError:
            # Every byte was decoded before.
            raise FileChangedError(path=self._name) from None

    @property
    def progress(self) -> float:
        """The part of the bytes read so far, from 0 to 1."""
        return self._file.tell() / self._size_bytes

    def _reader(self, delimiter: str) -> "Reader":
        self._text.seek(0)
        if self._lines_before:
            self._text.readline()
        # Strict, so that a quote which is never closed is an error instead of swallowing the rest of the file.
        return csv.reader(self._text, delimiter=delimiter, strict=True, skipinitialspace=True)

    def _fit(self, delimiter: str, known_columns: Container[str]) -> tuple[int, int]:
        try:
            first: list[str] = next((cells for cells in self._reader(delimiter) if any(map(str.strip, cells))), [])
        except csv.Error:
            first = []
        return sum(normal(cell) in known_columns for cell in first), len(first)


class XlsxSheet:
    """One sheet of a workbook: the one named, else the first."""

    def __init__(self, file: BinaryIO, name: str, sheet: str | None) -> None:
        from python_calamine import CalamineError, SheetTypeEnum, load_workbook

        self._name, self._rows_read = name, 0
        _check_archive(file, name)
        file.seek(0)
        try:
            workbook = load_workbook(file)
            sheets = [each.name for each in workbook.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
            if sheet is not None and sheet not in sheets:
                problem = Said(
                    "the workbook has no sheet {sheet}; it has {sheets}", sheet=sheet, sheets=", ".join(sheets)
                )
                raise ValueInvalidError(field="sheet", problem=problem)
            if not sheets:
                raise FileEmptyError(path=name)
            wanted = sheet or sheets[0]
            _require_dense(file, name, workbook.sheet_names.index(wanted))
            self._sheet = workbook.get_sheet_by_name(wanted)
        except CalamineError as error:
            raise FileDamagedError(path=name, reason=str(error)) from None

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Each row that is not blank, with its number in the sheet; all have the same count of cells."""
        for number, cells in enumerate(self._sheet.iter_rows(), 1):
            self._rows_read = number
            texts = [_cell_text(cell) for cell in cells]
            if any(texts):
                yield number, texts

    @property
    def progress(self) -> float:
        """The part of the rows read so far, from 0 to 1."""
        return self._rows_read / max(1, self._sheet.total_height)


def _check_archive(file: BinaryIO, name: str) -> None:
    # The workbook reader stops at the end of the sheet's XML and so never compares the checksum, which comes after it.
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
            is_workbook = any(member.startswith("xl/") for member in archive.namelist())
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise FileDamagedError(path=name, reason=Said("as an archive: {error}", error=error)) from None
    if damaged is not None:
        raise FileDamagedError(path=name, reason=Said("the checksum of its part {damaged} is wrong", damaged=damaged))
    if not is_workbook:
        raise FileBinaryError(path=name)


def _require_dense(file: BinaryIO, name: str, index: int) -> None:
    """Refuse a sheet in which a stray cell far out would make its reader take memory for all that lies before it."""
    with zipfile.ZipFile(file) as archive:
        for part in _parts_of(archive, index):
            filled, column, row = _extent(archive, part)
            places = _number_of(column) * row
            if places > max(_PLACES_MAX, _PLACES_A_CELL_MAX * filled):
                raise SheetSparseError(path=name, last_cell=f"{column.decode()}{row}", filled=filled)


def _parts_of(archive: zipfile.ZipFile, index: int) -> list[str]:
    """The part that holds the sheet of that place in the workbook; all parts with sheets where that is not told."""
    parts = [each for each in archive.namelist() if re.fullmatch(r"xl/worksheets/[^/]+\.xml", each)]
    try:
        key = _SHEET_KEY.findall(archive.read("xl/workbook.xml"))[index]
        told = re.findall(rb"<(?:\w+:)?Relationship\s[^>]*>", archive.read("xl/_rels/workbook.xml.rels"))
        [relation] = [each for each in told if b' Id="%s"' % key in each]
        part = re.findall(rb' Target="(?:/xl/)?([^"]*)"', relation)[0].decode()
    except (KeyError, IndexError, ValueError):
        return parts
    return [f"xl/{part}"] if f"xl/{part}" in parts else parts


def _extent(archive: zipfile.ZipFile, part: str) -> tuple[int, bytes, int]:
    """How many cells of a sheet are filled, and the last column and row that have one."""
    filled, column, row, rest = 0, b"", 0, b""
    with archive.open(part) as sheet:
        while chunk := sheet.read(_CHUNK_BYTES):
            # A cell that may go on in the next chunk waits for it.
            whole, mark, begun = (rest + chunk).rpartition(b"<")
            rest = mark + begun
            cells = _FILLED_CELL.findall(whole)
            filled += len(cells)
            column = max({each for each, _ in cells} | {column}, key=_number_of)
            row = max({int(each) for _, each in cells} | {row})
    return filled, column, row


def _number_of(column: bytes) -> int:
    """A=1, Z=26, AA=27."""
    return reduce(lambda number, letter: number * 26 + letter - 64, column, 0)


def _cell_text(cell: object) -> str:
    """A cell as text: whole numbers without a fraction, dates in ISO form; a formula's error is already empty."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float):
        return NumberCell(_number_text(cell))
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)


def _number_text(number: float) -> str:
    if isinstance(number, int) or (number.is_integer() and abs(number) < 2**53):
        return str(int(number))
    text = repr(number)
    # 1200.125 would be read as a grouped 1,200,125; with a fourth digit only the true reading is left.
    return text + "0" if re.search(r"\.[0-9]{3}$", text) else text
