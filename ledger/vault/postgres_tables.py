"""The vault's tables on PostgreSQL: the statements that make them, written as `ledger.store.postgres_schema` compares them."""

from ledger.store.postgres_schema import Schema
from ledger.store.server import Connection
from ledger.vault.rows import NUMBER_MAX

SCHEMA = "salur_vault"
TURN = f"{SCHEMA}.vault"
"""The table of one row that whoever adds people locks, so that numbers have no gaps."""
MAKING_LOCK = 0x5A1D_0002
"""The number of the advisory lock for making the tables."""
LEADING = ("person", "identity", "account")
"""The tables from which somebody is erased."""
WITH_DATA = (*LEADING, "mark", "refused")
"""The tables that hold something of people."""

_TABLES = (
    f"""\
CREATE TABLE IF NOT EXISTS {TURN} (
    turn boolean NOT NULL,
    format integer NOT NULL,
    highest bigint NOT NULL,
    keyring bytea NOT NULL,
    CHECK (turn),
    PRIMARY KEY (turn)
)""",
    f"""\
CREATE TABLE IF NOT EXISTS {SCHEMA}.person (
    number bigint NOT NULL,
    version integer NOT NULL,
    agreement text COLLATE "C" NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (number, version, agreement)
)""",
    f"""\
CREATE TABLE IF NOT EXISTS {SCHEMA}.identity (
    mac bytea NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (mac)
)""",
    f"""\
CREATE TABLE IF NOT EXISTS {SCHEMA}.account (
    mac bytea NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (mac, number)
)""",
    f"""\
CREATE TABLE IF NOT EXISTS {SCHEMA}.mark (
    mac bytea NOT NULL,
    number bigint NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (mac)
)""",
    f"""\
CREATE TABLE IF NOT EXISTS {SCHEMA}.refused (
    file text COLLATE "C" NOT NULL,
    line bigint NOT NULL,
    mac bytea NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (file, line)
)""",
    f"CREATE INDEX IF NOT EXISTS refused_by_mac ON {SCHEMA}.refused (mac)",
)
# Both functions run with their owner's rights, so that officers need none on the counter and on the events. They name
# every table in full, and look for nothing but in PostgreSQL's own schema.
# New people have the numbers after the highest, without a gap: nobody's INSERT uses numbers up, and each waits for its
# turn. The owner, who copies a ledger in which people were erased, may leave gaps.
_FUNCTIONS = (
    f"""\
CREATE OR REPLACE FUNCTION {SCHEMA}.give_numbers()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
    before bigint;
    last bigint;
    given bigint;
BEGIN
    SELECT highest INTO STRICT before FROM {TURN} FOR UPDATE;
    SELECT max(number), count(DISTINCT number) INTO last, given FROM {SCHEMA}.person WHERE number > before;
    IF EXISTS (SELECT FROM {SCHEMA}.person WHERE number < 1) OR last > {NUMBER_MAX}
        OR (last - before <> given AND NOT pg_has_role(session_user, current_user, 'USAGE'))
    THEN
        RAISE integrity_constraint_violation USING MESSAGE = format('people go on from %s, one after the other', before + 1);
    END IF;
    IF given > 0 THEN
        UPDATE {TURN} SET highest = last;
    END IF;
    RETURN NULL;
END
$function$""",
    # Looked at when the transaction ends: by then the event that allows the deletion is stored.
    f"""\
CREATE OR REPLACE FUNCTION {SCHEMA}.require_erasure()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
    recipient text := 'R' || lpad(OLD.number::text, 9, '0');
BEGIN
    IF NOT pg_has_role(session_user, current_user, 'USAGE') AND NOT EXISTS (
        SELECT FROM salur.stored_events
        WHERE originator_id = 'recipient/' || recipient AND topic LIKE 'RecipientErased.%'
    ) THEN
        RAISE insufficient_privilege USING MESSAGE = format('no event says that %s is erased', recipient);
    END IF;
    RETURN NULL;
END
$function$""",
)
_NUMBERING = (
    f"CREATE OR REPLACE TRIGGER give_numbers AFTER INSERT ON {SCHEMA}.person"
    f" FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.give_numbers()"
)
_GUARDS = {
    f"erased_{table}": f"CREATE CONSTRAINT TRIGGER erased_{table} AFTER DELETE OR UPDATE ON {SCHEMA}.{table}"
    f" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.require_erasure()"
    for table in LEADING
}
FORM = Schema(SCHEMA, (*_TABLES, *_FUNCTIONS, _NUMBERING, *_GUARDS.values()))
"""What a database must tell of the vault before a word of it is believed."""


def create_tables(connection: Connection) -> None:
    """Make what today's format consists of, where it is not there; in the turn of whoever makes tables."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    for statement in (*_TABLES, *_FUNCTIONS, _NUMBERING):
        connection.execute(statement)
    there = "SELECT FROM pg_trigger WHERE tgname=%s AND tgrelid=%s::text::regclass"
    for name, statement in _GUARDS.items():
        # PostgreSQL replaces no constraint trigger.
        if connection.execute(there, (name, f"{SCHEMA}.{name.removeprefix('erased_')}")).fetchone() is None:
            connection.execute(statement)
    connection.execute(f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {SCHEMA} FROM PUBLIC")
