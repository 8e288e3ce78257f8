"""The SQL that both DuckDB and Spark have, with one meaning: what is no part of it, and what to write instead.

A file is taken apart into words, signs, numbers and texts; comments are left out, and what stands in a text is no SQL.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

FUNCTIONS = {
    "array_agg", "array_contains", "array_join", "array_size", "array_sort", "bit_count", "bit_or", "cast", "chr",
    "coalesce", "count", "datediff", "element_at", "explode", "extract", "first_value", "lag", "lead", "lower",
    "max", "max_by", "min", "replace", "row_number", "sequence", "sha2", "shiftleft", "shiftright", "split", "substr",
    "sum", "trim",
}  # fmt: skip
"""Those that both have, some of them by a macro of `projections.relation.relations`; the comparison with Sail shows each."""

_BEFORE_A_PARENTHESIS = {
    "all", "and", "any", "as", "by", "case", "decimal", "distinct", "else", "exists", "filter", "from", "in", "join",
    "not", "on", "or", "over", "rename", "select", "then", "union", "using", "values", "when", "where", "with",
}  # fmt: skip
"""Words that a parenthesis may follow, and that are no functions."""

ALWAYS_THERE = frozenset(("log_index", "posting", "version"))
"""Columns without a null, by which rows may be ordered without a word about nulls."""

_ANOTHER = (
    "take one of FUNCTIONS in tests/projections/dialect.py, or add it there once it gives the same on both engines"
)
_NOT_IN_TIME = "write context.as_of: a report is computed again years later"
_OF_NO_SIZE = "CAST to DECIMAL(38, 0) or BIGINT: money is whole units, and floats round"
_ONE_TEXT = "write array_join(array_sort(array_agg(text)), ''): the order of an aggregate is lost on many machines"
_NOT_EXACT = "count or sum exactly: a figure is proved by its events"
_NO_MEAN = "give the sum and the count: a quotient is rounded differently by each engine"
_A_SUBQUERY = "number the rows with ROW_NUMBER in a subquery, and keep those that are wanted outside of it"
_WITH_LIKE = "compare with LIKE"
_WITH_EXISTS = "write WHERE EXISTS or WHERE NOT EXISTS"
_EACH_COLUMN = "name each column"

REFUSED_WORDS = {
    "ALL": "name what is grouped or ordered by; as a part of UNION ALL it is right",
    "ANTI": _WITH_EXISTS,
    "ASOF": "join with a condition on log_index",
    "BLOB": "leave bytes out of figures: Spark names them BINARY",
    "COLUMNS": _EACH_COLUMN,
    "CURRENT_DATE": _NOT_IN_TIME,
    "CURRENT_TIMESTAMP": _NOT_IN_TIME,
    "DESCRIBE": "write a query",
    "DOUBLE": _OF_NO_SIZE,
    "EXCLUDE": _EACH_COLUMN,
    "FLOAT": _OF_NO_SIZE,
    "GLOB": _WITH_LIKE,
    "HUGEINT": "CAST to DECIMAL(38, 0)",
    "ILIKE": _WITH_LIKE,
    "LAMBDA": "EXPLODE the list in a subquery: the engines write functions of an element differently",
    "PIVOT": "write a CASE for each column",
    "POSITIONAL": "join by a key",
    "QUALIFY": _A_SUBQUERY,
    "REAL": _OF_NO_SIZE,
    "RECURSIVE": "join as often as the tree is deep at most, as `branches` does: Sail has no recursion",
    "SAMPLE": _NOT_EXACT,
    "SEMI": _WITH_EXISTS,
    "SIMILAR": _WITH_LIKE,
    "TABLESAMPLE": _NOT_EXACT,
    "TEXT": "CAST AS STRING",
    "TIMESTAMP": "compare instants as they are: the type means another thing on each engine",
    "TIMESTAMPTZ": "compare instants as they are, without a zone",
    "UNPIVOT": "write a row for each column with UNION ALL, or EXPLODE(SPLIT(names, ','))",
    "VARCHAR": "CAST AS STRING",
    "WINDOW": "write the window after OVER",
}
"""Word → what to write instead."""

REFUSED_FUNCTIONS = {
    "avg": _NO_MEAN,
    "group_concat": _ONE_TEXT,
    "listagg": _ONE_TEXT,
    "mean": _NO_MEAN,
    "median": _NO_MEAN,
    "now": _NOT_IN_TIME,
    "quantile": _NOT_EXACT,
    "rand": "leave chance out of figures",
    "random": "leave chance out of figures",
    "strftime": "EXTRACT the part, or CAST the date AS STRING: the engines write patterns differently",
    "string_agg": _ONE_TEXT,
    "to_char": "EXTRACT the part, or CAST the date AS STRING: the engines write patterns differently",
    "today": _NOT_IN_TIME,
    "unnest": "write explode(list)",
    "uuid": "leave chance out of figures",
}
"""Function → what to write instead."""

REFUSED_SIGNS = {
    "::": "write CAST(value AS type)",
    "//": "write shiftright for powers of two; a quotient of figures belongs to whoever reads them",
    "/": _NO_MEAN,
    "<<": "write shiftleft(number, places)",
    ">>": "write shiftright(number, places)",
    "->": "EXPLODE the list in a subquery: the engines write functions of an element differently",
    "=>": "give a function's values in order",
    "^": "multiply: on Spark the sign is an exclusive or",
    "**": "multiply: Spark has no such sign",
    "~": _WITH_LIKE,
    "[": "write element_at(list, nth), or EXPLODE the list in a subquery",
    "{": "give each field a column of its own",
    "@": "write CASE WHEN value < 0 THEN -value ELSE value END",
    "?": "write the value, or join what holds it",
    "$": "write the value, or join what holds it",
    '"': "rename the column: on Spark a text stands between these",
    "`": "rename the column: DuckDB does not know these",
    "\\": "write chr(number): on Spark a backslash begins another character, also within a text",
}
"""Sign → what to write instead."""

_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<space>\s+)|(?P<text>'(?:[^']|'')*')|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<number>\d[\w.]*|\.\d\w*)|(?P<sign>::|//|<<|>>|->|=>|\*\*|\|\||<>|!=|<=|>=|.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, sign, number or text of a file, and where it stands."""

    kind: str
    text: str
    line: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text.upper() in words


