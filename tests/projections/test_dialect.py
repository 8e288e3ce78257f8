"""Every file of SQL keeps to what DuckDB and Spark have in common, so that one text gives the same rows on both."""

from importlib.resources import files
from pathlib import Path

import pytest

from projections.laws.law import law_sql
from tests.projections.dialect import (
    FUNCTIONS,
    REFUSED_FUNCTIONS,
    REFUSED_SIGNS,
    REFUSED_WORDS,
    Departure,
    departures,
    tokens,
)

OF_DUCKDB_ALONE = {
    "leaves.sql": "an auditor gives it to DuckDB's command line; it reads the files of hashes as bytes",
}
FOLDER = Path(str(files("projections")))
FILES = sorted(path for path in FOLDER.rglob("*.sql") if path.name not in OF_DUCKDB_ALONE)


def as_run(path: Path) -> str:
    """The text of a file as an engine is given it."""
    return law_sql(path.stem) if path.parent.name == "laws" else path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_every_file_keeps_to_the_dialect(path: Path) -> None:
    assert departures(as_run(path)) == []


def refused(sql: str) -> list[str]:
    return [departure.construct for departure in departures(sql)]


@pytest.mark.parametrize("word", sorted(REFUSED_WORDS.keys() - {"ALL"}))
def test_a_word_that_one_engine_lacks_is_refused_in_any_case(word: str) -> None:
    assert refused(f"SELECT a FROM log {word}") == [word]
    assert refused(f"SELECT a FROM log {word.lower()} (b)") == [word]
    assert refused(f"SELECT log.{word}, 'the {word}' AS a -- {word}\nFROM log /* {word} */") == []


@pytest.mark.parametrize("function", [*sorted(REFUSED_FUNCTIONS), "approx_count_distinct", "list_transform"])
def test_a_function_that_one_engine_lacks_is_refused_in_any_case(function: str) -> None:
    assert refused(f"SELECT {function.upper()}(a) FROM log") == [function]
    assert refused(f"SELECT {function} FROM (SELECT a AS {function} FROM log) AS {function}") == []


def test_every_function_of_the_dialect_stands_in_a_file() -> None:
    words = {token.text.lower() for path in FILES for token in tokens(as_run(path))}
    assert words >= FUNCTIONS


@pytest.mark.parametrize("sign", sorted(REFUSED_SIGNS))
def test_a_sign_that_one_engine_lacks_is_refused(sign: str) -> None:
    assert refused(f"SELECT a {sign} b FROM log") == [sign]
    assert refused(f"SELECT a, 'the {sign}' AS b -- {sign}\nFROM log") == ([sign] if sign == "\\" else [])


@pytest.mark.parametrize(
    ("sql", "construct"),
    [
        ("SELECT a, COUNT(*) FROM log GROUP BY ALL", "ALL"),
        ("SELECT a FROM log ORDER BY ALL NULLS LAST", "ALL"),
        ("SELECT [each + 1 FOR each IN a] FROM log", "["),
        ("SELECT a[1] FROM log", "["),
        ("SELECT {'a': a} FROM log", "{"),
        ("SELECT * REPLACE (1 AS a) FROM log", "* REPLACE"),
        ("SELECT log.* RENAME (a AS b) FROM log", "* RENAME"),
        ("SELECT DISTINCT ON (a) a, b FROM log", "DISTINCT ON"),
        ("SELECT a FROM log UNION ALL BY NAME SELECT a FROM tail", "BY NAME"),
        ("SELECT CAST(a AS DECIMAL) FROM log", "DECIMAL"),
        ("SELECT CAST(a AS NUMERIC) FROM log", "DECIMAL"),
        ("SELECT a * 0.5 FROM log", "0.5"),
        ("SELECT a * 1e6 FROM log", "1e6"),
        ("SELECT SUM(a) OVER () FROM log", "OVER"),
        ("SELECT SUM(a) OVER (ORDER BY log_index) FROM log", "OVER"),
        ("SELECT SUM(a) OVER w FROM log", "OVER"),
        ("SELECT array_agg(a ORDER BY b NULLS LAST) FROM log", "ORDER BY in an aggregate"),
        ("SELECT array_agg(a ORDER BY log_index) FROM log", "ORDER BY in an aggregate"),
        ("SELECT a FROM log ORDER BY a", "ORDER BY"),
        ("SELECT a FROM log ORDER BY a NULLS LAST, b DESC", "ORDER BY"),
        ("SELECT a FROM log ORDER BY COALESCE(a, b), log_index LIMIT 5", "ORDER BY"),
        ("SELECT a FROM log ORDER BY -log_index", "ORDER BY"),
        ("SELECT a FROM (SELECT a FROM log ORDER BY a) AS b", "ORDER BY"),
        ("SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) AS c FROM log", "ORDER BY"),
        (
            "SELECT SUM(a) OVER (PARTITION BY b ORDER BY c ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM log",
            "ORDER BY",
        ),
    ],
)
def test_a_construct_that_one_engine_lacks_or_means_otherwise_is_refused(sql: str, construct: str) -> None:
    assert refused(sql) == [construct]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM log UNION ALL SELECT a FROM tail",
        "SELECT a FROM log ORDER BY a NULLS LAST, b DESC NULLS FIRST, log.log_index DESC, posting, version",
        "SELECT COALESCE(SUM(CAST(a AS DECIMAL(38, 0))), 0) AS b FROM log WHERE a IN (SELECT a FROM tail)",
        "SELECT COUNT(*) FILTER (WHERE a > 1) AS b FROM log GROUP BY a",
        "SELECT a FROM (SELECT a, ROW_NUMBER() OVER (PARTITION BY b ORDER BY version DESC) AS n FROM log) AS c WHERE n = 1",
        "WITH a AS (SELECT 'it''s :: [a]' AS b) SELECT b || chr(10) AS c FROM a WHERE b <> '' AND NOT (b = 'c')",
    ],
)
def test_what_both_engines_have_is_let_through(sql: str) -> None:
    assert departures(sql) == []


def test_a_departure_says_where_it_stands_and_what_to_write() -> None:
    sql = "-- QUALIFY\nSELECT a,\n    b::BIGINT -- '\nFROM log\nQUALIFY 1 = 1\n"
    assert departures(sql) == [
        Departure(3, "::", "write CAST(value AS type)"),
        Departure(5, "QUALIFY", REFUSED_WORDS["QUALIFY"]),
    ]


def test_a_file_is_taken_apart_without_a_rest() -> None:
    sql = "SELECT 'a\n''b' AS c, -- d\n/* e\n */ 1 <> f.g"
    assert [(token.text, token.line) for token in tokens(sql)] == [
        ("SELECT", 1), ("'a\n''b'", 1), ("AS", 2), ("c", 2), (",", 2), ("1", 4), ("<>", 4), ("f", 4), (".", 4), ("g", 4),
    ]  # fmt: skip
