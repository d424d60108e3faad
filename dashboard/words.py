"""Values in words: what templates turn money, times and names into, in one language, for one shop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from dashboard import flaws, records, sayings
from dashboard.language import Language, mark
from orchestrator.catalogue import REASON
from orchestrator.errors import OrchestratorError
from orchestrator.identity import now
from orchestrator.money import Money
from statemachine import MEANINGS, REASON_MEANINGS, TABLE, Reason, State, Trigger, picture

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_LONGEST_AGE = 30 * _DAY
_KILO, _TO_TENTHS_BELOW = 1000, 10
_SYSTEM_ERROR = 90
"""SEQR's result code for a failure of its own."""

_STATES: dict[str, str] = {
    State.RECEIVED: mark("received"),
    State.INVOICED: mark("invoiced"),
    State.PAID: mark("paid"),
    State.STOCKED: mark("stocked"),
    State.FAILED: mark("failed"),
}
_ARROWS: dict[str, str] = {
    Trigger.INVOICE: mark("invoice sent"),
    Trigger.REFUSE: mark("refused"),
    Trigger.GIVE_UP: mark("no answer"),
    Trigger.RUN_OUT: mark("sold out"),
    Trigger.CANCEL: mark("cancelled"),
    Trigger.PAY: mark("customer pays"),
    Trigger.CLOSE: mark("not paid"),
    Trigger.REVERSE: mark("money back"),
    Trigger.STOCK: mark("goods taken"),
    Trigger.RETRY: mark("retry"),
}
_MEANINGS: dict[str, str] = {state.value: words for state, words in MEANINGS.items()}
_REASON_MEANINGS: dict[str, str] = {reason.value: words for reason, words in REASON_MEANINGS.items()}
_REASONS: dict[str, str] = {
    Reason.INVOICE_REFUSED: mark("invoice refused"),
    Reason.SEQR_UNREACHABLE: mark("SEQR unreachable"),
    Reason.OUT_OF_STOCK: mark("out of stock"),
    Reason.EXPIRED: mark("expired"),
    Reason.CANCELLED_BY_MERCHANT: mark("cancelled by shop"),
    Reason.CANCELLED_BY_CUSTOMER: mark("cancelled by customer"),
    Reason.PAYMENT_FAILED: mark("payment failed"),
    Reason.REVERSED: mark("money given back"),
}
_ACTORS = {
    "createPurchase": mark("Instant Checkout"),
    "notification": mark("SEQR’s notification"),
    "reconciler": mark("the orchestrator by itself"),
    "cli": mark("the command line"),
    "settings": mark("the settings"),
}
_MAILS = {"order_confirmation": mark("Order confirmation"), "payment_link": mark("Payment link")}
_MAIL_STATES = {
    "queued": mark("queued"),
    "sent": mark("sent"),
    "kept": mark("kept"),
    "failed": mark("given up"),
}
_OPERATIONS = {
    "sendInvoice": mark("Sent the invoice to SEQR"),
    "getPaymentStatus": mark("Asked SEQR for the payment’s status"),
    "cancelInvoice": mark("Asked SEQR to cancel the invoice"),
}
_TRIGGERS = {
    "attention": mark("Needs attention"),
    "attention_over": mark("Needs no attention any more"),
    "cancel_asked": mark("Cancel asked for"),
    "note": mark("Note"),
    "mail_resent": mark("Mail written again"),
}
_VERDICTS = {
    "answered": mark("answered"),
    "refused": mark("refused"),
    "busy": mark("was busy"),
    "unknown": mark("no answer"),
}
_DEEDS = {
    "purchase.check": mark("Checked it"),
    "purchase.retry": mark("Retried it"),
    "purchase.cancel": mark("Cancelled it"),
    "purchase.note": mark("Wrote a note"),
}
_MOVEMENTS = {
    "hold": mark("Held in the stock"),
    "release": mark("Given back to the stock"),
    "take": mark("Taken from the stock"),
    "receive": mark("Received"),
    "remove": mark("Removed"),
    "correct": mark("Counted"),
}
_ROLES = {"viewer": mark("viewer"), "operator": mark("operator"), "admin": mark("admin")}


