"""What a merchant's action means in each state, and why it is refused where it means nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statemachine.errors import NotAllowed
from statemachine.table import State


class Action(StrEnum):
    """What an operator may ask for."""

    CHECK = "check"
    RETRY = "retry"
    CANCEL = "cancel"


class Effect(StrEnum):
    """What is done about it."""

    SEND_INVOICE = "send_invoice"
    ASK_SEQR = "ask_seqr"
    TAKE_STOCK = "take_stock"
    START_OVER = "start_over"
    FAIL = "fail"
    CANCEL_INVOICE = "cancel_invoice"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The effect of an action in one state, in words for a button's title; or why there is none."""

    effect: Effect | None
    words: str


_R, _I, _P, _S, _F = State

ACTIONS: dict[tuple[Action, State], Meaning] = {
    (Action.CHECK, _R): Meaning(Effect.ASK_SEQR, "Ask SEQR about its earlier invoices, if it has any."),
    (Action.CHECK, _I): Meaning(Effect.ASK_SEQR, "Ask SEQR whether it is paid."),
    (Action.CHECK, _P): Meaning(Effect.ASK_SEQR, "Ask SEQR whether it is still paid."),
    (Action.CHECK, _S): Meaning(None, "It is paid and stocked: there is nothing left to check."),
    (Action.CHECK, _F): Meaning(Effect.ASK_SEQR, "Ask SEQR whether it was paid after all."),
    (Action.RETRY, _R): Meaning(Effect.SEND_INVOICE, "Send the invoice to SEQR again."),
    (Action.RETRY, _I): Meaning(Effect.ASK_SEQR, "Ask SEQR now."),
    (Action.RETRY, _P): Meaning(Effect.TAKE_STOCK, "Try to take the goods from the stock again."),
    (Action.RETRY, _S): Meaning(None, "It is paid and stocked: there is nothing to retry."),
    (Action.RETRY, _F): Meaning(
        Effect.START_OVER, "Hold the goods again, send a new invoice and mail the customer a link to pay it."
    ),
    (Action.CANCEL, _R): Meaning(Effect.FAIL, "Cancel it; SEQR has no invoice yet."),
    (Action.CANCEL, _I): Meaning(Effect.CANCEL_INVOICE, "Cancel the invoice at SEQR."),
    (Action.CANCEL, _P): Meaning(None, "It is paid: cancelling would keep the customer's money. Refund it."),
    (Action.CANCEL, _S): Meaning(None, "It is paid and stocked: it can no longer be cancelled."),
    (Action.CANCEL, _F): Meaning(None, "It has failed already."),
}


def effect_of(action: Action, state: State) -> Effect:
    """What ``action`` does in ``state``.

    Raises:
        NotAllowed: it does nothing there; ``why`` is one sentence for the merchant.
    """
    meaning = ACTIONS[action, state]
    if meaning.effect is None:
        raise NotAllowed(action.value, state.value, meaning.words)
    return meaning.effect
