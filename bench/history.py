"""A fortnight of trade for a new shop: more by day than by night, and the last hour lively."""

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
_LIVELY = 16
"""Purchases in the last hour besides, whatever the hour."""
_PAUSE = timedelta(minutes=3)
"""The last was ordered so long ago, that all of it is over."""
_DELAY, _LONGEST = 25.0, 90.0
"""Seconds that a customer takes to pay, or to let it be: on average, and at most."""
_STATES = {"stocked": 880, "failed": 120}


def write(file: Path) -> int:
    """Put the trade into a shop's SQLite file that has products; returns how many purchases it was."""
    chance = random.Random(5)
    end = datetime.now(UTC) - _PAUSE
    chosen = [
        population.Chosen(at, chance.choices(list(_STATES), list(_STATES.values()))[0], number)
        for number, at in enumerate(sorted(_times(chance, end)))
    ]
    with closing(sqlite3.connect(file, timeout=10)) as connection, connection:
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()
        rows = population.written(chosen, chance, _products(connection), itertools.count(last + 1))
        _delay(rows, chance)
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
    for _ in range(_LIVELY):
        yield end - timedelta(minutes=60) * chance.random() ** 2


def _delay(rows: population.Rows, chance: random.Random) -> None:
    """Let each customer take a time of its own from the invoice on."""
    delays = {
        row["id"]: timedelta(seconds=min(chance.expovariate(1 / _DELAY), _LONGEST))
        for row in rows["purchases"]
    }
    for entry in rows["journal"]:
        if entry["target"] not in ("received", "invoiced"):
            entry["at"] += delays[entry["purchase_id"]]
    ids = [entry["id"] for entry in rows["journal"]]
    for id_, entry in zip(ids, sorted(rows["journal"], key=lambda entry: entry["at"]), strict=True):
        entry["id"] = id_
    for purchase in rows["purchases"]:
        purchase["updated_at"] += delays[purchase["id"]]


def _products(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    connection.row_factory = sqlite3.Row
    found = connection.execute(
        "SELECT token, title, price, tax_rate, sku FROM products WHERE sku IS NOT NULL"
    )
    return [dict(row) for row in found]
