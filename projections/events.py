"""The relations `log`, `events` and `context` that every projection reads.

`log` holds one wide, typed row an event: all of them. `events` is what is seen of it as of a date and as known at a
size of the log or an instant. `context` is one row that says so, with the ledger's currency.
"""

from datetime import UTC, date, datetime
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from ledger.errors import LogSizeError
from ledger.store import LedgerRecorder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_AMOUNT = "DECIMAL(38,0)"
"""Money and quantities: sums neither round nor overflow silently, on DuckDB as on Spark."""

FIELDS = {
    "name": "VARCHAR",
    "currency": "VARCHAR",
    "decimals": "INTEGER",
    "used": "VARCHAR",
    "request_sha256": "VARCHAR",
    "command": "VARCHAR",
    "file_sha256": "VARCHAR",
    "count": _AMOUNT,
    "refused": "STRUCT(code VARCHAR, rows BIGINT)[]",
    "program": "VARCHAR",
    "officer_id": "VARCHAR",
    "roles": "VARCHAR[]",
    "reason": "VARCHAR",
    "parent": "VARCHAR",
    "kind": "VARCHAR",
    "ceiling": _AMOUNT,
    "schedule": f"{_AMOUNT}[]",
    "fiscal_year": "INTEGER",
    "legal_basis": "VARCHAR",
    "categories": "VARCHAR[]",
    "report_due_days": "INTEGER",
    "budget": _AMOUNT,
    "previous": _AMOUNT,
    "amount": _AMOUNT,
    "reserved_for": "VARCHAR",
    "recipient_id": "VARCHAR",
    "commitment": "VARCHAR",
    "category": "VARCHAR",
    "region": "VARCHAR",
    "shared_account": "VARCHAR",
    "source": "VARCHAR",
    "scheme": "VARCHAR",
    "channel": "VARCHAR",
    "session_id": "VARCHAR",
    "group_id": "VARCHAR",
    "batch_id": "VARCHAR",
    "tranche": "INTEGER",
    "maker": "VARCHAR",
    "checker": "VARCHAR",
    "rows_sha256": "VARCHAR",
    "total": _AMOUNT,
    "attempt": "INTEGER",
    "return_reason": "VARCHAR",
    "recorded_by": "VARCHAR",
    "after": "VARCHAR",
    "treasury_ref": "VARCHAR",
    "members": "VARCHAR[]",
    "proposal_ref": "VARCHAR",
    "decree_ref": "VARCHAR",
    "decree_on": "DATE",
    "report_due_on": "DATE",
    "report_ref": "VARCHAR",
    "item": "VARCHAR",
    "quantity": _AMOUNT,
    "unit": "VARCHAR",
    "origin": "VARCHAR",
    "shipment_id": "VARCHAR",
    "country": "VARCHAR",
    "partner": "VARCHAR",
    "proof_ref": "VARCHAR",
}
"""Field of an event → its type in the relation."""

_PLACE = {
    "log_index": "BIGINT",
    "stream": "VARCHAR",
    "version": "INTEGER",
    "topic": "VARCHAR",
    # Without a zone, always UTC: a zoned type is shown in the session's zone, here and on Spark.
    "recorded_at": "TIMESTAMP",
    "effective_on": "DATE",
    "by": "VARCHAR",
    "reference": "VARCHAR",
    "note": "VARCHAR",
}

_TYPES = ", ".join(f"'{name}': '{sql_type}'" for name, sql_type in (_PLACE | FIELDS).items())
_LOG = (
    "CREATE OR REPLACE TABLE log AS SELECT log_index, stream, version,"  # noqa: S608  # our own names
    " regexp_replace(topic, '[.]v[0-9]+$', '') AS event, recorded_at, effective_on, \"by\" AS officer,"
    f" reference, note, {', '.join(FIELDS)} FROM read_json(?, format='newline_delimited', columns={{{_TYPES}}})"
)

_SPARK_FUNCTIONS = (
    "explode(list) AS unnest(list)",
    "sequence(first, last) AS generate_series(first, last)",
    "array_size(list) AS len(list)",
    "element_at(list, nth) AS list_extract(list, nth)",
    "datediff(end_on, start_on) AS end_on - start_on",
)
"""What Spark has and DuckDB names otherwise, so that one file runs on both."""


def load(connection: "DuckDBPyConnection", recorder: LedgerRecorder) -> None:
    """Fill `log` with every event of the ledger.

    Raises `duckdb.Error` where a stored line is not JSON of the expected types.
    """
    for function in _SPARK_FUNCTIONS:
        connection.execute(f"CREATE OR REPLACE MACRO {function}")
    with NamedTemporaryFile(suffix=".ndjson") as file:
        file.writelines(recorder.lines())
        file.flush()
        connection.execute(_LOG, [file.name])


def view(connection: "DuckDBPyConnection", as_of: date, known_at: int | datetime | None) -> None:
    """Let `events` and `context` show what had happened by a date and was known at a point of the log.

    A number is a size of the log. An instant means all before the first event recorded later than it, in log order,
    so that a clock that runs backwards moves nothing. Raises `LogSizeError` for a size the log has not reached.
    """
    log_size = _log_size(connection, known_at)
    connection.execute(
        f"CREATE OR REPLACE VIEW events AS SELECT * FROM log"  # noqa: S608  # a number and a date
        f" WHERE log_index < {log_size} AND effective_on <= DATE '{as_of.isoformat()}'"
    )
    connection.execute(
        f"CREATE OR REPLACE TABLE context AS SELECT DATE '{as_of.isoformat()}' AS as_of,"  # noqa: S608  # the same
        f" CAST({log_size} AS BIGINT) AS log_size, MAX(currency) AS currency, MAX(decimals) AS decimals"
        " FROM log WHERE event = 'LedgerOpened'"
    )


def _log_size(connection: "DuckDBPyConnection", known_at: int | datetime | None) -> int:
    size = _number(connection, "SELECT COALESCE(MAX(log_index) + 1, 0) FROM log")
    if known_at is None:
        return size
    if isinstance(known_at, int):
        if not 0 <= known_at <= size:
            raise LogSizeError(size=size, asked=known_at)
        return known_at
    if known_at.tzinfo is None:
        raise ValueError("an instant needs a zone")
    later = "SELECT COALESCE(MIN(log_index), ?) FROM log WHERE recorded_at > ?"
    return _number(connection, later, size, known_at.astimezone(UTC).replace(tzinfo=None))


def _number(connection: "DuckDBPyConnection", query: str, *values: object) -> int:
    found = connection.execute(query, values).fetchone()
    return int(found[0]) if found else 0
