"""createPurchase and the notification address over real HTTP: every status of the contract's table."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from orchestrator.database import Database, open_database
from orchestrator.tables import products
from sandbox.faults import FaultKind, OperationFault
from tests.fixtures.shop import ORDER, Shop, at_work, until

PATH = "/seqr/createPurchase"


@pytest.fixture
async def plain_shop(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop for what has nothing to do with the kind of database."""
    path = tmp_path / "shop.db"
    shutil.copy(sqlite_template, path)
    database = open_database(f"sqlite:///{path}")
    async with at_work(database, poll_interval=0.2, seqr_timeout=2) as opened:
        yield opened
    await database.close()


async def post(shop: Shop, body: bytes, **headers: str) -> tuple[int, dict[str, Any], Mapping[str, str]]:
    sent = {"Content-Type": "application/json;charset=UTF-8", "Accept": "application/json"} | headers
    async with shop.http.post(shop.base_url + PATH, data=body, headers=sent) as answer:
        return answer.status, await answer.json(), answer.headers


async def test_200_carries_the_invoice_reference_and_nothing_else(plain_shop: Shop) -> None:
    status, answer, headers = await post(plain_shop, json.dumps(ORDER).encode())
    assert (status, list(answer)) == (200, ["invoiceReferenceId"])
    assert answer["invoiceReferenceId"] == (await plain_shop.only())["invoice_reference"]
    assert headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b"[]",
        b"null",
        b'"text"',
        b"1",
        b"\xff\xfe\x00",
        b'{"purchaseToken": "mug"',
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
    ],
)
async def test_400_for_what_is_no_json_object(plain_shop: Shop, body: bytes) -> None:
    status, answer, _ = await post(plain_shop, body)
    assert (status, answer["errorCode"]) == (400, "INVALID_REQUEST")
    assert "fields" not in answer
    assert await plain_shop.purchases() == []


async def test_415_for_another_media_type(plain_shop: Shop) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""):
        status, answer, _ = await post(plain_shop, json.dumps(ORDER).encode(), **{"Content-Type": kind})
        assert (status, answer["errorCode"]) == (415, "INVALID_REQUEST"), kind
    status, _, _ = await post(plain_shop, json.dumps(ORDER).encode(), **{"Content-Type": "Application/JSON"})
    assert status == 200


async def test_413_for_a_body_over_64_kib_with_and_without_a_length(plain_shop: Shop) -> None:
    padding = {"padding": "x" * (64 * 1024)}
    body = json.dumps(ORDER | padding).encode()
    status, answer, _ = await post(plain_shop, body)
    assert (status, answer["errorCode"]) == (413, "INVALID_REQUEST")

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 8192):
            yield body[start : start + 8192]

    headers = {"Content-Type": "application/json"}
    async with plain_shop.http.post(plain_shop.base_url + PATH, data=chunks(), headers=headers) as answered:
        assert answered.status == 413
    just_fits = json.dumps(ORDER | {"padding": ""}).encode()
    just_fits = json.dumps(ORDER | {"padding": "x" * (64 * 1024 - len(just_fits))}).encode()
    assert len(just_fits) == 64 * 1024
    assert (await post(plain_shop, just_fits))[0] == 200


async def test_422_names_each_wrong_field_and_says_why(plain_shop: Shop) -> None:
    wrong = {
        **ORDER,
        "email": "anna@example.com\r\nBcc: eve@example.com",
        "zip": 90326,
        "clientName": "x" * 201,
    }
    del wrong["city"]
    status, answer, _ = await post(plain_shop, json.dumps(wrong).encode())
    assert (status, answer["errorCode"]) == (422, "INVALID_REQUEST")
    assert answer["fields"] == {
        "clientName": "must have at most 200 characters",
        "city": "is missing",
        "zip": "must be text",
        "email": "must not contain control characters",
    }
    assert "eve@" not in json.dumps(answer)


