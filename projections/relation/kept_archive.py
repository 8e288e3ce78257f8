"""An archive as an auditor reads it: held against the log, and never changed."""

from collections.abc import Callable, Iterator
from filecmp import cmp
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.domain.errors import IntegrityBrokenError, Said
from projections.errors import SegmentMismatchError
from projections.relation.archive import MEMORY_BYTES_MAX, Archive
from projections.relation.database import database
from projections.relation.relations import Segment


class KeptArchive(Archive):
    """An archive that is only read: nothing of it is made or removed, and what does not fit is refused by name."""

    def brought_up_to_date(self, on_progress: Callable[[int], None] = lambda _: None) -> list[Segment]:
        del on_progress
        kept, unfit = self._examined()
        for segment, reason in unfit.items():
            raise SegmentMismatchError(segment=segment.path.name, problem=Said("it {reason}", reason=reason))
        return kept

    def discard_unreadable(self) -> None:
        raise IntegrityBrokenError(f"a segment in {self.folder} cannot be read")

    def differences(self, segment: Segment) -> Iterator[tuple[int, str, str]]:
        """As of any archive; and where no column differs, but other bytes do, that.

        A file of columns also tells readers what they need not read: a lie there hides events from a query, and no
        comparison of the columns shows it. So a segment made anew must be the same file, if one program wrote both.
        """
        with TemporaryDirectory(prefix="salur-") as room:
            anew = self._written(Path(room), segment.first, segment.last)
            if cmp(anew, segment.path, shallow=False):
                return
            with database(MEMORY_BYTES_MAX) as connection:
                names = [str(anew), str(segment.path)]
                writers = connection.execute("SELECT created_by FROM parquet_file_metadata(?)", [names]).fetchall()
        found = list(super().differences(segment))
        if not found and len(set(writers)) == 1:
            found = [(segment.first, "", "bytes that are in none of its columns")]
        yield from found
