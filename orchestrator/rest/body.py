"""A request's body as JSON, bounded in size."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import ClientDisconnect, Request

from orchestrator.front.header import first
from orchestrator.rest.errors import Refusal

LARGEST_BODY = 64 * 1024
"""Bytes; reading stops there."""


async def read_json(request: Request) -> Any:
    """The request's JSON. Raises Refusal: 415, 413 or 400."""
    media_type = (first(request.scope, b"content-type") or b"").partition(b";")[0].strip().lower()
    if media_type != b"application/json":
        raise Refusal(415, "invalid_request", "Send JSON: the header Content-Type must be application/json.")
    try:
        return json.loads(await _body(request))
    except (ValueError, RecursionError):
        raise Refusal(400, "invalid_request", "The body is not JSON.") from None


async def _body(request: Request) -> bytes:
    """Taken as it comes, without Starlette's stream around it. Raises Refusal 413, ClientDisconnect."""
    body, more = b"", True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise Refusal(413, "invalid_request", "The body must not be larger than 64 KiB.")
        more = message.get("more_body", False)
    return body
