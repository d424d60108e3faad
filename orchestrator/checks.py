"""Checks in the background, one at a time for each purchase."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)


class BackgroundChecks:
    """Runs checks that somebody asked for without waiting for them, such as a notification.

    While a purchase is being checked, any number of further wishes for it become one more check after that
    one: the running one may have asked SEQR too early.
    """

    def __init__(self, check: Callable[[str, str], Awaitable[object]]) -> None:
        self._check = check
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._again: dict[str, str] = {}

    def soon(self, purchase_id: str, actor: str) -> None:
        """Check the purchase now, or once more after the check that is under way."""
        if purchase_id in self._under_way:
            self._again[purchase_id] = actor
        else:
            self._under_way[purchase_id] = asyncio.create_task(self._run(purchase_id, actor))

    async def close(self) -> None:
        """Wait for all that is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way.values())

    async def _run(self, purchase_id: str, actor: str) -> None:
        try:
            await self._check(purchase_id, actor)
        except Exception:
            # The purchase stays due: the reconciler looks at it within seconds.
            log.exception("purchase.check_failed", purchase_id=purchase_id, actor=actor)
        finally:
            del self._under_way[purchase_id]
            again = self._again.pop(purchase_id, None)
            if again is not None:
                self.soon(purchase_id, again)
