"""The customer's phone: scan, address, purchase details, PIN, receipt. Works with JavaScript off.

The state that a page shows stands in ``data-state`` of its root element: ``scan``, ``address``, ``details``,
``pin``, ``acknowledging``, ``processing``, ``waiting``, ``confirmed``, ``cancelled``, ``refused``,
``reversed``, and ``error`` for what the shop or SEQR would not do. What each says is in ``explanation``.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.booking import BookedInvoice, Cause, Status
from sandbox.checkout import (
    DEMO_CUSTOMER,
    CheckoutRefused,
    Customer,
    InstantCheckout,
    InvoiceCode,
    ShopCode,
    UnreadableCode,
    read_code,
)
from sandbox.config import SandboxConfig
from sandbox.errors import Refusal, SandboxError
from sandbox.explanation import (
    BACKSTAGE,
    UNREADABLE,
    Explanation,
    explain_act,
    explain_order,
    explain_outcome,
)
from sandbox.faults import Faults
from sandbox.ledger import Ledger
from sandbox.pages import render
from sandbox.product import ShopProduct
from sandbox.signpost import Signpost

PIN_LENGTH = 4
WRONG_PIN = "0000"
"""Any other PIN is right."""
_COOKIE = "sandbox_customer"


class Phone:
    """The pages under ``/phone``."""

    def __init__(
        self, ledger: Ledger, faults: Faults, checkout: InstantCheckout, config: SandboxConfig
    ) -> None:
        self._ledger = ledger
        self._faults = faults
        self._checkout = checkout
        self._config = config
        self._payments: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        """Every page of the phone."""
        one = "/phone/invoices/{reference}"
        return [
            Route("/phone", self.scan, methods=["GET"]),
            Route("/phone/confirm", self.confirm_address, methods=["POST"]),
            Route(one, self.invoice, methods=["GET"]),
            Route(one + "/state", self.state, methods=["GET"]),
            Route(one + "/pin", self.pin, methods=["GET", "POST"]),
            Route(one + "/cancel", self.cancel, methods=["POST"]),
        ]

    async def close(self) -> None:
        """Stop payments that are still in progress."""
        for task in self._payments:
            task.cancel()
        await asyncio.gather(*self._payments, return_exceptions=True)

    async def scan(self, request: Request) -> Response:
        """The first screen; with a code in the query, what that code leads to."""
        query = request.query_params
        if query.get("t"):
            return await self._address(
                request, ShopCode(query.get("w", ""), query["t"]), _remembered(request)
            )
        if query.get("r"):
            return _to(request, f"/phone/invoices/{query['r']}")
        if query.get("code"):
            return self._scanned(request, query["code"])
        return await self._scan_screen(request)

    async def confirm_address(self, request: Request) -> Response:
        """Let the shop make the purchase, then show its details."""
        form = await request.form()
        code = ShopCode(str(form.get("w", "")), str(form.get("t", "")))
        customer = Customer.read(form)
        try:
            reference = await self._checkout.create_purchase(code, customer)
        except CheckoutRefused as refused:
            answer = await self._refused(request, code, customer, refused)
        else:
            answer = _to(request, f"/phone/invoices/{reference}")
        # What was typed is kept also when nothing was ordered: it is tried again with it.
        _remember(answer, request, customer)
        return answer

    async def invoice(self, request: Request) -> Response:
        """An invoice, in whatever state it is."""
        try:
            booked = self._ledger.invoice(request.path_params["reference"])
        except Refusal as refusal:
            return self._problem(request, explain_act(refusal), 404, said=refusal)
        state = phone_state(booked)
        if state == "details":
            return self._render(request, "phone/details.html", state=state, booked=booked)
        told = {"explanation": explain_outcome(state, booked), "message": self._message(booked)}
        return self._render(request, "phone/outcome.html", 200, state=state, booked=booked, **told)

    async def state(self, request: Request) -> Response:
        """The state alone, for the waiting page."""
        try:
            return PlainTextResponse(phone_state(self._ledger.invoice(request.path_params["reference"])))
        except Refusal as refusal:
            return PlainTextResponse(refusal.message, 404)

    async def pin(self, request: Request) -> Response:
        """The PIN pad. Each press posts one digit; the fourth one pays."""
        reference = request.path_params["reference"]
        try:
            booked = self._ledger.invoice(reference)
            entered = await _entered_pin(request)
            if phone_state(booked) != "details":
                return _to(request, f"/phone/invoices/{reference}")
            wrong = entered == WRONG_PIN
            if wrong or len(entered) < PIN_LENGTH:
                entered = "" if wrong else entered
                told = {"booked": booked, "entered": entered, "wrong": wrong}
                return self._render(request, "phone/pin.html", 200, state="pin", **told)
            await self._begin_payment(reference, _remembered(request).msisdn)
        except Refusal as refusal:
            return self._problem(request, explain_act(refusal), 409, reference, said=refusal)
        return _to(request, f"/phone/invoices/{reference}")

    async def cancel(self, request: Request) -> Response:
        """The customer does not want it."""
        reference = request.path_params["reference"]
        try:
            self._ledger.cancel(reference)
        except Refusal as refusal:
            return self._problem(request, explain_act(refusal), 409, reference, said=refusal)
        return _to(request, f"/phone/invoices/{reference}")

    async def _begin_payment(self, reference: str, payer: str) -> None:
        self._ledger.begin_payment(reference)
        task = asyncio.create_task(self._complete_payment(reference, payer))
        self._payments.add(task)
        task.add_done_callback(self._payments.discard)
        if not self._faults.phone.processing_seconds:
            await task

    async def _complete_payment(self, reference: str, payer: str) -> None:
        await asyncio.sleep(self._faults.phone.processing_seconds)
        if self._faults.phone.refused:
            self._ledger.fail(reference)
        else:
            self._ledger.pay(reference, payer)

    def _scanned(self, request: Request, text: str) -> Response:
        try:
            code = read_code(text)
        except UnreadableCode as error:
            return self._problem(request, UNREADABLE, 422, said=error)
        if isinstance(code, InvoiceCode):
            return _to(request, f"/phone/invoices/{code.reference}")
        return _to(request, f"/phone?{urlencode({'w': code.webshop_id, 't': code.token})}")

    async def _scan_screen(self, request: Request) -> Response:
        return self._render(
            request,
            "phone/scan.html",
            state="scan",
            products=await self._products(),
            webshop_id=self._config.webshop_id,
            invoices=[booked for booked in self._ledger.invoices if booked.open][:5],
            messages=self._ledger.messages[::-1][:3],
        )

    async def _address(
        self, request: Request, code: ShopCode, customer: Customer, wrong: Mapping[str, str] | None = None
    ) -> Response:
        """The address form. ``wrong``: what the shop said about each of createPurchase's fields."""
        said = dict(wrong or {})
        if "clientName" in said:
            said["name"] = said.pop("clientName")
        product = next((product for product in await self._products() if product.token == code.token), None)
        elsewhere = {name: reason for name, reason in said.items() if name not in asdict(customer)}
        return self._render(
            request,
            "phone/address.html",
            status=422 if said else 200,
            state="address",
            code=code,
            product=product,
            customer=customer,
            wrong=said,
            elsewhere=elsewhere,
        )

    async def _products(self) -> list[ShopProduct]:
        return await self._config.products() if self._config.products else []

    async def _refused(
        self, request: Request, code: ShopCode, customer: Customer, refused: CheckoutRefused
    ) -> Response:
        if refused.fields:
            return await self._address(request, code, customer, refused.fields)
        again = f"/phone?{urlencode({'w': code.webshop_id, 't': code.token})}"
        return self._problem(request, explain_order(refused), 502, again=again, said=refused)

    def _problem(
        self,
        request: Request,
        explanation: Explanation,
        status: int,
        reference: str | None = None,
        *,
        said: SandboxError,
        again: str = "/phone",
    ) -> Response:
        """What did not work. ``reference``: the invoice to look at, ``said``: what to show to developers."""
        code = said.code if isinstance(said, CheckoutRefused) else None
        told = {"reason": said.reason if isinstance(said, Refusal) else said.message, "code": code}
        context = {"explanation": explanation, "reference": reference, "again": again, "said": told}
        return self._render(request, "phone/problem.html", status, state="error", **context)

    def _render(self, request: Request, template: str, /, status: int = 200, **context: object) -> Response:
        base, config = request.scope.get("root_path", ""), self._config
        signpost = Signpost(
            "Phone", config.shop_url, f"{base}/phone", f"{base}/", config.dashboard_url, self._faults
        )
        told: dict[str, object] = {"signpost": signpost, "backstage": BACKSTAGE[str(context["state"])]}
        told |= {"shop_url": config.shop_url, "zone": config.zone}
        return render(request, template, status, **told, **context)

    def _message(self, booked: BookedInvoice) -> str | None:
        texts = [sms.text for sms in self._ledger.messages if sms.reference == booked.reference]
        return texts[-1] if texts else None


