"""SEQR's notification: an empty POST to the invoice's notificationUrl (facts, rule 2)."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus

import aiohttp

from sandbox.booking import BookedInvoice
from sandbox.faults import Faults
from sandbox.ledger import Ledger

log = logging.getLogger("sandbox.notification")
_TIMEOUT = aiohttp.ClientTimeout(total=10)


class Notifier:
    """Tells shops that something happened. Runs beside everything else: no phone waits for it.

    What became of each attempt stands in the invoice's events.
    """

    def __init__(self, ledger: Ledger, faults: Faults) -> None:
        self._ledger = ledger
        self._faults = faults
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: set[asyncio.Task[None]] = set()
        ledger.on_paid.append(self.notify)
        ledger.on_customer_cancel.append(self.notify)

    async def start(self) -> None:
        """Be ready to send. Before that, nothing is sent."""
        self._loop = asyncio.get_running_loop()
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)

    async def close(self) -> None:
        """Stop what is still being sent."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        self._loop = self._session = None

    def notify(self, booked: BookedInvoice) -> None:
        """Send the notification as the faults say, in the background; callable from any thread."""
        if self._loop is not None and booked.invoice.notification_url:
            self._loop.call_soon_threadsafe(self._start_sending, booked)

    async def deliver(self, booked: BookedInvoice) -> bool:
        """One POST, now. Whether it was answered with 200."""
        address = booked.invoice.notification_url
        if self._session is None or address is None:
            return False
        try:
            async with self._session.post(address, data=b"", allow_redirects=False) as response:
                outcome, told = f"HTTP {response.status}", response.status == HTTPStatus.OK
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            outcome, told = f"{type(error).__name__}: {error}", False
        self._ledger.note(booked, "notified" if told else "notification failed", outcome)
        log.info("notification of %s: %s", booked.reference, outcome)
        return told

    def _start_sending(self, booked: BookedInvoice) -> None:
        task = asyncio.get_running_loop().create_task(self._send(booked))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _send(self, booked: BookedInvoice) -> None:
        faults = self._faults.notifications
        if faults.lost or self._faults.down:
            why = "SEQR is down" if self._faults.down else "a fault that was set"
            self._ledger.note(booked, "notification lost", why)
            return
        await asyncio.sleep(faults.late)
        await self._deliver_until_told(booked)
        for _ in range(faults.repeated):
            await self.deliver(booked)

    async def _deliver_until_told(self, booked: BookedInvoice) -> None:
        faults = self._faults.notifications
        for attempt in range(1 + faults.retries):
            if attempt:
                await asyncio.sleep(faults.retry_seconds)
            if await self.deliver(booked):
                return
