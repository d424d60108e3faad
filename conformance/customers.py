"""Customers, so that there are purchases in every state: some pay, some cancel, some have no money."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from sandbox.ledger import Ledger

_PAUSE = 0.2
"""Seconds between two customers."""
_WEIGHTS = {"paid": 5, "cancelled": 2, "had no money": 1, "thought it over": 6}


@dataclass
class Customers:
    """Everybody with a phone; ``did`` counts what they did. Invoices that are ``left_alone`` are nobody's."""

    ledger: Ledger
    chance: Random
    left_alone: frozenset[str] = frozenset()
    did: Counter[str] = field(default_factory=Counter)
    _decided: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self._decided = set(self.left_alone)

    async def run(self) -> None:
        """Until it is cancelled, one after the other decides about the newest open invoice, once for all."""
        acts = {"paid": self.ledger.pay, "cancelled": self.ledger.cancel, "had no money": self.ledger.fail}
        while True:
            await asyncio.sleep(_PAUSE)
            waiting = (booked.reference for booked in self.ledger.invoices if booked.open)
            reference = next((found for found in waiting if found not in self._decided), None)
            if reference is None:
                continue
            self._decided.add(reference)
            (what,) = self.chance.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()))
            self.did[what] += 1
            if what in acts:
                acts[what](reference)
