"""The four commits on SQLite: one thread that writes, and puts what has queued up into one commit."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime
from queue import SimpleQueue
from typing import Any

from bench.floor.app import LOOK_AGAIN
from bench.floor.soap import Call, Product
from orchestrator import search
from orchestrator.identity import new_id
from orchestrator.purchase import Order

_SET_UP = ("busy_timeout = 10000", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")
_HOLD = (
    "UPDATE products SET reserved = reserved + 1 WHERE token = ? AND on_hand > reserved"
    " RETURNING title, price, currency, tax_rate, sku"
)
_MOVE = (
    "INSERT INTO stock_movements (id, product_token, purchase_id, round, at, kind, on_hand, reserved, reason,"
    " actor) VALUES (?, ?, ?, 1, ?, ?, ?, ?, '', ?)"
)
_PURCHASE = (
    "INSERT INTO purchases (id, state, revision, purchase_token, title, amount, currency, customer_name,"
    " customer_street, customer_city, customer_state, customer_zip, customer_country, customer_email,"
    " customer_msisdn, search_text, request_key, holds_stock, holds, checks_failed, received_at, created_at,"
    " updated_at, next_check_at)"
    " VALUES (?, 'received', 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1, 0, ?, ?, ?, ?)"
)
_LINE = (
    "INSERT INTO purchase_lines (purchase_id, position, kind, product_token, title, quantity, unit_price,"
    " total, tax_rate, sku) VALUES (?, 1, 'goods', ?, ?, 1, ?, ?, ?, ?)"
)
_TERM = "INSERT INTO search_terms (term, purchase_id) VALUES (?, ?)"
_ENTRY = (
    'INSERT INTO journal (purchase_id, sequence, at, "trigger", source, target, actor, detail)'
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_ATTEMPT = (
    "INSERT INTO invoice_attempts (id, purchase_id, number, state, version, sent_at)"
    " VALUES (?, ?, 1, 'sending', 0, ?)"
)
_OPEN = "UPDATE invoice_attempts SET state = 'open', reference = ?, qr_code = ?, issued_at = ? WHERE id = ?"
_EXCHANGE = (
    "INSERT INTO exchanges (id, purchase_id, attempt_id, operation, started_at, duration_ms, verdict,"
    " result_code, detail, request, response) VALUES (?, ?, ?, ?, ?, ?, 'answered', 0, ?, ?, ?)"
)
_INVOICED = (
    "UPDATE purchases SET state = 'invoiced', revision = 2, invoice_reference = ?, invoice_qr_code = ?,"
    " next_check_at = ?, updated_at = ? WHERE id = ?"
)
_NOTIFICATION = "INSERT INTO notifications (id, purchase_id, at, sender) VALUES (?, ?, ?, ?)"
_NOTIFIED = "UPDATE purchases SET notified_at = ?, next_check_at = ? WHERE id = ?"
_TO_ASK = "SELECT id, reference FROM invoice_attempts WHERE purchase_id = ?"
_CLOSE = (
    "UPDATE invoice_attempts SET state = 'closed', version = ?, status = 'PAID', closed_at = ? WHERE id = ?"
)
_STOCKED = (
    "UPDATE purchases SET state = 'stocked', revision = 4, ers_reference = ?, holds_stock = 0,"
    " next_check_at = NULL, updated_at = ? WHERE id = ? RETURNING purchase_token, customer_email"
)
_TAKE = "UPDATE products SET on_hand = on_hand - 1, reserved = reserved - 1 WHERE token = ?"
_MAIL = (
    "INSERT INTO outbox (id, purchase_id, kind, number, state, recipient, message_id, attempts, created_at,"
    " next_attempt_at) VALUES (?, ?, 'order_confirmation', 1, 'queued', ?, ?, 0, ?, ?)"
)


@asynccontextmanager
async def open_sqlite(path: str) -> AsyncIterator[SqliteBooks]:
    """The books in a migrated file."""
    books = SqliteBooks(path, asyncio.get_running_loop())
    books.writer.start()
    yield books
    books.queue.put(None)
    books.writer.join()


@dataclass(frozen=True, slots=True)
class _Work:
    """What one request has to write, and who waits for it."""

    write: Callable[..., Any]
    values: Sequence[Any]
    done: asyncio.Future[Any]


class SqliteBooks:
    """The one thread that writes."""

    def __init__(self, path: str, loop: asyncio.AbstractEventLoop) -> None:
        self.queue: SimpleQueue[_Work | None] = SimpleQueue()
        self.writer = threading.Thread(target=self._run, args=(path,))
        self._loop = loop

    async def place(self, order: Order, terms: list[str], ids: tuple[str, str], at: datetime) -> Product:
        product: Product = await self._written(_place, order, terms, ids, at)
        return product

    async def invoice(
        self, ids: tuple[str, str], call: Call, reference: str, qr_code: str, at: datetime
    ) -> None:
        await self._written(_invoice, ids, call, reference, qr_code, at)

    async def notify(self, purchase_id: str, sender: str, at: datetime) -> tuple[str, str]:
        to_ask: tuple[str, str] = await self._written(_notify, purchase_id, sender, at)
        return to_ask

    async def settle(
        self, ids: tuple[str, str], call: Call, ers_reference: str, version: int, at: datetime
    ) -> None:
        await self._written(_settle, ids, call, ers_reference, version, at)

    async def _written(self, write: Callable[..., Any], *values: Any) -> Any:
        done = self._loop.create_future()
        self.queue.put(_Work(write, values, done))
        return await done

    def _run(self, path: str) -> None:
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                for wish in _SET_UP:
                    connection.execute(f"PRAGMA {wish}")
                while group := self._group():
                    connection.execute("BEGIN IMMEDIATE")
                    answers = [(each.done, each.write(connection, *each.values)) for each in group]
                    connection.execute("COMMIT")
                    self._loop.call_soon_threadsafe(_tell, answers)
        except sqlite3.Error:
            # Else those who wait would wait for ever.
            traceback.print_exc()
            os._exit(1)

    def _group(self) -> list[_Work]:
        """What has queued up, at least one; nothing when it is over."""
        group = [self.queue.get()]
        while not self.queue.empty():
            group.append(self.queue.get())
        return [work for work in group if work is not None]


def _tell(answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for done, answer in answers:
        done.set_result(answer)


def _place(
    to: sqlite3.Connection, order: Order, terms: list[str], ids: tuple[str, str], at: datetime
) -> Product:
    token, now, (purchase_id, attempt_id) = order.purchase_token, _text(at), ids
    product = Product(*to.execute(_HOLD, (token,)).fetchall()[0])
    to.execute(_MOVE, (new_id(), token, purchase_id, now, "hold", 0, 1, "createPurchase"))
    customer = (
        *(order.name, order.street, order.city, order.state),
        *(order.zip, order.country, order.email, order.msisdn),
    )
    sold = (purchase_id, token, product.title, product.price, product.currency)
    found_by = (search.search_text(terms), order.request_key())
    to.execute(_PURCHASE, (*sold, *customer, *found_by, now, now, now, _text(at + LOOK_AGAIN)))
    detail = f"The customer ordered {product.title}."
    to.execute(_ENTRY, (purchase_id, 1, now, "place", None, "received", "createPurchase", detail))
    price = (product.price, product.price, product.tax_rate, product.sku)
    to.execute(_LINE, (purchase_id, token, product.title, *price))
    to.executemany(_TERM, [(term, purchase_id) for term in terms])
    to.execute(_ATTEMPT, (attempt_id, purchase_id, now))
    return product


def _invoice(
    to: sqlite3.Connection, ids: tuple[str, str], call: Call, reference: str, qr_code: str, at: datetime
) -> None:
    now, (purchase_id, attempt_id) = _text(at), ids
    to.execute(_OPEN, (reference, qr_code, now, attempt_id))
    _keep(to, ids, call, f"SEQR made invoice {reference}.")
    to.execute(_INVOICED, (reference, qr_code, _text(at + LOOK_AGAIN), now, purchase_id))
    detail = f"SEQR's invoice {reference}."
    entry = ("invoice", "received", "invoiced", "createPurchase", detail)
    to.execute(_ENTRY, (purchase_id, 2, now, *entry))


def _notify(to: sqlite3.Connection, purchase_id: str, sender: str, at: datetime) -> tuple[str, str]:
    now = _text(at)
    to.execute(_NOTIFICATION, (new_id(), purchase_id, now, sender))
    to.execute(_NOTIFIED, (now, now, purchase_id))
    to_ask: tuple[str, str] = to.execute(_TO_ASK, (purchase_id,)).fetchall()[0]
    return to_ask


def _settle(
    to: sqlite3.Connection, ids: tuple[str, str], call: Call, ers_reference: str, version: int, at: datetime
) -> None:
    now, (purchase_id, attempt_id) = _text(at), ids
    to.execute(_CLOSE, (version, now, attempt_id))
    _keep(to, ids, call, f"SEQR says PAID (version {version}).")
    token, mail = to.execute(_STOCKED, (ers_reference, now, purchase_id)).fetchall()[0]
    paid = ("pay", "invoiced", "paid", "notification", f"SEQR holds the money for invoice {ers_reference}.")
    to.execute(_ENTRY, (purchase_id, 3, now, *paid))
    taken = ("stock", "paid", "stocked", "notification", "The goods were taken from the stock.")
    to.execute(_ENTRY, (purchase_id, 4, now, *taken))
    to.execute(_TAKE, (token,))
    to.execute(_MOVE, (new_id(), token, purchase_id, now, "take", -1, -1, "notification"))
    mail_id = new_id()
    to.execute(_MAIL, (mail_id, purchase_id, mail, mail_id, now, now))


def _keep(to: sqlite3.Connection, ids: tuple[str, str], call: Call, detail: str) -> None:
    took = (call.operation, _text(call.started_at), call.duration_ms)
    to.execute(_EXCHANGE, (new_id(), *ids, *took, detail, call.request, call.response))


def _text(at: datetime) -> str:
    """As SQLAlchemy writes it."""
    return at.isoformat(" ", "microseconds")[:-6]
