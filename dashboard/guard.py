"""Who may come in: every page but the sign-in stands behind one of these two kinds of route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dashboard.answer import is_fragment
from dashboard.desk import Desk, Visit
from dashboard.queries.people import Person, find_person
from dashboard.tokens import FIELD, csrf_fits
from orchestrator.users import Role

Handler = Callable[[Visit], Awaitable[Response]]

_FORM_FIELDS = 50
_LARGEST_FIELD = 16 * 1024
"""Bytes. The sign-in's form is read from anybody, so it must be small."""


def page(desk: Desk, path: str, handler: Handler) -> Route:
    """A page for everybody who is signed in."""

    async def endpoint(request: Request) -> Response:
        person = await signed_in(desk, request)
        if person is None:
            return _to_sign_in(request)
        return await handler(Visit(desk, request, person))

    return Route(path, endpoint, name=handler.__name__)


def form(desk: Desk, path: str, handler: Handler, needs: Role = Role.OPERATOR) -> Route:
    """A form for those whose role allows it; it has to carry the session's token."""

    async def endpoint(request: Request) -> Response:
        person = await signed_in(desk, request)
        if person is None:
            return RedirectResponse("/login", 303)
        visit = Visit(desk, request, person, await read_form(request))
        if not person.role.covers(needs):
            role = person.role.value
            raise HTTPException(403, f"As {role} you may look, but not do this. Ask an {needs.value}.")
        return await handler(visit)

    return Route(path, endpoint, methods=["POST"], name=handler.__name__)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form. Raises HTTPException 403 when it is not one of ours."""
    async with request.form(max_files=0, max_fields=_FORM_FIELDS, max_part_size=_LARGEST_FIELD) as sent:
        fields = {name: value for name, value in sent.items() if isinstance(value, str)}
    if not csrf_fits(request, fields.get(FIELD, "")):
        raise HTTPException(
            403, "The form is too old, or came from another page. Go back, reload and try again."
        )
    return fields


async def signed_in(desk: Desk, request: Request) -> Person | None:
    """The person of this session, unless he is gone or has a new password since."""
    user_id = request.session.get("user")
    if not isinstance(user_id, str):
        return None
    person = await desk.parts.database.read(find_person, user_id)
    return person if person is not None and person.stamp == request.session.get("stamp") else None


def _to_sign_in(request: Request) -> Response:
    """Back here afterwards. A script is told to load the sign-in as a page."""
    query = f"?{request.url.query}" if request.url.query else ""
    if request.headers.get("accept") == "text/event-stream":
        return Response(status_code=401)
    if is_fragment(request):
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    here = request.url.path + query
    return RedirectResponse("/login" if here == "/" else f"/login?next={quote(here, safe='')}", 303)
