"""The mails in a browser: finding one, looking at it, sending it again, and their state while one looks."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Page, expect
from sqlalchemy import Connection, update

from orchestrator.tables import outbox
from tests.browser.dashboard.test_purchase import enter, live
from tests.fixtures import happenings
from tests.fixtures.axe import violations
from tests.fixtures.dashboard import Office


def _change(connection: Connection, /, mail_id: str, **values: Any) -> None:
    connection.execute(update(outbox).where(outbox.c.id == mail_id).values(**values))


async def test_a_mail_is_found_looked_at_and_sent_again(page: Page, sqlite_office: Office) -> None:
    office = sqlite_office
    purchase_id = await office.purchase("invoiced")
    other = await office.purchase("stocked")
    await office.database.write(happenings.mail, other, recipient="bo@example.com")
    error = "The mail server localhost:25 cannot be reached: refused"
    html = '<p>Pay with this</p><img src="cid:code@seqr" alt="the code"><script>document.title="x"</script>'
    mail_id = await office.database.write(
        happenings.mail,
        purchase_id,
        kind="payment_link",
        state="failed",
        subject="Your payment",
        last_error=error,
        attempts=3,
        html_body=html,
        text_body="Pay with this",
    )
    await enter(page, office, "/mails")
    await live(page)
    assert await violations(page) == []
    await page.get_by_role("link", name=re.compile("^given up 1")).click()
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.get_by_label("Search by recipient").fill("bo@")
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_text("No mail to an address with")).to_be_visible()
    await expect(page).to_have_url(re.compile("state=failed&q=bo"))
    await page.goto(f"{office.base_url}/mails")
    await page.get_by_role("link", name="anna@example.com").click()
    await expect(page.get_by_role("note")).to_contain_text("The mail server does not answer.")
    letter = page.frame_locator("iframe")
    picture = letter.get_by_alt_text("the code")
    await expect(picture).to_have_attribute("src", re.compile("^data:image/png"))
    assert await picture.evaluate("picture => picture.naturalWidth") > 0
    assert await violations(page) == []
    await live(page)
    await page.get_by_role("button", name="Send again").click()
    await expect(page.locator(".flash")).to_contain_text("It is sent again to anna@example.com")
    await expect(page.get_by_role("button", name="Send again")).to_be_disabled()
    await live(page)
    await office.database.write(_change, mail_id, state="sent", attempts=1, next_attempt_at=None)
    await expect(page.locator(".big-state")).to_contain_text("sent")
    await page.get_by_role("link", name="about this purchase").click()
    await expect(page.locator("#timeline")).to_contain_text("Mail written again")
    await page.get_by_role("button", name="Send again to anna@example.com").click()
    await expect(page.locator(".flash")).to_contain_text("It is sent again")
    await expect(page).to_have_url(re.compile(f"/purchases/{purchase_id}"))


async def test_the_list_follows_what_happens(page: Page, sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("stocked")
    mail_id = await sqlite_office.database.write(happenings.mail, purchase_id, state="queued")
    await enter(page, sqlite_office, "/mails", "vera")
    await live(page)
    await page.get_by_label("Search by recipient").fill("half wri")
    await sqlite_office.database.write(_change, mail_id, state="sent")
    await expect(page.locator("tbody tr .state-word")).to_have_text("sent")
    await expect(page.get_by_role("link", name=re.compile("^sent 1"))).to_be_visible()
    await sqlite_office.database.write(happenings.mail, purchase_id, number=2, recipient="new@example.com")
    await expect(page.locator("tbody tr")).to_have_count(2)
    await expect(page.get_by_label("Search by recipient")).to_have_value("half wri")
