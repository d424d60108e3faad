"""Values in words: what templates turn money, times and names into."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from babel.numbers import format_currency

from orchestrator.identity import now
from orchestrator.money import Money
from statemachine import MEANINGS, REASON_MEANINGS, Reason

_LOCALES = {"SEK": "en_SE", "DKK": "en_DK", "EUR": "en_IE", "GBP": "en_GB", "USD": "en_US"}
"""How English is written where the currency is used."""

_STEPS = ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h"), (30 * 86_400, 86_400, "d"))

_MEANINGS: dict[str, str] = {state.value: words for state, words in MEANINGS.items()}
_REASON_MEANINGS: dict[str, str] = {reason.value: words for reason, words in REASON_MEANINGS.items()}
_REASONS: dict[str, str] = {
    Reason.INVOICE_REFUSED: "invoice refused",
    Reason.SEQR_UNREACHABLE: "SEQR unreachable",
    Reason.OUT_OF_STOCK: "out of stock",
    Reason.EXPIRED: "expired",
    Reason.CANCELLED_BY_MERCHANT: "cancelled by shop",
    Reason.CANCELLED_BY_CUSTOMER: "cancelled by customer",
    Reason.PAYMENT_FAILED: "payment failed",
    Reason.REVERSED: "reversed",
}
_ACTORS = {
    "createPurchase": "Instant Checkout",
    "notification": "SEQR’s notification",
    "reconciler": "the reconciler",
    "cli": "the command line",
}
_MAILS = {"order_confirmation": "Order confirmation", "payment_link": "Payment link"}
_OPERATIONS = {
    "sendInvoice": "Sent the invoice to SEQR",
    "getPaymentStatus": "Asked SEQR for the payment’s status",
    "cancelInvoice": "Asked SEQR to cancel the invoice",
}
_TRIGGERS = {"attention": "Needs attention", "attention_over": "Needs no attention any more"}
_MOVEMENTS = {
    "hold": "Held in the stock",
    "release": "Given back to the stock",
    "take": "Taken from the stock",
    "receive": "Received",
    "remove": "Removed",
    "correct": "Counted",
}


def money(amount: Money) -> str:
    """The amount as people write it where its currency is used: ``1 249,50 kr``."""
    locale = _LOCALES.get(amount.currency, "en")
    return format_currency(amount.value, amount.currency, locale=locale)


def age(at: datetime, reference: datetime | None = None) -> str:
    """How long ago: ``12 s``, ``3 min``, ``2 h``, ``4 d``, then the date."""
    seconds = max(((reference or now()) - at) // timedelta(seconds=1), 0)
    for limit, size, unit in _STEPS:
        if seconds < limit:
            return f"{seconds // size} {unit}"
    return f"{at:%Y-%m-%d}"


def exact(at: datetime) -> str:
    """The time to the second, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def clock(at: datetime) -> str:
    """The time of day to the second, in UTC."""
    return f"{at:%H:%M:%S}"


def duration(milliseconds: float) -> str:
    """``38 ms``, ``1.2 s``."""
    seconds = milliseconds / 1000
    return f"{seconds:.1f} s" if seconds >= 1 else f"{milliseconds:.0f} ms"


def percent(rate: Decimal) -> str:
    """``25 %``, without zeros that say nothing."""
    return f"{rate.normalize():f}\N{NO-BREAK SPACE}%"


def signed(number: int) -> str:
    """``+5``, ``−1``, ``0``."""
    return f"{number:+d}".replace("-", "\N{MINUS SIGN}") if number else "0"


def state_meaning(state: str) -> str:
    """One line about the state; empty for one that this version does not know."""
    return _MEANINGS.get(state, "")


def reason(name: str) -> str:
    """A reason in two or three words."""
    return _REASONS.get(name, name.replace("_", " "))


def reason_meaning(name: str) -> str:
    """A reason in a sentence."""
    return _REASON_MEANINGS.get(name, "")


def actor(name: str) -> str:
    """Who did it: ``operator:anna`` is anna, ``api:warehouse`` the API token of that name."""
    kind, _, rest = name.partition(":")
    if rest:
        return rest if kind == "operator" else f"API token {rest}"
    return _ACTORS.get(name, name)


def mail_kind(name: str) -> str:
    return _MAILS.get(name, name.replace("_", " ").capitalize())


def operation(name: str) -> str:
    return _OPERATIONS.get(name, name)


def trigger(name: str) -> str:
    return _TRIGGERS.get(name, name.replace("_", " ").capitalize())


def movement(kind: str) -> str:
    return _MOVEMENTS.get(kind, kind.capitalize())
