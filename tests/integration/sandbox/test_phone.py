"""The customer's phone and the Instant Checkout service, as plain forms without JavaScript."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest

from sandbox.faults import PhoneFaults
from tests.fixtures.sandbox import Scene, invoice_xml, played, until

ADDRESS = {
    "w": "demo",
    "t": "mug-1",
    "name": "Åsa O'Neill <b>",
    "street": "Storgatan 1",
    "zip": "118 21",
    "city": "Göteborg",
    "state": "",
    "country": "SE",
    "email": "asa@example.com",
    "msisdn": "46700000001",
}


def state_of(page: str) -> str:
    found = re.search(r'<html[^>]* data-state="(\w+)"', page)
    assert found, page
    return found[1]


async def show(scene: Scene, path: str = "") -> str:
    async with scene.http.get(scene.phone_url + path) as answer:
        return await answer.text()


async def post(scene: Scene, path: str, form: dict[str, str] | None = None) -> str:
    async with scene.http.post(scene.phone_url + path, data=form or {}) as answer:
        return await answer.text()


async def enter_pin(scene: Scene, reference: str) -> str:
    page = ""
    for entered in range(4):
        page = await post(scene, f"/invoices/{reference}/pin", {"pin": "1234"[:entered], "digit": "1"})
    return page


async def test_from_the_code_to_the_receipt(scene: Scene) -> None:
    assert state_of(await show(scene)) == "scan"
    address = await show(scene, "?w=demo&t=mug-1")
    details = await post(scene, "/confirm", ADDRESS)
    reference = scene.ledger.invoices[0].reference
    await enter_pin(scene, reference)
    await until(lambda: scene.ledger.invoice(reference).committed)
    receipt = await show(scene, f"/invoices/{reference}")

    assert (state_of(address), state_of(details), state_of(receipt)) == ("address", "details", "confirmed")
    assert "Hornsgatan 42" in address
    assert "149,00\N{NO-BREAK SPACE}kr" in details
    assert str(scene.ledger.invoice(reference).ers_reference) in receipt
    assert scene.ledger.invoice(reference).payer == ADDRESS["msisdn"]
    assert (await show(scene, f"/invoices/{reference}/state")) == "confirmed"


async def test_the_shop_is_called_as_seqr_would() -> None:
    async with played(create_purchase_auth=("seqr", "secret")) as scene:
        await post(scene, "/confirm", ADDRESS)

    headers, body = scene.shop.purchases[0]
    assert headers["accept"] == "application/json"
    assert headers["content-type"] == "application/json;charset=UTF-8"
    assert headers["authorization"] == "Basic c2VxcjpzZWNyZXQ="
    assert body == {
        "purchaseToken": "mug-1",
        "clientName": "Åsa O'Neill <b>",
        **{name: ADDRESS[name] for name in ("street", "zip", "city", "state", "country", "email", "msisdn")},
    }


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("HTTP://SEQR.SE/000/checkout?w=demo&t=mug-1", "address"),
        ("seqr-demo://SEQR.SE/000/ic?w=demo&t=mug-1", "address"),
        ("http://127.0.0.1:8000/sandbox/phone?w=demo&t=mug-1", "address"),
        ("HTTP://SEQR.SE/R20150306072260070", "error"),
        ("WIFI:S=home", "error"),
        ("https://example.com/", "error"),
    ],
)
async def test_scanned_codes(scene: Scene, code: str, state: str) -> None:
    async with scene.http.get(scene.phone_url, params={"code": code}) as answer:
        assert state_of(await answer.text()) == state


async def test_an_invoices_own_code_leads_to_its_details(scene: Scene) -> None:
    reference = await scene.seqr.send_invoice(invoice_xml(title="Table <5>"))

    page = await show(scene, f"?code=HTTP://SEQR.SE/R{reference}")

    assert state_of(page) == "details"
    assert "Table &lt;5&gt;" in page
    assert state_of(await show(scene, f"?r={reference}")) == "details"
    assert "Table &lt;5&gt;" in await show(scene)


async def test_the_shops_refusal_is_shown_in_words(scene: Scene) -> None:
    scene.shop.refusal = (409, {"errorCode": "OUT_OF_STOCK", "message": "The last mug is gone."})

    page = await post(scene, "/confirm", ADDRESS)

    assert state_of(page) == "error"
    assert "Sold out</h1>" in page
    assert "you have not been charged" in page
    assert "Back to the shop" in page
    assert "Try again" not in page
    for_developers = page[page.index("<details") :]
    assert "The last mug is gone." in for_developers
    assert page.count("OUT_OF_STOCK") == for_developers.count("OUT_OF_STOCK") == 1


@pytest.mark.parametrize("code", ["SYSTEM_ERROR", "TOO_MANY_REQUESTS", "INVOICING_ERROR"])
async def test_what_may_pass_can_be_tried_again(scene: Scene, code: str) -> None:
    scene.shop.refusal = (503, {"errorCode": code, "message": "No."})

    page = await post(scene, "/confirm", ADDRESS)

    assert "have not been charged" in page
    assert 'href="/sandbox/phone?w=demo&amp;t=mug-1">Try again' in page


async def test_wrong_fields_are_shown_at_the_form(scene: Scene) -> None:
    fields = {"clientName": "is too long", "zip": "is no postcode", "purchaseToken": "is odd"}
    scene.shop.refusal = (422, {"errorCode": "INVALID_REQUEST", "message": "No.", "fields": fields})

    page = await post(scene, "/confirm", ADDRESS)

    assert state_of(page) == "address"
    assert page.count("aria-invalid") == 2
    assert "purchaseToken: is odd" in page
    assert "Storgatan 1" in page


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        ((200, {"reference": 1}), "INVALID_ANSWER"),
        ((200, ["no"]), "INVALID_ANSWER"),
        ((500, "oops"), "HTTP_500"),
    ],
)
async def test_nonsense_of_the_shop_is_shown_too(
    scene: Scene, refusal: tuple[int, object], code: str
) -> None:
    scene.shop.refusal = refusal

    assert code in await post(scene, "/confirm", ADDRESS)


async def test_a_web_shop_that_seqr_does_not_know(scene: Scene) -> None:
    page = await post(scene, "/confirm", ADDRESS | {"w": "another"})

    assert "UNKNOWN_WEBSHOP" in page
    assert scene.shop.purchases == []


async def test_cancelling_at_the_details(scene: Scene) -> None:
    reference = await scene.seqr.send_invoice()

    page = await post(scene, f"/invoices/{reference}/cancel")
    again = await post(scene, f"/invoices/{reference}/cancel")

    assert (state_of(page), state_of(again)) == ("cancelled", "error")
    assert (await scene.seqr.status(reference))["status"] == "CANCELED"


async def test_a_wrong_digit_can_be_deleted(scene: Scene) -> None:
    reference = await scene.seqr.send_invoice()

    page = await post(scene, f"/invoices/{reference}/pin", {"pin": "123", "digit": "delete"})

    assert state_of(page) == "pin"
    assert 'name="pin" value="12"' in page
    assert scene.ledger.invoice(reference).open


async def test_a_payment_in_progress_can_be_neither_cancelled_nor_changed(scene: Scene) -> None:
    scene.faults.phone = PhoneFaults(processing_seconds=0.3)
    reference = await scene.seqr.send_invoice()

    page = await enter_pin(scene, reference)
    cancel = await scene.seqr.cancel(reference)
    update = await scene.seqr.call(
        "updateInvoice", f"<invoiceReference>{reference}</invoiceReference>" + invoice_xml()
    )
    await until(lambda: scene.ledger.invoice(reference).awaiting_commit)

    assert state_of(page) == "processing"
    assert (cancel["resultCode"], update["resultCode"]) == ("51", "48")
    assert state_of(await show(scene, f"/invoices/{reference}")) == "waiting"


async def test_a_wrong_pin_pays_nothing_and_may_be_tried_again(scene: Scene) -> None:
    reference = await scene.seqr.send_invoice()

    page = await post(scene, f"/invoices/{reference}/pin", {"pin": "000", "digit": "0"})

    assert state_of(page) == "pin"
    assert "That PIN is wrong" in page
    assert "Nothing was paid" in page
    assert 'name="pin" value=""' in page
    assert scene.ledger.invoice(reference).open
    assert state_of(await enter_pin(scene, reference)) == "waiting"


async def test_a_purchase_that_the_shop_closed(scene: Scene) -> None:
    reference = await scene.seqr.send_invoice()
    await scene.seqr.cancel(reference)

    page = await show(scene, f"/invoices/{reference}")

    assert state_of(page) == "cancelled"
    assert "not paid in time" in page
    assert "You have not been charged" in page


async def test_a_refused_payment(scene: Scene) -> None:
    scene.faults.phone = PhoneFaults(refused=True)
    reference = await scene.seqr.send_invoice()

    assert state_of(await enter_pin(scene, reference)) == "refused"
    assert (await scene.seqr.status(reference))["status"] == "FAILED"


async def test_a_reversed_payment_shows_the_text_message() -> None:
    async with played(reversal_seconds=0.05) as scene:
        reference = await scene.seqr.send_invoice()
        await enter_pin(scene, reference)
        await until(lambda: scene.ledger.invoice(reference).reversed)

        page = await show(scene, f"/invoices/{reference}")

        assert state_of(page) == "reversed"
        assert "was given back" in page
        assert "was given back" in await show(scene)


async def test_an_invoice_without_acknowledgment_waits_for_the_shop(scene: Scene) -> None:
    reference = await scene.seqr.send_invoice(
        invoice_xml().replace("NO_ACKNOWLEDGMENT", "REQUIRE_ACKNOWLEDGMENT")
    )

    assert state_of(await show(scene, f"/invoices/{reference}")) == "acknowledging"
    assert state_of(await enter_pin(scene, reference)) == "acknowledging"
    assert (await scene.seqr.status(reference))["status"] == "PENDING_ISSUER_ACKNOWLEDGE"


async def test_a_shop_that_is_gone_is_told_in_words() -> None:
    async with played(create_purchase_url="http://127.0.0.1:1/createPurchase") as scene:
        page = await post(scene, "/confirm", ADDRESS)

    assert "The shop cannot be reached." in page


async def test_a_silent_shop_is_given_up_on() -> None:
    async with played(checkout_timeout=0.05) as scene:
        scene.shop.holds_back = True
        page = await post(scene, "/confirm", ADDRESS)

    assert "The shop did not answer in time." in page


async def test_a_shop_that_answers_no_json(scene: Scene) -> None:
    scene.shop.refusal = (502, None)

    assert "HTTP_502" in await post(scene, "/confirm", ADDRESS)


async def test_an_invoice_that_seqr_does_not_know(scene: Scene) -> None:
    assert state_of(await post(scene, "/invoices/7/pin", {"digit": "1"})) == "error"
    assert "no invoice 7" in await show(scene, "/invoices/7/state")


async def test_receipt_and_panel_say_times_in_the_shops_zone() -> None:
    async with played(zone=ZoneInfo("Asia/Tokyo")) as scene:
        reference = await scene.seqr.send_invoice(invoice_xml())
        scene.ledger.pay(reference)
        await scene.seqr.status(reference, 1)
        receipt = await show(scene, f"/invoices/{reference}")
        async with scene.http.get(f"{scene.base_url}/sandbox/panel/invoices") as answer:
            panel = await answer.text()

    assert re.search(r"<dt>On</dt><dd>\d{4}-\d\d-\d\d \d\d:\d\d JST</dd>", receipt)
    assert re.search(r"\d\d:\d\d:\d\d JST; asked", panel)
