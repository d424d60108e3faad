"""Statements that are written out once: what they refuse to write."""

from __future__ import annotations

import pytest
from sqlalchemy import BindParameter, Dialect, bindparam, case, update

from orchestrator.driver import SqliteDriver
from orchestrator.postgresql import AsyncpgDriver
from orchestrator.statement import Statement
from orchestrator.tables import purchases


@pytest.mark.parametrize("dialect", [SqliteDriver.dialect, AsyncpgDriver.dialect])
def test_a_parameter_whose_type_nobody_knows_is_refused(dialect: Dialect) -> None:
    """The driver would write its value in a way of its own, and what is compared as text would differ."""
    moment = purchases.c.next_check_at
    due: BindParameter[object] = bindparam("due")
    statement = Statement(update(purchases).values(next_check_at=case((moment < due, moment), else_=due)))
    with pytest.raises(TypeError, match="A parameter has no type"):
        statement.written(dialect)
