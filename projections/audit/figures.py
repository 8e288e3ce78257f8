"""Published figures: a report's rows with what they were computed from, as one signed note; and such a note checked again.

The note's first line is that of no checkpoint, so that neither is ever taken for the other. Its parts stand apart by
empty lines: what was computed, the log's checkpoint with its own signatures, and the rows as CSV, one a line.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ledger.console.tables import to_csv
from ledger.domain.errors import IntegrityBrokenError, ProofFailedError
from ledger.transparency.errors import LogKeyError
from ledger.transparency.log import Log
from ledger.transparency.notes import NOTE_BYTES_MAX, Checkpoint, Note, VerifierKey, checkpoint_of, number
from projections.errors import FiguresTooLargeError, SignerElsewhereError
from projections.reports.catalogue import PROJECTIONS, RELATIONS, REPORTS
from projections.reports.engine import Reports, copy_each, fetch
from projections.reports.explain import EVENT_COLUMNS, Figure, create_steps, figure_sql, shown_event

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HEAD = "salur/figures/v1"
ROWS_BYTES_MAX = NOTE_BYTES_MAX - 50_000
"""What a note can hold, less the checkpoint with all the signatures it may bear."""
ROWS_MAX = ROWS_BYTES_MAX // 8
"""More do not fit, for no row is shorter."""
_QUERY = r"(?:[a-z-]+|projections/[a-z_]+[.]sql)"
"""How a note names a query: by its logical name; version 0.1.0 wrote the path of its file."""
CHANGE_COLUMNS = ("figure", "was", "now", *EVENT_COLUMNS)


@dataclass(frozen=True)
class Figures:
    """A report as it was published: rows, and all that is needed to compute them again."""

    report: str
    as_of: date
    sql: dict[str, str]
    """Query, as the note names it → the SHA-256 of its text in hexadecimal digits; the report's own first."""
    checkpoint: Note
    rows: str
    """A header, then a line a row."""

    @property
    def size(self) -> int:
        """The size of the log that the figures are computed from."""
        return Checkpoint.parse(self.checkpoint.text).size

    @property
    def queries(self) -> dict[str, str]:
        """Query by its logical name → the SHA-256 of its text; version 0.1.0 named queries by their files' paths."""
        return {Path(name).stem.replace("_", "-"): digest for name, digest in self.sql.items()}

    def __str__(self) -> str:
        queries = "".join(f"sql {name} {digest}\n" for name, digest in self.sql.items())
        head = f"{HEAD}\nreport {self.report}\nas-of {self.as_of.isoformat()}\nsize {self.size}\n{queries}"
        return f"{head}\n{self.checkpoint}\n{self.rows}"

    @classmethod
    def parse(cls, text: str) -> "Figures":
        """Raises `ProofFailedError` for a note's text that is no published figures."""
        parts = text.split("\n\n", 3)
        match = re.fullmatch(
            rf"{HEAD}\nreport ([a-z-]+)\nas-of (\S+)\nsize (\d+)((?:\nsql {_QUERY} [0-9a-f]{{64}})+)", parts[0]
        )
        if match is None or len(parts) != 4 or match[1] not in REPORTS:
            raise ProofFailedError(f"not figures that were published: a note that begins with {HEAD}")
        try:
            as_of = date.fromisoformat(match[2])
        except ValueError:
            raise ProofFailedError("not figures that were published: no date") from None
        sql = dict(line.split(" ")[1:] for line in match[4][1:].split("\n"))
        found = cls(match[1], as_of, sql, Note.parse(f"{parts[1]}\n\n{parts[2]}\n".encode()), parts[3])
        if found.size != number(match[3]) or str(found) != text or len(found.queries) != len(sql):
            raise ProofFailedError("not figures that were published: its parts do not agree")
        return found


def queries_of(report: str) -> dict[str, str]:
    """The queries that a report is computed by → the SHA-256 of their texts; its own first."""
    names, found = [report], {}
    for name in names:
        text = PROJECTIONS[name].sql
        found[name] = sha256(text.encode()).hexdigest()
        names += [each for each in RELATIONS if each not in names and re.search(rf"\b(?:FROM|JOIN) {each}\b", text)]
    return found


def _computed(reports: Reports, name: str, as_of: date, known_at: int | None) -> tuple[str, int]:
    """A report's rows as they are published, and the size of the log that they are from."""
    found = reports.run(name, as_of=as_of, known_at=known_at, rows_max=ROWS_MAX)
    rows = [{column: _on_one_line(value) for column, value in row.items()} for row in found.rows]
    text = to_csv(rows, found.columns)
    if found.is_cut or len(text.encode()) > ROWS_BYTES_MAX:
        raise FiguresTooLargeError(report=name, size_bytes_max=ROWS_BYTES_MAX)
    return text, found.log_size


def _on_one_line(value: object) -> object:
    """Free texts without what no note may hold."""
    return re.sub(r"[\x00-\x1f]", lambda sign: f"\\x{ord(sign[0]):02x}", value) if isinstance(value, str) else value


