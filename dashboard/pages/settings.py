"""The settings that the process runs with, and the doctor's checks of them: for admins."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.answer import page
from dashboard.desk import Desk, Visit
from dashboard.language import mark
from orchestrator import configuration
from orchestrator.configuration import Source
from orchestrator.settings import Settings
from orchestrator.users import Role

if TYPE_CHECKING:
    from orchestrator.doctor import Finding

HERE = "/system/settings"
LONGEST = 30.0
"""Seconds that the checks may take together."""

_SOURCES = {
    Source.COMMAND: mark("the command that started it"),
    Source.ENVIRONMENT: mark("environment"),
    Source.FILE: mark("the file .env"),
    Source.DEFAULT: mark("default"),
}
_CHECKS = {
    "settings": mark("Settings"),
    "variables": mark("Variables"),
    "secret key": mark("Secret key"),
    "database": mark("Database"),
    "migrations": mark("Migrations"),
    "journal": mark("Journal"),
    "WSDL": mark("WSDL"),
    "SEQR": mark("SEQR"),
    "SMTP": mark("Mail server"),
    "public address": mark("Public address"),
    "clock": mark("Clock"),
}


def routes(desk: Desk) -> list[BaseRoute]:
    surgery = Surgery()
    return [
        guard.page(desk, HERE, show_settings, needs=Role.ADMIN),
        guard.form(desk, HERE + "/checks", surgery.run_checks, needs=Role.ADMIN),
    ]


async def show_settings(visit: Visit) -> Response:
    return _page(visit)


class Surgery:
    """Where the doctor works: for one at a time, and who comes meanwhile is told the same."""

    def __init__(self) -> None:
        self._examination: asyncio.Task[list[Finding]] | None = None

    async def run_checks(self, visit: Visit) -> Response:
        """Examine the settings that this process runs with."""
        if self._examination is None or self._examination.done():
            self._examination = asyncio.create_task(_examined(visit.desk.parts.settings))
        try:
            findings = await asyncio.shield(self._examination)
        except TimeoutError:
            late = visit.gettext("The checks did not end within %(num)s s. Try again.", num=int(LONGEST))
            return _page(visit, problem=late)
        return _page(visit, findings)


async def _examined(settings: Settings) -> list[Finding]:
    # With an HTTP client of its own, which a start has no use for, and which takes a while to load.
    doctor = await asyncio.to_thread(import_module, "orchestrator.doctor")
    async with asyncio.timeout(LONGEST):
        findings: list[Finding] = await doctor.examine(settings)
        return findings


def _page(visit: Visit, findings: list[Finding] | None = None, problem: str = "") -> Response:
    return page(
        visit,
        "system/settings.html",
        settings=configuration.listed(visit.desk.parts.settings),
        misspelt=configuration.misspelt(),
        sources=_SOURCES,
        checks=_CHECKS,
        findings=findings,
        problem=problem,
    )
