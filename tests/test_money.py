import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.domain.money import AMOUNT_MAX, Currency, CurrencyUnknownError, default_decimals
from ledger.files.amounts import parse_amount
from ledger.files.errors import (
    AmountAmbiguousError,
    AmountFractionError,
    AmountInvalidError,
    AmountNotPositiveError,
    AmountTooLargeError,
)

IDR = Currency("IDR", 0)
USD = Currency("USD", 2)
KWD = Currency("KWD", 3)

AMOUNT_REFUSALS = (
    AmountAmbiguousError,
    AmountFractionError,
    AmountInvalidError,
    AmountNotPositiveError,
    AmountTooLargeError,
)

amounts = st.integers(min_value=1, max_value=AMOUNT_MAX)
groupings = st.sampled_from([".", ",", " ", "\u00a0", "\u2009", "\u202f", "'", "’"])


@pytest.mark.parametrize(
    "text",
    [
        "1200000",
        "Rp1.200.000",
        "Rp 1.200.000,00",
        "Rp1.200.000,-",
        "Rp. 1.200.000,-",
        "IDR 1200000",
        "idr1200000",
        "1,200,000.00",
        " 1 200 000 ",
        "1\u00a0200\u00a0000",
        "1\u2009200\u2009000",
        "1'200'000",
        "1’200’000.00",
        "1200000.0",
        "1200000,00",
        "001200000",
    ],
)
def test_every_way_officers_write_an_amount_is_the_same_amount(text: str) -> None:
    assert parse_amount(text, IDR) == 1_200_000


@given(amounts, groupings)
def test_whole_amounts_survive_grouping(amount: int, grouping: str) -> None:
    text = f"{amount:,}".replace(",", grouping)
    assert parse_amount(f"Rp{text}", IDR) == amount
    assert (
        parse_amount(f"{text},-", IDR, ".") == amount if grouping == "," else parse_amount(f"{text},-", IDR) == amount
    )


@given(amounts, st.sampled_from([(",", "."), (".", ","), ("", "."), ("", ","), (" ", ","), ("'", ".")]), st.booleans())
def test_amounts_with_decimals_survive_every_style(amount: int, style: tuple[str, str], stated: bool) -> None:
    grouping, mark = style
    text = f"{amount // 100:,}".replace(",", grouping) + f"{mark}{amount % 100:02}"
    assert parse_amount(text, USD, mark if stated else None) == amount  # type: ignore[arg-type]


@given(amounts)
def test_three_decimals_survive_when_the_mark_is_stated(amount: int) -> None:
    assert parse_amount(f"{amount // 1000}.{amount % 1000:03}", KWD, ".") == amount


@given(st.one_of(st.text(), st.text(alphabet="0123456789.,-() 'RpIDR")), st.sampled_from([IDR, USD, KWD]))
@example("9" * 10_000, IDR)
@example("1" + "." * 10_000, IDR)
def test_any_text_is_an_amount_in_range_or_a_refusal(text: str, currency: Currency) -> None:
    with contextlib.suppress(*AMOUNT_REFUSALS):
        assert 1 <= parse_amount(text, currency) <= AMOUNT_MAX


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("1,200.50", USD, 120_050), ("1.200,5", USD, 120_050), ("12,50", USD, 1_250), ("1.200", USD, 120_000)],
)
def test_the_last_mark_separates_decimals_unless_it_makes_a_group(text: str, currency: Currency, minor: int) -> None:
    assert parse_amount(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [("0.500", IDR), ("0,500", USD), ("1.200", KWD), ("1234.000", IDR), ("1 200.000", IDR), ("1'200,500", IDR)],
)
def test_an_amount_with_two_readings_is_refused(text: str, currency: Currency) -> None:
    with pytest.raises(AmountAmbiguousError):
        parse_amount(text, currency)


def test_a_stated_decimal_mark_decides() -> None:
    assert parse_amount("1.200", IDR, ",") == 1_200
    assert parse_amount("1.200", KWD, ".") == 1_200
    assert parse_amount("1 200.000", IDR, ".") == 1_200
    with pytest.raises(AmountFractionError):
        parse_amount("1.200", IDR, ".")
    with pytest.raises(AmountInvalidError):
        parse_amount("12.50", USD, ",")


@pytest.mark.parametrize(("text", "currency"), [("1200,50", IDR), ("1.200.000,5", IDR), ("12.505", Currency("X", 2))])
def test_a_fraction_that_the_currency_cannot_hold_is_refused(text: str, currency: Currency) -> None:
    with pytest.raises(AmountFractionError):
        parse_amount(text, currency, "." if text == "12.505" else None)


@pytest.mark.parametrize(
    "text", ["0", "0,00", "Rp0", "-1200", "- 1.200", "−1200", "1200-", "(1.200)", "Rp -1.200", "(Rp1.200)"]
)
def test_zero_and_less_is_refused(text: str) -> None:
    with pytest.raises(AmountNotPositiveError):
        parse_amount(text, IDR)


def test_the_largest_amount_is_the_last_one_taken() -> None:
    assert parse_amount(str(AMOUNT_MAX), IDR) == AMOUNT_MAX
    for text in [str(AMOUNT_MAX + 1), f"{AMOUNT_MAX + 1:,}", "9" * 5_000]:
        with pytest.raises(AmountTooLargeError):
            parse_amount(text, IDR)
    with pytest.raises(AmountTooLargeError):
        parse_amount(str(AMOUNT_MAX), USD)


@pytest.mark.parametrize(
    "text",
    [
        *["", "  ", "-", "()", "Rp", ",-", "1e6", "1.2E+06", "12a", "USD 1200", "1200 IDR", "+1200", "NaN", "0x10"],
        *[
            "١٢٠٠",
            "１２００",
            "²",
            "1..200",
            "1.20.000",
            "1.2000.000",
            "1234.567.000",
            "1.200.000.00",
            "1.200,000,000.0",
        ],
        *[
            "1.200 000",
            "1  200",
            "1200.",
            ".50",
            "--1200",
            "(-1200)",
            "(1200",
            "1200)",
            "1_200",
            "1\t200",
            "1.200,50.0",
        ],
    ],
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(AmountInvalidError):
        parse_amount(text, IDR)


def test_an_error_shows_the_shape_and_never_the_text() -> None:
    with pytest.raises(AmountInvalidError) as refused:
        parse_amount("Siti 3273015501900001", IDR)
    assert refused.value.shape == "A{4} 9{16}"
    assert "Siti" not in str(refused.value)
    assert "3273015501900001" not in str(refused.value)


def test_a_currency_has_its_usual_decimals() -> None:
    assert [default_decimals(code) for code in ("IDR", "USD", "JPY", "KWD")] == [0, 2, 0, 3]


@pytest.mark.parametrize("code", ["ABC", "idr", "Rp", "", "IDRR"])
def test_a_currency_outside_iso_4217_is_refused(code: str) -> None:
    with pytest.raises(CurrencyUnknownError):
        default_decimals(code)
