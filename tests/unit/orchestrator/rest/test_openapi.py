"""The description fits what is there: every route, every schema, every example of an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from orchestrator.money import Money
from orchestrator.purchase_queries import Customer, ExchangeRecord, PurchaseRecord, TransitionRecord
from orchestrator.rest import create_purchase, notification, openapi, products, purchases, representation
from orchestrator.rest.openapi import document
from orchestrator.rest.schemas import SCHEMAS
from tests.fixtures.operations import NoDatabase, parts_on

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
PURCHASE = PurchaseRecord(
    id="0195515c-5fd0-7000-8000-000000000000",
    state="failed",
    reason="expired",
    attention=None,
    purchase_token="mug",
    title="Mug",
    amount=Money(Decimal(149), "SEK"),
    invoice_reference="20150306072260070",
    invoice_qr_code=None,
    ers_reference=None,
    customer=Customer("Anna", "Storgatan 1", "Umeå", "", "903 26", "Sweden", "anna@example.com", "467"),
    created_at=AT,
    updated_at=AT,
)


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, calls in document()["paths"].items():
        for method, call in calls.items():
            yield path, method.upper(), call


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_route_is_described_and_every_description_has_its_route() -> None:
    parts = parts_on(NoDatabase())
    rooms = (purchases, products, create_purchase, notification, openapi)
    there = {
        (re.sub(r":\w+}", "}", route.path), method)
        for room in rooms
        for route in room.routes(parts)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert {(path, method) for path, method, _ in operations()} == there


def test_it_is_json_and_says_what_it_is() -> None:
    found = json.loads(json.dumps(document()))
    assert found["openapi"] == "3.1.0"
    assert set(found["info"]) == {"title", "version", "description"}


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    used = set(references(document()))
    assert used == {f"#/components/schemas/{name}" for name in SCHEMAS}


def test_operations_have_names_of_their_own() -> None:
    names = [call["operationId"] for _, _, call in operations()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("path", "method", "call"), list(operations()), ids=lambda value: str(value)[:40])
def test_an_operation_is_whole(path: str, method: str, call: dict[str, Any]) -> None:
    in_path = {found["name"] for found in call.get("parameters", ()) if found["in"] == "path"}
    assert in_path == set(re.findall(r"{(\w+)}", path))
    assert ("requestBody" in call) == (method == "PUT" or path.endswith(("/stock", "/createPurchase")))
    assert any(status.startswith("2") for status in call["responses"])
    if path.startswith("/api/v1/p"):
        assert {"401", "500", "503"} <= set(call["responses"])
    assert all(answer["description"] for answer in call["responses"].values())


@pytest.mark.parametrize(
    ("status", "header"), [("401", "WWW-Authenticate"), ("429", "Retry-After"), ("503", "Retry-After")]
)
def test_a_refusal_names_the_header_that_comes_with_it(status: str, header: str) -> None:
    refusals = [call["responses"][status] for _, _, call in operations() if status in call["responses"]]
    assert len(refusals) >= 8
    assert all(refusal["headers"][header]["required"] for refusal in refusals)


def test_required_properties_are_described() -> None:
    for name, schema in SCHEMAS.items():
        if "properties" in schema:
            assert set(schema["required"]) <= set(schema["properties"]), name


def fits(schema: dict[str, Any], shown: dict[str, object]) -> bool:
    return bool(list(schema["properties"]) == list(shown) == schema["required"])


def test_a_purchase_is_shown_as_described() -> None:
    shown = representation.purchase(PURCHASE)
    assert fits(SCHEMAS["Purchase"], shown)
    assert shown["amount"] == {"currency": "SEK", "value": "149.00"}
    assert shown["created_at"] == "2026-03-01T12:30:00.000000Z"
    customer = shown["customer"]
    assert isinstance(customer, dict)
    assert fits(SCHEMAS["Customer"], customer)


def test_history_is_shown_as_described() -> None:
    move = TransitionRecord(AT, "close", "invoiced", "failed", "reconciler", "It expired.")
    call = ExchangeRecord(AT, "sendInvoice", "answered", 0, "Made.", 12.34567, "<a/>", "<b/>")
    assert fits(SCHEMAS["Transition"], representation.transition(move))
    assert fits(SCHEMAS["Exchange"], representation.exchange(call))
    assert representation.exchange(call)["duration_ms"] == 12.346
