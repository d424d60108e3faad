"""Texts that the dashboard shows and that stand in rooms which know no language."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator import catalogue, password
from orchestrator.api_token import TokenNameTaken
from orchestrator.configuration import default_of
from orchestrator.errors import OrchestratorError
from orchestrator.settings import Settings
from orchestrator.users import LastAdmin
from statemachine import ACTIONS, MEANINGS, REASON_MEANINGS, picture
from statemachine.table import TABLE

_ERRORS: tuple[type[OrchestratorError], ...] = (LastAdmin, TokenNameTaken)
"""Their default messages reach a page."""


def borrowed() -> Iterator[tuple[str, str]]:
    """Each text, and the file that it stands in."""
    for text in (*MEANINGS.values(), *REASON_MEANINGS.values(), *(arrow.meaning for arrow in TABLE)):
        yield text, "statemachine/table.py"
    yield picture.TITLE, "statemachine/picture.py"
    for meaning in ACTIONS.values():
        yield meaning.words, "statemachine/actions.py"
    for name, field in Settings.model_fields.items():
        yield field.description or "", "orchestrator/settings.py"
        yield from ((text, "orchestrator/settings.py") for text in _default(name))
    for kind in _ERRORS:
        yield kind().message, f"{kind.__module__.replace('.', '/')}.py"
    for text in (password.TOO_SHORT, password.TOO_LONG):
        yield text, "orchestrator/password.py"
    yield catalogue.REASON, "orchestrator/catalogue.py"


def _default(name: str) -> Iterator[str]:
    """What goes by default, where words say it and not a value."""
    default = default_of(name)
    if default != "-" and not default.startswith("`"):
        yield default
