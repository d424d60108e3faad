"""The list of purchases over HTTP: its filter in the address, its file, its stream."""

from __future__ import annotations

import asyncio
import csv
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import Connection, insert, select

from dashboard.pages.export import COLUMNS
from orchestrator.identity import new_id
from orchestrator.tables import audit, purchases
from statemachine import Trigger
from tests.fixtures.dashboard import Office, Visitor, place

DAY = datetime(2026, 3, 10, 12, tzinfo=UTC)


def shown(page: str) -> list[str]:
    """The ids of the list's rows."""
    return re.findall(r'<tr id="p-([^"]+)"', page)


def address_of(page: str, words: str) -> dict[str, str]:
    """Where a link with these words leads: its parameters."""
    found = re.search(rf'<a href="([^"]*)"[^>]*>\s*{re.escape(words)}', page)
    assert found is not None, words
    return dict(parse_qsl(urlsplit(unescape(found[1])).query))


async def test_each_filter_narrows_the_list(office: Office) -> None:
    cheap = await office.purchase("failed", at=DAY, reason="expired", amount=Decimal(10))
    dear = await office.purchase("paid", at=DAY + timedelta(days=1), attention="Look!", amount=Decimal(500))
    other = await office.purchase("stocked", at=DAY + timedelta(days=2), customer_name="Bo Ek")
    visitor = await office.signed_in("vera")
    for query, expected in {
        "": [other, dear, cheap],
        "state=paid,failed": [dear, cheap],
        "state=paid&state=failed": [dear, cheap],
        "reason=expired": [cheap],
        "attention=1": [dear],
        "since=2026-03-11": [other, dear],
        "until=2026-03-11": [dear, cheap],
        "since=2026-03-11T13:01": [other],
        "since=2026-03-11T13:00%2B01:00&until=2026-03-11": [dear],
        "min=100": [other, dear],
        "max=149,00": [other, cheap],
        "q=ek": [other],
        "sort=oldest": [cheap, dear, other],
        "sort=amount-high": [dear, other, cheap],
        "sort=amount-low": [cheap, other, dear],
        "state=failed&q=ek": [],
    }.items():
        assert shown(await visitor.get(f"/purchases?{query}")) == expected, query


