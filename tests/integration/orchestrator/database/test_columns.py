"""Columns mean the same on both databases: exact numbers, aware times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError, StatementError

from orchestrator.database import Database
from orchestrator.tables import products

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


def keep(connection: Connection, price: Decimal | None, at: datetime) -> tuple[Decimal, datetime]:
    row = {
        "token": "a",
        "title": "T",
        "currency": "SEK",
        "tax_rate": 0,
        "for_sale": True,
        "on_hand": 0,
        "reserved": 0,
    }
    connection.execute(insert(products).values(row | {"price": price, "created_at": at, "updated_at": at}))
    found = connection.execute(select(products.c.price, products.c.created_at)).one()
    return found.price, found.created_at


@pytest.mark.parametrize("number", ["0", "0.0001", "149.90", "99999999999", "99999999999.9999", "-12.5"])
async def test_a_number_comes_back_exactly(database: Database, number: str) -> None:
    assert (await database.write(keep, Decimal(number), AT))[0] == Decimal(number)


@pytest.mark.parametrize("number", ["0.00001", "1.23456"])
async def test_a_number_that_would_lose_decimals_is_refused(database: Database, number: str) -> None:
    with pytest.raises(StatementError, match="more than 4 decimals"):
        await database.write(keep, Decimal(number), AT)


@pytest.mark.parametrize(
    "at", [AT, AT.astimezone(timezone(timedelta(hours=5, minutes=30))), datetime(1999, 12, 31, tzinfo=UTC)]
)
async def test_a_time_comes_back_in_utc_to_the_microsecond(database: Database, at: datetime) -> None:
    found = (await database.write(keep, Decimal(1), at))[1]
    assert found == at
    assert found.utcoffset() == timedelta(0)


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="without a zone"):
        await database.write(keep, Decimal(1), AT.replace(tzinfo=None))


async def test_a_price_that_is_missing_is_refused_by_the_database(database: Database) -> None:
    with pytest.raises(IntegrityError):
        await database.write(keep, None, AT)
