"""What must hold before anything is signed or handed over: that the figures and files come from what the log signed.

Of the laws that `salur audit verify` examines, these are the ones that a changed store or archive breaks; the others
judge what officers did, which is theirs to answer for, and no reason to keep it from anybody.
"""

from pathlib import Path

from ledger.application.folder import Place
from ledger.transparency.log import Log
from projections.audit.check import check_archive, check_readable
from projections.audit.verification import OnProgress, examined, log_law
from projections.laws.law import Law
from projections.relation.archive import ARCHIVE
from projections.relation.kept_archive import KeptArchive
from projections.relation.spans import Stored


def unsound(log: Log, place: Place, on_progress: OnProgress = lambda _: None) -> list[Law]:
    """The laws that do not hold of the store, the log and the archive; every event counts twice for the progress."""
    source = Stored(place)
    size = log.recorder.size()
    archive = KeptArchive(Path(place.folder / ARCHIVE), log.recorder) if (place.folder / ARCHIVE).is_dir() else None
    laws = [
        examined(
            "log-signed",
            "The store is the one that was signed.",
            lambda: log_law(log, source, key=None, expected=(), on_progress=on_progress)[0],
        ),
        examined("readable", "Every event can be read.", lambda: check_readable(source, size, on_progress)),
        examined("archive-true", "The archive is that of the store.", lambda: check_archive(archive)[0]),
    ]
    return [law for law in laws if not law.holds]