@dataclass(frozen=True)
class Words:
    """How one language says things. Money and numbers are written as in the shop's ``locale``, times are told
    in the shop's ``zone``. Public methods that take a value are filters of the templates."""

    language: Language
    locale: str
    zone: ZoneInfo

    @property
    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        names = (name for name in vars(Words) if not name.startswith("_"))
        return {name: getattr(self, name) for name in names if name not in ("filters", "language")}

    def money(self, amount: Money) -> str:
        """The amount as people write it where the shop is: ``1 249,50 kr``."""
        return format_currency(amount.value, amount.currency, locale=self.locale)

    def number(self, value: int | Decimal) -> str:
        """A number with the shop's separators: ``1 249``."""
        return format_decimal(value, locale=self.locale)

    def size(self, octets: int) -> str:
        """So many bytes: ``640 kB``, ``1.2 GB``."""
        value, unit = octets / _KILO, "kB"
        for larger in ("MB", "GB", "TB"):
            if value < _KILO:
                break
            value, unit = value / _KILO, larger
        shown = Decimal(f"{value:.0f}" if value >= _TO_TENTHS_BELOW else f"{value:.1f}")
        return f"{format_decimal(shown, locale=self.locale)}\N{NO-BREAK SPACE}{unit}"

    def percent(self, rate: Decimal) -> str:
        """``25 %``, without zeros that say nothing."""
        return f"{format_decimal(rate.normalize(), locale=self.locale)}\N{NO-BREAK SPACE}%"

    def signed(self, number: int) -> str:
        """``+5``, ``−1``, ``0``."""
        return f"{number:+d}".replace("-", "\N{MINUS SIGN}") if number else "0"

    def age(self, at: datetime, reference: datetime | None = None) -> str:
        """How long ago: ``12 s``, ``3 min``, ``2 h``, ``4 d``, then the date."""
        seconds = max(((reference or now()) - at) // timedelta(seconds=1), 0)
        return self.span(seconds) if seconds < _LONGEST_AGE else f"{at.astimezone(self.zone):%Y-%m-%d}"

    def recent(self, at: datetime) -> bool:
        """Whether ``age`` says how long ago it was, and not on which day."""
        return now() - at < timedelta(seconds=_LONGEST_AGE)

    def span(self, seconds: float) -> str:
        """A length of time, roughly: ``12 s``, ``3 min``, ``2 h``, ``4 d``."""
        whole = int(seconds)
        if whole < _MINUTE:
            return self.language.gettext("%(num)s s", num=whole)
        if whole < _HOUR:
            return self.language.gettext("%(num)s min", num=whole // _MINUTE)
        if whole < _DAY:
            return self.language.gettext("%(num)s h", num=whole // _HOUR)
        return self.language.gettext("%(num)s d", num=whole // _DAY)

    def duration(self, milliseconds: float) -> str:
        """``38 ms``, ``1.2 s``."""
        seconds = milliseconds / 1000
        if seconds < 1:
            return f"{milliseconds:.0f} ms"
        return f"{format_decimal(Decimal(f'{seconds:.1f}'), locale=self.locale)} s"

    def exact(self, at: datetime) -> str:
        """The time to the second, with its zone: ``2026-03-01 13:00:05 CET``."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M:%S %Z}"

    def clock(self, at: datetime) -> str:
        """The time of day to the second, where the shop is."""
        return f"{at.astimezone(self.zone):%H:%M:%S}"

    def hour(self, at: datetime) -> str:
        """The time of day to the minute, where the shop is."""
        return f"{at.astimezone(self.zone):%H:%M}"

    def weekday(self, at: datetime) -> str:
        """The day where the shop is, as people say it: ``Mon 2 Mar``."""
        return format_date(at.astimezone(self.zone), "EEE d MMM", locale=self.language.code)

    def day(self, at: datetime) -> str:
        """The day where the shop is: ``2026-03-01``."""
        return f"{at.astimezone(self.zone):%Y-%m-%d}"

    def state_name(self, state: str) -> str:
        return self._known(_STATES, state)

    def state_meaning(self, state: str) -> str:
        """One line about the state; empty for one that this version does not know."""
        return self.language.gettext(_MEANINGS[state]) if state in _MEANINGS else ""

    def machine(self) -> dict[str, str]:
        """The words on the machine's picture: its title, states and arrows, and what they mean."""
        states = {state.value: self.state_name(state.value) for state in State}
        arrows = {trigger: self.language.gettext(words) for trigger, words in _ARROWS.items()}
        meanings = [picture.TITLE, *MEANINGS.values(), *(arrow.meaning for arrow in TABLE)]
        return states | arrows | {meaning: self.language.gettext(meaning) for meaning in meanings}

    def reason(self, name: str) -> str:
        """A reason in two or three words."""
        return self._known(_REASONS, name)

    def reason_meaning(self, name: str) -> str:
        """A reason in a sentence."""
        return self.language.gettext(_REASON_MEANINGS[name]) if name in _REASON_MEANINGS else ""

    def actor(self, name: str) -> str:
        """Who did it: ``operator:anna`` is anna, ``api:warehouse`` the API token of that name."""
        kind, _, rest = name.partition(":")
        if not rest:
            return self._known(_ACTORS, name)
        return rest if kind == "operator" else self.language.gettext("API token %(name)s", name=rest)

    def mail_kind(self, name: str) -> str:
        return self._known(_MAILS, name)

    def mail_state(self, name: str) -> str:
        return self._known(_MAIL_STATES, name)

    def operation(self, name: str) -> str:
        return self._known(_OPERATIONS, name)

    def trigger(self, name: str) -> str:
        return self._known(_TRIGGERS, name)

    def detail(self, written: str) -> str:
        """What a row of the journal tells, in words."""
        return sayings.told(self.language, written)

    def flaw(self, written: str) -> str:
        """What is wrong with a product or a product file, as a sentence."""
        return flaws.flaw(self.language, written)

    def attention(self, written: str) -> str:
        """Why a purchase needs a hand."""
        return " ".join(plea.words for plea in sayings.pleas(self.language, written))

    def attention_briefly(self, written: str) -> str:
        """The same in a few words, for a row of a list."""
        return sayings.briefly(self.language, written)

    def buyer(self, name: str) -> str:
        """The customer's name, or that it was erased."""
        return name or self.language.gettext("Erased customer")

    def stock_reason(self, written: str) -> str:
        """Why somebody moved stock, in his own words; or that the catalogue says so."""
        return self.language.lookup(written) if written == REASON else written

    def verdict(self, name: str, code: int | None = None) -> str:
        """How a call to SEQR ended; ``code`` is SEQR's result code."""
        if name == "busy" and code == _SYSTEM_ERROR:
            return self.language.gettext("SEQR’s own error")
        return self._known(_VERDICTS, name)

    def deed(self, action: str) -> str:
        """What somebody did to the purchase that is looked at."""
        return self._known(_DEEDS, action)

    def movement(self, kind: str) -> str:
        return self._known(_MOVEMENTS, kind)

    def role(self, name: str) -> str:
        return self._known(_ROLES, name)

    def said(self, error: OrchestratorError) -> str:
        """What an error says."""
        return records.told(self.language, error.message)

    def told(self, message: str) -> str:
        """A text that was not written in the template: a constant, or what another room says."""
        return records.told(self.language, message)

    def _known(self, texts: dict[str, str], name: str) -> str:
        """The text for a name; the name itself, readable, where a newer version wrote it."""
        return self.language.gettext(texts[name]) if name in texts else name.replace("_", " ")
