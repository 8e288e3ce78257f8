"""Archives of a book of events, for tests."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

import cli
from ledger.application.ledger import Ledger
from projections.audit.check import check
from projections.laws.law import Law
from projections.relation.archive import Archive
from tests.projections.book_of_events import Book

YEAR_END = date(2020, 12, 31)


def archive_of(book: Book, segment_events: int = 10, told: list[str] | None = None) -> Archive:
    tell = (told if told is not None else []).append
    return Archive(book.path.with_name("archive"), book.recorder, segment_events=segment_events, tell=tell)


def names(archive: Archive) -> list[str]:
    return sorted(path.name for path in archive.folder.glob("events-*"))


def held(path: Path, columns: str = "*") -> list[dict[str, Any]]:
    cursor = duckdb.execute(f"SELECT {columns} FROM read_parquet(?)", [str(path)])
    return [dict(zip((each[0] for each in cursor.description), row, strict=True)) for row in cursor.fetchall()]


def rewrite(path: Path, select: str, *, keep_label: bool = True) -> None:
    """Put other rows into a segment."""
    label = duckdb.execute("SELECT decode(value) FROM parquet_kv_metadata(?)", [str(path)]).fetchone()
    rows = select.format(segment=f"read_parquet('{path}')")
    options = f", KV_METADATA {{salur: '{label[0]}'}}" if label and keep_label else ""
    duckdb.execute(f"COPY ({rows}) TO '{path}.new' (FORMAT parquet{options})")
    path.with_name(path.name + ".new").replace(path)


def archive_law(book: Book, archive: Archive) -> Law:
    return next(law for law in check(book.recorder, archive) if law.name == "archive-true")


def shell(capsys: pytest.CaptureFixture[str], ledger: Ledger, *words: str) -> tuple[int, str, str]:
    code = cli.run(["--store", str(ledger.folder), *words])
    printed = capsys.readouterr()
    return code, printed.out, printed.err
