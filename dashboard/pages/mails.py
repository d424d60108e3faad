"""The mails: what was sent, what waits, what is only kept; one of them as it looks; sending one again."""

from __future__ import annotations

import base64
from typing import Any

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from dashboard import guard, postal
from dashboard.answer import link, onward, page
from dashboard.desk import Desk, Visit
from dashboard.headers import MAIL_POLICY
from dashboard.language import mark
from dashboard.pages.purchase import Refused
from dashboard.pages.purchase_forms import seen, way_on
from dashboard.queries.mails import (
    STATES,
    Mail,
    MailPage,
    count,
    read_digest,
    read_mail,
    read_page,
    read_state,
)
from orchestrator import outbox, qr
from orchestrator.errors import OrchestratorError
from orchestrator.intent import Changed, Intent
from orchestrator.letter import CODE_ID

_LONGEST_SEARCH = 200
_UNKNOWN = mark("There is no such mail.")


def routes(desk: Desk) -> list[BaseRoute]:
    return [
        guard.page(desk, "/mails", show_mails),
        guard.page(desk, "/mails/{id}", show_mail),
        guard.page(desk, "/mails/{id}/html", show_html),
        guard.form(desk, "/mails/{id}/resend", resend),
    ]


async def show_mails(visit: Visit) -> Response:
    database, live = visit.desk.parts.database, visit.desk.live
    state, recipient = visit.asked("state"), visit.asked("q")[:_LONGEST_SEARCH]
    state = state if state in STATES else ""
    digest = await database.read(read_digest)
    # Counting reads them all, so those who see the same change share it.
    counts = await live.shared(f"mail-counts {digest}", lambda: database.read(count))
    found = await database.read(_read, state, visit.asked("older"), recipient)
    return page(
        visit,
        "mails/list.html",
        found=found,
        counts=counts,
        state=state,
        recipient=recipient,
        tabs=[(name, link("/mails", state=name, q=recipient)) for name in ("", *STATES)],
        here=link("/mails", state=state, q=recipient, older=visit.asked("older")),
        older=link("/mails", state=state, q=recipient, older=found.older) if found.older else "",
        troubles={mail.id: _trouble(visit, mail.last_error) for mail in found.rows if mail.last_error},
        stream=link("/events", page="mails", shown=" ".join(map(str, digest))),
    )


async def show_mail(visit: Visit) -> Response:
    return await _draw(visit)


async def show_html(visit: Visit) -> Response:
    """The mail's HTML as it was sent, for a frame that lets it do nothing. What the mail brought along, the
    picture of the QR code, stands in it."""
    mail = await _mail(visit)
    html = mail.html_body or ""
    if mail.pay_code is not None:
        picture = base64.b64encode(qr.png(mail.pay_code)).decode()
        html = html.replace(f"cid:{CODE_ID}", f"data:image/png;base64,{picture}")
    return HTMLResponse(html, headers={"Content-Security-Policy": MAIL_POLICY})


async def resend(visit: Visit) -> Response:
    """Put the mail back into the outbox."""
    mail = await _mail(visit)
    here = way_on(visit, f"/mails/{mail.id}")
    intent = Intent(seen=seen(visit), address=visit.address)
    try:
        await visit.desk.parts.database.write(outbox.resend, mail.id, visit.stamp, intent, visit.mails_go_out)
    except Changed as change:
        return await _draw(visit, 409, refused=Refused(visit.gettext(mark("Send again")), change.changes))
    except outbox.MailUnderWay:
        return onward(visit, here, visit.gettext("It is waiting to be sent already."), "bad")
    except outbox.NothingToPay:
        return onward(visit, here, visit.gettext("There is nothing left to pay, so it would mislead."), "bad")
    except OrchestratorError as error:
        return onward(visit, here, visit.say(error), "bad")
    if not visit.mails_go_out:
        kept = mark("It is written anew in a moment and kept here; no mail server is set.")
        return onward(visit, here, visit.gettext(kept))
    return onward(visit, here, visit.gettext("It is sent again to %(who)s in a moment.", who=mail.recipient))


async def _draw(visit: Visit, status: int = 200, **values: Any) -> Response:
    mail = await _mail(visit)
    shown = await visit.desk.parts.database.read(read_state, mail.id)
    context: dict[str, Any] = {"refused": None, **values}
    return page(
        visit,
        "mails/mail.html",
        status,
        mail=mail,
        trouble=_trouble(visit, mail.last_error) if mail.last_error else None,
        stream=link("/events", page="mails", id=mail.id, shown=shown),
        **context,
    )


async def _mail(visit: Visit) -> Mail:
    mail = await visit.desk.parts.database.read(read_mail, visit.part("id"))
    if mail is None:
        raise HTTPException(404, _UNKNOWN)
    return mail


def _trouble(visit: Visit, error: str) -> postal.Trouble:
    return postal.trouble(visit.words.language, error)


def _read(connection: Connection, state: str, older: str, recipient: str) -> MailPage:
    return read_page(connection, state, older, recipient)
