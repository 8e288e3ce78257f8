"""Every refusal: what it says, and that nothing has changed."""

import re
from pathlib import Path

import pytest

from ledger.application.ledger import TRIES, Ledger
from tests.acts import (  # fmt: skip
    PROGRAM,
    SET_UP,
    entries,
    kept,
    nik,
)
from tests.refusals import agreements, files, groups_and_goods, officers, payments, programs, store
from tests.refusals.case import CASES
from tests.rooms import refusals

PROVOKED_IN = (agreements, files, groups_and_goods, officers, payments, programs, store)
"""Whose cases are in `CASES` once they are imported."""
BY_CODE = {cls.code: cls for cls in refusals()}
ON_A_SERVER = {"database_empty", "database_taken", "rights_missing", "store_timeout"}
"""Refusals that only a PostgreSQL server gives; they are provoked in `tests/postgres`."""


@pytest.mark.parametrize("code", sorted(BY_CODE.keys() - ON_A_SERVER))
def test_a_refusal_tells_its_fields_and_changes_nothing(ledger: Ledger, tmp_path: Path, code: str) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    fields, act = CASES[code](ledger, folder)
    before = kept(ledger)
    with pytest.raises(BY_CODE[code]) as refused:
        act()
    assert {name: getattr(refused.value, name) for name in fields} == fields
    assert vars(refused.value).keys() <= fields.keys()
    if code == "contended":  # the rivals went on meanwhile, and only they
        assert [entry.meta.by for entry in entries(ledger, since=SET_UP)] == ["siti"] * TRIES
    else:
        assert kept(ledger) == before


def test_every_code_is_permanent_in_form_and_used_once() -> None:
    assert len(BY_CODE) == len(refusals())
    assert [code for code in BY_CODE if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code)] == []


def test_every_refusal_says_what_can_be_done() -> None:
    """After a semicolon; two sentences have it in their `problem`, where each case says it in its own words."""
    without = [code for code, cls in BY_CODE.items() if ";" not in cls.sentence]
    # Of an identifier kept as a number, the first half is the reason and the second the remedy.
    assert sorted(without) == ["column_map", "value_invalid"]


def test_no_field_of_a_refusal_shows_a_number_that_may_be_a_persons() -> None:
    told = BY_CODE["group_unknown"](program=PROGRAM, group_id=nik(1), nearest="")
    assert vars(told)["group_id"] == "9{16}"
    assert nik(1) not in str(told)


def test_every_refusal_is_provoked() -> None:
    assert sorted([*CASES, *ON_A_SERVER]) == sorted(BY_CODE)
