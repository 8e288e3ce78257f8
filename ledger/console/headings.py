"""The fixed phrases of tables, in the languages that people read them in."""

from typing import Literal

Language = Literal["en", "id"]

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


def phrase(name: str, lang: Language) -> str:
    """A fixed phrase of the tables."""
    return PHRASES[name][lang == "id"]
