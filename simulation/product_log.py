"""The product's log, heard by the story: its warnings are told, and an error nobody thought of is a find."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

from orchestrator.errors import OrchestratorError
from simulation.world import World

UNEXPECTED = "nothing unexpected is raised"


@contextmanager
def heard(world: World) -> Iterator[None]:
    """Listen as long as a run takes."""

    def listen(_: Any, __: str, event: MutableMapping[str, Any]) -> Any:
        error = sys.exc_info()[1] if event.get("exc_info") else None
        if error is not None and not isinstance(error, OrchestratorError):
            world.complain(UNEXPECTED, f"{event['event']}: {type(error).__name__}: {error}")
        world.tell("log", " ".join(str(value) for key, value in sorted(event.items()) if key != "exc_info"))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[listen],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)
