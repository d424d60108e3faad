"""The mails' pages, as a browser without scripts sees them."""

from __future__ import annotations

import re
from html import unescape

from sqlalchemy import Connection, select

from dashboard.headers import MAIL_POLICY
from orchestrator.database import Database
from orchestrator.tables import audit, journal, outbox
from tests.fixtures import happenings
from tests.fixtures.dashboard import Office, at_office
from tests.integration.dashboard.test_pages import text


async def test_mails_are_shown_and_can_do_nothing(office: Office) -> None:
    purchase_id = await office.purchase("stocked")
    html = "<script>alert(1)</script><p>Thank you</p>"
    bodies = {"subject": "Order <1>", "text_body": "Thank <you>", "html_body": html}
    mail_id = await office.database.write(happenings.mail, purchase_id, **bodies)
    visitor = await office.signed_in("vera")
    assert "Order &lt;1&gt;" in await visitor.get("/mails?state=kept")
    page = await visitor.get(f"/mails/{mail_id}")
    assert "Thank &lt;you&gt;" in page
    assert "no mail server was set then" in page
    assert "resend" not in page
    assert f"/mails/{mail_id}" in await visitor.get(f"/purchases/{purchase_id}")
    async with visitor.http.get(f"{office.base_url}/mails/{mail_id}/html") as answer:
        assert answer.headers["Content-Security-Policy"] == MAIL_POLICY
        assert await answer.text() == html
    await visitor.get("/mails/none", 404)


async def test_the_code_in_a_mail_is_shown_with_it(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    html = '<img src="cid:code@seqr">'
    mail_id = await sqlite_office.database.write(
        happenings.mail, purchase_id, kind="payment_link", html_body=html
    )
    page = await (await sqlite_office.signed_in()).get(f"/mails/{mail_id}/html")
    assert page.startswith('<img src="data:image/png;base64,iVBOR')


async def test_a_mail_that_is_not_written_yet(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("stocked")
    changes = {"state": "queued", "last_error": "The mail server a:25 did not take the mail: 550 <no>"}
    mail_id = await sqlite_office.database.write(happenings.mail, purchase_id, **changes)
    visitor = await sqlite_office.signed_in()
    page = await visitor.get(f"/mails/{mail_id}")
    assert "It is written when it is first due" in page
    assert "The mail server refused the mail." in page
    assert "ask for the right one" in page
    assert "550 &lt;no&gt;" in page
    assert "It is waiting to be sent already." in page


async def test_the_list_by_state_and_by_recipient(office: Office) -> None:
    purchase_id = ""
    for number in range(52):
        purchase_id = await office.purchase("stocked")
        await office.database.write(happenings.mail, purchase_id, recipient=f"kund{number:02}@example.com")
    await office.database.write(
        happenings.mail, purchase_id, number=2, state="failed", recipient="Bo_1@b.se", last_error="Strange."
    )
    visitor = await office.signed_in("vera")
    words = unescape(text(await visitor.get("/mails")))
    for tab in ("all 53", "kept 52", "given up 1"):
        assert tab in words
    page = await visitor.get("/mails?state=kept&q=KUND")
    (older,) = re.findall(r'href="([^"]+)" rel="next"', page)
    assert "q=KUND" in older
    assert "kund01@" in await visitor.get(unescape(older))
    found = await visitor.get("/mails?q=bo_")
    assert "Bo_1@b.se" in found
    assert "kund" not in found.replace("q=", "")
    assert "The mail could not be sent." in found
    assert "No mail to an address with" in await visitor.get("/mails", params={"q": "<%>"})


async def test_empty_lists_say_so(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    assert "No mail yet" in await visitor.get("/mails")
    assert "No mail is given up" in text(await visitor.get("/mails?state=failed"))
    assert "No mail yet" in await visitor.get("/mails?state=odd")


def _told(connection: Connection) -> tuple[str, list[str], list[str]]:
    mail = connection.execute(select(outbox.c.state)).scalar_one()
    rows = select(journal.c.trigger).order_by(journal.c.id)
    deeds = select(audit.c.action).where(audit.c.action.like("mail.%"))
    return mail, list(connection.execute(rows).scalars()), list(connection.execute(deeds).scalars())


async def test_a_mail_is_sent_again(office: Office) -> None:
    purchase_id = await office.purchase("stocked")
    mail_id = await office.database.write(happenings.mail, purchase_id, state="sent")
    visitor = await office.signed_in()
    here = f"/mails/{mail_id}"
    page = text(
        await visitor.send(f"{here}/resend", form_at=here, seen="4", next=f"/purchases/{purchase_id}")
    )
    assert "It is sent again to anna@example.com in a moment." in page
    assert "Mail written again" in page
    state, triggers, deeds = await office.database.read(_told)
    assert (state, triggers[-1], deeds) == ("queued", "mail_resent", ["mail.resend"])
    again = await visitor.send(f"{here}/resend", form_at=here)
    assert "It is waiting to be sent already." in again


async def test_who_looked_before_another_sent_it_again_is_told(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("stocked")
    mail_id = await sqlite_office.database.write(happenings.mail, purchase_id, state="sent")
    ada, olle = await sqlite_office.signed_in("ada"), await sqlite_office.signed_in("olle")
    here = f"/mails/{mail_id}"
    await ada.send(f"{here}/resend", form_at=here, seen="4")
    page = text(await olle.send(f"{here}/resend", 409, form_at=here, seen="4"))
    assert "Send again was not done" in page
    assert "ada : Sent again to the customer." in page


async def test_a_pay_link_to_nothing_is_not_sent(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("failed")
    mail_id = await sqlite_office.database.write(
        happenings.mail, purchase_id, kind="payment_link", state="sent"
    )
    visitor = await sqlite_office.signed_in()
    here = f"/mails/{mail_id}"
    assert f'action="{here}/resend"' not in await visitor.get(here)
    assert "There is nothing left to pay" in await visitor.send(f"{here}/resend", form_at="/purchases")
    await visitor.send("/mails/none/resend", 404, form_at="/purchases")


async def test_without_a_mail_server_nothing_is_said_to_be_sent(sqlite_only: Database) -> None:
    async with at_office(sqlite_only, smtp_url=None) as office:
        purchase_id = await office.purchase("stocked")
        failed = await office.purchase("failed")
        mail_id = await office.database.write(happenings.mail, purchase_id, state="kept")
        visitor = await office.signed_in()
        assert "no mail reaches a customer" in text(await visitor.get("/mails"))
        here = f"/mails/{mail_id}"
        before = await visitor.get(here)
        after = text(await visitor.send(f"{here}/resend", form_at=here))
        timeline = text(await visitor.get(f"/purchases/{purchase_id}"))
        retry = text(await visitor.get(f"/purchases/{failed}"))
        swedish = text(await visitor.get("/mails", headers={"Accept-Language": "sv"}))
    assert "Write again, to keep" in before
    assert "It is written anew in a moment and kept here; no mail server is set." in after
    assert "Written again and kept; no mail server is set." in timeline
    assert "is only kept here, since no mail server is set" in retry
    for page in (before, after, timeline, retry):
        assert "Send again" not in page
        assert "mails the customer" not in page
    assert "inga mejl når en kund" in swedish
