"""Who calls ``/api/v1``: a bearer token from the settings or one made in the dashboard."""

from __future__ import annotations

import hmac

from starlette.requests import Request

from orchestrator import api_token
from orchestrator.identity import now
from orchestrator.parts import Parts
from orchestrator.rest.errors import Refusal
from orchestrator.settings import Settings

SETTINGS_ACTOR = "api:settings"
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
