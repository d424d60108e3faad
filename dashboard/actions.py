"""The actions of a purchase, as a merchant reads them: what each would do now, or why it is not to be had."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.language import mark
from orchestrator.erasure import WHY_NO_RETRY
from statemachine import ACTIONS, Action, State

LABELS = {Action.CHECK: mark("Check now"), Action.RETRY: mark("Retry"), Action.CANCEL: mark("Cancel")}

_R, _I, _P, _S, _F = State

_OFFERED: dict[tuple[Action, State], str] = {
    (Action.CHECK, _R): mark(
        "Asks SEQR about its earlier invoices, and sends the missing one if it is time to."
    ),
    (Action.CHECK, _I): mark("Asks SEQR whether the customer has paid."),
    (Action.CHECK, _P): mark("Asks SEQR whether the payment still stands, then tries the stock again."),
    (Action.CHECK, _F): mark("Asks SEQR whether it was paid after all."),
    (Action.RETRY, _R): mark("Sends the invoice to SEQR at once."),
    (Action.RETRY, _P): mark("Tries to take the goods from the stock again."),
    (Action.RETRY, _F): mark(
        "Holds the goods again, sends a new invoice and mails the customer a link to pay it."
    ),
    (Action.CANCEL, _R): mark("Cancels it before SEQR has an invoice; the goods are free again."),
    (Action.CANCEL, _I): mark(
        "Has SEQR cancel the invoice; the goods are free again. If it is paid by then, it stays paid."
    ),
}
_WITHOUT_MAIL: dict[tuple[Action, State], str] = {
    (Action.RETRY, _F): mark(
        "Holds the goods again and sends a new invoice. The mail with the link to pay it is only kept here,"
        " since no mail server is set: give the link to the customer."
    ),
}
_WITHHELD: dict[tuple[Action, State], str] = {
    (Action.CHECK, _S): mark("It is paid and the goods are taken: there is nothing left to ask."),
    (Action.RETRY, _I): mark("There is nothing to retry while the customer can pay: Check now asks SEQR."),
    (Action.RETRY, _S): mark("It is paid and the goods are taken: there is nothing to retry."),
    (Action.CANCEL, _P): mark(
        "It is paid: cancelling would keep the customer’s money. Refund it at SEQR instead."
    ),
    (Action.CANCEL, _S): mark("It is paid and the goods are taken. Refund it at SEQR if they come back."),
    (Action.CANCEL, _F): mark("It has failed already: nothing is to be paid or delivered."),
}
"""Retry of an open invoice is allowed, and the same as Check now; two buttons for it would only puzzle."""


@dataclass(frozen=True, slots=True)
class Button:
    """An action of the page: what it would do, or, where it is not offered, why not."""

    action: str
    label: str
    offered: bool
    words: str
    careful: bool


def buttons(state: str, mails_go_out: bool = True, *, erased: bool = False) -> list[Button]:
    """All actions, for a purchase in this state; without its customer it cannot be started over."""
    return [_button(action, State(state), mails_go_out, erased) for action in Action]


def refusal(action: Action, state: str) -> str:
    """Why an action is not to be had in this state."""
    return _WITHHELD.get((action, State(state)), ACTIONS[action, State(state)].words)


def _button(action: Action, state: State, mails_go_out: bool, erased: bool) -> Button:
    if erased and (action, state) == (Action.RETRY, State.FAILED):
        return Button(action.value, LABELS[action], False, WHY_NO_RETRY, careful=False)
    offered = (action, state) in _OFFERED
    said = _OFFERED if mails_go_out else _OFFERED | _WITHOUT_MAIL
    words = said[action, state] if offered else _WITHHELD[action, state]
    return Button(action.value, LABELS[action], offered, words, careful=action is Action.CANCEL)
