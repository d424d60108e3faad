"""The movements of a product's stock, and what moved a moment ago."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from orchestrator.catalogue import Product, find_many
from orchestrator.identity import first_id
from orchestrator.tables import bundle_parts, stock_movements

PAGE = 50
"""Movements on a page."""

KINDS = ("receive", "remove", "correct", "hold", "release", "take")

_M = stock_movements.c
_COLUMNS = (_M.id, _M.at, _M.kind, _M.on_hand, _M.reserved, _M.reason, _M.actor, _M.purchase_id)


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of a product's stock; ``on_hand`` and ``reserved`` are the changes."""

    id: str
    at: datetime
    kind: str
    on_hand: int
    reserved: int
    reason: str
    actor: str
    purchase_id: str | None


@dataclass(frozen=True, slots=True)
class MovementPage:
    """Newest first; ``older`` is the id to go on from, empty where there is nothing more."""

    rows: tuple[Movement, ...]
    older: str


def read_movements(
    connection: Connection, token: str, kind: str = "", older: str = "", size: int = PAGE
) -> MovementPage:
    """A product's movements, of one kind if it is given, older than the id ``older``."""
    statement = select(*_COLUMNS).where(_M.product_token == token).order_by(_M.id.desc()).limit(size + 1)
    if kind:
        statement = statement.where(_M.kind == kind)
    if older:
        statement = statement.where(_M.id < older)
    rows = tuple(Movement(*row) for row in connection.execute(statement))
    return MovementPage(rows[:size], rows[size - 1].id if len(rows) > size else "")


def read_moved(connection: Connection, since: datetime) -> dict[str, Product]:
    """The products that moved since then, and the bundles that they are parts of, as they are now."""
    moved = select(_M.product_token).where(_M.id >= first_id(since)).distinct().subquery()
    tokens = set(connection.execute(select(moved.c.product_token)).scalars())
    bundles = select(bundle_parts.c.bundle_token).where(bundle_parts.c.part_token.in_(select(moved)))
    return find_many(connection, tokens | set(connection.execute(bundles).scalars()) if tokens else ())
