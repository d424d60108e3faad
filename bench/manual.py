"""createPurchase as the manuals of the libraries show it: Starlette, SQLModel's AsyncSession, zeep on httpx.

Two commits and one SOAP call; nothing is held, and no notification is heard. Run as a program it serves like
the floor (see ``bench.floor``).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

import uvicorn
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from zeep import AsyncClient
from zeep.proxy import AsyncServiceProxy

from bench.shop import PASSWORD, PRINCIPAL
from orchestrator import search
from orchestrator.identity import new_id, now
from orchestrator.invoice import NOTIFICATION_PATH
from orchestrator.models.goods import Product
from orchestrator.models.purchases import InvoiceAttempt, JournalEntry, Purchase, PurchaseLine
from orchestrator.purchase import Order
from orchestrator.rest.create_purchase import FIELDS, PATH
from orchestrator.seqr.wsdl import SHIPPED_WSDL

URL, ENDPOINT, PUBLIC_URL = (
    os.environ[f"ORCHESTRATOR_{name}"] for name in ("DATABASE_URL", "SEQR_ENDPOINT", "PUBLIC_URL")
)
# zeep leaves them without types: as Any they are called without claiming any.
_client: Any = AsyncClient
_proxy: Any = AsyncServiceProxy
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_LOCKED_FOR = 60.0
"""Seconds that a writer waits for the others on SQLite; by itself it would give up after 5."""

Buy = Callable[[Order], Awaitable[str]]
"""Returns the invoice reference."""


class Steps:
    """The three steps of a purchase."""

    def __init__(self) -> None:
        kind, _, rest = URL.partition("://")
        waiting = {"timeout": _LOCKED_FOR} if kind == "sqlite" else {}
        self._engine = create_async_engine(f"{_DRIVERS[kind]}://{rest}", connect_args=waiting)
        client = _client(str(SHIPPED_WSDL))
        (binding,) = client.wsdl.bindings.values()
        # Its own create_service makes a proxy that does not wait for the answer.
        self._service = _proxy(client, binding, address=ENDPOINT)

    async def place(self, order: Order) -> dict[str, str]:
        """The first commit; returns what the invoice says."""
        async with AsyncSession(self._engine, expire_on_commit=False) as session:
            product = await session.get_one(Product, order.purchase_token)
            purchase = _purchase(order, product, now())
            attempt = InvoiceAttempt(
                id=new_id(), purchase_id=purchase.id, number=1, state="sending", sent_at=purchase.received_at
            )
            session.add(purchase)
            await session.flush()  # the models have no relationships, by which it would know what comes first
            entry = _entry(purchase, 1, "place", None, f"The customer ordered {product.title}.")
            session.add_all([_line(purchase.id, product), attempt, entry])
            await session.commit()
        said = {"title": product.title, "sku": product.sku or "", "tax_rate": str(product.tax_rate)}
        return said | {"price": str(product.price), "purchase": purchase.id, "attempt": attempt.id}

    async def send(self, sold: Mapping[str, str]) -> tuple[str, str]:
        """sendInvoice; returns the reference and the QR code."""
        amount = {"currency": "SEK", "value": sold["price"]}
        row = {
            "itemDescription": sold["title"],
            "itemQuantity": 1,
            "itemSKU": sold["sku"],
            "itemTaxRate": sold["tax_rate"],
            "itemTotalAmount": amount,
            "itemUnitPrice": amount,
        }
        invoice = {
            "paymentMode": "IMMEDIATE_DEBIT",
            "acknowledgmentMode": "NO_ACKNOWLEDGMENT",
            "issueDate": now(),
            "title": "Benchmark",
            "clientInvoiceId": sold["attempt"],
            "invoiceRows": {"invoiceRow": [row]},
            "totalAmount": amount,
            "notificationUrl": f"{PUBLIC_URL}{NOTIFICATION_PATH}{sold['purchase']}",
        }
        answer = await self._service.sendInvoice(context=_context(sold["attempt"]), invoice=invoice)
        return answer.invoiceReference, answer.invoiceQRCode

    async def record(self, sold: Mapping[str, str], reference: str, qr_code: str) -> None:
        """The second commit."""
        async with AsyncSession(self._engine, expire_on_commit=False) as session:
            attempt = await session.get_one(InvoiceAttempt, sold["attempt"])
            purchase = await session.get_one(Purchase, sold["purchase"])
            attempt.state, attempt.reference, attempt.qr_code = "open", reference, qr_code
            attempt.issued_at = purchase.updated_at = now()
            purchase.state, purchase.revision = "invoiced", 2
            purchase.invoice_reference, purchase.invoice_qr_code = reference, qr_code
            session.add(_entry(purchase, 2, "invoice", "received", f"SEQR's invoice {reference}."))
            await session.commit()


def serve(buy: Buy, lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]] | None = None) -> None:
    """Serve createPurchase on ``--port`` until it is stopped."""

    async def create_purchase(request: Request) -> Response:
        fields = await request.json()
        order = Order(**{field.attribute: fields[name] for name, field in FIELDS.items()})
        return JSONResponse({"invoiceReferenceId": await buy(order)})

    async def ready(_: Request) -> Response:
        return Response()

    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    routes = [Route(PATH, create_purchase, methods=["POST"]), Route("/readyz", ready)]
    app = Starlette(routes=routes, lifespan=lifespan)
    uvicorn.run(app, port=parser.parse_args().port, log_level="warning", access_log=False)


def _context(key: str) -> dict[str, Any]:
    return {
        "channel": "ClientWS",
        "clientId": "manual",
        "clientReference": key,
        "clientRequestTimeout": 0,
        "initiatorPrincipalId": {"id": PRINCIPAL, "type": "TERMINALID"},
        "password": PASSWORD,
    }


def _purchase(order: Order, product: Product, at: datetime) -> Purchase:
    return Purchase(
        id=new_id(),
        state="received",
        revision=1,
        purchase_token=product.token,
        title=product.title,
        amount=product.price,
        currency=product.currency,
        customer_name=order.name,
        customer_street=order.street,
        customer_city=order.city,
        customer_state=order.state,
        customer_zip=order.zip,
        customer_country=order.country,
        customer_email=order.email,
        customer_msisdn=order.msisdn,
        search_text=search.search_text(search.terms(order.name, order.email, order.msisdn)),
        request_key=order.request_key(),
        holds_stock=False,
        received_at=at,
        created_at=at,
        updated_at=at,
    )


def _line(purchase_id: str, product: Product) -> PurchaseLine:
    return PurchaseLine(
        purchase_id=purchase_id,
        position=1,
        kind="goods",
        product_token=product.token,
        title=product.title,
        quantity=1,
        unit_price=product.price,
        total=product.price,
        tax_rate=product.tax_rate,
        sku=product.sku,
    )


def _entry(purchase: Purchase, sequence: int, trigger: str, source: str | None, detail: str) -> JournalEntry:
    return JournalEntry(
        purchase_id=purchase.id,
        sequence=sequence,
        at=purchase.updated_at,
        trigger=trigger,
        source=source,
        target=purchase.state,
        actor="createPurchase",
        detail=detail,
    )


if __name__ == "__main__":
    steps = Steps()

    async def buy(order: Order) -> str:
        """The three steps."""
        sold = await steps.place(order)
        reference, qr_code = await steps.send(sold)
        await steps.record(sold, reference, qr_code)
        return reference

    serve(buy)
