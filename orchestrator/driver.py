"""A database's own driver, below SQLAlchemy, on one connection: what carries out prepared statements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Connection as SqliteConnection
from sqlite3 import IntegrityError as SqliteIntegrityError
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from orchestrator.statement import Statement, Values
from orchestrator.work import LostRace

_TAKEN = ("SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE")


@dataclass(slots=True)
class Piece:
    """A statement with its values, or those of several rows. One that ``must`` change a row undoes everything
    if it does not."""

    statement: Statement
    values: Values | list[Values]
    must: bool = False


class Driver(ABC):
    """Carries out statements. Its errors are the driver's own, but for LostRace."""

    dialect: Dialect

    @abstractmethod
    def rows(self, statement: Statement, values: Values) -> list[list[Any]]:
        """What a statement finds."""

    @abstractmethod
    def write(self, pieces: Sequence[Piece]) -> None:
        """Carry out all of the pieces, or none.

        Raises:
            LostRace: one that must has changed no row, or what should be there once is there already.
        """

    @abstractmethod
    def begin(self) -> None:
        """From now on all belongs together until the unit of work is over."""


class SqliteDriver(Driver):
    """Python's own module. Whoever runs a unit of work has begun its transaction."""

    dialect = SQLiteDialect_pysqlite()

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection

    def rows(self, statement: Statement, values: Values) -> list[list[Any]]:
        written = statement.written(self.dialect)
        found = self._connection.execute(written.text, written.values(values)).fetchall()
        return [written.understood(row) for row in found]

    def write(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            try:
                done = self._carry_out(piece)
            except SqliteIntegrityError as error:
                if error.sqlite_errorname in _TAKEN:
                    raise LostRace from error
                raise
            if piece.must and not done:
                raise LostRace

    def begin(self) -> None:
        """It has begun."""

    def _carry_out(self, piece: Piece) -> int:
        """How many rows it changed, or whether it found one."""
        written = piece.statement.written(self.dialect)
        if isinstance(piece.values, list):
            return self._connection.executemany(written.text, map(written.values, piece.values)).rowcount
        done = self._connection.execute(written.text, written.values(piece.values))
        return len(done.fetchall()) if written.finds else done.rowcount
