"""Tampers with a ledger and with an export of it, and shows what `salur audit verify` finds: docs/reference/tampering.md.

`python -m tests.evidence.tampering --flips 10000` turns so many single bits, one at a time, and writes the page. A flip
counts as harmless only if afterwards every event, and what leads to it, still reads the same.
"""

import argparse
import random
import re
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import duckdb

from ledger.domain.errors import IntegrityBrokenError, LedgerError
from ledger.store.recorder import LedgerRecorder
from ledger.store.sqlite import LedgerFactory
from ledger.transparency.log import Log
from ledger.transparency.notes import VerifierKey
from projections.audit.export import SUMS, sums
from projections.audit.exported import PublishedLog
from projections.audit.log_check import verify
from projections.audit.verification import audit
from tests.evidence.audited import make_office
from tests.evidence.forged import CHANGES, Change
from tests.logged import turn

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "tampering.md"
SEED = 2020
FOUND, NOT_NAMED, HARMLESS, MISSED = "found and named", "found, not named", "harmless", "MISSED"
GROUPS: dict[str, tuple[str, tuple[str, ...], int]] = {
    "the store": ("ledger", ("events.db",), 48),
    "the log's hashes": ("ledger", ("log/level-*",), 12),
    "the log's checkpoint and key": ("ledger", ("log/checkpoint", "log/verifier-key"), 7),
    "a ledger's payment lists": ("ledger", ("batches/*.csv",), 1),
    "an export's entries": ("export", ("log/tile/entries/**/*",), 13),
    "an export's tiles": ("export", ("log/tile/[0-9]*/**/*",), 9),
    "an export's checkpoint and keys": ("export", ("log/checkpoint", "log/verifier-key", "*.pem", "officers/*"), 2),
    "an export's columns": ("export", ("archive/*",), 5),
    "an export's payment lists": ("export", ("batches/*.csv",), 1),
    "an export's journal and officers": ("export", ("journal.hledger", "officers.csv"), 1),
    "an export's list of hashes": ("export", ("SHA256SUMS",), 1),
}
"""What is tampered with → where it lies, which files, and its share of all flips in hundredths."""


@dataclass(frozen=True)
class Flip:
    """One bit of one file."""

    group: str
    path: str
    bit: int
    is_relisted: bool
    """Whether the forger makes the export's list of hashes anew."""


