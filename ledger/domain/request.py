"""What was asked before: references that were used, and files that were read to their end."""

from ledger.domain.event import Event, RefusedRows
from ledger.domain.fields import Count, ProgramCode, Sha256, Slug, Text


class ReferenceUsed(Event):
    """A command was carried out under an officer's own reference, and is not carried out again."""

    TOPIC = "ReferenceUsed.v1"
    used: Text
    request_sha256: Sha256

    @property
    def stream(self) -> str:
        return reference_stream(self.used)


class FileProcessed(Event):
    """A file was read to its end; so many rows went in and so many were refused, by reason."""

    TOPIC = "FileProcessed.v1"
    command: Slug
    file_sha256: Sha256
    count: Count
    refused: tuple[RefusedRows, ...]
    program: ProgramCode | None = None

    @property
    def stream(self) -> str:
        return file_stream(self.command, self.file_sha256)


def reference_stream(reference: str) -> str:
    return f"reference/{reference}"


def file_stream(command: str, file_sha256: str) -> str:
    return f"file/{command}/{file_sha256}"
