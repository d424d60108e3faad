"""Take a picture of every page: a real demo with a fortnight of trade, in which people have just bought.

``make pictures`` (``python -m scripts.pictures``) writes each page at 1440 and 390 px, light and dark, into
``var/pictures``, and those that the README and the docs show into ``docs/images``.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench import history
from scripts.browser import find_browser

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
EVERYTHING = ROOT / "var" / "pictures"
WIDTHS = {"wide": (1440, 900), "phone": (390, 844)}
SCHEMES = ("light", "dark")
SHOWN = {
    "overview-week": "overview",
    "purchases": "dashboard",
    "purchase-stocked": "purchase",
    "product": "product",
    "shop": "shop",
}
"""Of the wide pictures, those that the docs show, and under which name."""
CUSTOMERS = (
    "Anna Svensson",
    "Åsa Öberg",
    "Björn Lindström",
    "Karim Haddad",
    "Maja Nilsson",
    "Elin Karlsson",
    "Olof Bergström",
    "Sara Johansson",
    "Per Ek",
)
TOKENS = ("kaffe-250", "te-100", "mugg-bla", "fikapaket", "bok-fika", "termos-1l", "presentask", "choklad-80")
PATIENCE = 30
ALL_IMAGES = """async () => {
  for (const image of document.images) { image.loading = "eager"; await image.decode(); }
}"""
"""A picture of the whole page is taken without scrolling to what is loaded late."""


@contextmanager
def demo(folder: str) -> Iterator[tuple[str, str]]:
    """A demo in an empty folder; gives its address and admin's password."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    command = [sys.executable, "-m", "orchestrator", "demo", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        announced = "".join(iter(process.stdout.readline, "  Stop with Ctrl+C.\n"))
        password = re.search(r"admin / (\S+)", announced)
        assert password is not None, announced
        base_url = f"http://127.0.0.1:{port}"
        wait_until_ready(base_url)
        yield base_url, password[1]
    finally:
        process.terminate()
        process.wait(PATIENCE)


def wait_until_ready(base_url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(f"{base_url}/readyz")  # noqa: S310 (our own address)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def post(address: str, body: object = None) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, json.dumps(body or {}).encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310 (our own address)
        return dict(json.load(answer))


def trade(base_url: str) -> None:
    """Some orders: most get paid, some wait, one customer thinks better of it."""
    for number, customer in enumerate(CUSTOMERS * 2):
        order = {
            "purchaseToken": TOKENS[number % len(TOKENS)],
            "clientName": customer,
            "street": f"Storgatan {number + 1}",
            "city": "Umeå",
            "country": "SE",
            "state": "",
            "zip": "903 26",
            "email": f"kund{number}@example.com",
            "msisdn": f"4670174{number:04d}",
        }
        reference = post(f"{base_url}/seqr/createPurchase", order)["invoiceReferenceId"]
        if (number + 1) % 5:
            post(f"{base_url}/sandbox/api/invoices/{reference}/pay")
        elif (number + 1) % 10:
            post(f"{base_url}/sandbox/api/invoices/{reference}/cancel")


@dataclass(frozen=True, slots=True)
class Sight:
    """A page to take: its name, its address, and what to click to get further from there."""

    name: str
    address: str
    click: str = ""


SIGHTS = (
    Sight("overview", "/"),
    Sight("overview-week", "/?window=week"),
    Sight("purchases", "/purchases"),
    Sight("purchases-filtered", "/purchases?state=failed&reason=cancelled_by_customer"),
    Sight("purchases-nothing", "/purchases?q=nobody"),
    Sight("purchase-invoiced", "/purchases?state=invoiced", ".c-who a"),
    Sight("purchase-stocked", "/purchases?state=stocked", ".c-who a"),
    Sight("purchase-failed", "/purchases?state=failed", ".c-who a"),
    Sight("products", "/products"),
    Sight("product", "/products/kaffe-250"),
    Sight("mails", "/mails"),
    Sight("mail", "/mails", ".c-who a"),
    Sight("bulk", "/bulk"),
    Sight("system", "/system"),
    Sight("settings", "/system/settings"),
    Sight("tokens", "/system/tokens"),
    Sight("users", "/system/users"),
    Sight("audit", "/audit"),
    Sight("me", "/me"),
    Sight("missing", "/purchases/nothing-here"),
    Sight("shop", "/shop/"),
    Sight("panel", "/sandbox/"),
    Sight("phone", "/sandbox/phone"),
)


def take(browser: Browser, base_url: str, password: str, scheme: str, width: str) -> None:
    """All pages in one colour scheme and width, the sign-in first."""
    size = dict(zip(("width", "height"), WIDTHS[width], strict=True))
    context = browser.new_context(viewport=size, color_scheme=scheme, locale="en-GB")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{base_url}/login")
    keep(page, "login", scheme, width)
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    for sight in SIGHTS:
        page.goto(base_url + sight.address)
        if sight.click:
            page.locator(sight.click).first.click()
        keep(page, sight.name, scheme, width)
    context.close()


def keep(page: Page, name: str, scheme: str, width: str) -> None:
    page.wait_for_load_state()
    page.evaluate(ALL_IMAGES)
    page.screenshot(path=EVERYTHING / f"{name}-{width}-{scheme}.png", full_page=True)
    if width == "wide" and name in SHOWN:
        suffix = "-dark" if scheme == "dark" else ""
        page.screenshot(path=IMAGES / f"{SHOWN[name]}{suffix}.png")


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    EVERYTHING.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        demo(folder) as (base_url, password),
        sync_playwright() as play,
    ):
        history.write(Path(folder) / "var" / "orchestrator.db")
        trade(base_url)
        browser = play.chromium.launch(executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu"])
        for scheme in SCHEMES:
            for width in WIDTHS:
                take(browser, base_url, password, scheme, width)
        browser.close()
    print(f"Wrote {len(SIGHTS) + 1} pages to var/pictures, each at two widths, light and dark.")


if __name__ == "__main__":
    main()
