"""Events from the words that officers gave, and the refusal of words that an event cannot hold."""

from typing import TypeVar

from pydantic import ValidationError

from ledger.domain.errors import ValueInvalidError
from ledger.domain.event import Event

E = TypeVar("E", bound=Event)

FORMS = {
    "program": "2 to 16 lower-case letters, digits and dashes, e.g. aid-2026",
    "parent": "a program's code",
    "officer_id": "2 to 32 lower-case letters, digits, dots and dashes that begin with a letter",
    "by": "an officer's id",
    "region": "a Kemendagri code, e.g. 32.73",
    "currency": "three capital letters, e.g. IDR",
    "country": "two capital letters, e.g. HK",
    "batch_id": "2 to 35 letters, digits, dots and dashes",
    "group_id": "1 to 32 letters, digits, dots and dashes",
    "shipment_id": "1 to 32 letters, digits, dots and dashes",
    "session_id": "1 to 32 letters, digits, dots and dashes",
    "public_key": "32 bytes in base64, as `salur officer key` prints them",
}
"""Field → the form of its values, in words."""


ANY_FORM = "2 to 32 lower-case letters, digits and dashes that begin with a letter"


def unfit(error: ValidationError) -> ValueInvalidError:
    """The refusal of the first value that its event cannot hold; the value itself is not in it."""
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    field = ".".join(map(str, first["loc"]))
    if first["type"] == "string_pattern_mismatch":
        return ValueInvalidError(field=field, problem=f"not of its form, {FORMS.get(field, ANY_FORM)}")
    return ValueInvalidError(field=field, problem=first["msg"].removeprefix("Value error, "))


def built(cls: type[E], **fields: object) -> E:
    """An event from values that people gave; a value of the wrong form is refused by its field."""
    try:
        return cls(**fields)
    except ValidationError as error:
        raise unfit(error) from None
