"""Columns of our own types, as SQLModel wants them."""

from __future__ import annotations

from typing import Any

from sqlmodel import Field

from orchestrator.columns import Fixed, Moment


def moment(**options: Any) -> Any:
    """A point in time."""
    return Field(sa_type=Moment, **options)


def fixed(**options: Any) -> Any:
    """A decimal number with up to four places."""
    return Field(sa_type=Fixed, **options)
