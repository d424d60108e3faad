"""Many things at the same moment, in one process and in two: nothing happens twice, nothing is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from orchestrator import stock
from orchestrator.database import Database, open_database
from orchestrator.identity import now
from orchestrator.reconcile import Reconciler
from orchestrator.settlement import Settlement
from orchestrator.tables import purchases
from sandbox.errors import Refusal
from sandbox.faults import NotificationFaults, OperationFault
from tests.acceptance.premises import Nursery, Premises, premises
from tests.fixtures import invariants
from tests.fixtures.shop import SECRET, at_work, until


@pytest.fixture
async def two_doors(database_url: str, nursery: Nursery, tmp_path: Path) -> AsyncIterator[Premises]:
    """A shop served by two processes on one database."""
    log = tmp_path / "processes.log"
    async with premises(database_url, nursery, log, places=2, poll_interval=0.2) as shop:
        await shop.start(place=0)
        await shop.start(place=1)
        yield shop


@pytest.mark.parametrize("doors", [1, 2])
async def test_fifty_equal_orders_make_one_invoice(two_doors: Premises, doors: int) -> None:
    two_doors.sandbox.faults.set("sendInvoice", OperationFault(latency=0.3))

    answers = await asyncio.gather(*(two_doors.order(number % doors) for number in range(50)))

    (booked,) = two_doors.sandbox.ledger.invoices
    assert answers == [(200, {"invoiceReferenceId": booked.reference})] * 50
    books = await two_doors.check()
    assert [purchase["invoice_reference"] for purchase in books.purchases] == [booked.reference]
    assert [movement["kind"] for movement in books.movements] == ["hold"]


@pytest.mark.parametrize("doors", [1, 2])
async def test_forty_buyers_of_the_last_three_pieces_make_three_invoices(
    two_doors: Premises, doors: int
) -> None:
    await two_doors.write(stock.correct, "mug", 3, "counted", "cli", now())

    orders = (two_doors.order(number % doors, email=f"buyer{number}@example.com") for number in range(40))
    answers = await asyncio.gather(*orders)

    statuses = Counter((status, answer.get("errorCode")) for status, answer in answers)
    assert statuses == {(200, None): 3, (409, "OUT_OF_STOCK"): 37}
    references = {answer["invoiceReferenceId"] for status, answer in answers if status == 200}
    assert references == {booked.reference for booked in two_doors.sandbox.ledger.invoices}
    assert len(references) == 3
    await two_doors.check()

    for reference in references:
        two_doors.sandbox.ledger.pay(reference)
    await until(lambda: has_states(two_doors, {"stocked": 3, "failed": 37}))
    (mugs,) = [product for product in (await two_doors.check()).products if product["token"] == "mug"]
    assert (mugs["on_hand"], mugs["reserved"]) == (0, 0)


async def has_states(shop: Premises, wanted: dict[str, int]) -> bool:
    """Whether so many purchases are in each state."""
    return Counter(purchase["state"] for purchase in await shop.purchases()) == wanted


async def test_everybody_learns_of_one_payment_at_once(two_doors: Premises) -> None:
    two_doors.sandbox.faults.notifications = NotificationFaults(repeated=3)
    reference = await two_doors.buy()
    two_doors.sandbox.faults.set("getPaymentStatus", OperationFault(latency=0.1, latency_after=0.2))
    purchase_id = (await two_doors.only())["id"]
    address = two_doors.sandbox.ledger.invoice(reference).invoice.notification_url
    assert address is not None

    async def notify(door: int) -> int:
        ours = address.replace(two_doors.addresses[0], two_doors.addresses[door])
        async with two_doors.http.post(ours) as answer:
            return answer.status

    two_doors.sandbox.ledger.pay(reference)
    checks = [two_doors.act("retry", purchase_id, place=number % 2) for number in range(6)]
    calls = [notify(number % 2) for number in range(10)]
    statuses = await asyncio.gather(*checks, *calls)

    assert set(statuses) <= {200, 409}  # a check that comes last finds it stocked, with nothing to ask
    await two_doors.until_state("stocked")
    await until(two_doors.at_rest)
    books = await two_doors.check()
    assert [entry["trigger"] for entry in books.journal] == ["place", "invoice", "pay", "stock"]
    assert [movement["kind"] for movement in books.movements] == ["hold", "take"]
    assert [mail["kind"] for mail in books.mails] == ["order_confirmation"]


async def test_the_merchant_cancels_while_the_customer_pays(two_doors: Premises) -> None:
    orders = (two_doors.buy(number % 2, email=f"buyer{number}@example.com") for number in range(10))
    references = await asyncio.gather(*orders)
    ids = {purchase["invoice_reference"]: purchase["id"] for purchase in await two_doors.purchases()}
    two_doors.sandbox.faults.set("cancelInvoice", OperationFault(latency=0.05))

    async def cancel(number: int, reference: str) -> None:
        assert await two_doors.act("cancel", ids[reference], place=number % 2) in (200, 409)

    async def pay(number: int, reference: str) -> None:
        begun = asyncio.Event()
        asyncio.get_running_loop().call_later(0.03 * number, begun.set)
        await begun.wait()
        try:
            two_doors.sandbox.ledger.pay(reference)
        except Refusal:
            assert not two_doors.sandbox.ledger.invoice(reference).open

    both = [(cancel(*order), pay(*order)) for order in enumerate(references)]
    await asyncio.gather(*(deed for pair in both for deed in pair))

    async def settled() -> bool:
        return {purchase["state"] for purchase in await two_doors.purchases()} <= {"stocked", "failed"}

    await until(settled)
    books = await two_doors.check()
    paid = {booked.reference for booked in two_doors.sandbox.ledger.invoices if booked.paid_at}
    sold = {purchase["invoice_reference"] for purchase in books.purchases if purchase["state"] == "stocked"}
    assert sold == paid
    assert not [booked for booked in two_doors.sandbox.ledger.invoices if booked.open]


async def test_a_payment_in_progress_outlives_the_merchants_cancel(two_doors: Premises) -> None:
    reference = await two_doors.buy()
    two_doors.sandbox.ledger.begin_payment(reference)
    purchase_id = (await two_doors.only())["id"]

    assert await two_doors.act("cancel", purchase_id) == 200
    assert (await two_doors.only())["state"] == "invoiced"
    two_doors.sandbox.ledger.pay(reference)

    await two_doors.until_state("stocked")
    await two_doors.check()


async def test_two_reconcilers_claim_each_purchase_once(database: Database, database_url: str) -> None:
    async with at_work(database, poll_interval=10) as shop:
        for number in range(8):
            await shop.buy(email=f"buyer{number}@example.com")
        second = open_database(database_url)
        settlement = Settlement(second, shop.parts.seqr, shop.parts.settings, SECRET)
        other = Reconciler(second, settlement, shop.parts.settings)
        await database.write(make_due)

        begun = await asyncio.gather(*(each.run_once() for each in [shop.reconciler, other] * 2))
        await asyncio.gather(shop.reconciler.close(), other.close())
        await second.close()

        assert sum(begun) == 8
        assert [booked.asks for booked in shop.sandbox.ledger.invoices] == [1] * 8
        await invariants.check(database, shop.sandbox.ledger, {"mug": 10, "spoon": 20, "set": 0})


def make_due(connection: Connection) -> None:
    """Let every purchase be due now."""
    connection.execute(update(purchases).values(next_check_at=now()))
