"""Pricing: what stands on the invoice, and what leaves the stock, for one piece of something."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orchestrator.money import Money
from orchestrator.pricing import Line, LineKind, invoice_total, line_of, price
from orchestrator.product import Part, Product
from orchestrator.settings import Settings


def settings(**changes: Any) -> Settings:
    return Settings(_env_file=None, **changes)


def product(
    token: str, value: str, *, currency: str = "SEK", tax: str = "25", parts: tuple[Part, ...] = ()
) -> Product:
    money = Money.parse(value, currency)
    return Product(token, token.title(), money, Decimal(tax), f"sku-{token}", None, True, parts, 9, 0, 9)


def bundle(value: str, *parts: tuple[Product, int], currency: str = "SEK") -> tuple[Product, list[Product]]:
    pieces = tuple(Part(part.token, part.title, quantity) for part, quantity in parts)
    return product("set", value, currency=currency, parts=pieces), [part for part, _ in parts]


def rows(lines: list[Line]) -> list[tuple[str, str | None, int, str]]:
    return [(line.kind.value, line.product_token, line.quantity, str(line.total.value)) for line in lines]


MUG, SPOON = product("mug", "149"), product("spoon", "49.50", tax="12")


def test_a_plain_product_is_one_row_of_its_own_price() -> None:
    (line,) = price(MUG, [], settings())
    assert (line.kind, line.product_token, line.title, line.quantity) == (LineKind.GOODS, "mug", "Mug", 1)
    assert (line.unit_price, line.total) == (MUG.price, MUG.price)
    assert (line.tax_rate, line.sku) == (Decimal(25), "sku-mug")


def test_a_line_is_read_as_it_was_written() -> None:
    row = ["goods", "mug", "Mug", 2, Decimal(149), Decimal(298), Decimal(25), "sku-mug", None]
    each, both = Money.parse("149", "SEK"), Money.parse("298", "SEK")
    line = Line(LineKind.GOODS, "mug", "Mug", 2, each, both, Decimal(25), "sku-mug", None)
    assert line_of(row, "SEK") == line


@pytest.mark.parametrize(
    ("value", "mug", "spoons"),
    [
        ("200", "120.16", "79.84"),  # cheaper than its parts
        ("248", "149.00", "99.00"),  # as dear as its parts
        ("300", "180.24", "119.76"),  # dearer than its parts
        ("0.01", "0.01", "0.00"),  # too little to share
    ],
)
def test_a_bundle_is_invoiced_as_its_parts_in_proportion_to_their_prices(
    value: str, mug: str, spoons: str
) -> None:
    lines = price(*bundle(value, (MUG, 1), (SPOON, 2)), settings())
    assert rows(lines) == [("goods", "mug", 1, mug), ("goods", "spoon", 2, spoons)]
    assert invoice_total(lines, "SEK") == Money.parse(value, "SEK")
    assert [line.tax_rate for line in lines] == [Decimal(25), Decimal(12)]


def test_a_bundle_of_free_parts_shares_its_price_equally() -> None:
    lines = price(
        *bundle("100", (product("a", "0"), 1), (product("b", "0"), 3), (product("c", "0"), 1)), settings()
    )
    assert [str(line.total.value) for line in lines] == ["33.33", "33.34", "33.33"]


def test_a_free_part_beside_a_dear_one_costs_nothing() -> None:
    lines = price(*bundle("100", (MUG, 1), (product("leaflet", "0"), 1)), settings())
    assert [str(line.total.value) for line in lines] == ["100.00", "0.00"]


def test_a_bundle_in_yen_is_shared_in_whole_yen() -> None:
    cup, lid = product("cup", "333", currency="JPY"), product("lid", "167", currency="JPY")
    lines = price(*bundle("401", (cup, 1), (lid, 1), currency="JPY"), settings(currency="JPY"))
    assert [str(line.total) for line in lines] == ["267 JPY", "134 JPY"]


def test_a_bundle_as_one_row_still_takes_its_parts_from_the_stock() -> None:
    lines = price(*bundle("200", (MUG, 1), (SPOON, 2)), settings(bundle_rows="one"))
    assert rows(lines) == [
        ("charge", "set", 1, "200.00"),
        ("stock", "mug", 1, "0.00"),
        ("stock", "spoon", 2, "0.00"),
    ]
    assert invoice_total(lines, "SEK") == Money.parse("200", "SEK")


@pytest.mark.parametrize(
    ("changes", "charged"),
    [
        ({}, None),
        ({"delivery_charge": "49.50"}, "49.50"),
        ({"delivery_charge": "49.50", "delivery_free_from": "149.01"}, "49.50"),
        ({"delivery_charge": "49.50", "delivery_free_from": "149"}, None),
        ({"delivery_charge": "49.50", "delivery_free_from": "0"}, None),
        ({"delivery_charge": "5", "currency": "EUR"}, None),
    ],
)
def test_delivery_is_a_row_of_its_own_unless_it_is_free(changes: dict[str, Any], charged: str | None) -> None:
    lines = price(MUG, [], settings(delivery_tax_rate="6", **changes))
    delivery = [(line.title, str(line.total.value), line.product_token, line.tax_rate) for line in lines[1:]]
    assert delivery == ([] if charged is None else [("Delivery", charged, None, Decimal(6))])
    assert [line.quantity for line in lines[1:]] == [1] * len(delivery)
    wanted = Decimal(149) + Decimal(charged or 0)
    assert invoice_total(lines, "SEK").value == wanted


def test_a_bundles_own_price_decides_about_free_delivery() -> None:
    lines = price(*bundle("200", (MUG, 1), (SPOON, 2)), settings(delivery_charge=10, delivery_free_from=220))
    assert invoice_total(lines, "SEK") == Money.parse("210", "SEK")