def phone_state(booked: BookedInvoice) -> str:
    """What the phone shows for an invoice (see the module's docstring)."""
    if booked.in_progress:
        return "processing"
    match booked.status:
        case Status.PENDING_ISSUER_ACKNOWLEDGE:
            return "acknowledging"
        case Status.PAID:
            return "confirmed" if booked.committed else "waiting"
        case Status.CANCELED:
            return "reversed" if booked.cause is Cause.REVERSAL else "cancelled"
        case Status.FAILED:
            return "refused"
    return "details"


def _to(request: Request, path: str) -> Response:
    return RedirectResponse(request.scope.get("root_path", "") + path, 303)


async def _entered_pin(request: Request) -> str:
    if request.method == "GET":
        return ""
    form = await request.form()
    digits = re.sub(r"\D", "", str(form.get("pin", "")))
    if form.get("digit") == "delete":
        return digits[:-1]
    return (digits + re.sub(r"\D", "", str(form.get("digit", ""))))[:PIN_LENGTH]


def _remembered(request: Request) -> Customer:
    """The address typed last on this browser, else the demo customer's."""
    try:
        kept = json.loads(base64.urlsafe_b64decode(request.cookies.get(_COOKIE, "")))
    except ValueError:
        return DEMO_CUSTOMER
    return Customer.read(kept) if isinstance(kept, dict) else DEMO_CUSTOMER


def _remember(answer: Response, request: Request, customer: Customer) -> None:
    kept = base64.urlsafe_b64encode(json.dumps(asdict(customer)).encode()).decode()
    path = request.scope.get("root_path", "") + "/phone"
    answer.set_cookie(_COOKIE, kept, max_age=30 * 86400, path=path, httponly=True, samesite="lax")
