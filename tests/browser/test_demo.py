"""The first minute with the project: the demo in a process of its own, bought in by clicking only."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, expect

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Demo:
    """The running demo, as it announced itself."""

    base_url: str
    password: str
    process: asyncio.subprocess.Process


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
    with (tmp_path / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "orchestrator", "demo", "--port", str(free_port())),
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        announced = (await process.stdout.readuntil(b"Stop with Ctrl+C.")).decode()
        base_url = re.search(r"Dashboard +(\S+)/", announced)
        password = re.search(r"admin / (\S+)", announced)
        assert base_url is not None
        assert password is not None
        while b"Uvicorn running" not in (tmp_path / "log").read_bytes():  # before that nobody listens
            assert process.returncode is None, (tmp_path / "log").read_text()
            await asyncio.sleep(0.05)
    yield Demo(base_url[1], password[1], process)
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(20):
        assert await process.wait() == -signal.SIGTERM, (tmp_path / "log").read_text()
    assert "Traceback" not in (tmp_path / "log").read_text()


async def sign_in(page: Page, demo: Demo) -> None:
    await page.goto(f"{demo.base_url}/")
    await page.get_by_label("Name").fill("admin")
    await page.get_by_label("Password").fill(demo.password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()


async def buy(page: Page, demo: Demo) -> None:
    """From the shop's page to the phone's confirmation, by clicking."""
    await page.goto(f"{demo.base_url}/shop/")
    await page.get_by_role("link", name=re.compile("Skogsrost, mellanrost")).click()
    await page.locator("#qrcode a, a#qrcode").first.click()
    await expect(page.locator("html")).to_have_attribute("data-state", "address")
    await page.get_by_role("button", name="Confirm address").click()
    await expect(page.locator("html")).to_have_attribute("data-state", "details")
    await page.get_by_role("button", name="Pay").click()
    for digit in "1357":
        await page.get_by_role("button", name=digit, exact=True).click()
    await expect(page.locator("html")).to_have_attribute("data-state", "confirmed")


async def stock_on_hand(page: Page, demo: Demo, token: str) -> int:
    await page.goto(f"{demo.base_url}/products/{token}")
    return int(await page.locator("dt:text-is('On hand') + dd").inner_text())


async def test_a_purchase_is_made_watched_stocked_and_confirmed(context: BrowserContext, demo: Demo) -> None:
    dashboard, shop = await context.new_page(), await context.new_page()
    await sign_in(dashboard, demo)
    before = await stock_on_hand(dashboard, demo, "kaffe-250")
    await dashboard.goto(f"{demo.base_url}/purchases")

    await buy(shop, demo)

    await dashboard.bring_to_front()
    await expect(dashboard.get_by_text(re.compile(r"1 new"))).to_be_visible()
    await dashboard.get_by_text(re.compile(r"1 new")).click()
    row = dashboard.get_by_role("row").filter(has_text="Skogsrost")
    await expect(row).to_contain_text("stocked", ignore_case=True)
    await row.get_by_role("link").first.click()
    for said in ("Sent the invoice", "Asked SEQR", "Order confirmation", "Instant Checkout"):
        await expect(dashboard.locator("main")).to_contain_text(said, ignore_case=True)
    assert await stock_on_hand(dashboard, demo, "kaffe-250") == before - 1
    async with asyncio.timeout(10):  # the postman comes by once a second
        while True:
            await dashboard.goto(f"{demo.base_url}/mails")
            if "Skogsrost" in await dashboard.locator("main").inner_text():
                break


async def test_seqr_is_switched_off_and_on_again(page: Page, demo: Demo) -> None:
    await page.goto(f"{demo.base_url}/sandbox/")
    await page.get_by_role("button", name="Switch SEQR off").click()
    await expect(page.get_by_role("heading", name="SEQR is down")).to_be_visible()

    await page.goto(f"{demo.base_url}/shop/products/mugg-bla")
    await page.get_by_role("link", name="click to use the demo phone").click()
    await page.get_by_role("button", name="Confirm address").click()
    await expect(page.get_by_role("alert")).to_contain_text("cannot take payments right now")
    await expect(page.get_by_role("alert")).to_contain_text("you have not been charged")

    await page.get_by_role("link", name="Switch it on again").click()
    await page.get_by_role("button", name="Switch SEQR on").click()
    shown = page.locator("html[data-state=details], html[data-state=error]")
    async with asyncio.timeout(30):  # an equal order may still wait for the invoice that went astray
        while True:
            await page.goto(f"{demo.base_url}/shop/products/mugg-bla")
            await page.get_by_role("link", name="click to use the demo phone").click()
            await page.get_by_role("button", name="Confirm address").click()
            await expect(shown).to_be_attached()
            if await shown.get_attribute("data-state") == "details":
                break
    await expect(page.locator("[data-total]")).to_have_text("149,00\N{NO-BREAK SPACE}kr")


async def test_addresses_as_people_and_programs_type_them(page: Page, demo: Demo) -> None:
    for name in ("shop", "sandbox"):
        await page.goto(f"{demo.base_url}/{name}")
        await expect(page).to_have_url(f"{demo.base_url}/{name}/")
    answer = await page.request.get(f"{demo.base_url}/api/v1/nope")
    assert (answer.status, (await answer.json())["error"]) == (404, "not_found")
