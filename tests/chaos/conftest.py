"""Disasters, and the figures that are seen in them: printed at the end, and kept in var/chaos."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.premises import Nursery, premises
from tests.chaos.trade import Trade
from tests.fixtures.sandbox import ROOT
from tests.integration.orchestrator.mail.conftest import open_post

Open = Callable[..., AbstractAsyncContextManager[Trade]]

_FIGURES: dict[str, dict[str, Any]] = {}
_KEPT = ROOT / "var" / "chaos"


@pytest.fixture
def note() -> Callable[..., None]:
    """Keep figures of a disaster: ``note("killed, 2 processes", trade, taken_up=3.1)``."""

    def keep(disaster: str, trade: Trade, **seconds: float) -> None:
        figures = {"purchases": len(trade.paid), "longest_wait_for_payment": trade.longest_wait, **seconds}
        _FIGURES[disaster] = {name: round(figure, 2) for name, figure in figures.items()}

    return keep


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where processes of the program come from."""
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def busy_shop(nursery: Nursery, tmp_path: Path) -> Open:
    """Open a shop with mail: ``async with busy_shop(database_url, places=2) as trade``. Nothing runs yet."""

    @asynccontextmanager
    async def opened(database_url: str, places: int = 1, **changes: Any) -> AsyncIterator[Trade]:
        async with (
            open_post(enable_SMTPUTF8=True) as post,
            premises(
                database_url,
                nursery,
                tmp_path / "processes.log",
                places=places,
                smtp_url=post.url(),
                create_purchase_per_minute=0,
                **changes,
            ) as shop,
        ):
            yield Trade(shop, post, places)

    return opened


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _FIGURES:
        return
    _KEPT.mkdir(parents=True, exist_ok=True)
    (_KEPT / "figures.json").write_text(json.dumps(_FIGURES, indent=2) + "\n", encoding="utf-8")
    terminalreporter.section("figures, in seconds")
    for disaster, figures in _FIGURES.items():
        words = ", ".join(f"{name.replace('_', ' ')} {figure:g}" for name, figure in figures.items())
        terminalreporter.write_line(f"{disaster}: {words}")
