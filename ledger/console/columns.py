"""The columns of tables: what each holds, what people call it, and which a narrow terminal goes without.

A column is one record. Those that several tables share stand here, so that a heading is written once, and are named by
whoever shows them; a report may define others in its own record.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto

from ledger.console.headings import Language


class Holds(Enum):
    """What the values of a column are, and so how people read them."""

    TEXT = auto()
    WORDS = auto()
    """Sentences, which a narrow terminal breaks into lines."""
    FLAG = auto()
    DATE = auto()
    COUNT = auto()
    MONEY = auto()
    """Minor units of the ledger's currency."""
    QUANTITY = auto()
    """In the unit that the row's `commodity` names, where there is one."""
    DIGITS = auto()
    """A number that names something: no thousands are set apart in it, and it is never a sum."""
    SHARE = auto()
    """A bar that shows how much of a whole is used; no value of the row."""


_AMOUNTS = (Holds.COUNT, Holds.MONEY, Holds.QUANTITY)


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    holds: Holds
    english: str
    indonesian: str
    is_added_up: bool = False
    """Whether the line of totals has its sum; people are never added up, for one person may stand in several rows."""
    dropped: int | None = None
    """A narrow terminal goes without the column with the lowest number first; at last without those that have none."""
    left_of: tuple[str, str] | None = None
    """For a share: the column with the part that is left, and the column with the whole."""

    @property
    def is_amount(self) -> bool:
        """Whether its values count or measure, so that each is a sum or a term."""
        return self.holds in _AMOUNTS

    @property
    def is_at_the_right(self) -> bool:
        """Whether its values line up at the right."""
        return self.is_amount or self.holds is Holds.DIGITS

    def title(self, lang: Language) -> str:
        """The column's heading in a language."""
        return self.indonesian if lang == "id" else self.english

    def added_up(self) -> "Column":
        """The same column, of a table whose rows may be added up."""
        return replace(self, is_added_up=True)

    def not_added_up(self) -> "Column":
        """The same column, of a table in which one thing may stand in several rows."""
        return replace(self, is_added_up=False)


@dataclass(frozen=True)
class Layout:
    """How a report's table is made of its rows, beside its columns."""

    has_totals: bool = True
    one_of: str | None = None
    """The column that must be the same in all rows before they are added up."""
    parent: str | None = None
    """The column that names the row which a row stands under, by the value of its first column."""
    more: tuple[Column, ...] = ()
    """Columns that tables show and CSV and JSON leave out."""

    @property
    def names(self) -> set[str]:
        """The columns that it names."""
        return {each for each in (self.one_of, self.parent) if each}


PLAIN = Layout(has_totals=False)
WITH_TOTALS = Layout()


