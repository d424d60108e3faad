"""One action on many purchases: the dry run, the run, the list of runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from dashboard import choice, guard
from dashboard.answer import link, onward, page
from dashboard.desk import Desk, Visit, clean
from dashboard.filter import LIST, parse
from dashboard.language import mark
from dashboard.queries.bulk import Progress, RunPage, read_progress, read_runs
from orchestrator import bulk, forecast, listing
from orchestrator.bulk import MOST, Wish
from orchestrator.forecast import Forecast
from orchestrator.identity import new_id
from orchestrator.purchase import PurchaseUnknown
from orchestrator.selection import Filter
from statemachine import Action

LONGEST_WHY = 500
_LONGEST_SELECTION = 2000

_NOTHING_CHOSEN = mark("Nothing is chosen: tick the purchases first.")
_NO_RUN = mark("There is no such bulk run.")
_NO_ACTION = mark("There is no such action.")


def routes(desk: Desk) -> list[BaseRoute]:
    """These stand before the purchases' own, which take any name for an id."""
    return [
        guard.form(desk, "/purchases/bulk", rehearse, read=choice.read_form),
        guard.page(desk, "/purchases/bulk", back_to_list),
        guard.page(desk, "/purchases/bulk/count", count_matching),
        guard.form(desk, "/bulk", begin, read=choice.read_form),
        guard.page(desk, "/bulk", show_runs),
        guard.page(desk, "/bulk/{id}", show_run),
        guard.form(desk, "/bulk/{id}/stop", stop),
    ]


async def rehearse(visit: Visit) -> Response:
    """The dry run. The form's address carries the list's filter."""
    action, asked = _action(visit), parse(visit)
    everything = visit.fields.get("everything") == "1"
    if everything and asked.problems:  # without what made no sense it would be more than was meant
        return onward(visit, _list_address(visit), " ".join(asked.problems), "bad")
    which = asked.filter if everything else None
    ids = [] if everything else choice.ids_of(visit.fields["ids"])
    told, more = await visit.desk.parts.database.read(_foresee, action, which, ids)
    if not told.seen:
        return onward(visit, _list_address(visit), visit.gettext(_NOTHING_CHOSEN), "bad")
    return page(
        visit,
        "bulk/forecast.html",
        forecast=told,
        more=more,
        most=MOST,
        run_id=new_id(),
        seen=choice.pack(told.seen),
        selection=_list_address(visit),
        longest_why=LONGEST_WHY,
    )


async def begin(visit: Visit) -> Response:
    """Begin what the dry run foretold; a second click finds the run of the first."""
    wish = Wish(
        id=_run_id(visit.fields.get("run", "")),
        action=_action(visit),
        why=clean(visit.fields.get("why", ""))[:LONGEST_WHY],
        selection=_inside(visit.fields.get("selection", ""))[:_LONGEST_SELECTION],
    )
    chosen = choice.unpack(visit.fields.get("seen", ""))
    try:
        await visit.desk.parts.database.write(bulk.begin, wish, chosen, visit.stamp, visit.address)
    except (bulk.RunRefused, PurchaseUnknown) as error:
        return onward(visit, wish.selection, visit.say(error), "bad")
    return RedirectResponse(f"/bulk/{wish.id}", 303)


async def stop(visit: Visit) -> Response:
    run_id = visit.part("id")
    try:
        stopped = await visit.desk.parts.database.write(bulk.stop, run_id, visit.stamp, visit.address)
    except bulk.RunUnknown:
        raise HTTPException(404, _NO_RUN) from None
    words = (
        visit.gettext("Stopped: what was begun is ended, the rest is left as it is.")
        if stopped
        else visit.gettext("It had ended before.")
    )
    return onward(visit, f"/bulk/{run_id}", words)


async def show_run(visit: Visit) -> Response:
    run_id = visit.part("id")
    progress = await visit.desk.parts.database.read(read_progress, run_id, visit.asked("after"))
    if progress is None:
        raise HTTPException(404, _NO_RUN)
    return page(visit, "bulk/run.html", **of_run(progress), stream=_stream(progress, visit.asked("after")))


async def show_runs(visit: Visit) -> Response:
    older = visit.asked("older")
    found = await visit.desk.parts.database.read(read_runs, older)
    return page(
        visit,
        "bulk/list.html",
        **of_runs(found),
        stream="" if older else link("/events", page="bulk"),
        older=link("/bulk", older=found.older) if found.older else "",
        newest="/bulk" if older else "",
    )


async def back_to_list(_visit: Visit) -> Response:
    """Who loads the dry run's address anew has lost its form."""
    return RedirectResponse(LIST, 303)


async def count_matching(visit: Visit) -> Response:
    """How many the list's filter finds, in words for the box that chooses them all."""
    ids = await visit.desk.parts.database.read(listing.ids, parse(visit).filter, MOST + 1)
    number = visit.words.number(min(len(ids), MOST))
    if len(ids) > MOST:
        return PlainTextResponse(visit.gettext("the first %(num)s of more that match", num=number))
    words = visit.ngettext("the one that matches", "all %(num)s that match", len(ids), num=number)
    return PlainTextResponse(words)


def of_run(progress: Progress) -> dict[str, Any]:
    """What the pieces of a run's page are drawn from; also by its stream."""
    return {
        "run": progress.run,
        "outcomes": progress.outcomes,
        "problems": progress.problems,
        "unanswered": progress.unanswered,
        "more": link(f"/bulk/{progress.run.id}", after=progress.more) if progress.more else "",
    }


def of_runs(found: RunPage) -> dict[str, Any]:
    """What the list of runs is drawn from; also by its stream."""
    return {"runs": found.runs}


def _foresee(
    connection: Connection, action: Action, which: Filter | None, ids: list[str]
) -> tuple[Forecast, bool]:
    """The forecast, and whether more was chosen than one run takes."""
    chosen = ids if which is None else listing.ids(connection, which, MOST + 1)
    return forecast.read(connection, action, chosen[:MOST]), len(chosen) > MOST


def _stream(progress: Progress, after: str) -> str:
    """Only the first page of a run that has not ended is told of news."""
    return "" if progress.run.ended or after else link("/events", page="bulk", id=progress.run.id)


def _action(visit: Visit) -> Action:
    try:
        return Action(visit.fields.get("action", ""))
    except ValueError:
        raise HTTPException(400, _NO_ACTION) from None


def _run_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise HTTPException(400) from None


def _list_address(visit: Visit) -> str:
    query = visit.request.url.query
    return f"{LIST}?{query}" if query else LIST


def _inside(address: str) -> str:
    """The list's address, and no other."""
    fits = address == LIST or (address.startswith(f"{LIST}?") and address.isprintable())
    return address if fits else LIST
