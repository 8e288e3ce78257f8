"""What a schema of a PostgreSQL database consists of, held against the statements that make it.

A view in the place of a table, a trigger, a rule or a policy can swallow what was acknowledged, or show a reader other
rows than those stored. So before a word of the database is believed, its catalogue is compared with the statements by
which this program makes the tables. Other tables in the schema, which nobody reads, may be there; what hangs on ours
may not.

The statements are written as PostgreSQL tells them back, so that text can be compared with text:

- a table is `CREATE TABLE IF NOT EXISTS schema.name (`, then a line each column and constraint, then `)` with options.
  A column is its name, its type, `COLLATE "C"`, `NOT NULL`, `DEFAULT …`, in this order; no constraint stands on it.
- an index is `CREATE [UNIQUE] INDEX IF NOT EXISTS name ON schema.table (columns) [WHERE (condition)]`.
- a trigger is what `pg_get_triggerdef` tells, a function what `pg_get_functiondef` tells.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ledger.domain.errors import IntegrityBrokenError

Facts = dict[tuple[str, str, str], str]
"""(kind, the table or function that it belongs to, its name or text) → its definition."""
Ask = Callable[[str, Sequence[object]], Sequence[tuple[Any, ...]]]
"""Gives the rows of a query."""

_TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+)\.(\w+) \(\n(.*?)\n\)(?: WITH \(.*\))?", re.DOTALL)
_INDEX = re.compile(r"CREATE (?:UNIQUE )?INDEX IF NOT EXISTS (\w+) ON (\w+)\.(\w+) .*")
_TRIGGER = re.compile(r"CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER (\w+) .*? ON (\w+)\.(\w+) .*")
_FUNCTION = re.compile(r"CREATE OR REPLACE FUNCTION (\w+)\.(\w+)\(.*", re.DOTALL)
_CONSTRAINT = ("PRIMARY KEY", "UNIQUE", "CHECK", "FOREIGN KEY", "EXCLUDE")

# What the catalogue tells. `a.attcollation` is compared with the type's own, as PostgreSQL's dump does.
_CATALOGUE = """
WITH ours AS (
    SELECT c.* FROM pg_class AS c JOIN pg_namespace AS n ON n.oid=c.relnamespace
    WHERE n.nspname=%s AND c.relname=ANY(%s)
)
SELECT 'table', relname::text, '', CASE WHEN relkind='r' AND relpersistence='p' AND NOT relrowsecurity AND relam=(
        SELECT oid FROM pg_am WHERE amname='heap') THEN 'plain' ELSE concat_ws(', ',
            CASE relkind WHEN 'r' THEN 'a table' WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view'
                WHEN 'f' THEN 'a foreign table' WHEN 'p' THEN 'a partitioned table' ELSE 'no table' END,
            CASE WHEN relrowsecurity THEN 'with row-level security' END,
            CASE WHEN relpersistence<>'p' THEN 'that does not survive a crash' END) END
FROM ours
UNION ALL
SELECT 'column', o.relname::text, a.attname::text, concat_ws(' ',
    row_number() OVER (PARTITION BY o.oid ORDER BY a.attnum), quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attcollation<>t.typcollation THEN 'COLLATE '
        ||CASE WHEN l.collnamespace<>'pg_catalog'::regnamespace THEN l.collnamespace::regnamespace||'.' ELSE '' END
        ||quote_ident(l.collname) END,
    CASE WHEN a.attnotnull THEN 'NOT NULL' END,
    CASE WHEN a.attgenerated<>'' THEN 'GENERATED ALWAYS AS ('||pg_get_expr(d.adbin, d.adrelid)||')'
        WHEN a.attidentity<>'' THEN 'GENERATED AS IDENTITY'
        WHEN d.adbin IS NOT NULL THEN 'DEFAULT '||pg_get_expr(d.adbin, d.adrelid) END)
