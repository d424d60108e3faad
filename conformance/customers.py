"""Customers, so that there are purchases in every state: some pay, some cancel, some have no money."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from sandbox.ledger import Ledger

_PAUSE = 0.2
"""Seconds between two customers."""
_WEIGHTS = {"paid": 5, "cancelled": 2, "had no money": 1, "thought it over": 4}


@dataclass
class Customers:
    """Everybody with a phone; ``did`` counts what they did."""

    ledger: Ledger
    chance: Random
    did: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        """Until it is cancelled, one after the other decides about the newest invoice that is open."""
        acts = {"paid": self.ledger.pay, "cancelled": self.ledger.cancel, "had no money": self.ledger.fail}
        while True:
            await asyncio.sleep(_PAUSE)
            reference = next((booked.reference for booked in self.ledger.invoices if booked.open), None)
            (what,) = self.chance.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()))
            if reference is not None and what in acts:
                acts[what](reference)
                self.did[what] += 1
