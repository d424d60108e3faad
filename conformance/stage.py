"""Who is asked: the real program on a migrated database, SEQR's sandbox behind it, and customers who pay."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.errors import BenchError
from bench.shop import PASSWORD, PRINCIPAL, PRODUCT, TOKEN, UNHURRIED, Shop, shop
from conformance.customers import Customers
from orchestrator.rest import create_purchase
from sandbox.app import SandboxConfig, build_sandbox
from tests.fixtures.sandbox import SHIPPED_WSDL, served

_MORE: Mapping[str, Mapping[str, object]] = {
    "spoon": {"title": "Spoon", "on_hand": 1000},
    "pen": {"title": "Pen"},
    "set": {"title": "Set", "on_hand": None, "bundle": [{"token": "spoon", "quantity": 2}]},
}
"""Beside the mug: something that runs out, something for customers alone, and a bundle."""
_SETTINGS = UNHURRIED | {"ORCHESTRATOR_INVOICE_TTL": "300", "ORCHESTRATOR_UNPAID_PER_PHONE": "50"}
"""Who only waits for customers is no load beside the questions; what nobody pays expires meanwhile; and the
one customer whom most questions are about may have enough unpaid for some more."""
_LEFT_OPEN = 20
"""So many purchases no customer touches: there shall be some to cancel."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A shop at work. ``key`` ends a notification address that SEQR was given: none can be guessed.
    ``open_ids`` are purchases that no customer touches."""

    shop: Shop
    customers: Customers
    key: str
    open_ids: tuple[str, ...]


@asynccontextmanager
async def stage(database: str, url: str, place: Path, seed: int) -> AsyncIterator[Stage]:
    """Serve a shop on the empty database at ``url`` until the block ends. Raises BenchError."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        sandbox = build_sandbox(
            SandboxConfig(
                wsdl=SHIPPED_WSDL,
                base_url=address,
                create_purchase_url=f"{address}{create_purchase.PATH}",
                terminals={PRINCIPAL: PASSWORD},
            )
        )
        async with (
            served(sandbox.app, listening),
            shop(database, url, sandbox.soap_url, place, _SETTINGS) as opened,
        ):
            await _offer_more(opened)
            references = [await opened.create_purchase() for _ in range(_LEFT_OPEN)]
            ids = tuple([await opened.purchase_of(reference) for reference in references])
            address_of_first = sandbox.ledger.invoice(references[0]).invoice.notification_url or ""
            customers = Customers(sandbox.ledger, Random(seed), left_alone=frozenset(references))
            buying = asyncio.create_task(customers.run())
            try:
                yield Stage(opened, customers, address_of_first.rpartition("/")[2], ids)
            finally:
                buying.cancel()


async def _offer_more(opened: Shop) -> None:
    for token, changes in _MORE.items():
        address = f"{opened.address}/api/v1/products/{token}"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with opened.http.put(address, json={**PRODUCT, **changes}, headers=headers) as answer:
            if answer.status != 201:
                raise BenchError(f"{token} was not taken: {answer.status} {await answer.text()}")
