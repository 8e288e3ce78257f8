"""The forms of values: each takes what it is for, whole, and nothing around it."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ledger.domain import fields
from ledger.domain.batch import BatchUnknownError
from ledger.domain.errors import LedgerError, shape_of
from ledger.files.errors import FileMissingError
from ledger.store.errors import LedgerMissingError
from ledger.transparency.errors import LogExistsError

NUMBER = "3273015501900001"

FITS = {
    "ProgramCode": ["a1", "aid-2026", "a" * 16],
    "RecipientId": ["R000000001"],
    "OfficerId": ["si", "siti.aminah-2", "s" * 32],
    "BatchId": ["b1", "A.b-1", "b" * 35],
    "AgreementId": ["rules@1", "program/aid-2026@12", "officer/siti.aminah@3"],
    "GroupId": ["g", "G.1-a", "g" * 32],
    "Slug": ["ab", "group-grant", "a" * 32],
    "Country": ["HK"],
    "Region": ["32", "32.73", "32.73.01", "32.73.01.1001"],
    "Sha256": ["0123456789abcdef" * 4],
    "PublicKey": ["A" * 43 + "="],
}
DOES_NOT = {
    "ProgramCode": ["a", "-aid", "aid-", "a" * 17, "Aid", "a d"],
    "RecipientId": ["R00000001", "R0000000001", "r000000001"],
    "OfficerId": ["s", "1siti", "Siti", "s" * 33],
    "BatchId": ["b", "-b1", "b" * 36, "b 1"],
    "AgreementId": ["rules", "rules@0", "Rules@1", "program/@1", "program/a/b@1"],
    "GroupId": ["", "-g", "g" * 33, "g 1"],
    "Slug": ["a", "1a", "Ab", "a" * 33],
    "Country": ["H", "HKG", "hk"],
    "Region": ["3", "32.7", "32.73.1", "32.73.01.100", "32.73.01.1001.1"],
    "Sha256": ["0" * 63, "0" * 65, "G" * 64],
    "PublicKey": ["A" * 43, "A" * 42 + "B=", "A" * 44 + "="],
    "VerifierKeyText": ["+0123abcd+Ab8=", "log one+0123abcd+Ab8=", "log+0123abc+Ab8=", "log+0123abcd", "log+0123abcd+"],
}


def fits(name: str, text: str) -> bool:
    form: Any = TypeAdapter(getattr(fields, name))
    try:
        return bool(form.validate_python(text, strict=True) == text)
    except ValidationError:
        return False


@pytest.mark.parametrize("name", FITS)
def test_a_form_takes_what_it_is_for_and_nothing_around_it(name: str) -> None:
    assert [text for text in FITS[name] if not fits(name, text)] == []
    around = [changed for text in FITS[name] for changed in (text + "!", "!" + text, text + "\n", " " + text)]
    assert [text for text in around if fits(name, text)] == []


@pytest.mark.parametrize("name", DOES_NOT)
def test_a_form_refuses_what_is_nearly_of_it(name: str) -> None:
    assert [text for text in DOES_NOT[name] if fits(name, text)] == []


def test_a_shape_says_how_a_text_looks_and_not_what_it_says() -> None:
    assert shape_of("") == "(empty)"
    assert shape_of("Budi 3273015501900001") == "A{4} 9{16}"
    assert shape_of("a1-") == "A9-"
    assert shape_of("9" * 300) == "9{200}"


@pytest.mark.parametrize(
    ("error", "is_shown"),
    [
        (LedgerMissingError(folder=f"/ledgers/{NUMBER}"), True),
        (FileMissingError(path=f"/files/{NUMBER}.csv"), True),
        (LogExistsError(folder="log", origin=f"log.example/{NUMBER}"), True),
        (BatchUnknownError(batch_id=NUMBER), False),
    ],
)
def test_a_refusal_shows_a_long_number_only_in_the_name_of_a_place(error: LedgerError, is_shown: bool) -> None:
    assert (NUMBER in str(error)) is is_shown
