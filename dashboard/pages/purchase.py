"""One purchase, and what may be done about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from markupsafe import Markup
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.answer import link, onward, page
from dashboard.desk import Desk, Visit
from dashboard.queries.purchase import PurchaseView, read_pay_code, read_purchase
from dashboard.queries.timeline import Happening, read_texts, read_timeline
from orchestrator import qr
from orchestrator.errors import OrchestratorError
from orchestrator.purchase import PurchaseUnknown
from statemachine import ACTIONS, Action, NotAllowed, State, picture

_LABELS = {Action.CHECK: "Check now", Action.RETRY: "Retry", Action.CANCEL: "Cancel"}


@dataclass(frozen=True, slots=True)
class Button:
    """An action of the page: what it would do, or, when it is not allowed, why not."""

    action: str
    label: str
    allowed: bool
    words: str
    careful: bool


def routes(desk: Desk) -> list[BaseRoute]:
    actions = [guard.form(desk, f"/purchases/{{id}}/{action.value}", _doing(action)) for action in Action]
    return [
        guard.page(desk, "/purchases/{id}", show_purchase),
        guard.page(desk, "/purchases/{id}/qr.svg", show_code),
        guard.page(desk, "/purchases/{id}/exchanges/{exchange}", show_texts),
        *actions,
    ]


async def show_purchase(visit: Visit) -> Response:
    position = await visit.desk.feed.position()
    purchase, timeline = await visit.desk.parts.database.read(_read, visit.part("id"))
    if purchase is None:
        raise HTTPException(404, "There is no purchase with that id.")
    return page(
        visit,
        "purchases/purchase.html",
        purchase=purchase,
        timeline=timeline,
        buttons=_buttons(purchase),
        machine=Markup(picture.svg(purchase.state, purchase.visited)),  # noqa: S704
        pay_link=qr.seqr_link(purchase.pay_code) if purchase.pay_code else "",
        stream=link(
            "/events", page="purchase", after=position, id=purchase.id, revision=str(purchase.revision)
        ),
    )


async def show_code(visit: Visit) -> Response:
    """The invoice's QR code, while it can be paid."""
    code = await visit.desk.parts.database.read(read_pay_code, visit.part("id"))
    if code is None:
        raise HTTPException(404, "It cannot be paid now, so there is no code.")
    return Response(qr.svg(code), media_type="image/svg+xml")


async def show_texts(visit: Visit) -> Response:
    """The request and the answer of one SEQR call: a piece for the timeline, or a page of its own."""
    purchase_id = visit.part("id")
    texts = await visit.desk.parts.database.read(read_texts, purchase_id, visit.part("exchange"))
    if texts is None:
        raise HTTPException(404, "That call is not kept any more.")
    return page(visit, "purchases/texts.html", purchase_id=purchase_id, texts=texts)


def _read(connection: Connection, purchase_id: str) -> tuple[PurchaseView | None, list[Happening]]:
    return read_purchase(connection, purchase_id), read_timeline(connection, purchase_id)


def _buttons(purchase: PurchaseView) -> list[Button]:
    state = State(purchase.state)
    meanings = [(action, ACTIONS[action, state]) for action in Action]
    return [
        Button(
            action=action.value,
            label=_LABELS[action],
            allowed=meaning.effect is not None,
            words=meaning.words,
            careful=action is Action.CANCEL,
        )
        for action, meaning in meanings
    ]


def _doing(action: Action) -> Callable[[Visit], Awaitable[Response]]:
    async def act(visit: Visit) -> Response:
        return await _act(visit, action)

    return act


async def _act(visit: Visit, action: Action) -> Response:
    purchase_id = visit.part("id")
    here = f"/purchases/{purchase_id}"
    before = await _state(visit, purchase_id)
    try:
        await visit.desk.parts.settlement.act(purchase_id, action, actor=visit.actor)
    except PurchaseUnknown:
        raise HTTPException(404, "There is no purchase with that id.") from None
    except NotAllowed as refusal:
        return onward(visit, here, refusal.why, "bad")
    except OrchestratorError as error:
        return onward(visit, here, error.message, "bad")
    return onward(visit, here, _outcome(visit, action, before, await _state(visit, purchase_id)))


async def _state(visit: Visit, purchase_id: str) -> PurchaseView:
    purchase = await visit.desk.parts.database.read(read_purchase, purchase_id)
    if purchase is None:
        raise HTTPException(404, "There is no purchase with that id.")
    return purchase


def _outcome(visit: Visit, action: Action, before: PurchaseView, after: PurchaseView) -> str:
    """What came of it, in a sentence."""
    why = f" ({visit.words.reason(after.reason)})" if after.reason else ""
    if after.state != before.state:
        return f"{_LABELS[action]}: it went from {before.state} to {after.state}{why}."
    return f"{_LABELS[action]}: done; it stays {after.state}{why}."
