"""What an officer is told of a value that no event can hold: in their words, with its form, and without the value."""

import json
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from ledger.application import batches, goods, grants, officers, privacy, programs
from ledger.application.attempt import Attempt
from ledger.application.given import FORMS, SENTENCES, built
from ledger.application.ledger import Ledger
from ledger.domain.errors import LedgerError, ValueInvalidError
from ledger.domain.event import Event, Meta, Role
from ledger.domain.program import BudgetSet, Kind, ProgramOpened
from ledger.domain.registry import EVENT_CLASSES
from tests.acts import PROGRAM, SITI, by
from tests.ledger.examples_of_events import EXAMPLES

WRONG: tuple[Any, ...] = (
    None, "", "x" * 201, "tunai", "UPPER lower", "1234567890123456", "\udcff", -1, 0, 10**17, 10**5000, 1.5, True,
    b"bytes", (), ("",), ("tunai",) * 1_001, ["list"], {"a": 1}, date(2020, 2, 2), object(),
)  # fmt: skip
OF_PYDANTIC = re.compile(
    r"(?i)input should|input was|valid (string|integer|date|list|tuple|dict)|instance of|should have|should match"
    r"|field required|extra inputs|pydantic|type=|\[\]|\{|None"
)


def fields_of(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in type(event).model_fields}


def told(cls: type[Event], fields: dict[str, Any]) -> ValueInvalidError | None:
    try:
        built(cls, **fields)
    except ValueInvalidError as refused:
        return refused
    return None


@pytest.mark.parametrize("cls", EVENT_CLASSES.values(), ids=lambda cls: cls.__name__)
def test_no_wrong_value_of_any_field_is_told_in_the_words_of_a_program(cls: type[Event]) -> None:
    example = next(event for event in EXAMPLES if type(event) is cls)
    refused = 0
    for name in cls.model_fields:
        for wrong in WRONG:
            if (error := told(cls, fields_of(example) | {name: wrong})) is not None:
                refused += 1
                assert not OF_PYDANTIC.search(error.problem), (name, error.problem)
                assert error.problem.strip(), name
                assert "tunai" not in error.problem.partition("(did you mean")[0], (name, error.problem)
        without = {field: value for field, value in fields_of(example).items() if field != name}
        if (error := told(cls, without)) is not None:
            assert (error.field, error.problem) == (name, "missing; give it")
    assert refused >= len(cls.model_fields)


@pytest.mark.parametrize("cls", [*EVENT_CLASSES.values(), Meta], ids=lambda cls: cls.__name__)
def test_each_pattern_of_a_field_has_its_form_in_words(cls: type[Any]) -> None:
    patterns = re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', json.dumps(cls.model_json_schema(mode="serialization")))
    assert [each for each in map(json.loads, patterns) if each not in FORMS] == []


PROGRAM_TERMS: dict[str, Any] = {"program": "aid", "name": "Aid", "kind": Kind.CASH, "fiscal_year": 2020}


@pytest.mark.parametrize(
    ("given", "field", "problem"),
    [
        ({"kind": "tunai"}, "kind", ("one of cash, group-grant, public-works, training, incubation, technology, digital, "
         "companion, goods, referral, umbrella")),
        ({"kind": "Trainings"}, "kind", ("one of cash, group-grant, public-works, training, incubation, technology, "
         "digital, companion, goods, referral, umbrella (did you mean training?)")),
        ({"categories": ("Pekerja",)}, "category 1",
         "not of its form, 2 to 32 lower-case letters, digits and dashes that begin with a letter"),
        ({"categories": ("pmi", "1234567890123456")}, "category 2",
         "not of its form, 2 to 32 lower-case letters, digits and dashes that begin with a letter"),
        ({"schedule": (100, 0)}, "tranche 2", "must be more than 0"),
        ({"fiscal_year": 2201}, "fiscal_year", "must be at most 2200"),
        ({"fiscal_year": 1944}, "fiscal_year", "must be at least 1945"),
        ({"name": ""}, "name", "empty; fill it in"),
        ({"name": "x" * 201}, "name", "longer than 200 characters; say it shorter"),
        ({"name": "\udcff"}, "name", "not text in UTF-8"),
        ({"program": "A"}, "program", "not of its form, 2 to 16 lower-case letters, digits and dashes, e.g. aid-2026"),
        ({"name": "of 1234567890"}, "name",
         "holds a number of ten or more digits, which may be a person's; leave it out"),
        ({"ceiling": 2**53}, "ceiling", "must be at most 9,007,199,254,740,991"),
    ],
)  # fmt: skip
def test_a_wrong_term_of_a_program_is_told_with_its_form(given: dict[str, Any], field: str, problem: str) -> None:
    error = told(ProgramOpened, PROGRAM_TERMS | given)
    assert error is not None
    assert (error.field, error.problem) == (field, problem)


