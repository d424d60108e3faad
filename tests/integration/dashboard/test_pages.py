"""The pages, as a browser without scripts sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape

import pytest
from sqlalchemy import Connection, insert

from dashboard.headers import MAIL_POLICY, POLICY
from orchestrator.identity import new_id, now
from orchestrator.settlement import SeqrUnavailable
from orchestrator.tables import exchanges, outbox
from statemachine import ACTIONS, Action, State
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
    assert "No mail yet" in await visitor.get("/mails")
    assert "No mail is failed" in await visitor.get("/mails?state=failed")
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


@pytest.mark.parametrize("state", list(State))
async def test_each_action_is_offered_or_refused_in_words(sqlite_office: Office, state: State) -> None:
    purchase_id = await sqlite_office.purchase(state.value)
    page = await (await sqlite_office.signed_in()).get(f"/purchases/{purchase_id}")
    for action in Action:
        meaning = ACTIONS[action, state]
        assert (f'action="/purchases/{purchase_id}/{action.value}"' in page) == (meaning.effect is not None)
        assert meaning.words in unescape(page)
    assert f'class="state {state.value} current taken"' in page


async def test_an_action_is_done_by_who_asked(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    visitor = await sqlite_office.signed_in("olle")
    here = f"/purchases/{purchase_id}"
    page = await visitor.send(f"{here}/check", form_at=here)
    assert "Check now: done; it stays invoiced." in page
    assert sqlite_office.settlement.recorded == [(purchase_id, Action.CHECK, "operator:olle")]
    assert "done; it stays" not in await visitor.get(here)


async def test_an_action_that_came_too_late_says_why(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("stocked")
    visitor = await sqlite_office.signed_in()
    page = await visitor.send(f"/purchases/{purchase_id}/cancel", form_at=f"/purchases/{purchase_id}")
    assert 'class="flash bad"' in page
    await visitor.send("/purchases/nowhere/check", 404, form_at="/purchases")


async def test_an_action_that_seqr_cannot_do_now_says_so(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    visitor = await sqlite_office.signed_in()

    async def unreachable(*_: object, **__: object) -> None:
        raise SeqrUnavailable("SEQR cannot be reached.")

    monkeypatch.setattr(sqlite_office.settlement, "act", unreachable)
    here = f"/purchases/{purchase_id}"
    assert "SEQR cannot be reached." in await visitor.send(f"{here}/check", form_at=here)


def _call(connection: Connection, purchase_id: str) -> str:
    values = {
        "operation": "sendInvoice",
        "verdict": "answered",
        "result_code": 0,
        "detail": "",
        "duration_ms": 12.0,
    }
    call_id = new_id()
    texts = {"request": "<password>***</password>", "response": "<return/>", "started_at": now()}
    connection.execute(insert(exchanges).values(id=call_id, purchase_id=purchase_id, **values, **texts))
    return call_id


async def test_a_call_unfolds_its_texts(office: Office) -> None:
    purchase_id, other = await office.purchase("invoiced"), await office.purchase("paid")
    call_id = await office.database.write(_call, purchase_id)
    visitor = await office.signed_in("vera")
    assert f"/purchases/{purchase_id}/exchanges/{call_id}" in await visitor.get(f"/purchases/{purchase_id}")
    page = await visitor.get(f"/purchases/{purchase_id}/exchanges/{call_id}")
    assert "&lt;password&gt;***&lt;/password&gt;" in page
    await visitor.get(f"/purchases/{other}/exchanges/{call_id}", 404)


async def test_a_code_is_shown_while_it_can_be_paid(sqlite_office: Office) -> None:
    invoiced, paid = await sqlite_office.purchase("invoiced"), await sqlite_office.purchase("paid")
    visitor = await sqlite_office.signed_in()
    assert "seqr://SEQR.SE/R" in await visitor.get(f"/purchases/{invoiced}")
    assert "<svg" in await visitor.get(f"/purchases/{invoiced}/qr.svg")
    assert "qr.svg" not in await visitor.get(f"/purchases/{paid}")
    await visitor.get(f"/purchases/{paid}/qr.svg", 404)


def _mail(connection: Connection, /, purchase_id: str, **changes: object) -> str:
    mail_id = new_id()
    values = {
        "kind": "order_confirmation",
        "number": 1,
        "state": "kept",
        "recipient": "a@b.se",
        "message_id": "m",
    }
    row = {**values, "id": mail_id, "purchase_id": purchase_id, "created_at": now(), **changes}
    connection.execute(insert(outbox).values(row))
    return mail_id


async def test_mails_are_shown_and_can_do_nothing(office: Office) -> None:
    purchase_id = await office.purchase("stocked")
    html = "<script>alert(1)</script><p>Thank you</p>"
    bodies = {"subject": "Order <1>", "text_body": "Thank <you>", "html_body": html}
    mail_id = await office.database.write(_mail, purchase_id, **bodies)
    visitor = await office.signed_in("vera")
    assert "Order &lt;1&gt;" in await visitor.get("/mails?state=kept")
    assert "Thank &lt;you&gt;" in await visitor.get(f"/mails/{mail_id}")
    assert f"/mails/{mail_id}" in await visitor.get(f"/purchases/{purchase_id}")
    async with visitor.http.get(f"{office.base_url}/mails/{mail_id}/html") as answer:
        assert answer.headers["Content-Security-Policy"] == MAIL_POLICY
        assert await answer.text() == html
    await visitor.get("/mails/none", 404)


async def test_a_mail_that_is_not_written_yet(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("stocked")
    mail_id = await sqlite_office.database.write(_mail, purchase_id, state="queued", last_error="550 <no>")
    visitor = await sqlite_office.signed_in()
    page = await visitor.get(f"/mails/{mail_id}")
    assert "It is written when it is first due" in page
    assert "550 &lt;no&gt;" in page


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
