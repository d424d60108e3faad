"""The mails: what was sent, what waits, what is only kept."""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.answer import link, page
from dashboard.desk import Desk, Visit
from dashboard.headers import MAIL_POLICY
from dashboard.queries.mails import STATES, Mail, MailPage, count, read_mail, read_page


def routes(desk: Desk) -> list[BaseRoute]:
    return [
        guard.page(desk, "/mails", show_mails),
        guard.page(desk, "/mails/{id}", show_mail),
        guard.page(desk, "/mails/{id}/html", show_html),
    ]


async def show_mails(visit: Visit) -> Response:
    state = visit.asked("state")
    state = state if state in STATES else ""
    found, counts = await visit.desk.parts.database.read(_read, state, visit.asked("older"))
    return page(
        visit,
        "mails/list.html",
        found=found,
        counts=counts,
        state=state,
        older=link("/mails", state=state, older=found.older) if found.older else "",
    )


async def show_mail(visit: Visit) -> Response:
    mail = await _mail(visit)
    return page(visit, "mails/mail.html", mail=mail)


async def show_html(visit: Visit) -> Response:
    """The mail's HTML as it was sent, for a frame that lets it do nothing."""
    mail = await _mail(visit)
    return HTMLResponse(mail.html_body or "", headers={"Content-Security-Policy": MAIL_POLICY})


async def _mail(visit: Visit) -> Mail:
    mail = await visit.desk.parts.database.read(read_mail, visit.part("id"))
    if mail is None:
        raise HTTPException(404, "There is no such mail.")
    return mail


def _read(connection: Connection, state: str, older: str) -> tuple[MailPage, dict[str, int]]:
    return read_page(connection, state, older), count(connection)
