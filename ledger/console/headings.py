"""Titles of the reports' columns for people, and what kind of figure each column holds."""

from typing import Literal

Language = Literal["en", "id"]

MONEY = frozenset(
    {
        "budget",
        "ceiling",
        "reserved",
        "disbursed",
        "disbursed_in_all",
        "returned",
        "refunded",
        "available",
        "amount",
        "reissued",
        "settled",
        "entitled",
        "outstanding",
        "funded",
        "total",
        "paid_total",
    }
)
"""Columns in minor units of the ledger's currency."""

BY_COMMODITY = frozenset({"debit", "credit", "balance", "quantity"})
"""Columns in the unit that the row's `commodity` names, where there is one."""

NAMES_IN_DIGITS = frozenset({"fiscal_year", "tranche", "attempt", "log_index", "posting", "version"})
"""Columns of numbers that are not amounts: no thousands are set apart in them."""

FIGURES = (
    MONEY
    | BY_COMMODITY
    | NAMES_IN_DIGITS
    | frozenset(
        {
            "recipients",
            "groups_in_all",
            "people_in_all",
            "groups",
            "people",
            "payments",
            "open_returns",
            "reports_due",
            "reports_overdue",
            "reports_given",
            "shipments",
            "delivered",
            "in_transit",
            "age_days",
            "rows",
            "sessions",
            "attendances",
            "count",
            "refused",
            "paid_count",
            "checked",
            "broken",
            "size",
            "waiting",
            "expected",
            "new",
            "decimals",
            "returned_version",
            "contribution",
            "difference",
            "version",
        }
    )
)
"""Columns that line up at the right."""

ADDITIVE: dict[str, frozenset[str]] = {
    report: frozenset(columns.split())
    for report, columns in {
        "programs": "budget reserved disbursed returned refunded groups available",
        "tranches": "payments disbursed returned reissued settled refunded open_returns",
        "balances": "entitled disbursed returned outstanding refunded",
        "groups": "groups funded reports_due reports_overdue reports_given",
        "aid": "quantity shipments delivered in_transit",
        "returns": "amount",
        "refusals": "rows",
        "training": "sessions attendances",
        "batches": "count total refused paid_count paid_total",
        "trial-balance": "debit credit balance",
    }.items()
}
"""Report → columns with a total; people are never added up, for one person may stand in several rows."""

SENTENCES = frozenset({"about", "sentence", "value"})
"""Columns of words, which a narrow terminal breaks into lines."""

ONE_OF = {"aid": "item", "trial-balance": "commodity"}
"""Report → the column that must be the same in all rows before amounts of it are added up."""

DROPPED_FIRST = (
    "disbursed_in_all",
    "fiscal_year",
    "is_closed",
    "unit",
    "ceiling",
    "kind",
    "refunded",
    "available",
    "decimals",
    "description",
    "stream",
    "returned_version",
    "in_transit",
    "reports_given",
    "open_returns",
    "refused",
    "maker",
    "checker",
    "name",
    "reserved",
    "recipients",
    "people",
    "groups",
    "returned",
    "used",
    "groups_in_all",
    "people_in_all",
    "recorded_at",
    "officer",
)
"""Columns that a narrow terminal goes without, in this order; then from the right."""

