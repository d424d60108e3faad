"""The four commits on PostgreSQL: a statement each, which is its own transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg

from bench.floor.app import LOOK_AGAIN
from bench.floor.soap import Call, Product
from orchestrator import search
from orchestrator.identity import new_id
from orchestrator.purchase import Order

_CONNECTIONS = 10
"""As many as the orchestrator has."""

_EXCHANGE = """kept AS (
    INSERT INTO exchanges (id, purchase_id, attempt_id, operation, started_at, duration_ms, verdict,
        result_code, detail, request, response)
    VALUES ($4, $1, $2, $5, $6, $7, 'answered', 0, $8, $9, $10))"""
_PLACE = """
WITH product AS (
    UPDATE products SET reserved = reserved + 1 WHERE token = $4 AND on_hand > reserved
    RETURNING token, title, price, currency, tax_rate, sku),
moved AS (
    INSERT INTO stock_movements (id, product_token, purchase_id, round, at, kind, on_hand, reserved, reason,
        actor)
    SELECT $5::text, token, $1::text, 1, $3::timestamptz, 'hold', 0, 1, '', 'createPurchase' FROM product),
purchase AS (
    INSERT INTO purchases (id, state, revision, purchase_token, title, amount, currency, customer_name,
        customer_street, customer_city, customer_state, customer_zip, customer_country, customer_email,
        customer_msisdn, search_text, request_key, holds_stock, holds, checks_failed, received_at, created_at,
        updated_at, next_check_at)
    SELECT $1::text, 'received', 1, token, title, price, currency, $6::text, $7::text, $8::text, $9::text,
        $10::text, $11::text, $12::text, $13::text, $14::text, $15::text, true, 1, 0, $3::timestamptz,
        $3::timestamptz, $3::timestamptz, $16::timestamptz
    FROM product),
entry AS (
    INSERT INTO journal (purchase_id, sequence, at, trigger, target, actor, detail)
    SELECT $1::text, 1, $3::timestamptz, 'place', 'received', 'createPurchase',
        'The customer ordered ' || title || '.'
    FROM product),
line AS (
    INSERT INTO purchase_lines (purchase_id, position, kind, product_token, title, quantity, unit_price,
        total, tax_rate, sku)
    SELECT $1::text, 1, 'goods', token, title, 1, price, price, tax_rate, sku FROM product),
found_by AS (
    INSERT INTO search_terms (term, purchase_id) SELECT unnest($17::text[]), $1::text),
attempt AS (
    INSERT INTO invoice_attempts (id, purchase_id, number, state, version, sent_at)
    SELECT $2::text, $1::text, 1, 'sending', 0, $3::timestamptz)
SELECT title, price, currency, tax_rate, sku FROM product"""
_INVOICE = f"""
WITH attempt AS (
    UPDATE invoice_attempts SET state = 'open', reference = $11, qr_code = $12, issued_at = $3
    WHERE id = $2),
{_EXCHANGE},
purchase AS (
    UPDATE purchases SET state = 'invoiced', revision = 2, invoice_reference = $11, invoice_qr_code = $12,
        next_check_at = $13, updated_at = $3
    WHERE id = $1)
INSERT INTO journal (purchase_id, sequence, at, trigger, source, target, actor, detail)
VALUES ($1, 2, $3, 'invoice', 'received', 'invoiced', 'createPurchase', 'SEQR''s invoice ' || $11 || '.')"""
_NOTIFY = """
WITH notification AS (
    INSERT INTO notifications (id, purchase_id, at, sender) VALUES ($2, $1, $3, $4)),
purchase AS (
    UPDATE purchases SET notified_at = $3, next_check_at = $3 WHERE id = $1)
