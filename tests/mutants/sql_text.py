"""Mutants of a law or a report: one operator, name or number changed in its SQL.

Comments and what a breach is told as (a text behind THEN, or joined with ||) are left alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TOKEN = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\{\w+\}|<=|>=|<>|\|\||LEFT JOIN|IS NOT NULL|IS NULL|NOT IN|\w+|[^\s\w]")
_OTHERS: dict[str, tuple[str, ...]] = {
    "<": ("<=", ">"),
    "<=": ("<", ">="),
    ">": (">=", "<"),
    ">=": (">", "<="),
    "=": ("<>",),
    "<>": ("=",),
    "+": ("-",),
    "-": ("+",),
    "AND": ("OR",),
    "OR": ("AND",),
    "LEFT JOIN": ("JOIN",),
    "IS NULL": ("IS NOT NULL",),
    "IS NOT NULL": ("IS NULL",),
    "NOT": ("",),
    "NOT IN": ("IN",),
    "IN": ("NOT IN",),
    "DISTINCT": ("",),
    "MIN": ("MAX",),
    "MAX": ("MIN",),
    "MIN_BY": ("MAX_BY",),
    "MAX_BY": ("MIN_BY",),
    "LAG": ("LEAD",),
    "LEAD": ("LAG",),
    "UNION ALL": ("UNION",),
}
_EVENT_NAME = re.compile(r"'[A-Z]\w+'")
"""A text that is the name of an event, or a word of a column, decides; a sentence does not."""
_PLACE = re.compile(r"\s*\w+\.\w*_index")
_WORD = re.compile(r"'[a-z][\w-]*'")


@dataclass(frozen=True)
class SqlMutant:
    """A file of SQL with one token replaced."""

    path: Path
    text: str
    start: int
    end: int
    variant: str

    @property
    def line(self) -> int:
        """The line of the token, from 1."""
        return self.text.count("\n", 0, self.start) + 1

    def __str__(self) -> str:
        whole = self.text.splitlines()[self.line - 1].strip()
        return f"{whole}:  {self.text[self.start : self.end]}  →  {self.variant or '(nothing)'}"

    def install(self) -> None:
        """Let this process read the file as mutated."""
        mutated = self.text[: self.start] + self.variant + self.text[self.end :]
        read, name = Path.read_text, str(self.path)

        def read_text(path: Path, *given: str, **named: str) -> str:
            return mutated if str(path).endswith(name) else read(path, *given, **named)

        Path.read_text = read_text  # type: ignore[method-assign,assignment]  # the child ends with the mutant


def mutants_of(path: Path) -> list[SqlMutant]:
    """Every mutant of a file, in the order of its text."""
    text = path.read_text(encoding="utf-8")
    return [SqlMutant(path, text, start, end, variant) for start, end, variant in _variants(text)]


def _variants(text: str) -> Iterator[tuple[int, int, str]]:
    tokens = [each for each in _TOKEN.finditer(text) if not each[0].startswith("--")]
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        near = (before[0] if before else "", after[0] if after else "")
        if (token[0] == "-" and near[0] in ("(", "THEN", "ELSE", ",")) or "||" in near:
            continue  # a sign, or part of a sentence
        for variant in _OTHERS.get(token[0], ()):
            # No two events have one place in the log: of two places, "before" and "not after" are the same.
            if near[0].endswith("_index") and _PLACE.match(text, token.end()) and variant.startswith(token[0]):
                continue
            yield token.start(), token.end(), variant
        # Whatever is not null is counted; and a figure of 38 digits is one of 37 as well.
        if text[: token.start()].endswith("DECIMAL(") or re.search(
            r"COUNT\(CASE WHEN [^()]* THEN $", text[: token.start()]
        ):
            continue
        if token[0].isdigit():
            yield from ((token.start(), token.end(), str(int(token[0]) + step)) for step in (1, -1))
        decides = _EVENT_NAME.fullmatch(token[0]) or _WORD.fullmatch(token[0])
        if decides and near[0] not in ("THEN", "ELSE"):
            yield token.start(), token.end(), f"{token[0][:-1]}x'"
