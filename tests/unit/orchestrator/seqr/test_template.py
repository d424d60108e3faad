"""Prepared envelopes: to the byte what zeep writes, prepared once for each shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest

from orchestrator.money import Money
from orchestrator.seqr.messages import Invoice, InvoiceRow
from orchestrator.seqr.request import Fields, client_context, invoice_fields
from orchestrator.seqr.template import Templates
from orchestrator.seqr.wsdl import SHIPPED_WSDL, Wsdl
from tests.fixtures.soap import CREDENTIALS, PUBLIC_WSDL

T = TypeVar("T")

LETTERS = "aZ09 åß漢🙂&<>\"'\r\n\t]]>{}%$\\\ue000\ue001"


def some_text(chance: Random) -> str:
    return "".join(chance.choice(LETTERS) for _ in range(chance.randrange(1, 30)))


def some_number(chance: Random) -> Decimal:
    return Decimal(chance.randrange(1, 10**9)).scaleb(chance.randrange(-7, 5))


def maybe(chance: Random, make: Callable[[Random], T]) -> T | None:
    return make(chance) if chance.random() < 0.5 else None


def some_money(chance: Random) -> Money:
    return Money(Decimal(chance.randrange(10**7)).scaleb(-2), "SEK")


def some_row(chance: Random) -> InvoiceRow:
    return InvoiceRow(
        some_text(chance),
        some_number(chance),
        some_money(chance),
        unit_price=maybe(chance, some_money),
        discount=maybe(chance, some_money),
        tax_rate=maybe(chance, some_number),
        sku=maybe(chance, some_text),
        ean=maybe(chance, some_text),
        unit=maybe(chance, some_text),
    )


def some_invoice(chance: Random) -> Invoice:
    return Invoice(
        client_invoice_id=some_text(chance),
        title=some_text(chance),
        issue_date=datetime(2015, 3, 6, tzinfo=UTC) + timedelta(milliseconds=chance.randrange(10**10)),
        rows=tuple(some_row(chance) for _ in range(chance.randrange(1, 5))),
        total=some_money(chance),
        notification_url="https://shop.example/" + some_text(chance),
        cashier_id=maybe(chance, some_text),
        footer=maybe(chance, some_text),
        back_url=maybe(chance, some_text),
    )


def some_call(chance: Random) -> tuple[str, Fields]:
    credentials = replace(
        CREDENTIALS, password=some_text(chance), user_id=chance.choice([None, "", some_text(chance)])
    )
    context = {"context": client_context(credentials, some_text(chance))}
    reference = {"invoiceReference": some_text(chance)}
    calls: list[tuple[str, Fields]] = [
        ("sendInvoice", {**context, "invoice": invoice_fields(some_invoice(chance))}),
        ("getPaymentStatus", {**context, **reference, "invoiceVersion": chance.randrange(2**31)}),
        ("cancelInvoice", {**context, **reference}),
    ]
    return chance.choice(calls)


@pytest.mark.parametrize("location", [SHIPPED_WSDL, PUBLIC_WSDL], ids=["ours", "SEQR's"])
def test_it_is_what_zeep_writes(location: Path) -> None:
    if not location.exists():
        pytest.skip("SEQR's own WSDL is not on this machine")
    wsdl, chance = Wsdl.load(location), Random(location.name)
    for _ in range(300):
        operation, fields = some_call(chance)
        assert wsdl.write(operation, fields) == wsdl.create(operation, fields)


def test_each_shape_is_prepared_once() -> None:
    created = []

    def create(operation: str, fields: Fields) -> bytes:
        created.append(fields)
        return f"<{operation}>{fields['a']} and {fields['b']}</{operation}>".encode()

    templates = Templates(create)
    assert templates.write("x", {"a": "<1>", "b": 2, "c": None}) == b"<x>&lt;1&gt; and 2</x>"
    assert templates.write("x", {"a": "one", "b": 3}) == b"<x>one and 3</x>"
    assert len(created) == 1
    templates.write("y", {"a": "one", "b": 3})
    templates.write("x", {"a": "one", "b": "3"})
    assert len(created) == 3


def test_a_value_that_got_lost_is_seen() -> None:
    with pytest.raises(AssertionError, match="x lost or repeated a value"):
        Templates(lambda _operation, _fields: b"<x/>").write("x", {"a": "1"})