def publish(reports: Reports, log: Log, name: str, *, as_of: date, checkpoint: Note) -> Note:
    """A report as of a date, as known at a checkpoint of the log, signed with the log's key.

    Raises `SignerElsewhereError` where the key is not at hand, `FiguresTooLargeError` for more rows than a note holds.
    """
    rows, _ = _computed(reports, name, as_of, Checkpoint.parse(checkpoint.text).size)
    try:
        return log.signed(str(Figures(name, as_of, queries_of(name), checkpoint, rows)))
    except LogKeyError as error:
        if log.key_path.exists():
            raise
        raise SignerElsewhereError(path=str(log.key_path)) from error


# Checking again


@dataclass(frozen=True)
class Change:
    """A value of a published report that is different today; None where its row is missing then or now."""

    figure: str
    was: str | None
    now: str | None
    is_sum: bool

    @property
    def difference(self) -> int:
        """The value today less the published one; a missing row counts as nothing."""
        return int(self.now or 0) - int(self.was or 0) if self.is_sum else 0


@dataclass
class Recheck:
    """What became of published figures, while the reports are open."""

    figures: Figures
    log_size: int
    """Of today's log, events that wait to be signed included."""
    sql_changed: tuple[str, ...]
    changes: list[Change]
    connection: "DuckDBPyConnection"

    def head(self) -> dict[str, Any]:
        """What the changes are those of, for other programs."""
        return {
            "report": self.figures.report,
            "as_of": self.figures.as_of.isoformat(),
            "size": self.figures.size,
            "log_size": self.log_size,
            "sql_changed": list(self.sql_changed),
        }

    def sentence(self) -> str:
        """What was found, for people."""
        figures, later, changed = self.figures, self.log_size - self.figures.size, len(self.changes)
        since = f"{changed:,} value{'s' * (changed > 1)} changed" if changed else "nothing changed"
        return (
            f"The figures of {figures.report} as of {figures.as_of} are those of the log's first {figures.size:,} events,"
            f" and signed; with the {later:,} recorded since, {since}."
        )

    def events(self, rows_max: int) -> list[dict[str, Any]]:
        """The first of the events that made the differences, as `CHANGE_COLUMNS`."""
        return fetch(self.connection, f"{_differences('sums.figure IS NOT NULL')} LIMIT {rows_max}")[1]

    def write(self, path: Path, *, form: Literal["csv", "json"]) -> None:
        """Write every change with each event that made it: CSV with a header, or a JSON object a line."""
        copy_each(self.connection, path, form, [_differences()])


def _differences(condition: str = "TRUE") -> str:
    """The query that shows every change with each event that made it; a term that changed has none."""
    return (
        f"SELECT changed.figure, changed.was, changed.now, {shown_event('log')}, sums.value AS contribution"  # noqa: S608  # our own names
        " FROM changed LEFT JOIN ("
        "SELECT figure, log_index, SUM(value) AS value FROM added GROUP BY figure, log_index HAVING SUM(value) <> 0"
        ") AS sums ON sums.figure = changed.figure"
        f" LEFT JOIN log ON log.log_index = sums.log_index WHERE {condition} ORDER BY changed.place, sums.log_index"
    )


def recheck(reports: Reports, log: Log, data: bytes, *, key: VerifierKey | None = None) -> Recheck:
    """Verify published figures, compute them again from the same events, and find what has changed since.

    Raises `ProofFailedError` where the signature or the log does not bear them out, and `IntegrityBrokenError` where
    the same events give other figures today.
    """
    note = Note.parse(data)
    note.require(key or log.key)
    figures = Figures.parse(note.text)
    _require_continued(log, key or log.key, figures.checkpoint)
    then, now = figures.queries, queries_of(figures.report)
    sql_changed = tuple(name for name in now | then if now.get(name) != then.get(name))
    again, _ = _computed(reports, figures.report, figures.as_of, figures.size)
    if again != figures.rows:
        raise IntegrityBrokenError(_first_difference(figures, again, sql_changed))
    today, log_size = _computed(reports, figures.report, figures.as_of, None)
    changes = _changes(figures, today)
    _find_events(reports, figures, changes)
    return Recheck(figures, log_size, sql_changed, changes, reports.connection)


def _require_continued(log: Log, key: VerifierKey, checkpoint: Note) -> None:
    """Raise unless the log, as it is signed today, continues the checkpoint of the figures."""
    kept, signed = checkpoint_of(checkpoint, key), log.checkpoint()
    if key != log.key:
        raise ProofFailedError(f"these figures are of the log {key.name}, in {log.folder} is {log.key.name}")
    for size, holder in ((signed.size, "log"), (log.recorder.size(), "store")):
        if kept.size > size:
            raise ProofFailedError(f"these figures were signed over {kept.size} events, the {holder} has {size}")
    if kept.size:
        log.prove_consistency(kept.size)
        if log.levels.root(kept.size) != kept.root:
            raise ProofFailedError(f"the log's first {kept.size} events are not those these figures were signed over")


