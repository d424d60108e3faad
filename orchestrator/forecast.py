"""The dry run of a bulk action: what it would do to each of the chosen purchases. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from orchestrator.bulk import Seen
from orchestrator.portions import portions
from orchestrator.tables import purchases
from statemachine import ACTIONS, Action, Effect, State

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Group:
    """Those in one state: what would be done to each, or why nothing (``effect`` is None then)."""

    state: State
    effect: Effect | None
    words: str
    number: int
    examples: tuple[str, ...]
    """Ids of the first of them."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What an action would do. ``seen`` is everything that was chosen and exists, as it is now."""

    action: Action
    groups: tuple[Group, ...]
    seen: tuple[Seen, ...]

    @property
    def acted_on(self) -> int:
        """How many the action would do something to."""
        return sum(group.number for group in self.groups if group.effect is not None)

    @property
    def refused(self) -> int:
        """How many it would leave as they are."""
        return len(self.seen) - self.acted_on


def read(connection: Connection, action: Action, ids: Sequence[str]) -> Forecast:
    """Look at the chosen purchases; an id that does not exist is left out."""
    columns = (purchases.c.id, purchases.c.revision, purchases.c.state)
    seen: list[Seen] = []
    members: dict[State, list[str]] = {state: [] for state in State}
    for some in portions(sorted(set(ids))):
        for id_, revision, state in connection.execute(select(*columns).where(purchases.c.id.in_(some))):
            seen.append(Seen(id_, revision))
            members[State(state)].append(id_)
    groups = [_group(action, state, found) for state, found in members.items() if found]
    groups.sort(key=lambda group: group.effect is None)  # what is done stands before what is refused
    return Forecast(action, tuple(groups), tuple(seen))


def _group(action: Action, state: State, ids: list[str]) -> Group:
    meaning = ACTIONS[action, state]
    return Group(state, meaning.effect, meaning.words, len(ids), tuple(ids[:_EXAMPLES]))
