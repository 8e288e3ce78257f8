"""The forms that values in events have."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from ledger.domain.money import AMOUNT_MAX

ROSTER_MAX = 1_000
"""Members of a group, at most: an event stays below the 65,535 bytes of a transparency log's entry."""


def _no_personal_number(text: str) -> str:
    digits = 0
    for sign in text:
        digits = digits + 1 if sign.isdigit() else 0
        if digits >= 10:
            raise ValueError("holds a number of ten or more digits, which may be a person's; leave it out")
    return text


def pattern(pattern: str) -> StringConstraints:
    """Text that matches a regular expression whole."""
    return StringConstraints(pattern=pattern)


ChosenByOfficer = AfterValidator(_no_personal_number)
"""A name that an officer types or a file brings, where a person's number may stand by mistake."""


Amount = Annotated[int, Field(gt=0, le=AMOUNT_MAX)]
"""Whole minor units of the ledger's currency."""


BudgetAmount = Annotated[int, Field(ge=0, le=AMOUNT_MAX)]


Quantity = Annotated[int, Field(gt=0, le=AMOUNT_MAX)]
"""Whole units of an item."""


Count = Annotated[int, Field(ge=0, le=AMOUNT_MAX)]


ProgramCode = Annotated[str, pattern(r"^[a-z0-9][a-z0-9-]{0,14}[a-z0-9]$")]
"""2 to 16 characters, so that a payment's id stays within the 35 of an ISO 20022 EndToEndId."""


TrancheNumber = Annotated[int, Field(ge=1, le=99)]


RecipientId = Annotated[str, pattern(r"^R[0-9]{9}$")]


OfficerId = Annotated[str, pattern(r"^[a-z][a-z0-9.-]{1,31}$")]


Subject = Annotated[str, pattern(r"^[a-z]+(/[A-Za-z0-9][A-Za-z0-9.-]{0,40})?$")]
"""What an agreement is about: a kind of thing and its name."""


AgreementId = Annotated[str, pattern(r"^[a-z]+(/[A-Za-z0-9][A-Za-z0-9.-]{0,40})?@[1-9][0-9]*$")]


BatchId = Annotated[str, pattern(r"^[A-Za-z0-9][A-Za-z0-9.-]{1,34}$")]


GroupId = Annotated[str, pattern(r"^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$"), ChosenByOfficer]


ShipmentId = GroupId


Slug = Annotated[str, pattern(r"^[a-z][a-z0-9-]{1,31}$"), ChosenByOfficer]
"""A word of the program's own vocabulary: a category, an item, a unit."""


Country = Annotated[str, pattern(r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""


Region = Annotated[str, pattern(r"^[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?$")]
"""Kemendagri code of a province, regency, district or village, e.g. 32.73."""


Text = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_no_personal_number)]
"""Words of an officer; a number that could be a person's is refused."""


ListLine = Annotated[str, pattern(r"^R[0-9]{9},[1-9][0-9]*$")]
"""A line of a payment list: recipient and amount in minor units."""
Sha256 = Annotated[str, pattern(r"^[0-9a-f]{64}$")]


VerifierKeyText = Annotated[str, pattern(r"^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}$")]
"""A log's name, the id of its key, and the key (C2SP signed-note)."""


PublicKey = Annotated[str, pattern(r"^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$")]
"""An Ed25519 public key, 32 bytes in base64; only the one text that encodes them, with no bit left unused."""