FROM ours AS o JOIN pg_attribute AS a ON a.attrelid=o.oid AND a.attnum>0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid=a.atttypid LEFT JOIN pg_collation AS l ON l.oid=a.attcollation
LEFT JOIN pg_attrdef AS d ON d.adrelid=a.attrelid AND d.adnum=a.attnum
UNION ALL
SELECT 'constraint', o.relname::text, pg_get_constraintdef(c.oid), CASE WHEN c.convalidated THEN '' ELSE 'not valid' END
FROM ours AS o JOIN pg_constraint AS c ON c.conrelid=o.oid
WHERE c.contype NOT IN ('n', 't')  -- NOT NULL is told of the column, a constraint trigger of the trigger
UNION ALL
SELECT 'constraint', o.relname::text, c.conname::text, 'a reference from '||c.conrelid::regclass
FROM ours AS o JOIN pg_constraint AS c ON c.confrelid=o.oid AND c.conrelid<>o.oid
UNION ALL
SELECT 'index', o.relname::text, i.indexrelid::regclass::text,
    pg_get_indexdef(i.indexrelid)||CASE WHEN i.indisvalid AND i.indisready THEN '' ELSE ' out of use' END
FROM ours AS o JOIN pg_index AS i ON i.indrelid=o.oid
WHERE NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid=i.indexrelid AND c.conrelid=o.oid AND c.contype IN ('p', 'u'))
    OR NOT (i.indisvalid AND i.indisready)
UNION ALL
SELECT 'trigger', o.relname::text, t.tgname::text,
    pg_get_triggerdef(t.oid)||CASE WHEN t.tgenabled='O' THEN '' ELSE ' out of use' END
