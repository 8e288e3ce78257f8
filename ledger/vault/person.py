"""A person's data as bytes: the plain form that a commitment covers, and the normal form in which accounts are compared.

Both forms have a number. A commitment once made stays true, because a row keeps the bytes it was made of; a new normal
form only needs the index of accounts to be made anew.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from pydantic_core import from_json

from ledger.domain.errors import IntegrityBrokenError

SALT_BYTES = 16
FORM = 2
"""Of the plain bytes: form 1, without `form` and `bank`, called the national id `nik`."""
ACCOUNT_FORM = 1
"""Of accounts as they are compared."""

_quoted = json.encoder.encode_basestring
_SEPARATORS = re.compile(r"[\s.\-/_,:'`]+")


class Person(NamedTuple):
    """A recipient's personal data, which only the vault holds."""

    national_id: str
    name: str
    account: str = ""
    phone: str = ""
    address: str = ""
    bank: str = ""
    """Where the account is, as the file said."""


def salted(person: Person, salt: bytes) -> bytes:
    """The salt and the person's data as one JSON object: the bytes that are sealed, and that the commitment covers."""
    return (
        salt
        + (
            f'{{"form":{FORM},"id":{_quoted(person.national_id)},"name":{_quoted(person.name)},'
            f'"account":{_quoted(person.account)},"bank":{_quoted(person.bank)},'
            f'"phone":{_quoted(person.phone)},"address":{_quoted(person.address)}}}'
        ).encode()
    )


def person_of(plain: bytes) -> Person:
    """The person in salted bytes, of any form that was ever written; raises `ValueError` for other bytes."""
    stored = from_json(plain[SALT_BYTES:])
    form = stored.get("form", 1)
    if form not in (1, FORM):
        raise ValueError(f"form {form}")
    national_id = stored["nik"] if form == 1 else stored["id"]
    return Person(
        national_id, stored["name"], stored["account"], stored["phone"], stored["address"], stored.get("bank", "")
    )


def lookups_of(plains: Sequence[bytes]) -> tuple[list[str], list[str]] | None:
    """What people are found by, their national ids and their accounts, in salted bytes; None where some are of no known form."""
    try:
        stored = [from_json(plain[SALT_BYTES:]) for plain in plains]
        ids = [each["id"] if each.get("form") == FORM else each["nik"] for each in stored]
        return ids, [each["account"] for each in stored]
    except (ValueError, KeyError, AttributeError, TypeError):
        return None


def commitment_of(plain: bytes) -> str:
    """SHA-256 over the salt and the person's data, in hex: what an event holds of them."""
    return hashlib.sha256(plain).hexdigest()


def require_agreeing(number: int, found: str, registered: str) -> None:
    """Raise `IntegrityBrokenError` where the commitment of the vault's data is another than the registration's."""
    if found != registered:
        raise IntegrityBrokenError(
            f"the vault holds other data of R{number:09d} than was registered: its commitment differs; run `salur check`"
        )


def normal_account(account: str) -> str:
    """An account as it is compared: without separators, in capitals, and a number without the zeros before it.

    A spreadsheet drops the zeros before a number, so that one account would otherwise be two. The bank is left out: two
    banks' equal numbers are refused once and taken with a reason, which is safer than one account under two names of its
    bank.
    """
    if account.isascii() and account.isdecimal():  # the usual one
        return account.lstrip("0") or account[:1]
    bare = _SEPARATORS.sub("", unicodedata.normalize("NFKC", account)).upper()
    return (bare.lstrip("0") or bare[:1]) if bare.isdecimal() else bare
