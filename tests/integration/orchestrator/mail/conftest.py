"""A mail server that behaves as told, and purchases to write letters about."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from sqlalchemy import Connection, insert, select

from orchestrator import outbox
from orchestrator.database import Database
from orchestrator.identity import new_id, now
from orchestrator.tables import outbox as outbox_table
from orchestrator.tables import purchase_lines, purchases

PASSWORD = "p@ss:wörd/%"


@dataclass
class Post:
    """What the mail server took, and how it answers: ``recipients`` and ``data`` by address."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    recipients: dict[str, str] = field(default_factory=dict)
    data: dict[str, Callable[[SMTP], Awaitable[str]]] = field(default_factory=dict)
    signed_in: list[str] = field(default_factory=list)

    def url(self, scheme: str = "smtp", user: str = "") -> str:
        return f"{scheme}://{user}127.0.0.1:{self.port}"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.recipients.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        act = self.data.get(envelope.rcpt_tos[0])
        answer = "250 OK" if act is None else await act(server)
        if answer.startswith("250"):
            self.envelopes.append(envelope)
            content = envelope.content
            assert isinstance(content, bytes)
            message = email.message_from_bytes(content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.taken.append(message)
        return answer

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.signed_in.append(data.login.decode())
        right = data.password.decode() == PASSWORD
        return AuthResult(success=right, handled=right)


@asynccontextmanager
async def open_post(**options: Any) -> AsyncIterator[Post]:
    """A mail server on a free port."""
    post = Post()

    def connection() -> SMTP:
        return SMTP(
            post, hostname="mail.test", authenticator=post.authenticate, auth_require_tls=False, **options
        )

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    post.port = server.sockets[0].getsockname()[1]
    try:
        yield post
    finally:
        server.close()


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async with open_post(enable_SMTPUTF8=True) as opened:
        yield opened


def order(connection: Connection, /, **changes: Any) -> str:
    """A paid and stocked purchase of two mugs, a book and the delivery; returns its id."""
    at = now()
    row = {
        "id": new_id(),
        "state": "stocked",
        "revision": 4,
        "purchase_token": "set",
        "title": "Breakfast set",
        "amount": Decimal("403.90"),
        "currency": "SEK",
        "customer_name": "Anna Svensson",
        "customer_street": "Storgatan 1",
        "customer_city": "Umeå",
        "customer_state": "",
        "customer_zip": "903 26",
        "customer_country": "Sweden",
        "customer_email": "anna@example.com",
        "customer_msisdn": "46700000001",
        "invoice_reference": "12345",
        "invoice_qr_code": "HTTP://SEQR.SE/R12345",
        "ers_reference": "2026112300001",
        "request_key": new_id(),
        "holds_stock": False,
        "received_at": at,
        "created_at": at,
        "updated_at": at,
        **changes,
    }
    connection.execute(insert(purchases).values(row))
    lines = [
        ("goods", "mug", "Mug", 2, "149", "298", "25"),
        ("stock", "spoon", "Spoon", 1, "0", "0", "25"),
        ("goods", "book", row["title"], 1, "56.90", "56.90", "6"),
        ("charge", None, "Delivery", 1, "49", "49", "25"),
    ]
    for position, (kind, token, title, quantity, price, total, rate) in enumerate(lines, start=1):
        connection.execute(
            insert(purchase_lines).values(
                purchase_id=row["id"],
                position=position,
                kind=kind,
                product_token=token,
                title=title,
                quantity=quantity,
                unit_price=Decimal(price),
                total=Decimal(total),
                tax_rate=Decimal(rate),
            )
        )
    return str(row["id"])


def ordered_and_told(
    connection: Connection,
    /,
    recipient: str,
    kind: outbox.Kind = "order_confirmation",
    **changes: Any,
) -> str:
    """An order and a mail about it in the outbox; returns the purchase's id."""
    purchase_id = order(connection, customer_email=recipient, **changes)
    outbox.enqueue(connection, purchase_id, kind, recipient, now())
    return purchase_id


async def mails(database: Database) -> list[dict[str, Any]]:
    """The outbox, in the order in which it was filled."""

    def read(connection: Connection) -> list[dict[str, Any]]:
        statement = select(outbox_table).order_by(outbox_table.c.id)
        return [dict(row) for row in connection.execute(statement).mappings()]

    return await database.read(read)