def flips(office: Path, count: int, seed: int) -> Iterator[Flip]:
    """So many, spread over the groups by their shares and over each group's bytes evenly; the same for the same seed."""
    chance = random.Random(seed)
    for group, (root, patterns, share) in GROUPS.items():
        paths = sorted({path for each in patterns for path in (office / root).glob(each) if path.is_file()})
        sizes = [path.stat().st_size for path in paths]
        for number in range(max(1, count * share // 100)):
            [path] = chance.choices(paths, sizes)
            bit = chance.randrange(8 * path.stat().st_size)
            # Without a list made anew every flip of an export would be found by the list alone.
            is_relisted = root == "export" and path.name != SUMS and number % 10 > 0
            yield Flip(group, str(path.relative_to(office)), bit, is_relisted)


def verdict(office: Path, flip: Flip) -> str:
    """Turn the bit, see what an audit says, and turn it back."""
    path, export = office / flip.path, office / "export"
    is_export = flip.path.startswith("export/")
    listed = (export / SUMS).read_bytes()
    turn(path, flip.bit)
    try:
        if flip.is_relisted:
            (export / SUMS).write_bytes(b"".join(sums(export)))
        root = "export" if is_export else "ledger"
        words = said_by_two_laws(office, root)
        if not names(flip, words):
            words += said(office, root)
        if words:
            return FOUND if names(flip, words) else NOT_NAMED
        return HARMLESS if reads_the_same(office, flip) else MISSED
    except Exception as error:  # noqa: BLE001  # a program that ends so has found something and told nobody what
        print(flip, repr(error), file=sys.stderr)
        return NOT_NAMED
    finally:
        turn(path, flip.bit)
        (export / SUMS).write_bytes(listed)


def said(office: Path, root: str) -> str:
    """What the audit names, empty where every law holds."""
    key = VerifierKey.parse((office / "key").read_text().strip())
    try:
        found = audit(office / root, key=key, expected=[office / "kept"])
    except (IntegrityBrokenError, LedgerError) as error:  # the command tells these itself
        return str(error)
    broken = [(law, breach) for law in found.laws for breach in law.broken]
    return "\n".join(f"{law.name}: {breach.words}" for law, breach in broken).replace(f"{office}/", "")


def said_by_two_laws(office: Path, root: str) -> str:
    """What `log-signed` and `store-whole` name: where that is enough, the others need not be asked ten thousand times."""
    key = VerifierKey.parse((office / "key").read_text().strip())
    try:
        if root == "export":
            return "\n".join(verify(PublishedLog(office / root / "log"), key=key, expected=[office / "kept"]).broken)
        with closing(LedgerFactory(office / root / "events.db", read_only=True)) as factory:
            recorder = factory.application_recorder()
            log = Log(office / root / "log", cast("LedgerRecorder", recorder))
            broken = verify(log, key=key, expected=[office / "kept"]).broken
            return "\n".join(broken or [f"events.db: {each}" for each in log.recorder.damages()])
    except (IntegrityBrokenError, LedgerError) as error:
        return str(error)


def names(flip: Flip, words: str) -> bool:
    """Whether an auditor is led to the file, or to an event."""
    return Path(flip.path).name in words or bool(re.search("event [0-9]", words)) or "database is damaged" in words


def reads_the_same(office: Path, flip: Flip) -> bool:
    """Whether all that can be read where a bit was turned, without this program, is what was there before."""
    if flip.path == "ledger/events.db":
        return events_of(office / "ledger") == events_of(office / "untouched" / "ledger")
    if flip.path.startswith("export/archive"):
        return columns_of(office / "export") == columns_of(office / "untouched" / "export")
    return False


def events_of(folder: Path) -> list[object]:
    """Every row with the types of its values, in order of the log and as its stream and version lead to it."""
    with closing(sqlite3.connect(f"file:{folder}/events.db?immutable=1", uri=True)) as database:
        rows = database.execute("SELECT rowid, * FROM stored_events ORDER BY rowid").fetchall()
        single = "SELECT rowid, * FROM stored_events WHERE originator_id=? AND originator_version=?"
        return [rows, [database.execute(single, row[1:3]).fetchall() for row in rows]]


def columns_of(folder: Path) -> list[object]:
    """Every row of the archive, and of some queries that readers may answer by skipping what need not be read."""
    files = f"read_parquet('{folder}/archive/events-*.parquet')"
    queries = [f"SELECT * FROM {files} ORDER BY log_index"]
    for event, amount in (("TrancheDisbursed", 600), ("BatchProposed", 0), ("RecipientRegistered", 0)):
        queries.append(f"SELECT COUNT(*) FROM {files} WHERE event = '{event}' AND COALESCE(amount, 0) = {amount}")
    return [duckdb.execute(query).fetchall() for query in queries]


# Many at once


def verdicts(office: Path, wanted: list[Flip]) -> list[str]:
    """The verdicts on flips, each of them on a copy of its own."""
    with TemporaryDirectory(prefix="tampering-") as room:
        copy = Path(shutil.copytree(office, Path(room) / "office"))
        shutil.copytree(office, copy / "untouched")
        return [verdict(copy, flip) for flip in wanted]


def told(office: Path, change: Change) -> str:
    """What an audit says of a copy after a change that somebody might make on purpose."""
    with TemporaryDirectory(prefix="tampering-") as room:
        copy = Path(shutil.copytree(office, Path(room) / "office"))
        root = change.make(copy)
        return said(copy, root)


def page(counts: dict[str, Counter[str]], changes: dict[str, str], count: int) -> str:
    """The tables, for docs/reference/tampering.md."""
    lines = [
        "# What tampering is found",
        "",
        f"Made by `python -m tests.evidence.tampering --flips {count}` on a ledger of 630 events whose two officers sign.",
        "The audit was given a verifier key and a checkpoint that were kept elsewhere:",
        "`salur audit verify PATH --key KEY --checkpoint KEPT`.",
        "",
        "## Single bits",
        "",
        "Each flip turns one random bit of one file. Of nine in ten flips of an export the forger also makes the list of",
        "hashes anew. *Harmless* is a flip after which every event, its stream and version, and each column still read the",
        "same, compared row by row: a byte of the database or of a column's file that means nothing.",
        "",
        "| In | Flips | Found and named | Found, not named | Harmless | Missed |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    whole = sum(counts.values(), Counter[str]())
    for group, counter in [*counts.items(), ("**all**", whole)]:
        figures = [counter.total(), *(counter[each] for each in (FOUND, NOT_NAMED, HARMLESS, MISSED))]
        lines.append(f"| {group} | " + " | ".join(f"{each:,}" for each in figures) + " |")
    lines += ["", "## On purpose", "", "| What somebody does | What is said | Laws broken |", "| --- | --- | --- |"]
    for name, words in changes.items():
        laws = dict.fromkeys(line.partition(":")[0] for line in words.splitlines())
        lines.append(f"| {name} | {_told(words)} | {', '.join(f'`{law}`' for law in laws)} |")
    found = sum(bool(words) for words in changes.values())
    lines += [
        "",
        f"{found} of {len(changes)} found. [Threats](../explanation/threats.md) says who could do which of these.",
        "",
    ]
    return "\n".join(lines)


def _told(words: str) -> str:
    """The first sentence of the law that says most: of what the log covers itself, of a later one otherwise."""
    of_the_log = [line for line in words.splitlines() if line.startswith("log-signed: ")]
    line = (of_the_log or words.splitlines() or ["**not found**"])[0]
    return line.partition(": ")[2].replace("|", "\\|") or line


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="tampering-") as room:
        office = Path(room) / "office"
        make_office(office)
        wanted = list(flips(office, given.flips, given.seed))
        parts = [wanted[start::64] for start in range(64)]
        with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
            found = list(pool.map(partial(verdicts, office), parts))
        counts = {group: Counter[str]() for group in GROUPS}
        for flip, each in zip((f for part in parts for f in part), (v for part in found for v in part), strict=True):
            counts[flip.group][each] += 1
            if each in (MISSED, NOT_NAMED):
                print(each, flip, file=sys.stderr)
        changes = {name: told(office, change) for name, change in CHANGES.items()}
    PAGE.write_text(page(counts, changes, given.flips), encoding="utf-8")
    missed = sum(counter[MISSED] for counter in counts.values())
    return 1 if missed or not all(changes.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