async def test_what_makes_no_sense_is_told_and_left_out(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("paid")
    visitor = await sqlite_office.signed_in("vera")
    query = "state=odd,paid&reason=bad&attention=yes&since=soon&until=2026-02-30&min=much&max=-1&sort=up"
    page = unescape(await visitor.get(f"/purchases?{query}"))
    for told in (
        "state “odd”",
        "reason “bad”",
        "“soon” is no date",
        "“2026-02-30”",
        "“much” is no amount",
        "“-1”",
    ):
        assert told in page
    assert ("no order “up”" in page, "not “yes”" in page, shown(page)) == (True, True, [purchase_id])
    page = unescape(await visitor.get("/purchases?since=2026-03-02&until=2026-03-01&min=5&max=4"))
    assert "ends before it begins" in page
    assert "largest amount is below the smallest" in page


async def test_the_filter_is_kept_by_every_link(sqlite_office: Office) -> None:
    for _ in range(51):
        await sqlite_office.purchase("paid", at=DAY, amount=Decimal(200))
    visitor = await sqlite_office.signed_in()
    kept = {"since": "2026-03-10", "min": "100", "q": "anna", "sort": "amount-high"}
    page = await visitor.get("/purchases", params={"state": "paid", **kept})
    further = address_of(page, "Further")
    assert further.pop("after") == shown(page)[-1]
    assert further == {"state": "paid", **kept}
    assert address_of(page, "Export CSV") == {"state": "paid", **kept}
    assert address_of(page, "Amount") == {"state": "paid", **kept, "sort": "amount-low"}
    assert address_of(page, "At least 100") == {
        "state": "paid",
        "since": "2026-03-10",
        "q": "anna",
        "sort": "amount-high",
    }
    stream = re.search(r'sse-connect="([^"]+)"', page)
    assert stream is not None
    told = dict(parse_qsl(urlsplit(unescape(stream[1])).query))
    assert (told["page"], told["state"], told["min"], told["q"]) == ("purchases", "paid", "100", "anna")
    second = await visitor.get("/purchases", params={"state": "paid", **kept, "after": shown(page)[-1]})
    assert len(shown(second)) == 1
    back = address_of(second, "← Back")
    assert shown(await visitor.get("/purchases", params=back)) == shown(page)


async def test_a_form_without_scripts_leads_to_a_short_address(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in("vera")
    form = "/purchases?q=anna&state=paid&state=failed&reason=&sort=&since=2026-03-01&until=&min=&max="
    async with visitor.http.get(visitor.base_url + form) as answer:
        assert str(answer.url).endswith("/purchases?state=paid,failed&since=2026-03-01&q=anna")


async def test_a_script_that_searches_is_told_the_short_address(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in("vera")
    headers = {"HX-Request": "true"}
    async with visitor.http.get(f"{visitor.base_url}/purchases?q=anna&reason=", headers=headers) as answer:
        assert answer.headers["HX-Replace-Url"] == "/purchases?q=anna"


async def test_a_page_whose_place_is_gone_shows_the_beginning(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("paid")
    visitor = await sqlite_office.signed_in("vera")
    assert shown(await visitor.get(f"/purchases?before={'f' * 36}")) == [purchase_id]


def _place_many(connection: Connection) -> None:
    """Copies of one purchase under other names, a second apart."""
    first = place(connection, "paid", DAY - timedelta(seconds=1))
    one = dict(connection.execute(select(purchases).where(purchases.c.id == first)).one()._mapping)
    names = ("=cmd()", "+1", "-2", "@sum", 'Åsa, "Öberg"\n')
    rows = []
    for number in range(4_999):
        at = DAY + timedelta(seconds=number)
        own = {"id": new_id(at), "request_key": new_id(), "created_at": at}
        rows.append({**one, **own, "customer_name": names[number % len(names)]})
    connection.execute(insert(purchases), rows)


def _exports(connection: Connection) -> list[tuple[str, str]]:
    about = (audit.c.actor, audit.c.detail)
    return [
        (row[0], row[1])
        for row in connection.execute(select(*about).where(audit.c.action == "purchase.export"))
    ]


async def _read_slowly(visitor: Visitor, address: str) -> tuple[str, str]:
    """The file, a little at a time, and its name."""
    pieces = []
    async with visitor.http.get(visitor.base_url + address) as answer:
        assert answer.status == 200
        async for piece in answer.content.iter_chunked(64 * 1024):
            pieces.append(piece)
            await asyncio.sleep(0)
    return b"".join(pieces).decode("utf-8"), answer.headers["Content-Disposition"]


async def test_the_file_has_every_purchase_of_the_filter(office: Office) -> None:
    await office.database.write(_place_many)
    await office.purchase("failed", reason="expired")
    visitor = await office.signed_in("olle")
    text, name = await _read_slowly(visitor, "/purchases.csv?state=paid&sort=oldest")
    assert text.startswith("\ufeff" + COLUMNS[0])
    rows = list(csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True)))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 5_001
    assert len({row[0] for row in rows}) == 5_001
    assert rows[2][COLUMNS.index("created_at")] == "2026-03-10 13:00:00", "in the shop's zone"
    names = {row[COLUMNS.index("name")] for row in rows[2:]}
    assert names == {"'=cmd()", "'+1", "'-2", "'@sum", 'Åsa, "Öberg"\n'}
    assert re.fullmatch(r'attachment; filename="purchases-demo-\d{4}-\d\d-\d\d\.csv"', name)
    assert await office.database.read(_exports) == [("operator:olle", "/purchases?state=paid&sort=oldest")]


async def test_who_may_only_look_takes_no_addresses_along(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in("vera")
    assert "Export CSV" not in await visitor.get("/purchases")
    assert "Only operators and admins may see this." in await visitor.get("/purchases.csv", 403)
    assert await sqlite_office.database.read(_exports) == []


async def test_who_is_not_signed_in_gets_no_file(sqlite_office: Office) -> None:
    async with sqlite_office.visitor().http.get(f"{sqlite_office.base_url}/purchases.csv") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert answer.url.path == "/login"


@pytest.mark.parametrize(
    ("query", "fits"), [("state=invoiced", False), ("state=paid,invoiced", True), ("q=bo", False)]
)
async def test_a_row_that_does_not_fit_any_more_is_told(
    sqlite_office: Office, query: str, fits: bool
) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    visitor = await sqlite_office.signed_in("vera")
    position = await sqlite_office.feed.position()
    address = f"{visitor.base_url}/events?page=purchases&after={position}&{query}"
    async with visitor.http.get(address) as answer, asyncio.timeout(10):
        await sqlite_office.move(purchase_id, Trigger.PAY)
        told = []
        async for line in answer.content:
            told.append(line.decode().strip())
            if told[-1].startswith("event: n-paid") and any('data-revision="3"' in line for line in told):
                break
    assert ("event: out" in told) is not fits
