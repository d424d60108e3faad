"""The machine: one shared ``transitions`` Machine, fired on a light subject."""

from __future__ import annotations

from collections.abc import Callable

from transitions import Machine

from statemachine.errors import NotAllowed
from statemachine.guards import Guard, Subject
from statemachine.table import ARROWS, TABLE, State, Transition, Trigger


def why_not(subject: Subject, trigger: Trigger) -> str | None:
    """Why ``trigger`` may not happen to ``subject`` now, as one sentence; None if it may."""
    arrow = ARROWS.get((State(subject.state), trigger))
    if arrow is None:
        return f"A purchase that is {subject.state} has no way to {trigger.replace('_', ' ')}."
    return next((why for guard in arrow.guards if (why := guard(subject))), None)


def fire(subject: Subject, trigger: Trigger) -> Transition:
    """Move ``subject`` along the arrow for ``trigger`` and return that arrow.

    Raises:
        NotAllowed: no such arrow leaves the state, or a guard objects; ``why`` says which.
    """
    source = State(subject.state)
    arrow = ARROWS.get((source, trigger))
    # The event is fired on a passing subject: binding a model to the machine costs more than the move.
    if arrow is None or not _MACHINE.events[trigger.value].trigger(subject, subject):
        raise NotAllowed(trigger.value, source.value, why_not(subject, trigger) or "")
    return arrow


def _agrees(guard: Guard) -> Callable[[Subject], bool]:
    return lambda subject: guard(subject) is None


# No model is bound and no callback acts: the machine only decides.
_MACHINE = Machine(
    model=None,
    states=[state.value for state in State],
    initial=State.RECEIVED.value,
    auto_transitions=False,
    transitions=[
        {
            "trigger": arrow.trigger.value,
            "source": arrow.source.value,
            "dest": arrow.target.value,
            "conditions": [_agrees(guard) for guard in arrow.guards],
        }
        for arrow in TABLE
    ],
)
