"""Prepared envelopes: to the byte what zeep writes, prepared once for each shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest

from orchestrator.money import Money
from orchestrator.seqr.characters import decoded, legible
from orchestrator.seqr.mask import KEPT_CHARACTERS, Mask
from orchestrator.seqr.messages import Invoice, InvoiceRow
from orchestrator.seqr.request import Fields, client_context, invoice_fields
from orchestrator.seqr.template import Letterhead
from orchestrator.seqr.wsdl import SHIPPED_WSDL, Wsdl
from tests.fixtures.soap import CREDENTIALS, PUBLIC_WSDL, SHIPPED

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


def some_context(chance: Random) -> Fields:
    password = chance.choice([some_text(chance), "", "Mug", "SEK", "hunter2-hunter2", "Ærø & co"])
    user_id = chance.choice([None, "", some_text(chance)])
    return client_context(replace(CREDENTIALS, password=password, user_id=user_id), some_text(chance))


def some_call(chance: Random) -> tuple[str, Fields]:
    reference = {"invoiceReference": some_text(chance)}
    calls: list[tuple[str, Fields]] = [
        ("sendInvoice", {"invoice": invoice_fields(some_invoice(chance))}),
        ("getPaymentStatus", {**reference, "invoiceVersion": chance.randrange(2**31)}),
        ("cancelInvoice", reference),
    ]
    return chance.choice(calls)


@pytest.mark.parametrize("location", [SHIPPED_WSDL, PUBLIC_WSDL], ids=["ours", "SEQR's"])
def test_it_is_what_zeep_writes(location: Path) -> None:
    if not location.exists():
        pytest.skip("SEQR's own WSDL is not on this machine")
    wsdl, chance = Wsdl.load(location), Random(location.name)
    for _ in range(60):
        context = some_context(chance)
        letterhead = Letterhead(wsdl.create, context)
        for _ in range(5):
            (operation, fields), reference = some_call(chance), some_text(chance)
            written = letterhead.write(operation, reference, fields).sent
            said = {"context": {**context, "clientReference": reference}, **fields}
            assert written == wsdl.create(operation, said)


def with_the_password(password: str, chance: Random) -> str:
    """A text that has the password in it, in some way that XML may write it."""
    ways = [
        password,
        password.upper(),
        f"x{password}y",
        f" {password}.",
        "".join(f"&#{ord(c)};" for c in password),
    ]
    return chance.choice(ways)


def test_for_people_it_is_what_the_mask_makes_of_it() -> None:
    chance = Random(1)
    for _ in range(60):
        context = some_context(chance)
        password = str(context["password"])
        letterhead, mask = Letterhead(SHIPPED.create, context), Mask(password)
        for _ in range(5):
            invoice = some_invoice(chance)
            if chance.random() < 0.3:
                invoice = replace(invoice, title=legible(with_the_password(password, chance)))
            envelope = letterhead.write(
                "sendInvoice", some_text(chance), {"invoice": invoice_fields(invoice)}
            )
            assert envelope.shown(mask) == mask.keep(decoded(envelope.sent))


def test_a_long_call_is_shown_in_part() -> None:
    long = replace(some_invoice(Random(1)), title="hunter2-hunter2" + "x" * 2 * KEPT_CHARACTERS)
    context = client_context(replace(CREDENTIALS, password="hunter2-hunter2"), "x")
    envelope = Letterhead(SHIPPED.create, context).write(
        "sendInvoice", "1", {"invoice": invoice_fields(long)}
    )
    shown = envelope.shown(Mask("hunter2-hunter2"))
    assert "hunter2" not in shown
    assert shown.endswith("characters came)")


def test_each_shape_is_prepared_once() -> None:
    created = []

    def create(operation: str, fields: Fields) -> bytes:
        created.append(fields)
        context: Any = fields["context"]
        who = f"{context['clientReference']} {context['password']}: 100 %"
        return f"<{operation}>{who}, {fields['a']} and {fields['b']}</{operation}>".encode()

    letterhead = Letterhead(create, {"password": "<p>"})

    def write(operation: str, **fields: object) -> str:
        return letterhead.write(operation, "r", fields).sent.decode()

    assert write("x", a="<1>", b=2, c=None) == "<x>r &lt;p&gt;: 100 %, &lt;1&gt; and 2</x>"
    assert write("x", a="one", b=3) == "<x>r &lt;p&gt;: 100 %, one and 3</x>"
    assert len(created) == 1
    write("y", a="one", b=3)
    write("x", a="one", b="3")
    assert len(created) == 3


def test_a_value_that_got_lost_is_seen() -> None:
    letterhead = Letterhead(lambda _operation, _fields: b"<x/>", {"password": "p"})
    with pytest.raises(AssertionError, match="x lost or repeated a value"):
        letterhead.write("x", "1", {"a": "1"})
