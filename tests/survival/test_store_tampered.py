"""A database that somebody has rebuilt, or numbered otherwise, is found before a word of it is believed."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import cli
from ledger.application import programs
from ledger.application.creation import begin_log
from ledger.application.ledger import Ledger
from ledger.domain.errors import IntegrityBrokenError
from ledger.store.numbering import looked_for
from ledger.store.sqlite import LedgerFactory
from projections.audit.verification import audit
from projections.reports.engine import Reports
from tests.acts import BUDI, PROGRAM, SITI, now, register
from tests.memory import code_and_memory

MEMORY_BYTES_MAX = 500_000_000
WRITE = ("program", "budget", PROGRAM, "90000000", "--officer", "budi")
READS = (
    ("report", "programs"),
    ("report", "programs", "--known-at", "3"),
    ("check",),
    ("seal",),
    ("log", "seal"),
    ("log", "verify"),
    ("log", "export", "out-log"),
    ("audit", "export", "out-audit"),
)


@pytest.fixture
def folder(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a ledger with people, half of them in its log, which nobody has open."""
    monkeypatch.chdir(tmp_path)
    register(ledger, 20)
    begin_log(ledger, SITI)
    register(ledger, 20, first=21)
    ledger.close()
    return ledger.folder


def tamper(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "events.db", isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def content(folder: Path) -> list[tuple[object, ...]]:
    """What is in the database, whatever it consists of."""
    with closing(sqlite3.connect((folder / "events.db").as_uri() + "?mode=ro", uri=True)) as database:
        objects = database.execute("SELECT type, name, sql FROM sqlite_schema").fetchall()
        tables = [name for kind, name, _ in objects if kind == "table"]
        return [*objects, *(row for name in tables for row in database.execute(f"SELECT * FROM {name}"))]


# What the file consists of

COLUMNS = "originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB"
KEY = "PRIMARY KEY (originator_id, originator_version)"
AFTER_INSERT = "CREATE TRIGGER {} AFTER INSERT ON stored_events BEGIN"


def made_anew(columns: str, rest: str = "") -> tuple[str, ...]:
    """Another table of that name, with the same events."""
    names = "originator_id, originator_version, topic, state"
    return (
        "ALTER TABLE stored_events RENAME TO kept",
        f"CREATE TABLE stored_events ({columns}, {KEY}){rest}",
        f"INSERT INTO stored_events ({names}) SELECT {names} FROM kept",
        "DROP TABLE kept",
    )


REBUILT = {
    "a trigger that takes out what is inserted": (
        (f"{AFTER_INSERT.format('swallow')} DELETE FROM stored_events WHERE rowid=new.rowid; END",),
        "the trigger swallow of stored_events is none that this program makes",
    ),
    "a trigger that changes what is inserted": (
        (f"{AFTER_INSERT.format('change')} UPDATE stored_events SET state='' WHERE rowid=new.rowid; END",),
        "the trigger change of stored_events is none that this program makes",
    ),
    "a view in the place of the table": (
        (
            "ALTER TABLE stored_events RENAME TO kept",
            "CREATE VIEW stored_events AS SELECT rowid, * FROM kept WHERE topic<>'BudgetSet.v1'",
        ),
        "the table kept is none that this program makes",
    ),
    "a view beside the table": (
        ("CREATE VIEW events AS SELECT * FROM stored_events",),
        "the view events is none that this program makes",
    ),
    "a generated column": (
        ("ALTER TABLE stored_events ADD COLUMN shown AS (upper(topic))",),
        "the table stored_events is another than the one it makes",
    ),
    "a column more": (
        ("ALTER TABLE stored_events ADD COLUMN rowid INTEGER DEFAULT 0",),
        "the table stored_events is another than the one it makes",
    ),
    "a table without row ids": (
        made_anew(COLUMNS, rest=" WITHOUT ROWID"),
        "the table stored_events is another than the one it makes",
    ),
    "a column that is compared without case": (
        made_anew(COLUMNS.replace("originator_id TEXT", "originator_id TEXT COLLATE NOCASE")),
        "the table stored_events is another than the one it makes",
    ),
    "a table that takes another row's place": (
        tuple(each.replace(KEY, f"{KEY} ON CONFLICT REPLACE") for each in made_anew(COLUMNS)),
        "the table stored_events is another than the one it makes",
    ),
    "an index more": (
        ("CREATE UNIQUE INDEX one_of_a_kind ON stored_events (topic) WHERE topic='RulesAdopted.v1'",),
        "the index one_of_a_kind of stored_events is none that this program makes",
    ),
    "no table": (("ALTER TABLE stored_events RENAME TO events",), "the table events is none that this program makes"),
}


@pytest.mark.parametrize(("statements", "words"), REBUILT.values(), ids=REBUILT)
def test_a_rebuilt_database_is_named_before_a_word_of_it_is_used(
    folder: Path, capsys: pytest.CaptureFixture[str], statements: tuple[str, ...], words: str
) -> None:
    tamper(folder, *statements)
    before = content(folder)
    for command in (WRITE, *READS):
        assert cli.run(["--store", str(folder), *command]) == cli.BROKEN
        assert words in capsys.readouterr().err
    [store] = [law for law in audit(folder).laws if law.name == "store-whole"]
    assert [words in breach.words for breach in store.broken] == [True]
    assert content(folder) == before


def test_a_copy_that_cannot_be_written_is_looked_at_as_well(folder: Path) -> None:
    statements, words = REBUILT["a trigger that takes out what is inserted"]
    tamper(folder, *statements)
    with (
        closing(LedgerFactory(folder / "events.db", read_only=True)) as factory,
        pytest.raises(IntegrityBrokenError, match=words),
    ):
        factory.application_recorder().max_notification_id()


def test_an_empty_file_in_the_place_of_the_database_is_no_ledger_of_nothing(folder: Path) -> None:
    (folder / "events.db").write_bytes(b"")
    [store] = [law for law in audit(folder).laws if law.name == "store-whole"]
    assert "the table stored_events is missing" in store.broken[0].words


# How the rows are numbered


def row(number: int) -> str:
    return (
        "INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state) VALUES"
        f" ({number}, 'officer/mallory', 1, 'OfficerEnrolled.v2', x'7b7d')"
    )


def planted(number: int) -> Callable[[int], tuple[str, ...]]:
    return lambda _: (row(number),)


NUMBERED: dict[str, tuple[Callable[[int], tuple[str, ...]], str]] = {
    "2^62": (planted(1 << 62), "an event numbered 4,611,686,018,427,387,904"),
    "the highest number there is": (planted((1 << 63) - 1), "an event numbered 9,223,372,036,854,775,807"),
    "below zero": (planted(-7), "an event numbered -7"),
    "zero": (planted(0), "an event numbered 0"),
    "one left out at the end": (lambda size: (row(size + 2),), "events before it are missing"),
    "a row at every number that is looked for": (
        lambda size: tuple(
            row(number).replace("mallory", f"mallory-{number}")
            for number in [*looked_for(1 << 40), 1 << 40]
            if number > size
        ),
        "have no room for so many",
    ),
}


@pytest.mark.parametrize(("statements", "words"), NUMBERED.values(), ids=NUMBERED)
def test_a_row_numbered_otherwise_is_named_and_nothing_is_written_behind_it(
    folder: Path, capsys: pytest.CaptureFixture[str], statements: Callable[[int], tuple[str, ...]], words: str
) -> None:
    tamper(folder, *statements(size_of(folder)))
    before = content(folder)
    for command in (WRITE, *READS):
        assert cli.run(["--store", str(folder), *command]) == cli.BROKEN, command
        assert words in capsys.readouterr().err, command
    broken = {law.name: law.broken for law in audit(folder).laws if not law.holds}
    assert broken.keys() >= {"store-whole", "log-signed", "readable"}
    assert all(words in broken[name][0].words for name in ("store-whole", "readable"))
    assert content(folder) == before


def size_of(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "events.db")) as database:
        return int(database.execute("SELECT MAX(rowid) FROM stored_events").fetchone()[0])


