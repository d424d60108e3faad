"""From a purchase back to the list that one came from, with its filter."""

from __future__ import annotations

import re

from tests.fixtures.dashboard import Office, Visitor


async def way_back(visitor: Visitor, path: str, came_from: str = "") -> str:
    page = await visitor.get(path, headers={"Referer": visitor.base_url + came_from} if came_from else {})
    found = re.search(r'<p class="trail"><a href="([^"]+)"', page)
    assert found is not None
    return found[1].replace("&amp;", "&")


async def test_the_filter_is_kept_also_after_acting(sqlite_office: Office) -> None:
    one, other = [f"/purchases/{await sqlite_office.purchase('paid')}" for _ in range(2)]
    visitor = await sqlite_office.signed_in()
    listed = "/purchases?state=paid&q=Anna"
    assert await way_back(visitor, one) == "/purchases"
    assert await way_back(visitor, one, listed) == listed
    assert await way_back(visitor, one, one) == listed
    assert await way_back(visitor, one, "/") == "/purchases"
    assert await way_back(visitor, one, one) == "/purchases"
    assert await way_back(visitor, other, "/purchases") == "/purchases"


async def test_nothing_but_a_filter_is_taken_from_elsewhere(sqlite_office: Office) -> None:
    one = f"/purchases/{await sqlite_office.purchase('paid')}"
    visitor = await sqlite_office.signed_in()
    assert await way_back(visitor, one, f"/purchases?q={'x' * 1000}") == "/purchases"
    assert await way_back(visitor, one, "//elsewhere.example/purchases?q=%22%3E") in (
        "/purchases",
        "/purchases?q=%22%3E",
    )
    assert await way_back(visitor, one, "/purchases.csv?q=x") == "/purchases"
