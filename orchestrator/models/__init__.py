"""The tables. Validation happens at the edge; these say how things are kept.

Which hot path writes what: ``purchase.py`` and ``settlement.py``. Every table's key sorts by time where it
is an id.
"""

from __future__ import annotations

from sqlmodel import SQLModel

from orchestrator.models import counting, goods, people, purchases, wires

METADATA = SQLModel.metadata

__all__ = ["METADATA", "counting", "goods", "people", "purchases", "wires"]