def _first_difference(figures: Figures, again: str, sql_changed: Sequence[str]) -> str:
    published, computed = figures.rows.splitlines(), again.splitlines()
    pairs = list(zip_longest(published, computed, fillvalue="missing"))
    at, (was, now) = next((at, pair) for at, pair in enumerate(pairs) if pair[0] != pair[1])
    why = "find the event with `salur log verify`"
    if sql_changed:
        why = f"the SQL of {', '.join(sql_changed)} changed since: compute it with the version it was published with"
    return (
        f"row {at} of {figures.report} was published as '{was}', and computed again from the same {figures.size} events"
        f" it is '{now}'; {why}"
    )


def _changes(figures: Figures, today: str) -> list[Change]:
    """Every value that is another today, row by row."""
    was, now = (_by_key(figures.report, text) for text in (figures.rows, today))
    keys, sums = REPORTS[figures.report].keys, REPORTS[figures.report].sums
    found = []
    for key in was | now:
        before, after = was.get(key, {}), now.get(key, {})
        for column in (name for name in after or before if name not in keys):
            change = Change(
                str(Figure(figures.report, key, column)), before.get(column), after.get(column), is_sum=column in sums
            )
            if change.difference or (not change.is_sum and change.was != change.now):
                found.append(change)
    return found


def _by_key(report: str, text: str) -> dict[tuple[Any, ...], dict[str, str]]:
    rows = csv.DictReader(text.splitlines())
    return {tuple(row[name] or None for name in REPORTS[report].keys): row for row in rows}


# The events behind the changes


def _find_events(reports: Reports, figures: Figures, changes: Sequence[Change]) -> None:
    """Put the changes into the table `changed`, and what each event adds to them into `added`.

    Nearly always these are events since then; only where a row is new may it rest on earlier ones as well. Raises
    `IntegrityBrokenError` where they do not add up.
    """
    report, as_of = figures.report, figures.as_of
    earlier = f"log_index < {figures.size}"

    def begin(connection: "DuckDBPyConnection") -> list[str]:
        _list(connection, changes)
        _add(connection, report, f"log_index >= {figures.size}")
        open_figures = _open(connection)
        connection.execute("DELETE FROM wanted")
        if open_figures:
            connection.executemany("INSERT INTO wanted VALUES (?)", [(each,) for each in open_figures])
        return open_figures

    if not reports.ask(begin, as_of=as_of):
        return
    reports.ask(lambda connection: _add(connection, report, earlier), as_of=as_of)
    reports.ask(lambda connection: _add(connection, report, earlier, "-"), as_of=as_of, known_at=figures.size)
    if left := _open(reports.connection):
        raise IntegrityBrokenError(f"the events do not add up to the change of {', '.join(left)}; run `salur check`")


def _list(connection: "DuckDBPyConnection", changes: Sequence[Change]) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE changed"
        " (place BIGINT, figure VARCHAR, was VARCHAR, now VARCHAR, difference DECIMAL(38, 0))"
    )
    connection.execute("CREATE OR REPLACE TEMP TABLE wanted (figure VARCHAR)")
    connection.execute("CREATE OR REPLACE TEMP TABLE added (figure VARCHAR, log_index BIGINT, value DECIMAL(38, 0))")
    rows = [(nth, each.figure, each.was, each.now, str(each.difference)) for nth, each in enumerate(changes)]
    if rows:
        connection.executemany("INSERT INTO changed VALUES (?, ?, ?, ?, ?)", rows)
    connection.execute("INSERT INTO wanted SELECT figure FROM changed WHERE difference <> 0")


def _add(connection: "DuckDBPyConnection", report: str, condition: str, sign: str = "") -> None:
    """Note what each event that meets the condition contributes to the figures wanted."""
    if not REPORTS[report].sums:
        return
    create_steps(connection)
    columns = fetch(connection, "SELECT DISTINCT split_part(figure, '/', -1) AS name FROM wanted")[1]
    names = ", ".join(f"'{row['name']}'" for row in columns) or "NULL"
    connection.execute(
        f"INSERT INTO added SELECT figure, log_index, {sign}value FROM ("  # noqa: S608  # our own names
        f"SELECT {figure_sql(report)} AS figure, log_index, value FROM ({REPORTS[report].explanation}\n) AS explained"
        f" WHERE {condition} AND column_name IN ({names}) AND value <> 0"
        ") AS contributions WHERE figure IN (SELECT figure FROM wanted)"
    )


def _open(connection: "DuckDBPyConnection") -> list[str]:
    """The figures whose change is not yet the sum of what was added."""
    rows = fetch(
        connection,
        "SELECT changed.figure FROM changed"
        " LEFT JOIN (SELECT figure, SUM(value) AS value FROM added GROUP BY figure) AS sums"
        " ON sums.figure = changed.figure WHERE changed.difference <> COALESCE(sums.value, 0) ORDER BY changed.place",
    )[1]
    return [row["figure"] for row in rows]
