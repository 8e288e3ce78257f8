"""Breaks the program in one small way at a time, and tells which of these mutants no test finds.

`python -m tests.mutants [FILE …] [--sample N] [--seed S] [--only LINE …] [--again FILE] [--jobs N]`, over the files named or over all
that have tests here: the verifier, the domain, the SQL of laws and reports. Each mutant is tried by a process of its
own, forked from one that has the slow libraries loaded, which meets the file as mutated: no file is touched. So a test
that starts another process meets the file as it is, and finds nothing.

Mutants that change nothing are listed in `equivalent.txt`, each with the reason. Exit code 1: another one survived.
"""

import importlib
import os
import random
import re
import resource
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutants import python_code, sql_text

ROOT = Path(__file__).parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.txt")
EVIDENCE = "tests/evidence/test_{}.py"
SIGNATURES = ["tests/ledger/test_signatures.py", "tests/ledger/test_signatures_tampered.py"]
LAW_OF_SIGNATURES = ["tests/ledger/test_law_of_signatures.py", "--noconftest"]
VERIFY, LOG = EVIDENCE.format("verify"), EVIDENCE.format("log")
DECIDED = ["disbursement", "aftercare", "grants", "administration", "services", "registration", "conditions", "history"]
DECLARED = [
    "tests/ledger/test_fields.py",
    "tests/ledger/test_declared_events.py",
    "tests/ledger/test_stored_events.py",
    "tests/ledger/test_forms.py",
]
FIGURES = ["tables", "figures", "postings", "events"]

TESTS: dict[str, list[list[str]]] = {
    "ledger/transparency/merkle.py": [
        [EVIDENCE.format("merkle"), "--noconftest", "-k", "not every and not 70 and not 257 and not 1025"],
        [EVIDENCE.format("merkle"), "--noconftest"],
        [EVIDENCE.format("published"), LOG],
    ],
    "ledger/transparency/notes.py": [
        [EVIDENCE.format("notes"), "--noconftest"],
        [EVIDENCE.format("witness"), EVIDENCE.format("witnessed"), EVIDENCE.format("published"), VERIFY],
    ],
    "ledger/transparency/signatures.py": [LAW_OF_SIGNATURES, SIGNATURES],
    "ledger/transparency/log.py": [[LOG], [VERIFY, EVIDENCE.format("published"), EVIDENCE.format("witnessed")]],
    "projections/audit/log_check.py": [[VERIFY, "-k", "not turned"], [VERIFY]],
    "projections/laws/signatures.py": [LAW_OF_SIGNATURES, SIGNATURES],
}
"""File → its tests in the order of trying: the quick ones first, the others for those that outlive them."""
for path in sorted(Path(ROOT / "ledger/domain").glob("[a-z]*.py")):
    own = ROOT / f"tests/ledger/test_{path.stem}.py"
    TESTS[f"ledger/domain/{path.name}"] = [
        *([[str(own.relative_to(ROOT))]] if own.exists() else []),
        [*DECLARED, *(f"tests/ledger/test_{name}.py" for name in DECIDED), "tests/refusals/test_refusals.py"],
        ["tests/projections/test_projected_laws.py", "tests/projections/test_laws_by_branch.py"],
    ]
for path in sorted(Path(ROOT / "projections/laws").glob("*.sql")):
    TESTS[f"projections/laws/{path.name}"] = [
        ["tests/projections/test_laws_by_branch.py", "-k", f"{path.stem.replace('_', '-')} or every_law"],
        ["tests/projections/test_laws_by_branch.py", "tests/projections/test_projected_laws.py"],
    ]
for path in sorted(Path(ROOT / "projections/reports").rglob("*.sql")):
    TESTS[str(path.relative_to(ROOT))] = [
        [f"tests/projections/test_projected_{name}.py" for name in FIGURES],
        ["tests/projections/test_explained.py", "tests/test_kept_ledgers.py"],
    ]

LOADED = ["cryptography.hazmat.primitives.asymmetric.ed25519", "eventsourcing.persistence", "pydantic", "duckdb"]
CPU_SECONDS = 90
"""Of one mutant's tests: some mutants never end."""
MEMORY_BYTES = 6 << 30

Mutant = python_code.PythonMutant | sql_text.SqlMutant


def mutants_of(file: str) -> list[Mutant]:
    """Every mutant of a file, in order of its lines."""
    path = Path(file)
    return [*(sql_text.mutants_of(path) if path.suffix == ".sql" else python_code.mutants_of(path))]


def passes(mutant: Mutant | None, tests: Sequence[str]) -> bool:
    """Whether these tests find nothing wrong, with the mutant in the place of its file or with all as it is."""
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        signal.alarm(4 * CPU_SECONDS)
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        if mutant:
            mutant.install()
        os._exit(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests]))
    return os.waitpid(child, 0)[1] == 0


def survivors(tried: Sequence[Mutant], equivalent: Sequence[str]) -> int:
    """How many of these mutants no test finds; each is told."""
    survived = 0
    for mutant in tried:
        if all(passes(mutant, tests) for tests in TESTS[str(mutant.path)]):
            known = f"{mutant.path}: {mutant}" in equivalent
            survived += not known
            print(f"{'equivalent' if known else 'SURVIVED'}  {mutant.path}:{mutant.line}: {mutant}", flush=True)
    return survived


def in_processes(tried: Sequence[Mutant], jobs: int) -> int:
    """The survivors among the mutants, which so many processes try side by side."""
    equivalent = EQUIVALENT.read_text(encoding="utf-8").splitlines()
    children = []
    for job in range(jobs):
        child = os.fork()
        if not child:
            os._exit(min(survivors(tried[job::jobs], equivalent), 255))
        children.append(child)
    return sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


def main() -> int:
    """Try the mutants asked for."""
    parser = ArgumentParser(prog="mutants", description="Break the program and see whether its tests notice.")
    parser.add_argument("files", nargs="*", metavar="FILE", help="of those in TESTS; all if none is named")
    parser.add_argument("--sample", type=int, help="try so many, chosen evenly, instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, nargs="+", metavar="LINE", help="try those of these lines")
    parser.add_argument("--again", type=Path, metavar="FILE", help="try those that survived in an earlier run's output")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    os.chdir(ROOT)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # loading them takes longer than most mutants' tests
    for name in LOADED:
        importlib.import_module(name)
    if unknown := set(asked.files) - set(TESTS):
        parser.error(f"no tests are named for {', '.join(sorted(unknown))}")
    files = asked.files or list(TESTS)
    if not all(passes(None, tests) for tests in {tuple(each) for file in files for each in TESTS[file]}):
        parser.error("the tests fail on the program as it is")
    made = [each for file in files for each in mutants_of(file) if asked.only is None or each.line in asked.only]
    if asked.again:
        told = {
            re.sub(r":\d+: ", ": ", line.partition("  ")[2], count=1) for line in asked.again.read_text().splitlines()
        }
        made = [each for each in made if f"{each.path}: {each}" in told]
    tried = made if asked.sample is None else random.Random(asked.seed).sample(made, min(asked.sample, len(made)))
    survived = in_processes(tried, asked.jobs)
    print(f"{len(made)} mutants of {len(files)} files, {len(tried)} tried (seed {asked.seed}), {survived} survived")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
