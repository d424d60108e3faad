"""The manuals' createPurchase as a durable workflow of DBOS, which keeps each of its three steps in its own
tables beside ours: in the same PostgreSQL database, or in a SQLite file of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dbos import DBOS
from starlette.applications import Starlette

from bench.manual import URL, Steps, serve
from orchestrator.purchase import Order

steps = Steps()


async def buy(order: Order) -> str:
    """The three steps."""
    sold = await DBOS.run_step_async({"name": "place"}, steps.place, order)
    reference, qr_code = await DBOS.run_step_async({"name": "send"}, steps.send, sold)
    await DBOS.run_step_async({"name": "record"}, steps.record, sold, reference, qr_code)
    return str(reference)


@asynccontextmanager
async def launched(_: Starlette) -> AsyncIterator[None]:
    """DBOS runs as long as we do."""
    DBOS.launch()
    yield
    DBOS.destroy()


if __name__ == "__main__":
    own = f"{URL}.dbos" if URL.startswith("sqlite") else URL
    DBOS(config={"name": "benchmark", "system_database_url": own, "log_level": "ERROR"})
    serve(DBOS.workflow()(buy), launched)
