"""Refusals, broken integrity, and what is said of a value without saying the value.

A refusal is a `LedgerError`: it has a permanent `code`, typed fields, and a sentence that ends with the remedy.
After any refusal the ledger holds exactly what it held before. A broken integrity is not a refusal and has a class
of its own. Codes are never renamed or given a second meaning: scripts and rejects files depend on them.

No field of an error ever holds a person's data: what an officer typed in its place is shown by its shape only.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from inspect import get_annotations
from typing import ClassVar, Self, dataclass_transform


def shape_of(text: str) -> str:
    """What a value looks like, without what it says: digits become 9, letters A, and runs are counted.

    >>> shape_of("Budi 3273015501900001")
    'A{4} 9{16}'
    """
    masked = re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", text[:200]))
    return re.sub(r"([9A])\1+", lambda run: f"{run[1]}{{{len(run[0])}}}", masked) or "(empty)"


def _without_personal_number(name: str, value: object) -> object:
    """A field's value with each number of ten or more digits, which may be a person's, shown by its shape only."""
    if not isinstance(value, str) or name in ("path", "folder", "origin"):
        return value
    if isinstance(value, Said):
        return Said(value.template, **{key: _without_personal_number(key, each) for key, each in value.values.items()})
    return re.sub(r"\d{10,}", lambda run: shape_of(run[0]), value)


class Said(str):  # noqa: SLOT000  # a text cannot have slots
    """A clause of a refusal: the sentence that it reads as, and the whole template that a translation is found by."""

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, **values: object) -> Self:
        """The clause in English; `template` is its gettext id, `values` are what its named fields say."""
        said = super().__new__(cls, template.format(**values))
        said.template, said.values = template, values
        return said

    def translated(self, translate: Callable[[str], str]) -> str:
        """The clause in another language."""
        return translate(self.template).format(**_in_words(self.values, translate))


def did_you_mean(close: Sequence[str]) -> Said:
    """A half sentence with the name most like the one asked for, or nothing where none is."""
    return Said(" (did you mean {name}?)", name=close[0]) if close else Said("")


def _in_words(values: Mapping[str, object], translate: Callable[[str], str]) -> dict[str, object]:
    return {name: each.translated(translate) if isinstance(each, Said) else each for name, each in values.items()}


@dataclass_transform(kw_only_default=True)
class LedgerError(Exception):
    """What was asked is refused, and nothing has changed."""

    code: ClassVar[str]
    sentence: ClassVar[str]

    def __init__(self, **fields: object) -> None:
        names = get_annotations(type(self))
        if fields.keys() - names or names.keys() - fields.keys() - vars(type(self)).keys():
            raise TypeError(f"{type(self).__name__} has the fields {', '.join(names)}")
        vars(self).update({name: _without_personal_number(name, value) for name, value in fields.items()})
        super().__init__(self.sentence.format(**self._values()))

    def _values(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in get_annotations(type(self))}

    def translated(self, translate: Callable[[str], str]) -> str:
        """The refusal in another language; `translate` finds a template by the English one, which is its gettext id."""
        return translate(self.sentence).format(**_in_words(self._values(), translate))


class IntegrityBrokenError(Exception):
    """What is stored contradicts itself; nothing may be built on it until an auditor has looked."""


class ProofFailedError(IntegrityBrokenError):
    """A proof, a signature or the note that bears it does not show what it was given to show."""


class AnswerLostError(Exception):
    """The connection broke when a step was being recorded, and the database cannot be asked whether it was.

    This is no refusal: the step may be recorded. The same command run again finds what is, and records nothing twice.
    """


class ContendedError(LedgerError):
    """Others changed the same thing again and again while this command tried."""

    code = "contended"
    sentence = "others are changing {stream} at the same time; nothing was recorded, run the command again"
    stream: str


class ValueInvalidError(LedgerError):
    """A value does not have the form its field needs."""

    code = "value_invalid"
    sentence = "{field}: {problem}"
    field: str
    problem: Said


class EffectiveInFutureError(LedgerError):
    """A business date lies in the future."""

    code = "effective_in_future"
    sentence = "{effective_on} lies after today ({today}); correct the date, or add --allow-future if it is meant"
    effective_on: str
    today: str


class ReferenceReusedError(LedgerError):
    """The same reference came with a different request."""

    code = "reference_reused"
    sentence = "reference {reference} was used for another request; give this one a reference of its own"
    reference: str


class SameOfficerError(LedgerError):
    """Two different officers must agree."""

    code = "same_officer"
    sentence = "{officer_id} cannot be both sides of {thing}; ask another officer"
    officer_id: str
    thing: str


class ThingUnknownError(LedgerError):
    """Nothing in the ledger has that name."""

    code = "thing_unknown"
    sentence = "nothing named {thing} in the ledger{nearest}; give an id as the reports show it"
    thing: str
    nearest: Said = Said("")
