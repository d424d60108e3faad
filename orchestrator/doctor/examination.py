"""The examination: all checks side by side, each in its time; one that fails keeps no other from running."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from orchestrator.doctor import ground, neighbours
from orchestrator.doctor.finding import SECONDS, Check, Finding, ill
from orchestrator.errors import OrchestratorError
from orchestrator.secrecy import Secrecy
from orchestrator.settings import Settings

CHECKS: tuple[tuple[str, Check], ...] = (
    ("settings", ground.check_settings),
    ("variables", ground.check_variables),
    ("secret key", ground.check_secret_key),
    ("database", ground.check_database),
    ("migrations", ground.check_migrations),
    ("journal", ground.check_journal),
    ("WSDL", neighbours.check_wsdl),
    ("SEQR", neighbours.check_seqr),
    ("SMTP", neighbours.check_smtp),
    ("public address", neighbours.check_public_address),
    ("clock", neighbours.check_clock),
)
"""Every check, in the order in which they are shown."""


async def examine(settings: Settings, checks: Sequence[tuple[str, Check]] = CHECKS) -> list[Finding]:
    """Run the checks and name their findings; no secret is in them."""
    secrecy = Secrecy.of(settings)
    limit = SECONDS + settings.seqr_timeout
    outcomes = await asyncio.gather(
        *(asyncio.wait_for(check(settings), limit) for _, check in checks), return_exceptions=True
    )
    findings = zip(checks, (_finding(outcome, limit) for outcome in outcomes), strict=True)
    return [
        replace(found, name=name, sentence=secrecy.hide(found.sentence), remedy=secrecy.hide(found.remedy))
        for (name, _), found in findings
    ]


def _finding(outcome: Finding | BaseException, limit: float) -> Finding:
    match outcome:
        case Finding():
            return outcome
        case OrchestratorError():
            return ill(outcome.message, "See docs/operations.md, settings.")
        case TimeoutError():
            return ill(f"The check did not end within {limit:g} s.", "See whether a firewall is in the way.")
        case Exception():
            return ill(f"The check itself failed: {type(outcome).__name__}: {outcome}", "Please report this.")
        case _:
            raise outcome
