"""What a unit of work has decided to write, until it is written at once.

On PostgreSQL that is one statement for all of it, and the whole transaction if the unit of work did nothing
but read before: what it has read is compared once more in it. Whatever reads in between writes first, so
a unit of work sees what it wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Select, Table, event

from orchestrator.columns import ROW_VERSION
from orchestrator.driver import Driver, Piece
from orchestrator.statement import Statement, Values, change, expected, insertion, insertions
from orchestrator.work import LostRace

T = TypeVar("T")
Row = tuple[Any, ...]
"""Names a row: its table and its key."""

DRIVER = "driver"
"""Under this name a connection knows its driver (SQLAlchemy's ``info``)."""
BATCH = "batch"
"""And under this one what its unit of work has decided so far."""


class Reading(Statement):
    """A statement that reads, and keeps what it finds as it is if it ``locks``."""

    def __init__(self, clause: Select[Any], *, locks: bool = False) -> None:
        super().__init__(clause)
        self._locks = locks

    def all(self, connection: Connection, **values: Any) -> list[list[Any]]:
        """Every row that it finds."""
        batch = _of(connection)
        if self._locks:
            batch.go_on()
        return batch.rows(self, values)

    def first(self, connection: Connection, **values: Any) -> list[Any] | None:
        """The first row, or None."""
        found = self.all(connection, **values)
        return found[0] if found else None


def add(connection: Connection, table: Table, row: Values) -> None:
    """Put a row into a table."""
    _of(connection).add(table, row)


def add_all(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Put rows into a table, all with the same columns."""
    if rows:
        _of(connection).write_all(insertions(table, tuple(rows[0])), list(rows))


def change_row(
    connection: Connection, table: Table, key: Values, values: Values, seen: Values | None = None
) -> None:
    """Set columns of the row with this key. If what was ``seen`` of it is not so any more, or there is no
    such row, the unit of work has lost a race."""
    _of(connection).change(table, key, values, seen or {})


def also(connection: Connection, statement: Statement, values: Values) -> None:
    """Carry out a statement that touches nothing else of the batch."""
    _of(connection).write_all(statement, values)


def must(connection: Connection, statement: Statement, values: Values, row: Row | None = None) -> None:
    """Carry out a statement that has to change ``row``, or to find one. If it does not, the unit of work has
    lost a race."""
    _of(connection).must(statement, values, row)


def carry_out(connection: Connection, work: Callable[[Connection], T]) -> T:
    """Run a unit of work and write what it has decided, but for the commit.

    Raises:
        LostRace: something was not as it was read any more. The transaction is to be undone.
    """
    info = connection.info  # who is interrupted may have no connection left to ask for it
    batch = info[BATCH] = Batch(info[DRIVER])
    try:
        result = work(connection)
        batch.write()
        return result
    finally:
        del info[BATCH]


def give_way(engine: Engine) -> None:
    """See to it that a statement that SQLAlchemy carries out comes after what was decided before."""

    @event.listens_for(engine, "before_cursor_execute")
    def _first(connection: Connection, *_: object) -> None:
        batch: Batch | None = connection.info.get(BATCH)
        if batch is not None:
            batch.go_on()


def _of(connection: Connection) -> Batch:
    batch: Batch = connection.info[BATCH]
    return batch


@lru_cache
def _key_of(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key)


@dataclass(slots=True)
class _Row:
    """What becomes of one row: it is new, or what was ``seen`` of it has to be so still."""

    table: Table
    key: Values
    values: dict[str, Any]
    seen: Values = field(default_factory=dict)

    def change(self, values: Values, seen: Values) -> None:
        """Something more becomes of it."""
        for name, value in seen.items():
            if name in self.values and self.values[name] != value:
                raise LostRace
        self.values.update(values)

    def added(self) -> Piece:
        """The new row."""
        return Piece(insertion(self.table, tuple(self.values)), self.values)

    def changed(self) -> Piece:
        """All that becomes of a row that is there."""
        statement = change(self.table, tuple(self.key), tuple(self.values), tuple(self.seen))
        return Piece(statement, {**self.values, **expected({**self.key, **self.seen})}, must=True)


def _together(pieces: Iterable[Piece | _Row]) -> list[Piece]:
    """As pieces for the driver. New rows of one table go in together, in their order: PostgreSQL carries
    out the parts of one statement in an order of its own."""
    made: list[Piece] = []
    new: dict[tuple[str, ...], Piece] = {}
    for piece in pieces:
        if isinstance(piece, Piece):
            made.append(piece)
        elif piece.key:
            made.append(piece.changed())
        elif (first := new.get((piece.table.name, *piece.values))) is None:
            new[piece.table.name, *piece.values] = first = piece.added()
            made.append(first)
        else:
            rows = first.values if isinstance(first.values, list) else [first.values]
            first.statement = insertions(piece.table, tuple(piece.values))
            first.values = [*rows, piece.values]
    return made


class Batch:
    """The pieces of one unit of work that are not written yet."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._pieces: list[Piece | _Row] = []
        self._waiting: dict[Row, _Row | None] = {}
        self._written: set[Row] = set()

    def rows(self, statement: Statement, values: Values) -> list[list[Any]]:
        """What a statement finds."""
        if self._pieces:
            self.go_on()
        return self._driver.rows(statement, values)

    def add(self, table: Table, values: Values) -> None:
        """A new row."""
        key = tuple(map(values.get, _key_of(table)))
        self._append(_Row(table, {}, dict(values)), (table.name, *key) if None not in key else None)

    def change(self, table: Table, key: Values, values: Values, seen: Values) -> None:
        """Columns of a row, together with what is to be written to it already."""
        name = (table.name, *key.values())
        waiting = self._waiting.get(name)
        if waiting is not None:
            waiting.change(values, seen)
            return
        # After our own change it has another version, and nobody else can change it any more.
        compared = {
            column: value
            for column, value in seen.items()
            if column != ROW_VERSION or (value is not None and name not in self._written)
        }
        self._append(_Row(table, key, dict(values), compared), name)

    def must(self, statement: Statement, values: Values, name: Row | None) -> None:
        """A statement that has to change a row, or to find one."""
        self._append(Piece(statement, values, must=True), name)

    def write_all(self, statement: Statement, values: Values | list[Values]) -> None:
        """A statement that nothing depends on, for one row or several."""
        self._pieces.append(Piece(statement, values))

    def go_on(self) -> None:
        """Write what was decided so far; more is to come."""
        self._driver.begin()
        self.write()

    def write(self) -> None:
        """Write what was decided."""
        if not self._pieces:
            return
        pieces, self._pieces = self._pieces, []
        self._written.update(self._waiting)
        self._waiting = {}
        self._driver.write(_together(pieces))

    def _append(self, piece: Piece | _Row, name: Row | None) -> None:
        if name in self._waiting:  # one statement cannot change a row twice
            self.go_on()
        if name is not None:
            self._waiting[name] = piece if isinstance(piece, _Row) else None
        self._pieces.append(piece)