SELECT id, reference FROM invoice_attempts WHERE purchase_id = $1"""
_SETTLE = f"""
WITH attempt AS (
    UPDATE invoice_attempts SET state = 'closed', version = $11, status = 'PAID', closed_at = $3
    WHERE id = $2),
{_EXCHANGE},
purchase AS (
    UPDATE purchases SET state = 'stocked', revision = 4, ers_reference = $12, holds_stock = false,
        next_check_at = NULL, updated_at = $3
    WHERE id = $1 RETURNING purchase_token, customer_email),
entries AS (
    INSERT INTO journal (purchase_id, sequence, at, trigger, source, target, actor, detail)
    VALUES ($1, 3, $3, 'pay', 'invoiced', 'paid', 'notification',
            'SEQR holds the money for invoice ' || $12 || '.'),
        ($1, 4, $3, 'stock', 'paid', 'stocked', 'notification', 'The goods were taken from the stock.')),
product AS (
    UPDATE products SET on_hand = on_hand - 1, reserved = reserved - 1
    FROM purchase WHERE token = purchase_token RETURNING token),
moved AS (
    INSERT INTO stock_movements (id, product_token, purchase_id, round, at, kind, on_hand, reserved, reason,
        actor)
    SELECT $13::text, token, $1, 1, $3, 'take', -1, -1, '', 'notification' FROM product)
INSERT INTO outbox (id, purchase_id, kind, number, state, recipient, message_id, attempts, created_at,
    next_attempt_at)
SELECT $14::text, $1, 'order_confirmation', 1, 'queued', customer_email, $14::text, 0, $3, $3 FROM purchase"""


@asynccontextmanager
async def open_postgresql(url: str) -> AsyncIterator[PostgresqlBooks]:
    """The books in a migrated database."""
    books = PostgresqlBooks()
    connections = [await asyncpg.connect(url) for _ in range(_CONNECTIONS)]
    for connection in connections:
        books.free.put_nowait({statement: await connection.prepare(statement) for statement in _STATEMENTS})
    yield books
    for connection in connections:
        await connection.close()


_STATEMENTS = (_PLACE, _INVOICE, _NOTIFY, _SETTLE)


class PostgresqlBooks:
    """Connections with the statements prepared; who was used last is used first."""

    def __init__(self) -> None:
        self.free: asyncio.LifoQueue[dict[str, Any]] = asyncio.LifoQueue()

    async def place(self, order: Order, terms: list[str], ids: tuple[str, str], at: datetime) -> Product:
        row = await self._done(
            _PLACE,
            *(*ids, at, order.purchase_token, new_id()),
            *(order.name, order.street, order.city, order.state),
            *(order.zip, order.country, order.email, order.msisdn),
            *(search.search_text(terms), order.request_key(), at + LOOK_AGAIN, terms),
        )
        return Product(*row)

    async def invoice(
        self, ids: tuple[str, str], call: Call, reference: str, qr_code: str, at: datetime
    ) -> None:
        kept = _kept(call, f"SEQR made invoice {reference}.")
        await self._done(_INVOICE, *ids, at, *kept, reference, qr_code, at + LOOK_AGAIN)

    async def notify(self, purchase_id: str, sender: str, at: datetime) -> tuple[str, str]:
        attempt_id, reference = await self._done(_NOTIFY, purchase_id, new_id(), at, sender)
        return attempt_id, reference

    async def settle(
        self, ids: tuple[str, str], call: Call, ers_reference: str, version: int, at: datetime
    ) -> None:
        kept = _kept(call, f"SEQR says PAID (version {version}).")
        await self._done(_SETTLE, *ids, at, *kept, version, ers_reference, new_id(), new_id())

    async def _done(self, statement: str, *values: Any) -> Any:
        prepared = await self.free.get()
        try:
            return await prepared[statement].fetchrow(*values)
        finally:
            self.free.put_nowait(prepared)


def _kept(call: Call, detail: str) -> tuple[Any, ...]:
    took = (call.operation, call.started_at, call.duration_ms)
    return (new_id(), *took, detail, call.request, call.response)
