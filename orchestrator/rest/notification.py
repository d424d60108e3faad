"""The notification address: SEQR calls it when a customer has paid, or forgets to (facts, rule 2).

It is a hint and no more: it says neither who calls nor what happened, so all it does is to make us ask.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orchestrator.invoice import NOTIFICATION_PATH, purchase_notified
from orchestrator.parts import Parts


def routes(parts: Parts) -> list[Route]:
    """One address for each purchase; any other is unknown, and refused without a look at the database."""

    async def notification(request: Request) -> Response:
        purchase_id = purchase_notified(request.path_params["key"], parts.secret)
        if purchase_id is None:
            raise HTTPException(404, "There is no such notification address")
        sender = request.client.host if request.client else ""
        await parts.settlement.notified(purchase_id, sender)
        return Response()

    return [Route(NOTIFICATION_PATH + "{key}", notification, methods=["POST"])]
