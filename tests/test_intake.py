import contextlib
import csv
import hashlib
import io
import os
import threading
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from ledger.domain.errors import LedgerError, ValueInvalidError
from ledger.domain.money import Currency
from ledger.files.amounts import parse_amount
from ledger.files.errors import (
    ColumnMapError,
    ColumnMissingError,
    FileBinaryError,
    FileChangedError,
    FileDamagedError,
    FileEmptyError,
    FileIsDirectoryError,
    FileMissingError,
    SheetSparseError,
)
from ledger.files.rejects import Reject, RejectsFile
from ledger.files.tables import Field, Row, open_table

FIELDS = (
    Field("recipient", ("nik", "no ktp"), required=True, identifier=True),
    Field("amount", ("jumlah", "nominal", "jumlah (rp)"), required=True),
    Field("note", ("catatan",)),
)
CANARY_NAME, CANARY_NIK = "Sitinurhaliza", "3273015501900001"


def read(
    path: Path, fields: Sequence[Field] = FIELDS, sheet: str | None = None, **column_map: str
) -> list[Row | Reject]:
    with open_table(path, fields, column_map, sheet) as table:
        return list(table.rows())


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "rows.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def active_sheet(book: Workbook) -> Worksheet:
    assert isinstance(book.active, Worksheet)
    return book.active


@pytest.fixture
def xlsx_file(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: Sequence[object]) -> Path:
        book = Workbook()
        for row in rows:
            active_sheet(book).append(list(row))
        path = tmp_path / "rows.xlsx"
        book.save(path)
        return path

    return write


# CSV


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_table_reads_the_same_in_every_dialect(
    csv_file: Callable[..., Path], delimiter: str, encoding: str, newline: str
) -> None:
    text = newline.join(["nik_jumlah_catatan", "007_1200_André", "008_1300_"]).replace("_", delimiter)
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    path = csv_file((mark + text).encode(encoding))
    assert read(path) == [Row(2, ("007", "1200", "André")), Row(3, ("008", "1300", ""))]


def test_values_stand_in_the_order_of_the_fields_and_absent_columns_are_blank(csv_file: Callable[..., Path]) -> None:
    assert read(csv_file("nama,jumlah, NO_KTP \nBudi, 1200 ,07\n")) == [Row(2, ("07", "1200", ""))]


def test_a_sep_line_states_the_delimiter(csv_file: Callable[..., Path]) -> None:
    assert read(csv_file("sep=|\r\nnik|jumlah\r\n1|1,5;0\r\n")) == [Row(3, ("1", "1,5;0", ""))]


def test_the_delimiter_is_the_one_that_makes_known_columns(csv_file: Callable[..., Path]) -> None:
    assert read(csv_file("nik;jumlah (rp);alamat (jalan, nomor, kota)\n1;1,200,000;x\n")) == [
        Row(2, ("1", "1,200,000", ""))
    ]


def test_lines_are_counted_as_an_editor_counts_them(csv_file: Callable[..., Path]) -> None:
    path = csv_file('\n;;\nnik;jumlah;catatan\n\n1;2;"two\nlines"\n;;\nnik;jumlah;catatan\n2;3;x\n4;5\n')
    rows = read(path)
    assert rows[:2] == [Row(5, ("1", "2", "two\nlines")), Row(9, ("2", "3", "x"))]
    assert [(row.line, row.code) for row in rows[2:] if isinstance(row, Reject)] == [(10, "row_incomplete")]


def test_a_row_with_a_wrong_count_of_cells_or_an_empty_required_cell_is_rejected(csv_file: Callable[..., Path]) -> None:
    rows = read(csv_file("nik;jumlah\n1;2\n3\n4;5;6\n7; \n8;9"))
    assert [(type(row), row.line) for row in rows] == [(Row, 2), (Reject, 3), (Reject, 4), (Reject, 5), (Row, 6)]
    assert [(row.code, row.field) for row in rows if isinstance(row, Reject)] == [
        ("row_incomplete", ""),
        ("row_incomplete", ""),
        ("value_missing", "amount"),
    ]


@pytest.mark.parametrize("tail", ['5;"6\n7;8\n9;10\n', '5;6;"', '5;"a"b\n', '5;"' + "x" * 200_000 + '"\n'])
def test_broken_quotes_and_endless_fields_swallow_no_rows_silently(csv_file: Callable[..., Path], tail: str) -> None:
    path = csv_file("nik;jumlah\n1;2\n" + tail)
    with open_table(path, FIELDS, {}) as table:
        rows = table.rows()
        assert next(rows) == Row(2, ("1", "2", ""))
        with pytest.raises(FileDamagedError, match="line 3"):
            list(rows)


