"""A sample of what docs/reference/tampering.md tells: whatever is changed is found and named, by chance or on purpose."""

from pathlib import Path

import pytest

from tests.evidence.forged import CHANGES
from tests.evidence.tampering import FOUND, GROUPS, HARMLESS, PAGE, flips, told, verdicts

FLIPS = 160
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_a_turned_bit_is_found_and_named_or_changes_nothing_that_can_be_read(made_office: Path, part: int) -> None:
    wanted = list(flips(made_office, FLIPS, seed=1))[part::PARTS]
    found = dict(zip(wanted, verdicts(made_office, wanted), strict=True))
    assert {flip: each for flip, each in found.items() if each not in (FOUND, HARMLESS)} == {}
    assert {flip.group for flip, each in found.items() if each == HARMLESS} <= {"the store", "an export's columns"}


@pytest.mark.parametrize("change", CHANGES)
def test_what_somebody_does_on_purpose_is_found(made_office: Path, change: str) -> None:
    assert told(made_office, CHANGES[change])


def test_the_page_tells_of_all_that_was_tried_and_of_nothing_missed() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in (*GROUPS, *CHANGES):
        assert f"| {name} |" in page
    [whole] = [line for line in page.splitlines() if line.startswith("| **all** |")]
    flipped, found, not_named, harmless, missed = (int(each.replace(",", "")) for each in whole.split("|")[2:-1])
    assert flipped == found + not_named + harmless >= 10_000
    assert not_named < flipped / 100
    assert missed == 0
