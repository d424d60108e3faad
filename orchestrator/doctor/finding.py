"""What a check of the doctor's finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.settings import Settings

SECONDS = 12.0
"""What each check may take, beside SEQR's own time limit."""


class Health(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, as a sentence, and what to do about it unless all is well."""

    health: Health
    sentence: str
    remedy: str = ""
    name: str = ""


Check = Callable[[Settings], Awaitable[Finding]]


def well(sentence: str) -> Finding:
    """All is well."""
    return Finding(Health.OK, sentence)


def doubtful(sentence: str, remedy: str) -> Finding:
    """It works, or may work, and should not stay so."""
    return Finding(Health.WARN, sentence, remedy)


def ill(sentence: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(Health.FAIL, sentence, remedy)
