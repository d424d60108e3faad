"""The audit log: who did what, found by person, action, subject and day."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.queries.audit import Filter, read_page
from orchestrator import audit
from orchestrator.stamp import Stamp
from tests.fixtures.dashboard import Office

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PURCHASE = "0195f5a0-0000-7000-8000-000000000001"


async def record(
    office: Office, actor: str, action: str, subject: str, at: datetime, detail: str = ""
) -> None:
    await office.database.write(audit.record, Stamp(actor, at), action, subject, detail, "192.0.2.7")


@pytest.fixture
async def log(office: Office) -> Office:
    """Five deeds of three days."""
    day = timedelta(days=1)
    await record(office, "operator:olle", "purchase.cancel", PURCHASE, NOON, "The customer rang")
    await record(office, "api:Till <3>", "stock.receive", "mug", NOON - day, "+5")
    await record(office, "operator:olle", "purchase.retry", PURCHASE, NOON - day)
    await record(office, "cli", "user.add", "gone", NOON - 2 * day, "viewer")
    await record(office, "operator:gone", "product.import", "catalogue", NOON - 2 * day, "<b>3</b> added")
    return office


def told(page: str) -> list[str]:
    """What was done, newest first, but for the sign-in that it takes to look."""
    found = re.findall(r'<td class="c-what">([^<]+)</td>', page)
    return [words for words in found if words != "Signed in"]


async def test_it_tells_who_did_what_when_why_and_from_where(log: Office) -> None:
    page = await (await log.signed_in("olle")).get("/audit")
    assert told(page) == [
        "Cancelled a purchase",
        "Retried a purchase",
        "Received stock",
        "Imported products",
        "Added a user",
    ]
    for words in ("2026-03-02 13:00:00", "The customer rang", "192.0.2.7", "API token Till &lt;3&gt;"):
        assert words in page
    assert "&lt;b&gt;3&lt;/b&gt; added" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("who=operator:olle&what=purchase", ["Cancelled a purchase", "Retried a purchase"]),
        ("what=purchase.retry", ["Retried a purchase"]),
        ("who=operator:gone", ["Imported products"]),
        ("who=api:Till+%3C3%3E", ["Received stock"]),
        (f"subject={PURCHASE}", ["Cancelled a purchase", "Retried a purchase"]),
        ("since=2026-03-01&until=2026-03-01", ["Retried a purchase", "Received stock"]),
        ("until=2026-02-28", ["Imported products", "Added a user"]),
        ("until=yesterday&since=0001-01-01&what=user.add", ["Added a user"]),
        ("what=nothing", []),
    ],
)
async def test_the_filter_is_in_the_address(log: Office, query: str, found: list[str]) -> None:
    page = await (await log.signed_in("ada")).get(f"/audit?{query}")
    assert sorted(told(page)) == sorted(found)
    assert found or "Nothing was recorded that fits this filter." in page


async def test_the_form_shows_what_is_asked_for(log: Office) -> None:
    page = await (await log.signed_in("ada")).get(
        "/audit?who=operator:gone&what=product.import&subject=catalogue&since=2026-02-01&until=2026-04-01"
    )
    for value in ("operator:gone", "product.import"):
        assert f'value="{value}" selected' in page
    for value in ("catalogue", "2026-02-01", "2026-04-01"):
        assert f'value="{value}"' in page


async def test_subjects_lead_to_their_pages(log: Office) -> None:
    await record(log, "operator:ada", "token.make", "Till", NOON)
    for name, more in (("olle", set[str]()), ("ada", {"/system/users/gone", "/system/tokens"})):
        page = await (await log.signed_in(name)).get("/audit?until=2026-03-05")
        table = page[page.index("<tbody>") :]
        assert set(re.findall(r'href="([^"]+)"', table)) == {f"/purchases/{PURCHASE}", "/products/mug"} | more


async def test_subjects_have_names_beside_their_ids(office: Office) -> None:
    purchase_id = await office.purchase("paid")
    for action, subject in (("purchase.check", purchase_id), ("stock.receive", "mug"), ("bulk.stop", "mug")):
        await record(office, "cli", action, subject, NOON)
    page = await (await office.signed_in("olle")).get("/audit?who=cli")
    table = page[page.index("<tbody>") :]
    assert re.findall(r'<span class="sub">([^<]+)<', table) == ["Mug", "Anna Svensson"]


async def test_pages_follow_each_other_without_gap_or_overlap(office: Office) -> None:
    for number in range(7):
        # Three of each moment: the id decides between them.
        await record(office, "cli", "user.add", f"u{number}", NOON + timedelta(seconds=number // 3))
    seen: list[str] = []
    older = ""
    for _ in range(4):
        found = await office.database.read(read_page, Filter(actor="cli"), older, 2)
        seen += [deed.subject for deed in found.rows]
        older = found.older
    assert older == ""
    assert sorted(seen) == [f"u{number}" for number in range(7)]
    times = [int(subject[1:]) // 3 for subject in seen]
    assert times == sorted(times, reverse=True)
    assert (await office.database.read(read_page, Filter(), "unknown")).rows == ()


async def test_a_long_log_has_pages_that_keep_the_filter(sqlite_office: Office) -> None:
    for number in range(51):
        await record(sqlite_office, "cli", "user.add", f"u{number}", NOON + timedelta(seconds=number))
    olle = await sqlite_office.signed_in("olle")
    page = await olle.get("/audit?who=cli")
    older = re.search(r'href="(/audit\?who=cli&amp;older=[^"]+)" rel="next"', page)
    assert older is not None
    page = await olle.get(older[1].replace("&amp;", "&"))
    assert ('<td class="c-subject">u0</td>' in page, 'href="/audit?who=cli"' in page) == (True, True)
    assert "u1<" not in page


async def test_a_viewer_does_not_read_it(sqlite_office: Office) -> None:
    vera = await sqlite_office.signed_in("vera")
    assert "Only operators and admins may see this." in await vera.get("/audit", 403)
