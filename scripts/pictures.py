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
import unicodedata
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench import history
from scripts import palette
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
        wait_until(lambda: is_ready(base_url))
        yield base_url, password[1]
    finally:
        process.terminate()
        process.wait(PATIENCE)


def is_ready(base_url: str) -> bool:
    try:
        urllib.request.urlopen(f"{base_url}/readyz")  # noqa: S310 (our own address)
    except OSError:
        return False
    return True


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("The demo did not become what the pictures are to show.")
        time.sleep(0.1)


def post(address: str, body: object = None) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, json.dumps(body or {}).encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310 (our own address)
        return dict(json.load(answer))


def trade(base_url: str) -> None:
    """Some orders: most get paid, some wait, one customer thinks better of it."""
    for number, customer in enumerate(CUSTOMERS * 2):
        reference = order(base_url, customer, TOKENS[number % len(TOKENS)])
        if (number + 1) % 5:
            pay(base_url, reference)
        elif (number + 1) % 10:
            post(f"{base_url}/sandbox/api/invoices/{reference}/cancel")


def order(base_url: str, customer: str, token: str) -> str:
    """Buy one piece; returns the reference of the invoice."""
    name = unicodedata.normalize("NFKD", customer).encode("ascii", "ignore").decode().lower()
    body = {
        "purchaseToken": token,
        "clientName": customer,
        "street": f"Storgatan {len(customer)}",
        "city": "Umeå",
        "country": "SE",
        "state": "",
        "zip": "903 26",
        "email": f"{name.replace(' ', '.')}@example.com",
        "msisdn": f"46701740{len(customer):03d}",
    }
    return post(f"{base_url}/seqr/createPurchase", body)["invoiceReferenceId"]


def pay(base_url: str, reference: str) -> None:
    post(f"{base_url}/sandbox/api/invoices/{reference}/pay")


def tend(page: Page, base_url: str) -> None:
    """What the merchant does: receives goods, counts, writes a note, checks in bulk, adds colleagues."""
    store(page, base_url, "te-100", "#change", "40", "Delivery from Norrsken")
    broken = [order(base_url, customer, "mugg-bla") for customer in CUSTOMERS[1:3]]
    store(page, base_url, "mugg-bla", "#counted", "0", "A shelf came down")
    for reference in broken:
        pay(base_url, reference)
    stuck = page.locator(".purchases .attention")
    wait_until(lambda: page.goto(f"{base_url}/purchases?attention=1") and stuck.count() == len(broken))
    page.locator(".c-who a").first.click()
    page.get_by_label("Write a note").fill("Told the customer: new mugs come on Thursday.")
    page.get_by_role("button", name="Keep the note").click()
    page.goto(f"{base_url}/purchases?state=invoiced,paid,failed")
    click(page, "#tick-page", "#bulk [value=check]")
    page.locator("#why").fill("Before the parcels leave")
    click(page, ".forecast button")
    page.goto(f"{base_url}/system/tokens")
    page.get_by_label("What will use it").fill("Warehouse")
    page.get_by_role("button", name="Make the token").click()
    for name, role in (("karin", "operator"), ("revisor", "viewer")):
        page.goto(f"{base_url}/system/users")
        page.get_by_label("Name").fill(name)
        page.get_by_role("radio", name=role).check()
        page.get_by_role("button", name="Add the user").click()


def store(page: Page, base_url: str, token: str, field: str, number: str, why: str) -> None:
    """Fill in one of the two forms of a product's stock."""
    page.goto(f"{base_url}/products/{token}")
    page.locator(field).fill(number)
    page.locator(f"{field}-reason").fill(why)
    page.locator(f"form:has({field}) button").click()
    page.wait_for_load_state()


def click(page: Page, *selectors: str) -> None:
    """Click the first of each, one after the other."""
    for selector in selectors:
        page.locator(selector).first.click()


@dataclass(frozen=True, slots=True)
class Sight:
    """A page to take: its name, its address, and what to click, in turn, to get further from there."""

    name: str
    address: str
    clicks: tuple[str, ...] = ()


