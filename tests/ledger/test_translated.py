"""A refusal can be said in another language: its sentence and each clause in it are whole templates with named fields."""

from string import Formatter

import pytest

from ledger.application.given import FORMS, SENTENCES, built, one_of
from ledger.domain.errors import LedgerError, Said, ValueInvalidError, did_you_mean
from ledger.domain.program import Kind, ProgramClosed
from tests.rooms import refusals

INDONESIAN = {
    "{field}: {problem}": "{field} tidak diterima: {problem}",
    "one of {words} (did you mean {nearest}?)": "maksud Anda {nearest}? Yang ada: {words}",
    "not of its form, {form}": "bentuknya salah, harus {form}",
    "2 to 16 lower-case letters, digits and dashes, e.g. aid-2026": "2 sampai 16 huruf kecil, angka, dan tanda hubung",
}


def translate(template: str) -> str:
    return INDONESIAN[template]


def test_a_refusal_is_translated_with_the_clauses_in_it_in_the_order_of_the_other_language() -> None:
    error = ValueInvalidError(field="kind", problem=one_of(("cash", "goods"), "cahs"))
    assert str(error) == "kind: one of cash, goods (did you mean cash?)"
    assert error.translated(translate) == "kind tidak diterima: maksud Anda cash? Yang ada: cash, goods"


def test_a_clause_within_a_clause_is_translated_too() -> None:
    with pytest.raises(ValueInvalidError) as refused:
        built(ProgramClosed, program="X", reason="done")
    assert (
        refused.value.translated(translate)
        == "program tidak diterima: bentuknya salah, harus 2 sampai 16 huruf kecil, angka, dan tanda hubung"
    )


def test_a_clause_shows_no_long_number_in_any_language() -> None:
    error = ValueInvalidError(field="sheet", problem=Said("there is no {name}", name="3273015501900001"))
    assert str(error) == "sheet: there is no 9{16}"
    assert "3273015501900001" not in error.translated(lambda template: template)


@pytest.mark.parametrize("cls", refusals(), ids=lambda cls: cls.code)
def test_the_sentence_of_a_refusal_has_named_fields_only(cls: type[LedgerError]) -> None:
    names = [name for _, name, _, _ in Formatter().parse(cls.sentence) if name is not None]
    assert all(name.isidentifier() for name in names)


def test_what_is_said_of_a_value_is_a_template_or_a_form() -> None:
    for template in SENTENCES.values():
        assert all(name.isidentifier() for _, name, _, _ in Formatter().parse(template) if name is not None)
    assert all("{" not in form for form in FORMS.values())
    assert [str(did_you_mean(close)) for close in ([], ["tkm", "tkn"])] == ["", " (did you mean tkm?)"]
    assert one_of(Kind, "cahs").values["nearest"] == "cash"
