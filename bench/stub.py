"""A SEQR that costs next to nothing: fixed SOAP answers over the barest HTTP, in a process of its own.

Run as a program it prints its port, and ends when its standard input does, so it cannot outlive the
benchmark. It checks nothing. Beside the Payment API it has three addresses for the benchmark:

POST /pay        the body is an invoice reference; from now on that invoice is PAID
GET /invoices    JSON: the notification address of each invoice, by reference
GET /asked       JSON: when getPaymentStatus first said PAID for an invoice, in seconds of the wall clock
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from html import unescape
from typing import Protocol

NAMESPACE = "http://external.interfaces.ers.seamless.com/"
NOTIFICATION = re.compile(rb"notificationUrl>([^<]+)<")
REFERENCE = re.compile(rb"invoiceReference>([^<]+)<")
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>'
    f'<n:{{operation}}Response xmlns:n="{NAMESPACE}"><return>'
    "<ersReference>{reference}</ersReference><resultCode>0</resultCode>"
    "<resultDescription>SUCCESS</resultDescription>{rest}"
    "</return></n:{operation}Response></S:Body></S:Envelope>"
)
SENT = "<invoiceQRCode>HTTP://SEQR.SE/R{reference}</invoiceQRCode><invoiceReference>{reference}</invoiceReference>"
STATUS = "<status>{status}</status><version>{version}</version>"


class Answering(Protocol):
    """What stands behind the connections."""

    def answer(self, target: bytes, body: bytes) -> bytes:
        """What one request gets; ``target`` is its path."""
        ...


class Books:
    """The invoices, and which of them are paid."""

    def __init__(self) -> None:
        self.notification: dict[str, str] = {}
        self.paid: set[str] = set()
        self.asked: dict[str, float] = {}

    def answer(self, target: bytes, body: bytes) -> bytes:
        """What one request gets; ``target`` is its path."""
        match target:
            case b"/pay":
                self.paid.add(body.decode())
                return b""
            case b"/invoices":
                return json.dumps(self.notification).encode()
            case b"/asked":
                return json.dumps(self.asked).encode()
            case _:
                return self.soap(body).encode()

    def soap(self, body: bytes) -> str:
        """The answer to one call of the Payment API."""
        if b"sendInvoice>" in body:
            return self._send_invoice(body)
        found = REFERENCE.search(body)
        reference = found[1].decode() if found else ""
        if b"getPaymentStatus>" in body:
            return self._payment_status(reference)
        return ENVELOPE.format(operation="cancelInvoice", reference=reference, rest="")

    def _send_invoice(self, body: bytes) -> str:
        reference = f"{len(self.notification) + 1:017d}"
        found = NOTIFICATION.search(body)
        self.notification[reference] = unescape(found[1].decode()) if found else ""
        rest = SENT.format(reference=reference)
        return ENVELOPE.format(operation="sendInvoice", reference=reference, rest=rest)

    def _payment_status(self, reference: str) -> str:
        paid = reference in self.paid
        if paid:
            self.asked.setdefault(reference, time.time())
        rest = STATUS.format(status="PAID" if paid else "ISSUED", version=int(paid))
        return ENVELOPE.format(operation="getPaymentStatus", reference=reference, rest=rest)


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, for clients that send Content-Length and wait for the answer."""

    def __init__(self, books: Answering) -> None:
        self._books = books
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, gap, body = self._received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not gap or len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        answer = self._books.answer(head.split(b" ", 2)[1], body)
        assert self._transport is not None
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(answer), answer)
        )


async def serve() -> None:
    """Answer on a free port until the standard input ends."""
    books = Books()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(books), "127.0.0.1", 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