def test_an_identifier_that_excel_wrote_in_scientific_form_is_rejected(csv_file: Callable[..., Path]) -> None:
    rows = read(csv_file("nik;jumlah\n3,27302E+15;1200\n3.27E+15;1200\n"))
    assert [row.code for row in rows if isinstance(row, Reject)] == ["identifier_as_number"] * 2


def test_rows_can_be_read_again_and_progress_ends_at_one(csv_file: Callable[..., Path]) -> None:
    content = "nik;jumlah\n" + "1;2\n" * 5_000
    with open_table(csv_file(content), FIELDS, {}) as table:
        assert list(table.rows()) == list(table.rows())
        assert table.progress == 1
        assert table.size_bytes == len(content)
        assert table.sha256 == hashlib.sha256(content.encode()).hexdigest()


@given(st.lists(st.tuples(*[st.text(alphabet='aé;,"\n 0', min_size=1).map(lambda text: f"x{text}x")] * 3), min_size=1))
def test_whatever_the_csv_module_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[str, str, str]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([("nik", "jumlah", "catatan"), *values])
    assert [row.values for row in read(path) if isinstance(row, Row)] == values


# Where tables come from


def test_standard_input_is_read_like_a_file() -> None:
    content = b"nik;jumlah\n1;2\n"
    with open_table(None, FIELDS, {}, stdin=io.BytesIO(content)) as table:
        assert list(table.rows()) == [Row(2, ("1", "2", ""))]
        assert (table.name, table.sha256) == ("standard input", hashlib.sha256(content).hexdigest())


def test_a_named_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"nik;jumlah\n1;2\n",))
    writer.start()
    assert read(tmp_path / "pipe") == [Row(2, ("1", "2", ""))]
    writer.join()


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        read(tmp_path / "none.csv")
    with pytest.raises(FileIsDirectoryError):
        read(tmp_path)


@pytest.mark.parametrize("content", ["", "\n\n", " \n\t\n", "nik;jumlah\n", "nik;jumlah\n\n;\nnik;jumlah\n"])
def test_a_file_without_rows_is_refused(csv_file: Callable[..., Path], content: str) -> None:
    with pytest.raises(FileEmptyError):
        read(csv_file(content))


@pytest.mark.parametrize(
    "content", [b"nik;jumlah\n1;\0\n", b"\x89PNG\r\n\x1a\n\0", b"nik;jumlah\n1;\x81\n", "nik".encode("utf-32")]
)
def test_what_is_no_text_is_refused(csv_file: Callable[..., Path], content: bytes) -> None:
    with pytest.raises(FileBinaryError):
        read(csv_file(content))


@pytest.mark.parametrize(
    "content",
    ["nik;jumlah\né;2\n".encode() + b"\xe9;3\n", "nik;jumlah\né;é".encode()[:-1], "\ufeffnik\n".encode() + b"\xe9"],
)
def test_text_that_stops_being_utf8_is_refused_rather_than_falsified(
    csv_file: Callable[..., Path], content: bytes
) -> None:
    with pytest.raises(FileDamagedError):
        read(csv_file(content))


def test_a_line_without_end_is_refused(csv_file: Callable[..., Path]) -> None:
    with pytest.raises(FileDamagedError):
        read(csv_file(b"x" * 3_000_000))


def test_a_file_that_changes_while_it_is_read_is_refused(csv_file: Callable[..., Path]) -> None:
    path = csv_file("nik;jumlah\n" + "1;2\n" * 50_000)
    with open_table(path, FIELDS, {}) as table:
        rows = table.rows()
        next(rows)
        with path.open("a") as file:
            file.write("3;4\n")
        with pytest.raises(FileChangedError):
            list(rows)


# Columns


def test_a_stated_column_comes_before_the_known_names(csv_file: Callable[..., Path]) -> None:
    path = csv_file("nik;jumlah;Nilai Bantuan\n1;2;3\n")
    assert read(path, amount="nilai-bantuan") == [Row(2, ("1", "3", ""))]
    assert read(path, amount="nik") == [Row(2, ("1", "1", ""))]


@pytest.mark.parametrize(
    ("header", "column_map", "hint"),
    [
        ("nik;jumlah", {"amont": "jumlah"}, "did you mean amount?"),
        ("nik;jumlah", {"amount": "jumlh"}, "did you mean jumlah?"),
        ("nik;jumlah;nominal", {}, "jumlah and nominal both fit"),
        ("nik;jumlah;Jumlah", {"amount": "jumlah"}, "both fit"),
        ("nik;jumlah;", {"amount": ""}, "no such column"),
    ],
)
def test_a_column_map_that_does_not_fit_is_refused_with_a_hint(
    csv_file: Callable[..., Path], header: str, column_map: dict[str, str], hint: str
) -> None:
    with pytest.raises(ColumnMapError) as refused, open_table(csv_file(f"{header}\n1;2\n"), FIELDS, column_map):
        pass
    assert hint in str(refused.value)