def test_an_append_is_refused_as_well_where_a_row_was_numbered_otherwise_meanwhile(ledger: Ledger) -> None:
    size = ledger.store.size()
    tamper(ledger.folder, row((1 << 63) - 1))
    with pytest.raises(IntegrityBrokenError, match="an event numbered 9,223,372,036,854,775,807"):
        ledger.store.append([("officer/x", 1, "OfficerEnrolled.v2", b"{}")])
    tamper(ledger.folder, "DELETE FROM stored_events WHERE originator_id='officer/mallory'")
    assert ledger.store.size() == size


def test_a_gap_that_the_looks_miss_is_found_by_whoever_reads_the_log(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = size_of(folder)
    gap = next(number for number in range(size - 2, 1, -1) if number not in looked_for(size))
    tamper(folder, f"DELETE FROM stored_events WHERE rowid={gap}")
    before = content(folder)
    # What else reads, reads what was signed, or full segments: the gap is in neither.
    for command in (*READS[:2], ("check",), ("log", "seal")):
        assert cli.run(["--store", str(folder), *command]) == cli.BROKEN, command
        assert "not all" in (told := capsys.readouterr().err) or "stands at place" in told
    assert content(folder) == before


def test_it_takes_little_memory_to_find_a_row_numbered_2_62(folder: Path) -> None:
    tamper(folder, row(1 << 62))
    for command in (WRITE, *READS, ("audit", "verify", str(folder))):
        code, memory_bytes = code_and_memory(folder, command)
        assert (code, memory_bytes < MEMORY_BYTES_MAX) == (cli.BROKEN, True), command


def test_numbers_that_follow_one_another_are_taken_for_what_they_are(ledger: Ledger) -> None:
    before = ledger.store.size()
    for number in range(1, 40):
        programs.set_budget(ledger, BUDI, program=PROGRAM, budget=90_000_000 + number)
        assert ledger.store.size() == before + number
    with Reports(ledger.store) as reports:
        assert reports.run("programs", as_of=now().date()).rows


def test_the_numbers_looked_for_are_all_below_the_highest() -> None:
    assert [looked_for(highest) for highest in (0, 1, 2, 3, 4, 5, 8, 9)] == [
        [], [], [1], [1, 2], [1, 2, 3], [1, 2, 4], [1, 2, 4, 7], [1, 2, 4, 8],
    ]  # fmt: skip
    assert len(looked_for((1 << 63) - 1)) == 64
