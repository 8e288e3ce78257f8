"""A witness offered over HTTP, by the one call of C2SP tlog-witness: POST /add-checkpoint.

Whoever can reach it may ask; what they can take up of it is bounded: the bytes of a request, the time of a connection,
and how many there are at once.
"""

import socket
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Timer
from typing import Any

from ledger.transparency.witness import Answer, Clock, Witness

PATH = "/add-checkpoint"
REQUEST_BYTES_MAX = 1 << 18
WAIT_SECONDS_MAX = 10.0
"""How long the server waits for a client's next bytes."""
CONNECTION_SECONDS_MAX = 60.0
CONNECTIONS_MAX = 64


class _Handler(BaseHTTPRequestHandler):
    server: "WitnessServer"
    protocol_version = "HTTP/1.1"
    timeout = WAIT_SECONDS_MAX
    error_message_format = "%(code)d %(message)s\n"
    error_content_type = "text/plain; charset=utf-8"

    def setup(self) -> None:
        super().setup()
        # `timeout` bounds the wait for the next bytes; this bounds the whole request of a client that sends byte by
        # byte.
        self.cut = Timer(CONNECTION_SECONDS_MAX, self._cut_off)
        self.cut.daemon = True
        self.cut.start()

    def _cut_off(self) -> None:
        with suppress(OSError):  # closed already
            self.connection.shutdown(socket.SHUT_RDWR)

    def finish(self) -> None:
        self.cut.cancel()
        with suppress(OSError):  # who asked has gone
            super().finish()

    def handle(self) -> None:
        with suppress(OSError):  # who asked has gone
            super().handle()

    def address_string(self) -> str:
        return "-"  # nothing is logged of a client: an address may be a person's

    def do_POST(self) -> None:  # the library's name
        length = self.headers.get("Content-Length", "")
        if self.path != PATH:
            self._refuse(HTTPStatus.NOT_FOUND)
        elif "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdecimal()):
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
        elif len(length) > len(str(REQUEST_BYTES_MAX)) or int(length) > REQUEST_BYTES_MAX:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        elif len(data := self.rfile.read(int(length))) < int(length):
            self._refuse(HTTPStatus.BAD_REQUEST)
        else:
            self._answer(data)

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True  # the rest of an unread request would follow on this connection
        self.send_error(status)

    def _answer(self, data: bytes) -> None:
        try:
            answer = self.server.witness.add_checkpoint(data, now=self.server.now)
        except Exception as error:  # noqa: BLE001  # whatever it is, the operator is told and who asked gets an answer
            self.log_error("%s", error)
            answer = Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "this witness cannot sign now\n")
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class WitnessServer(ThreadingHTTPServer):
    """Serves a witness to whoever asks."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], witness: Witness, *, now: Clock) -> None:
        super().__init__(address, _Handler)
        self.witness = witness
        self.now = now
        self._room = BoundedSemaphore(CONNECTIONS_MAX)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, if there is a place for one more."""
        if not self._room.acquire(timeout=WAIT_SECONDS_MAX):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread started, so nobody else releases the place
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and free the place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def url(self) -> str:
        """The address at which the witness answers."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"
