"""One purchase: where it stands, all that happened to it, and what may be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from dashboard import guard, sayings
from dashboard.actions import buttons
from dashboard.answer import link, page
from dashboard.desk import Desk, Visit
from dashboard.language import mark
from dashboard.queries.purchase import PurchaseView, find_by_reference, read_pay_code, read_purchase
from dashboard.queries.timeline import Show, Timeline, read_texts, read_timeline
from orchestrator import note, qr
from orchestrator.identity import now
from orchestrator.intent import Change
from orchestrator.pulse import DEADLINE
from statemachine import picture

UNKNOWN = mark("There is no purchase with that id.")

_LIST = "/purchases"
_LONGEST_FILTER = 500
"""Characters of a list's address that are remembered: they stand in the session's cookie."""
_TABS = {
    Show.EVERYTHING: mark("Everything"),
    Show.PEOPLE: mark("What people did"),
    Show.CALLS: mark("SEQR calls"),
}


@dataclass(frozen=True, slots=True)
class Refused:
    """What was asked for and not done, since the purchase had changed; ``why`` is the reason for it."""

    label: str
    changes: tuple[Change, ...]
    why: str = ""


def routes(desk: Desk) -> list[BaseRoute]:
    return [
        guard.page(desk, "/purchases/{id}", show_purchase),
        guard.page(desk, "/purchases/{id}/qr.svg", show_code),
        guard.page(desk, "/purchases/{id}/exchanges/{exchange}", show_texts),
    ]


async def show_purchase(visit: Visit) -> Response:
    """The page, by the purchase's id; an invoice's reference leads to it."""
    return await draw(visit) or await _by_reference(visit)


async def draw(visit: Visit, status: int = 200, **values: Any) -> Response | None:
    """The page as things are now, with what a form has to say about itself; None for no such purchase."""
    position = await visit.desk.feed.position()
    show, before = _wanted(visit)
    purchase, timeline = await visit.desk.parts.database.read(_read, visit.part("id"), show, before)
    if purchase is None:
        return None
    context = {"refused": None, "problem": "", "draft": "", **_standing(visit, purchase), **values}
    return page(
        visit,
        "purchases/purchase.html",
        status,
        purchase=purchase,
        back_to=_list_behind(visit, purchase.id),
        timeline=timeline,
        tabs=[(name, link(f"/purchases/{purchase.id}", show=key.value)) for key, name in _TABS.items()],
        tab=list(_TABS).index(show),
        here=link(
            f"/purchases/{purchase.id}", show=show.value, before=visit.asked("before") if before else ""
        ),
        earlier=_earlier(purchase.id, show, timeline),
        is_latest=before is None,
        buttons=buttons(purchase.state, visit.mails_go_out, erased=purchase.erased_at is not None),
        longest_note=note.LONGEST,
        machine=Markup(_drawn(visit, purchase)),  # noqa: S704
        stream=link(
            "/events", page="purchase", after=position, id=purchase.id, revision=str(purchase.revision)
        ),
        **context,
    )


async def show_code(visit: Visit) -> Response:
    """The invoice's QR code, while it can be paid."""
    code = await visit.desk.parts.database.read(read_pay_code, visit.part("id"))
    if code is None:
        raise HTTPException(404, mark("It cannot be paid now, so there is no code."))
    return Response(qr.svg(code), media_type="image/svg+xml")


async def show_texts(visit: Visit) -> Response:
    """The request and the answer of one SEQR call: a piece for the timeline, or a page of its own."""
    purchase_id = visit.part("id")
    texts = await visit.desk.parts.database.read(read_texts, purchase_id, visit.part("exchange"))
    if texts is None:
        raise HTTPException(404, mark("That call is not kept any more."))
    return page(visit, "purchases/texts.html", purchase_id=purchase_id, texts=texts)


async def _by_reference(visit: Visit) -> Response:
    found = await visit.desk.parts.database.read(find_by_reference, visit.part("id"))
    if found is None:
        raise HTTPException(404, UNKNOWN)
    return RedirectResponse(f"/purchases/{found}", 302)


def _read(
    connection: Connection, purchase_id: str, show: Show, before: datetime | None
) -> tuple[PurchaseView | None, Timeline]:
    return read_purchase(connection, purchase_id), read_timeline(connection, purchase_id, show, before)


def _wanted(visit: Visit) -> tuple[Show, datetime | None]:
    """Which part of the timeline the address asks for; what makes no sense is as if it were not there."""
    asked = visit.asked("show")
    return Show(asked) if asked in set(Show) else Show.EVERYTHING, _moment(visit.asked("before"))


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _drawn(visit: Visit, purchase: PurchaseView) -> str:
    return picture.svg(purchase.state, purchase.visited, visit.words.machine(), purchase.fired)


def _list_behind(visit: Visit, purchase_id: str) -> str:
    """The list that the visitor came from, with its filter; remembered while he acts on the purchase."""
    session, came = visit.request.session, urlsplit(visit.request.headers.get("referer", ""))
    if came.path == _LIST and len(came.query) <= _LONGEST_FILTER:
        session["list"] = came.query
    elif not came.path.startswith(f"{_LIST}/{purchase_id}"):
        session.pop("list", None)
    query = session.get("list", "")
    return f"{_LIST}?{query}" if query else _LIST


def _earlier(purchase_id: str, show: Show, timeline: Timeline) -> str:
    if timeline.earlier is None:
        return ""
    return link(f"/purchases/{purchase_id}", show=show.value, before=timeline.earlier.isoformat())


def _told_lately(purchase: PurchaseView) -> bool:
    """Whether a notification came that nobody could follow up yet."""
    silent, notified = purchase.silent_since, purchase.notified_at
    return silent is not None and notified is not None and notified > silent - timedelta(seconds=DEADLINE)


def _standing(visit: Visit, purchase: PurchaseView) -> dict[str, Any]:
    """Why it is stuck, or what it waits for and for how long."""
    settings = visit.desk.parts.settings
    until = purchase.invoice.until(settings.invoice_ttl) if purchase.invoice else None
    return {
        "pleas": sayings.pleas(visit.words.language, purchase.attention or ""),
        "until": until,
        "left": visit.words.span(max((until - now()).total_seconds(), 0)) if until else "",
        "deadline": int(DEADLINE),
        "told_lately": _told_lately(purchase),
        "sandboxed": (settings.seqr_endpoint or "").startswith(f"{settings.public_url}/sandbox"),
        "pay_link": qr.seqr_link(purchase.pay_code, settings.seqr_app) if purchase.pay_code else "",
    }