TITLES: dict[str, tuple[str, str]] = {
    "account": ("Account", "Akun"),
    "age_days": ("Age (days)", "Umur (hari)"),
    "amount": ("Amount", "Jumlah"),
    "attempt": ("Attempt", "Upaya"),
    "attendances": ("Attendances", "Kehadiran"),
    "available": ("Available", "Tersedia"),
    "balance": ("Balance", "Saldo"),
    "batch_id": ("Batch", "Batch"),
    "disbursed_in_all": ("Disbursed (branch)", "Disalurkan (cabang)"),
    "groups_in_all": ("Groups (branch)", "Kelompok (cabang)"),
    "people_in_all": ("People (branch)", "Orang (cabang)"),
    "member": ("Member", "Anggota"),
    "budget": ("Budget", "Anggaran"),
    "ceiling": ("Ceiling", "Pagu per penerima"),
    "channel": ("Channel", "Jalur"),
    "checker": ("Checker", "Pemeriksa"),
    "command": ("Command", "Perintah"),
    "commodity": ("Commodity", "Komoditas"),
    "contribution": ("Contribution", "Sumbangan"),
    "count": ("Payments", "Pembayaran"),
    "country": ("Country", "Negara"),
    "credit": ("Credit", "Kredit"),
    "debit": ("Debit", "Debit"),
    "decimals": ("Decimals", "Desimal"),
    "decree_ref": ("Decree", "Keputusan"),
    "delivered": ("Delivered", "Diterima"),
    "description": ("Description", "Uraian"),
    "difference": ("Difference", "Selisih"),
    "disbursed": ("Disbursed", "Disalurkan"),
    "disbursed_on": ("Disbursed on", "Tanggal salur"),
    "effective_on": ("Date", "Tanggal"),
    "entitled": ("Entitled", "Hak"),
    "event": ("Event", "Peristiwa"),
    "figure": ("Figure", "Angka"),
    "fiscal_year": ("Fiscal year", "Tahun anggaran"),
    "funded": ("Funded", "Hibah"),
    "groups": ("Groups", "Kelompok"),
    "in_transit": ("In transit", "Dalam perjalanan"),
    "is_closed": ("Closed", "Ditutup"),
    "item": ("Item", "Barang"),
    "kind": ("Kind", "Jenis"),
    "log_index": ("Log index", "Indeks log"),
    "maker": ("Maker", "Pengusul"),
    "name": ("Name", "Nama"),
    "open_returns": ("Open returns", "Retur terbuka"),
    "outstanding": ("Outstanding", "Belum diterima"),
    "paid_count": ("Paid", "Dibayar"),
    "paid_total": ("Amount paid", "Jumlah dibayar"),
    "parent": ("Parent", "Induk"),
    "payment_id": ("Payment", "Pembayaran"),
    "payments": ("Payments", "Pembayaran"),
    "people": ("People", "Orang"),
    "posting": ("Posting", "Posting"),
    "program": ("Program", "Program"),
    "proposed_on": ("Proposed on", "Tanggal usul"),
    "quantity": ("Quantity", "Jumlah"),
    "reason": ("Reason", "Alasan"),
    "recipient_id": ("Recipient", "Penerima"),
    "recipients": ("Recipients", "Penerima"),
    "refunded": ("Refunded", "Disetor ke negara"),
    "refused": ("Refused", "Ditolak"),
    "reissued": ("Reissued", "Disalurkan ulang"),
    "reopened_on": ("Reopened on", "Dibuka sejak"),
    "reports_due": ("Reports due", "LPJ belum ada"),
    "reports_given": ("Reports given", "LPJ diterima"),
    "reports_overdue": ("Overdue", "LPJ terlambat"),
    "reserved": ("Reserved", "Dicadangkan"),
    "return_reason": ("Reason", "Alasan retur"),
    "returned": ("Returned", "Retur"),
    "returned_on": ("Returned on", "Tanggal retur"),
    "returned_version": ("Return's version", "Versi retur"),
    "rows": ("Rows", "Baris"),
    "scheme": ("Scheme", "Skema"),
    "sessions": ("Sessions", "Sesi"),
    "settled": ("Settled", "Selesai"),
    "shipments": ("Shipments", "Pengiriman"),
    "state": ("State", "Status"),
    "status": ("Status", "Status"),
    "stream": ("Stream", "Aliran"),
    "total": ("Total", "Total"),
    "tranche": ("Tranche", "Tahap"),
    "unit": ("Unit", "Satuan"),
    "used": ("Budget used", "Anggaran terpakai"),
    "about": ("About", "Perihal"),
    "broken": ("Broken", "Dilanggar"),
    "checked": ("Checked", "Diperiksa"),
    "expected": ("Kept checkpoints", "Titik periksa tersimpan"),
    "is_revoked": ("Revoked", "Dicabut"),
    "origin": ("Log", "Log"),
    "law": ("Law", "Kaidah"),
    "now": ("Now", "Kini"),
    "officer": ("Officer", "Petugas"),
    "public_key": ("Public key", "Kunci publik"),
    "recorded_at": ("Recorded at (UTC)", "Dicatat (UTC)"),
    "roles": ("Roles", "Peran"),
    "size": ("Events", "Peristiwa"),
    "waiting": ("Not yet sealed", "Belum disegel"),
    "sentence": ("What holds", "Yang harus berlaku"),
    "term": ("Term", "Ketentuan"),
    "value": ("Value", "Isi"),
    "version": ("Version", "Versi"),
    "was": ("Published", "Terbit"),
}

PHRASES: dict[str, tuple[str, str]] = {
    "total": ("Total", "Jumlah"),
    "yes": ("yes", "ya"),
    "no": ("no", "tidak"),
    "true for": (
        "As of {as_of}, from the first {log_size} events.",
        "Per {as_of}, dari {log_size} peristiwa pertama.",
    ),
    "explained": (
        "Page {page} of {pages}; {count} events sum to it: {file} WHERE {where}.",
        "Halaman {page} dari {pages}; jumlah {count} peristiwa: {file} WHERE {where}.",
    ),
    "nothing": ("nothing to show", "tidak ada data"),
    "hidden": (
        "Not shown for want of width: {columns}. Use a wider terminal, -o csv or -o json.",
        "Tidak ditampilkan karena lebar terbatas: {columns}. Gunakan terminal lebih lebar, -o csv atau -o json.",
    ),
    "cut": ("Only the first {rows} rows; -o csv has all.", "Hanya {rows} baris pertama; -o csv memuat semua."),
}


def title(column: str, lang: Language) -> str:
    """What people call a column."""
    return TITLES[column][lang == "id"] if column in TITLES else column


def phrase(name: str, lang: Language) -> str:
    """A fixed phrase of the tables."""
    return PHRASES[name][lang == "id"]
