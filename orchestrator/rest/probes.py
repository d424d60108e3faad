"""What monitors ask: is the process alive, and is it of use?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from orchestrator import migration
from orchestrator.database import Database
from orchestrator.errors import OrchestratorError
from orchestrator.parts import Parts

SchedulerCheck = Callable[[], str | None]
"""Says what is wrong with the scheduler, or None."""

DATABASE_SECONDS = 3.0
_WELL = "ok"


def routes(parts: Parts, scheduler_is_well: SchedulerCheck) -> list[Route]:
    """``/healthz`` and ``/readyz``. Neither asks who calls."""

    async def ready(request: Request) -> Response:
        return await readiness(parts.database, scheduler_is_well)

    return [Route("/healthz", _alive, methods=["GET"]), Route("/readyz", ready, methods=["GET"])]


async def readiness(database: Database, scheduler_is_well: SchedulerCheck) -> Response:
    """200 when database, migrations and scheduler are well, else 503 and why."""
    checks = await _database_checks(database) | {"scheduler": scheduler_is_well() or _WELL}
    wrong = [words for words in checks.values() if words != _WELL]
    if not wrong:
        return JSONResponse({"status": "ready", "checks": checks}, headers=_FRESH)
    body = {"error": "not_ready", "message": " ".join(dict.fromkeys(wrong)), "checks": checks}
    return JSONResponse(body, 503, headers=_FRESH)


_FRESH = {"Cache-Control": "no-store"}


async def _database_checks(database: Database) -> dict[str, str]:
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            await migration.check(database)
    except migration.Unmigrated as error:
        return {"database": _WELL, "migrations": error.message}
    except OrchestratorError as error:
        return dict.fromkeys(("database", "migrations"), error.message)
    except TimeoutError:
        late = f"The database did not answer within {DATABASE_SECONDS:g} s."
        return dict.fromkeys(("database", "migrations"), late)
    return {"database": _WELL, "migrations": _WELL}


async def _alive(request: Request) -> Response:
    return JSONResponse({"status": "alive"}, headers=_FRESH)
