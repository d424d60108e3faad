"""The notification address over real HTTP: ours are answered 200, all others 404."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.database import open_database
from orchestrator.invoice import notification_key
from orchestrator.seqr.messages import Outcome, PaymentStatus
from orchestrator.tables import notifications
from sandbox.faults import NotificationFaults
from tests.fixtures.shop import SECRET, Shop, at_work, until


@pytest.fixture
async def plain_shop(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop for what has nothing to do with the kind of database."""
    path = tmp_path / "shop.db"
    shutil.copy(sqlite_template, path)
    database = open_database(f"sqlite:///{path}")
    async with at_work(database, poll_interval=0.2, seqr_timeout=2) as opened:
        yield opened
    await database.close()


async def notify(shop: Shop, key: str, method: str = "POST") -> int:
    async with shop.http.request(method, f"{shop.base_url}/seqr/notification/{key}") as answer:
        return answer.status


async def test_a_notification_is_answered_200_and_makes_us_ask(shop: Shop) -> None:
    shop.sandbox.faults.notifications = NotificationFaults(lost=True)
    reference = await shop.buy()
    shop.sandbox.ledger.pay(reference)
    purchase_id = (await shop.only())["id"]
    key = notification_key(purchase_id, SECRET)
    assert await notify(shop, key) == 200

    async def stocked() -> bool:
        return bool((await shop.only())["state"] == "stocked")

    await until(stocked)
    assert await notify(shop, key) == 200, "late"
    assert [row["sender"] for row in await shop.rows(notifications)] == ["127.0.0.1"]


async def test_any_other_address_is_404(plain_shop: Shop) -> None:
    await plain_shop.buy()
    purchase_id = (await plain_shop.only())["id"]
    other = "0195aaaa-0000-7000-8000-000000000001"
    for key in ("x", purchase_id, f"{purchase_id}.AAAA", "%00", "%ff", notification_key(other, SECRET)):
        assert await notify(plain_shop, key) == 404, key
    assert await notify(plain_shop, notification_key(purchase_id, SECRET), "GET") == 405
    assert await plain_shop.rows(notifications) == []


async def test_a_flood_of_notifications_fills_nothing_and_asks_seldom(
    plain_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plain_shop.buy()
    seqr, asked = plain_shop.parts.seqr, []
    ask = seqr.payment_status

    async def counted(reference: str, version: int) -> Outcome[PaymentStatus]:
        asked.append(reference)
        return await ask(reference, version)

    monkeypatch.setattr(seqr, "payment_status", counted)
    key = notification_key((await plain_shop.only())["id"], SECRET)
    assert set(await asyncio.gather(*[notify(plain_shop, key) for _ in range(400)])) == {200}
    assert len(await plain_shop.rows(notifications)) <= 20
    await plain_shop.parts.settlement.close()
    assert 1 <= len(asked) <= 8
    assert (await plain_shop.only())["state"] == "invoiced"


async def test_a_forged_address_costs_no_look_at_the_database(plain_shop: Shop) -> None:
    await plain_shop.buy()
    purchase_id = (await plain_shop.only())["id"]
    await plain_shop.parts.database.close()
    assert await notify(plain_shop, f"{purchase_id}.{'A' * 32}") == 404
    assert await notify(plain_shop, notification_key(purchase_id, SECRET)) == 503
