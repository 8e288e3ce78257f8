"""The database that projections run in: DuckDB in memory, within bounds."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_BYTES_MAX = 2_500_000_000
"""What is larger goes to temporary files, so that a whole process stays below 4 GiB."""


@contextmanager
def database(memory_bytes_max: int = MEMORY_BYTES_MAX, *, threads: int | None = None) -> "Iterator[DuckDBPyConnection]":
    """A database in memory, which fetches nothing from anywhere and leaves nothing behind."""
    import duckdb

    with TemporaryDirectory(prefix="salur-") as folder:
        connection = duckdb.connect(
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "memory_limit": f"{min(memory_bytes_max, _installed_bytes() // 2)}B",
                "temp_directory": folder,
                **({"threads": str(threads)} if threads else {}),
            }
        )
        try:
            connection.execute("SET parquet_metadata_cache = true")  # a projection names the same files many times
            yield connection
        finally:
            connection.close()


def _installed_bytes() -> int:
    """The machine's memory; where the system does not tell (Windows), as much as the bound above asks for."""
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 2 * MEMORY_BYTES_MAX


def database_error() -> type[Exception]:
    """What the database raises."""
    import duckdb

    return duckdb.Error


def out_of_memory() -> type[Exception]:
    """What the database raises when its bounds are too narrow for what is asked."""
    import duckdb

    return duckdb.OutOfMemoryException
