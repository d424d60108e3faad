"""Who may sign in: for admins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.answer import onward, page
from dashboard.browser import described
from dashboard.desk import Desk, Visit, clean
from dashboard.language import mark
from dashboard.queries.people import read_user, read_users
from orchestrator import password, users
from orchestrator.errors import OrchestratorError
from orchestrator.identity import now
from orchestrator.password import PasswordError
from orchestrator.users import LastAdmin, Role, RoleChanged, UserError, UserExists, UserUnknown

HERE = "/system/users"

ROLE_MEANINGS = {
    Role.VIEWER: mark("Looks at everything but the audit log, and changes nothing."),
    Role.OPERATOR: mark("Acts on purchases, mails, products and stock, and reads the audit log."),
    Role.ADMIN: mark("Changes users and API tokens too, and sees the settings."),
}
_NO_NAME = mark(
    "That is no name for a user: up to 64 letters, digits, and . _ @ - with a letter or digit first."
)
_NO_ROLE = mark("Choose a role.")
_NO_USER = mark("There is no user with that name.")
_YOUR_OWN = mark("Change your own password on your own page: it asks for the old one.")


def routes(desk: Desk) -> list[BaseRoute]:
    one = HERE + "/{name}"
    return [
        guard.page(desk, HERE, show_users, needs=Role.ADMIN),
        guard.form(desk, HERE, add_user, needs=Role.ADMIN),
        guard.page(desk, one, show_user, needs=Role.ADMIN),
        guard.form(desk, f"{one}/role", change_role, needs=Role.ADMIN),
        guard.form(desk, f"{one}/password", set_password, needs=Role.ADMIN),
        guard.form(desk, f"{one}/remove", remove_user, needs=Role.ADMIN),
    ]


async def show_users(visit: Visit) -> Response:
    return await _list(visit)


async def add_user(visit: Visit) -> Response:
    """With the password of the form, or one that is made now and shown once."""
    name, role = clean(visit.fields.get("name", "")), _role(visit, "role")
    if role is None:
        return await _list(visit, visit.gettext(_NO_ROLE), 422)
    given = visit.fields.get("password", "")
    secret = given or password.invented()
    try:
        users.checked_name(name)
        kept = await password.hashed(secret)
        await visit.desk.parts.database.write(users.add, name, kept, role, visit.stamp, visit.address)
    except (UserError, PasswordError) as error:
        return await _list(visit, _said(visit, error), 422)
    if given:
        return onward(visit, HERE, visit.gettext("%(name)s may sign in now.", name=name))
    return _shown_once(visit, name, secret)


async def show_user(visit: Visit) -> Response:
    return await _show(visit)


async def change_role(visit: Visit) -> Response:
    name, role = visit.part("name"), _role(visit, "role")
    if role is None:
        return await _show(visit, visit.gettext(_NO_ROLE), 422)

    async def change() -> None:
        await visit.desk.parts.database.write(
            users.set_role, name, role, visit.stamp, visit.address, seen=_role(visit, "seen")
        )

    message = visit.gettext("%(name)s is %(role)s now.", name=name, role=visit.words.role(role.value))
    return await _done(visit, change, f"{HERE}/{name}", message)


async def set_password(visit: Visit) -> Response:
    """For somebody who has forgotten it; who is signed in under the name is signed out."""
    name = visit.part("name")
    if name == visit.person.name:
        return await _show(visit, visit.gettext(_YOUR_OWN), 422)
    given = visit.fields.get("password", "")
    secret = given or password.invented()
    try:
        kept = await password.hashed(secret)
        await visit.desk.parts.database.write(users.set_password, name, kept, visit.stamp, visit.address)
    except UserUnknown:
        raise HTTPException(404, _NO_USER) from None
    except PasswordError as error:
        return await _show(visit, visit.say(error), 422)
    if given:
        return onward(visit, f"{HERE}/{name}", visit.gettext("%(name)s has a new password.", name=name))
    return _shown_once(visit, name, secret)


async def remove_user(visit: Visit) -> Response:
    name = visit.part("name")

    async def remove() -> None:
        await visit.desk.parts.database.write(
            users.remove, name, visit.stamp, visit.address, seen=_role(visit, "seen")
        )

    message = visit.gettext("%(name)s is removed and signed out everywhere.", name=name)
    return await _done(visit, remove, HERE, message)


async def _done(visit: Visit, do: Callable[[], Awaitable[None]], path: str, message: str) -> Response:
    """Do it and go on, or show the user as he is now and why it was not done."""
    try:
        await do()
    except UserUnknown:
        raise HTTPException(404, _NO_USER) from None
    except UserError as error:
        return await _show(visit, _said(visit, error), 409)
    return onward(visit, path, message)


def _said(visit: Visit, error: OrchestratorError) -> str:
    """Why it was not done, in the visitor's language."""
    if isinstance(error, RoleChanged):
        role = visit.words.role(error.role.value)
        return visit.gettext(
            "Somebody else has made %(name)s %(role)s meanwhile, so nothing was changed. Look again.",
            name=error.name,
            role=role,
        )
    if isinstance(error, UserExists):
        return visit.gettext("There is a user with that name already.")
    if isinstance(error, LastAdmin | PasswordError):
        return visit.say(error)
    return visit.gettext(_NO_NAME)


def _role(visit: Visit, field: str) -> Role | None:
    """The role in a field of the form; None where there is no such role."""
    value = visit.fields.get(field, "")
    return Role(value) if value in set(Role) else None


def _shown_once(visit: Visit, name: str, secret: str) -> Response:
    return page(
        visit,
        "people/secret.html",
        heading=visit.gettext("The password of %(name)s", name=name),
        explanation=visit.gettext(
            "Give it to %(name)s, who can choose another one after signing in.", name=name
        ),
        secret=secret,
        back=f"{HERE}/{name}",
        back_words=name,
    )


async def _list(visit: Visit, problem: str = "", status: int = 200) -> Response:
    found = await visit.desk.parts.database.read(read_users, now())
    return page(
        visit,
        "people/users.html",
        status,
        found=found,
        problem=problem,
        fields=visit.fields,
        roles=ROLE_MEANINGS,
        shortest=password.SHORTEST,
        longest=password.LONGEST,
    )


async def _show(visit: Visit, problem: str = "", status: int = 200) -> Response:
    found = await visit.desk.parts.database.read(read_user, visit.part("name"), now())
    if found is None:
        raise HTTPException(404, _NO_USER)
    user, sessions = found
    spoken = visit.words.language
    return page(
        visit,
        "people/user.html",
        status,
        user=user,
        sessions=[(one, described(one.browser, spoken)) for one in sessions],
        problem=problem,
        roles=ROLE_MEANINGS,
        shortest=password.SHORTEST,
        longest=password.LONGEST,
    )
