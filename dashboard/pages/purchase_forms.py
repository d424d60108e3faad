"""What people do to a purchase: its actions, and notes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard, sayings
from dashboard.actions import LABELS, refusal
from dashboard.answer import onward
from dashboard.desk import Desk, Visit, clean
from dashboard.pages.purchase import UNKNOWN, Refused, draw
from dashboard.pages.signin import inside
from dashboard.queries.purchase import PurchaseView, read_purchase
from dashboard.streams.event import number
from orchestrator import exchange, note
from orchestrator.errors import OrchestratorError
from orchestrator.intent import Changed
from orchestrator.note import NoteRefused
from orchestrator.purchase import PurchaseUnknown
from statemachine import Action, NotAllowed, Reason, State, effect_of

_LONGEST_WHY = 300
"""Characters of a reason."""


def routes(desk: Desk) -> list[BaseRoute]:
    actions = [guard.form(desk, f"/purchases/{{id}}/{action.value}", _doing(action)) for action in Action]
    return [*actions, guard.form(desk, "/purchases/{id}/note", add_note)]


def seen(visit: Visit) -> int | None:
    """The revision that the form's page showed; None when the form does not say."""
    return number(visit.fields.get("seen", "")) or None


def way_on(visit: Visit, default: str) -> str:
    """Where the form wants to lead afterwards: one of our pages."""
    wanted = visit.fields.get("next", "")
    return inside(wanted) if wanted else default


async def add_note(visit: Visit) -> Response:
    """Write down what somebody has to say about the purchase."""
    purchase_id, text = visit.part("id"), visit.fields.get("text", "")
    try:
        await visit.desk.parts.database.write(note.add, purchase_id, text, visit.stamp, visit.address)
    except PurchaseUnknown:
        raise HTTPException(404, UNKNOWN) from None
    except NoteRefused as error:
        return await _drawn(visit, 422, problem=visit.say(error), draft=text)
    return onward(visit, way_on(visit, f"/purchases/{purchase_id}"), visit.gettext("The note is kept."))


def _doing(action: Action) -> Callable[[Visit], Awaitable[Response]]:
    async def act(visit: Visit) -> Response:
        return await _act(visit, action)

    return act


async def _act(visit: Visit, action: Action) -> Response:
    purchase_id, why = visit.part("id"), clean(visit.fields.get("why", ""))[:_LONGEST_WHY]
    here = way_on(visit, f"/purchases/{purchase_id}")
    before = await _purchase(visit, purchase_id)
    settlement = visit.desk.parts.settlement
    try:
        answered = await settlement.act(
            purchase_id, action, visit.actor, seen=seen(visit), why=why, address=visit.address
        )
    except Changed as change:
        told = Refused(visit.gettext(LABELS[action]), change.changes, why)
        return await _drawn(visit, 409, refused=told)
    except NotAllowed as error:
        return onward(visit, here, _withheld(visit, action, error), "bad")
    except OrchestratorError as error:
        return onward(visit, here, visit.say(error), "bad")
    if answered is False:
        return onward(visit, here, visit.gettext("SEQR did not answer. It is asked again by itself."), "bad")
    after = await _purchase(visit, purchase_id)
    refusal = await visit.desk.parts.database.read(exchange.last_refusal, purchase_id)
    if action is Action.CHECK and refusal is not None:
        what = sayings.told(visit.words.language, refusal)
        label = visit.gettext(LABELS[action])
        return onward(visit, here, visit.gettext("%(action)s: %(what)s", action=label, what=what), "bad")
    return onward(visit, here, _outcome(visit, action, before, after), "bad" if after.attention else "good")


async def _drawn(visit: Visit, status: int, **values: object) -> Response:
    drawn = await draw(visit, status, **values)
    if drawn is None:
        raise HTTPException(404, UNKNOWN)
    return drawn


async def _purchase(visit: Visit, purchase_id: str) -> PurchaseView:
    purchase = await visit.desk.parts.database.read(read_purchase, purchase_id)
    if purchase is None:
        raise HTTPException(404, UNKNOWN)
    return purchase


def _withheld(visit: Visit, action: Action, error: NotAllowed) -> str:
    """Why it was not done: the state forbids it, or something of the moment does."""
    try:
        effect_of(action, State(error.state))
    except NotAllowed:
        return visit.gettext(refusal(action, error.state))
    return sayings.told(visit.words.language, error.why)


def _outcome(visit: Visit, action: Action, before: PurchaseView, after: PurchaseView) -> str:
    """What came of it, in a sentence."""
    words, label = visit.words, visit.gettext(LABELS[action])
    now_ = words.state_name(after.state)
    if action is Action.CANCEL and after.reason == Reason.CANCELLED_BY_MERCHANT:
        return visit.gettext("Cancelled.")
    if after.reason and after.state != before.state:
        return visit.gettext(
            "%(action)s: it was %(before)s and is %(after)s now (%(reason)s).",
            action=label,
            before=words.state_name(before.state),
            after=now_,
            reason=words.reason(after.reason),
        )
    if after.state != before.state:
        return visit.gettext(
            "%(action)s: it was %(before)s and is %(after)s now.",
            action=label,
            before=words.state_name(before.state),
            after=now_,
        )
    if after.attention:
        return visit.gettext("%(action)s: %(what)s", action=label, what=words.attention(after.attention))
    return visit.gettext("%(action)s: done. It is still %(state)s.", action=label, state=now_)
