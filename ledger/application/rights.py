"""Who may do what to a ledger's database: the roles of a ledger, the rights that are enough, and who has more.

Roles are of the whole server, so each ledger has its own three, named after its database: who reads one ledger on a
server reads no other. A login gets its rights as a member of them.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from ledger.store.postgres_tables import LISTS, SCHEMA, TABLE, TURN
from ledger.store.server import Database
from ledger.vault.postgres_tables import SCHEMA as VAULT_SCHEMA

NAME_BYTES_MAX = 63
"""PostgreSQL cuts a longer name off, so that two of them may become one."""
_SCHEMAS = f"{SCHEMA}, {VAULT_SCHEMA}"


@dataclass(frozen=True)
class Roles:
    """The roles of one ledger."""

    officer: str
    """Adds events and lists, and reads them."""
    auditor: str
    """Reads them."""
    vault: str
    """Adds people, reads and erases them; for officers who see personal data."""


def roles_of(database_name: str) -> Roles:
    """The roles of the ledger in a database; no two databases of a server have one in common."""
    room = NAME_BYTES_MAX - len("_officer")
    if len(database_name.encode()) > room:
        digest = hashlib.sha256(database_name.encode()).hexdigest()[:8]
        database_name = database_name.encode()[: room - 1 - len(digest)].decode(errors="ignore") + f"_{digest}"
    return Roles(f"{database_name}_officer", f"{database_name}_auditor", f"{database_name}_vault")


@dataclass(frozen=True)
class Right:
    """What a role may do with tables; a right on a column names it: `UPDATE (turn)`."""

    role: str
    """The name of a field of `Roles`."""
    kinds: tuple[str, ...]
    tables: tuple[str, ...]


def _of_vault(*names: str) -> tuple[str, ...]:
    return tuple(f"{VAULT_SCHEMA}.{name}" for name in names)


# Who waits for the turn to write locks a row, for which PostgreSQL asks for a right to change some column of it.
# To erase a person: DELETE takes the rows out, MAINTAIN (since version 17) writes the tables anew without their bytes.
RIGHTS = (
    Right("officer", ("SELECT", "INSERT"), (TABLE, LISTS)),
    Right("officer", ("SELECT", "UPDATE (turn)"), (TURN,)),
    Right("auditor", ("SELECT",), (TABLE, LISTS, TURN)),
    Right("vault", ("SELECT", "INSERT", "DELETE", "MAINTAIN"), _of_vault("person", "identity", "account")),
    Right("vault", ("SELECT", "INSERT", "MAINTAIN"), _of_vault("mark", "refused")),
    Right("vault", ("SELECT", "UPDATE (turn)"), _of_vault("vault")),
)

_FOR_WHOM = """\
-- Rights that are enough. Run this as the owner of the database (psql -f), then for each person who works with the ledger:
--   GRANT {officer}, {vault} TO siti;    an officer, who also sees personal data
--   GRANT {officer} TO budi;    an officer who does not: approves, runs, reports
--   GRANT {auditor} TO tari;    reads every event and changes nothing
-- All of it is done or nothing, and it may be run again.
\\set ON_ERROR_STOP on
BEGIN;
DO {quote}
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[{roles}] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted);
        IF NOT (SELECT rolsuper OR rolcreaterole FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
            RAISE EXCEPTION 'the role % is missing, and % may not make roles: nothing was changed', wanted, current_user
                USING HINT = format('Let an administrator run CREATE ROLE %I NOLOGIN ADMIN %I; and the same for the'
                    ' other two roles. Then run this again.', wanted, current_user);
        END IF;
        EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
    END LOOP;
END
{quote};
"""


def grants(database: Database) -> str:
    """The statements that give a ledger's roles the rights they need in its database, and nobody else any."""
    [(name, version)] = database.read("SELECT current_database()::text, current_setting('server_version_num')::int")
    roles = roles_of(name)
    named = {field: _identifier(value) for field, value in vars(roles).items()}
    literals = ", ".join("'" + role.replace("'", "''") + "'" for role in vars(roles).values())
    everybody, place = ", ".join(named.values()), _identifier(name)
    lines = [
        _FOR_WHOM.format(quote=_quote_for(literals), roles=literals, **named).rstrip("\n"),
        f"REVOKE ALL ON DATABASE {place} FROM PUBLIC;",
        *_taken(", ".join(["PUBLIC", everybody, *_others(database, roles)])),
        f"GRANT CONNECT ON DATABASE {place} TO {everybody};",
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO {named['officer']}, {named['auditor']};",
        f"GRANT USAGE ON SCHEMA {VAULT_SCHEMA} TO {named['vault']};",
    ]
    there = {table for (table,) in database.read(_TABLES, ([SCHEMA, VAULT_SCHEMA],))}
    for right in RIGHTS:
        kinds = ", ".join(kind for kind in right.kinds if kind != "MAINTAIN" or version >= 170000)
        if tables := [table for table in right.tables if table in there]:
            lines.append(f"GRANT {kinds} ON {', '.join(tables)} TO {named[right.role]};")
    return "\n".join([*lines, "COMMIT;", ""])


def grants_at(address: str) -> str:
    """As `grants`, of the database with that address."""
    with closing(Database(address)) as database:
        return grants(database)


def _taken(whom: str) -> Iterator[str]:
    yield f"REVOKE ALL ON SCHEMA {_SCHEMAS} FROM {whom};"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {_SCHEMAS} FROM {whom};"
    yield f"REVOKE ALL ON ALL ROUTINES IN SCHEMA {_SCHEMAS} FROM {whom};"


def _others(database: Database, roles: Roles) -> list[str]:
    """Who else was given rights: the roles that all ledgers of a server had up to version 0.1.0, or those of a ledger whose
    database this is a copy of.
    """
    found = {role for (role,) in database.read(_GIVEN_TO, ([SCHEMA, VAULT_SCHEMA],))}
    return [_identifier(role) for role in sorted(found - set(vars(roles).values()))]


def _identifier(name: str) -> str:
    """A name as SQL takes it, quoted unless it is plain and, with an underscore in it, no word of SQL."""
    return name if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", name) else '"' + name.replace('"', '""') + '"'


def _quote_for(text: str) -> str:
    """A dollar quote that does not stand in the text."""
    word = "roles"
    while f"${word}$" in text:
        word += "_"
    return f"${word}$"


_TABLES = """
SELECT n.nspname||'.'||c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid=c.relnamespace
WHERE c.relkind='r' AND n.nspname=ANY(%s)
"""

_GIVEN_TO = """
SELECT DISTINCT r.rolname::text
FROM pg_namespace AS n LEFT JOIN pg_class AS c ON c.relnamespace=n.oid LEFT JOIN pg_attribute AS a ON a.attrelid=c.oid
CROSS JOIN unnest(ARRAY[n.nspacl::text, c.relacl::text, a.attacl::text]) AS given
CROSS JOIN aclexplode(given::aclitem[]) AS g JOIN pg_roles AS r ON r.oid=g.grantee
WHERE n.nspname=ANY(%s) AND r.oid<>n.nspowner AND r.oid IS DISTINCT FROM c.relowner
"""

# Rights that a role has in effect: given to it or its roles, to everybody, by ownership, or to all tables at once.
_WIDER = """
WITH tables AS (
    SELECT c.oid, c.relowner, n.nspname||'.'||c.relname AS name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid=c.relnamespace
    WHERE c.relkind='r' AND n.nspname=ANY(%s)
), kept_from AS (
    SELECT unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']
        ||CASE WHEN current_setting('server_version_num')::int>=170000 THEN ARRAY['MAINTAIN'] ELSE ARRAY[]::text[] END
    ) AS kind
), allowed AS (
    SELECT v.oid AS role, a.name, a.kind
    FROM unnest(%s::text[], %s::text[], %s::text[]) AS a (role, name, kind) JOIN pg_roles AS v ON v.rolname=a.role
), had AS (
    SELECT r.oid, r.rolname::text AS role, t.name, k.kind
    FROM tables AS t CROSS JOIN kept_from AS k CROSS JOIN pg_roles AS r
    WHERE NOT r.rolsuper AND r.oid<>t.relowner AND r.rolname !~ '^pg_'
        AND (has_table_privilege(r.oid, t.oid, k.kind) OR k.kind IN ('INSERT', 'UPDATE') AND EXISTS (
            SELECT FROM pg_attribute AS c
            WHERE c.attrelid=t.oid AND c.attnum>0 AND NOT c.attisdropped
                AND has_column_privilege(r.oid, t.oid, c.attnum, k.kind) AND NOT EXISTS (
                    SELECT FROM allowed AS w WHERE w.name=t.name AND w.kind=k.kind||' ('||c.attname||')'
                        AND pg_has_role(r.oid, w.role, 'USAGE'))))
)
SELECT role, name, string_agg(kind, ', ' ORDER BY kind)
FROM had
WHERE NOT EXISTS (
    SELECT FROM allowed AS w WHERE w.name=had.name AND w.kind=had.kind AND pg_has_role(had.oid, w.role, 'USAGE'))
GROUP BY role, name ORDER BY name, role
"""
_MAKERS = """
SELECT r.rolname::text, n.nspname::text FROM pg_roles AS r CROSS JOIN pg_namespace AS n
WHERE NOT r.rolsuper AND r.oid<>n.nspowner AND r.rolname !~ '^pg_' AND n.nspname=ANY(%s)
    AND has_schema_privilege(r.oid, n.oid, 'CREATE')
ORDER BY 2, 1
"""
_WHO = """
SELECT current_user::text, r.rolsuper, pg_has_role(current_user, c.relowner, 'USAGE')
FROM pg_roles AS r, pg_class AS c JOIN pg_namespace AS n ON n.oid=c.relnamespace
WHERE r.rolname=current_user AND n.nspname||'.'||c.relname=%s
"""


def wider_rights(database: Database) -> list[str]:
    """A sentence, with the remedy, for each role that may do more than the ledger needs, and for what lets others in."""
    return [*_wider(database), *_open_to_all(database)]


def _wider(database: Database) -> Iterator[str]:
    [(name,)] = database.read("SELECT current_database()::text")
    roles, schemas = roles_of(name), [SCHEMA, VAULT_SCHEMA]
    allowed = [
        (getattr(roles, right.role), table, kind) for right in RIGHTS for table in right.tables for kind in right.kinds
    ]
    for role, table, kinds in database.read(_WIDER, (schemas, *map(list, zip(*allowed, strict=True)))):
        yield f"{role} has {kinds} on {table}; REVOKE {kinds} ON {table} FROM {role}, or from the roles it is a member of"
    for role, schema in database.read(_MAKERS, (schemas,)):
        yield f"{role} has CREATE on {schema}; REVOKE CREATE ON SCHEMA {schema} FROM {role}"
    for user, is_superuser, is_owner in database.read(_WHO, (TABLE,)):
        if is_superuser or is_owner:
            what = "a superuser" if is_superuser else "the owner of the tables"
            yield f"you work as {user}, {what}, who may do anything; work as a member of {roles.officer}"


def _open_to_all(database: Database) -> Iterator[str]:
    [(name, is_open)] = database.read(
        "SELECT current_database()::text, has_database_privilege('public', current_database(), 'CONNECT')"
    )
    if is_open:
        place = _identifier(name)
        yield f"every login of the server may connect to {name}; REVOKE CONNECT ON DATABASE {place} FROM PUBLIC"
    if not database.read(f"{_TABLES} AND c.relname=%s", ([SCHEMA], TURN.partition(".")[2])):
        yield (
            "the database is as an earlier version made it, and whoever may connect can stop those who record; let its"
            " owner run `salur vault upgrade`"
        )
