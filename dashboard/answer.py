"""Answers: a page or a piece of one, and the way on after a form, with a message for the next page."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboard.desk import Desk, Visit, language_of
from dashboard.tokens import csrf_token

Tone = Literal["good", "bad"]


def page(visit: Visit, template: str, status: int = 200, **values: Any) -> Response:
    """A template, drawn for somebody who is signed in."""
    context = {
        "person": visit.person,
        "may_act": visit.may_act,
        "may_administer": visit.may_administer,
        "flash": visit.request.session.pop("flash", None) if not is_fragment(visit.request) else None,
        **values,
    }
    return bare(visit.desk, visit.request, template, status, **context)


def bare(desk: Desk, request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A template that needs nobody to be signed in."""
    context = {"person": None, "flash": None, "csrf": csrf_token(request), "path": request.url.path, **values}
    templates = desk.speeches[language_of(request, context["person"])].templates
    return HTMLResponse(templates.get_template(template).render(context), status)


def onward(visit: Visit, path: str, message: str, tone: Tone = "good") -> Response:
    """On to another page, which shows the message once."""
    visit.request.session["flash"] = {"message": message, "tone": tone}
    return RedirectResponse(path, 303)


def is_fragment(request: Request) -> bool:
    """Whether a script asks for a piece of the page, not somebody for the page."""
    return "hx-request" in request.headers


def link(path: str, **parameters: str) -> str:
    """An address with those parameters that are not empty."""
    given = {name: value for name, value in parameters.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
