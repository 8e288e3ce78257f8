"""Who may do what to a ledger's database: the rights that are enough, and where somebody has more."""

from ledger.store.postgres import LISTS, SCHEMA, TABLE
from ledger.store.server import Database
from ledger.vault.postgres import SCHEMA as VAULT_SCHEMA

OFFICER, AUDITOR, VAULT = "salur_officer", "salur_auditor", "salur_vault"

GRANTS = f"""\
-- Rights that are enough. Run this once as the owner of the database, then for each person who works with the ledger:
--   GRANT {OFFICER}, {VAULT} TO siti;    an officer, who also sees personal data
--   GRANT {OFFICER} TO budi;                 an officer who does not: approves, runs, reports
--   GRANT {AUDITOR} TO tari;                 reads every event and changes nothing
CREATE ROLE {OFFICER} NOLOGIN;
CREATE ROLE {AUDITOR} NOLOGIN;
CREATE ROLE {VAULT} NOLOGIN;
REVOKE ALL ON SCHEMA {SCHEMA}, {VAULT_SCHEMA} FROM PUBLIC;
GRANT USAGE ON SCHEMA {SCHEMA} TO {OFFICER}, {AUDITOR};
GRANT SELECT, INSERT ON {TABLE} TO {OFFICER};
GRANT SELECT, INSERT ON {LISTS} TO {OFFICER};
GRANT SELECT ON {TABLE}, {LISTS} TO {AUDITOR};
GRANT USAGE ON SCHEMA {VAULT_SCHEMA} TO {VAULT};
GRANT SELECT, INSERT ON {VAULT_SCHEMA}.person, {VAULT_SCHEMA}.given TO {VAULT};
GRANT SELECT ON {VAULT_SCHEMA}.key_check TO {VAULT};
-- To erase a person: DELETE takes the row out, MAINTAIN (since version 17) writes the table anew without its bytes.
GRANT DELETE ON {VAULT_SCHEMA}.person TO {VAULT};
DO $$ BEGIN IF current_setting('server_version_num')::int >= 170000 THEN EXECUTE 'GRANT MAINTAIN ON {VAULT_SCHEMA}.person TO {VAULT}'; END IF; END $$;
"""

# Rights that a role has in effect: given to it or its roles, to everybody, by ownership, or to all tables at once.
_WIDER = """
WITH tables AS (
    SELECT c.oid, c.relowner, n.nspname||'.'||c.relname AS name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid=c.relnamespace
    WHERE c.relkind='r' AND n.nspname IN (%s, %s)
), kept_from AS (
    SELECT unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS kind
)
SELECT r.rolname, t.name, string_agg(k.kind, ', ' ORDER BY k.kind)
FROM tables AS t CROSS JOIN kept_from AS k CROSS JOIN pg_roles AS r
WHERE NOT r.rolsuper AND r.oid<>t.relowner AND r.rolname !~ '^pg_'
    AND (has_table_privilege(r.oid, t.oid, k.kind)
        OR k.kind='UPDATE' AND has_any_column_privilege(r.oid, t.oid, 'UPDATE'))
    -- who works with the vault erases people from it
    AND NOT (k.kind='DELETE' AND t.name=%s AND EXISTS (
        SELECT 1 FROM pg_roles AS v WHERE v.rolname=%s AND pg_has_role(r.oid, v.oid, 'USAGE')))
GROUP BY r.rolname, t.name ORDER BY t.name, r.rolname
"""
_WHO = """
SELECT current_user, r.rolsuper, pg_has_role(current_user, c.relowner, 'USAGE')
FROM pg_roles AS r, pg_class AS c JOIN pg_namespace AS n ON n.oid=c.relnamespace
WHERE r.rolname=current_user AND n.nspname||'.'||c.relname=%s
"""


def wider_rights(database: Database) -> list[str]:
    """A sentence, with the remedy, for each role that may change or remove stored events."""
    sentences = [
        f"{role} has {kinds} on {table}; REVOKE {kinds} ON {table} FROM {role}, or from the roles it is a member of"
        for role, table, kinds in database.read(_WIDER, (SCHEMA, VAULT_SCHEMA, f"{VAULT_SCHEMA}.person", VAULT))
    ]
    for user, is_superuser, is_owner in database.read(_WHO, (TABLE,)):
        if is_superuser or is_owner:
            what = "a superuser" if is_superuser else "the owner of the tables"
            sentences.append(f"you work as {user}, {what}, who may do anything; work as a member of {OFFICER}")
    return sentences