_SHARED = (
    # Whom and what a row is about
    Column("account", Holds.TEXT, "Account", "Akun"),
    Column("batch_id", Holds.TEXT, "Batch", "Batch"),
    Column("channel", Holds.TEXT, "Channel", "Jalur"),
    Column("checker", Holds.TEXT, "Checker", "Pemeriksa", dropped=18),
    Column("command", Holds.TEXT, "Command", "Perintah"),
    Column("commodity", Holds.TEXT, "Commodity", "Komoditas"),
    Column("country", Holds.TEXT, "Country", "Negara"),
    Column("decree_ref", Holds.TEXT, "Decree", "Keputusan"),
    Column("description", Holds.TEXT, "Description", "Uraian", dropped=10),
    Column("event", Holds.TEXT, "Event", "Peristiwa"),
    Column("fiscal_year", Holds.DIGITS, "Fiscal year", "Tahun anggaran", dropped=2),
    Column("is_closed", Holds.FLAG, "Closed", "Ditutup", dropped=3),
    Column("item", Holds.TEXT, "Item", "Barang"),
    Column("kind", Holds.TEXT, "Kind", "Jenis", dropped=6),
    Column("log_index", Holds.DIGITS, "Log index", "Indeks log"),
    Column("maker", Holds.TEXT, "Maker", "Pengusul", dropped=17),
    Column("member", Holds.TEXT, "Member", "Anggota"),
    Column("name", Holds.TEXT, "Name", "Nama", dropped=19),
    Column("officer", Holds.TEXT, "Officer", "Petugas", dropped=29),
    Column("parent", Holds.TEXT, "Parent", "Induk"),
    Column("payment_id", Holds.TEXT, "Payment", "Pembayaran"),
    Column("posting", Holds.DIGITS, "Posting", "Posting"),
    Column("program", Holds.TEXT, "Program", "Program"),
    Column("reason", Holds.TEXT, "Reason", "Alasan"),
    Column("recipient_id", Holds.TEXT, "Recipient", "Penerima"),
    Column("return_reason", Holds.TEXT, "Reason", "Alasan retur"),
    Column("scheme", Holds.TEXT, "Scheme", "Skema"),
    Column("state", Holds.TEXT, "State", "Status"),
    Column("status", Holds.TEXT, "Status", "Status"),
    Column("stream", Holds.TEXT, "Stream", "Aliran", dropped=11),
    Column("tranche", Holds.DIGITS, "Tranche", "Tahap"),
    Column("attempt", Holds.DIGITS, "Attempt", "Upaya"),
    Column("unit", Holds.TEXT, "Unit", "Satuan", dropped=4),
    Column("version", Holds.DIGITS, "Version", "Versi"),
    Column("returned_version", Holds.DIGITS, "Return's version", "Versi retur", dropped=12),
    Column("decimals", Holds.DIGITS, "Decimals", "Desimal", dropped=9),
    # When
    Column("disbursed_on", Holds.DATE, "Disbursed on", "Tanggal salur"),
    Column("effective_on", Holds.DATE, "Date", "Tanggal"),
    Column("proposed_on", Holds.DATE, "Proposed on", "Tanggal usul"),
    Column("recorded_at", Holds.TEXT, "Recorded at (UTC)", "Dicatat (UTC)", dropped=28),
    Column("reopened_on", Holds.DATE, "Reopened on", "Dibuka sejak"),
    Column("returned_on", Holds.DATE, "Returned on", "Tanggal retur"),
    Column("age_days", Holds.COUNT, "Age (days)", "Umur (hari)"),
    # How much money
    Column("amount", Holds.MONEY, "Amount", "Jumlah"),
    Column("available", Holds.MONEY, "Available", "Tersedia", is_added_up=True, dropped=8),
    Column("budget", Holds.MONEY, "Budget", "Anggaran", is_added_up=True),
    Column("ceiling", Holds.MONEY, "Ceiling", "Pagu per penerima", dropped=5),
    Column("disbursed", Holds.MONEY, "Disbursed", "Disalurkan", is_added_up=True),
    Column("disbursed_in_all", Holds.MONEY, "Disbursed (branch)", "Disalurkan (cabang)", dropped=1),
    Column("entitled", Holds.MONEY, "Entitled", "Hak", is_added_up=True),
    Column("funded", Holds.MONEY, "Funded", "Hibah", is_added_up=True),
    Column("outstanding", Holds.MONEY, "Outstanding", "Belum diterima", is_added_up=True),
    Column("paid_total", Holds.MONEY, "Amount paid", "Jumlah dibayar", is_added_up=True),
    Column("refunded", Holds.MONEY, "Refunded", "Disetor ke negara", is_added_up=True, dropped=7),
    Column("reissued", Holds.MONEY, "Reissued", "Disalurkan ulang", is_added_up=True),
    Column("reserved", Holds.MONEY, "Reserved", "Dicadangkan", is_added_up=True, dropped=20),
    Column("returned", Holds.MONEY, "Returned", "Retur", is_added_up=True, dropped=24),
    Column("settled", Holds.MONEY, "Settled", "Selesai", is_added_up=True),
    Column("total", Holds.MONEY, "Total", "Total", is_added_up=True),
    Column("used", Holds.SHARE, "Budget used", "Anggaran terpakai", dropped=25, left_of=("available", "budget")),
    # How much of a commodity
    Column("balance", Holds.QUANTITY, "Balance", "Saldo", is_added_up=True),
    Column("credit", Holds.QUANTITY, "Credit", "Kredit", is_added_up=True),
    Column("debit", Holds.QUANTITY, "Debit", "Debit", is_added_up=True),
    Column("delivered", Holds.QUANTITY, "Delivered", "Diterima", is_added_up=True),
    Column("in_transit", Holds.QUANTITY, "In transit", "Dalam perjalanan", is_added_up=True, dropped=13),
    Column("quantity", Holds.QUANTITY, "Quantity", "Jumlah"),
    # How many
    Column("attendances", Holds.COUNT, "Attendances", "Kehadiran", is_added_up=True),
    Column("count", Holds.COUNT, "Payments", "Pembayaran", is_added_up=True),
    Column("groups", Holds.COUNT, "Groups", "Kelompok", is_added_up=True, dropped=23),
    Column("groups_in_all", Holds.COUNT, "Groups (branch)", "Kelompok (cabang)", dropped=26),
    Column("open_returns", Holds.COUNT, "Open returns", "Retur terbuka", is_added_up=True, dropped=15),
    Column("paid_count", Holds.COUNT, "Paid", "Dibayar", is_added_up=True),
    Column("payments", Holds.COUNT, "Payments", "Pembayaran", is_added_up=True),
    Column("people", Holds.COUNT, "People", "Orang", dropped=22),
    Column("people_in_all", Holds.COUNT, "People (branch)", "Orang (cabang)", dropped=27),
    Column("recipients", Holds.COUNT, "Recipients", "Penerima", dropped=21),
    Column("refused", Holds.COUNT, "Refused", "Ditolak", is_added_up=True, dropped=16),
    Column("reports_due", Holds.COUNT, "Reports due", "LPJ belum ada", is_added_up=True),
    Column("reports_given", Holds.COUNT, "Reports given", "LPJ diterima", is_added_up=True, dropped=14),
    Column("reports_overdue", Holds.COUNT, "Overdue", "LPJ terlambat", is_added_up=True),
    Column("rows", Holds.COUNT, "Rows", "Baris", is_added_up=True),
    Column("sessions", Holds.COUNT, "Sessions", "Sesi", is_added_up=True),
    Column("shipments", Holds.COUNT, "Shipments", "Pengiriman", is_added_up=True),
    # Of commands that are no reports
    Column("about", Holds.WORDS, "About", "Perihal"),
    Column("broken", Holds.COUNT, "Broken", "Dilanggar"),
    Column("checked", Holds.COUNT, "Checked", "Diperiksa"),
    Column("contribution", Holds.COUNT, "Contribution", "Sumbangan"),
    Column("difference", Holds.COUNT, "Difference", "Selisih"),
    Column("expected", Holds.COUNT, "Kept checkpoints", "Titik periksa tersimpan"),
    Column("figure", Holds.TEXT, "Figure", "Angka"),
    Column("is_revoked", Holds.FLAG, "Revoked", "Dicabut"),
    Column("law", Holds.TEXT, "Law", "Kaidah"),
    Column("new", Holds.COUNT, "New", "Baru"),
    Column("now", Holds.TEXT, "Now", "Kini"),
    Column("origin", Holds.TEXT, "Log", "Log"),
    Column("public_key", Holds.TEXT, "Public key", "Kunci publik"),
    Column("roles", Holds.TEXT, "Roles", "Peran"),
    Column("root", Holds.TEXT, "Root", "Akar"),
    Column("sealed", Holds.COUNT, "Sealed", "Disegel"),
    Column("segments", Holds.COUNT, "Segments", "Segmen"),
    Column("sentence", Holds.WORDS, "What holds", "Yang harus berlaku"),
    Column("size", Holds.COUNT, "Events", "Peristiwa"),
    Column("term", Holds.TEXT, "Term", "Ketentuan"),
    Column("value", Holds.WORDS, "Value", "Isi"),
    Column("waiting", Holds.COUNT, "Not yet sealed", "Belum disegel"),
    Column("was", Holds.TEXT, "Published", "Terbit"),
)
_BY_NAME = {each.name: each for each in _SHARED}


def column(name: str) -> Column:
    """The shared column of a name; raises `LookupError` with what to write where for a name that is none."""
    if name not in _BY_NAME:
        raise LookupError(
            f"no column is called {name!r}: define it in ledger/console/columns.py, with what it holds and its heading in"
            " both languages"
        )
    return _BY_NAME[name]


def columns(*given: Column | str) -> tuple[Column, ...]:
    """Columns in order, shared ones by their names, of which a text may hold several; raises as `column` does."""
    found: list[Column] = []
    for each in given:
        found += [each] if isinstance(each, Column) else map(column, each.split())
    return tuple(found)
