"""What goes wrong, as pages in words. None shows more than somebody outside may know."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from dashboard.answer import bare
from dashboard.desk import Desk
from dashboard.language import mark
from orchestrator.database import DatabaseUnavailable

log = structlog.get_logger(__name__)

Handlers = Mapping[Any, Callable[[Request, Exception], Awaitable[Response]]]

_TITLES = {
    400: mark("That makes no sense to us"),
    403: mark("You may not do that"),
    404: mark("There is nothing here"),
    405: mark("That cannot be done here"),
    503: mark("The database does not answer"),
}
_WORDS = {
    400: mark("The request was not understood. Go back and try again."),
    404: mark("The address is wrong, or what was here is gone."),
    405: mark("This address takes no request of that kind."),
}


def handlers(desk: Desk) -> Handlers:
    """By exception: what Starlette's ExceptionMiddleware takes."""

    async def told(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        said = "" if error.detail == HTTPStatus(error.status_code).phrase else error.detail
        words = said or _WORDS.get(error.status_code, mark("Go back and try again."))
        return _answer(desk, request, error.status_code, words, error.headers)

    async def cut_off(request: Request, _: Exception) -> Response:
        return _answer(desk, request, 400, _WORDS[400], None)

    async def database_down(request: Request, error: Exception) -> Response:
        log.warning("dashboard.no_database", path=request.url.path, reason=str(error))
        words = mark("Nothing is lost: what was committed is kept. Reload the page in a moment.")
        return _answer(desk, request, 503, words, {"Retry-After": "2"})

    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("dashboard.failed", path=request.url.path, exc_info=error)
        words = mark(
            "This is our mistake. It was written to the log; what you wanted may not have been done."
        )
        return _answer(desk, request, 500, words, None)

    return {
        HTTPException: told,
        ClientDisconnect: cut_off,
        DatabaseUnavailable: database_down,
        Exception: unexpected,
    }


def _answer(
    desk: Desk, request: Request, status: int, words: str, headers: Mapping[str, str] | None
) -> Response:
    title = _TITLES.get(status, mark("Something went wrong"))
    answer = bare(desk, request, "failure.html", status, title=title, words=words)
    answer.headers.update(headers or {})
    return answer
