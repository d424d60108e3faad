"""The bearer tokens of ``/api/v1``: for admins."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.answer import onward, page
from dashboard.desk import Desk, Visit, clean
from dashboard.language import mark
from orchestrator import api_token
from orchestrator.api_token import TokenNameTaken, TokenUnknown
from orchestrator.users import Role

HERE = "/system/tokens"

_NO_NAME = mark("Give the token a name of up to 64 characters: what will use it.")


def routes(desk: Desk) -> list[BaseRoute]:
    return [
        guard.page(desk, HERE, show_tokens, needs=Role.ADMIN),
        guard.form(desk, HERE, make_token, needs=Role.ADMIN),
        guard.form(desk, HERE + "/{id}/revoke", revoke_token, needs=Role.ADMIN),
    ]


async def show_tokens(visit: Visit) -> Response:
    return await _list(visit)


async def make_token(visit: Visit) -> Response:
    """The answer shows the token; a reload of it makes no other, since the name is taken then."""
    name = clean(visit.fields.get("name", ""))
    if not 0 < len(name) <= api_token.LONGEST_NAME:
        return await _list(visit, visit.gettext(_NO_NAME), 422)
    try:
        token = await visit.desk.parts.database.write(api_token.make, name, visit.stamp, visit.address)
    except TokenNameTaken as error:
        return await _list(visit, visit.say(error), 422)
    return page(
        visit,
        "people/secret.html",
        heading=visit.gettext("The API token %(name)s", name=name),
        explanation=visit.gettext(
            "Give it to the program that uses it. It sends it with each request, in the header "
            "Authorization: Bearer."
        ),
        secret=token,
        back=HERE,
        back_words=visit.gettext("API tokens"),
    )


async def revoke_token(visit: Visit) -> Response:
    try:
        name = await visit.desk.parts.database.write(
            api_token.revoke, visit.part("id"), visit.stamp, visit.address
        )
    except TokenUnknown:
        raise HTTPException(404, mark("There is no such API token.")) from None
    return onward(visit, HERE, visit.gettext("%(name)s is let in no more.", name=name))


async def _list(visit: Visit, problem: str = "", status: int = 200) -> Response:
    tokens = await visit.desk.parts.database.read(api_token.list_tokens)
    return page(
        visit,
        "people/tokens.html",
        status,
        used=[token for token in tokens if token.revoked_at is None],
        revoked=[token for token in tokens if token.revoked_at is not None],
        problem=problem,
        fields=visit.fields,
        longest=api_token.LONGEST_NAME,
        in_settings=visit.desk.parts.settings.api_token is not None,
    )
