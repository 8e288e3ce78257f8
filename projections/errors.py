"""Refusals of those who read."""

from ledger.domain.errors import LedgerError, Said


class SegmentMismatchError(LedgerError):
    """A segment of the archive does not hold what the ledger's store holds."""

    code = "segment_mismatch"
    sentence = (
        "segment {segment} is not of this ledger: {problem}; find out how it came there, then make the archive anew"
        " from the store with `salur seal --rebuild`"
    )
    segment: str
    problem: Said


class SignerElsewhereError(LedgerError):
    """The key that signs the log, and with it published figures, is not on this machine."""

    code = "signer_elsewhere"
    sentence = "figures are signed with the log's key, which is not at {path}; publish them where the log is sealed"
    path: str


class FiguresTooLargeError(LedgerError):
    """The report has more rows than one signed note can hold."""

    code = "figures_too_large"
    sentence = "the rows of {report} have more than {size_bytes_max} bytes; publish a shorter report, such as programs"
    report: str
    size_bytes_max: int


class LogSizeError(LedgerError):
    """The log is shorter than the size asked for."""

    code = "log_size"
    sentence = "the ledger holds {size} events, --known-at asks for {asked}; give a size up to that or an instant"
    size: int
    asked: int


class FigureUnknownError(LedgerError):
    """No report has that figure, or it is no sum of events."""

    code = "figure_unknown"
    sentence = "no figure {figure}: {problem}{nearest}; choose from: {known}"
    figure: str
    problem: Said
    known: str
    nearest: Said = Said("")


class ProofsTooManyError(LedgerError):
    """More proofs are asked for at once than are written at once."""

    code = "proofs_too_many"
    sentence = "{asked} proofs asked for, at most {most} are written at once; choose a page with --page"
    asked: int
    most: int
