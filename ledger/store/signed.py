"""Where an officer's signature stands in a stored event."""

import re

_SIGNED = re.compile(rb'(.*),"signature":"([A-Za-z0-9+/]{85}[AQgw]==)"\}', re.DOTALL)


def with_signature(stored: bytes, signature: str) -> bytes:
    """A stored object, or a line, that ends with its signature."""
    return stored[:-1] + b',"signature":"' + signature.encode() + b'"}'


def split(stored: bytes) -> tuple[bytes, str | None]:
    """A stored object or a line without its signature, and the signature if there is one."""
    parts = _SIGNED.fullmatch(stored)
    return (parts[1] + b"}", parts[2].decode()) if parts else (stored, None)
