"""What the documents say is what the program does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.rooms import commands, refusals

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TUTORIAL = (ROOT / "docs" / "tutorial" / "an-auditors-first-hour.md").read_text(encoding="utf-8")
TOUR = re.findall(r"<!-- tour -->\n```sh\n(.*?)```\n(?:\n```\n(.*?)```)?", README + TUTORIAL, re.DOTALL)


def test_the_tour_of_the_readme_and_the_tutorial_after_it_run_and_print_what_they_say(tmp_path: Path) -> None:
    assert len(TOUR) >= 5
    script = "set -e\n" + "\n".join(f"{block}\necho '### end of step'" for block, _ in TOUR)
    script = script.replace('export PATH="$PWD/.venv/bin:$PATH"', f'export PATH="{Path(sys.executable).parent}:$PATH"')
    # One channel, as on a terminal; the language is what the README was written in.
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        capture_output=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stdout
    printed = done.stdout.split("### end of step\n")
    for (block, promised), shown in zip(TOUR, printed, strict=False):
        lines = iter(line for line in shown.splitlines() if not line.startswith("Next"))
        for line in promised.splitlines():
            assert any(line == each for each in lines), f"{line!r} is not printed by:\n{block}\n{shown}"


@pytest.mark.parametrize(("path", "command"), commands(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_command_has_help_and_describes_its_options(path: str, command: click.Command) -> None:
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help, f"{path} {parameter.name}"


def test_every_group_of_commands_stands_in_the_documents() -> None:
    documents = "".join(
        path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    )
    missing = [
        path
        for path, command in commands()
        if isinstance(command, click.Group) and path.partition(" ")[2] not in documents
    ]
    assert missing == []


def test_the_page_of_refusals_lists_every_code_with_its_meaning() -> None:
    """Run with SALUR_WRITE_DOCS=1 it writes the list."""
    page = ROOT / "docs" / "reference" / "refusals.md"
    text = page.read_text(encoding="utf-8")
    before, start, rest = text.partition("<!-- refusals -->\n")
    listed, end, after = rest.partition("<!-- end of refusals -->")
    rows = [f"| `{cls.code}` | {(cls.__doc__ or '').strip().splitlines()[0]} |" for cls in refusals()]
    expected = "\n".join(["| Code | Meaning |", "| --- | --- |", *rows]) + "\n"
    assert (start != "", end != "") == (True, True)
    if os.environ.get("SALUR_WRITE_DOCS"):
        page.write_text(before + start + expected + end + after, encoding="utf-8")
        return
    assert listed == expected


def test_each_command_that_records_has_one_row_that_says_who_may_do_it_alone() -> None:
    page = (ROOT / "docs" / "explanation" / "threats.md").read_text(encoding="utf-8")
    table = page.partition("<!-- commands -->")[2].partition("<!-- end of commands -->")[0]
    rows = [line.strip("| ").split(" | ") for line in table.strip().splitlines()[2:]]
    assert [row for row in rows if len(row) != 4 or not all(row)] == []
    records = [path for path, each in commands() if any(option.name == "reference" for option in each.params)]
    assert sorted(f"salur {row[0].strip('`')}" for row in rows) == sorted(records)
