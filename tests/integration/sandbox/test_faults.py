"""Every fault of the SOAP service as a client meets it."""

from __future__ import annotations

import time

import aiohttp
import pytest

from sandbox.faults import FaultKind, OperationFault
from tests.fixtures.sandbox import CONTEXT, Scene, envelope, invoice_xml

SEND = envelope("sendInvoice", CONTEXT + invoice_xml())


@pytest.mark.parametrize("code", [48, 90, 93, 94, 12345])
async def test_any_result_code(scene: Scene, code: int) -> None:
    scene.faults.set("sendInvoice", OperationFault(FaultKind.RESULT_CODE, result_code=code))

    answer = await scene.seqr.call("sendInvoice", invoice_xml())

    assert answer["resultCode"] == str(code)
    assert scene.ledger.invoices == []


@pytest.mark.parametrize(
    ("kind", "status", "told", "done"),
    [
        (FaultKind.SOAP_FAULT, 500, b"<faultstring>", 0),
        (FaultKind.HTTP_500, 500, b"<h1>Internal Server Error</h1>", 0),
        (FaultKind.GARBAGE, 200, b"It works!", 1),
        (FaultKind.EMPTY, 200, b"", 1),
    ],
)
async def test_answers_that_are_none(
    scene: Scene, kind: FaultKind, status: int, told: bytes, done: int
) -> None:
    scene.faults.set("sendInvoice", OperationFault(kind))

    got, body = await scene.seqr.post(SEND)

    assert got == status
    assert told in body
    assert len(scene.ledger.invoices) == done


@pytest.mark.parametrize(("kind", "done"), [(FaultKind.CUT_BEFORE, 0), (FaultKind.CUT_AFTER, 1)])
async def test_a_cut_connection_is_seen_as_one(scene: Scene, kind: FaultKind, done: int) -> None:
    scene.faults.set("sendInvoice", OperationFault(kind, times=1))

    with pytest.raises(aiohttp.ClientError):
        await scene.seqr.post(SEND)

    assert len(scene.ledger.invoices) == done
    assert (await scene.seqr.call("sendInvoice", invoice_xml()))["resultCode"] == "0"


async def test_latency_before_and_after(scene: Scene) -> None:
    scene.faults.set("sendInvoice", OperationFault(latency=0.1, latency_after=0.1))
    started = time.monotonic()

    await scene.seqr.send_invoice()

    assert time.monotonic() - started >= 0.2


async def test_a_status_that_nobody_has_heard_of_commits_nothing(scene: Scene) -> None:
    reference = await scene.seqr.send_invoice()
    scene.ledger.pay(reference)
    scene.faults.set("getPaymentStatus", OperationFault(FaultKind.STATUS, status="PARTIALLY_PAID", times=1))

    assert (await scene.seqr.status(reference))["status"] == "PARTIALLY_PAID"
    assert not scene.ledger.invoice(reference).committed
    assert (await scene.seqr.status(reference))["status"] == "PAID"


async def test_a_fault_holds_for_its_number_of_calls(scene: Scene) -> None:
    scene.faults.set("sendInvoice", OperationFault(FaultKind.RESULT_CODE, result_code=93, times=2))

    codes = [(await scene.seqr.call("sendInvoice", invoice_xml()))["resultCode"] for _ in range(3)]

    assert codes == ["93", "93", "0"]


async def test_every_operation_at_once(scene: Scene) -> None:
    reference = await scene.seqr.send_invoice()
    scene.faults.set("*", OperationFault(FaultKind.RESULT_CODE, result_code=94))

    assert (await scene.seqr.status(reference))["resultCode"] == "94"
    assert (await scene.seqr.cancel(reference))["resultCode"] == "94"
