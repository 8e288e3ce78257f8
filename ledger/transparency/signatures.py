"""Officers' signatures: which bytes are signed, where the signature stands in them, and whether it is the officer's.

An officer signs an event's line as it is stored, behind the ledger's fingerprint, so that no event of one ledger passes
for one of another. The signature is then the last field of the line: cut off again, the signed bytes are left. Ed25519
as in RFC 8032; base64 is read only in its one canonical form, which leaves no unused bits to hide anything in.
"""

import base64

CONTEXT = b"salur/signature/v1\n"


def text_to_sign(fingerprint: str, line: bytes) -> bytes:
    """What an officer signs: the ledger's fingerprint, and the event's line without log_index and signature."""
    return CONTEXT + fingerprint.encode() + b"\n" + line


def is_genuine(public_key: str, text: bytes, signature: str) -> bool:
    """Whether the holder of the key signed the text."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key)).verify(base64.b64decode(signature), text)
    except (InvalidSignature, ValueError):  # some texts of 32 bytes are no key at all
        return False
    return True
