"""Money: exact sums, the currency's own decimals, fair splitting."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest

from orchestrator.money import LARGEST_AMOUNT, Money, MoneyError, smallest_unit, total


def money(value: str, currency: str = "SEK") -> Money:
    return Money(Decimal(value), currency)


@pytest.mark.parametrize(
    ("value", "currency", "shown"),
    [
        ("149", "SEK", "149.00 SEK"),
        ("149.9", "EUR", "149.90 EUR"),
        ("500", "JPY", "500 JPY"),
        ("1.5", "KWD", "1.500 KWD"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(value: str, currency: str, shown: str) -> None:
    assert str(Money.parse(value, currency)) == shown


@pytest.mark.parametrize(
    ("value", "currency", "words"),
    [
        ("1.001", "SEK", "more decimals than SEK"),
        ("0.5", "JPY", "more decimals than JPY"),
        ("1", "sek", "not an ISO 4217 currency"),
        ("1", "", "not an ISO 4217 currency"),
        ("NaN", "SEK", "not an amount"),
        ("sNaN", "SEK", "not an amount"),
        ("-Infinity", "SEK", "not an amount"),
        ("100000000000", "SEK", "not an amount"),
        ("1E+999999", "SEK", "not an amount"),
        ("1,50", "SEK", "not a decimal number"),
        ("", "SEK", "not a decimal number"),
    ],
)
def test_what_is_no_amount_is_refused(value: str, currency: str, words: str) -> None:
    with pytest.raises(MoneyError, match=words):
        Money.parse(value, currency)


def test_reckoning_is_exact() -> None:
    assert money("0.10") + money("0.20") == money("0.30")
    assert money("1") - money("0.01") == money("0.99")
    assert money("0.07") * 3 == money("0.21")
    assert total([money("0.10")] * 10, "SEK") == money("1")
    assert total([], "JPY") == Money.zero("JPY")
    assert Money(LARGEST_AMOUNT, "SEK").value == LARGEST_AMOUNT


def test_amounts_compare_by_value() -> None:
    assert money("1") < money("1.01")
    assert money("1") >= money("1.00")
    assert not money("1") >= money("2")


@pytest.mark.parametrize("reckon", ["__add__", "__sub__", "__lt__", "__ge__"])
def test_currencies_do_not_mix(reckon: str) -> None:
    with pytest.raises(MoneyError, match="SEK and EUR cannot be reckoned together"):
        getattr(money("1"), reckon)(money("1", "EUR"))


def test_the_smallest_unit() -> None:
    assert [smallest_unit(code) for code in ("SEK", "JPY", "KWD")] == [Decimal("0.01"), 1, Decimal("0.001")]


_WEIGHTS = [
    ["1"],
    ["1", "1", "1"],
    ["149", "99"],
    ["0", "1", "0"],
    ["0", "0", "0"],
    ["0.01", "999999.99"],
    ["33.33", "33.33", "33.34"],
    ["1"] * 50,
    ["7", "11", "13", "17", "19"],
]
_AMOUNTS = [
    ("0", "SEK"),
    ("0.01", "SEK"),
    ("0.02", "SEK"),
    ("100", "SEK"),
    ("200", "JPY"),
    ("9.999", "KWD"),
    ("99999999999", "EUR"),
]


@pytest.mark.parametrize(("amount", "weights"), list(product(_AMOUNTS, _WEIGHTS)))
def test_split_parts_add_up_and_lie_within_one_unit_of_their_share(
    amount: tuple[str, str], weights: list[str]
) -> None:
    whole, numbers = money(*amount), [Decimal(weight) for weight in weights]
    parts = whole.split(numbers)
    assert total(parts, whole.currency) == whole
    if not any(numbers):
        numbers = [Decimal(1)] * len(numbers)
    for part, number in zip(parts, numbers, strict=True):
        share = Fraction(whole.value) * Fraction(number) / Fraction(sum(numbers))
        assert part.value >= 0
        assert abs(Fraction(part.value) - share) < Fraction(smallest_unit(whole.currency))


@pytest.mark.parametrize("weights", [[], ["1", "-1"], ["-0.01"]])
def test_weights_that_make_no_sense_are_refused(weights: list[str]) -> None:
    with pytest.raises(MoneyError, match="one or more weights"):
        money("10").split([Decimal(weight) for weight in weights])
