"""The sandbox put together: one Starlette application, to be mounted at a prefix or served alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.api import Api
from sandbox.booking import BookedInvoice
from sandbox.checkout import InstantCheckout
from sandbox.config import SandboxConfig
from sandbox.endpoint import SoapEndpoint
from sandbox.faults import Faults
from sandbox.ledger import Ledger
from sandbox.notification import Notifier
from sandbox.pages import STATIC, PageSafety
from sandbox.panel import Panel
from sandbox.phone import Phone
from sandbox.picture import picture_route
from sandbox.soap import Wire
from sandbox.terminals import Terminals

__all__ = ["Sandbox", "SandboxConfig", "build_sandbox"]


class Sandbox:
    """SEQR, the Instant Checkout service and the phone.

    ``ledger`` and ``faults`` may be used directly. Served alone, the application starts and stops by its
    lifespan; mounted into another one, whose lifespan does not reach it, call ``start`` and ``close``.
    """

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.soap_url = f"{config.base_url.rstrip('/')}/seqr"
        self.ledger = Ledger(Terminals(config.terminals), reversal_seconds=config.reversal_seconds)
        self.faults = Faults()
        self._notifier = Notifier(self.ledger, self.faults)
        self._checkout = InstantCheckout(
            config.create_purchase_url,
            config.webshop_id,
            config.create_purchase_auth,
            config.checkout_timeout,
        )
        self._phone = Phone(self.ledger, self.faults, self._checkout, config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.ledger.on_paid.append(self._watch_reversal)
        self.app = self._application()

    async def start(self) -> None:
        """Open what calls out. Starting twice does nothing."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            await self._notifier.start()
            await self._checkout.start()

    async def close(self) -> None:
        """Close what calls out. Closing twice does nothing."""
        if self._loop is not None:
            self._loop = None
            await self._phone.close()
            await self._notifier.close()
            await self._checkout.close()

    def _watch_reversal(self, booked: BookedInvoice) -> None:
        if self._loop is not None:
            wait = self.ledger.reversal_seconds + 0.01
            self._loop.call_soon_threadsafe(self._loop.call_later, wait, self.ledger.reverse_overdue)

    def _application(self) -> Starlette:
        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            await self.start()
            try:
                yield
            finally:
                await self.close()

        soap = SoapEndpoint(Wire(self.config.wsdl), self.ledger, self.faults, self._notifier, self.soap_url)
        routes = [
            Route("/seqr", soap.describe, methods=["GET"]),
            Route("/seqr", soap.answer, methods=["POST"]),
            *Api(self.ledger, self.faults, self._checkout).routes(),
            *self._phone.routes(),
            *Panel(self.ledger, self.faults, self.config, self.soap_url).routes(),
            *([picture_route(self.config.products)] if self.config.products else []),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
        ]
        return Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(PageSafety)])


def build_sandbox(config: SandboxConfig) -> Sandbox:
    """A sandbox that is ready to be started."""
    return Sandbox(config)
