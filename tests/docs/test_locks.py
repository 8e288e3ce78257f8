"""What is locked: what runs is a part of what is tested, and any system finds what it needs under a hash."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINNED = re.compile(
    r"^([a-z0-9-]+)==(\S+)(?: ; ([^\\\n]+?))? *\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def pins(name: str) -> dict[tuple[str, str], set[str]]:
    """The hashes of each package at each version."""
    text = (ROOT / name).read_text(encoding="utf-8")
    found = {(package, version): set(hashes.split()) for package, version, _, hashes in PINNED.findall(text)}
    assert PINNED.sub("", text) == ""  # nothing else stands there, such as a host
    return {pin: hashes - {"\\"} for pin, hashes in found.items()}


def packages(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=]", requirement)[0].lower().replace("_", "-") for requirement in requirements}


def test_what_runs_is_tested_at_the_same_versions_and_hashes() -> None:
    runs, tests = pins("requirements.lock"), pins("requirements-dev.lock")

    assert runs.items() <= tests.items()
    assert len(runs) < len(tests) / 2


def test_what_runs_is_what_the_program_depends_on_and_what_installs_it() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"]
    wanted = packages(PYPROJECT["project"]["dependencies"]) | packages(extras["checkout"])
    others = {package for extra in extras.values() for package in packages(extra)} - wanted
    runs = {package for package, _ in pins("requirements.lock")}

    assert wanted <= runs
    assert not others & runs
    assert others <= {package for package, _ in pins("requirements-dev.lock")}


def test_the_makefile_tells_of_every_goal() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [goals] = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    told = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True).stdout

    assert sorted(re.findall(r"^make (\S+) +\S", told, re.MULTILINE)) == sorted(goals.split())
