"""The ledger's currency, and the largest amount."""

from dataclasses import dataclass

from ledger.domain.errors import LedgerError


class CurrencyUnknownError(LedgerError):
    """The currency is not in ISO 4217."""

    code = "currency_unknown"
    sentence = "{currency} is not an ISO 4217 currency; use a code such as IDR"
    currency: str


AMOUNT_MAX = 2**53 - 1
"""The largest amount: JSON readers everywhere hold integers up to here exactly (RFC 8259, section 6)."""


@dataclass(frozen=True, slots=True)
class Currency:
    """The one currency of a ledger, and how many decimals its amounts have."""

    code: str
    decimals: int


def default_decimals(code: str) -> int:
    """How many decimals amounts of a currency usually have; the rupiah has none, its sen is out of use.

    Raises CurrencyUnknownError for a code that is not in ISO 4217, in capitals.
    """
    import pycountry
    from babel.numbers import get_currency_precision

    known = pycountry.currencies.get(alpha_3=code)
    if known is None or known.alpha_3 != code:
        raise CurrencyUnknownError(currency=code)
    return 0 if code == "IDR" else get_currency_precision(code)
