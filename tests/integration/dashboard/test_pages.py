"""The pages, as a browser without scripts sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape

import pytest

from dashboard.headers import POLICY
from tests.fixtures.dashboard import Office

ODD = ["<b>Åsa</b>", "]]>", 'O\'Brien "& Co"', "<script>alert(1)</script>", "田中 花子", "{{ 7 * 7 }}"]


def text(page: str) -> str:
    """A page's words, one space between them."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def links(page: str) -> Iterator[str]:
    return (unescape(found) for found in re.findall(r'(?:href|src)="(/[^"]*)"', page))


async def test_the_list_shows_what_there_is(office: Office) -> None:
    await office.purchase("paid", attention="The stock lacks 1 × mug.")
    page = await (await office.signed_in()).get("/purchases")
    words = text(page)
    for word in (
        "Anna Svensson",
        "Mug",
        "149,00 kr",
        "The stock lacks 1 × mug.",
        "1 paid",
        "1 needs attention",
    ):
        assert word in words


async def test_everything_that_a_page_links_to_is_there(office: Office) -> None:
    purchase_id = await office.purchase("invoiced")
    visitor = await office.signed_in("ada")
    pages = [
        "/purchases",
        f"/purchases/{purchase_id}",
        "/products",
        "/products/mug",
        "/products/set",
        "/mails",
    ]
    addresses = {address for page in pages for address in links(await visitor.get(page))}
    assert {f"/purchases/{purchase_id}/qr.svg", "/qr/mug.svg"} <= addresses
    for address in addresses:
        async with visitor.http.get(visitor.base_url + address) as answer:
            assert answer.status == 200, address


@pytest.mark.parametrize("odd", ODD)
async def test_odd_text_is_only_text(sqlite_office: Office, odd: str) -> None:
    purchase_id = await sqlite_office.purchase(
        "failed", customer_name=odd, title=odd, reason="expired", attention=odd
    )
    visitor = await sqlite_office.signed_in()
    for path in ("/purchases", f"/purchases/{purchase_id}"):
        page = await visitor.get(path)
        assert str(escape(odd)).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page
        assert odd not in page or odd == escape(odd)
    page = await visitor.get("/purchases", params={"q": odd})
    assert purchase_id in page


async def test_filters_and_search_stay_in_every_address(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    await sqlite_office.purchase("paid")
    page = await visitor.get("/purchases?state=paid&q=anna")
    assert "/purchases?state=failed&q=anna" in set(links(page))
    assert 'name="state" value="paid"' in page
    assert "Nothing found" in await visitor.get("/purchases?q=nobody&state=odd&attention=1&older=%00")


async def test_empty_lists_say_what_to_do(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    assert "No purchase yet" in await visitor.get("/purchases")
    await sqlite_office.purchase("paid")
    assert "No purchase is stocked now" in await visitor.get("/purchases?state=stocked")
    assert "Nothing needs a hand" in await visitor.get("/purchases?attention=1")


async def test_lists_go_on(sqlite_office: Office) -> None:
    for _ in range(51):
        await sqlite_office.purchase("paid")
    visitor = await sqlite_office.signed_in()
    (older,) = re.findall(r'href="([^"]+)" rel="next"', await visitor.get("/purchases?state=paid"))
    page = await visitor.get(unescape(older))
    assert page.count("<tr id=") == 1
    assert 'rel="prev"' in page


async def test_pages_are_neither_kept_nor_framed_and_run_nothing_foreign(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    for path in ("/purchases", "/nowhere", "/login"):
        async with visitor.http.get(sqlite_office.base_url + path) as answer:
            page = await answer.text()
            assert answer.headers["Content-Security-Policy"] == POLICY
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)


async def test_static_files_may_be_kept_for_ever(sqlite_office: Office) -> None:
    visitor = sqlite_office.visitor()
    (sheet,) = re.findall(r'href="([^"]+\.css\?[^"]+)"', await visitor.get("/login"))
    async with visitor.http.get(sqlite_office.base_url + sheet) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
    async with visitor.http.get(sqlite_office.base_url + sheet.partition("?")[0]) as answer:
        assert "immutable" not in answer.headers.get("Cache-Control", "")
    await visitor.get("/static/dashboard/../app.py", 404)