def test_a_missing_column_is_named_with_those_that_are_there(csv_file: Callable[..., Path]) -> None:
    with pytest.raises(ColumnMissingError, match="no column for amount; it has nik, nama;"):
        read(csv_file("nik;nama\n1;2\n"))


@pytest.mark.parametrize(
    "line", [f"{CANARY_NAME};{CANARY_NIK}", f"{CANARY_NAME};1.200.000", f"NIK {CANARY_NIK};{CANARY_NAME}"]
)
def test_a_file_without_header_does_not_show_its_first_person(csv_file: Callable[..., Path], line: str) -> None:
    path = csv_file(f"{line}\n{line}\n")
    for column_map in ({}, {"amount": CANARY_NIK[:-1]}):
        with pytest.raises(LedgerError) as refused, open_table(path, FIELDS, column_map):
            pass
        assert not any(canary in str(refused.value) for canary in (CANARY_NAME, CANARY_NIK, CANARY_NIK[:-1]))


# Workbooks


def test_cells_of_a_workbook_become_the_text_that_was_meant(xlsx_file: Callable[..., Path]) -> None:
    path = xlsx_file(
        [],
        ["catatan", "nik", "jumlah"],
        [date(2020, 10, 15), "007", 1_200_000],
        [datetime(2020, 10, 15, 3, 4), " 8 ", 2**53 - 1],  # noqa: DTZ001 -- a workbook knows no time zones
        [],
        [True, 9, 0.5],
        ["#N/A", 10, 1],
        ["catatan", "nik", "jumlah"],
    )
    assert read(path) == [
        Row(3, ("007", "1200000", "2020-10-15")),
        Row(4, ("8", "9007199254740991", "2020-10-15T03:04:00")),
        Row(6, ("9", "0.5", "TRUE")),
        Row(7, ("10", "1", "")),
    ]


def test_a_number_with_three_decimals_never_becomes_thousands(xlsx_file: Callable[..., Path]) -> None:
    (row,) = read(xlsx_file(["nik", "jumlah"], ["1", 1200.125]))
    assert isinstance(row, Row)
    with pytest.raises(LedgerError):
        parse_amount(row.values[1], Currency("IDR", 0))
    assert parse_amount(row.values[1], Currency("KWD", 3)) == 1_200_125


def test_an_identifier_kept_as_a_long_number_is_rejected(xlsx_file: Callable[..., Path]) -> None:
    rows = read(
        xlsx_file(["nik", "jumlah"], [int(CANARY_NIK), 10**14], [CANARY_NIK, 1], [10**14, 1], [10**13, 1], [1e300, 1])
    )
    assert [row.code if isinstance(row, Reject) else row.values[0] for row in rows] == [
        "identifier_as_number",
        CANARY_NIK,
        "identifier_as_number",
        "10000000000000",
        "identifier_as_number",
    ]


def test_the_sheet_can_be_named(xlsx_file: Callable[..., Path], tmp_path: Path, csv_file: Callable[..., Path]) -> None:
    book = Workbook()
    active_sheet(book).append(["cover"])
    book.create_sheet("Data").append(["nik", "jumlah"])
    book["Data"].append(["1", 2])
    book.save(tmp_path / "two.xlsx")
    assert read(tmp_path / "two.xlsx", sheet="Data") == [Row(2, ("1", "2", ""))]
    with pytest.raises(ValueInvalidError, match="it has Sheet, Data"):
        read(tmp_path / "two.xlsx", sheet="data")
    with pytest.raises(ValueInvalidError):
        read(csv_file("nik;jumlah\n1;2\n"), sheet="Data")


def test_a_workbook_is_known_by_its_content_and_not_by_its_name(xlsx_file: Callable[..., Path], tmp_path: Path) -> None:
    path = xlsx_file(["nik", "jumlah"], ["1", 2]).rename(tmp_path / "rows.csv")
    with path.open("rb") as stdin, open_table(None, FIELDS, {}, stdin=stdin) as table:
        assert list(table.rows()) == read(path) == [Row(2, ("1", "2", ""))]


