"""``/api/v1/products`` over real HTTP."""

import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from sqlalchemy import select
from starlette.applications import Starlette

from orchestrator.database import Database
from orchestrator.parts import Parts
from orchestrator.rest import errors, products
from orchestrator.seqr.client import SoapSeqr
from orchestrator.seqr.credentials import Credentials
from orchestrator.settlement import Settlement
from orchestrator.tables import stock_movements
from tests.fixtures.people import recorded
from tests.fixtures.sandbox import served
from tests.fixtures.shop import SECRET, settings

TOKEN = "a token long enough"
NOBODY = "http://127.0.0.1:9/"
MUG: dict[str, Any] = {
    "title": "Mug",
    "price": {"currency": "SEK", "value": "149.90"},
    "tax_rate": "25",
    "sku": "M-1",
    "ean": "12345678",
    "on_hand": 10,
}
SPOON = {"title": "Spoon", "price": {"currency": "SEK", "value": "49"}, "tax_rate": 12.5, "on_hand": 7}
SET = {
    "title": "Set",
    "price": {"currency": "SEK", "value": "200"},
    "tax_rate": "25",
    "bundle": [{"token": "mug", "quantity": 1}, {"token": "spoon", "quantity": 2}],
}


class Api:
    """Our REST edge, called as a shop's script would."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str, database: Database) -> None:
        self.http = http
        self.base_url = base_url
        self.database = database

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Status and JSON of the answer."""
        async with self.http.request(method, self.base_url + path, **options) as answer:
            return answer.status, await answer.json()

    async def put(self, token: str, body: Any) -> tuple[int, Any]:
        return await self.call("PUT", f"/{token}", json=body)

    async def stocked(self) -> None:
        for token, body in (("mug", MUG), ("spoon", SPOON), ("set", SET)):
            assert (await self.put(token, body))[0] == 201


@pytest.fixture
async def api(database: Database) -> AsyncIterator[Api]:
    found = settings(api_token=SecretStr(TOKEN))
    seqr = SoapSeqr.open(NOBODY, Credentials("TERMINALID", "nobody", "nothing"))
    parts = Parts(found, SECRET, database, seqr, Settlement(database, seqr, found, SECRET))
    app = Starlette(routes=products.routes(parts), exception_handlers=errors.handlers())
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1/products"
        async with served(app, listening), aiohttp.ClientSession(headers=bearer) as http:
            yield Api(http, url, database)
    await seqr.close()


async def test_put_creates_and_then_changes(api: Api) -> None:
    whole = {
        **MUG,
        "token": "mug",
        "for_sale": True,
        "bundle": [],
        "reserved": 0,
        "available": 10,
    }
    assert await api.put("mug", MUG) == (201, whole)
    assert await api.put("mug", MUG) == (200, whole)
    assert await api.call("GET", "/mug") == (200, whole)
    assert await api.put("mug", whole) == (200, whole)
    assert await api.put("mug", {**MUG, "title": "Cup", "for_sale": False}) == (
        200,
        {**whole, "title": "Cup", "for_sale": False},
    )


async def test_absent_stock_and_sale_stay(api: Api) -> None:
    await api.put("mug", {**MUG, "for_sale": False})
    bare = {key: value for key, value in MUG.items() if key in ("title", "price", "tax_rate")}
    _, product = await api.put("mug", bare)
    assert (product["on_hand"], product["for_sale"]) == (10, False)
    assert (product["sku"], product["ean"]) == (None, None)


async def test_bundle_is_its_parts(api: Api) -> None:
    await api.stocked()
    status, product = await api.call("GET", "/set")
    assert status == 200
    assert product["bundle"] == SET["bundle"]
    assert (product["on_hand"], product["reserved"], product["available"]) == (3, 0, 3)
    assert await api.put("set", product) == (200, product)


async def test_list_is_all_by_token(api: Api) -> None:
    assert await api.call("GET", "") == (200, {"items": [], "next": None})
    await api.stocked()
    _, listed = await api.call("GET", "")
    assert [product["token"] for product in listed["items"]] == ["mug", "set", "spoon"]
    assert listed["items"][2]["price"] == {"currency": "SEK", "value": "49.00"}
    assert listed["items"][2]["tax_rate"] == "12.5"


