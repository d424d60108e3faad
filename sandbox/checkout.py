"""SEQR's Instant Checkout service: from a scanned code to the shop's invoice.

It understands ``HTTP://SEQR.SE/000/<service>?w=<webshopId>&t=<purchaseToken>``, the same with ``seqr://`` or
``seqr-demo://`` in front, any web address with ``w`` and ``t`` in its query, and
``HTTP://SEQR.SE/R<reference>`` for an invoice that exists already (facts, rule 8).
"""

from __future__ import annotations

import base64
import re
from dataclasses import asdict, dataclass, fields
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import aiohttp

from sandbox.errors import SandboxError

_HEADERS = {"Accept": "application/json", "Content-Type": "application/json;charset=UTF-8"}
_INVOICE_PATH = re.compile(r"/?R(\d+)", re.IGNORECASE)


class UnreadableCode(SandboxError):
    """This is not a SEQR code."""


class CheckoutRefused(SandboxError):
    """The shop did not make a purchase. ``code`` is its errorCode, or one of ours when it gave none."""

    def __init__(
        self, code: str, message: str, *, status: int | None = None, retryable: bool = False
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.retryable = retryable
        self.fields: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class ShopCode:
    """A code on a product page."""

    webshop_id: str
    token: str


@dataclass(frozen=True, slots=True)
class InvoiceCode:
    """A code of an invoice that exists already."""

    reference: str


@dataclass(frozen=True, slots=True)
class Customer:
    """The delivery address stored in SEQR, as createPurchase sends it."""

    name: str = "Astrid Lindqvist"
    street: str = "Hornsgatan 42"
    zip: str = "118 21"
    city: str = "Stockholm"
    state: str = ""
    country: str = "SE"
    email: str = "astrid.lindqvist@example.com"
    msisdn: str = "46701740605"

    @classmethod
    def read(cls, values: Any) -> Customer:
        """A customer from a form or JSON; what is absent stays as in the demo customer."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: str(value) for name, value in dict(values).items() if name in known})


DEMO_CUSTOMER: Final = Customer()


def read_code(text: str) -> ShopCode | InvoiceCode:
    """What a scanned code asks for.

    Raises:
        UnreadableCode: it is none of SEQR's.
    """
    code = text.strip()
    try:
        parts = urlsplit(code)
    except ValueError as error:
        raise UnreadableCode(f"This is not a SEQR code: {code[:80]}") from error
    query = {name.lower(): values[0] for name, values in parse_qs(parts.query).items()}
    if query.get("t"):
        return ShopCode(query.get("w", ""), query["t"])
    invoice = _INVOICE_PATH.fullmatch(parts.path if parts.scheme else code)
    reference = invoice.group(1) if invoice else query.get("r")
    if not reference:
        raise UnreadableCode(f"This is not a SEQR code: {code[:80]}")
    return InvoiceCode(reference)


class InstantCheckout:
    """Calls the shop's createPurchase as SEQR would."""

    def __init__(
        self, address: str, webshop_id: str, credentials: tuple[str, str] | None = None, timeout: float = 30.0
    ) -> None:
        self._address = address
        self._webshop_id = webshop_id
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._headers = _HEADERS | _basic(credentials)
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Be ready to call."""
        self._session = aiohttp.ClientSession(timeout=self._timeout, headers=self._headers)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
        self._session = None

    async def create_purchase(self, code: ShopCode, customer: Customer) -> str:
        """Let the shop make a purchase; the reference of its invoice.

        Raises:
            CheckoutRefused: the web-shop is unknown, says no, cannot be reached, or answers nonsense.
        """
        if code.webshop_id and code.webshop_id != self._webshop_id:
            raise CheckoutRefused("UNKNOWN_WEBSHOP", f"SEQR does not know a web-shop {code.webshop_id}.")
        status, answer = await self._post(purchase_body(code.token, customer))
        if status != HTTPStatus.OK:
            raise _refusal(status, answer)
        reference = answer.get("invoiceReferenceId") if isinstance(answer, dict) else None
        if not isinstance(reference, str) or not reference:
            raise CheckoutRefused(
                "INVALID_ANSWER", "The shop's answer carries no invoiceReferenceId.", status=status
            )
        return reference

    async def _post(self, body: dict[str, str]) -> tuple[int, Any]:
        if self._session is None:
            raise CheckoutRefused("NOT_STARTED", "The Instant Checkout service is not running.")
        try:
            async with self._session.post(self._address, json=body) as response:
                return response.status, await _json(response)
        except TimeoutError as error:
            raise CheckoutRefused(
                "SHOP_TIMEOUT", "The shop did not answer in time.", retryable=True
            ) from error
        except aiohttp.ClientError as error:
            raise CheckoutRefused(
                "SHOP_UNREACHABLE", "The shop cannot be reached.", retryable=True
            ) from error


def purchase_body(token: str, customer: Customer) -> dict[str, str]:
    """createPurchase's JSON: all strings (facts, "createPurchase")."""
    address = asdict(customer)
    return {"purchaseToken": token, "clientName": address.pop("name"), **address}


def _basic(credentials: tuple[str, str] | None) -> dict[str, str]:
    if credentials is None:
        return {}
    joined = base64.b64encode(":".join(credentials).encode()).decode()
    return {"Authorization": f"Basic {joined}"}


async def _json(response: aiohttp.ClientResponse) -> Any:
    try:
        return await response.json(content_type=None)
    except ValueError:
        return None


def _refusal(status: int, answer: Any) -> CheckoutRefused:
    told = answer if isinstance(answer, dict) else {}
    refused = CheckoutRefused(
        str(told.get("errorCode") or f"HTTP_{status}"),
        str(told.get("message") or "The shop could not make this purchase."),
        status=status,
        retryable=status in (429, 502, 503, 504),
    )
    wrong = told.get("fields")
    if isinstance(wrong, dict):
        refused.fields = {str(name): str(reason) for name, reason in wrong.items()}
    return refused
