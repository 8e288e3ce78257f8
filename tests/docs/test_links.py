"""Whoever follows a link in the documents arrives."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("tutorial", "how-to", "reference", "explanation")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").glob("*.md")])
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")


def anchors(page: Path) -> set[str]:
    """What a heading is called in a link: small letters and hyphens, without other marks."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_of_a_page_leads_somewhere(page: Path) -> None:
    for path, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def test_each_page_lies_in_one_of_the_four_folders_and_stands_in_the_index() -> None:
    docs = ROOT / "docs"
    pages = {path.relative_to(docs) for path in docs.rglob("*.md")} - {Path("README.md")}
    listed = {Path(path) for path, _ in LINK.findall((docs / "README.md").read_text(encoding="utf-8"))}

    assert {page.parts[0] for page in pages} == set(FOLDERS)
    assert pages == {path for path in listed if path.parts[0] != ".."}
