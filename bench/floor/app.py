"""The requests: commit, call SEQR, commit; and the tables behind them as one of the databases has them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

from bench.floor.soap import Call, Product, Soap
from orchestrator import search
from orchestrator.identity import new_id, now
from orchestrator.invoice import NOTIFICATION_PATH
from orchestrator.purchase import Order
from orchestrator.rest.create_purchase import FIELDS, PATH

LOOK_AGAIN = timedelta(seconds=10)
"""After this a purchase would be due, if somebody looked."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]


class Books(Protocol):
    """The four commits."""

    async def place(self, order: Order, terms: list[str], ids: tuple[str, str], at: datetime) -> Product:
        """Hold the stock; write purchase, line, terms, journal and attempt. ``ids`` are those of purchase and
        attempt."""

    async def invoice(
        self, ids: tuple[str, str], call: Call, reference: str, qr_code: str, at: datetime
    ) -> None:
        """The attempt is open, the purchase invoiced; keep the call."""

    async def notify(self, purchase_id: str, sender: str, at: datetime) -> tuple[str, str]:
        """Keep that SEQR called; returns the ids of the attempt and its invoice."""

    async def settle(
        self, ids: tuple[str, str], call: Call, ers_reference: str, version: int, at: datetime
    ) -> None:
        """The purchase is paid: close the attempt, keep the call, take the goods, queue a mail."""


class Floor:
    """The ASGI application."""

    def __init__(self, opened: AbstractAsyncContextManager[Books], soap: Soap, public_url: str) -> None:
        self._opened = opened
        self._soap = soap
        self._notified_at = public_url + NOTIFICATION_PATH
        self._under_way: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path: str = scope["path"]
        if path == PATH:
            await _answer(send, json.dumps({"invoiceReferenceId": await self._order(receive)}).encode())
        elif path.startswith(NOTIFICATION_PATH):
            await self._note(path.removeprefix(NOTIFICATION_PATH), scope["client"][0])
            await _answer(send, b"")
        else:
            await _answer(send, b"")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self._opened as self._books:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _order(self, receive: Receive) -> str:
        fields = json.loads(await _body(receive))
        order = Order(**{field.attribute: fields[name] for name, field in FIELDS.items()})
        at = now()
        ids = new_id(at), new_id()
        terms = search.terms(order.name, order.email, order.msisdn)
        product = await self._books.place(order, terms, ids, at)
        call, reference, qr_code = await self._soap.send_invoice(product, ids[1], self._notified_at + ids[0])
        await self._books.invoice(ids, call, reference, qr_code, now())
        return reference

    async def _note(self, purchase_id: str, sender: str) -> None:
        attempt_id, reference = await self._books.notify(purchase_id, sender, now())
        settling = asyncio.create_task(self._settle((purchase_id, attempt_id), reference))
        self._under_way.add(settling)
        settling.add_done_callback(self._under_way.discard)

    async def _settle(self, ids: tuple[str, str], reference: str) -> None:
        call, ers_reference, status, version = await self._soap.payment_status(reference, ids[1])
        assert status == "PAID", call.response
        at = now()
        await self._books.settle(ids, call, ers_reference, version, at)
        event = {"event": "purchase.stocked", "purchase_id": ids[0], "timestamp": now().isoformat()}
        sys.stderr.write(f"{json.dumps(event)}\n")


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message["body"])
        if not message["more_body"]:
            return body


async def _answer(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
