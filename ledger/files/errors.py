"""Refusals of officers' files and of the values in them."""

from ledger.domain.errors import LedgerError, Said


class FileMissingError(LedgerError):
    """The file named is not there."""

    code = "file_missing"
    sentence = "there is no file {path}; check the name and the folder"
    path: str


class FileIsDirectoryError(LedgerError):
    """A folder was named where a file was expected."""

    code = "file_is_directory"
    sentence = "{path} is a folder; name the file in it"
    path: str


class FileEmptyError(LedgerError):
    """The file holds no rows."""

    code = "file_empty"
    sentence = "{path} holds no rows below a header; check that the export finished"
    path: str


class FileBinaryError(LedgerError):
    """The file is not a table of text."""

    code = "file_binary"
    sentence = "{path} is neither CSV text nor an XLSX workbook; export it as one of these"
    path: str


class FileDamagedError(LedgerError):
    """The file cannot be read to its end."""

    code = "file_damaged"
    sentence = "{path} cannot be read ({reason}); copy or export it again"
    path: str
    reason: str


class SheetSparseError(LedgerError):
    """A cell far out makes a sheet too large to be read."""

    code = "sheet_sparse"
    sentence = (
        "{path}: the sheet reaches to {last_cell} with {filled} filled cells; delete the empty rows and columns between "
        "them, or save it as CSV"
    )
    path: str
    last_cell: str
    filled: int


class FileChangedError(LedgerError):
    """The file changed while it was being read."""

    code = "file_changed"
    sentence = "{path} changed while it was being read; wait until nobody writes it, then run the command again"
    path: str


class ColumnMissingError(LedgerError):
    """A column that the command needs is not in the header."""

    code = "column_missing"
    sentence = "{path} has no column for {field}; it has {columns}; say which one with --map {field}=COLUMN"
    path: str
    field: str
    columns: str


class ColumnMapError(LedgerError):
    """The column map names a field or a column that does not exist."""

    code = "column_map"
    sentence = "--map {given}: {problem}"
    given: str
    problem: Said


class RowIncompleteError(LedgerError):
    """The row does not have one cell for each column of the header."""

    code = "row_incomplete"
    sentence = "the row has {found} cells where the header has {expected}; complete it, or put quotes around text that holds the delimiter"
    found: int
    expected: int


class ValueMissingError(LedgerError):
    """A cell that must be filled is empty."""

    code = "value_missing"
    sentence = "{field} is empty; fill it in"
    field: str


class IdentifierAsNumberError(LedgerError):
    """A long identifier was kept as a number, which loses its last digits."""

    code = "identifier_as_number"
    sentence = "Excel keeps 15 digits of a number; format the column as text and fill it again"


class AmountInvalidError(LedgerError):
    """The text is not an exact amount of the ledger's currency."""

    code = "amount_invalid"
    sentence = "{shape} is not an amount; write digits, at most with thousands separators and the currency's decimals"
    shape: str


class AmountAmbiguousError(LedgerError):
    """The text could be read as two different amounts."""

    code = "amount_ambiguous"
    sentence = "{shape} can be read as two amounts; write it without a sign for thousands, or for a file say with --decimal which sign separates decimals"
    shape: str


class AmountFractionError(LedgerError):
    """The amount has more decimals than the ledger's currency."""

    code = "amount_fraction"
    sentence = "{shape} has a fraction that {currency} with {decimals} decimals cannot hold; give an exact amount"
    shape: str
    currency: str
    decimals: int


class AmountNotPositiveError(LedgerError):
    """An amount or a quantity must be more than zero."""

    code = "amount_not_positive"
    sentence = "amounts and quantities are more than zero; give a positive whole number"


class AmountTooLargeError(LedgerError):
    """The amount is larger than the ledger can hold exactly."""

    code = "amount_too_large"
    sentence = "the amount exceeds {largest}; check for extra digits"
    largest: int


class DateInvalidError(LedgerError):
    """The text is not a date."""

    code = "date_invalid"
    sentence = "{shape} is not a date; write YYYY-MM-DD, or for a file state the order of its dates with --date-order"
    shape: str


class DateAmbiguousError(LedgerError):
    """The text could be read as two different dates."""

    code = "date_ambiguous"
    sentence = "{shape} can be read as day-month or month-day; write YYYY-MM-DD, or for a file state the order of its dates with --date-order dmy or mdy"
    shape: str
