"""The visitor's own page: language, password, and where he is signed in."""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.answer import onward, page
from dashboard.browser import described
from dashboard.desk import Desk, Visit
from dashboard.language import LANGUAGES, language, mark, wished
from dashboard.pages.signin import told
from orchestrator import audit, password, session, signin, users
from orchestrator.identity import now
from orchestrator.password import PasswordError
from orchestrator.signin import LockedOut, SignInRefused
from orchestrator.stamp import Stamp
from orchestrator.users import Role

HERE = "/me"

_NOT_THE_OLD_ONE = mark("The old password is another. Nothing was changed.")
_NOT_TWICE_THE_SAME = mark("The new password was not the same twice. Nothing was changed.")


def routes(desk: Desk) -> list[BaseRoute]:
    return [
        guard.page(desk, HERE, show_me),
        guard.form(desk, "/me/language", choose_language, needs=Role.VIEWER),
        guard.form(desk, "/me/password", change_password, needs=Role.VIEWER),
        guard.form(desk, "/me/sessions/end", end_others, needs=Role.VIEWER),
        guard.form(desk, "/me/sessions/{id}/end", end_one, needs=Role.VIEWER),
    ]


async def show_me(visit: Visit) -> Response:
    return await _show(visit)


async def choose_language(visit: Visit) -> Response:
    """An unknown language, as none, is the browser's own."""
    chosen = visit.fields.get("language", "")
    code = chosen if chosen in LANGUAGES else None
    await visit.desk.parts.database.write(users.set_language, visit.person.id, code)
    visit.request.session.pop("language", None)
    spoken = language(code or wished(visit.request.headers.get("accept-language", "")))
    return onward(visit, HERE, spoken.gettext("The dashboard speaks English to you now."))


async def change_password(visit: Visit) -> Response:
    """The old one is asked for: whoever finds an unlocked screen must not lock its owner out."""
    problem = await _problem(visit)
    if problem:
        return await _show(visit, problem, 422)
    kept = await password.hashed(visit.fields["new"])
    await visit.desk.parts.database.write(
        users.set_password,
        visit.person.name,
        kept,
        visit.stamp,
        visit.address,
        keep_session=visit.person.session.id,
    )
    return onward(visit, HERE, visit.gettext("You have a new password. All other browsers were signed out."))


async def end_others(visit: Visit) -> Response:
    person = visit.person
    ended = await visit.desk.parts.database.write(
        _end_others, person.id, person.session.id, person.name, visit.stamp, visit.address
    )
    message = visit.ngettext(
        "%(num)s other browser was signed out.", "%(num)s other browsers were signed out.", ended
    )
    return onward(visit, HERE, message)


async def end_one(visit: Visit) -> Response:
    person = visit.person
    await visit.desk.parts.database.write(
        _end_one, person.id, visit.part("id"), person.name, visit.stamp, visit.address
    )
    return onward(visit, HERE, visit.gettext("That browser is signed out."))


async def _problem(visit: Visit) -> str:
    """Why the password cannot be changed so, in words; empty when it can."""
    new = visit.fields.get("new", "")
    try:
        password.checked(new)
        if new != visit.fields.get("again", ""):
            return visit.gettext(_NOT_TWICE_THE_SAME)
        origin = guard.origin_of(visit.request)
        await signin.confirm(
            visit.desk.parts.database, visit.person.user, visit.fields.get("old", ""), origin, now()
        )
    except PasswordError as error:
        return visit.say(error)
    except SignInRefused:
        return visit.gettext(_NOT_THE_OLD_ONE)
    except LockedOut as error:
        return told(visit.words.language, error)
    return ""


async def _show(visit: Visit, problem: str = "", status: int = 200) -> Response:
    found = await visit.desk.parts.database.read(session.of_user, visit.person.id, now())
    spoken = visit.words.language
    return page(
        visit,
        "people/me.html",
        status,
        sessions=[(one, described(one.browser, spoken)) for one in found],
        problem=problem,
        wished=LANGUAGES[wished(visit.request.headers.get("accept-language", ""))],
        shortest=password.SHORTEST,
        longest=password.LONGEST,
    )


def _end_others(
    connection: Connection, user_id: str, besides: str, name: str, stamp: Stamp, address: str
) -> int:
    ended = session.end_all(connection, user_id, besides=besides)
    if ended:
        audit.record(connection, stamp, "session.end", name, str(ended), address)
    return ended


def _end_one(
    connection: Connection, user_id: str, session_id: str, name: str, stamp: Stamp, address: str
) -> None:
    if session.end(connection, session_id, user_id):
        audit.record(connection, stamp, "session.end", name, "1", address)
