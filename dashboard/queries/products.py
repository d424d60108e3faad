"""What the product pages read beside the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from orchestrator.tables import stock_movements

MOST = 100
"""The latest movements that a page shows."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of a product's stock; ``on_hand`` and ``reserved`` are the changes."""

    at: datetime
    kind: str
    on_hand: int
    reserved: int
    reason: str
    actor: str
    purchase_id: str | None


def read_movements(connection: Connection, token: str) -> list[Movement]:
    """The latest movements of a product, newest first."""
    c = stock_movements.c
    columns = (c.at, c.kind, c.on_hand, c.reserved, c.reason, c.actor, c.purchase_id)
    statement = select(*columns).where(c.product_token == token).order_by(c.id.desc()).limit(MOST)
    return [Movement(*row) for row in connection.execute(statement)]
