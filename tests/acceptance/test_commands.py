"""The commands as real processes: what they refuse, how they stop, and that they keep their secrets."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.faults import NotificationFaults, OperationFault
from tests.acceptance.command import Command, Ended, Terminal
from tests.acceptance.premises import Nursery, Premises, premises
from tests.fixtures import invariants
from tests.fixtures.postgres import free_port
from tests.fixtures.sandbox import ROOT
from tests.fixtures.shop import until

SECRETS = {
    "secret_key": "the-key-that-signs-everything",
    "api_token": "the-token-of-the-settings",
    "admin_password": "the-password-of-the-admin",
    "create_purchase_password": "the-password-of-the-caller",
    "smtp_url": "smtp://shop:the-password-of-the-mail-server@127.0.0.1:9",
}
CREDENTIALS = {"seqr_principal_id": "public_test_shop_terminal", "seqr_password": "12345678"}
USUAL: dict[str, object] = {**SECRETS, **CREDENTIALS, "create_purchase_user": "seqr", "log_level": "debug"}
GUARDED = [*SECRETS.values(), "12345678", "the-password-of-the-mail-server", "the-password-of-the-database"]
BUYER = {"name": "Anna Svensson", "email": "anna@example.com"}


@pytest.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    """A folder, secrets in the environment, and afterwards the question whether anything told one."""
    terminal = Terminal(tmp_path, USUAL)
    yield terminal
    said = await terminal.close()
    assert [secret for secret in GUARDED if secret in said] == []


def one_line(ended: Ended, words: str) -> None:
    """The command failed with one clear line."""
    assert (ended.code, ended.out) == (1, ""), ended
    assert ended.err.count("\n") == 1
    assert words in ended.err


def stopped_well(ended: Ended) -> None:
    """It stopped because it was asked to, and nothing went wrong before or on the way."""
    assert ended.code in (0, -signal.SIGTERM), ended
    wrong = [
        line
        for line in (ended.out + ended.err).splitlines()
        if "Traceback" in line or '"level": "error"' in line
    ]
    assert wrong == []


async def test_wrong_settings_stop_the_start_with_one_line(terminal: Terminal) -> None:
    right = dict(terminal.settings)
    wrong: list[tuple[dict[str, object], str]] = [
        ({"database_url": "mysql://shop:the-password-of-the-database@db/shop"}, "ORCHESTRATOR_DATABASE_URL"),
        ({"api_token": "short"}, "ORCHESTRATOR_API_TOKEN"),
        ({"smtp_url": "the-password-of-the-mail-server"}, "ORCHESTRATOR_SMTP_URL"),
        ({}, "ORCHESTRATOR_SEQR_ENDPOINT"),
    ]
    for changes, variable in wrong:
        terminal.settings = right | changes
        one_line(await terminal.run("serve"), variable)


async def test_a_database_that_is_away_is_one_line(terminal: Terminal) -> None:
    address = f"postgresql://shop:the-password-of-the-database@127.0.0.1:{free_port()}/shop"
    terminal.settings |= {"database_url": address, "seqr_endpoint": "http://127.0.0.1:9/seqr"}
    one_line(await terminal.run("serve", "--port", str(free_port())), "ORCHESTRATOR_DATABASE_URL")


async def test_a_shop_from_nothing_to_the_first_sale(terminal: Terminal) -> None:
    port = free_port()
    shop = f"http://127.0.0.1:{port}"
    terminal.settings |= {"public_url": shop, "seqr_endpoint": "http://127.0.0.1:9/seqr"}
    one_line(await terminal.run("serve", "--port", str(port)), "orchestrator migrate")
    assert (await terminal.run("migrate")).code == 0
    catalogue = str(ROOT / "orchestrator" / "demo_catalogue.csv")
    imported, added, sandbox = await asyncio.gather(
        terminal.run("products", "import", catalogue),
        terminal.run("users", "add", "bo", typed="the-password-of-the-admin\n"),
        terminal.start("sandbox", "--port", "0", "--create-purchase", f"{shop}/seqr/createPurchase"),
    )
    assert (imported.code, added.code) == (0, 0), (imported, added)
    terminal.settings["seqr_endpoint"] = soap = await sandbox.until_it_says(r"SOAP (http://\S+/seqr)\b")
    seqr = soap.removesuffix("/seqr")

    await terminal.start("serve", "--port", str(port))
    async with aiohttp.ClientSession() as http:
        await until(lambda: is_ready(http, shop), 60)
        code = "HTTP://SEQR.SE/000/wss?w=demo&t=kaffe-250"
        scanned = await post(http, f"{seqr}/api/scan", {"code": code, "customer": BUYER})
        await post(http, f"{seqr}/api/invoices/{scanned['invoice_reference']}/pay")
        await until(lambda: has_states(http, shop, ["stocked"]))
        (purchase,) = await listed(http, shop)

    listing, again, unknown, dossier, kept, doctor = await asyncio.gather(
        terminal.run("purchases", "list"),
        terminal.run("purchases", "retry", purchase["id"]),
        terminal.run("purchases", "show", "nothing"),
        terminal.run("customer", "export", "--email", BUYER["email"]),
        terminal.run("customer", "erase", "--email", BUYER["email"], "--yes"),
        terminal.run("doctor"),
    )
    assert purchase["id"] in listing.out
    one_line(again, "nothing to retry")
    one_line(unknown, "There is no purchase")
    assert json.loads(dossier.out)["purchases"][0]["customer"]["name"] == BUYER["name"]
    assert (kept.code, "a mail has not gone out yet" in kept.err) == (1, True)
    failures = [line for line in doctor.out.splitlines() if line.startswith("fail")]
    assert [line.split()[1] for line in failures] == ["SMTP"]  # nothing listens at the mail server's address


async def test_the_demo_sells_without_a_single_setting(tmp_path: Path) -> None:
    port = free_port()
    shop, terminal = f"http://127.0.0.1:{port}", Terminal(tmp_path, {"api_token": SECRETS["api_token"]})
    demo = await terminal.start("demo", "--port", str(port))
    try:
        assert await demo.until_it_says(r"SEQR \(SOAP\)\s+(\S+)") == f"{shop}/sandbox/seqr"
        assert await demo.until_it_says(r"Login\s+admin / (\S+)")
        async with aiohttp.ClientSession() as http:
            await until(lambda: is_ready(http, shop), 60)
            code = f"{shop}/sandbox/phone?w=demo&t=kaffe-250"
            scanned = await post(http, f"{shop}/sandbox/api/scan", {"code": code, "customer": BUYER})
            await post(http, f"{shop}/sandbox/api/invoices/{scanned['invoice_reference']}/pay")
            await until(lambda: has_states(http, shop, ["stocked"]))
        stopped_well(await demo.terminate())
    finally:
        await terminal.close()


@pytest.fixture
async def supervised(database_url: str, nursery: Nursery, tmp_path: Path) -> AsyncIterator[Premises]:
    """A stocked shop whose program is to be started by command, with SEQR in this process."""
    database_url = database_url.replace("postgres:postgres@", "postgres:the-password-of-the-database@")
    usual: dict[str, Any] = {
        name: value for name, value in USUAL.items() if not name.startswith("create_purchase")
    }
    async with premises(database_url, nursery, tmp_path / "none.log", **usual) as shop:
        yield shop


async def test_a_stop_finishes_the_order_in_flight(supervised: Premises, terminal: Terminal) -> None:
    shop, port = supervised, supervised.vacate()
    terminal.settings = shop.settings
    serving = await terminal.start("serve", "--port", str(port))
    await until(lambda: is_ready(shop.http, shop.addresses[0]), 60)
    shop.sandbox.faults.set("sendInvoice", OperationFault(latency=1, times=1))
    order = asyncio.create_task(shop.order())
    await until(lambda: nothing_is_left_of(shop.sandbox.faults.operations))

    stopped = await serving.terminate()

    (booked,) = shop.sandbox.ledger.invoices
    assert await order == (200, {"invoiceReferenceId": booked.reference})
    stopped_well(stopped)
    books = await shop.check()
    assert [purchase["invoice_reference"] for purchase in books.purchases] == [booked.reference]


async def nothing_is_left_of(faults: dict[str, OperationFault]) -> bool:
    """Whether SEQR has taken the call that a fault was set for."""
    return not faults


async def test_workers_share_the_work_and_are_replaced(supervised: Premises, terminal: Terminal) -> None:
    shop, port = supervised, supervised.vacate()
    terminal.settings = shop.settings
    shop.sandbox.faults.notifications = NotificationFaults(lost=True)
    serving = await terminal.start("serve", "--port", str(port), "--workers", "2")
    await until(lambda: has_started(serving, 2), 60)

    references = await buy_together(shop, 10)
    killed = children(serving.pid)[0]
    os.kill(killed, signal.SIGKILL)
    for reference in references:
        shop.sandbox.ledger.pay(reference)
    await until(lambda: are_stocked(shop, 10), 20)
    await until(lambda: has_started(serving, 3), 60)
    remaining = children(serving.pid)
    assert (len(remaining), killed in remaining) == (2, False)

    # New ones take over one by one, and nobody who calls meanwhile is turned away.
    os.kill(serving.pid, signal.SIGHUP)
    orders = 0
    while not await has_started(serving, 5):
        orders += 1
        assert (await shop.order(purchaseToken="spoon", email=f"later{orders}@example.com"))[0] in (200, 409)
    await until(lambda: has_children(serving.pid, 2), 60)
    assert set(remaining).isdisjoint(children(serving.pid))

    shop.sandbox.faults.set("sendInvoice", OperationFault(latency=1, times=1))
    order = asyncio.create_task(shop.order(email="last@example.com"))
    await until(lambda: nothing_is_left_of(shop.sandbox.faults.operations))
    stopped = await serving.terminate()
    assert (await order)[0] == 200
    stopped_well(stopped)
    assert all(json.loads(line)["event"] for line in stopped.err.splitlines())  # nobody wrote into another's
    assert not await is_ready(shop.http, shop.addresses[0])
    await shop.check()


async def buy_together(shop: Premises, number: int) -> list[str]:
    """So many orders of different customers at once; returns their invoices."""
    orders = (shop.buy(purchaseToken="spoon", email=f"buyer{each}@example.com") for each in range(number))
    return await asyncio.gather(*orders)


async def has_started(serving: Command, number: int) -> bool:
    """Whether so many workers have come to serve since the start."""
    return serving.said.count("orchestrator.started") >= number


async def are_stocked(shop: Premises, number: int) -> bool:
    """Whether so many purchases are stocked; there are no others."""
    async with shop.database() as database:
        books = await database.read(invariants.read)
    return [purchase["state"] for purchase in books.purchases] == ["stocked"] * number


def children(pid: int) -> list[int]:
    """The processes that a process has started, apart from Python's own keeper of shared things."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


async def has_children(pid: int, count: int) -> bool:
    return len(children(pid)) == count


async def is_ready(http: aiohttp.ClientSession, shop: str) -> bool:
    """Whether the shop is of use."""
    try:
        async with http.get(f"{shop}/readyz") as answer:
            return answer.status == 200
    except (aiohttp.ClientConnectionError, ConnectionError):
        return False


async def post(http: aiohttp.ClientSession, address: str, body: Any = None) -> dict[str, Any]:
    """The JSON that a POST is answered with."""
    async with http.post(address, json=body or {}) as answer:
        given: dict[str, Any] = await answer.json()
        assert answer.status == 200, given
        return given


async def listed(http: aiohttp.ClientSession, shop: str) -> list[dict[str, Any]]:
    """The purchases as the API shows them."""
    headers = {"Authorization": f"Bearer {SECRETS['api_token']}"}
    async with http.get(f"{shop}/api/v1/purchases", headers=headers) as answer:
        given = await answer.json()
        assert answer.status == 200, given
        items: list[dict[str, Any]] = given["items"]
        return items


async def has_states(http: aiohttp.ClientSession, shop: str, states: list[str]) -> bool:
    return [purchase["state"] for purchase in await listed(http, shop)] == states
