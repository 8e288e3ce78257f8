"""The ledger's transparency log, as its events name it: with the key that all of it is verified with."""

from ledger.domain.event import Event, Stream
from ledger.domain.fields import VerifierKeyText

log_stream = Stream("log", "a second log of one ledger, under another key")
LOG_STREAM = log_stream()


class LogBegun(Event):
    """The ledger has a transparency log from here on, and it is the one of this key."""

    TOPIC = "LogBegun.v1"
    IS_SIGNED = False  # a ledger may have its log before it has an officer
    STREAM = log_stream
    verifier_key: VerifierKeyText
    """As the log's own file `verifier-key` has it."""

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.verifier_key.partition("+")[0]
