"""What goes out: complete, in order, valid by our WSDL and by SEQR's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from orchestrator.money import Money
from orchestrator.seqr.credentials import Credentials
from orchestrator.seqr.messages import Invoice, InvoiceRow
from orchestrator.seqr.rehearsal import EVERY_FIELD
from orchestrator.seqr.request import client_context, client_reference, invoice_fields
from orchestrator.seqr.wsdl import NAMESPACE, SHIPPED_WSDL
from tests.fixtures.soap import (
    CREDENTIALS,
    PASSWORD,
    PUBLIC_WSDL,
    SHIPPED,
    client,
    invoice,
    kronor,
    payload,
    schema,
    success,
)

ODD = "Ål & <b>\"Ærø\"</b> ]]> '日本' 😀 مرحبا"


@pytest.fixture(params=[SHIPPED_WSDL, PUBLIC_WSDL], ids=["shipped", "public"])
def judge(request: pytest.FixtureRequest) -> etree.XMLSchema:
    wsdl: Path = request.param
    if not wsdl.exists():
        pytest.skip("SEQR's own WSDL is not on this machine")
    return schema(wsdl)


async def sent(invoice: Invoice) -> etree._Element:
    seqr, transport = client(success("sendInvoice"))
    await seqr.send_invoice(invoice)
    return payload(transport.sent[0])


@pytest.mark.parametrize("invoice", [EVERY_FIELD, invoice(), invoice(ODD)], ids=["full", "small", "odd"])
async def test_send_invoice_is_valid(judge: etree.XMLSchema, invoice: Invoice) -> None:
    message = await sent(invoice)
    judge.assertValid(message)
    assert message.tag == f"{{{NAMESPACE}}}sendInvoice"


async def test_the_other_calls_are_valid(judge: etree.XMLSchema) -> None:
    seqr, transport = client(success("cancelInvoice"))
    await seqr.payment_status("2015", 7)
    await seqr.cancel_invoice("2016")
    asked, cancelled = (payload(message) for message in transport.sent)
    judge.assertValid(asked)
    judge.assertValid(cancelled)
    assert (asked.findtext("invoiceReference"), asked.findtext("invoiceVersion")) == ("2015", "7")
    assert cancelled.findtext("invoiceReference") == "2016"


async def test_the_context_is_what_certification_asks_for() -> None:
    context = (await sent(invoice())).find("context")
    assert context is not None
    assert {child.tag: child.text for child in context if not len(child)} == {
        "channel": "ClientWS",
        "clientId": "shop 1.0",
        "clientReference": context.findtext("clientReference"),
        "clientRequestTimeout": "0",
        "password": PASSWORD,
    }
    assert [(child.tag, child.text) for child in context.iterfind("initiatorPrincipalId/*")] == [
        ("id", "shop_terminal"),
        ("type", "TERMINALID"),
    ]


def test_a_reseller_user_is_named_with_its_user_id() -> None:
    reseller = Credentials("RESELLERUSER", "public_test_shop", "1234", user_id="9900")
    assert client_context(reseller, "x")["initiatorPrincipalId"] == {
        "id": "public_test_shop",
        "type": "RESELLERUSER",
        "userId": "9900",
    }


def test_client_references_are_32_characters_and_never_the_same() -> None:
    references = [client_reference() for _ in range(200)]
    assert len(set(references)) == 200
    assert {len(reference) for reference in references} == {32}
    assert all(reference.isalnum() for reference in references)


async def test_every_field_of_an_invoice_goes_out() -> None:
    row = InvoiceRow(
        "Mug",
        Decimal(2),
        kronor("278.00"),
        kronor("149.00"),
        kronor("20.00"),
        Decimal("25.0"),
        "S-1",
        "731",
        "PIECE",
    )
    full = replace(
        invoice("Mugs", row), back_url="https://shop.example/thanks", cashier_id="anna", footer="Bye"
    )
    found = (await sent(full)).find("invoice")
    assert found is not None
    texts = {child.tag: child.text for child in found.iter() if not len(child)}
    assert texts.items() >= {
        ("paymentMode", "IMMEDIATE_DEBIT"),
        ("acknowledgmentMode", "NO_ACKNOWLEDGMENT"),
        ("issueDate", "2015-03-06T07:22:26.070Z"),
        ("title", "Mugs"),
        ("clientInvoiceId", "p-1.1"),
        ("notificationUrl", "https://shop.example/seqr/notify/abc"),
        ("backURL", "https://shop.example/thanks"),
        ("cashierId", "anna"),
        ("footer", "Bye"),
        ("itemDescription", "Mug"),
        ("itemQuantity", "2"),
        ("itemSKU", "S-1"),
        ("itemEAN", "731"),
        ("itemUnit", "PIECE"),
        ("itemTaxRate", "25.0"),
    }
    amounts = {path: found.findtext(path) for path in ("totalAmount/value", "totalAmount/currency")}
    assert amounts == {"totalAmount/value": "298.00", "totalAmount/currency": "SEK"}
    sums = ("itemDiscount", "itemTotalAmount", "itemUnitPrice")
    assert [found.findtext(f".//{name}/value") for name in sums] == ["20.00", "278.00", "149.00"]


async def test_what_is_not_there_is_left_out() -> None:
    message = await sent(invoice("Mugs", InvoiceRow("Mug", Decimal(1), kronor("1.00"), sku="", ean="")))
    absent = {
        "userId",
        "itemSKU",
        "itemEAN",
        "itemDiscount",
        "itemUnitPrice",
        "itemTaxRate",
        "footer",
        "backURL",
    }
    assert absent.isdisjoint({str(element.tag) for element in message.iter()})


async def test_a_discount_or_price_of_nothing_is_said() -> None:
    row = InvoiceRow("Mug", Decimal(1), kronor("0"), unit_price=kronor("0"), discount=kronor("0"))
    message = await sent(invoice("Mugs", row))
    assert message.findtext(".//itemUnitPrice/value") == "0.00"
    assert message.findtext(".//itemDiscount/value") == "0.00"


@pytest.mark.parametrize(
    ("quantity", "written"), [("1E+2", "100"), ("1E-7", "0.0000001"), ("2.50", "2.50"), ("1E+1", "10")]
)
async def test_decimals_are_written_without_exponent(quantity: str, written: str) -> None:
    row = InvoiceRow("Nails", Decimal(quantity), Money(Decimal("1E+3"), "JPY"))
    message = await sent(invoice("Nails", row))
    assert message.findtext(".//itemQuantity") == written
    assert message.findtext(".//itemTotalAmount/value") == "1000"


async def test_any_script_and_markup_goes_through() -> None:
    message = await sent(invoice(ODD, InvoiceRow(ODD, Decimal(1), kronor("1.00"))))
    assert message.findtext("invoice/title") == ODD
    assert message.findtext(".//itemDescription") == ODD


@pytest.mark.parametrize("bad", ["\x00", "\x08", "\x1b", "\ud800", "\ufffe", "\uffff"])
async def test_what_xml_cannot_hold_is_replaced(bad: str) -> None:
    message = await sent(invoice(f"a{bad}b\tc\nd"))
    assert message.findtext("invoice/title") == "a\ufffdb\tc\nd"


async def test_odd_references_do_not_break_a_call() -> None:
    seqr, transport = client(success("cancelInvoice"))
    await seqr.cancel_invoice("\x00")
    await seqr.payment_status("\ud800", 0)
    assert [payload(message).findtext("invoiceReference") for message in transport.sent] == [
        "\ufffd",
        "\ufffd",
    ]


def test_the_issue_date_is_in_utc() -> None:
    noon_in_stockholm = datetime(2015, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    fields = invoice_fields(replace(invoice(), issue_date=noon_in_stockholm))
    assert fields["issueDate"] == "2015-07-01T10:00:00.000Z"


def test_the_soap_envelope_has_nothing_but_the_call() -> None:
    written = SHIPPED.create(
        "cancelInvoice", {"context": client_context(CREDENTIALS, "x"), "invoiceReference": "1"}
    )
    assert payload(written).tag == f"{{{NAMESPACE}}}cancelInvoice"
