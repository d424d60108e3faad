"""Reading answers: as zeep reads them where it can, and what it refuses or drops besides."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from lxml import etree
from zeep import Client
from zeep.xsd.valueobjects import CompoundValue

from orchestrator.seqr.reader import TWICE
from orchestrator.seqr.request import Fields
from orchestrator.seqr.wsdl import NAMESPACE, OPERATIONS, SHIPPED_WSDL, Wsdl
from tests.fixtures.soap import SHIPPED

_client: Any = Client  # zeep leaves it without types
WSDL = _client(str(SHIPPED_WSDL)).wsdl
"""Read by zeep alone."""
BINDING: Any = next(iter(WSDL.bindings.values()))


def response(inner: str, operation: str = "getPaymentStatus") -> etree._Element:
    return etree.fromstring(f'<n:{operation}Response xmlns:n="{NAMESPACE}">{inner}</n:{operation}Response>')


def read(inner: str) -> Fields:
    return SHIPPED.read("getPaymentStatus", response(f"<return>{inner}</return>"))


def some_answer(operation: str, chance: Random) -> dict[str, Any]:
    def text() -> str:
        return "".join(chance.choice("aZ 0&<å漢") for _ in range(10)) + "."

    answer: dict[str, Any] = {"resultCode": chance.randrange(100), "resultDescription": text()}
    if operation == "sendInvoice":
        answer |= {"invoiceReference": text(), "invoiceQRCode": text()}
    if operation == "getPaymentStatus":
        rows = [
            {"itemQuantity": Decimal(1), "itemTotalAmount": {"currency": "SEK", "value": Decimal(number)}}
            for number in range(chance.randrange(1, 4))
        ]
        invoice = {
            "title": text(),
            "totalAmount": {"currency": "SEK", "value": Decimal("9.50")},
            "invoiceRows": {"invoiceRow": rows},
        }
        at = datetime(2015, 3, 6, 7, 22, 26, tzinfo=UTC)
        receipt = {"paymentReference": text(), "paymentDate": at, "invoice": invoice}
        answer |= {"status": text(), "version": chance.randrange(9), "receipt": receipt}
    return answer


def without_nothing(value: Any) -> Any:
    """zeep's values as plain ones, without what was not there."""
    if isinstance(value, CompoundValue):
        return {name: without_nothing(value[name]) for name in value if value[name] not in (None, [])}
    return [without_nothing(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_zeep_wrote_is_read_as_zeep_reads_it(operation: str) -> None:
    output, chance = BINDING.get(operation).output, Random(operation)
    for _ in range(50):
        envelope = output.serialize(**{"return": some_answer(operation, chance)}).content
        element = WSDL.types.get_element(f"{{{NAMESPACE}}}{operation}Response")
        theirs = without_nothing(element.parse(envelope[0][0], WSDL.types)["return"])
        assert SHIPPED.read(operation, envelope[0][0]) == theirs


def test_order_does_not_count_and_what_is_unknown_is_passed_over() -> None:
    assert read("<version>2</version><new><x/></new><status>PAID</status><resultCode>0</resultCode>") == {
        "version": 2,
        "status": "PAID",
        "resultCode": 0,
    }


def test_elements_of_seqrs_namespace_count_and_of_others_do_not() -> None:
    ours, other = f'<status xmlns="{NAMESPACE}">PAID</status>', '<status xmlns="urn:x">FAILED</status>'
    assert read(ours + other) == {"status": "PAID"}


@pytest.mark.parametrize("value", ["zero", "", "9.5", "1e3"])
def test_what_its_type_cannot_hold_stays_the_text_that_it_is(value: str) -> None:
    assert read(f"<resultCode>{value}</resultCode><status>PAID</status>") == {
        "resultCode": value or None,
        "status": "PAID",
    }


def test_what_is_there_twice_says_so_and_hides_nothing_else() -> None:
    inner = "<currency>SEK</currency><currency>EUR</currency><value>1</value><currency>NOK</currency>"
    assert read(f"<receipt><invoice><totalAmount>{inner}</totalAmount></invoice></receipt>") == {
        "receipt": {"invoice": {"totalAmount": {"currency": TWICE, "value": Decimal(1)}}}
    }


@pytest.mark.parametrize("inner", ["", "<return/>", "<other/>"])
def test_nothing_said_is_nothing(inner: str) -> None:
    assert SHIPPED.read("getPaymentStatus", response(inner)) == {}


def test_a_type_that_the_answer_claims_is_not_believed() -> None:
    claimed = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xsd:string"'
    assert read(f"<version {claimed}>3</version>") == {"version": 3}


def test_another_wsdl_has_a_reader_of_its_own() -> None:
    assert Wsdl.load().read("cancelInvoice", response("<return/>", "cancelInvoice")) == {}
