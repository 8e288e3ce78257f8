"""Logs as a witness sees them, right and wrong ones, computed here from the definitions; and ways to ask a witness."""

import http.client
import threading
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.transparency.notes import Checkpoint, Note, VerifierKey, sign, verifier_key
from ledger.transparency.witness import Witness, create_witness
from ledger.transparency.witness_server import WitnessServer
from tests.logged import root_of

NAMES = ("one.example", "two.example", "three.example")
"""Of the witnesses of a ledger."""

Answered = tuple[int, str, bytes]
"""Status, content type and body."""


def clock() -> datetime:
    return datetime(2020, 10, 15, 3, tzinfo=UTC)


def proof_of(old_size: int, leaves: Sequence[bytes], *, is_known: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962, 2.1.2, as it is written."""
    if old_size == len(leaves):
        return [] if is_known else [root_of(list(leaves))]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = leaves[:split], leaves[split:]
    if old_size <= split:
        return [*proof_of(old_size, left, is_known=is_known), root_of(list(right))]
    return [*proof_of(old_size - split, right, is_known=False), root_of(list(left))]


class History:
    """What a log's operator can sign: any leaves, under the log's name and key."""

    def __init__(self, origin: str, leaves: Sequence[bytes], key: Ed25519PrivateKey | None = None) -> None:
        self.origin, self.leaves, self.key = origin, list(leaves), key or Ed25519PrivateKey.generate()

    @property
    def verifier_key(self) -> VerifierKey:
        return verifier_key(self.origin, self.key)

    def rewritten(self, first: int, *, size: int | None = None) -> "History":
        """The same log with other events from one on."""
        leaves = [*self.leaves[:first], *(b"other %d" % each for each in range(first, size or len(self.leaves)))]
        return History(self.origin, leaves, self.key)

    def note(self, size: int) -> Note:
        return sign(str(Checkpoint(self.origin, size, root_of(self.leaves[:size]))), self.origin, self.key)

    def request(self, old_size: int, size: int) -> bytes:
        proof = proof_of(old_size, self.leaves[:size]) if 0 < old_size <= size else []
        return request(old_size, proof, str(self.note(size)))


def history(origin: str, size: int = 40) -> History:
    return History(origin, [b"event %d" % each for each in range(size)])


def request(old_size: int | str, proof: Sequence[bytes], note: str) -> bytes:
    lines = "".join(f"{b64encode(each).decode()}\n" for each in proof)
    return f"old {old_size}\n{lines}\n{note}".encode()


def ask(url: str, data: bytes, *, path: str = "/add-checkpoint", method: str = "POST") -> Answered:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    try:
        connection.request(method, path, data)
        answer = connection.getresponse()
        return answer.status, answer.headers.get_content_type(), answer.read()
    finally:
        connection.close()


@contextmanager
def serving(witness: Witness) -> Iterator[str]:
    """A witness that answers at an address while in this block."""
    with WitnessServer(("127.0.0.1", 0), witness, now=clock) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.url()
        finally:
            server.shutdown()
            thread.join()


def witness_of(folder: Path, name: str, *logs: VerifierKey) -> Witness:
    witness = create_witness(folder, name=name)
    for key in logs:
        witness.add_log(key, now=clock)
    return witness
