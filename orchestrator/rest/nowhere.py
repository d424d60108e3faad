"""What programs ask for in vain is told them in JSON, not by the dashboard's page for people.

405 with ``Allow`` where the address is one of ours and takes other methods, 404 where there is nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send


class Nowhere:
    """Refuses whatever comes; ``served`` are the routes that would have taken what they take."""

    def __init__(self, served: Sequence[Route]) -> None:
        self._served = tuple(served)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        methods = {
            method
            for route in self._served
            if route.matches(scope)[0] is not Match.NONE
            for method in route.methods or ()
        }
        if methods:
            taken = ", ".join(sorted(methods))
            raise HTTPException(405, f"This address takes {taken}", {"Allow": taken})
        raise HTTPException(404, "There is nothing at this address")


def routes(served: Sequence[Route], prefixes: tuple[str, ...]) -> list[Route]:
    """For behind ``served``: everything else below ``prefixes``, and its other addresses by any method."""
    nowhere = Nowhere(served)
    elsewhere = [route.path for route in served if not route.path.startswith(prefixes)]
    return [Route(path, nowhere) for path in (*(f"{prefix}{{rest:path}}" for prefix in prefixes), *elsewhere)]
