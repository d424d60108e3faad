"""Who may come in: every page but the sign-in stands behind one of these two kinds of route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dashboard.answer import is_fragment
from dashboard.desk import Desk, Visit, clean
from dashboard.language import mark
from dashboard.queries.people import Person, find_person
from dashboard.tokens import FIELD, csrf_fits
from orchestrator import session
from orchestrator.identity import now
from orchestrator.session import Origin
from orchestrator.users import Role

Handler = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]
Reader = Callable[[Request], Awaitable[dict[str, str]]]

KEY = "key"
"""What the session's key is called in the cookie."""

_FORM_FIELDS = 50
_LARGEST_FIELD = 16 * 1024
"""Bytes. The sign-in's form is read from anybody, so it must be small."""

_NOT_OURS = mark("The form is too old, or came from another page. Go back, reload and try again.")
_NOT_TO_SEE = mark("Only operators and admins may see this.")
_NOT_YOURS = {
    Role.VIEWER: "",
    Role.OPERATOR: mark("You may look, but not do this. Ask an operator or an admin."),
    Role.ADMIN: mark("Only an admin may see and do this."),
}


class Guarded(Route):
    """A route for those who are signed in with a role that covers ``needs``."""

    def __init__(self, path: str, endpoint: Endpoint, method: str, name: str, needs: Role) -> None:
        super().__init__(path, endpoint, methods=[method], name=name)
        self.needs = needs


def page(desk: Desk, path: str, handler: Handler, needs: Role = Role.VIEWER) -> Guarded:
    """A page for those whose role allows it; without ``needs`` for everybody who is signed in."""

    async def endpoint(request: Request) -> Response:
        person = await signed_in(desk, request)
        if person is None:
            return _to_sign_in(request)
        _admit(person, needs, _NOT_TO_SEE if needs is Role.OPERATOR else "")
        return await handler(Visit(desk, request, person))

    return Guarded(path, endpoint, "GET", handler.__name__, needs)


def form(
    desk: Desk,
    path: str,
    handler: Handler,
    needs: Role = Role.OPERATOR,
    read: Reader | None = None,
) -> Guarded:
    """A form for those whose role allows it; it has to carry the session's token. ``read`` reads a form that
    is larger than others."""

    async def endpoint(request: Request) -> Response:
        person = await signed_in(desk, request)
        if person is None:
            return _signed_out() if is_fragment(request) else RedirectResponse("/login", 303)
        fields = await (read or read_form)(request)
        _admit(person, needs)
        return await handler(Visit(desk, request, person, fields))

    return Guarded(path, endpoint, "POST", handler.__name__, needs)


async def read_form(request: Request, most: int = _FORM_FIELDS) -> dict[str, str]:
    """The fields of a form, at most so many.

    Raises:
        HTTPException: 400 for what is no text, 403 when it is not one of ours.
    """
    async with request.form(max_files=0, max_fields=most, max_part_size=_LARGEST_FIELD) as sent:
        fields = {name: value for name, value in sent.items() if isinstance(value, str)}
    if not all(map(_is_text, fields.values())):
        raise HTTPException(400)
    check_ours(request, fields)
    return fields


def _is_text(value: str) -> bool:
    """Whether it consists of whole characters: neither a database nor a page takes anything else."""
    return value == value.encode("utf-8", "replace").decode()


def check_ours(request: Request, fields: Mapping[str, str]) -> None:
    """Raises HTTPException 403 for a form that was not drawn by us for this session."""
    if not csrf_fits(request, fields.get(FIELD, "")):
        raise HTTPException(403, _NOT_OURS)


async def signed_in(desk: Desk, request: Request) -> Person | None:
    """The person whose session's key the browser has, unless the session has ended.

    A live stream is no use of a session: a page that nobody looks at must not keep it alive.
    """
    key, at = request.session.get(KEY), now()
    if not isinstance(key, str):
        return None
    person = await desk.parts.database.read(find_person, key, at)
    if person is not None and person.session.use_is_news(at) and not _is_stream(request):
        address = origin_of(request).address
        await desk.parts.database.write(session.note_use, person.session.id, address, at)
    return person


def origin_of(request: Request) -> Origin:
    """Where the request comes from."""
    address = request.client.host if request.client else ""
    return Origin(address, clean(request.headers.get("user-agent", "")))


def _admit(person: Person, needs: Role, otherwise: str = "") -> None:
    if not person.role.covers(needs):
        raise HTTPException(403, otherwise or _NOT_YOURS[needs])


def _is_stream(request: Request) -> bool:
    return request.headers.get("accept") == "text/event-stream"


def _to_sign_in(request: Request) -> Response:
    """Back here afterwards. A script is told to load the sign-in as a page."""
    if _is_stream(request):
        return Response(status_code=401)
    if is_fragment(request):
        return _signed_out()
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse("/login" if here == "/" else f"/login?next={quote(here, safe='')}", 303)


def _signed_out() -> Response:
    return Response(status_code=401, headers={"HX-Redirect": "/login"})
