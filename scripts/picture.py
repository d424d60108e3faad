"""Take the README's picture: the dashboard of a real demo in which some people have just bought something.

``python -m scripts.picture`` writes docs/images/dashboard.png and dashboard-dark.png.
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
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from scripts.browser import find_browser

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1360, "height": 760}
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


def take(browser: Browser, base_url: str, password: str, scheme: str, file: Path) -> None:
    context = browser.new_context(viewport=SIZE, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{base_url}/login")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Live").wait_for()
    page.screenshot(path=file)
    context.close()


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        demo(folder) as (base_url, password),
        sync_playwright() as play,
    ):
        trade(base_url)
        browser = play.chromium.launch(executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu"])
        for scheme, name in (("light", "dashboard.png"), ("dark", "dashboard-dark.png")):
            take(browser, base_url, password, scheme, IMAGES / name)
            print(f"wrote docs/images/{name}")
        browser.close()


if __name__ == "__main__":
    main()
