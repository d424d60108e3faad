"""How the sandbox's pages are drawn: templates, static files, and the headers that keep pages safe."""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.price import price

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


class PageSafety:
    """Adds a strict Content-Security-Policy. ``trusted``: where pictures and scripts may come from."""

    def __init__(self, app: ASGIApp, trusted: tuple[str, ...] = ()) -> None:
        self._app = app
        origins = " ".join(["'self'", *sorted({origin for t in trusted if (origin := _origin(t))})])
        self._policy = (
            f"default-src 'self'; img-src {origins}; script-src {origins}; "
            "form-action 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'self'"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through, with the headers added."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = self._policy
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
            await send(message)

        await self._app(scope, receive, send_safely)


def render(request: Request, template: str, /, status: int = 200, **context: Any) -> HTMLResponse:
    """A page. ``base`` is the prefix under which the application is mounted."""
    page = draw_template(template, base=request.scope.get("root_path", ""), **context)
    return HTMLResponse(page, status, headers={"Cache-Control": "no-store"})


def draw_template(template: str, /, **context: Any) -> str:
    """A template filled in."""
    return _templates.get_template(template).render(**context)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _quantity(value: Decimal | int) -> str:
    """A quantity as people write it: 2, not 2.000."""
    return f"{Decimal(value).normalize():f}"


def _clock(at: datetime, zone: tzinfo) -> str:
    """The time of day, with its zone: ``13:00:05 CET``."""
    return f"{at.astimezone(zone):%H:%M:%S %Z}"


def _minute(at: datetime, zone: tzinfo) -> str:
    """Day and minute, with their zone: ``2026-03-01 13:00 CET``."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"


_templates = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["quantity"] = _quantity
_templates.filters["price"] = price
_templates.filters["clock"] = _clock
_templates.filters["minute"] = _minute