@pytest.mark.parametrize("escaped", ["\\u0000", "\\ud800", "\\udfff\\ud800", "\\u0007"])
async def test_422_for_text_that_no_xml_and_no_database_can_hold(plain_shop: Shop, escaped: str) -> None:
    body = json.dumps(ORDER).replace("Storgatan 1", f"Stor{escaped}gatan").encode()
    status, answer, _ = await post(plain_shop, body)
    assert (status, list(answer["fields"])) == (422, ["street"])


@pytest.mark.parametrize(
    "text",
    ['Åsa "O\'Neil" <b>&amp;', "]]> <!--", "王小明", "Zoë 👩‍👧", "\N{NO-BREAK SPACE}x\ufeff", "\ufffe?"],
)
async def test_odd_but_fair_text_is_kept_as_it_came(shop: Shop, text: str) -> None:
    await shop.buy(clientName=text, street=text)
    purchase = await shop.only()
    assert (purchase["customer_name"], purchase["customer_street"]) == (text, text)


async def test_a_title_with_markup_reaches_seqr_unharmed(shop: Shop) -> None:
    title = "Mug ]]> <b>&amp; \"x\" 'y' 🍵"
    await shop.database.write(lambda connection: connection.execute(products.update().values(title=title)))
    reference = await shop.buy()
    assert shop.sandbox.ledger.invoice(reference).invoice.rows[0].description == title


async def test_404_for_what_nobody_sells(plain_shop: Shop) -> None:
    status, answer = await plain_shop.order(purchaseToken="saucer")
    assert (status, answer["errorCode"]) == (404, "UNKNOWN_PURCHASE_TOKEN")
    assert "saucer" in answer["message"]


async def test_405_for_other_methods(plain_shop: Shop) -> None:
    async with plain_shop.http.get(plain_shop.base_url + PATH) as answer:
        assert answer.status == 405


async def test_409_when_nothing_is_left_to_promise(shop: Shop) -> None:
    await shop.database.write(lambda connection: connection.execute(products.update().values(on_hand=1)))
    assert (await shop.order())[0] == 200
    status, answer = await shop.order(clientName="Bengt")
    assert (status, answer["errorCode"]) == (409, "OUT_OF_STOCK")
    assert "mug" in answer["message"]
    assert [row["state"] for row in await shop.purchases()] == ["invoiced", "failed"]


async def test_502_carries_seqrs_code_and_description(shop: Shop) -> None:
    shop.sandbox.faults.set("sendInvoice", OperationFault(FaultKind.RESULT_CODE, result_code=49))
    status, answer = await shop.order()
    assert (status, answer["errorCode"]) == (502, "INVOICING_ERROR")
    assert "49" in answer["message"]
    assert "INVALID_INVOICE_DATA" in answer["message"].upper().replace(" ", "_")
    assert await shop.stock() == (10, 0)


@pytest.mark.parametrize(
    ("fault", "attempt"),
    [
        (OperationFault(FaultKind.RESULT_CODE, result_code=93, times=1), "busy"),
        (OperationFault(FaultKind.SOAP_FAULT, times=1), "unknown"),
        (OperationFault(FaultKind.HTTP_500, times=1), "unknown"),
        (OperationFault(FaultKind.CUT_BEFORE, times=1), "unknown"),
        (OperationFault(FaultKind.CUT_AFTER, times=1), "unknown"),
        (OperationFault(FaultKind.GARBAGE, times=1), "unknown"),
        (OperationFault(FaultKind.EMPTY, times=1), "unknown"),
        (OperationFault(FaultKind.SLOW, latency=3, times=1), "unknown"),
    ],
)
async def test_503_says_when_to_come_again_while_seqr_is_away(
    plain_shop: Shop, fault: OperationFault, attempt: str
) -> None:
    plain_shop.sandbox.faults.set("sendInvoice", fault)
    status, answer, headers = await post(plain_shop, json.dumps(ORDER).encode())
    assert (status, answer["errorCode"]) == (503, "SYSTEM_ERROR")
    assert int(headers["Retry-After"]) > 0
    assert (await plain_shop.attempts())[0]["state"] == attempt
    purchase = await plain_shop.until_state("invoiced")
    status, answer = await plain_shop.order()
    assert (status, answer["invoiceReferenceId"]) == (200, purchase["invoice_reference"])
    assert len(await plain_shop.purchases()) == 1