async def test_odd_but_fair_text_comes_back_unharmed(api: Api) -> None:
    title = "杯 \"'&<b>]]> =1+1 Å \U0001f375 عربى"
    assert (await api.put("mug", {**MUG, "title": title}))[1]["title"] == title
    assert (await api.call("GET", "/mug"))[1]["title"] == title


async def test_stock_comes_and_goes(api: Api) -> None:
    await api.stocked()
    _, product = await api.call("POST", "/mug/stock", json={"change": 5, "reason": "delivery"})
    assert (product["token"], product["on_hand"], product["available"]) == ("mug", 15, 15)
    _, product = await api.call("POST", "/mug/stock", json={"change": -15, "reason": "broken"})
    assert product["on_hand"] == 0
    table = stock_movements.c
    rows = await api.database.read(
        lambda connection: connection.execute(
            select(table.kind, table.on_hand, table.reason, table.actor)
            .where(table.product_token == "mug")
            .order_by(table.id)
        ).all()
    )
    assert [tuple(row) for row in rows[1:]] == [
        ("receive", 5, "delivery", "api:settings"),
        ("remove", -15, "broken", "api:settings"),
    ]


async def test_a_whole_number_may_be_written_with_a_point(api: Api) -> None:
    """JSON knows no whole numbers: JSON Schema takes 5.0 for one."""
    body = {**MUG, "on_hand": 7.0}
    assert (await api.put("mug", body))[1]["on_hand"] == 7
    await api.put("spoon", SPOON)
    parts = [{"token": "mug", "quantity": 2.0}]
    assert (await api.put("set", {**SET, "bundle": parts}))[1]["bundle"] == [{"token": "mug", "quantity": 2}]
    _, product = await api.call("POST", "/mug/stock", json={"change": 5.0, "reason": "delivery"})
    assert product["on_hand"] == 12


@pytest.mark.parametrize(
    ("token", "change", "words"),
    [("mug", -11, "10 on hand"), ("mug", 1_000_000_000, "10 on hand"), ("set", 1, "bundle")],
)
async def test_stock_that_cannot_be_is_a_conflict(api: Api, token: str, change: int, words: str) -> None:
    await api.stocked()
    status, answer = await api.call("POST", f"/{token}/stock", json={"change": change, "reason": "r"})
    assert (status, answer["error"]) == (409, "stock_error")
    assert words in answer["message"]
    assert (await api.call("GET", "/mug"))[1]["on_hand"] == 10


WRONG_STOCK_CHANGES: list[tuple[Any, list[str]]] = [
    ({"change": 0, "reason": "r"}, ["change"]),
    ({"change": 1.5, "reason": "r"}, ["change"]),
    ({"change": "5", "reason": "r"}, ["change"]),
    ({"change": True, "reason": "r"}, ["change"]),
    ({"change": 10**30, "reason": "r"}, ["change"]),
    ({"change": 1e30, "reason": "r"}, ["change"]),
    ({"change": float("inf"), "reason": "r"}, ["change"]),
    ({"change": float("nan"), "reason": "r"}, ["change"]),
    ({"change": 5}, ["reason"]),
    ({"change": 5, "reason": ""}, ["reason"]),
    ({"change": 5, "reason": " "}, ["reason"]),
    ({"change": 5, "reason": "x" * 201}, ["reason"]),
    ({"change": 5, "reason": "a\0b"}, ["reason"]),
    ({"change": 5, "reason": None, "more": 1}, ["more", "reason"]),
    ({}, ["change", "reason"]),
]


async def test_wrong_stock_change_names_the_field(api: Api) -> None:
    await api.stocked()
    for body, fields in WRONG_STOCK_CHANGES:
        status, answer = await api.call("POST", "/mug/stock", json=body)
        told = (status, answer["error"], sorted(answer["fields"]))
        assert told == (422, "invalid_request", fields), body


