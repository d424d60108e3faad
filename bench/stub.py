"""A SEQR that costs next to nothing: fixed SOAP answers over the barest HTTP, in a process of its own.

Run as a program it prints its port, and ends when its standard input does, so it cannot outlive the
benchmark. It checks nothing. Beside the Payment API it has addresses for the benchmark, all for POST:

/pay        the body is an invoice reference; from now on that invoice is PAID
/invoices   JSON: the notification address of each invoice made since this was asked last, by reference
/asked      JSON: likewise, when getPaymentStatus first said PAID, in seconds of the wall clock
/watch      the body are references, a line each: from now on it is noted when each is asked about
/watched    JSON: how often that was since, and for how many seconds one was not asked about, at the longest
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Callable
from html import unescape
from itertools import count
from typing import Any

from bench.loop import run
from bench.wire import Answering

NAMESPACE = "http://external.interfaces.ers.seamless.com/"
NOTIFICATION = re.compile(rb"notificationUrl>([^<]+)<")
REFERENCE = re.compile(rb"invoiceReference>([^<]+)<")
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


class Books:
    """The invoices, which of them are paid, and when they were asked about."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._numbers = count(1)
        self._notification: dict[str, str] = {}
        self._paid: set[str] = set()
        self._asked: dict[str, float] = {}
        self._watch = Watch([], clock)

    def answer(self, target: bytes, body: bytes) -> bytes:
        """What one request gets; ``target`` is its path."""
        match target:
            case b"/soap":
                return self.soap(body).encode()
            case b"/pay":
                self._paid.add(body.decode())
                return b""
            case b"/invoices":
                return _given_away(self._notification)
            case b"/asked":
                return _given_away(self._asked)
            case b"/watch":
                self._watch = Watch(body.decode().split(), self._clock)
                return b""
            case _:
                return json.dumps(self._watch.seen()).encode()

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
        reference = f"{next(self._numbers):017d}"
        found = NOTIFICATION.search(body)
        self._notification[reference] = unescape(found[1].decode()) if found else ""
        rest = SENT.format(reference=reference)
        return ENVELOPE.format(operation="sendInvoice", reference=reference, rest=rest)

    def _payment_status(self, reference: str) -> str:
        paid = reference in self._paid
        if paid:
            self._asked.setdefault(reference, time.time())
        self._watch.ask(reference)
        rest = STATUS.format(status="PAID" if paid else "ISSUED", version=int(paid))
        return ENVELOPE.format(operation="getPaymentStatus", reference=reference, rest=rest)


class Watch:
    """When invoices were last asked about; one that never was counts from the beginning."""

    def __init__(self, references: list[str], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = dict.fromkeys(references, clock())
        self._count = 0
        self._longest = 0.0

    def ask(self, reference: str) -> None:
        """It is asked about now."""
        last = self._last.get(reference)
        if last is not None:
            now = self._last[reference] = self._clock()
            self._longest = max(self._longest, now - last)
            self._count += 1

    def seen(self) -> dict[str, float]:
        """How often, and the longest time without, over or not."""
        now = self._clock()
        waiting = now - min(self._last.values(), default=now)
        return {"count": self._count, "longest": max(self._longest, waiting)}


def _given_away(book: dict[str, Any]) -> bytes:
    """What stands in it, once."""
    text = json.dumps(book).encode()
    book.clear()
    return text


async def serve() -> None:
    """Answer on a free port until the standard input ends."""
    books = Books()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(books.answer), "127.0.0.1", 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    run(serve())