def test_no_sentence_lacks_what_it_is_filled_with() -> None:
    assert {name for sentence in SENTENCES.values() for name in re.findall(r"\{(\w+)\}", sentence)} == {
        "max_length", "min_length", "actual_length", "gt", "ge", "lt", "le", "error",
    }  # fmt: skip


# The words of an officer are refused at the edge; a bug of ours stays one


TOO_LONG, PERSONAL = "x" * 201, "letter of 1234567890123456"


@pytest.mark.parametrize("words", ["", TOO_LONG, PERSONAL, "\udcff"])
@pytest.mark.parametrize("field", ["note", "reference"])
def test_a_note_or_reference_that_no_event_may_hold_is_refused_before_anything_is_decided(
    ledger: Ledger, field: str, words: str
) -> None:
    def decide(_: Attempt) -> list[Event]:
        raise AssertionError("decided")

    with pytest.raises(ValueInvalidError) as refused:
        ledger.carry_out(by("siti", **{field: words}), decide)
    assert refused.value.field == field


@pytest.mark.parametrize("words", [TOO_LONG, PERSONAL, "", "\udcff"])
@pytest.mark.parametrize(
    ("field", "act"),
    [
        ("reason", lambda ledger, words: officers.revoke(ledger, SITI, officer_id="siti", reason=words)),
        ("reason", lambda ledger, words: programs.close_program(ledger, SITI, program=PROGRAM, reason=words)),
        ("proof_ref", lambda ledger, words: goods.deliver(
            ledger, SITI, shipment_id="s", quantity=1, proof_ref=words)),
        ("reason", lambda ledger, words: batches.reject(ledger, SITI, batch_id="b", reason=words)),
        ("report_ref", lambda ledger, words: grants.account(
            ledger, SITI, program=PROGRAM, group_id="g", report_ref=words)),
        ("reason", lambda ledger, words: privacy.request_erasure(
            ledger, SITI, recipient_id="R000000001", reason=words, legal_basis="UU 27")),
        ("legal_basis", lambda ledger, words: privacy.request_erasure(
            ledger, SITI, recipient_id="R000000001", reason="asked", legal_basis=words)),
        ("reason", lambda ledger, words: privacy.reject_erasure(
            ledger, SITI, recipient_id="R000000001", reason=words)),
        ("reason", lambda ledger, words: privacy.disclose(ledger, SITI, recipient_id="R000000001", reason=words)),
    ],
)  # fmt: skip
def test_words_of_an_officer_that_no_event_may_hold_are_refused_by_their_name(
    ledger: Ledger, field: str, act: Any, words: str
) -> None:
    before = ledger.store.size()
    with pytest.raises(ValueInvalidError) as refused:
        act(ledger, words)
    assert refused.value.field == field
    assert ledger.store.size() == before


def test_an_event_of_a_decision_that_is_not_of_its_form_is_a_bug_and_no_refusal(ledger: Ledger) -> None:
    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer(Role.MAKER)
        return [BudgetSet(program="NO SUCH FORM", budget=1, previous=0)]

    before = ledger.store.size()
    with pytest.raises(ValidationError):
        ledger.carry_out(SITI, decide)
    assert not issubclass(ValidationError, LedgerError)
    assert ledger.store.size() == before


def test_what_one_transaction_records_has_one_instant(ledger: Ledger) -> None:
    """Also what a decision hands over as a series beside its events."""
    from tests.acts import approve, pay, propose, register, run

    seconds = iter(range(10_000))
    ledger.now = lambda: datetime(2020, 10, 15, 3, 0, tzinfo=UTC).replace(microsecond=next(seconds))
    since = ledger.store.size()
    people = register(ledger, 3)
    batch_id = propose(ledger, people)
    approve(ledger, batch_id)
    run(ledger, batch_id)
    pay(ledger, people, tranche=2)

    lines = [json.loads(line) for block in ledger.store.lines(first=since) for line in block.splitlines()]
    kinds = [(line["topic"].partition(".")[0], line["recorded_at"]) for line in lines]
    registered = {at for kind, at in kinds if kind == "RecipientRegistered"}
    paid = {at for kind, at in kinds if kind == "TrancheDisbursed"}
    assert (len(registered), len(paid)) == (1, 2)
