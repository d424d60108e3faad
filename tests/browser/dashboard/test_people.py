"""People in a browser: signing in, the own page, users, API tokens and the audit log."""

from __future__ import annotations

from playwright.async_api import Browser, Page, expect

from orchestrator import api_token, users
from orchestrator.identity import now
from orchestrator.stamp import Stamp
from orchestrator.users import Role
from tests.fixtures.axe import violations
from tests.fixtures.dashboard import PASSWORD, Office

NEW = "battery staple"


async def enter(page: Page, office: Office, name: str, path: str = "/me", password: str = PASSWORD) -> None:
    await page.goto(office.base_url + path)
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(office.base_url + path)


async def test_the_own_page_changes_language_password_and_sessions(
    page: Page, browser: Browser, sqlite_office: Office
) -> None:
    office = sqlite_office
    await enter(page, office, "vera")
    await expect(page.get_by_role("link", name="Audit log")).to_have_count(0)
    await page.get_by_label("Svenska").check()
    await page.get_by_role("button", name="Save the language").click()
    await expect(page.locator("html")).to_have_attribute("lang", "sv")
    await page.get_by_role("radio").first.check()
    await page.locator("form[action='/me/language'] button").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    async with await browser.new_context() as context:
        other = await context.new_page()
        await enter(other, office, "vera")
        await page.reload()
        await expect(page.locator(".sessions tbody tr")).to_have_count(2)
        await expect(page.locator(".sessions")).to_contain_text("Chrome on Linux")
        await page.get_by_role("button", name="Sign out Chrome on Linux").click()
        await expect(page.locator(".flash")).to_have_text("That browser is signed out.")
        await other.goto(f"{office.base_url}/purchases")
        await expect(other.get_by_role("button", name="Sign in")).to_be_visible()
        await enter(other, office, "vera")
        await page.reload()
        await page.get_by_role("button", name="Sign all others out").click()
        await expect(page.locator(".flash")).to_have_text("1 other browser was signed out.")
        await other.reload()
        await expect(other.get_by_role("button", name="Sign in")).to_be_visible()
    await _change_password(page, "wrong password")
    await expect(page.get_by_role("alert")).to_contain_text("The old password is another.")
    await _change_password(page, PASSWORD)
    await expect(page.locator(".flash")).to_contain_text("You have a new password.")
    await page.get_by_role("banner").get_by_role("button", name="Sign out").click()
    await enter(page, office, "vera", password=NEW)


async def _change_password(page: Page, old: str) -> None:
    await page.get_by_label("Old password").fill(old)
    await page.get_by_label("New password, at least").fill(NEW)
    await page.get_by_label("New password, once more").fill(NEW)
    await page.get_by_role("button", name="Change the password").click()


async def test_who_guesses_is_locked_out_and_told_for_how_long(page: Page, sqlite_office: Office) -> None:
    await page.goto(f"{sqlite_office.base_url}/login?language=sv")
    await expect(page.locator("html")).to_have_attribute("lang", "sv")
    await page.get_by_role("link", name="English").click()
    await page.get_by_label("Name").fill("vera")
    for _ in range(5):
        await page.get_by_label("Password", exact=True).fill("wrong password")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_contain_text("No user has that name and password.")
        await expect(page.get_by_label("Name")).to_have_value("vera")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_have_text(
        "Too many sign-ins went wrong. Try again in 15 minutes."
    )
    assert await violations(page) == []


