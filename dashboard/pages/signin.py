"""Sign-in and sign-out, and the way from ``/``."""

from __future__ import annotations

import asyncio

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from dashboard import guard
from dashboard.answer import bare
from dashboard.desk import Desk, Visit, clean
from dashboard.queries.people import find_person
from orchestrator import users
from orchestrator.users import Role, User

log = structlog.get_logger(__name__)

_WRONG = "No user has that name and password. Check both; capital letters count."


def routes(desk: Desk) -> list[BaseRoute]:
    async def show(request: Request) -> Response:
        if await guard.signed_in(desk, request):
            return RedirectResponse(inside(request.query_params.get("next", "")), 303)
        return _form(desk, request, next_=request.query_params.get("next", ""))

    async def sign_in(request: Request) -> Response:
        return await _sign_in(desk, request)

    return [
        Route("/login", show, name="login"),
        Route("/login", sign_in, methods=["POST"]),
        guard.form(desk, "/logout", sign_out, needs=Role.VIEWER),
        guard.page(desk, "/", start),
    ]


async def start(_visit: Visit) -> Response:
    """The list, until there is an overview."""
    return RedirectResponse("/purchases", 303)


async def sign_out(visit: Visit) -> Response:
    visit.request.session.clear()
    return RedirectResponse("/login", 303)


def inside(path: str) -> str:
    """The path if it leads to one of our pages, else the start: never to another site."""
    fits = path.startswith("/") and path.isprintable() and not path.startswith(("//", "/\\"))
    return path if fits and not path.startswith("/login") else "/"


async def _sign_in(desk: Desk, request: Request) -> Response:
    fields = await guard.read_form(request)
    name, next_ = fields.get("name", "").strip(), fields.get("next", "")
    user = await _recognised(desk, name, fields.get("password", ""))
    person = await desk.parts.database.read(find_person, user.id) if user else None
    if person is None:
        log.warning("dashboard.sign_in_refused", name=name[:64])
        return _form(desk, request, next_=next_, name=name, error=_WRONG, status=401)
    request.session.clear()
    request.session.update(user=person.id, stamp=person.stamp)
    log.info("dashboard.signed_in", name=person.name)
    return RedirectResponse(inside(next_), 303)


async def _recognised(desk: Desk, name: str, password: str) -> User | None:
    """Who has that name and password; hashing takes a while, so it runs beside the event loop."""
    found = await desk.parts.database.read(users.candidate, clean(name))
    user = await asyncio.to_thread(users.recognise, found, password)
    if user is not None:
        await desk.parts.database.write(users.rehash, found, password)
    return user


def _form(
    desk: Desk, request: Request, *, next_: str, name: str = "", error: str = "", status: int = 200
) -> Response:
    return bare(desk, request, "login.html", status, next=next_, name=name, error=error)
