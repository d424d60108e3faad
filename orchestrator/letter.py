"""Letters: the text of a mail, made from templates that a merchant can replace. See docs/mail.md."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from traceback import extract_tb
from types import TracebackType
from typing import Any, cast

from babel.dates import format_datetime
from babel.numbers import format_currency, format_decimal
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PackageLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from orchestrator import qr
from orchestrator.errors import OrchestratorError
from orchestrator.money import Money
from orchestrator.outbox import Letter
from orchestrator.seqr.characters import legible
from orchestrator.settings import Settings
from orchestrator.summary import Summary

CODE_ID = "code@seqr"
"""The Content-ID of the QR code's picture: a template shows it with ``<img src="cid:code@seqr">``."""

_SUBJECT_LENGTH = 200
_AMOUNTS = 1000
"""So many are remembered as they are written: one stands in a letter several times, and in many letters."""
# What a merchant's template may raise while it is filled in, beside Jinja's own errors.
_TEMPLATE_FAULTS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)


class LetterError(OrchestratorError):
    """A mail template cannot be filled in. Correct it; the mail is tried again by itself."""

    code = "mail_template"
    retryable = True


class LetterWriter:
    """Writes letters from the templates of the setting ``mail_templates``, and ours where it has none."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        loaders: list[BaseLoader] = [PackageLoader("orchestrator", "templates/mail")]
        if settings.mail_templates is not None:
            loaders.insert(0, FileSystemLoader(settings.mail_templates))
        self._environment = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader(loaders),
            undefined=StrictUndefined,
            autoescape=_is_html,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters |= {"money": format_money, "percent": _percent, "date": _date}

    def write(self, kind: str, summary: Summary) -> Letter:
        """The letter of this kind about the purchase. Raises LetterError, naming template and line."""
        facts = self._facts(summary)
        subject = self._fill(f"{kind}.subject.txt.j2", facts)
        return Letter(
            subject=" ".join(legible(subject).replace("\x7f", "").split())[:_SUBJECT_LENGTH],
            text=self._fill(f"{kind}.txt.j2", facts),
            html=self._fill(f"{kind}.html.j2", facts),
        )

    def _facts(self, summary: Summary) -> dict[str, Any]:
        """The variables of every template, as docs/mail.md lists them."""
        code = summary.pay_code
        return {
            "shop_name": self._settings.shop_name,
            "public_url": self._settings.public_url,
            "order": summary,
            "customer": summary.customer,
            "pay_link": code,
            "app_link": None if code is None else qr.seqr_link(code),
            "demo_app_link": None if code is None else qr.seqr_link(code, "demo"),
            "code_src": f"cid:{CODE_ID}",
        }

    def _fill(self, name: str, facts: dict[str, Any]) -> str:
        try:
            return legible(self._environment.get_template(name).render(facts))
        except _TEMPLATE_FAULTS as error:
            where = _place(error, name)
            raise LetterError(f"The mail template {where} cannot be filled in: {_words(error)}.") from error


@lru_cache(_AMOUNTS)
def format_money(amount: Money) -> str:
    """The amount for people: SEK as Swedish writes it (149,90 kr), the rest as English does (€149.90)."""
    locale = "sv_SE" if amount.currency == "SEK" else "en"
    return str(format_currency(amount.value, amount.currency, locale=locale))


def _percent(rate: object) -> str:
    return f"{format_decimal(cast(Any, rate), locale='en')} %"


def _date(at: datetime) -> str:
    return str(format_datetime(at, "d MMMM y", locale="en"))


def _is_html(name: str | None) -> bool:
    return name is None or name.endswith(".html.j2")


def _place(error: Exception, name: str) -> str:
    """The template, and the line in it where Jinja tells: it stands in the traceback."""
    trace = cast(TracebackType, error.__traceback__)
    lines = [frame.lineno for frame in extract_tb(trace) if Path(frame.filename).suffix == ".j2"]
    found = getattr(error, "lineno", None) or (lines[-1] if lines else None)
    return name if found is None else f"{name}, line {found},"


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