def test_a_workbook_with_any_damaged_part_is_refused_or_reads_the_same(xlsx_file: Callable[..., Path]) -> None:
    path = xlsx_file(["nik", "jumlah"], ["1", 1_200_000])
    intact, rows = path.read_bytes(), read(path)
    for position in range(4, len(intact), 7):
        path.write_bytes(intact[:position] + bytes([intact[position] ^ 0x41]) + intact[position + 1 :])
        with contextlib.suppress(FileDamagedError, FileBinaryError):
            assert read(path) == rows
    path.write_bytes(intact[: len(intact) // 2])
    with pytest.raises(FileDamagedError):
        read(path)


def test_other_archives_and_empty_sheets_are_refused(xlsx_file: Callable[..., Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "letter.docx", "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    with pytest.raises(FileBinaryError):
        read(tmp_path / "letter.docx")
    for rows in ([], [["nik", "jumlah"]]):
        with pytest.raises(FileEmptyError):
            read(xlsx_file(*rows))


STRAY = "CRR9999"
"""The last cell of 2,500 columns and 9,999 rows: nearly 25 million places."""


def sheets(path: Path, stray: str, *, first: str = "Data", value: object = "x") -> Path:
    """A workbook of two sheets that hold the same rows, the second also a cell far out."""
    book = Workbook()
    active_sheet(book).title = first
    for sheet in (active_sheet(book), book.create_sheet("R&D")):
        for row in (["nik", "jumlah"], ["1", 2]):
            sheet.append(row)
    cell = book["R&D"][stray]
    cell.value, cell.font = value, Font(bold=True)
    book.save(path)
    return path


def test_a_sheet_with_a_cell_far_out_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = sheets(tmp_path / "two.xlsx", STRAY)
    assert read(path) == read(path, sheet="Data") == [Row(2, ("1", "2", ""))]
    with pytest.raises(SheetSparseError) as refused:
        read(path, sheet="R&D")
    assert (refused.value.last_cell, refused.value.filled) == (STRAY, 5)
    # One that is only formatted holds nothing, and one far down alone does not make a sheet large.
    assert read(sheets(path, STRAY, value=None), sheet="R&D") == [Row(2, ("1", "2", ""))]
    assert [each.line for each in read(sheets(path, "A200000", value="3"), sheet="R&D")] == [2, 200_000]


def test_a_workbook_that_does_not_tell_where_its_sheets_are_is_measured_as_a_whole(tmp_path: Path) -> None:
    path, odd = sheets(tmp_path / "two.xlsx", STRAY), tmp_path / "odd.xlsx"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(odd, "w") as other:
        for name in whole.namelist():
            # Single quotes are as good as double ones, and nobody writes them.
            content = whole.read(name)
            other.writestr(name, content.replace(b'"', b"'") if name.endswith(".rels") else content)
    with pytest.raises(SheetSparseError):
        read(odd, sheet="Data")


# Rejects


def test_the_rejects_file_tells_where_and_why_but_never_who(csv_file: Callable[..., Path], tmp_path: Path) -> None:
    path = csv_file(f"nik;jumlah;catatan\n{CANARY_NIK};;{CANARY_NAME}\n{CANARY_NIK};{CANARY_NAME}\n3,27302E+15;1;x\n")
    with RejectsFile(tmp_path / "rejects.csv") as rejects:
        for row in read(path):
            assert isinstance(row, Reject)
            rejects.add(row)
    assert rejects.count == 3
    assert rejects.by_code == {"value_missing": 1, "row_incomplete": 1, "identifier_as_number": 1}
    text = (tmp_path / "rejects.csv").read_text()
    assert CANARY_NAME not in text
    assert CANARY_NIK not in text
    header, *lines = csv.reader(text.splitlines())
    assert header == ["line", "field", "shape", "code", "reason"]
    assert [line[:4] for line in lines] == [
        ["2", "amount", "(empty)", "value_missing"],
        ["3", "", "9{16} A{13}", "row_incomplete"],
        ["4", "recipient", "9,9{5}A+9{2}", "identifier_as_number"],
    ]


def test_a_rejects_file_exists_only_whole_and_only_with_rejects(tmp_path: Path) -> None:
    reject = Reject(2, "amount", "A{3}", "amount_invalid", "no amount")
    with RejectsFile(tmp_path / "rejects.csv"):
        pass
    with contextlib.suppress(KeyError), RejectsFile(tmp_path / "rejects.csv") as rejects:
        rejects.add(reject)
        assert not (tmp_path / "rejects.csv").exists()
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "rejects.csv").write_text("of an earlier run")
    with RejectsFile(tmp_path / "rejects.csv") as rejects:
        rejects.add(reject)
    assert "earlier" not in (tmp_path / "rejects.csv").read_text()
    assert len(list(tmp_path.iterdir())) == 1
