"""What the schemas say of a request is what the program does with it."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from pydantic import BaseModel, ValidationError

from orchestrator.rest.create_purchase import parse
from orchestrator.rest.errors import Refusal
from orchestrator.rest.openapi import document
from orchestrator.rest.products import ProductBody, StockBody
from tests.fixtures.shop import ORDER

PRODUCT: dict[str, Any] = {
    "title": "Mug",
    "price": {"currency": "SEK", "value": "149.90"},
    "tax_rate": "25",
}
ORDERS = [
    *({name: value} for name in ORDER for value in (None, "", " ", "\u3000", "a\0b", "a\x85b", 5, "x" * 255)),
    {"purchaseToken": "a b"}, {"purchaseToken": "A.b_c-1"}, {"purchaseToken": "mug\n"},
    {"email": "anna"}, {"email": "a@b"}, {"email": "a @b"}, {"email": "a@b\x7f"}, {"email": "å@ä.ö"},
    {"clientName": "杯 \U0001f375"}, {"clientName": "\U0001f375" * 200}, {"clientName": "\u00a0x"},
    {"colour": 1},
]  # fmt: skip
RATES: list[Any] = ["25.5", 25, 12.5, "-1", "x", "", None, True, [], "1e2", "0" * 31]
PRODUCTS: list[dict[str, Any]] = [
    *({"tax_rate": rate} for rate in RATES),
    *({"price": {"currency": "SEK", "value": value}} for value in ("1", 1, "1.5", "x", None, True, "1_0")),
    {"price": {"currency": "SEK"}}, {"price": {"currency": "SEKS", "value": "1"}},
    {"price": {"currency": "SEK", "value": "1", "vat": 1}}, {"price": "1"},
    {"token": None}, {"token": 5}, {"sku": None}, {"sku": 5}, {"ean": None}, {"title": None},
    {"on_hand": None}, {"on_hand": 5.0}, {"on_hand": 5.5}, {"on_hand": "5"}, {"on_hand": True},
    {"for_sale": None}, {"for_sale": 1}, {"reserved": "x", "available": []}, {"colour": "blue"},
    {"bundle": None}, {"bundle": []}, {"bundle": {}}, {"bundle": [{"token": "mug", "quantity": 2.0}]},
    {"bundle": [{"token": "mug"}]}, {"bundle": [{"token": "mug", "quantity": 1, "more": 1}]},
]  # fmt: skip
MOVES: list[dict[str, Any]] = [
    *({"change": change} for change in (1, -1, 0, 0.0, 5.0, 5.5, "5", True, None, 10**9, 10**9 + 1)),
    *({"reason": reason} for reason in ("", " ", " x ", "\u3000", "a\0b", "x" * 200, "x" * 201, None, 5)),
    {"more": 1},
]  # fmt: skip


def allows(name: str, body: dict[str, Any]) -> bool:
    """Whether a schema does."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    return jsonschema_rs.validator_for(schema).is_valid(body)


@pytest.mark.parametrize("changes", ORDERS, ids=repr)
def test_an_order_is_taken_as_described(changes: dict[str, Any]) -> None:
    body = {**ORDER, **changes}
    try:
        parse(body)
    except Refusal:
        taken = False
    else:
        taken = True
    assert allows("Order", body) == taken


@pytest.mark.parametrize("missing", ORDER)
def test_what_an_order_has_to_have_is_as_described(missing: str) -> None:
    body = {name: value for name, value in ORDER.items() if name != missing}
    if allows("Order", body):
        parse(body)
    else:
        with pytest.raises(Refusal):
            parse(body)


@pytest.mark.parametrize("changes", PRODUCTS, ids=repr)
def test_the_shape_of_a_product_is_as_described(changes: dict[str, Any]) -> None:
    body = {**PRODUCT, **changes}
    assert _fits(ProductBody, body) == allows("ProductChange", body)


@pytest.mark.parametrize("changes", MOVES, ids=repr)
def test_a_movement_of_stock_is_taken_as_described(changes: dict[str, Any]) -> None:
    body = {"change": 5, "reason": "delivery", **changes}
    assert (_fits(StockBody, body) and body["change"] != 0) == allows("StockChange", body)


def _fits(model: type[BaseModel], body: dict[str, Any]) -> bool:
    try:
        model.model_validate(body)
    except ValidationError:
        return False
    return True
