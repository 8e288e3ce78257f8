"""Events from the words that officers gave, and what is wrong with words that no event can hold.

Events are held to their fields' types by pydantic, whose own sentences are for programmers. Here each kind of its
errors has a sentence of ours, with the value's name and the form it should have, never the value; a kind that has none
is told by the form of the field alone.
"""

import difflib
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from ledger.domain import fields
from ledger.domain.errors import Said, ValueInvalidError
from ledger.domain.event import Event

E = TypeVar("E", bound=Event)


def _pattern_of(form: Any) -> str:
    return str(next(each.pattern for each in get_args(form) if getattr(each, "pattern", None)))


FORMS = {
    _pattern_of(form): words
    for form, words in {
        fields.ProgramCode: "2 to 16 lower-case letters, digits and dashes, e.g. aid-2026",
        fields.OfficerId: "2 to 32 lower-case letters, digits, dots and dashes that begin with a letter",
        fields.Region: "a Kemendagri code, e.g. 32.73",
        fields.Country: "two capital letters, e.g. HK",
        fields.BatchId: "2 to 35 letters, digits, dots and dashes",
        fields.GroupId: "1 to 32 letters, digits, dots and dashes",
        fields.RecipientId: "R and nine digits, e.g. R000000123",
        fields.PublicKey: "32 bytes in base64, as `salur officer key` prints them",
        fields.VerifierKeyText: "a verifier key, as a log's file verifier-key has it",
        fields.Sha256: "64 digits 0-9 and a-f",
        fields.ListLine: "R and nine digits, a comma and an amount in minor units",
        fields.AgreementId: "what an act is about, @ and a number, e.g. program/aid-2026@1",
        fields.Subject: "what an act is about, e.g. program/aid-2026",
        fields.Slug: "2 to 32 lower-case letters, digits and dashes that begin with a letter",
    }.items()
} | {
    r"^[A-Z]{3}$": "three capital letters, e.g. IDR",
    r"^[0-9a-f]{16}:[0-9]+$": "16 digits 0-9 and a-f, a colon and a line",
}
"""Pattern of a field → the form of its values, in words."""
SENTENCES = {
    "missing": "missing; give it",
    "string_too_short": "empty; fill it in",
    "string_too_long": "longer than {max_length} characters; say it shorter",
    "string_type": "not a text",
    "string_unicode": "not text in UTF-8",
    "too_short": "at least {min_length} must be given",
    "too_long": "{actual_length} are given, at most {max_length} are possible",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "int_type": "not a whole number",
    "date_type": "not a date",
    "value_error": "{error}",
}
"""Kind of pydantic's error → what is wrong, with its context filled in."""
ONE_OF = {"categories": "category", "schedule": "tranche", "roles": "role", "members": "member"}
"""Field that holds several values → what an officer calls one of them."""


def built(cls: type[E], **fields: object) -> E:
    """An event from values that people gave; a value of the wrong form is refused by its field."""
    try:
        return cls(**fields)
    except ValidationError as error:
        raise unfit(error, cls) from None


def unfit(error: ValidationError, of: type[BaseModel]) -> ValueInvalidError:
    """The refusal of the first value that an event, or its `Meta`, cannot hold; the value itself is not in it."""
    first = error.errors(include_url=False)[0]
    field, place = str(first["loc"][0]), first["loc"][1:]
    name = " ".join([ONE_OF.get(field, field), *(str(each + 1) if isinstance(each, int) else each for each in place)])
    return ValueInvalidError(field=name if place else field, problem=_problem(first, of, field))


def _problem(first: Any, of: type[BaseModel], field: str) -> Said:
    kind, context = first["type"], first.get("ctx", {})
    words = _words_of(of.model_fields[field].annotation) if field in of.model_fields else []
    if words and kind != "missing":
        return one_of(words, first["input"])
    if kind in SENTENCES:
        return Said(SENTENCES[kind], **{name: _bound(value) for name, value in context.items()})
    form = FORMS.get(context.get("pattern", ""))
    return Said("not of its form, {form}", form=Said(form)) if form else Said("not of its form")


def _bound(value: object) -> str:
    """A bound, its thousands apart: a refusal shows a long run of digits only by its shape."""
    return f"{value:,}" if isinstance(value, int) and value >= 10_000 else str(value)


def one_of(words: Iterable[str], given: object) -> Said:
    """That a value is none of the words there are, and which of them is most like it."""
    known = [str(each) for each in words]
    close = difflib.get_close_matches(given.strip().lower(), known, n=1) if isinstance(given, str) else []
    if close:
        return Said("one of {words} (did you mean {nearest}?)", words=", ".join(known), nearest=close[0])
    return Said("one of {words}", words=", ".join(known))


def _words_of(annotation: Any) -> list[str]:
    """The words that a field's type allows, if it allows only some."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(each.value) for each in annotation]
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return next((found for each in get_args(annotation) if (found := _words_of(each))), [])


def require_texts(**given: str) -> None:
    """Refuse words that no event may hold, such as a reason, under their own names."""
    require_fit(fields.Text, **given)


def require_fit(form: Any, **given: str) -> None:
    """Refuse values that are not of a field's type, under their own names."""
    for name, text in given.items():
        try:
            _adapter(form).validate_python(text, strict=True)
        except ValidationError as error:
            first: Any = error.errors(include_url=False)[0]
            raise ValueInvalidError(field=name, problem=_problem(first, BaseModel, name)) from None


@lru_cache
def _adapter(form: Any) -> TypeAdapter[Any]:
    return TypeAdapter(form)
