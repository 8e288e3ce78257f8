"""The tables of events on PostgreSQL: the statements that make them, and what must hold of the numbers of events."""

from typing import Any

from ledger.domain.errors import IntegrityBrokenError
from ledger.store.numbering import require_numbered
from ledger.store.postgres_schema import Schema
from ledger.store.server import Connection

SCHEMA = "salur"
TABLE = f"{SCHEMA}.stored_events"
LOCK = 0x5A1D_0001
"""The number of the advisory lock for making the tables, and for appends to a database that an earlier version made."""
TURN = f"{SCHEMA}.log_end"
"""One row: who holds its lock appends. Its size is that of the log, and is there to be held against it."""
LISTS = f"{SCHEMA}.lists"
"""The lists of batches by the SHA-256 that their proposals have, in parts: a list is worth nothing once it has changed."""

# The library's table with two differences: names are ordered by their bytes, as on SQLite, and ids are not given by a
# sequence, which leaves gaps.
_EVENTS = (
    f"""\
CREATE TABLE IF NOT EXISTS {TABLE} (
    originator_id text COLLATE "C" NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigint NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    autovacuum_vacuum_threshold = 100000000,
    autovacuum_vacuum_scale_factor = 0.5,
    autovacuum_analyze_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.01
)""",
    f"CREATE UNIQUE INDEX IF NOT EXISTS stored_events_notification_id_idx ON {TABLE} (notification_id)",
    f"""\
CREATE TABLE IF NOT EXISTS {LISTS} (
    rows_sha256 text COLLATE "C" NOT NULL,
    part integer NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (rows_sha256, part)
)""",
)
# The function runs with its owner's rights, so that nobody else needs any on the size. It names every table in full, and
# looks for nothing but in PostgreSQL's own schema. It counts by the index, however long the log was when the plan was
# made. An error of integrity is a conflict to a program of an earlier version, which then tries again.
_END = (
    f"""\
CREATE TABLE IF NOT EXISTS {TURN} (
    turn boolean NOT NULL,
    size bigint NOT NULL,
    CHECK (turn),
    PRIMARY KEY (turn)
)""",
    f"""\
CREATE OR REPLACE FUNCTION {SCHEMA}.log_grows()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET enable_seqscan TO 'off'
AS $function$
DECLARE
    before bigint;
    added bigint;
    highest bigint;
BEGIN
    SELECT size INTO STRICT before FROM {TURN} FOR UPDATE;
    SELECT count(*), max(notification_id) INTO added, highest FROM {TABLE} WHERE notification_id > before;
    IF added <> coalesce(highest, before) - before OR EXISTS (SELECT FROM {TABLE} WHERE notification_id < 1) THEN
        RAISE integrity_constraint_violation USING MESSAGE = format('events go on from %s, one after the other', before + 1);
    END IF;
    IF added > 0 THEN
        UPDATE {TURN} SET size = highest;
    END IF;
    RETURN NULL;
END
$function$""",
    f"CREATE OR REPLACE TRIGGER log_grows AFTER INSERT ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.log_grows()",
)
FORMS = (
    Schema(SCHEMA, _EVENTS + _END),
    # Of an earlier version, whose owner has not brought it up to date.
    Schema(SCHEMA, _EVENTS, absent=frozenset({"log_end"})),
)


def make(connection: Connection) -> None:
    """Make what is not there yet; in the turn of whoever makes tables."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    for statement in _EVENTS + _END:
        connection.execute(statement)
    connection.execute(f"REVOKE ALL ON FUNCTION {SCHEMA}.log_grows() FROM PUBLIC")
    if connection.execute(f"SELECT FROM {TURN}").fetchone() is None:
        # Whatever was numbered out of order before stays found: it is not taken for the log's end.
        connection.execute(f"LOCK TABLE {TABLE} IN SHARE MODE")
        [(events, size)] = connection.execute(
            f"SELECT COUNT(*), COALESCE(MAX(notification_id), 0) FROM {TABLE}"
        ).fetchall()
        if events != size:
            raise IntegrityBrokenError(
                f"the database holds {events:,} events, and the last of them is numbered {size:,}; nothing was brought up"
                " to date: run `salur check`"
            )
        connection.execute(f"INSERT INTO {TURN} VALUES (true, %s)", (size,))


def numbering(turn: str | int) -> str:
    """The query for what tells whether events are numbered without a gap, and for the size that the trigger kept."""
    kept = f"(SELECT size FROM {turn})" if isinstance(turn, str) else "NULL"
    # The numbers below the highest that `numbering.looked_for` names.
    places = "SELECT 1::bigint << place FROM generate_series(0, 62) AS place WHERE 1::bigint << place < highest"
    return (
        f"SELECT lowest, highest, pg_relation_size('{TABLE}'), {kept}, (SELECT COUNT(*) FROM {TABLE}"
        f" WHERE notification_id=ANY(ARRAY({places} UNION SELECT highest-1 WHERE highest>1))) FROM (SELECT"
        f" (SELECT MIN(notification_id) FROM {TABLE}) AS lowest, (SELECT MAX(notification_id) FROM {TABLE}) AS highest) AS ends"
    )


def size_of(rows: list[tuple[Any, ...]], turn: str | int) -> int:
    """The size of the log; raises `IntegrityBrokenError` where events are not numbered without a gap up to it."""
    [(lowest, highest, size_bytes, kept, found)] = rows
    size = require_numbered(lowest=lowest, highest=highest, found=found, size_bytes=size_bytes)
    if isinstance(turn, str) and kept != size:
        raise IntegrityBrokenError(
            f"{kept or 0:,} events were stored, and the last one in the database is numbered {size:,}: events were removed"
            " or put in past this program; restore a copy, and run `salur check`"
        )
    return size
