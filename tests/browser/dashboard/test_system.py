"""The system's pages in a browser: live, kind to what somebody is at, and every action on them."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Page, expect

from dashboard import condition
from orchestrator.calls import CallBook
from orchestrator.doctor import CHECKS
from orchestrator.identity import now
from orchestrator.pulse import Reporter, Sources
from orchestrator.scheduler import Job
from orchestrator.seqr.messages import Exchange, Verdict
from tests.fixtures.axe import violations
from tests.fixtures.dashboard import PASSWORD, Office


async def nothing() -> None:
    """What the jobs here do."""


class Running:
    """A process that reports when the test says."""

    def __init__(self, office: Office) -> None:
        self.job = Job("mail", nothing, 1.0)
        self.calls = CallBook()
        sources = Sources([self.job], self.calls, lambda: office.feed.listeners)
        self._reporter = Reporter(office.database, sources, lambda text: text)

    async def run(self, error: str | None = None) -> None:
        """The job runs, SEQR is called, and both are reported."""
        self.job.begin()
        self.job.end(error, 0.04)
        self.calls.observe(
            Exchange("getPaymentStatus", now(), 41, Verdict.ANSWERED, 0, "SEQR says PAID.", "<a/>", "<b/>")
        )
        await self._reporter.run_once()


@pytest.fixture
async def running(sqlite_office: Office, monkeypatch: pytest.MonkeyPatch) -> Running:
    monkeypatch.setattr(condition, "EVERY", 0.3)
    process = Running(sqlite_office)
    await process.run()
    return process


async def sign_in(page: Page, office: Office, name: str, path: str) -> None:
    await page.goto(office.base_url + path)
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()


async def test_the_page_follows_the_processes_and_leaves_the_focus_alone(
    page: Page, sqlite_office: Office, running: Running
) -> None:
    await sign_in(page, sqlite_office, "vera", "/system")
    await expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    await expect(page.get_by_role("row", name=re.compile("^mail"))).to_contain_text("well")
    await expect(page.get_by_role("link", name="Settings")).to_have_count(0)
    before = await page.locator(".process").element_handle()
    await running.run("The mail server does not answer.")
    await expect(page.get_by_role("row", name=re.compile("^mail"))).to_contain_text(
        "The mail server does not answer."
    )
    await expect(page.locator(".troubles")).to_contain_text("A job fails or hangs")
    assert before is not None
    assert await before.evaluate("element => element.isConnected")
    assert await violations(page) == []
    await running.run()
    await expect(page.get_by_text("All is well.")).to_be_visible()
    await expect(page.get_by_role("row", name=re.compile("^getPaymentStatus"))).to_contain_text("3")


async def test_an_admin_reads_the_settings_and_runs_the_checks(
    page: Page, sqlite_office: Office, running: Running
) -> None:
    await sign_in(page, sqlite_office, "ada", "/system")
    await page.get_by_role("link", name="Settings").click()
    row = page.get_by_role("row", name=re.compile("ORCHESTRATOR_PUBLIC_URL"))
    await expect(row).to_contain_text(sqlite_office.base_url)
    await expect(page.get_by_role("row", name=re.compile("ORCHESTRATOR_SEQR_PASSWORD"))).to_contain_text(
        "not set"
    )
    button = page.get_by_role("button", name="Run the checks")
    await button.click()
    await expect(page.get_by_text("Missing: ORCHESTRATOR_SEQR_ENDPOINT")).to_be_visible(timeout=40_000)
    await expect(page.locator(".findings li")).to_have_count(len(CHECKS))
    await expect(button).to_be_enabled()
    await expect(page).to_have_url(re.compile("/system/settings$"))
    assert await violations(page) == []


async def test_the_checks_run_without_scripts(
    browser: Browser, sqlite_office: Office, running: Running
) -> None:
    async with await browser.new_context(java_script_enabled=False) as context:
        page = await context.new_page()
        page.set_default_timeout(40_000)
        await sign_in(page, sqlite_office, "ada", "/system/settings")
        await page.get_by_role("button", name="Run the checks").click()
        await expect(page.locator(".findings li")).to_have_count(len(CHECKS))
        await page.get_by_role("link", name="System").last.click()
        await expect(page.get_by_role("row", name=re.compile("^mail"))).to_contain_text("well")
