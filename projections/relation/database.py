"""The database that projections run in: DuckDB in memory, within bounds."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ledger.domain.errors import Said
from ledger.store.errors import StoreFailedError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_BYTES_MAX = 2_500_000_000
"""What is larger goes to temporary files, so that a whole process stays below 4 GiB."""
OPEN_FILES = 64
"""At least as often the database may have one file open at a time."""
BLOCK_BYTES = 1 << 24


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
            connection.execute("SET enable_progress_bar = false")  # of a long query, among the data on standard output
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


def query_error() -> tuple[type[Exception], ...]:
    """What the database raises for a query that is wrong in itself, whatever the files hold."""
    import duckdb

    return duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException


def require_file(error: Exception, path: Path) -> None:
    """Let an error that the database raised over a file be held against the file's bytes.

    Raises `StoreFailedError` where the system around the file may be the reason: the file is there, and cannot be read
    or not be opened as often as the database may open it. Nothing is known of its bytes then.
    """
    import duckdb

    if not isinstance(error, duckdb.IOException):
        return
    try:
        with ExitStack() as stack:
            files = [stack.enter_context(path.open("rb")) for _ in range(OPEN_FILES)]
            while files[0].read(BLOCK_BYTES):
                pass
    except FileNotFoundError:
        return
    except OSError as problem:
        raise StoreFailedError(reason=Said("{path}: {strerror}", path=path, strerror=problem.strerror)) from error
