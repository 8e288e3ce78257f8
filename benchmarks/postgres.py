"""The same on PostgreSQL: beside the library's own recorder, and beside bare `COPY` into the same indexed table."""

from collections.abc import Iterable
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from benchmarks.office import (
    import_people,
    new_ledger,
    payments_file,
    people_file,
    propose_and_approve,
    run_batch,
    stored_rows,
)
from benchmarks.timing import Result, seconds
from ledger.store.entries import StoredRow
from ledger.store.postgres import PostgresLedgerFactory
from ledger.store.postgres_tables import TABLE
from tests.postgres.server import Server

PEER_PAYMENTS = 20_000
PEER_EVENTS = 1_000
"""Events an `insert_events`."""
PEER_RATIO_MIN = 3.0
LIMIT_RATIO_MIN = 0.4


def imported_and_paid_on_postgres(folder: Path, count: int) -> list[Result]:
    """People and payments a second, from file to durable events, on a server of its own."""
    people, payments = people_file(folder, count), payments_file(folder, count)
    with Server.started() as server:
        ledger = new_ledger(folder / "team", count, database=server.address(server.new_database()))
        first = ledger.store.size()
        importing = count / seconds(partial(import_people, ledger, people))
        import_limit = count / _copy_seconds(server, stored_rows(ledger, first, count))
        import_peer = PEER_PAYMENTS / _library_seconds(server, stored_rows(ledger, first, PEER_PAYMENTS))
        propose_and_approve(ledger, payments)
        first = ledger.store.size()
        running = count / seconds(partial(run_batch, ledger))
        run_limit = count / _copy_seconds(server, stored_rows(ledger, first, count))
        run_peer = PEER_PAYMENTS / _library_seconds(server, stored_rows(ledger, first, PEER_PAYMENTS))
        ledger.close()
    people.unlink()
    payments.unlink()
    return [
        _result(f"disburse run, {count:,} payments, PostgreSQL", running, run_peer, run_limit),
        _result(f"recipient import, {count:,} people, PostgreSQL", importing, import_peer, import_limit),
    ]


def _result(work: str, ours: float, peer: float, limit: float) -> Result:
    return Result(
        work=work,
        measured=f"{ours:,.0f}/s",
        peer=f"insert_events: {peer:,.0f}/s ({ours / peer:.1f} x)",
        limit=f"COPY: {limit:,.0f}/s ({ours / limit:.2f} x)",
        reach=f">= {PEER_RATIO_MIN:.0f} x, >= {LIMIT_RATIO_MIN} x",
        is_reached=ours / peer >= PEER_RATIO_MIN and ours / limit >= LIMIT_RATIO_MIN,
    )


def _copy_seconds(server: Server, parts: Iterable[list[StoredRow]]) -> float:
    """How long `COPY` takes for rows into a new table like the store's; a part is a transaction."""
    address = server.address(server.new_database())
    factory = PostgresLedgerFactory(address)
    factory.application_recorder().create_table()
    factory.close()
    took, first = 0.0, 1
    with closing(psycopg.connect(address)) as connection:

        def copy(rows: list[StoredRow], first: int) -> None:
            with connection.transaction(), connection.cursor().copy(f"COPY {TABLE} FROM STDIN (FORMAT BINARY)") as into:
                into.set_types(["text", "int8", "text", "bytea", "int8"])
                for notification_id, row in enumerate(rows, start=first):
                    into.write_row((*row, notification_id))

        for rows in parts:
            took += seconds(partial(copy, rows, first))
            first += len(rows)
    return took


def _library_seconds(server: Server, parts: Iterable[list[StoredRow]]) -> float:
    """How long the library's recorder takes for rows, a thousand at a time."""
    address = conninfo_to_dict(server.address(server.new_database()))
    datastore = PostgresDatastore(
        dbname=str(address["dbname"]),
        host=str(address["host"]),
        port="",
        user=str(address["user"]),
        password="",
        originator_id_type="text",
    )
    recorder = PostgresApplicationRecorder(datastore)
    recorder.create_table()
    took = 0.0
    for rows in parts:
        events = [StoredEvent(*row) for row in rows]
        for start in range(0, len(events), PEER_EVENTS):
            took += seconds(partial(recorder.insert_events, events[start : start + PEER_EVENTS]))
    datastore.close()
    return took
