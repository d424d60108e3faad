"""The purchases of /api/v1: paged, searched, shown whole, retried and cancelled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection

from orchestrator.database import Database
from orchestrator.identity import now
from orchestrator.rest import purchases
from orchestrator.rest.schemas import SCHEMAS
from tests.fixtures.operations import SECRET, NoDatabase, calling, keep_purchase, parts_on
from tests.fixtures.people import recorded
from tests.fixtures.shop import Shop, at_work

LIST = "/api/v1/purchases"
UNKNOWN = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
async def http(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    async with calling(purchases.routes(parts_on(database))) as client:
        yield client


@pytest.fixture
async def bare() -> AsyncIterator[httpx2.AsyncClient]:
    """A client for what is refused before the database is asked."""
    async with calling(purchases.routes(parts_on(NoDatabase()))) as client:
        yield client


async def found(http: httpx2.AsyncClient, **query: str | int) -> list[str]:
    answer = await http.get(LIST, params=query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def complaints(http: httpx2.AsyncClient, **query: str) -> dict[str, str]:
    answer = await http.get(LIST, params=query)
    assert answer.status_code == 422
    assert answer.json()["error"] == "invalid_request"
    fields: dict[str, str] = answer.json()["fields"]
    return fields


async def test_no_purchases_are_an_empty_page(http: httpx2.AsyncClient) -> None:
    assert (await http.get(LIST)).json() == {"items": [], "next": None}


async def test_pages_go_from_the_newest_to_the_oldest_whatever_comes_meanwhile(
    database: Database, http: httpx2.AsyncClient
) -> None:
    ids = [await database.write(keep_purchase) for _ in range(7)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await http.get(LIST, params={"limit": 3, "cursor": cursor})).json()
        seen += [item["id"] for item in page["items"]]
        await database.write(keep_purchase)
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ids[::-1]


async def test_a_full_last_page_has_no_next(database: Database, http: httpx2.AsyncClient) -> None:
    for _ in range(2):
        await database.write(keep_purchase)
    assert (await http.get(LIST, params={"limit": 2})).json()["next"] is None


async def test_by_default_fifty_are_shown(database: Database, http: httpx2.AsyncClient) -> None:
    def many(connection: Connection) -> None:
        for _ in range(51):
            keep_purchase(connection)

    await database.write(many)
    page = (await http.get(LIST)).json()
    assert len(page["items"]) == 50
    assert page["next"] is not None


async def test_states_are_picked(database: Database, http: httpx2.AsyncClient) -> None:
    paid = await database.write(keep_purchase, state="paid")
    failed = await database.write(keep_purchase, state="failed", reason="expired")
    await database.write(keep_purchase)
    assert await found(http, state="paid") == [paid]
    assert await found(http, state="paid,failed") == [failed, paid]


STANDS = [
    ("invoice_reference", "20150306072260070", "20150306072260070"),
    ("ers_reference", "2015030607228", "2015030607228"),
    ("customer_name", "Åsa Öberg", "åsa"),
    ("customer_name", "Eva ÖRN", "örn"),
    ("customer_name", "örjan Ek", "ÖRJAN"),
    ("customer_name", "100% Wool_Shop", "% wool_"),
    ("customer_name", "O'Neil \\ <b>", "o'neil \\ <B>"),
    ("customer_email", "birgit@example.org", "BIRGIT@"),
    ("customer_email", "sales@tea.example.net", "example.net"),
    ("customer_msisdn", "46709998877", "070 999 88"),
    ("customer_msisdn", "46701112233", "+46 70 111"),
]


async def test_text_is_found_where_it_stands(database: Database, http: httpx2.AsyncClient) -> None:
    wanted = {
        query: await database.write(keep_purchase, **{column: value}) for column, value, query in STANDS
    }
    assert {query: await found(http, q=query) for query in wanted} == {
        query: [purchase_id] for query, purchase_id in wanted.items()
    }


@pytest.mark.parametrize("odd", ["\u00a0", "\u200d", "\u2028", "\ue000", "\U000e0001", "\u0378", "\ufeff"])
async def test_a_character_that_nobody_sees_is_no_control_character(
    database: Database, http: httpx2.AsyncClient, odd: str
) -> None:
    wanted = await database.write(keep_purchase, customer_name="Birgit Ek")
    assert await found(http, q=f"birgit{odd} ek") in ([wanted], [])


async def test_an_id_is_found(database: Database, http: httpx2.AsyncClient) -> None:
    wanted = await database.write(keep_purchase)
    await database.write(keep_purchase)
    assert await found(http, q=f" {wanted} ") == [wanted]


async def test_what_stands_nowhere_is_not_found(database: Database, http: httpx2.AsyncClient) -> None:
    await database.write(keep_purchase, invoice_reference="20150306072260070")
    for query in ("%", "_", "2015", "no such thing"):
        assert await found(http, q=query) == []


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


BOUNDS: list[tuple[dict[str, str], list[int]]] = [
    ({"since": "2026-03-01T12:00:00Z"}, [1, 0]),
    ({"until": "2026-03-01T12:00:00Z"}, [-1]),
    ({"since": "2026-03-01T13:00:00+01:00", "until": "2026-03-01T12:00:01Z"}, [0]),
    ({"since": "2026-03-01T13:00:00 01:00"}, [1, 0]),
    ({"since": "2026-03-01T12:00:00"}, [1, 0]),
    ({"since": "2026-03-01", "until": "2026-03-02"}, [1, 0, -1]),
    ({"since": "2026-03-02"}, []),
]


async def test_times_bound_the_list(database: Database, http: httpx2.AsyncClient) -> None:
    ids = {hour: await database.write(keep_purchase, NOON + timedelta(hours=hour)) for hour in (-1, 0, 1)}
    for query, wanted in BOUNDS:
        assert await found(http, **query) == [ids[hour] for hour in wanted], query


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "lost"}, "state"),
        ({"state": "paid,"}, "state"),
        ({"q": "x" * 201}, "q"),
        ({"q": "nul\x00"}, "q"),
        ({"q": "next\x85line"}, "q"),
        ({"since": "yesterday"}, "since"),
        ({"until": "2026-13-01"}, "until"),
        ({"since": "0001-01-01T00:00:00+10:00"}, "since"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "abc"}, "cursor"),
        ({"cursor": "ååå"}, "cursor"),
    ],
)
async def test_a_wrong_value_is_named(bare: httpx2.AsyncClient, query: dict[str, str], field: str) -> None:
    assert list(await complaints(bare, **query)) == [field]


async def test_all_wrong_values_are_named_at_once(bare: httpx2.AsyncClient) -> None:
    assert set(await complaints(bare, state="lost", limit="0", since="x")) == {"state", "limit", "since"}


async def test_a_value_given_twice_is_refused(bare: httpx2.AsyncClient) -> None:
    answer = await bare.get(f"{LIST}?state=paid&state=failed")
    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["state"])


async def test_empty_values_are_none(database: Database, http: httpx2.AsyncClient) -> None:
    wanted = await database.write(keep_purchase)
    assert await found(http, state="", q="", since="", until="", limit="", cursor="") == [wanted]


CALLS = [("GET", ""), ("POST", "/retry"), ("POST", "/cancel")]


@pytest.mark.parametrize("purchase_id", ["1", "%00", UNKNOWN + "x"])
async def test_what_is_no_id_is_not_even_looked_for(bare: httpx2.AsyncClient, purchase_id: str) -> None:
    for method, end in CALLS:
        answer = await bare.request(method, f"{LIST}/{purchase_id}{end}")
        assert (answer.status_code, answer.json()["error"]) == (404, "purchase_unknown")


async def test_an_unknown_purchase_is_not_found(http: httpx2.AsyncClient) -> None:
    for method, end in CALLS:
        answer = await http.request(method, f"{LIST}/{UNKNOWN}{end}")
        assert (answer.status_code, answer.json()["error"]) == (404, "purchase_unknown")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", LIST), ("GET", f"{LIST}/1"), ("POST", f"{LIST}/1/retry"), ("POST", f"{LIST}/1/cancel")],
)
async def test_everything_asks_for_a_token(bare: httpx2.AsyncClient, method: str, path: str) -> None:
    answer = await bare.request(method, path, headers={"Authorization": ""})
    assert answer.status_code == 401


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    async with at_work(database, api_token="a token that only the tests know") as opened:
        yield opened


async def called(shop: Shop, method: str, path: str) -> tuple[int, dict[str, Any]]:
    async with calling(purchases.routes(shop.parts)) as http:
        answer = await http.request(method, path)
        return answer.status_code, answer.json()


async def test_a_purchase_is_shown_whole(shop: Shop) -> None:
    reference = await shop.buy()
    purchase_id = (await shop.only())["id"]
    status, shown = await called(shop, "GET", f"{LIST}/{purchase_id}")
    assert status == 200
    assert list(shown) == [*SCHEMAS["Purchase"]["properties"], "transitions", "exchanges"]
    assert shown["invoice_reference"] == reference
    assert shown["amount"] == {"currency": "SEK", "value": "149.00"}
    assert shown["customer"]["city"] == "Umeå"
    moves = [(move["source"], move["target"], move["actor"]) for move in shown["transitions"]]
    assert moves == [(None, "received", "createPurchase"), ("received", "invoiced", "createPurchase")]
    (call,) = shown["exchanges"]
    assert list(call) == list(SCHEMAS["Exchange"]["properties"])
    assert (call["operation"], call["outcome"], call["result_code"]) == ("sendInvoice", "answered", 0)
    assert "12345678" not in call["request"]
    assert SECRET not in str(shown)
    assert datetime.fromisoformat(shown["created_at"]) <= now()


async def test_cancelling_answers_with_the_purchase_after_it_and_a_second_time_says_why_not(
    shop: Shop,
) -> None:
    await shop.buy()
    purchase_id = (await shop.only())["id"]
    status, shown = await called(shop, "POST", f"{LIST}/{purchase_id}/cancel")
    assert (status, shown["state"], shown["reason"]) == (200, "failed", "cancelled_by_merchant")
    assert list(shown) == list(SCHEMAS["Purchase"]["properties"])
    status, refused = await called(shop, "POST", f"{LIST}/{purchase_id}/cancel")
    assert (status, refused) == (409, {"error": "not_allowed", "message": "It has failed already."})


async def test_retrying_a_failed_purchase_gives_it_a_new_invoice_and_names_who_did_it(shop: Shop) -> None:
    first = await shop.buy()
    purchase_id = (await shop.only())["id"]
    await called(shop, "POST", f"{LIST}/{purchase_id}/cancel")
    status, shown = await called(shop, "POST", f"{LIST}/{purchase_id}/retry")
    assert (status, shown["state"], shown["reason"]) == (200, "invoiced", None)
    assert shown["invoice_reference"] != first
    assert await shop.database.read(recorded) == [
        ("api:settings", f"purchase.{action}", purchase_id) for action in ("cancel", "retry")
    ]
    _, whole = await called(shop, "GET", f"{LIST}/{purchase_id}")
    assert "api:settings" in {move["actor"] for move in whole["transitions"]}
