"""getPaymentStatus's answers: read in any order, and never lost for what we do not need."""

from __future__ import annotations

from itertools import permutations

import pytest

from orchestrator.money import Money
from orchestrator.seqr.messages import Answered, PaymentStatus, Unknown
from orchestrator.seqr.wsdl import NAMESPACE
from tests.fixtures.soap import SOAP, answer, client, kronor, success

CODE = "<resultCode>0</resultCode>"
RECEIPT = """<receipt><paymentReference>pay-1</paymentReference><terminalId>t</terminalId>
<invoice><totalAmount><value>298.00</value><currency>SEK</currency></totalAmount><title>Mugs</title></invoice>
<paymentDate>2015-03-06T07:23:00.000+01:00</paymentDate><invoiceReference>2015</invoiceReference></receipt>"""
PAID = PaymentStatus("PAID", 3, "ers-1", kronor("298.00"), "pay-1", "2015")


async def read(message: str, version: int = 2) -> PaymentStatus:
    seqr, _ = client(message)
    outcome = await seqr.payment_status("2015", version)
    assert isinstance(outcome, Answered), outcome
    return outcome.value


async def read_inner(inner: str, version: int = 2) -> PaymentStatus:
    return await read(answer("getPaymentStatus", inner), version)


@pytest.mark.parametrize("parts", list(permutations(range(5)))[::7])
async def test_the_order_of_elements_does_not_matter(parts: tuple[int, ...]) -> None:
    elements = [
        CODE,
        "<status>PAID</status>",
        "<version>3</version>",
        "<ersReference>ers-1</ersReference>",
        RECEIPT,
    ]
    assert await read_inner("".join(elements[part] for part in parts)) == PAID


async def test_what_we_do_not_know_is_passed_over() -> None:
    inner = f"""<new>1</new><status>PAID</status><x:status xmlns:x="urn:other">FAILED</x:status>{CODE}
    <more><status>CANCELED</status></more><!-- why --><?pi?><version>3</version>"""
    assert await read_inner(inner) == PaymentStatus("PAID", 3)


@pytest.mark.parametrize("status", ["ISSUED", "RESERVED", "PARTIALLY_PAID", "SOMETHING_NEW", "paid?"])
async def test_a_status_is_kept_as_it_came(status: str) -> None:
    assert (await read_inner(f"{CODE}<status>{status}</status><version>1</version>")).status == status


async def test_prefixes_types_and_white_space_do_not_matter() -> None:
    message = f"""<?xml version="1.0"?>
    <soap:Envelope xmlns:soap="{SOAP}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
      <soap:Header><trace xmlns="urn:x">1</trace></soap:Header>
      <soap:Body>
        <getPaymentStatusResponse xmlns="{NAMESPACE}" xmlns:n="{NAMESPACE}">
          <n:return xsi:type="gone:erswsPaymentStatusResponse">
            <n:resultCode xsi:type="xs:int"> 0
            </n:resultCode><version> 3 </version><status> PAID </status>
          </n:return>
        </getPaymentStatusResponse>
      </soap:Body>
    </soap:Envelope>"""
    assert await read(message) == PaymentStatus("PAID", 3)


@pytest.mark.parametrize(
    "version",
    ["", "<version/>", "<version>x</version>", "<version>-1</version>", f"<version>{2**40}</version>"],
)
async def test_without_a_usable_version_we_stay_at_ours(version: str) -> None:
    assert (await read_inner(f"{CODE}<status>ISSUED</status>{version}", version=2)).version == 2


@pytest.mark.parametrize(
    ("amount", "paid"),
    [
        ("<value>12.5</value><currency>SEK</currency>", kronor("12.50")),
        ("<currency>sek</currency><value> 12.5000000 </value>", kronor("12.50")),
        ("<value>1200</value><currency>JPY</currency>", Money.parse("1200", "JPY")),
        ("<value>12.345</value><currency>SEK</currency>", "12.345 SEK"),
        ("<value>twelve</value><currency>SEK</currency>", "twelve SEK"),
        ("<value>NaN</value><currency>SEK</currency>", "NaN SEK"),
        ("<value>1E+400</value><currency>SEK</currency>", "1E+400 SEK"),
        (f"<value>{'9' * 90}</value><currency>SEK</currency>", "9" * 64),
        ("<value>12</value><currency>GOLD</currency>", "12 GOLD"),
        ("<value>12</value>", "12"),
        ("<value>12</value><value>13</value><currency>SEK</currency>", "more than one sum"),
        ("<value>12</value><currency>SEK</currency><currency>EUR</currency>", "more than one sum"),
        ("</totalAmount><totalAmount>", "more than one sum"),
        ("</totalAmount></invoice><invoice><totalAmount>", "more than one sum"),
        ("<currency>SEK</currency>", None),
        ("", None),
    ],
)
async def test_the_paid_amount_is_the_receipts(amount: str, paid: Money | str | None) -> None:
    receipt = f"<receipt><invoice><totalAmount>{amount}</totalAmount></invoice></receipt>"
    status = await read_inner(f"{CODE}<status>PAID</status>{receipt}<version>3</version>")
    assert status == PaymentStatus("PAID", 3, paid=paid)


async def test_an_odd_receipt_does_not_hide_that_it_is_paid() -> None:
    odd = """<receipt><paymentDate>yesterday</paymentDate><invoice><issueDate/><invoiceRows><invoiceRow>
    <itemQuantity>many</itemQuantity><itemTotalAmount/></invoiceRow></invoiceRows><invoiceRows/>
    <footer/><footer/></invoice><receiverName>A</receiverName><receiverName>B</receiverName></receipt>
    <customerTokens><token><value>x</value></token><token/></customerTokens>"""
    assert await read_inner(f"{CODE}<version>3</version>{odd}<status>PAID</status>") == PaymentStatus(
        "PAID", 3
    )


@pytest.mark.parametrize("status", ["", "<status/>", f"<status>{'X' * 65}</status>"])
async def test_success_without_a_status_is_unknown(status: str) -> None:
    seqr, _ = client(success("getPaymentStatus", f"{status}<version>1</version>"))
    outcome = await seqr.payment_status("1", 0)
    assert isinstance(outcome, Unknown)
    assert "no usable payment status" in outcome.description


async def test_an_answer_to_another_call_is_unknown() -> None:
    seqr, _ = client(success("sendInvoice", "<status>PAID</status>"))
    assert isinstance(await seqr.payment_status("1", 0), Unknown)


@pytest.mark.parametrize(
    "receipt",
    [
        RECEIPT.replace("</receipt>", "<invoiceReference>2016</invoiceReference></receipt>"),
        RECEIPT.replace("2015</inv", "2016</inv") * 2,
    ],
)
async def test_a_receipt_that_names_several_invoices_is_not_about_ours(receipt: str) -> None:
    status = await read_inner(f"{CODE}<status>PAID</status><version>3</version>{receipt}")
    assert status.invoice_reference == "more than one"
