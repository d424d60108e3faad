"""The table: every state, reason and transition of a purchase, each with its meaning.

This is the only place that says what a purchase may do. The machine, the pictures, the documentation and
the tests are made from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from statemachine.errors import TableError
from statemachine.guards import Guard, paid_what_was_invoiced, stock_is_there


class State(StrEnum):
    """Where a purchase is."""

    RECEIVED = "received"
    INVOICED = "invoiced"
    PAID = "paid"
    STOCKED = "stocked"
    FAILED = "failed"


class Trigger(StrEnum):
    """What can happen to a purchase."""

    INVOICE = "invoice"
    REFUSE = "refuse"
    GIVE_UP = "give_up"
    RUN_OUT = "run_out"
    CANCEL = "cancel"
    PAY = "pay"
    CLOSE = "close"
    REVERSE = "reverse"
    STOCK = "stock"
    RETRY = "retry"


class Reason(StrEnum):
    """Why a purchase failed."""

    INVOICE_REFUSED = "invoice_refused"
    SEQR_UNREACHABLE = "seqr_unreachable"
    OUT_OF_STOCK = "out_of_stock"
    EXPIRED = "expired"
    CANCELLED_BY_MERCHANT = "cancelled_by_merchant"
    CANCELLED_BY_CUSTOMER = "cancelled_by_customer"
    PAYMENT_FAILED = "payment_failed"
    REVERSED = "reversed"


MEANINGS: dict[State, str] = {
    State.RECEIVED: "The customer confirmed the address; SEQR has no invoice yet.",
    State.INVOICED: "SEQR holds the invoice; the customer may pay it.",
    State.PAID: "SEQR holds the money for us; the stock is not taken yet.",
    State.STOCKED: "Paid, and the goods are taken from the stock. Done.",
    State.FAILED: "Nothing will be delivered; the reason says why.",
}

REASON_MEANINGS: dict[Reason, str] = {
    Reason.INVOICE_REFUSED: "SEQR refused the invoice.",
    Reason.SEQR_UNREACHABLE: "SEQR could not be reached before the purchase ran out of time.",
    Reason.OUT_OF_STOCK: "Nothing was left to promise.",
    Reason.EXPIRED: "The customer did not pay in time.",
    Reason.CANCELLED_BY_MERCHANT: "The shop cancelled it.",
    Reason.CANCELLED_BY_CUSTOMER: "The customer cancelled it.",
    Reason.PAYMENT_FAILED: "SEQR says that the payment failed.",
    Reason.REVERSED: "SEQR gave the money back to the customer.",
}


@dataclass(frozen=True, slots=True)
class Transition:
    """One arrow: ``trigger`` takes a purchase from ``source`` to ``target`` if every guard agrees."""

    source: State
    trigger: Trigger
    target: State
    meaning: str
    reasons: frozenset[Reason] = frozenset()
    guards: tuple[Guard, ...] = ()


def _reasons(*reasons: Reason) -> frozenset[Reason]:
    return frozenset(reasons)


_R, _I, _P, _S, _F = State

TABLE: tuple[Transition, ...] = (
    Transition(_R, Trigger.INVOICE, _I, "SEQR took the invoice and gave its reference."),
    Transition(_R, Trigger.REFUSE, _F, "SEQR refused the invoice.", _reasons(Reason.INVOICE_REFUSED)),
    Transition(_R, Trigger.GIVE_UP, _F, "SEQR stayed out of reach.", _reasons(Reason.SEQR_UNREACHABLE)),
    Transition(_R, Trigger.RUN_OUT, _F, "Nothing was left to promise.", _reasons(Reason.OUT_OF_STOCK)),
    Transition(
        _R,
        Trigger.CANCEL,
        _F,
        "The shop cancelled before there was an invoice.",
        _reasons(Reason.CANCELLED_BY_MERCHANT),
    ),
    Transition(
        _R,
        Trigger.PAY,
        _P,
        "An earlier invoice of the purchase turned out to be paid.",
        guards=(paid_what_was_invoiced,),
    ),
    Transition(_I, Trigger.PAY, _P, "SEQR says that it is paid.", guards=(paid_what_was_invoiced,)),
    Transition(
        _I,
        Trigger.CLOSE,
        _F,
        "SEQR says that the invoice is closed and was not paid.",
        _reasons(
            Reason.EXPIRED,
            Reason.CANCELLED_BY_MERCHANT,
            Reason.CANCELLED_BY_CUSTOMER,
            Reason.PAYMENT_FAILED,
        ),
    ),
    Transition(_I, Trigger.REVERSE, _F, "SEQR gave the money back.", _reasons(Reason.REVERSED)),
    Transition(_P, Trigger.REVERSE, _F, "SEQR gave the money back.", _reasons(Reason.REVERSED)),
    Transition(_P, Trigger.STOCK, _S, "The goods were taken from the stock.", guards=(stock_is_there,)),
    Transition(
        _F,
        Trigger.RETRY,
        _R,
        "The shop tries again: new hold, new invoice.",
        guards=(stock_is_there,),
    ),
    Transition(
        _F,
        Trigger.PAY,
        _P,
        "The invoice turned out to be paid after all.",
        guards=(paid_what_was_invoiced,),
    ),
)


def check(table: Iterable[Transition]) -> dict[tuple[State, Trigger], Transition]:
    """Index the table by source and trigger.

    Raises:
        TableError: two arrows leave one state by one trigger, an arrow into ``failed`` has no reason or
            one elsewhere has, ``failed`` is reached from ``stocked``, or a state cannot be reached.
    """
    arrows: dict[tuple[State, Trigger], Transition] = {}
    for arrow in table:
        if (arrow.source, arrow.trigger) in arrows:
            raise TableError(f"{arrow.source} has two ways for {arrow.trigger}.")
        if bool(arrow.reasons) != (arrow.target is State.FAILED):
            raise TableError(f"{arrow.source} --{arrow.trigger}: reasons belong to failed, and only there.")
        if arrow.source is State.STOCKED:
            raise TableError("A stocked purchase is done: nothing leaves it.")
        arrows[arrow.source, arrow.trigger] = arrow
    unreached = set(State) - {arrow.target for arrow in arrows.values()}
    if unreached:
        raise TableError(f"Nothing leads to {', '.join(sorted(unreached))}.")
    return arrows


ARROWS = check(TABLE)
