"""The limits of a product, one by one."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from orchestrator.money import Money
from orchestrator.product import CatalogueError, Piece, ProductChange, plain, problems

MUG = ProductChange("mug", "Mug", Money.parse("149.90", "SEK"), Decimal(25))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"token": "A-z_0.9"},
        {"token": "x" * 64},
        {"title": "x" * 200},
        {"title": "杯 <b>\"'&]]>, Ö"},
        {"price": Money.parse("0.01", "SEK")},
        {"price": Money.parse("1", "JPY")},
        {"price": Money.parse("99999999999", "SEK")},
        {"tax_rate": Decimal(0)},
        {"tax_rate": Decimal(100)},
        {"tax_rate": Decimal("12.3456")},
        {"tax_rate": Decimal("25.00000")},
        {"sku": "x" * 64},
        {"sku": ""},
        {"ean": "12345678"},
        {"ean": "12345678901234"},
        {"on_hand": 0},
        {"on_hand": 1_000_000_000},
        {"bundle": (Piece("spoon", 1_000_000),)},
        {"bundle": tuple(Piece(f"p{number}", 1) for number in range(50))},
    ],
    ids=str,
)
def test_within_the_limits(fields: dict[str, Any]) -> None:
    assert problems(replace(MUG, **fields)) == {}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("token", "", "1 to 64"),
        ("token", "x" * 65, "1 to 64"),
        ("token", "a b", "1 to 64"),
        ("token", "mug\n", "1 to 64"),
        ("token", "mugg-blå", "1 to 64"),
        ("token", "a/b", "1 to 64"),
        ("title", "", "is empty"),
        ("title", " \t ", "is empty"),
        ("title", "x" * 201, "has 201 characters, at most 200"),
        ("title", "a\x00b", "control character"),
        ("title", "a\nb", "control character"),
        ("title", "a\x85b", "control character"),
        ("title", "a\ud800b", "control character"),
        ("price", Money.parse("0", "SEK"), "more than 0"),
        ("price", Money.parse("-1", "SEK"), "more than 0"),
        ("tax_rate", Decimal("-0.1"), "0 to 100"),
        ("tax_rate", Decimal("100.1"), "0 to 100"),
        ("tax_rate", Decimal("NaN"), "0 to 100"),
        ("tax_rate", Decimal("Infinity"), "0 to 100"),
        ("tax_rate", Decimal("1.23456"), "more than 4 decimals"),
        ("sku", "x" * 65, "at most 64"),
        ("sku", "a\x1bb", "control character"),
        ("ean", "1234567", "8 to 14 digits"),
        ("ean", "123456789012345", "8 to 14 digits"),
        ("ean", "1234567a", "8 to 14 digits"),
        ("ean", "١٢٣٤٥٦٧٨", "8 to 14 digits"),
        ("on_hand", -1, "0 to 1000000000"),
        ("on_hand", 1_000_000_001, "0 to 1000000000"),
        ("bundle", (Piece("mug", 1),), "contains itself"),
        ("bundle", (Piece("spoon", 0),), "'spoon' should be 1 to 1000000"),
        ("bundle", (Piece("spoon", 1_000_001),), "'spoon' should be 1 to 1000000"),
        ("bundle", (Piece("a b", 1),), "'a b' should be 1 to 64"),
        ("bundle", (Piece("spoon", 1), Piece("spoon", 2)), "part spoon twice"),
        ("bundle", tuple(Piece(f"p{number}", 1) for number in range(51)), "has 51 parts"),
    ],
)
def test_beyond_the_limits(field: str, value: Any, said: str) -> None:
    found = problems(replace(MUG, **{field: value}))
    assert set(found) == {field}
    assert said in found[field]


def test_space_at_the_ends_is_not_kept() -> None:
    change = replace(MUG, title="  A mug ", sku=" ", ean=" 12345678 ")
    assert (change.title, change.sku, change.ean) == ("A mug", None, "12345678")


def test_error_names_product_and_field() -> None:
    error = CatalogueError({"mug": {"title": "is empty", "ean": "should be 8 to 14 digits"}})
    assert error.message == "Product mug: title is empty. Product mug: ean should be 8 to 14 digits."
    assert error.fields == {"title": "is empty", "ean": "should be 8 to 14 digits"}
    assert not error.retryable


@pytest.mark.parametrize(
    ("number", "shown"),
    [("25.0000", "25"), ("12.50", "12.5"), ("100", "100"), ("0", "0"), ("0.0001", "0.0001")],
)
def test_plain_number_has_no_zeros_at_its_end(number: str, shown: str) -> None:
    assert f"{plain(Decimal(number)):f}" == shown