async def test_an_admin_adds_changes_and_removes_a_user(
    page: Page, browser: Browser, sqlite_office: Office
) -> None:
    office = sqlite_office
    await enter(page, office, "ada", "/system/users")
    await page.get_by_label("Name").fill("anna")
    await page.get_by_label("viewer").check()
    await page.get_by_role("button", name="Add the user").click()
    await expect(page.get_by_role("heading", name="The password of anna")).to_be_visible()
    assert await violations(page) == []
    password = await page.locator("#secret").inner_text()
    async with await browser.new_context() as context:
        anna = await context.new_page()
        await enter(anna, office, "anna", password=password)
        await page.get_by_role("link", name="I have kept it").click()
        await page.get_by_label("operator").check()
        await office.database.write(users.set_role, "anna", Role.ADMIN, Stamp("cli", now()))
        await page.get_by_role("button", name="Change the role").click()
        await expect(page.get_by_role("alert")).to_contain_text("Somebody else has made anna admin meanwhile")
        await expect(page.get_by_label("admin")).to_be_checked()
        await page.get_by_label("operator").check()
        await page.get_by_role("button", name="Change the role").click()
        await expect(page.locator(".flash")).to_have_text("anna is operator now.")
        await anna.reload()
        await expect(anna.get_by_role("button", name="Sign in")).to_be_visible()
    await page.get_by_label("Password, at least").fill(NEW)
    await page.get_by_role("button", name="Set the password").click()
    await expect(page.locator(".flash")).to_have_text("anna has a new password.")
    await page.locator("summary", has_text="Remove anna").click()
    await page.get_by_role("button", name="Yes, remove anna").click()
    await expect(page.locator(".flash")).to_contain_text("anna is removed")
    await expect(page.locator(".people")).not_to_contain_text("anna")
    await page.goto(f"{office.base_url}/system/users/ada")
    await page.locator("summary", has_text="Remove ada").click()
    await page.get_by_role("button", name="Yes, remove ada").click()
    await expect(page.get_by_role("alert")).to_contain_text("This is the last admin")


async def test_a_token_is_made_copied_and_revoked(page: Page, sqlite_office: Office) -> None:
    office = sqlite_office
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await enter(page, office, "ada", "/system/tokens")
    await expect(page.get_by_text("No API token is in use.")).to_be_visible()
    await page.get_by_label("What will use it").fill("Till 3")
    await page.get_by_role("button", name="Make the token").click()
    token = await page.locator("#secret").inner_text()
    await page.get_by_role("button", name="Copy").click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == token
    assert await office.database.read(api_token.recognise, token) is not None
    await page.get_by_role("link", name="I have kept it").click()
    await expect(page.locator("main")).not_to_contain_text(token)
    await page.locator("summary", has_text="Revoke").click()
    assert await violations(page) == []
    await page.get_by_role("button", name="Yes, revoke Till 3").click()
    await expect(page.locator(".flash")).to_have_text("Till 3 is let in no more.")
    assert await office.database.read(api_token.recognise, token) is None
    await page.get_by_text("1 revoked token").click()
    await expect(page.locator(".old .tokens")).to_contain_text("Till 3")


async def test_the_audit_log_is_filtered_and_the_filter_survives(page: Page, sqlite_office: Office) -> None:
    office = sqlite_office
    await office.database.write(api_token.make, "Till 3", Stamp("operator:ada", now()), "192.0.2.7")
    await enter(page, office, "olle", "/audit")
    await expect(page.locator(".deeds tbody tr")).to_have_count(2)
    await page.get_by_label("Who").select_option(label="ada")
    await page.get_by_label("What", exact=True).select_option(label="Made an API token")
    await page.get_by_role("button", name="Filter").click()
    await expect(page.locator(".deeds tbody tr")).to_have_count(1)
    await expect(page.locator(".deeds tbody tr")).to_contain_text("192.0.2.7")
    await page.reload()
    await expect(page.get_by_label("What", exact=True)).to_have_value("token.make")
    await page.get_by_label("To what").fill("nothing")
    await page.get_by_role("button", name="Filter").click()
    await expect(page.get_by_text("Nothing was recorded that fits this filter.")).to_be_visible()
    await page.go_back()
    await expect(page.locator(".deeds tbody tr")).to_have_count(1)
    await page.get_by_role("link", name="Show all").click()
    await expect(page.locator(".deeds tbody tr")).to_have_count(2)
    await expect(page.get_by_role("link", name="Users")).to_have_count(0)
