"""Prices as people write them where the currency is used: ``149,00 kr``."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_currency

_LOCALES = {"SEK": "en_SE", "DKK": "en_DK", "EUR": "en_IE", "GBP": "en_GB", "USD": "en_US"}
"""How English is written where the currency is used."""


def price(value: Decimal | str, currency: str) -> str:
    """An amount for people. ``value`` is a decimal, ``currency`` an ISO 4217 code."""
    return format_currency(Decimal(value), currency, locale=_LOCALES.get(currency, "en"))