async def test_503_while_the_database_is_away(plain_shop: Shop) -> None:
    await plain_shop.database.close()
    status, answer, headers = await post(plain_shop, json.dumps(ORDER).encode())
    assert (status, answer["errorCode"]) == (503, "SYSTEM_ERROR")
    assert int(headers["Retry-After"]) > 0
    assert plain_shop.sandbox.ledger.invoices == []


async def test_401_without_the_credentials_that_are_set(database: Database) -> None:
    password = SecretStr("s3cret-s3cret")
    async with at_work(database, create_purchase_user="seqr", create_purchase_password=password) as shop:
        status, answer, headers = await post(shop, json.dumps(ORDER).encode())
        assert (status, answer["errorCode"]) == (401, "UNAUTHORIZED")
        assert headers["WWW-Authenticate"].startswith("Basic")
        assert (await post(shop, b"", Authorization="Basic nonsense"))[0] == 401
        right = aiohttp.encode_basic_auth("seqr", "s3cret-s3cret")
        assert (await post(shop, json.dumps(ORDER).encode(), Authorization=right))[0] == 200


async def test_429_when_too_many_ask_at_once(database: Database) -> None:
    async with at_work(database, create_purchase_in_flight=2) as shop:
        shop.sandbox.faults.set("sendInvoice", OperationFault(FaultKind.SLOW, latency=1))
        first = [asyncio.create_task(shop.order(clientName=name)) for name in ("Anna", "Bo")]

        async def both_wait() -> bool:
            return len(await shop.purchases()) == 2

        await until(both_wait)
        status, answer, headers = await post(shop, json.dumps(ORDER).encode())
        assert (status, answer["errorCode"]) == (429, "TOO_MANY_REQUESTS")
        assert int(headers["Retry-After"]) > 0
        assert [status for status, _ in await asyncio.gather(*first)] == [200, 200]
        assert (await shop.order())[0] == 200, "room again"


async def test_a_body_that_comes_slowly_keeps_nobody_out(database: Database) -> None:
    async with at_work(database, create_purchase_in_flight=1) as shop:
        arriving = asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield b"{"
            arriving.set()
            await asyncio.Event().wait()

        slow = asyncio.create_task(
            shop.http.post(
                f"{shop.base_url}/seqr/createPurchase",
                data=slowly(),
                headers={"Content-Type": "application/json"},
            )
        )
        await arriving.wait()
        # The second request goes out after the first one's head, on a connection of its own.
        assert [(await shop.order())[0] for _ in range(3)] == [200, 200, 200]
        slow.cancel()
        await asyncio.wait([slow])


async def test_repeats_and_twins_share_one_invoice(shop: Shop) -> None:
    answers = await asyncio.gather(*[shop.order() for _ in range(20)])
    assert {status for status, _ in answers} == {200}
    assert len({answer["invoiceReferenceId"] for _, answer in answers}) == 1
    assert len(shop.sandbox.ledger.invoices) == 1
    assert await shop.stock() == (10, 1)


async def test_the_last_pieces_go_to_as_many_customers(shop: Shop) -> None:
    await shop.database.write(lambda connection: connection.execute(products.update().values(on_hand=3)))
    answers = await asyncio.gather(*[shop.order(clientName=f"Customer {number}") for number in range(12)])
    assert sorted(status for status, _ in answers) == [200] * 3 + [409] * 9
    assert await shop.stock() == (3, 3)
