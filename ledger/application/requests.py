"""What a command asks for, in the one form that its `--reference` stands for.

A *request* is the name of a command and its named inputs: all that decides what is recorded. Who asks, their note and
how the answer is printed decide nothing of it. Two runs are of one request if their *canonical forms* are the same
bytes: one JSON object in UTF-8, its keys sorted, without blanks. An input that was not given is left out, so that an
option added later changes no digest of before. The *digest*, SHA-256 of the canonical form, is what the ledger keeps.

Anybody may try values until a plain hash comes out, and there are few national ids. So a person's data enters the
canonical form only as a hash under the vault's key.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

KeyedHash = Callable[[bytes], str]
"""A function that hashes bytes under the vault's key, in hex."""


@dataclass(frozen=True)
class Request:
    """A command's name and its inputs by name."""

    command: str
    inputs: Mapping[str, object]
    """Texts, numbers, dates, and lists or objects of them."""
    personal: Mapping[str, object] = field(default_factory=dict)
    """Inputs that are a person's data."""

    def dated(self, effective_on: date) -> "Request":
        """The same request for a business date that was given along."""
        return replace(self, inputs={**self.inputs, "effective_on": effective_on})

    def canonical(self, keyed_hash: KeyedHash) -> bytes:
        """The bytes that are the same for the same request; the key is needed only where an input is personal."""
        said: dict[str, object] = {"command": self.command, "inputs": _given(self.inputs)}
        if personal := _given(self.personal):
            said["personal"] = keyed_hash(_json(personal))
        return _json(said)

    def digest(self, keyed_hash: KeyedHash) -> str:
        """SHA-256 of the canonical form, in hex."""
        return hashlib.sha256(self.canonical(keyed_hash)).hexdigest()


def _given(inputs: Mapping[str, object]) -> dict[str, object]:
    """The inputs without those that were not given; an amount of 0 is given."""
    return {name: value for name, value in inputs.items() if value is not False and value not in (None, "", (), [], {})}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_of_date).encode()


def _of_date(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no input of a request: {type(value).__name__}")
