"""A product as it stands in a form: read by the rules of a product file, joined with others' edits."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dashboard.product_draft import Clash, Draft, PartRow, clashes, draft_of, joined, sent, wish_of
from orchestrator.money import Money
from orchestrator.product import Part, Piece, Product

FIELDS = {"token": "mug", "title": "Mug", "price": "149", "currency": "SEK", "tax_rate": "25"}


def product(title: str = "Mug", sku: str | None = None, bundle: tuple[Part, ...] = ()) -> Product:
    price = Money.parse("149", "SEK")
    return Product("mug", title, price, Decimal(25), sku, None, True, bundle, 3, 0, 3, 7)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("149", "149.00"),
        ("149,90", "149.90"),
        ("1 049.5", "1049.50"),
        ("1\N{NO-BREAK SPACE}049,5", "1049.50"),
    ],
)
def test_prices_are_read_as_people_write_them(typed: str, value: str) -> None:
    wish = wish_of(sent(FIELDS | {"price": typed, "currency": "sek"}))
    assert wish.problems == {}
    assert str(wish.change.price.value) == value
    assert wish.change.price.currency == "SEK"


def test_what_looks_like_a_formula_is_kept_as_it_is_typed() -> None:
    assert wish_of(sent(FIELDS | {"title": "'=1+1"})).change.title == "'=1+1"


def test_rows_are_read_in_their_order_and_empty_ones_left_out() -> None:
    rows = {"part-10": "c", "quantity-10": "3", "part-2": "a", "quantity-2": "1", "part-3": "", "part-x": "b"}
    draft = sent(FIELDS | rows)
    assert draft.parts == (PartRow("a", "1"), PartRow(), PartRow("c", "3"))
    assert wish_of(draft).change.bundle == (Piece("a", 1), Piece("c", 3))


@pytest.mark.parametrize("asked", ["drop-0", "drop-3", "drop-x", "drop-", "odd", "drop-1234567"])
def test_what_is_no_row_is_not_dropped(asked: str) -> None:
    draft = Draft(FIELDS, (PartRow("a", "1"), PartRow("b", "2")))
    assert draft.with_rows(asked) == draft


def test_rows_are_added_up_to_the_most_that_a_bundle_has() -> None:
    full = Draft(FIELDS, tuple(PartRow(f"p{number}", "1") for number in range(50)))
    assert full.with_rows("add") == full
    assert full.with_rows("drop-50").with_rows("add").parts[-1].empty


def test_others_edits_are_joined_with_what_was_typed() -> None:
    was = dict(draft_of(product()).fields) | {"bundle": ""}
    mine = Draft({**was, "title": "Mug, red", "price": "10"})
    now = product("Mug, blue", "M-1")
    assert clashes(was, now, mine) == [
        Clash("title", "Mug", "Mug, blue", "Mug, red"),
        Clash("sku", "", "M-1", ""),
    ]
    after = joined(was, now, mine).fields
    assert (after["title"], after["price"], after["sku"]) == ("Mug, red", "10", "M-1")


def test_parts_are_joined_as_a_whole() -> None:
    before, after = (Part("cup", "Cup", 1),), (Part("cup", "Cup", 2),)
    seen = draft_of(product(bundle=before))
    was = dict(seen.fields) | {"bundle": seen.bundle}
    assert joined(was, product(bundle=after), seen).parts == (PartRow("cup", "2"),)
    mine = Draft(seen.fields, (PartRow("cup", "9"),))
    assert joined(was, product(bundle=after), mine).parts == (PartRow("cup", "9"),)
