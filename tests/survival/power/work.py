"""Carries out a command line and writes down, beside the ledger, what it has acknowledged: `work.py ARGUMENT…`.

With POWER_CONTROL set, SQLite is told not to wait for the disk: what is acknowledged may then be lost.
"""

import os
import sys
from pathlib import Path
from typing import Any

import cli
from ledger.application import chunks, disbursement, grants, listed, registration
from ledger.store import sqlite
from tests.survival.acknowledged import write_down

CHUNK_ROWS = 10


def main(arguments: list[str]) -> int:
    for module in (chunks, registration, grants, disbursement, listed):
        module.CHUNK_ROWS = CHUNK_ROWS  # type: ignore[attr-defined]
    if "POWER_CONTROL" in os.environ:
        _wait_for_nothing()
    write_down(Path("acknowledged"))
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