FROM ours AS o JOIN pg_trigger AS t ON t.tgrelid=o.oid AND (NOT t.tgisinternal OR t.tgenabled<>'O')
UNION ALL
SELECT 'rule', o.relname::text, r.rulename::text, pg_get_ruledef(r.oid)
FROM ours AS o JOIN pg_rewrite AS r ON r.ev_class=o.oid WHERE o.relkind='r'
UNION ALL
SELECT 'policy', o.relname::text, p.polname::text, 'a policy'
FROM ours AS o JOIN pg_policy AS p ON p.polrelid=o.oid
UNION ALL
SELECT 'inheritance', o.relname::text, h.inhrelid::regclass::text, 'rows of another table'
FROM ours AS o JOIN pg_inherits AS h ON o.oid IN (h.inhparent, h.inhrelid)
UNION ALL
SELECT 'function', p.proname::text, p.oid::regprocedure::text, pg_get_functiondef(p.oid)
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid=p.pronamespace
WHERE n.nspname=%s AND p.proname=ANY(%s) AND p.prokind='f'
"""


@dataclass(frozen=True)
class Schema:
    """A form that a schema of the database has: its name, and the statements that make what is in it."""

    name: str
    statements: tuple[str, ...]
    absent: frozenset[str] = frozenset()
    """Tables that a database of this form does not have; a table of the statements may be missing, and then is not used."""

    @cached_property
    def facts(self) -> Facts:
        """What the catalogue tells of a database in which the statements were carried out."""
        return dict(fact for statement in self.statements for fact in _facts_of(statement, self.name))

    def differences(self, found: Mapping[tuple[str, str, str], str]) -> list[str]:
        """What the catalogue tells otherwise than the statements say, a clause each."""
        there = {owner for kind, owner, _ in found if kind in ("table", "function")}
        wanted = {key: text for key, text in self.facts.items() if key[1] in there}
        named = [f"{self.name}.{name} is there" for name in sorted(self.absent & there)]
        # A table that is none differs in everything: that it is none says enough.
        no_tables = {key[1] for key in wanted if key[0] == "table" and found[key] != wanted[key]}
        for key in sorted(found.keys() | wanted.keys(), key=lambda key: (key[0] != "table", key)):
            kind, owner, name = key
            is_told = kind == "table" or owner not in no_tables
            if is_told and found.get(key) != wanted.get(key) and self._is_ours(key, found):
                named.append(_clause(kind, f"{self.name}.{owner}", name, found.get(key), wanted.get(key)))
        return named

    def _is_ours(self, key: tuple[str, str, str], found: Mapping[tuple[str, str, str], str]) -> bool:
        """Whether a fact is about a table that these statements make, or about a function that one of its triggers runs."""
        kind, owner, _ = key
        if kind != "function":
            return ("table", owner, "") in self.facts
        runs = f"FUNCTION {self.name}.{owner}("
        return any(each[0] == "trigger" and runs in text for each, text in found.items())


def require_schema(ask: Ask, *forms: Schema) -> bool:
    """Raise `IntegrityBrokenError` unless a schema has one of these forms; returns whether any of its tables is there.

    The forms are of one schema, the newest first; what differs is told of that one. It costs one query.
    """
    tables = sorted({key[1] for form in forms for key in form.facts if key[0] == "table"} | forms[0].absent)
    functions = sorted({key[1] for form in forms for key in form.facts if key[0] == "function"})
    name = forms[0].name
    found = {
        (kind, owner, _unquoted(kind, name, thing)): _normal(kind, text)
        for kind, owner, thing, text in ask(_CATALOGUE, (name, tables, name, functions))
    }
    problems = [form.differences(found) for form in forms]
    if all(problems):
        raise IntegrityBrokenError(
            f"the database is not as this program makes it: {problems[0][0]}; nothing in it is believed before its owner"
            " has found out who did that, and undone it or restored a copy; then run `salur check`"
        )
    return any(kind == "table" for kind, _, _ in found)


def _clause(kind: str, owner: str, name: str, found: str | None, wanted: str | None) -> str:
    if kind == "table":
        return f"{owner} is {found}"
    what = f"the function {owner}" if kind == "function" else f"the {kind} {name} of {owner}"
    if found is None:
        return f"{what} is missing"
    return f"{what} is none that this program makes" if wanted is None else f"{what} is another than the one it makes"


def _facts_of(statement: str, schema: str) -> Iterator[tuple[tuple[str, str, str], str]]:
    """What the catalogue tells once a statement was carried out; raises `ValueError` for one it cannot be derived from."""
    if parts := _TABLE.fullmatch(statement):
        yield ("table", parts[2], ""), "plain"
        lines = [line.strip().removesuffix(",") for line in parts[3].splitlines() if not line.strip().startswith("--")]
        columns = [line for line in lines if not line.startswith(_CONSTRAINT)]
        for place, line in enumerate(columns, start=1):
            yield ("column", parts[2], line.split()[0]), f"{place} {line}"
        yield from ((("constraint", parts[2], line), "") for line in lines if line.startswith(_CONSTRAINT))
    elif parts := _INDEX.fullmatch(statement):
        yield ("index", parts[3], parts[1]), _normal("index", statement)
    elif parts := _TRIGGER.fullmatch(statement):
        yield ("trigger", parts[3], parts[1]), _normal("trigger", statement)
    elif parts := _FUNCTION.fullmatch(statement):
        arguments = statement.partition("(")[2].partition(")")[0]
        yield ("function", parts[2], f"{parts[2]}({arguments})"), _normal("function", statement)
    else:
        raise ValueError(f"write this statement as the module's head says: {statement}")
    if parts and schema not in parts.groups():
        raise ValueError(f"not of the schema {schema}: {statement}")


def _normal(kind: str, text: str) -> str:
    """A definition without what only one of the two, the statement or the catalogue, says."""
    if kind == "index":
        return text.replace(" IF NOT EXISTS", "").replace(" USING btree", "")
    return text.replace("CREATE OR REPLACE TRIGGER", "CREATE TRIGGER").strip() if kind != "column" else text


def _unquoted(kind: str, schema: str, name: str) -> str:
    """The name of a thing without its schema's."""
    return name.removeprefix(f"{schema}.") if kind in ("index", "function") else name
