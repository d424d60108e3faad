"""What the phone says when something ends or does not work: what happened, and what to do now.

For customers: no codes, and always whether they were charged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sandbox.booking import BookedInvoice, Cause
from sandbox.checkout import CheckoutRefused
from sandbox.errors import Refusal, ResultCode


@dataclass(frozen=True, slots=True)
class Explanation:
    """``again``: whether the same once more may help. ``sign``: the picture over the headline."""

    headline: str
    happened: str
    now: str = ""
    again: bool = False
    sign: str = "cross"


UNREADABLE: Final = Explanation(
    "That is not a SEQR code",
    "The app reads codes that begin with HTTP://SEQR.SE/. Nothing was ordered.",
    "Look for the SEQR code beside the product and scan that one.",
    again=True,
)

_ODD_ANSWER: Final = Explanation(
    "The shop gave an answer that SEQR does not understand",
    "Something is wrong on the shop's side. You have not been charged.",
    "Try again. If it stays so, tell the shop.",
    again=True,
)

_REFUSED_ORDERS: Final[Mapping[str, Explanation]] = {
    "OUT_OF_STOCK": Explanation(
        "Sold out",
        "Somebody was quicker, and the last one is gone. Nothing was ordered, and you have not been charged.",
        "See what else the shop has, or come back later.",
        sign="empty",
    ),
    "UNKNOWN_PURCHASE_TOKEN": Explanation(
        "The shop does not sell this any more",
        "The code is from a product that is not for sale now. You have not been charged.",
        "See what else the shop has.",
        sign="empty",
    ),
    "SYSTEM_ERROR": Explanation(
        "The shop cannot take payments right now",
        "It cannot reach SEQR. Nothing was ordered, and you have not been charged.",
        "Wait a moment and try again. Trying again does not order twice.",
        again=True,
        sign="pause",
    ),
    "INVOICING_ERROR": Explanation(
        "SEQR did not accept the shop's invoice",
        "Something is wrong between the shop and SEQR. You have not been charged.",
        "Try again. If it stays so, tell the shop.",
        again=True,
    ),
    "TOO_MANY_REQUESTS": Explanation(
        "The shop is very busy",
        "Too many orders came at once, and yours did not get through. You have not been charged.",
        "Wait a moment and try again.",
        again=True,
        sign="pause",
    ),
    "UNAUTHORIZED": Explanation(
        "The shop turned SEQR away",
        "It did not recognise SEQR, so your order did not get through. You have not been charged.",
        "Tell the shop: its password for SEQR needs to be set right.",
    ),
    "UNKNOWN_WEBSHOP": Explanation(
        "SEQR does not know this shop",
        "The code names a shop that is not registered. Nothing was ordered, and you have not been charged.",
        "Tell the shop that its code is wrong.",
    ),
    "SHOP_TIMEOUT": Explanation(
        "The shop takes too long",
        "It did not answer in time. You have not been charged.",
        "Try again. Trying again does not order twice.",
        again=True,
        sign="pause",
    ),
    "SHOP_UNREACHABLE": Explanation(
        "The shop cannot be reached",
        "Its computer does not answer. Nothing was ordered, and you have not been charged.",
        "Wait a moment and try again.",
        again=True,
        sign="pause",
    ),
    "INVALID_REQUEST": Explanation(
        "The shop did not accept the order",
        "Something in the order is not as the shop wants it. You have not been charged.",
        "Look at the address and try again.",
        again=True,
    ),
}

_REFUSED_ACTS: Final[Mapping[ResultCode, Explanation]] = {
    ResultCode.INVALID_INVOICE_REFERENCE: Explanation(
        "SEQR does not know this purchase",
        "It may be from before the sandbox was started anew: that forgets everything. Nothing was charged.",
        "Scan the code in the shop again. The shop may need some minutes to notice.",
    ),
    ResultCode.CANNOT_CANCEL_INVOICE_IN_PROGRESS: Explanation(
        "This purchase is being paid right now",
        "Your PIN was given, and the money is on its way. It cannot be changed any more.",
        "Wait a moment and see how it ends.",
        sign="pause",
    ),
    ResultCode.CANNOT_CANCEL_PAID_INVOICE: Explanation(
        "This purchase is paid already",
        "It was paid once and will not be charged again.",
        "See the receipt. To send something back, talk to the shop.",
        sign="tick",
    ),
}

_OVER: Final = Explanation(
    "This purchase is over",
    "It was cancelled or refused before. Nothing was charged.",
    "Scan the code again if you still want it.",
)

_BY_CUSTOMER: Final = Explanation(
    "Cancelled",
    "You called off this purchase. You have not been charged.",
    "Changed your mind? Scan the code again.",
    sign="stop",
)

_BY_SHOP: Final = Explanation(
    "No longer open",
    "The shop closed this purchase: it was not paid in time, or the shop called it off. "
    "You have not been charged.",
    "Still want it? Scan the code again.",
    sign="pause",
)

_OUTCOMES: Final[Mapping[str, Explanation]] = {
    "acknowledging": Explanation(
        "One moment", "The shop has not confirmed the amount yet. Nothing is paid so far.", sign="turning"
    ),
    "processing": Explanation("Paying", "Your PIN is right, and your money is on its way.", sign="turning"),
    "waiting": Explanation(
        "Almost done",
        "You have paid, and the shop is confirming your order.",
        "Should it not answer in time, you get your money back by itself.",
        sign="turning",
    ),
    "confirmed": Explanation("Paid. Thank you!", "The shop has your order and your payment.", sign="tick"),
    "refused": Explanation(
        "Payment refused",
        "The payment did not go through. Nothing was taken from your account.",
        "See that there is money in your account, then scan the code again.",
    ),
    "reversed": Explanation(
        "You have your money back",
        "You paid, but the shop did not confirm the order in time. So SEQR gave your money back.",
        "Still want it? Scan the code again.",
        sign="back",
    ),
}


def explain_order(refused: CheckoutRefused) -> Explanation:
    """Why the shop took no order."""
    return _REFUSED_ORDERS.get(refused.code, _ODD_ANSWER)


def explain_act(refusal: Refusal) -> Explanation:
    """Why SEQR would not show, pay or cancel an invoice."""
    return _REFUSED_ACTS.get(refusal.code, _OVER)


def explain_outcome(state: str, booked: BookedInvoice) -> Explanation:
    """How a purchase stands or ended; ``state`` as the phone names it."""
    if state == "cancelled":
        return _BY_CUSTOMER if booked.cause is Cause.CUSTOMER else _BY_SHOP
    return _OUTCOMES[state]


_CLOSED: Final = (
    "SEQR has closed the invoice, and what was set aside is for sale again. In the dashboard: failed."
)

BACKSTAGE: Final[Mapping[str, str]] = {
    "scan": "A code holds only the shop's and the product's number. It is the same for every customer.",
    "address": "Nothing has happened in the shop yet. Confirm, and SEQR hands it your address.",
    "details": "The shop has set one aside for you and sent SEQR an invoice. In the dashboard: invoiced.",
    "pin": "The invoice is open, and the shop keeps asking SEQR whether it is paid.",
    "acknowledging": "The invoice asks for the shop's word on the amount before it can be paid.",
    "processing": "While the money is on its way, SEQR lets nobody cancel or change the invoice.",
    "waiting": "SEQR has told the shop that something happened. Now the shop has to ask what; "
    "a payment that it never asks about is given back.",
    "confirmed": "The shop asked SEQR, was told that you paid, took it from its stock and sent you a mail. "
    "In the dashboard: stocked.",
    "cancelled": _CLOSED,
    "refused": _CLOSED,
    "reversed": "The shop did not ask SEQR in time. This is what the orchestrator is there to prevent.",
    "error": "The dashboard shows what the shop knows of it, and why.",
}
"""What happens in the shop meanwhile, for people who try the demo; by the phone's state."""
