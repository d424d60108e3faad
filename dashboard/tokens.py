"""The token that every form carries: a foreign page cannot know it, so it cannot send our forms."""

from __future__ import annotations

import secrets

from starlette.requests import Request

FIELD = "csrf"


def csrf_token(request: Request) -> str:
    """The session's token; made when it has none."""
    session = request.session
    if FIELD not in session:
        session[FIELD] = secrets.token_urlsafe(24)
    return str(session[FIELD])


def csrf_fits(request: Request, sent: str) -> bool:
    """Whether a form was drawn by us for this session."""
    return secrets.compare_digest(csrf_token(request).encode(), sent.encode())
