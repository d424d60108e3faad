"""The panel: what is in SEQR's books, and the switches for everything that can go wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.booking import BookedInvoice
from sandbox.config import SandboxConfig
from sandbox.errors import ResultCode, SandboxError
from sandbox.faults import EVERY_OPERATION, Faults, NotificationFaults, PhoneFaults
from sandbox.ledger import Ledger
from sandbox.pages import render
from sandbox.signpost import Signpost
from sandbox.trouble import KINDS, OPERATIONS

_SHOWN = 50


class Panel:
    """The pages under ``/``."""

    def __init__(self, ledger: Ledger, faults: Faults, config: SandboxConfig, soap_url: str) -> None:
        self._ledger = ledger
        self._faults = faults
        self._config = config
        self._soap_url = soap_url

    def routes(self) -> list[Route]:
        """Every page of the panel."""
        one = "/panel/invoices/{reference}"
        return [
            Route("/", self.show, methods=["GET"]),
            Route("/panel/invoices", self.invoices, methods=["GET"]),
            Route("/panel/seqr", self.switch, methods=["POST"]),
            Route("/panel/faults/operation", self.set_operation, methods=["POST"]),
            Route("/panel/faults/notifications", self.set_notifications, methods=["POST"]),
            Route("/panel/faults/phone", self.set_phone, methods=["POST"]),
            Route("/panel/faults/clear", self.clear, methods=["POST"]),
            Route(one + "/pay", self._acting(self._ledger.pay), methods=["POST"]),
            Route(one + "/cancel", self._acting(self._ledger.cancel), methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The whole panel."""
        return self._page(request)

    async def invoices(self, request: Request) -> Response:
        """The list of invoices alone, for the page's refresh."""
        return render(
            request, "panel/invoices.html", zone=self._config.zone, invoices=self._ledger.invoices[:_SHOWN]
        )

    async def switch(self, request: Request) -> Response:
        """Switch SEQR off or on for shops."""
        form = await request.form()
        return self._set(request, {"down": form.get("down") == "yes"})

    async def set_operation(self, request: Request) -> Response:
        """Set the fault of one SOAP operation."""
        form = await request.form()
        fault: dict[str, Any] = {name: value for name, value in form.items() if value != ""}
        operation = str(fault.pop("operation", EVERY_OPERATION))
        return self._set(request, {"operations": {operation: fault}})

    async def set_notifications(self, request: Request) -> Response:
        """Set the faults of notifications."""
        form = await request.form()
        return self._set(request, {"notifications": _with_switches(form, "lost", "early")})

    async def set_phone(self, request: Request) -> Response:
        """Set the faults of payments."""
        form = await request.form()
        return self._set(request, {"phone": _with_switches(form, "refused")})

    async def clear(self, request: Request) -> Response:
        """Mend one operation, all notifications, all payments, or everything."""
        form = await request.form()
        operation = form.get("operation")
        match form.get("group"):
            case "notifications":
                self._faults.notifications = NotificationFaults()
            case "phone":
                self._faults.phone = PhoneFaults()
            case _:
                self._faults.clear(str(operation) if operation else None)
        return _back(request)

    def _set(self, request: Request, settings: dict[str, Any]) -> Response:
        try:
            self._faults.update(settings)
        except SandboxError as error:
            return self._page(request, error.message, 422)
        return _back(request)

    def _acting(self, act: Callable[[str], BookedInvoice]) -> Callable[[Request], Any]:
        async def handler(request: Request) -> Response:
            try:
                act(request.path_params["reference"])
            except SandboxError as error:
                return self._page(request, error.message, 409)
            return _back(request)

        return handler

    def _page(self, request: Request, problem: str | None = None, status: int = 200) -> Response:
        return render(
            request,
            "panel/panel.html",
            status,
            problem=problem,
            zone=self._config.zone,
            invoices=self._ledger.invoices[:_SHOWN],
            faults=self._faults,
            signpost=self._signpost(request),
            operations=OPERATIONS,
            kinds=KINDS,
            codes=list(ResultCode),
            terminals=[principal.id for principal in self._ledger.terminals],
            reversal_seconds=self._ledger.reversal_seconds,
            soap_url=self._soap_url,
            config=self._config,
        )

    def _signpost(self, request: Request) -> Signpost:
        base, config = request.scope.get("root_path", ""), self._config
        return Signpost(
            "Panel", config.shop_url, f"{base}/phone", f"{base}/", config.dashboard_url, self._faults
        )


def _with_switches(form: FormData, *switches: str) -> dict[str, Any]:
    """A form's values; a checkbox that is off is not sent, so it is put in."""
    return dict.fromkeys(switches, False) | dict(form)


def _back(request: Request) -> Response:
    return RedirectResponse(request.scope.get("root_path", "") + "/", 303)
