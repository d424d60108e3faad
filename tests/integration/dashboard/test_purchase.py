"""The page of one purchase, as a browser without scripts sees it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, insert

from dashboard.actions import buttons
from orchestrator.identity import new_id, now
from orchestrator.journal import mark
from orchestrator.purchase import load
from orchestrator.sending import SeqrUnavailable
from orchestrator.stamp import Stamp
from orchestrator.tables import invoice_attempts, purchases
from statemachine import ACTIONS, Action, State, Trigger
from tests.fixtures import happenings
from tests.fixtures.dashboard import Office, Visitor
from tests.integration.dashboard.test_pages import text

EVA = "operator:eva"


def _words(page: str) -> str:
    return unescape(text(page))


async def _act(visitor: Visitor, purchase_id: str, action: str, status: int = 200, **fields: str) -> str:
    here = f"/purchases/{purchase_id}"
    return _words(await visitor.send(f"{here}/{action}", status, form_at=here, **fields))


@pytest.mark.parametrize("state", list(State))
async def test_each_action_is_offered_or_withheld_in_words(sqlite_office: Office, state: State) -> None:
    purchase_id = await sqlite_office.purchase(state.value)
    page = await (await sqlite_office.signed_in()).get(f"/purchases/{purchase_id}")
    for button in buttons(state.value):
        assert (f'action="/purchases/{purchase_id}/{button.action}"' in page) == button.offered
        assert button.words in unescape(page)
        if button.offered:  # what is offered is allowed
            assert ACTIONS[Action(button.action), state].effect is not None
    assert f'class="state {state.value} current taken"' in page


async def test_who_only_looks_is_offered_nothing(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    page = await (await sqlite_office.signed_in("vera")).get(f"/purchases/{purchase_id}")
    assert f'action="/purchases/{purchase_id}' not in page


async def test_an_action_is_done_by_who_asked_and_leads_on(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    visitor = await sqlite_office.signed_in("olle")
    assert "Check now: done. It is still invoiced." in await _act(visitor, purchase_id, "check", seen="2")
    assert sqlite_office.settlement.recorded == [(purchase_id, Action.CHECK, "operator:olle")]
    assert "done. It" not in await visitor.get(f"/purchases/{purchase_id}")
    page = await _act(visitor, purchase_id, "cancel", seen="2", why=" She rang. ", next="/products")
    assert "Coffee" in page or "Mug" in page
    assert "Waiting for the customer" not in page
    assert sqlite_office.settlement.reasons == ["", "She rang."]


async def test_the_second_of_two_people_is_told_what_the_first_did(office: Office) -> None:
    purchase_id = await office.purchase("invoiced")
    eva, olle = await office.signed_in("ada"), await office.signed_in("olle")
    assert "Call her back." in await _act(eva, purchase_id, "note", text="Call her back.", seen="2")
    page = await _act(olle, purchase_id, "cancel", 409, seen="2", why="Nobody wants it.")
    assert "Cancel was not done: the purchase has changed since you looked at it" in page
    assert "ada : Call her back." in page
    assert office.settlement.recorded == []
    again = await olle.send(
        f"/purchases/{purchase_id}/cancel", 409, form_at="/purchases", seen="2", why="Nobody wants it."
    )
    assert 'value="Nobody wants it."' in again
    assert 'name="seen" value="3"' in again
    await _act(olle, purchase_id, "cancel", seen="3", why="Nobody wants it.")
    assert office.settlement.reasons == ["Nobody wants it."]


async def test_an_action_that_came_too_late_says_why(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("stocked")
    visitor = await sqlite_office.signed_in()
    assert "Refund it at SEQR if they come back." in await _act(visitor, purchase_id, "cancel")
    await visitor.send("/purchases/nowhere/check", 404, form_at="/purchases")
    await visitor.send("/purchases/nowhere/note", 404, form_at="/purchases", text="Hello")


async def test_an_action_that_seqr_cannot_do_now_says_so(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    visitor = await sqlite_office.signed_in()

    async def unreachable(*_: object, **__: object) -> None:
        raise SeqrUnavailable("SEQR cannot be reached.")

    async def silent(*_: object, **__: object) -> bool:
        return False

    monkeypatch.setattr(sqlite_office.settlement, "act", unreachable)
    assert "SEQR cannot be reached." in await _act(visitor, purchase_id, "check")
    monkeypatch.setattr(sqlite_office.settlement, "act", silent)
    assert "SEQR did not answer. It is asked again by itself." in await _act(visitor, purchase_id, "check")


async def test_a_note_is_kept_or_says_what_is_wrong_with_it(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("paid")
    visitor = await sqlite_office.signed_in()
    page = await _act(visitor, purchase_id, "note", text="Wants it\r\nblue <b>")
    assert "The note is kept." in page
    assert "olle wrote a note" in page
    assert "Wants it blue <b>" in page
    here = f"/purchases/{purchase_id}"
    wrong = await visitor.send(f"{here}/note", 422, form_at=here, text="x" * 1001)
    assert "A note may have 1000 characters" in wrong
    assert "x" * 1001 in wrong


def _stuck(connection: Connection, purchase_id: str, why: str) -> None:
    mark(connection, load(connection, purchase_id), why, Stamp("reconciler", now()))


LACKS = "Paid, but the stock lacks 1 × mug (0 left): restock it, then it goes on by itself; or refund it."


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (
            LACKS,
            "Paid, but the stock lacks 1 × mug (0 left). Receive the goods into the stock, and it goes on",
        ),
        (
            "SEQR refuses to tell about invoice R1: 21 ACCESS_DENIED.",
            "SEQR will not say whether invoice R1 is paid (21 ACCESS_DENIED). We keep asking.",
        ),
        ("Something of an older version.", "Something of an older version."),
    ],
)
async def test_why_it_is_stuck_is_read_first(sqlite_office: Office, why: str, said: str) -> None:
    purchase_id = await sqlite_office.purchase("paid")
    await sqlite_office.database.write(_stuck, purchase_id, why)
    page = await (await sqlite_office.signed_in()).get(f"/purchases/{purchase_id}")
    words = _words(page)
    assert said in words
    assert words.index(said) < words.index("Check now")
    assert ('href="/products/mug">Receive stock of mug' in page) == ("mug" in why)
    assert "attention_over" not in page


def _issued(connection: Connection, /, purchase_id: str, **changes: object) -> None:
    row = {
        "id": new_id(),
        "purchase_id": purchase_id,
        "number": 1,
        "state": "open",
        "reference": load(connection, purchase_id).invoice_reference,
        "sent_at": now(),
        "issued_at": now(),
    }
    connection.execute(insert(invoice_attempts).values(row | changes))


async def test_what_it_waits_for_and_until_when(sqlite_office: Office) -> None:
    at = now() + timedelta(seconds=4)
    purchase_id = await sqlite_office.purchase("invoiced", next_check_at=at)
    await sqlite_office.database.write(_issued, purchase_id)
    visitor = await sqlite_office.signed_in()
    words = _words(await visitor.get(f"/purchases/{purchase_id}"))
    assert "Waiting for the customer to pay. The invoice lives until" in words
    assert "(14 min from now); then it is cancelled by itself." in words
    assert "asked again" not in words, "a time that stands still is soon wrong"
    other = await sqlite_office.purchase("invoiced")
    await sqlite_office.database.write(_issued, other, cancel_reason="cancelled_by_merchant")
    assert "SEQR is being asked to cancel the invoice." in await visitor.get(f"/purchases/{other}")


async def test_while_seqr_is_silent_the_page_says_what_may_become_of_the_money(
    sqlite_office: Office,
) -> None:
    at = now() - timedelta(seconds=70)
    purchase_id = await sqlite_office.purchase("invoiced", checks_failed=3)
    for seconds, verdict in ((-30, "answered"), (0, "unknown"), (30, "busy")):
        begun = at + timedelta(seconds=seconds)
        await sqlite_office.database.write(happenings.call, purchase_id, begun, verdict=verdict)
    visitor = await sqlite_office.signed_in()
    words = _words(await visitor.get(f"/purchases/{purchase_id}"))
    assert re.search(
        r"SEQR has not answered for (1 min|7\d s) ?; the customer may already have paid\.", words
    )
    assert "SEQR gives the money back 20 s after a payment nobody asked about." in words
    assert "Waiting for the customer" not in words
    assert "It sent a notification" not in words
    await sqlite_office.database.write(_notified, purchase_id)
    page = await visitor.get(f"/purchases/{purchase_id}", headers={"Accept-Language": "sv"})
    assert "SEQR ger tillbaka pengarna 20 s efter en betalning som ingen frågat om." in _words(page)
    assert "Det skickade en avisering" in _words(page)


def _notified(connection: Connection, /, purchase_id: str) -> None:
    connection.execute(purchases.update().where(purchases.c.id == purchase_id).values(notified_at=now()))


async def test_an_invoice_that_is_in_doubt_has_no_code_to_pay_it(sqlite_office: Office) -> None:
    why = "SEQR refuses to tell about invoice R1: 54 INVALID_INVOICE_REFERENCE."
    sure, doubtful = await sqlite_office.purchase(), await sqlite_office.purchase(attention=why)
    visitor = await sqlite_office.signed_in()
    for purchase_id, status in ((sure, 200), (doubtful, 404)):
        page = await visitor.get(f"/purchases/{purchase_id}")
        assert ("/qr.svg" in page) == (status == 200)
        await visitor.get(f"/purchases/{purchase_id}/qr.svg", status)


async def test_a_check_in_vain_is_not_called_done(sqlite_office: Office) -> None:
    why = "SEQR refuses to tell about invoice R1: 54 INVALID_INVOICE_REFERENCE."
    purchase_id = await sqlite_office.purchase(attention=why)
    page = await _act(await sqlite_office.signed_in(), purchase_id, "check")
    assert "Check now: SEQR will not say whether invoice R1 is paid (54 INVALID_INVOICE_REFERENCE)." in page
    assert "Check now: done" not in page


async def test_a_call_unfolds_its_texts(office: Office) -> None:
    purchase_id, other = await office.purchase("invoiced"), await office.purchase("paid")
    call_id = await office.database.write(happenings.call, purchase_id)
    visitor = await office.signed_in("vera")
    assert f"/purchases/{purchase_id}/exchanges/{call_id}" in await visitor.get(f"/purchases/{purchase_id}")
    page = await visitor.get(f"/purchases/{purchase_id}/exchanges/{call_id}")
    assert "&lt;password&gt;***&lt;/password&gt;" in page
    await visitor.get(f"/purchases/{other}/exchanges/{call_id}", 404)


async def test_the_part_of_the_timeline_stands_in_the_address(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    await sqlite_office.database.write(happenings.asks, purchase_id, 3, now() + timedelta(minutes=1))
    await sqlite_office.database.write(
        happenings.deed, purchase_id, "purchase.check", EVA, now(), "It takes long."
    )
    visitor = await sqlite_office.signed_in()
    here = f"/purchases/{purchase_id}"
    everything, people, calls = [
        _words(await visitor.get(here + part)) for part in ("", "?show=people", "?show=calls")
    ]
    asked, checked = "Asked SEQR for the payment’s status 3 times", "Checked it eva It takes long."
    assert [asked in page for page in (everything, people, calls)] == [True, False, True]
    assert [checked in page for page in (everything, people, calls)] == [True, True, False]
    odd = await visitor.get(here, params={"show": "odd", "before": "yesterday"})
    assert asked in _words(odd)
    before = {"show": "calls", "before": (now() - timedelta(days=1)).isoformat()}
    earlier = _words(await visitor.get(here, params=before))
    assert "These are earlier ones." in earlier
    assert "SEQR has not been called about it." in earlier


async def test_a_reference_leads_to_its_purchase(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("paid", invoice_reference="2015030607", ers_reference="E-1")
    visitor = await sqlite_office.signed_in("vera")
    for reference in ("2015030607", "E-1"):
        assert purchase_id in await visitor.get(f"/purchases/{reference}")
    await visitor.get("/purchases/nothing", 404)


async def test_a_code_is_shown_while_it_can_be_paid(sqlite_office: Office) -> None:
    invoiced, paid = await sqlite_office.purchase("invoiced"), await sqlite_office.purchase("paid")
    visitor = await sqlite_office.signed_in()
    assert "seqr://SEQR.SE/R" in await visitor.get(f"/purchases/{invoiced}")
    assert "<svg" in await visitor.get(f"/purchases/{invoiced}/qr.svg")
    assert "qr.svg" not in await visitor.get(f"/purchases/{paid}")
    await visitor.get(f"/purchases/{paid}/qr.svg", 404)


async def test_a_long_story_is_shown_in_stretches(office: Office) -> None:
    purchase_id = await office.purchase("invoiced", at=now() - timedelta(days=1))
    await office.database.write(_long, purchase_id)
    visitor = await office.signed_in()
    page = await visitor.get(f"/purchases/{purchase_id}")
    assert page.count('class="texts"') < 1000
    assert "Show earlier" in page
    await office.move(purchase_id, Trigger.PAY)


def _long(connection: Connection, purchase_id: str) -> None:
    for number in range(1200):
        at = now() - timedelta(seconds=2 * number)
        happenings.call(connection, purchase_id, at, operation="getPaymentStatus", detail=str(number % 400))


async def test_what_is_older_than_a_month_is_told_by_its_day_and_not_as_ago(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in("vera")
    for days, told in ((3, "Anna Svensson, 3 d ago"), (400, "Anna Svensson, {day} ")):
        at = now() - timedelta(days=days)
        said = _words(await visitor.get(f"/purchases/{await sqlite_office.purchase('stocked', at=at)}"))
        assert told.format(day=f"{at.astimezone(ZoneInfo('Europe/Stockholm')):%Y-%m-%d}") in said
        assert (" ago" in said.partition("Timeline")[0]) == (days == 3)
