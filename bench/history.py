"""A fortnight of trade for a shop that has just been made: more by day than by night."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import population
from bench.dataset import insert

DAYS = 14
_BY_HOUR = (1, 0, 0, 0, 0, 1, 2, 4, 6, 8, 9, 11, 12, 10, 8, 8, 9, 11, 13, 15, 14, 10, 6, 3)
"""Purchases a day in each hour, on average; in UTC."""
_PAUSE = timedelta(minutes=20)
"""The last of it is so long ago: what comes now is real."""
_STATES = {"stocked": 880, "failed": 120}


def write(file: Path) -> int:
    """Put the trade into a shop's SQLite file that has products and no purchase; returns how many it was."""
    chance = random.Random(5)
    end = datetime.now(UTC) - _PAUSE
    chosen = [
        population.Chosen(at, chance.choices(list(_STATES), list(_STATES.values()))[0], number)
        for number, at in enumerate(sorted(_times(chance, end)))
    ]
    with closing(sqlite3.connect(file, timeout=10)) as connection, connection:
        rows = population.written(chosen, chance, _products(connection), itertools.count(1))
        for table, its in rows.items():
            insert(connection, table, its)
    return len(chosen)


def _times(chance: random.Random, end: datetime) -> Iterator[datetime]:
    midnight = end.replace(hour=0, minute=0, second=0, microsecond=0)
    for days, hour in itertools.product(range(DAYS), range(24)):
        began = midnight - timedelta(days=days) + timedelta(hours=hour)
        for _ in range(round(chance.gauss(_BY_HOUR[hour], _BY_HOUR[hour] / 4))):
            at = began + timedelta(seconds=chance.randrange(3600))
            if at < end:
                yield at


def _products(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    connection.row_factory = sqlite3.Row
    found = connection.execute(
        "SELECT token, title, price, tax_rate, sku FROM products WHERE sku IS NOT NULL"
    )
    return [dict(row) for row in found]
