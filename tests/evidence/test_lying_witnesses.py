"""What lying, slow and unreachable witnesses say is not counted, and stops no true one."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.transparency import quorum as witnessed
from ledger.transparency.errors import QuorumMissedError
from ledger.transparency.log import Log
from ledger.transparency.notes import COSIGNATURE, Note, VerifierKey, cosign, sign, verifier_key
from ledger.transparency.quorum import (
    Required,
    RequiredWitness,
    cosigners,
    publish,
    published,
    require_quorum,
    require_witnesses,
)

LIAR = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
LIAR_KEY = verifier_key("liar.example", LIAR, COSIGNATURE)
Said = tuple[int, str, bytes]
Lie = Callable[[str], Said]
"""The checkpoint asked for, with its signature → what is answered."""


def text_of(note: str) -> str:
    return note.rpartition("\n\n")[0] + "\n"


def said(note: str, *, name: str = "liar.example", key: Ed25519PrivateKey = LIAR) -> bytes:
    return str(cosign(text_of(note), name, key, time=1_602_730_800)).encode()


def ok(body: bytes) -> Said:
    return 200, "text/plain", body


NOT_THIS = "its cosignature is not one of this checkpoint"
NOT_KEY = "it did not cosign with the key expected of it"
LIES: dict[str, tuple[Lie, str]] = {
    "nothing": (lambda _: ok(b""), NOT_KEY),
    "another key": (lambda note: ok(said(note, key=OTHER)), NOT_KEY),
    "another name": (lambda note: ok(said(note, name="other.example")), NOT_KEY),
    "the same key id, another key": (
        lambda note: ok(
            str(replace(cosign(text_of(note), "liar.example", OTHER, time=1), key_id=LIAR_KEY.key_id)).encode(),
        ),
        NOT_THIS,
    ),
    "another checkpoint": (lambda note: ok(said(note.replace("\n700\n", "\n701\n"))), NOT_THIS),
    "another time than was signed": (lambda note: ok(at_another_time(said(note))), NOT_THIS),
    "a signature without a time": (lambda note: ok(without_time(note)), NOT_THIS),
    "a text of its own": (lambda note: ok(b"more\n\n" + said(f"{note}more\n\n")), NOT_THIS),
    "half a line": (lambda note: ok(said(note)[:-9]), NOT_THIS),
    "no lines of signatures": (lambda _: ok(b"<html>hello</html>\n"), NOT_THIS),
    "bytes": (lambda _: ok(b"\xff\x00\xfe\n"), NOT_THIS),
    "too much": (lambda _: ok(b"x" * 70_000), "its answer has over 65,536 bytes"),
    "too many signatures": (lambda note: ok(said(note) * 101), NOT_THIS),
    "created": (lambda note: (201, "text/plain", said(note)), "it answered 201"),
    "elsewhere": (lambda _: (302, "text/plain", b""), "it answered 302"),
    "no such log": (lambda _: (404, "text/plain", b""), "it does not know this log"),
    "another key of the log": (lambda _: (403, "text/plain", b""), "it knows this log by another key"),
    "an error": (lambda note: (500, "text/plain", said(note)), "it answered 500"),
    "a size beyond": (
        lambda _: (409, "text/x.tlog.size", b"701\n"),
        "it has already cosigned 701 events, which this log has not",
    ),
    "a size that is none": (lambda _: (409, "text/x.tlog.size", b"many\n"), "its size cannot be read"),
    "a size in bytes": (lambda _: (409, "text/x.tlog.size", b"\xff"), "its size cannot be read"),
    "ever the same size": (
        lambda _: (409, "text/x.tlog.size", b"5\n"),
        "it was asked by others again and again; is this log kept in two places?",
    ),
    "a fork": (lambda _: (409, "text/plain", b""), "it has cosigned another history of this size"),
    "an inconsistency": (lambda _: (422, "text/plain", b""), "it has cosigned another history"),
}


def at_another_time(line: bytes) -> bytes:
    note = Note.parse(b"text\n\n" + line)
    [found] = note.signatures
    return str(replace(found, signature=found.signature[:7] + b"\x01" + found.signature[8:])).encode()


def without_time(note: str) -> bytes:
    [found] = sign(text_of(note), "liar.example", LIAR).signatures
    return str(replace(found, key_id=LIAR_KEY.key_id)).encode()


@contextmanager
def lying(lie: Lie, *, pause_seconds: float = 0.0) -> Iterator[RequiredWitness]:
    """A witness that answers what it likes; with a pause, one byte at a time."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, kind, body = lie(request.partition("\n\n")[2])
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            try:
                for at in range(len(body)) if pause_seconds else ():
                    time.sleep(pause_seconds)
                    self.wfile.write(body[at : at + 1])
                    self.wfile.flush()
                if not pause_seconds:
                    self.wfile.write(body)
            except OSError:  # who asked has stopped listening
                pass

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield RequiredWitness(LIAR_KEY, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_not_counted_and_stops_no_true_witness(log: Log, witnesses: list[RequiredWitness], name: str) -> None:
    lie, reason = LIES[name]
    with lying(lie) as liar:
        require_witnesses(log, Required((liar, *witnesses[:1]), 2))
        with pytest.raises(QuorumMissedError) as missed:
            publish(log)
        assert (missed.value.cosigned, missed.value.problems) == (1, f"liar.example: {reason}")
        require_witnesses(log, Required((liar, *witnesses[:1]), 1))
        found = publish(log)
    assert found.problems == (f"liar.example: {reason}",)
    assert cosigners(found.note, log.key, [liar.key, witnesses[0].key]) == [witnesses[0].key]


def test_the_liar_would_be_counted_if_it_told_the_truth(log: Log) -> None:
    with lying(lambda note: ok(said(note))) as honest:
        require_witnesses(log, Required((honest,), 1))
        assert publish(log).cosigned == 1
    require_quorum(published(log), log.key, [LIAR_KEY], 1)


def test_lines_of_strangers_in_an_answer_are_passed_over(log: Log) -> None:
    with lying(lambda note: ok(said(note, name="other.example") + said(note))) as honest:
        require_witnesses(log, Required((honest,), 1))
        found = publish(log)
    assert {each.name for each in found.note.signatures} == {log.key.name, "liar.example"}


def test_a_slow_witness_is_not_waited_for(
    log: Log, witnesses: list[RequiredWitness], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witnessed, "STEP_SECONDS_MAX", 2.0)
    monkeypatch.setattr(witnessed, "WITNESS_SECONDS_MAX", 4.0)
    silent = socket.create_server(("127.0.0.1", 0))  # takes the connection, and never answers
    waiting = VerifierKey("silent.example", bytes(32), COSIGNATURE)
    with silent, lying(lambda note: ok(said(note)), pause_seconds=0.2) as dripping:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        require_witnesses(log, Required((dripping, RequiredWitness(waiting, address), witnesses[0]), 2))
        began = time.monotonic()
        with pytest.raises(QuorumMissedError) as missed:
            publish(log)
        assert time.monotonic() - began < 15
    assert missed.value.cosigned == 1
    assert missed.value.problems == ("liar.example: no answer in 4 seconds, silent.example: no answer in 2 seconds")


def test_a_witness_that_cannot_be_reached_is_not_counted(log: Log, witnesses: list[RequiredWitness]) -> None:
    addresses = ("http://127.0.0.1:1", "https://127.0.0.1:1", "http://a..b")
    away = tuple(
        RequiredWitness(verifier_key(f"{number}.example", Ed25519PrivateKey.generate(), COSIGNATURE), address)
        for number, address in enumerate(addresses)
    )
    tls_to_none = RequiredWitness(witnesses[1].key, witnesses[1].url.replace("http:", "https:"))
    require_witnesses(log, Required((*away, tls_to_none, witnesses[0]), 2))
    with pytest.raises(QuorumMissedError) as missed:
        publish(log)
    assert missed.value.cosigned == 1
    assert missed.value.problems.count("it cannot be reached") == len(away) + 1
