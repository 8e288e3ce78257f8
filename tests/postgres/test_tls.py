"""A server that speaks TLS, and who may be taken for it."""

import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from select import select
from socket import AF_UNIX, create_server, socket

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ledger.application.ledger import Ledger
from tests.postgres.server import OWNER, Server

SALUR = str(Path(sys.executable).with_name("salur"))
TLS_WANTED = bytes.fromhex("0000000804d2162f")
"""What a client says first (PostgreSQL's documentation, message formats, SSLRequest)."""


@dataclass(frozen=True)
class Authority:
    """Signs certificates; its own is in a file."""

    path: Path
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def made(cls, path: Path) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        authority = cls(path, key)
        path.write_bytes(authority.certificate(path.stem, key, is_authority=True))
        return authority

    def certificate(self, name: str, key: ec.EllipticCurvePrivateKey, *, is_authority: bool = False) -> bytes:
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.path.stem)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        return made.sign(self.key, SHA256()).public_bytes(Encoding.PEM)


class Front:
    """What stands before a server and speaks TLS for it: the one that pip installs is built without."""

    def __init__(self, server: Server, context: ssl.SSLContext) -> None:
        self._server, self._context = str(server.folder / ".s.PGSQL.5432"), context
        self._listener = create_server(("127.0.0.1", 0))
        self.versions: list[str | None] = []
        """Of TLS, one a handshake that came about."""
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket) -> None:
        try:
            with client, socket(AF_UNIX) as server:
                if client.recv(8) != TLS_WANTED:
                    return
                client.sendall(b"S")
                with self._context.wrap_socket(client, server_side=True) as safe:
                    self.versions.append(safe.version())
                    server.connect(self._server)
                    other: dict[socket, socket] = {safe: server, server: safe}
                    while True:
                        for each in select([safe, server], [], [])[0]:
                            # More than a record of TLS holds, so that nothing waits where `select` does not see it.
                            if not (data := each.recv(1 << 16)):
                                return
                            other[each].sendall(data)
        except OSError:  # the client does not trust us, or is gone
            return


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.made(tmp_path / "authority.pem")


@pytest.fixture
def front(server: Server, authority: Authority, tmp_path: Path) -> Iterator[Front]:
    """A server called `localhost`, as the authority says."""
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "server.pem").write_bytes(
        authority.certificate("localhost", key) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    with closing(Front(server, context)) as opened:
        yield opened


def init(folder: Path, address: str, trusted: Path) -> "subprocess.CompletedProcess[str]":
    safe = f"{address}?sslmode=verify-full&sslrootcert={trusted}&gssencmode=disable"
    return subprocess.run(
        [SALUR, "--store", folder, "init", "--database", safe],
        cwd=folder.parent, capture_output=True, text=True, env={"SALUR_DATABASE_TIMEOUT": "1", "LANG": "C.UTF-8"},
    )  # fmt: skip


def test_a_ledger_is_made_and_read_on_a_server_whose_certificate_is_trusted(
    server: Server, front: Front, authority: Authority, tmp_path: Path
) -> None:
    told = init(
        tmp_path / "ledger", f"postgresql://{OWNER}@localhost:{front.port}/{server.new_database()}", authority.path
    )
    assert told.returncode == 0, told.stderr
    with closing(Ledger(tmp_path / "ledger")) as ledger:
        assert ledger.store.size() == 1
    assert set(front.versions) == {"TLSv1.3"}


@pytest.mark.parametrize(
    ("host", "reason"), [("localhost", "certificate verify failed"), ("127.0.0.1", "does not match host name")]
)
def test_a_server_that_is_not_the_one_meant_is_refused(
    host: str, reason: str, server: Server, front: Front, authority: Authority, tmp_path: Path
) -> None:
    name = server.new_database()
    trusted = Authority.made(tmp_path / "another.pem").path if host == "localhost" else authority.path
    told = init(tmp_path / "ledger", f"postgresql://{OWNER}@{host}:{front.port}/{name}", trusted)
    assert told.returncode == 1
    assert "Refused [store_unreachable]" in told.stderr
    assert reason in told.stderr
    assert "Traceback" not in told.stderr
    assert server.execute("SELECT 1 FROM pg_namespace WHERE nspname LIKE 'salur%'", name=name) == []
