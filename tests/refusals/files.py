"""Files, and single values in them."""

from datetime import date
from pathlib import Path
from typing import Any, cast

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from ledger.application import destinations, officers, programs
from ledger.application.ledger import Ledger
from ledger.domain.money import AMOUNT_MAX, Currency, default_decimals
from ledger.files.amounts import parse_amount
from ledger.files.dates import parse_date
from ledger.files.rejects import Reject
from ledger.files.tables import Field, Row, open_table
from tests.acts import (  # fmt: skip
    NOW,
    PROGRAM,
    SITI,
    by,
    nik,
)
from tests.refusals.case import refusal
from tests.rooms import refusals

RUPIAH = Currency("IDR", 0)
FIELDS = (Field("nik", required=True, identifier=True), Field("name"))


# Files


def given(folder: Path, content: str | bytes) -> Path:
    path = folder / "people.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path | None, column_map: dict[str, str] | None = None) -> list[Row | Reject]:
    with open_table(path, FIELDS, column_map or {}) as table:
        return list(table.rows())


def first_reject(path: Path) -> None:
    """Tell of the first row that cannot be read, in the words of its reject."""
    row = read(path)[0]
    assert isinstance(row, Reject)
    error = next(cls for cls in refusals() if cls.code == row.code)(**REJECTED[row.code])
    assert row.reason == str(error)
    raise error


REJECTED: dict[str, dict[str, Any]] = {
    "row_incomplete": {"found": 1, "expected": 2},
    "value_missing": {"field": "nik"},
    "identifier_as_number": {},
}


@refusal
def file_missing(ledger: Ledger, folder: Path) -> Any:
    path = folder / "people.csv"
    return {"path": str(path)}, lambda: read(path)


@refusal
def file_is_directory(ledger: Ledger, folder: Path) -> Any:
    return {"path": str(folder)}, lambda: read(folder)


@refusal
def file_empty(ledger: Ledger, folder: Path) -> Any:
    path = given(folder, "nik,name\n")
    return {"path": str(path)}, lambda: read(path)


@refusal
def file_binary(ledger: Ledger, folder: Path) -> Any:
    path = given(folder, b"nik,name\n\0\0\n")
    return {"path": str(path)}, lambda: read(path)


@refusal
def file_damaged(ledger: Ledger, folder: Path) -> Any:
    path = given(folder, 'nik,name\n1,"never closed\n')
    return {"path": str(path), "reason": "the row that begins in line 2: unexpected end of data"}, lambda: read(path)


@refusal
def sheet_sparse(ledger: Ledger, folder: Path) -> Any:
    book = Workbook()
    sheet = cast("Worksheet", book.active)
    for row in (["nik", "name"], ["1", "a"]):
        sheet.append(row)
    sheet["XFD1048576"] = "stray"
    path = folder / "people.xlsx"
    book.save(path)
    return {"path": str(path), "last_cell": "XFD1048576", "filled": 5}, lambda: read(path)


@refusal
def file_changed(ledger: Ledger, folder: Path) -> Any:
    path = given(folder, "nik,name\n1,a\n2,b\n")

    def act() -> None:
        with open_table(path, FIELDS, {}) as table:
            path.write_text("nik,name\n1,a\n")
            list(table.rows())

    return {"path": str(path)}, act


@refusal
def column_missing(ledger: Ledger, folder: Path) -> Any:
    path = given(folder, "number,name\n1,a\n")
    return {"path": str(path), "field": "nik", "columns": "number, name"}, lambda: read(path)


@refusal
def column_map(ledger: Ledger, folder: Path) -> Any:
    path = given(folder, "number,name\n1,a\n")
    problem = "there is no such column (did you mean number?); the columns are number, name"
    return {"given": "nik=numbr", "problem": problem}, lambda: read(path, {"nik": "numbr"})


@refusal
def row_incomplete(ledger: Ledger, folder: Path) -> Any:
    return REJECTED["row_incomplete"], lambda: first_reject(given(folder, "nik,name\n1\n"))


@refusal
def value_missing(ledger: Ledger, folder: Path) -> Any:
    return REJECTED["value_missing"], lambda: first_reject(given(folder, "nik,name\n,a\n"))


@refusal
def identifier_as_number(ledger: Ledger, folder: Path) -> Any:
    return REJECTED["identifier_as_number"], lambda: first_reject(given(folder, "nik,name\n3.27302E+15,a\n"))


# Single values


@refusal
def value_invalid(ledger: Ledger, folder: Path) -> Any:
    problem = "holds a number of ten or more digits, which may be a person's; leave it out"
    reason = f"see {nik(1)}"
    return {"field": "reason", "problem": problem}, lambda: officers.revoke(
        ledger, SITI, officer_id="budi", reason=reason
    )


@refusal
def amount_invalid(ledger: Ledger, folder: Path) -> Any:
    return {"shape": "A{4}"}, lambda: parse_amount("sejuta"[:4], RUPIAH)


@refusal
def amount_ambiguous(ledger: Ledger, folder: Path) -> Any:
    return {"shape": "9.9{3}"}, lambda: parse_amount("0.500", RUPIAH)


@refusal
def amount_fraction(ledger: Ledger, folder: Path) -> Any:
    return {"shape": "9.9{2}", "currency": "IDR", "decimals": 0}, lambda: parse_amount("1.50", RUPIAH)


@refusal
def amount_not_positive(ledger: Ledger, folder: Path) -> Any:
    return {}, lambda: parse_amount("-1", RUPIAH)


@refusal
def amount_too_large(ledger: Ledger, folder: Path) -> Any:
    return {"largest": AMOUNT_MAX}, lambda: parse_amount(str(AMOUNT_MAX + 1), RUPIAH)


@refusal
def date_invalid(ledger: Ledger, folder: Path) -> Any:
    return {"shape": "9{4}-9{2}-9{2}"}, lambda: parse_date("2020-02-30", None)


@refusal
def date_ambiguous(ledger: Ledger, folder: Path) -> Any:
    return {"shape": "9{2}/9{2}/9{4}"}, lambda: parse_date("05/06/2020", None)


@refusal
def effective_in_future(ledger: Ledger, folder: Path) -> Any:
    tomorrow = by("budi", effective_on=date(2020, 10, 17))
    return {
        "effective_on": "2020-10-17",
        "today": NOW.astimezone().date().isoformat(),
    }, lambda: programs.set_budget(ledger, tomorrow, program=PROGRAM, budget=1)


@refusal
def currency_unknown(ledger: Ledger, folder: Path) -> Any:
    return {"currency": "RPH"}, lambda: default_decimals("RPH")


@refusal
def country_unknown(ledger: Ledger, folder: Path) -> Any:
    return {"country": "XX"}, lambda: destinations.reopen(ledger, SITI, country="XX", decree_ref="294/2020")


@refusal
def reference_reused(ledger: Ledger, folder: Path) -> Any:
    command = by("budi", reference="letter 7")
    programs.set_budget(ledger, command, program=PROGRAM, budget=7)
    return {"reference": "letter 7"}, lambda: programs.set_budget(ledger, command, program=PROGRAM, budget=8)
