"""Sign-in and sign-out."""

from __future__ import annotations

import structlog
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from dashboard import guard
from dashboard.answer import bare
from dashboard.desk import Desk, Visit, clean, language_of
from dashboard.language import LANGUAGES, Language, language, mark
from orchestrator import audit, session, signin
from orchestrator.errors import OrchestratorError
from orchestrator.identity import now
from orchestrator.signin import LockedOut, SignInRefused
from orchestrator.stamp import Stamp
from orchestrator.users import Role

log = structlog.get_logger(__name__)

WRONG = mark("No user has that name and password. Check both; capital letters count in the password.")


def routes(desk: Desk) -> list[BaseRoute]:
    async def show(request: Request) -> Response:
        return await _show(desk, request)

    async def sign_in(request: Request) -> Response:
        return await _sign_in(desk, request)

    return [
        Route("/login", show, name="login"),
        Route("/login", sign_in, methods=["POST"], name="sign_in"),
        guard.form(desk, "/logout", sign_out, needs=Role.VIEWER),
    ]


async def sign_out(visit: Visit) -> Response:
    """End the session here and in the browser."""
    person = visit.person
    await visit.desk.parts.database.write(
        _end, person.session.id, person.id, person.name, visit.stamp, visit.address
    )
    renewed(visit.request)
    return RedirectResponse("/login", 303)


def inside(path: str) -> str:
    """The path if it leads to one of our pages, else the start: never to another site."""
    fits = path.startswith("/") and path.isprintable() and not path.startswith(("//", "/\\"))
    return path if fits and not path.startswith("/login") else "/"


def renewed(request: Request) -> None:
    """Empty the cookie, key and form token above all; only the language that was chosen stays."""
    chosen = request.session.get("language")
    request.session.clear()
    if chosen:
        request.session["language"] = chosen


async def _show(desk: Desk, request: Request) -> Response:
    next_ = request.query_params.get("next", "")
    chosen = request.query_params.get("language", "")
    if chosen in LANGUAGES:
        request.session["language"] = chosen
    if await guard.signed_in(desk, request):
        return RedirectResponse(inside(next_), 303)
    return _form(desk, request, next_=next_)


async def _sign_in(desk: Desk, request: Request) -> Response:
    fields = await guard.read_form(request)
    name, next_ = clean(fields.get("name", "")), fields.get("next", "")
    origin = guard.origin_of(request)
    try:
        user, key = await signin.enter(desk.parts.database, name, fields.get("password", ""), origin, now())
    except (SignInRefused, LockedOut) as error:
        log.warning("dashboard.sign_in_refused", reason=error.code, address=origin.address)
        words = told(language(language_of(request)), error)
        status = 429 if isinstance(error, LockedOut) else 401
        return _form(desk, request, next_=next_, name=name, error=words, status=status)
    renewed(request)
    request.session[guard.KEY] = key
    log.info("dashboard.signed_in", name=user.name)
    return RedirectResponse(inside(next_), 303)


def told(spoken: Language, error: OrchestratorError) -> str:
    """Why somebody is not recognised, in a sentence."""
    if not isinstance(error, LockedOut):
        return spoken.gettext(WRONG)
    return spoken.ngettext(
        "Too many sign-ins went wrong. Try again in a minute.",
        "Too many sign-ins went wrong. Try again in %(num)s minutes.",
        error.minutes,
    )


def _end(
    connection: Connection, session_id: str, user_id: str, name: str, stamp: Stamp, address: str
) -> None:
    if session.end(connection, session_id, user_id):
        audit.record(connection, stamp, "user.sign_out", name, address=address)


def _form(
    desk: Desk, request: Request, *, next_: str, name: str = "", error: str = "", status: int = 200
) -> Response:
    return bare(desk, request, "login.html", status, next=next_, name=name, error=error)
