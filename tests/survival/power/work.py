"""Carries out a command line and writes down, beside the ledger, what it has acknowledged: `work.py ARGUMENT…`.

With POWER_CONTROL set, SQLite is told not to wait for the disk: what is acknowledged may then be lost.
"""

import os
import sys
from typing import Any

import cli
from ledger.application import chunks, disbursement, grants, listed, registration
from ledger.application.ledger import Ledger
from ledger.store import sqlite

CHUNK_ROWS = 10


def main(arguments: list[str]) -> int:
    for module in (chunks, registration, grants, disbursement, listed):
        module.CHUNK_ROWS = CHUNK_ROWS  # type: ignore[attr-defined]
    if "POWER_CONTROL" in os.environ:
        _wait_for_nothing()
    seen = os.open("acknowledged", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    carry_out = Ledger.carry_out

    def told(ledger: Ledger, *given: Any, **named: Any) -> Any:
        recorded = carry_out(ledger, *given, **named)
        os.write(seen, f"{ledger.store.size()}\n".encode())
        return recorded

    Ledger.carry_out = told  # type: ignore[assignment]
    return cli.run(arguments)


def _wait_for_nothing() -> None:
    pool_class: Any = sqlite._Pool
    make = pool_class._create_connection

    def made(pool: Any) -> Any:
        connection = make(pool)
        connection._sqlite_conn.execute("PRAGMA synchronous=OFF")
        return connection

    pool_class._create_connection = made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
