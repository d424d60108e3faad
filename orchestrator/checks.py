"""Checks in the background, one at a time for each purchase."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

log = structlog.get_logger(__name__)

PAUSE = 0.5
"""Seconds between the beginnings of two checks of one purchase that are asked for here: whoever repeats its
notification does not make us ask SEQR all the time."""


class BackgroundChecks:
    """Runs checks that somebody asked for without waiting for them, such as a notification.

    While a purchase is being checked, any number of further wishes for it become one more check after that
    one: the running one may have asked SEQR too early.
    """

    def __init__(self, check: Callable[[str, str], Awaitable[object]], pause: float = PAUSE) -> None:
        self._check = check
        self._pause = pause
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._again: dict[str, str] = {}
        self._closing = asyncio.Event()

    def soon(self, purchase_id: str, actor: str) -> None:
        """Check the purchase now, or once more after the check that is under way."""
        if purchase_id in self._under_way:
            self._again[purchase_id] = actor
        else:
            self._under_way[purchase_id] = asyncio.create_task(self._run(purchase_id, actor))

    def will_run_again(self, purchase_id: str) -> bool:
        """Whether one more check is to come after the one that is under way: a further wish adds nothing."""
        return purchase_id in self._again

    async def close(self) -> None:
        """Wait for all that is under way, without the pauses."""
        self._closing.set()
        while self._under_way:
            await asyncio.wait(self._under_way.values())
        self._closing.clear()

    async def _run(self, purchase_id: str, actor: str) -> None:
        begun = asyncio.get_running_loop().time()
        try:
            await self._check(purchase_id, actor)
            await self._rest_until(begun + self._pause)
        except Exception:
            # The purchase stays due: the reconciler looks at it within seconds.
            log.exception("purchase.check_failed", purchase_id=purchase_id, actor=actor)
        finally:
            del self._under_way[purchase_id]
            again = self._again.pop(purchase_id, None)
            if again is not None:
                self.soon(purchase_id, again)

    async def _rest_until(self, time: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(time):
                await self._closing.wait()
