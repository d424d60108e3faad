"""Prices as people write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sandbox.price import price


@pytest.mark.parametrize(
    ("value", "currency", "written"),
    [
        ("149.00", "SEK", "149,00 kr"),
        (Decimal("1249.5"), "SEK", "1 249,50 kr"),
        ("20", "DKK", "20,00 kr."),
        ("3.10", "EUR", "€3.10"),
        ("3.10", "GBP", "£3.10"),
        ("1200", "USD", "$1,200.00"),
        ("500", "JPY", "¥500"),
        ("1", "XYZ", "XYZ1.00"),
    ],
)
def test_prices(value: str | Decimal, currency: str, written: str) -> None:
    assert price(value, currency).replace("\N{NO-BREAK SPACE}", " ") == written
