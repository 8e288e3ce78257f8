"""What a SQLite file consists of, held against the statements that make it.

A view in the place of a table, a trigger or a generated column can swallow what was acknowledged, or show a reader other
rows than those stored. So before a word of a file is believed, its schema is compared with the one that this program
makes: the same tables and indexes, each by the same statement, and nothing else.
"""

import sqlite3
from contextlib import closing
from functools import cache

from ledger.domain.errors import IntegrityBrokenError

Objects = dict[tuple[str, str], tuple[str, str]]
"""(type, name) → the table it belongs to, and its statement, of all that is in a file."""

# As bytes: a damaged file may hold what is no text.
_OBJECTS = "SELECT type, CAST(name AS BLOB), CAST(tbl_name AS BLOB), CAST(sql AS BLOB) FROM sqlite_schema"


def require_schema(connection: sqlite3.Connection, *scripts: str, what: str, may_be_empty: bool = False) -> None:
    """Raise `IntegrityBrokenError` unless a file consists of what one of the scripts makes, and of nothing else.

    The scripts are those of all versions whose files are still opened, the newest first; what differs is told of that
    one. `what` names the file. One that holds nothing yet may be allowed. It costs one query of a few rows.
    """
    found = _objects(connection)
    if not found and may_be_empty:
        return
    wanted = [_made_by(script) for script in scripts]
    if found not in wanted:
        raise IntegrityBrokenError(
            f"{what} is not as this program makes it: {_difference(found, wanted[0])}; nothing in it is believed before"
            " somebody has found out who did that, and restored a copy; then run `salur check`"
        )


def _objects(connection: sqlite3.Connection) -> Objects:
    rows = connection.execute(_OBJECTS).fetchall()
    return {(kind, _text(name)): (_text(table), _text(sql)) for kind, name, table, sql in rows}


def _text(stored: bytes | None) -> str:
    return "" if stored is None else stored.decode(errors="backslashreplace")


@cache
def _made_by(script: str) -> Objects:
    with closing(sqlite3.connect(":memory:")) as empty:
        empty.executescript(script)
        return _objects(empty)


def _difference(found: Objects, wanted: Objects) -> str:
    """A clause on one object that differs, the most telling first."""
    for kind, name in sorted(found.keys() - wanted.keys(), key=lambda key: (key[0] == "index", key)):
        table, _ = found[kind, name]
        of_table = f" of {table}" if table != name else ""
        return f"the {kind} {name}{of_table} is none that this program makes"
    for kind, name in sorted(key for key in wanted.keys() & found.keys() if found[key] != wanted[key]):
        return f"the {kind} {name} is another than the one it makes"
    kind, name = max(wanted.keys() - found.keys())  # a table rather than its index
    return f"the {kind} {name} is missing"
