"""Which version of the project runs."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


def own_version() -> str:
    """The installed version; ``unpackaged`` where the project was only copied."""
    try:
        return installed("seqr-orchestrator")
    except PackageNotFoundError:
        return "unpackaged"
