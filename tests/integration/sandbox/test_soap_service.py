"""SEQR's SOAP service over real HTTP: messages as SEQR documents them, credentials, refusals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import zeep
from lxml import etree

from sandbox.terminals import Principal
from tests.fixtures.sandbox import (
    CONTEXT,
    NAMESPACE,
    PUBLIC_WSDL,
    SHIPPED_WSDL,
    Scene,
    envelope,
    invoice_xml,
    played,
)

WSDLS = [
    pytest.param(SHIPPED_WSDL, id="shipped"),
    pytest.param(
        PUBLIC_WSDL,
        id="public",
        marks=pytest.mark.skipif(not PUBLIC_WSDL.exists(), reason="SEQR's public WSDL is not here"),
    ),
]


@pytest.fixture(params=WSDLS)
async def driven(request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    """A sandbox driven by each of the WSDLs."""
    wsdl: Path = request.param
    async with played(wsdl) as scene:
        yield scene


async def test_documented_order_of_elements_is_understood(driven: Scene) -> None:
    reference = await driven.seqr.send_invoice(invoice_xml(title='Mug <b> & "saucer" ]]> 茶'))

    assert reference.isdigit()
    assert len(reference) >= 17
    assert driven.ledger.invoice(reference).invoice.title == 'Mug <b> & "saucer" ]]> 茶'


async def test_answer_names_the_invoice_and_its_code(driven: Scene) -> None:
    answer = await driven.seqr.call("sendInvoice", invoice_xml())

    assert answer["resultDescription"] == "SUCCESS"
    assert answer["invoiceQRCode"] == f"HTTP://SEQR.SE/R{answer['invoiceReference']}"


async def test_a_paid_invoice_carries_its_receipt(driven: Scene) -> None:
    reference = await driven.seqr.send_invoice()
    before = await driven.seqr.status(reference)
    driven.ledger.pay(reference, "46700000000")
    _, body = await driven.seqr.post(
        envelope(
            "getPaymentStatus",
            f"<invoiceReference>{reference}</invoiceReference><invoiceVersion>1</invoiceVersion>" + CONTEXT,
        )
    )
    paid = etree.fromstring(body).find(f".//{{{NAMESPACE}}}getPaymentStatusResponse/return")

    assert (before["status"], before["version"], "ersReference" in before) == ("ISSUED", "1", False)
    assert paid is not None
    assert paid.findtext("status") == "PAID"
    assert paid.findtext("version") == "2"
    assert paid.findtext("ersReference") == driven.ledger.invoice(reference).ers_reference
    assert paid.findtext("receipt/invoiceReference") == reference
    assert paid.findtext("receipt/invoice/totalAmount/value") == "149.00"
    assert paid.findtext("receipt/invoice/invoiceRows/invoiceRow/itemDescription") == "Mug"


async def test_answers_follow_the_schema(driven: Scene) -> None:
    found = etree.parse(str(driven.sandbox.config.wsdl)).find(".//{http://www.w3.org/2001/XMLSchema}schema")
    assert found is not None
    schema = etree.XMLSchema(found)
    reference = await driven.seqr.send_invoice()
    driven.ledger.pay(reference)
    inner = f"<invoiceReference>{reference}</invoiceReference><invoiceVersion>1</invoiceVersion>{CONTEXT}"

    for operation in ("getPaymentStatus", "cancelInvoice", "sendInvoice", "updateInvoice", "refundPayment"):
        _, body = await driven.seqr.post(envelope(operation, inner))
        payload = etree.fromstring(body)[0][0]
        assert schema.validate(payload), (operation, schema.error_log)


@pytest.mark.skipif(not PUBLIC_WSDL.exists(), reason="SEQR's public WSDL is not here")
async def test_a_plain_zeep_client_of_the_public_wsdl_works(driven: Scene) -> None:
    def buy() -> tuple[Any, Any, Any]:
        make_client: Any = zeep.Client
        with make_client(str(PUBLIC_WSDL)) as client:
            binding = f"{{{NAMESPACE}}}ERSWSExternalClientServiceServiceSoapBinding"
            return _purchase(client.create_service(binding, driven.sandbox.soap_url))

    def _purchase(service: Any) -> tuple[Any, Any, Any]:
        context = {
            "channel": "WS",
            "clientId": "tests",
            "clientReference": "1",
            "clientRequestTimeout": 0,
            "initiatorPrincipalId": {"id": "public_test_shop_terminal", "type": "TERMINALID"},
            "password": "12345678",
        }
        amount = {"currency": "SEK", "value": "20.00"}
        row = {"itemQuantity": 2, "itemTotalAmount": amount, "itemDescription": "Bowl"}
        invoice = {"title": "Bowls", "invoiceRows": {"invoiceRow": [row]}, "totalAmount": amount}
        sent = service.sendInvoice(context=context, invoice=invoice)
        reference = sent.invoiceReference
        asked = service.getPaymentStatus(context=context, invoiceReference=reference, invoiceVersion=0)
        return sent, asked, service.cancelInvoice(context=context, invoiceReference=reference)

    sent, asked, cancelled = await asyncio.to_thread(buy)

    assert (sent.resultCode, asked.status, asked.version, cancelled.resultCode) == (0, "ISSUED", 1, 0)


async def test_the_wsdl_is_given_with_this_address(scene: Scene) -> None:
    async with scene.http.get(f"{scene.sandbox.soap_url}?wsdl") as answer:
        tree = etree.fromstring(await answer.read())

    addresses = [
        found.get("location") for found in tree.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")
    ]
    assert addresses == [scene.sandbox.soap_url]


CONTEXTS = [
    ("20", CONTEXT.replace("12345678", "87654321")),
    ("37", CONTEXT.replace("public_test_shop_terminal", "nobody")),
    ("29", CONTEXT.replace("TERMINALID", "CASHREGISTER")),
    ("29", CONTEXT.replace("<id>public_test_shop_terminal</id>", "")),
    (
        "21",
        CONTEXT.replace("public_test_shop_terminal", "public_test_shop")
        .replace("<type>TERMINALID</type>", "<userId>9900</userId><type>RESELLERUSER</type>")
        .replace("12345678", "1234"),
    ),
]


@pytest.mark.parametrize(("code", "context"), CONTEXTS)
async def test_credentials_are_checked(scene: Scene, code: str, context: str) -> None:
    answer = await scene.seqr.call("sendInvoice", invoice_xml(), context=context)

    assert answer["resultCode"] == code
    assert "8765" not in answer["resultDescription"]
    assert scene.ledger.invoices == []


INVOICES = [
    ("49", ""),
    ("49", "<invoice/>"),
    ("49", invoice_xml(rows="<other/>")),
    ("49", invoice_xml().replace("<itemQuantity>1<", "<itemQuantity>0.5<")),
    ("49", invoice_xml().replace("<itemQuantity>1</itemQuantity>", "")),
    ("49", invoice_xml().replace("<value>149.00", "<value>148.00", 1)),
    ("49", invoice_xml().replace("<currency>SEK", "<currency>NOK", 1)),
    ("49", invoice_xml().replace("SEK", "kr")),
    ("49", invoice_xml(value="NaN")),
    ("49", invoice_xml().replace("<itemQuantity>1<", "<itemQuantity>NaN<")),
    ("11", invoice_xml(value="0")),
    ("11", invoice_xml(value="-5.00")),
    ("64", invoice_xml("ftp://shop.example/n")),
    ("91", invoice_xml().replace("IMMEDIATE_DEBIT", "RESERVATION_REQUIRED")),
]


@pytest.mark.parametrize(("code", "invoice"), INVOICES)
async def test_invoice_data_is_checked(scene: Scene, code: str, invoice: str) -> None:
    answer = await scene.seqr.call("sendInvoice", invoice)

    assert answer["resultCode"] == code
    assert scene.ledger.invoices == []


async def test_update_replaces_the_invoice_and_raises_its_version(scene: Scene) -> None:
    reference = await scene.seqr.send_invoice()

    answer = await scene.seqr.call(
        "updateInvoice",
        f"<invoiceReference>{reference}</invoiceReference>" + invoice_xml(title="Two mugs", value="298.00"),
    )

    assert answer["resultCode"] == "0"
    assert str(scene.ledger.invoice(reference).invoice.total.value) == "298.00"
    assert (await scene.seqr.status(reference, 1))["version"] == "2"


async def test_unknown_references_and_those_of_others_are_refused(scene: Scene) -> None:
    scene.ledger.terminals.add(Principal("other", "12345678"))
    reference = await scene.seqr.send_invoice()
    other = CONTEXT.replace("public_test_shop_terminal", "other")
    asked = f"<invoiceReference>{reference}</invoiceReference><invoiceVersion>0</invoiceVersion>"

    assert (await scene.seqr.status("20150306072260070"))["resultCode"] == "54"
    assert (await scene.seqr.call("getPaymentStatus", asked, context=other))["resultCode"] == "54"
    assert (await scene.seqr.call("cancelInvoice", asked, context=other))["resultCode"] == "54"


async def test_cancel_says_why_not(scene: Scene) -> None:
    cancelled, paid, busy = [await scene.seqr.send_invoice() for _ in range(3)]
    scene.ledger.pay(paid)
    scene.ledger.begin_payment(busy)

    assert (await scene.seqr.cancel(cancelled))["resultCode"] == "0"
    assert (await scene.seqr.cancel(cancelled))["resultCode"] == "95"
    assert (await scene.seqr.cancel(paid))["resultCode"] == "50"
    assert (await scene.seqr.cancel(busy))["resultCode"] == "51"
    assert (await scene.seqr.status(cancelled))["status"] == "CANCELED"


async def test_the_rest_of_the_payment_api_is_unsupported(driven: Scene) -> None:
    for operation in ("refundPayment", "submitPaymentReceipt", "registerTerminal", "executeReport"):
        assert (await driven.seqr.call(operation))["resultCode"] == "91"


MALFORMED = [
    b"",
    b"not xml",
    b"<a/>",
    envelope("sendInvoice", CONTEXT).replace(b"soap/envelope", b"soap/other"),
    envelope("stealMoney", CONTEXT),
    envelope("sendInvoice", ""),
    envelope("sendInvoice", CONTEXT.replace("<channel>extWS</channel>", "")),
    envelope("sendInvoice", CONTEXT.replace("<clientRequestTimeout>0<", "<clientRequestTimeout>10<")),
    envelope("sendInvoice", CONTEXT.replace("<clientRequestTimeout>0<", "<clientRequestTimeout>soon<")),
    envelope("sendInvoice", CONTEXT.replace("<clientReference>1<", f"<clientReference>{'1' * 33}<")),
    envelope("sendInvoice", CONTEXT + invoice_xml(value="many")),
    b'<!DOCTYPE a [<!ENTITY x "y">]>' + envelope("sendInvoice", CONTEXT + invoice_xml(title="T")),
]


@pytest.mark.parametrize("body", MALFORMED)
async def test_malformed_messages_get_a_soap_fault(driven: Scene, body: bytes) -> None:
    status, answer = await driven.seqr.post(body)

    assert status == 500
    assert b"faultstring" in answer
    assert driven.ledger.invoices == []