WRONG_PRODUCTS: list[tuple[dict[str, Any], str]] = [
    ({"title": None}, "title"),
    ({"title": ""}, "title"),
    ({"title": 5}, "title"),
    ({"title": "x" * 201}, "title"),
    ({"title": "a\0b"}, "title"),
    ({"title": "a\ud800b"}, "title"),
    ({"price": None}, "price"),
    ({"price": "149.90"}, "price"),
    ({"price": {"currency": "SEK", "value": "0"}}, "price"),
    ({"price": {"currency": "SEK", "value": "1.999"}}, "price"),
    ({"price": {"currency": "XXY", "value": "1"}}, "price"),
    ({"price": {"currency": "SEK", "value": "99999999999999"}}, "price"),
    ({"price": {"currency": "SEK", "value": "1e3"}}, "price.value"),
    ({"price": {"currency": "SEK", "value": "1_0"}}, "price.value"),
    ({"price": {"currency": "SEK", "value": True}}, "price.value"),
    ({"price": {"currency": "SEK", "value": float("nan")}}, "price.value"),
    ({"price": {"currency": "SEK", "value": []}}, "price.value"),
    ({"price": {"currency": "SEK"}}, "price.value"),
    ({"price": {"currency": "SEKSEK", "value": "1"}}, "price.currency"),
    ({"price": {"currency": "SEK", "value": "1", "vat": "0"}}, "price.vat"),
    ({"tax_rate": None}, "tax_rate"),
    ({"tax_rate": "101"}, "tax_rate"),
    ({"tax_rate": "1.23456"}, "tax_rate"),
    ({"tax_rate": "25%"}, "tax_rate"),
    ({"sku": "x" * 65}, "sku"),
    ({"sku": 5}, "sku"),
    ({"ean": "123"}, "ean"),
    ({"on_hand": -1}, "on_hand"),
    ({"on_hand": "5"}, "on_hand"),
    ({"on_hand": 10**20}, "on_hand"),
    ({"for_sale": "yes"}, "for_sale"),
    ({"bundle": {"mug": 1}}, "bundle"),
    ({"bundle": [{"token": "gone", "quantity": 1}]}, "bundle"),
    ({"bundle": [{"token": "new", "quantity": 1}]}, "bundle"),
    ({"bundle": [{"token": "set", "quantity": 1}]}, "bundle"),
    ({"bundle": [{"token": "mug", "quantity": 0}]}, "bundle"),
    ({"bundle": [{"token": "mug", "quantity": "1"}]}, "bundle.0.quantity"),
    ({"bundle": [{"quantity": 1}]}, "bundle.0.token"),
    ({"token": "other"}, "token"),
    ({"colour": "blue"}, "colour"),
]


async def test_wrong_product_names_the_field_and_keeps_nothing(api: Api) -> None:
    await api.stocked()
    for changes, field in WRONG_PRODUCTS:
        body = {key: value for key, value in MUG.items() if not ("bundle" in changes and key == "on_hand")}
        status, answer = await api.put("new", {**body, **changes})
        assert (status, answer["error"], list(answer["fields"])) == (422, "invalid_request", [field]), changes
    assert (await api.call("GET", "/new"))[0] == 404


@pytest.mark.parametrize("token", ["a%20b", "x" * 65, "m%C3%BCg", "a%00b"])
async def test_wrong_token_in_the_address(api: Api, token: str) -> None:
    status, answer = await api.put(token, MUG)
    assert (status, list(answer["fields"])) == (422, ["token"])
    for method, path in (("GET", f"/{token}"), ("POST", f"/{token}/stock")):
        status, answer = await api.call(method, path, json={"change": 1, "reason": "r"})
        assert (status, answer["error"]) == (404, "product_unknown")


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b"{}", "text/plain", 415),
        (b" " * 70_000, "application/json", 413),
    ],
)
async def test_body_that_is_no_product(api: Api, body: bytes, media_type: str, status: int) -> None:
    for method, path in (("PUT", "/mug"), ("POST", "/mug/stock")):
        answered, answer = await api.call(method, path, data=body, headers={"Content-Type": media_type})
        assert (answered, answer["error"]) == (status, "invalid_request")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/mug"), ("PUT", "/mug"), ("POST", "/mug/stock")]
)
async def test_every_call_needs_a_token(api: Api, method: str, path: str) -> None:
    status, answer = await api.call(method, path, json=MUG, headers={"Authorization": "Bearer wrong"})
    assert (status, answer["error"]) == (401, "unauthorized")


async def test_the_audit_log_names_the_token_that_did_it(api: Api) -> None:
    assert (await api.put("mug", MUG))[0] == 201
    for _ in range(2):
        assert (await api.put("mug", {**MUG, "title": "Blue mug"}))[0] == 200
    assert (await api.call("POST", "/mug/stock", json={"change": 5, "reason": "delivery"}))[0] == 200
    actions = ("product.add", "product.edit", "stock.receive")
    assert await api.database.read(recorded) == [("api:settings", action, "mug") for action in actions]
