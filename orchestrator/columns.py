"""Column types that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, DateTime, Dialect, FromClause, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeDecorator, TypeEngine

ROW_VERSION = "row_version"
"""The name of a row's version where it stands among columns."""

_PLACES = 4


class Fixed(TypeDecorator[Decimal]):
    """A decimal number with up to four places, kept as a whole number of ten-thousandths.

    SQLite has no exact decimal of its own. Four places are what the finest currency of ISO 4217 has.
    """

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Decimal | None], int | None]:
        return _scaled

    def process_literal_param(self, value: Decimal | None, dialect: Dialect) -> str:
        return str(_scaled(value))

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], Decimal | None]:
        return _unscaled


def _scaled(value: Decimal | None) -> int | None:
    if value is None:
        return None
    scaled = Decimal(value).scaleb(_PLACES)
    whole = int(scaled)
    if scaled != whole:
        raise ValueError(f"{value} has more than {_PLACES} decimals")
    return whole


def _unscaled(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value).scaleb(-_PLACES)


class Moment(TypeDecorator[datetime]):
    """An aware point in time, in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        return _as_text if dialect.name == "sqlite" else _in_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        return _of_text if dialect.name == "sqlite" else _in_utc


def _in_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a time without a zone cannot be kept")
    return value.astimezone(UTC)


def _as_text(value: datetime | None) -> str | None:
    """As SQLAlchemy writes times into SQLite, in a tenth of the time."""
    at = value if value is None or value.tzinfo is UTC else _in_utc(value)
    return None if at is None else at.isoformat(" ", "microseconds").removesuffix("+00:00")


def _of_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


class RowVersion(ColumnElement[str | None]):
    """PostgreSQL's own version of a row: any change makes it another. SQLite has one writer at a time and
    needs none; there it is null."""

    inherit_cache = False
    type: TypeEngine[str | None] = Text()  # type: ignore[assignment]

    def __init__(self, table: FromClause) -> None:
        self.table = table


@compiles(RowVersion)
def _no_version(_element: RowVersion, _compiler: SQLCompiler, **_options: Any) -> str:
    return "NULL"


@compiles(RowVersion, "postgresql")
def _version(element: RowVersion, compiler: SQLCompiler, **_options: Any) -> str:
    return f"{compiler.process(element.table, asfrom=True)}.xmin::text"