SIGHTS = (
    Sight("overview", "/"),
    Sight("overview-week", "/?window=week"),
    Sight("purchases", "/purchases"),
    Sight("purchases-filtered", "/purchases?state=failed&reason=cancelled_by_customer"),
    Sight("purchases-nothing", "/purchases?q=nobody"),
    Sight("purchases-filters", "/purchases", ("#filters summary",)),
    Sight("purchases-chosen", "/purchases", (".c-tick input >> nth=2", ".c-tick input >> nth=4")),
    Sight("purchase-invoiced", "/purchases?state=invoiced", (".c-who a",)),
    Sight("purchase-cancel", "/purchases?state=invoiced", (".c-who a", "#ask-cancel summary")),
    Sight("purchase-stocked", "/purchases?state=stocked", (".c-who a",)),
    Sight("purchase-failed", "/purchases?state=failed", (".c-who a",)),
    Sight("purchase-stuck", "/purchases?attention=1", (".c-who a",)),
    Sight("products", "/products"),
    Sight("product", "/products/te-100"),
    Sight("product-waited-for", "/products/mugg-bla"),
    Sight("bundle", "/products/fikapaket"),
    Sight("product-edit", "/products/fikapaket/edit"),
    Sight("import", "/catalogue/import"),
    Sight("mails", "/mails"),
    Sight("mail", "/mails", (".c-who a",)),
    Sight("forecast", "/purchases", ("td.c-tick input", "#bulk [value=check]")),
    Sight("bulk", "/bulk"),
    Sight("bulk-run", "/bulk", (".c-who a",)),
    Sight("system", "/system"),
    Sight("settings", "/system/settings"),
    Sight("tokens", "/system/tokens"),
    Sight("users", "/system/users"),
    Sight("customers", "/system/customers"),
    Sight("audit", "/audit"),
    Sight("me", "/me"),
    Sight("missing", "/purchases/nothing-here"),
    Sight("shop", "/shop/"),
    Sight("panel", "/sandbox/"),
    Sight("shop-product", "/shop/products/kaffe-250"),
    Sight("phone", "/sandbox/phone"),
    Sight("phone-address", "/sandbox/phone", (".choices li:has(img) a",)),
    Sight("phone-details", "/sandbox/phone", (".choices a",)),
    Sight("phone-pin", "/sandbox/phone", (".choices a", ".bottom .button")),
    Sight("phone-receipt", "/sandbox/", ("tr:has(.state.paid) a",)),
)


def take(browser: Browser, base_url: str, password: str, scheme: str, width: str) -> None:
    """All pages in one colour scheme and width, the sign-in first."""
    size = dict(zip(("width", "height"), WIDTHS[width], strict=True))
    context = browser.new_context(viewport=size, color_scheme=scheme, locale="en-GB")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{base_url}/login")
    keep(page, "login", scheme, width)
    sign_in(page, base_url, password)
    for sight in SIGHTS:
        page.goto(base_url + sight.address)
        click(page, *sight.clicks)
        keep(page, sight.name, scheme, width)
    context.close()


def sign_in(page: Page, base_url: str, password: str) -> None:
    page.goto(f"{base_url}/login")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{base_url}/")


def keep(page: Page, name: str, scheme: str, width: str) -> None:
    page.wait_for_load_state()
    page.evaluate(ALL_IMAGES)
    page.screenshot(path=EVERYTHING / f"{name}-{width}-{scheme}.png", full_page=True)
    if width == "wide" and name in SHOWN:
        suffix = "-dark" if scheme == "dark" else ""
        picture = palette.reduced(page.context.new_page(), page.screenshot())
        (IMAGES / f"{SHOWN[name]}{suffix}.png").write_bytes(picture)


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    EVERYTHING.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        demo(folder) as (base_url, password),
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu"])
        trade(base_url)
        page = browser.new_page(locale="en-GB")
        sign_in(page, base_url, password)
        tend(page, base_url)
        history.write(Path(folder) / "var" / "orchestrator.db")
        for scheme in SCHEMES:
            for width in WIDTHS:
                take(browser, base_url, password, scheme, width)
        browser.close()
    print(f"Wrote {len(SIGHTS) + 1} pages to var/pictures, each at two widths, light and dark.")


if __name__ == "__main__":
    main()
