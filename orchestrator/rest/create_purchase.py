"""createPurchase: SEQR's Instant Checkout service tells what a customer wants (facts, "createPurchase")."""

from __future__ import annotations

import base64
import hmac
import json
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orchestrator.front.header import first
from orchestrator.parts import Parts
from orchestrator.purchase import Order
from orchestrator.rest.body import read_json
from orchestrator.rest.errors import Refusal, invalid
from orchestrator.settings import Settings

PATH = "/seqr/createPurchase"

_EMAIL = re.compile(r"[^\s@<>,;\x00-\x1f\x7f-\x9f]+@[^\s@<>,;\x00-\x1f\x7f-\x9f]+")
_TOKEN = re.compile(r"[A-Za-z0-9._-]+")
HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Unicode's control characters and halves of characters: neither XML nor a mail header can carry them."""


@dataclass(frozen=True, slots=True)
class Field:
    """How one field of the request may look. ``attribute`` is its name in Order."""

    attribute: str
    longest: int
    required: bool = True
    pattern: re.Pattern[str] | None = None
    words: str = ""

    def complaint(self, value: object) -> str | None:
        """What is wrong with ``value``, or None."""
        if value is None:
            return "is missing" if self.required else None
        return self._of_text(value) if isinstance(value, str) else "must be text"

    def _of_text(self, value: str) -> str | None:
        if self.required and not value.strip():
            return "must not be empty"
        if len(value) > self.longest:
            return f"must have at most {self.longest} characters"
        if HIDDEN.search(value):
            return "must not contain control characters"
        if self.pattern is not None and not self.pattern.fullmatch(value):
            return self.words
        return None


FIELDS = {
    "purchaseToken": Field(
        "purchase_token", 64, pattern=_TOKEN, words="may have letters, digits, '-', '_' and '.'"
    ),
    "clientName": Field("name", 200),
    "street": Field("street", 200),
    "city": Field("city", 200),
    "state": Field("state", 200, required=False),
    "zip": Field("zip", 32),
    "country": Field("country", 100),
    "email": Field("email", 254, pattern=_EMAIL, words="must be a mail address such as anna@example.com"),
    "msisdn": Field("msisdn", 32, required=False),
}
"""The request's fields; what else it carries is ignored."""
_ATTRIBUTES = tuple((name, field.attribute) for name, field in FIELDS.items())


def routes(parts: Parts) -> list[Route]:
    """The endpoint that SEQR calls."""
    in_flight = 0

    async def create_purchase(request: Request) -> Response:
        nonlocal in_flight
        check_credentials(request, parts.settings)
        # Read before it counts: a caller that sends its body slowly must not keep the others out.
        order = parse(await read_json(request))
        if in_flight >= parts.settings.create_purchase_in_flight:
            wait = {"Retry-After": "1"}
            raise Refusal(429, "too_many_requests", "Too many purchases at once.", headers=wait)
        in_flight += 1
        try:
            reference = await parts.settlement.place(order)
        finally:
            in_flight -= 1
        answer = f'{{"invoiceReferenceId":{json.dumps(reference)}}}'
        return Response(answer, media_type="application/json")

    return [Route(PATH, create_purchase, methods=["POST"])]


def parse(body: Any) -> Order:
    """The order in a request. Raises Refusal, 400 or 422 with the wrong fields."""
    if not isinstance(body, dict):
        raise Refusal(400, "invalid_request", "The body must be a JSON object.")
    complaints = {
        name: complaint for name, field in FIELDS.items() if (complaint := field.complaint(body.get(name)))
    }
    if complaints:
        raise invalid(complaints)
    return Order(**{attribute: body.get(name) or "" for name, attribute in _ATTRIBUTES})


def check_credentials(request: Request, settings: Settings) -> None:
    """Demand HTTP Basic authentication where it is set. Raises Refusal 401."""
    if settings.create_purchase_user is None or settings.create_purchase_password is None:
        return
    password = settings.create_purchase_password.get_secret_value()
    wanted = f"{settings.create_purchase_user}:{password}".encode()
    scheme, _, credentials = (first(request.scope, b"authorization") or b"").partition(b" ")
    try:
        given = base64.b64decode(credentials.strip(), validate=True)
    except ValueError:  # characters that base64 does not have, or too few of them
        given = b""
    if scheme.lower() != b"basic" or not hmac.compare_digest(given, wanted):
        raise Refusal(
            401,
            "unauthorized",
            "createPurchase demands its user and password (HTTP Basic).",
            headers={"WWW-Authenticate": 'Basic realm="createPurchase", charset="UTF-8"'},
        )
