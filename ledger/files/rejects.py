"""Rows that were refused, and the file that tells an officer where and why, without any person's data."""

import csv
import tempfile
from collections import Counter
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from ledger.domain.errors import LedgerError, shape_of


@dataclass(frozen=True, slots=True)
class Reject:
    """One refused row: where it begins, and which field was refused for which reason."""

    line: int
    field: str
    shape: str
    """What the value looks like, from `shape_of`; never the value."""
    code: str
    reason: str

    @classmethod
    def of(cls, error: LedgerError, *, line: int, field: str, text: str) -> Self:
        """The reject for a refused value; of `text` only the shape is kept."""
        return cls(line=line, field=field, shape=shape_of(text), code=error.code, reason=str(error))


class RejectsFile:
    """A CSV file of rejects, which exists only if there are any, and only once all of them are in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.by_code: Counter[str] = Counter()
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        return self

    def add(self, reject: Reject) -> None:
        """Write one reject; the first one makes the file, under a temporary name in the same folder."""
        if self._file is None:
            self._file = tempfile.NamedTemporaryFile(  # noqa: SIM115 -- closed by __exit__
                "w", encoding="utf-8", newline="", dir=self.path.parent, prefix=f".{self.path.name}.", delete=False
            )
            self._writer = csv.writer(self._file, lineterminator="\n")
            self._writer.writerow(field.name for field in fields(Reject))
        self._writer.writerow(astuple(reject))
        self.count += 1
        self.by_code[reject.code] += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the file its name, or remove it if the work failed."""
        if self._file is None:
            return
        temporary = Path(self._file.name)
        try:
            self._file.close()
            if error is None:
                temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)
