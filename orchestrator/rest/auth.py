"""Who calls ``/api/v1``: a bearer token from the settings or one made in the dashboard."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from orchestrator import api_token
from orchestrator.identity import now
from orchestrator.parts import Parts
from orchestrator.rest.errors import Refusal
from orchestrator.settings import Settings

Endpoint = Callable[[Parts, Request, str], Awaitable[Response]]
"""What answers a call of ``/api/v1``; the last argument is the actor."""

SETTINGS_ACTOR = f"api:{api_token.SETTINGS_NAME}"
"""Whoever uses the token of ORCHESTRATOR_API_TOKEN."""


async def authorize(parts: Parts, request: Request) -> str:
    """The actor behind the request, ``api:`` and the token's name.

    Raises:
        Refusal: 401 with ``WWW-Authenticate`` (RFC 6750).
        DatabaseUnavailable: nobody can tell.
    """
    token = _bearer(request)
    if token is None:
        raise _unauthorized("Send a token: the header 'Authorization: Bearer TOKEN' is missing.", "")
    if _is_the_setting(parts.settings, token):
        return SETTINGS_ACTOR
    known = await parts.database.read(api_token.recognise, token)
    if known is None:
        raise _unauthorized("This token is unknown or was revoked.", ', error="invalid_token"')
    at = now()
    if known.use_is_news(at):
        await parts.database.write(api_token.note_use, known.id, at)
    return f"api:{known.name}"


def guarded(parts: Parts, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """``endpoint`` for a route: it is called only for a request with a good token."""

    async def answer(request: Request) -> Response:
        return await endpoint(parts, request, await authorize(parts, request))

    return answer


def address_of(request: Request) -> str:
    """The network address that a request comes from."""
    return request.client.host if request.client else ""


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _is_the_setting(settings: Settings, token: str) -> bool:
    if settings.api_token is None:
        return False
    # Compared as bytes: compare_digest takes no text beyond ASCII.
    return hmac.compare_digest(settings.api_token.get_secret_value().encode(), token.encode())


def _unauthorized(message: str, error: str) -> Refusal:
    challenge = f'Bearer realm="orchestrator"{error}'
    return Refusal(401, "unauthorized", message, headers={"WWW-Authenticate": challenge})
