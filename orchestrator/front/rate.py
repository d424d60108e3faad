"""How often one network address may ask, counted in this process' memory."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import lru_cache

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator.front.proxies import is_loopback
from orchestrator.lockout import network
from orchestrator.rest.errors import Refusal, handlers

_MINUTE = 60.0
_MOST_ADDRESSES = 20_000
"""So many are remembered; the one that was silent longest is forgotten first."""


_network = lru_cache(_MOST_ADDRESSES)(network)


class Rate:
    """``per_minute`` calls of an address at once, or spread over a minute; 0 for any number.

    Remembers one number for each address: when its calls so far would be over, were they spread evenly. An
    IPv6 network counts as one address. Loopback is not limited: behind a proxy that was not named in the
    settings all callers have that address, and one would use up what is everybody's.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause = _MINUTE / per_minute if per_minute else 0.0
        self._clock = clock
        self._over_at: OrderedDict[str, float] = OrderedDict()

    def wait(self, address: str) -> float:
        """Count a call; returns 0, or in how many seconds the address may call again, if it was one too
        many, which is not counted."""
        if not self._pause or is_loopback(address):
            return 0.0
        who, at = _network(address), self._clock()
        over_at = max(self._over_at.get(who, at), at) + self._pause
        if over_at - at > _MINUTE + self._pause / 2:
            return over_at - at - _MINUTE
        self._over_at[who] = over_at
        self._over_at.move_to_end(who)
        if len(self._over_at) > _MOST_ADDRESSES:
            self._over_at.popitem(last=False)
        return 0.0


class RateLimit:
    """Answers 429 to who asks too often. ``rates`` are by the beginning of the path."""

    def __init__(self, app: ASGIApp, rates: Mapping[str, Rate]) -> None:
        self._app = app
        self._rates = dict(rates)
        self._tell = handlers()[Exception]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seconds = self._wait(scope) if scope["type"] == "http" else 0.0
        if not seconds:
            await self._app(scope, receive, send)
            return
        again = {"Retry-After": str(math.ceil(seconds))}
        refusal = Refusal(429, "too_many_requests", "Too many requests from your address.", headers=again)
        answer = await self._tell(Request(scope), refusal)
        await answer(scope, receive, send)

    def _wait(self, scope: Scope) -> float:
        for prefix, rate in self._rates.items():
            if scope["path"].startswith(prefix):
                return rate.wait(scope["client"][0] if scope.get("client") else "")
        return 0.0
