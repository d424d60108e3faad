"""Who did something, and when: what every written change bears."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

CUSTOMER = "createPurchase"
"""The actor of what the customer's own request does."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """``actor`` is ``createPurchase``, ``notification``, ``reconciler``, ``cli``, ``settings``,
    ``operator:NAME`` or ``api:TOKEN``; empty for somebody unknown."""

    actor: str
    at: datetime
