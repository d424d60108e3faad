"""What a purchase may do. Pure: no database, no HTTP, no clock, no settings."""

from statemachine.actions import ACTIONS, Action, Effect, effect_of
from statemachine.errors import NotAllowed, StateMachineError
from statemachine.guards import Subject
from statemachine.machine import fire, why_not
from statemachine.table import MEANINGS, REASON_MEANINGS, TABLE, Reason, State, Transition, Trigger

__all__ = [
    "ACTIONS",
    "MEANINGS",
    "REASON_MEANINGS",
    "TABLE",
    "Action",
    "Effect",
    "NotAllowed",
    "Reason",
    "State",
    "StateMachineError",
    "Subject",
    "Transition",
    "Trigger",
    "effect_of",
    "fire",
    "why_not",
]