@dataclass(frozen=True, slots=True)
class Departure:
    """What leaves the dialect, and what to write instead."""

    line: int
    construct: str
    instead: str


def tokens(sql: str) -> list[Token]:
    """What a file consists of, without its comments."""
    found, line = [], 1
    for match in _TOKEN.finditer(sql):
        if match.lastgroup not in ("comment", "space"):
            found.append(Token(str(match.lastgroup), match[0], line))
        line += match[0].count("\n")
    return found


def departures(sql: str) -> list[Departure]:
    """Everything in a file that one of the engines lacks or understands differently, in the order of the file."""
    found = tokens(sql)
    rules = (_of_one_token, _of_functions, _of_types, _of_stars, _of_windows, _of_orders)
    return sorted((each for rule in rules for each in rule(found)), key=lambda each: each.line)


def _at(found: list[Token], index: int) -> Token:
    return found[index] if 0 <= index < len(found) else Token("end", "", 0)


def _of_one_token(found: list[Token]) -> Iterator[Departure]:
    for index, token in enumerate(found):
        if token.kind == "word" and _at(found, index - 1).text != ".":
            if token.is_word("ALL") and _at(found, index - 1).is_word("UNION", "EXCEPT", "INTERSECT"):
                continue
            if instead := REFUSED_WORDS.get(token.text.upper()):
                yield Departure(token.line, token.text.upper(), instead)
        elif token.kind == "sign" and (instead := REFUSED_SIGNS.get(token.text)):
            yield Departure(token.line, token.text, instead)
        elif token.kind == "text" and "\\" in token.text:
            yield Departure(token.line, "\\", REFUSED_SIGNS["\\"])
        elif token.kind == "number" and not token.text.isdecimal():
            yield Departure(token.line, token.text, "write whole numbers")


