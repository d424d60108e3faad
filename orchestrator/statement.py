"""Statements made of the tables, written out once for each database and carried out by its own driver.

SQLAlchemy takes ten times as long for a short statement as SQLite does, and twice as long as PostgreSQL's
driver. So what is done for every purchase is written out here; the tables' types say how values travel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Insert, Select, String, Table, Update, bindparam, insert, update
from sqlalchemy.types import NullType, TypeEngine

from orchestrator.columns import ROW_VERSION, RowVersion

Process = Callable[[Any], Any]
Values = Mapping[str, Any]

_SHAPES = 512
_IS = "is_"
"""Before the name of a column: what it must be for the statement to change anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A statement as one database takes it. ``places`` has for each parameter its name, what makes its value
    fit for the driver, and the value that it has if none is given."""

    text: str
    places: tuple[tuple[str, Process | None, Any], ...]
    read: tuple[tuple[int, Process], ...] = ()
    finds: bool = False
    """Whether it reads, so that what it finds counts and not what it changes."""

    def values(self, given: Values) -> list[Any]:
        """The parameters, in their order."""
        get = given.get
        return [
            get(name, default) if process is None else process(get(name, default))
            for name, process, default in self.places
        ]

    def understood(self, row: Iterable[Any]) -> list[Any]:
        """A row of the driver's, as the tables have it."""
        values = list(row)
        for place, process in self.read:
            values[place] = process(values[place])
        return values


class Statement:
    """One statement, for any database."""

    def __init__(self, clause: Select[Any] | Insert | Update) -> None:
        self._clause = clause
        self._written: dict[str, Written] = {}

    def written(self, dialect: Dialect) -> Written:
        """The statement in the words of a database."""
        found = self._written.get(dialect.name)
        if found is None:
            found = self._written[dialect.name] = self._write(dialect)
        return found

    def _write(self, dialect: Dialect) -> Written:
        compiled = self._clause.compile(dialect=dialect)
        # A column's own default is a parameter too; SQLAlchemy would put the value in when it executes.
        own = {column.key: column.default.arg for column in getattr(compiled, "insert_prefetch", ())}
        defaults = {**compiled.params, **own}
        places = tuple(
            (name, _bind(compiled.binds[name].type, dialect), defaults[name])
            for name in compiled.positiontup or ()
        )
        finds = isinstance(self._clause, Select)
        return Written(str(compiled), places, self._reads(dialect), finds)

    def _reads(self, dialect: Dialect) -> tuple[tuple[int, Process], ...]:
        if not isinstance(self._clause, Select):
            return ()
        kinds = [_fit(column.type, dialect) for column in self._clause.selected_columns]
        found = [(place, kind.result_processor(dialect, None)) for place, kind in enumerate(kinds)]
        return tuple((place, process) for place, process in found if process is not None)


class _Rows(Statement):
    """Puts any number of rows into a table: PostgreSQL gets the columns as arrays, whatever their length."""

    def __init__(self, table: Table, columns: tuple[str, ...]) -> None:
        super().__init__(insertion(table, columns)._clause)
        self._table, self._columns = table, columns

    def _write(self, dialect: Dialect) -> Written:
        if dialect.name != "postgresql":
            return super()._write(dialect)
        kinds = [_fit(self._table.c[name].type, dialect) for name in self._columns]
        words = ["text" if isinstance(kind, String) else kind.compile(dialect) for kind in kinds]
        arrays = [f"${number}::{word}[]" for number, word in enumerate(words, 1)]
        columns = ", ".join(map(dialect.identifier_preparer.quote, self._columns))
        whole = f"INSERT INTO {self._table.name} ({columns}) SELECT * FROM unnest({', '.join(arrays)})"  # noqa: S608 - no values
        places = [
            (name, _each(kind.bind_processor(dialect)), None)
            for name, kind in zip(self._columns, kinds, strict=True)
        ]
        return Written(whole, tuple(places))


@lru_cache(_SHAPES)
def insertion(table: Table, columns: tuple[str, ...]) -> Statement:
    """Puts a row with these columns into a table."""
    return Statement(insert(table).inline().values({name: bindparam(name) for name in columns}))


@lru_cache(_SHAPES)
def insertions(table: Table, columns: tuple[str, ...]) -> Statement:
    """Puts rows with these columns into a table."""
    return _Rows(table, columns)


@lru_cache(_SHAPES)
def change(table: Table, key: tuple[str, ...], columns: tuple[str, ...], seen: tuple[str, ...]) -> Statement:
    """Sets columns of the row with a key, if others are what was seen of them."""
    same = [table.c[name] == bindparam(_IS + name) for name in (*key, *seen) if name != ROW_VERSION]
    if ROW_VERSION in seen:
        same.append(RowVersion(table) == bindparam(_IS + ROW_VERSION))
    return Statement(update(table).where(*same).values({name: bindparam(name) for name in columns}))


def expected(values: Values) -> dict[str, Any]:
    """What a change compares, by the names of its parameters."""
    return {_IS + name: value for name, value in values.items()}


def _fit(kind: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    return kind.dialect_impl(dialect)


def _bind(kind: TypeEngine[Any], dialect: Dialect) -> Process | None:
    if isinstance(kind, NullType):  # the driver would write the value in a way of its own
        raise TypeError("A parameter has no type: give bindparam its type_.")
    return _fit(kind, dialect).bind_processor(dialect)


def _each(process: Process | None) -> Process | None:
    return None if process is None else lambda values: [process(value) for value in values]
