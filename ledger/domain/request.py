"""What was asked before: references that were used, and files that were read to their end."""

from ledger.domain.event import Event, RefusedRows, Stream
from ledger.domain.fields import Count, ProgramCode, Sha256, Slug, Text

reference_stream = Stream("reference/{used}", "carrying out a command twice under one reference")
file_stream = Stream("file/{command}/{file_sha256}", "(tells what became of each file's rows, for `report refusals`)")


class ReferenceUsed(Event):
    """A command was carried out under an officer's own reference, and is not carried out again."""

    TOPIC = "ReferenceUsed.v1"
    STREAM = reference_stream
    ROLE = None
    used: Text
    request_sha256: Sha256


class FileProcessed(Event):
    """A file was read to its end; so many rows went in and so many were refused, by reason."""

    TOPIC = "FileProcessed.v1"
    STREAM = file_stream
    ROLE = None
    NEEDS_OPEN = False
    command: Slug
    file_sha256: Sha256
    count: Count
    refused: tuple[RefusedRows, ...]
    program: ProgramCode | None = None