def _of_functions(found: list[Token]) -> Iterator[Departure]:
    for index, token in enumerate(found):
        name = token.text.lower()
        if token.kind != "word" or _at(found, index + 1).text != "(" or token.text.upper() in REFUSED_WORDS:
            continue
        if name.startswith("approx"):
            yield Departure(token.line, name, _NOT_EXACT)
        elif name not in FUNCTIONS | _BEFORE_A_PARENTHESIS and not _is_named(found, index):
            yield Departure(
                token.line,
                name,
                "take a function of tests/projections/dialect.py, or show on both engines that it fits",
            )


def _is_named(found: list[Token], index: int) -> bool:
    """Whether the word before a parenthesis is the name of a relation: `WITH name (` or `FROM x AS name (`."""
    return _at(found, index - 1).is_word("AS")


def _of_types(found: list[Token]) -> Iterator[Departure]:
    for index, token in enumerate(found):
        if token.is_word("DECIMAL", "NUMERIC") and _at(found, index + 1).text != "(":
            yield Departure(
                token.line, "DECIMAL", "say DECIMAL(38, 0): without digits it has other ones on each engine"
            )


def _of_stars(found: list[Token]) -> Iterator[Departure]:
    for index, token in enumerate(found):
        if token.text == "*" and _at(found, index + 1).is_word("REPLACE", "RENAME"):
            yield Departure(token.line, f"* {found[index + 1].text.upper()}", _EACH_COLUMN)
        if token.is_word("DISTINCT") and _at(found, index + 1).is_word("ON"):
            yield Departure(token.line, "DISTINCT ON", _A_SUBQUERY)
        if token.is_word("BY") and _at(found, index + 1).is_word("NAME"):
            yield Departure(token.line, "BY NAME", "name the columns of each part in one order")


def _of_windows(found: list[Token]) -> Iterator[Departure]:
    for index, token in enumerate(found):
        if token.is_word("OVER") and not (
            _at(found, index + 1).text == "(" and _at(found, index + 2).is_word("PARTITION")
        ):
            yield Departure(
                token.line,
                "OVER",
                "PARTITION BY something, or by blocks as the law `log_contiguous` does: one worker would order all rows",
            )


def _of_orders(found: list[Token]) -> Iterator[Departure]:
    for index, token in enumerate(found):
        if not (token.is_word("ORDER") and _at(found, index + 1).is_word("BY")):
            continue
        opening = _opening(found, index)
        if opening >= 0 and not (
            _at(found, opening - 1).is_word("OVER") or _at(found, opening + 1).is_word("SELECT", "WITH")
        ):
            yield Departure(token.line, "ORDER BY in an aggregate", _ONE_TEXT)
        elif any(not _says_where_nulls_stand(item) for item in _items(found, index + 2)):
            yield Departure(
                token.line,
                "ORDER BY",
                "say NULLS FIRST or NULLS LAST of each column: the engines place them differently",
            )


def _opening(found: list[Token], index: int) -> int:
    """Where the innermost parenthesis around a token opens; -1 where there is none."""
    depth = 0
    for at in range(index, -1, -1):
        depth += (found[at].text == ")") - (found[at].text == "(")
        if depth < 0:
            return at
    return -1


def _items(found: list[Token], start: int) -> list[list[Token]]:
    """What is ordered by, one after the other."""
    items: list[list[Token]] = [[]]
    depth = 0
    for token in found[start:]:
        depth += (token.text == "(") - (token.text == ")")
        if depth < 0 or (depth == 0 and token.is_word("LIMIT", "OFFSET", "ROWS", "RANGE", "GROUPS", "UNION")):
            break
        if depth == 0 and token.text == ",":
            items.append([])
        else:
            items[-1].append(token)
    return items


def _says_where_nulls_stand(item: list[Token]) -> bool:
    if len(item) >= 2 and item[-2].is_word("NULLS") and item[-1].is_word("FIRST", "LAST"):
        return True
    names = [token for token in item if not token.is_word("ASC", "DESC")]
    return (
        bool(names)
        and names[-1].text in ALWAYS_THERE
        and all(token.kind == "word" or token.text == "." for token in names)
    )
