"""The machine's page for the documentation: its tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from statemachine.actions import ACTIONS
from statemachine.table import MEANINGS, REASON_MEANINGS, TABLE


def markdown() -> str:
    """States, transitions, reasons and actions, each with its meaning."""
    return (
        "\n\n".join(
            [
                "# The state machine",
                "Made from `statemachine/table.py` by `python -m statemachine page`.",
                "![The states and what leads from one to the other](state-machine.svg)",
                "## States",
                _table(
                    ("state", "meaning"), ((f"`{state}`", meaning) for state, meaning in MEANINGS.items())
                ),
                "## Transitions",
                _table(
                    ("from", "trigger", "to", "meaning", "only if"),
                    (
                        (
                            f"`{arrow.source}`",
                            f"`{arrow.trigger}`",
                            f"`{arrow.target}`",
                            arrow.meaning,
                            " ".join((guard.__doc__ or "").strip() for guard in arrow.guards),
                        )
                        for arrow in TABLE
                    ),
                ),
                "## Reasons of a failed purchase",
                _table(
                    ("reason", "meaning"),
                    ((f"`{reason}`", words) for reason, words in REASON_MEANINGS.items()),
                ),
                "## Actions of an operator",
                _table(
                    ("action", "state", "what it does", "allowed"),
                    (
                        (f"`{action}`", f"`{state}`", meaning.words, "yes" if meaning.effect else "no")
                        for (action, state), meaning in ACTIONS.items()
                    ),
                ),
            ]
        )
        + "\n"
    )


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
