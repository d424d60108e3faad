"""The panel, the JSON API and the demo shop."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.faults import FaultKind, NotificationFaults, PhoneFaults
from tests.fixtures.sandbox import Scene, invoice_xml, until


async def get(scene: Scene, path: str, status: int = 200) -> str:
    async with scene.http.get(scene.base_url + path) as answer:
        assert answer.status == status
        return await answer.text()


async def send(scene: Scene, method: str, path: str, status: int = 200, body: Any = None) -> Any:
    async with scene.http.request(method, f"{scene.base_url}/sandbox/api{path}", json=body) as answer:
        assert answer.status == status
        return await answer.json()


async def submit(scene: Scene, path: str, expected: int = 200, **form: str) -> str:
    async with scene.http.post(f"{scene.base_url}/sandbox/panel{path}", data=form) as answer:
        assert answer.status == expected
        return await answer.text()


async def test_the_panel_lists_invoices_and_where_to_go(scene: Scene) -> None:
    reference = await scene.seqr.send_invoice(invoice_xml(title="<i>Mug</i>"))

    page = await get(scene, "/sandbox/")

    assert reference in page
    assert "&lt;i&gt;Mug&lt;/i&gt;" in page
    assert scene.sandbox.soap_url in page
    assert "12345678" not in page
    assert 'href="/shop/"' in page


async def test_the_panel_pays_and_cancels(scene: Scene) -> None:
    paid, cancelled = await scene.seqr.send_invoice(), await scene.seqr.send_invoice()

    await submit(scene, f"/invoices/{paid}/pay")
    await submit(scene, f"/invoices/{cancelled}/cancel")
    await submit(scene, f"/invoices/{cancelled}/pay", expected=409)
    assert (await scene.seqr.status(paid))["status"] == "PAID"

    assert "The shop asked" in await get(scene, "/sandbox/panel/invoices")
    assert "Cancelled by the customer" in await get(scene, "/sandbox/panel/invoices")


async def test_the_panel_sets_and_mends_faults(scene: Scene) -> None:
    page = await submit(
        scene,
        "/faults/operation",
        operation="sendInvoice",
        kind="result_code",
        result_code="93",
        latency="0.5",
        latency_after="0",
        status="",
        times="",
    )
    await submit(scene, "/faults/notifications", lost="on", late="2", repeated="1", retries="0")
    await submit(scene, "/faults/phone", refused="on", processing_seconds="1.5")

    fault = scene.faults.operations["sendInvoice"]
    assert (fault.kind, fault.result_code, fault.latency, fault.times) == (
        FaultKind.RESULT_CODE,
        93,
        0.5,
        None,
    )
    assert "Send an invoice (sendInvoice): refuses, with a result code (93 SYSTEM_BUSY), 0.5 s before" in page
    assert scene.faults.notifications == NotificationFaults(lost=True, late=2.0, repeated=1, retries=0)
    assert scene.faults.phone == PhoneFaults(processing_seconds=1.5, refused=True)

    await submit(scene, "/faults/phone", processing_seconds="0")
    await submit(scene, "/faults/clear", operation="sendInvoice")
    assert scene.faults.phone == PhoneFaults()
    assert scene.faults.operations == {}
    assert scene.faults.notifications.lost
    await submit(scene, "/faults/clear", group="notifications", operation="")
    assert scene.faults.notifications == NotificationFaults()
    scene.faults.phone = PhoneFaults(refused=True)
    await submit(scene, "/faults/clear", group="phone", operation="")
    assert scene.faults.phone == PhoneFaults()
    scene.faults.down = True
    await submit(scene, "/faults/clear")
    assert not scene.faults.down


async def test_one_switch_takes_seqr_down_and_up_again(scene: Scene) -> None:
    paid = await scene.seqr.send_invoice(invoice_xml(f"{scene.shop.base_url}/notified"))

    down = await submit(scene, "/seqr", down="yes")
    assert "SEQR is down" in down
    assert "Switch SEQR on" in down
    for path in ("/sandbox/", "/sandbox/phone"):
        assert 'data-standing="down"' in await get(scene, path)
    refused = await scene.seqr.call("sendInvoice", invoice_xml())
    assert refused["resultCode"] == "94"
    scene.ledger.pay(paid)
    await until(lambda: scene.ledger.invoice(paid).events[-1].name == "notification lost")
    assert scene.shop.notified == []

    up = await submit(scene, "/seqr", down="no")
    assert "Switch SEQR off" in up
    assert 'data-standing="up"' in await get(scene, "/sandbox/phone")
    assert (await scene.seqr.status(paid))["status"] == "PAID"


async def test_what_is_switched_on_stands_on_every_page(scene: Scene) -> None:
    scene.faults.notifications = NotificationFaults(lost=True)

    for path in ("/sandbox/", "/sandbox/phone"):
        page = await get(scene, path)
        assert 'data-standing="odd"' in page
        assert "Notifications: lost" in page


async def test_the_panel_says_what_is_wrong_with_a_fault(scene: Scene) -> None:
    page = await submit(scene, "/faults/operation", expected=422, operation="sendInvoice", kind="flood")

    assert "kind" in page
    assert scene.faults.operations == {}


async def test_the_api_shows_and_pays_invoices(scene: Scene) -> None:
    reference = await scene.seqr.send_invoice()

    paid = await send(scene, "POST", f"/invoices/{reference}/pay")
    await scene.seqr.status(reference)
    shown = await send(scene, "GET", f"/invoices/{reference}")

    assert (paid["status"], paid["committed"]) == ("PAID", False)
    assert (shown["committed"], shown["asks_after_payment"]) == (True, 1)
    assert shown["amount"] == {"currency": "SEK", "value": "149.00"}
    assert [event["name"] for event in shown["events"]] == ["issued", "pin given", "paid", "committed"]
    assert [item["reference"] for item in (await send(scene, "GET", "/invoices"))["items"]] == [reference]


async def test_the_api_refuses_what_cannot_be(scene: Scene) -> None:
    reference = await scene.seqr.send_invoice()

    assert (await send(scene, "POST", f"/invoices/{reference}/fail"))["status"] == "FAILED"
    refused = await send(scene, "POST", f"/invoices/{reference}/cancel", status=409)
    unknown = await send(scene, "GET", "/invoices/7", status=404)
    await send(scene, "POST", "/invoices/7/pay", status=404)

    assert refused["error"] == "INVOICE_ALREADY_CANCELED"
    assert unknown["error"] == "INVALID_INVOICE_REFERENCE"


async def test_the_api_sets_and_clears_faults(scene: Scene) -> None:
    wanted = {
        "operations": {"cancelInvoice": {"kind": "cut_after", "times": 2}},
        "notifications": {"repeated": 3},
        "phone": {"processing_seconds": 0.5},
    }

    put = await send(scene, "PUT", "/faults", body=wanted)

    assert put == await send(scene, "GET", "/faults")
    assert scene.faults.operations["cancelInvoice"].kind is FaultKind.CUT_AFTER
    assert put["notifications"]["repeated"] == 3
    assert (await send(scene, "DELETE", "/faults"))["operations"] == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"weather": {}},
        {"down": "perhaps", "phone": {"refused": True}},
        {"phone": {"colour": "red"}},
        {"operations": {"sendInvoice": {"kind": "flood"}}},
        {"operations": {"sendInvoice": {"latency": -1}}},
        {"operations": {"sendInvoice": {"times": 0}}},
        {"operations": {"sendInvoice": 5}},
        {"phone": None},
        {"operations": []},
        ["not an object"],
    ],
)
async def test_the_api_refuses_unknown_faults_whole(scene: Scene, wrong: Any) -> None:
    before = scene.faults.as_json()

    assert (await send(scene, "PUT", "/faults", status=422, body=wrong))["error"] == "invalid_request"
    assert scene.faults.as_json() == before


async def test_the_api_plays_a_scan(scene: Scene) -> None:
    code = "HTTP://SEQR.SE/000/checkout?w=demo&t=mug-1"

    scanned = await send(scene, "POST", "/scan", body={"code": code, "customer": {"name": "Bo", "zip": "1"}})
    again = await send(
        scene, "POST", "/scan", body={"code": f"HTTP://SEQR.SE/R{scanned['invoice_reference']}"}
    )
    await send(scene, "POST", "/scan", status=422, body={"code": "WIFI:"})
    scene.shop.refusal = (409, {"errorCode": "OUT_OF_STOCK", "message": "Gone."})
    refused = await send(scene, "POST", "/scan", status=502, body={"code": code})

    assert scanned == again == {"invoice_reference": scene.ledger.invoices[0].reference}
    assert scene.shop.purchases[0][1]["clientName"] == "Bo"
    assert refused == {"error": "OUT_OF_STOCK", "message": "Gone."}


async def test_the_shop_shows_its_goods(scene: Scene) -> None:
    grid = await get(scene, "/shop/")
    product = await get(scene, "/shop/products/mug-1")
    bundle = await get(scene, "/shop/products/set_2")
    await get(scene, "/shop/products/nothing", status=404)

    assert "Mug &amp; saucer" in grid
    assert "149,00\N{NO-BREAK SPACE}kr" in grid
    assert "Sold out" in grid
    assert "3 left" in product
    assert "Holds &lt;b&gt;3&lt;/b&gt; dl" in product
    assert f'src="{scene.shop.base_url}/qr/mug-1.svg"' in product
    assert 'href="/sandbox/phone?w=demo&amp;t=mug-1"' in product
    assert "In this set" in bundle
    assert "2 × Mug" in grid
    assert all('<a href="/">The merchant’s dashboard</a>' in page for page in (grid, product, bundle))


async def test_pictures_stay_the_same(scene: Scene) -> None:
    first, second = await get(scene, "/shop/pictures/mug-1.svg"), await get(scene, "/shop/pictures/mug-1.svg")

    assert first == second
    assert first != await get(scene, "/shop/pictures/set_2.svg")
    assert first == await get(scene, "/sandbox/pictures/mug-1.svg")
    assert first != await get(scene, "/shop/pictures/mug-1.svg?dark")
    assert ">M</text>" in first


@pytest.mark.parametrize("path", ["/sandbox/", "/sandbox/phone", "/shop/", "/shop/products/mug-1"])
async def test_pages_carry_no_inline_script_or_style_and_a_strict_policy(scene: Scene, path: str) -> None:
    async with scene.http.get(scene.base_url + path) as answer:
        page, policy = await answer.text(), answer.headers["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<style" not in page
    assert "style=" not in page
    assert "<script>" not in page
    assert " onclick" not in page


async def test_the_soap_address_says_what_it_is(scene: Scene) -> None:
    assert "?wsdl" in await get(scene, "/sandbox/seqr")


async def test_the_api_wants_json(scene: Scene) -> None:
    async with scene.http.put(f"{scene.base_url}/sandbox/api/faults", data=b"{") as answer:
        assert answer.status == 422
        assert (await answer.json())["message"] == "the body is not JSON"
