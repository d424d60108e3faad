"""What a change makes of a product, in words; and that it agrees with what would be written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestrator.catalogue_differences import differences, in_words
from orchestrator.catalogue_edit import compare
from orchestrator.money import Money
from orchestrator.product import Part, Piece, Product, ProductChange

PRICE = Money.parse("149", "SEK")
MUG = Product("mug", "Mug", PRICE, Decimal(25), None, None, True, (), 10, 2, 8)
SET = Product("mug", "Mug", PRICE, Decimal(25), None, None, True, (Part("cup", "Cup", 2),), 5, 0, 5)
EMPTY = Product("mug", "Mug", PRICE, Decimal(25), None, None, False, (), 0, 0, 0)


def change(**fields: object) -> ProductChange:
    given = {"token": "mug", "title": "Mug", "price": PRICE, "tax_rate": Decimal("25.0")} | fields
    return ProductChange(**given)  # type: ignore[arg-type]


CASES = [
    (MUG, change(), ""),
    (MUG, change(on_hand=10, for_sale=True), ""),
    (MUG, change(title="Mug, blue", sku="M-1"), "title: Mug → Mug, blue; sku: – → M-1"),
    (MUG, change(price=Money.parse("149", "EUR")), "currency: SEK → EUR"),
    (MUG, change(on_hand=12, for_sale=False), "on_hand: 10 → 12; for_sale: yes → no"),
    (SET, change(bundle=(Piece("cup", 2),)), ""),
    (SET, change(bundle=(Piece("cup", 2),), on_hand=5), ""),
    (SET, change(), "bundle: cup:2 → –"),
    (SET, change(on_hand=0), "bundle: cup:2 → –"),
    (SET, change(on_hand=4), "on_hand: – → 4; bundle: cup:2 → –"),
    (EMPTY, change(for_sale=True, bundle=(Piece("cup", 1),)), "for_sale: no → yes; bundle: – → cup:1"),
]


@pytest.mark.parametrize(("before", "wanted", "words"), CASES)
def test_differences_are_what_would_be_written(before: Product, wanted: ProductChange, words: str) -> None:
    found = differences(before, wanted)
    assert in_words(found) == words
    assert bool(found) == bool(compare({"mug": before}, [wanted]).changed)


def test_a_new_product_differs_in_all_that_it_has() -> None:
    fields = [edit.field for edit in differences(None, change(on_hand=3))]
    assert fields == ["token", "title", "price", "currency", "tax_rate", "on_hand", "for_sale"]
