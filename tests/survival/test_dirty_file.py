"""Files with every kind of dirt in them; `python -m tests.survival.dirty_file` does it with millions of rows."""

import json
from pathlib import Path

import pytest

from tests.survival.dirty_file import DIRT, assert_as_made, imported, make, open_office

MEMORY_BYTES = 16_000_000
"""What three times the rows may take more: room for what is kept once, such as every date of birth seen."""


@pytest.mark.parametrize(("encoding", "rows"), [("utf-8-sig", 20_000), ("cp1252", 2_000)])
def test_of_a_dirty_file_each_row_is_taken_or_refused_by_its_code(encoding: str, rows: int, tmp_path: Path) -> None:
    made = make(tmp_path, rows=rows, seed=7, encoding=encoding)
    assert made.refused.keys() == {code for code, _ in DIRT.values()}
    office = open_office(tmp_path)

    told, _, _ = imported(office)

    assert_as_made(office, told, made)
    with office.opened() as ledger:
        assert ledger.vault.count() == 500 + made.taken
    office.assert_sound()
    again, _, _ = imported(office)
    tally = json.loads(again.out)
    assert (tally["taken"], tally["repeated"], sum(tally["refused"].values())) == (0, made.taken, made.refused.total())


def test_a_text_that_ends_in_other_bytes_than_it_began_with_is_refused_whole(tmp_path: Path) -> None:
    make(tmp_path, rows=200, seed=7)
    office = open_office(tmp_path)
    size = office.size()
    with (tmp_path / "dirty.csv").open("ab") as file:
        file.write(b"0000000101900001,Andr\xe9,,worker,32.73,\n")

    told, _, _ = imported(office)

    assert (told.code, told.refusal, office.size()) == (1, "file_damaged", size)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks_bytes = []
    for rows in (20_000, 60_000):
        folder = tmp_path / str(rows)
        folder.mkdir()
        make(folder, rows=rows, seed=7)
        told, _, peak_bytes = imported(open_office(folder), is_narrow=True)
        assert told.code == 3, told
        peaks_bytes.append(peak_bytes)
    assert peaks_bytes[1] - peaks_bytes[0] < MEMORY_BYTES, peaks_bytes
