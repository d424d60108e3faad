"""The invoice for SEQR: rows whose figures agree, and an address that nobody guesses."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from orchestrator.invoice import Draft, build, notification_key, purchase_notified
from orchestrator.money import Money
from orchestrator.pricing import Line, LineKind
from orchestrator.seqr.messages import Invoice
from orchestrator.settings import Settings
from tests.fixtures.purchases import a_purchase

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ID = "0195aaaa-0000-7000-8000-000000000001"
SECRET = "a secret that only the tests know"
SETTINGS = Settings(
    _env_file=None,
    public_url="https://shop.example/",
    shop_name="Tea & <Cups>",
    back_url="https://shop.example/thanks",
)


def sek(value: str) -> Money:
    return Money.parse(value, "SEK")


def line(
    kind: LineKind,
    quantity: int,
    unit_price: str,
    total: str,
    token: str | None = "mug",
    sku: str | None = None,
) -> Line:
    return Line(kind, token, "Mug", quantity, sek(unit_price), sek(total), Decimal(25), sku, "7310865000000")


def built(*lines: Line, amount: str = "100") -> Invoice:
    return build(Draft(a_purchase(ID, amount), lines, "attempt-1", AT), SETTINGS, SECRET)


def test_it_carries_what_seqr_wants_to_know() -> None:
    invoice = built(line(LineKind.GOODS, 1, "100", "100"))
    assert (invoice.client_invoice_id, invoice.title, invoice.issue_date) == ("attempt-1", "Tea & <Cups>", AT)
    assert invoice.total == sek("100")
    assert invoice.back_url == "https://shop.example/thanks"
    assert (
        invoice.notification_url == f"https://shop.example/seqr/notification/{notification_key(ID, SECRET)}"
    )
    (row,) = invoice.rows
    assert (row.description, row.quantity, row.tax_rate) == ("Mug", Decimal(1), Decimal(25))
    assert (row.sku, row.ean) == ("mug", "7310865000000")


@pytest.mark.parametrize(
    ("quantity", "unit_price", "total", "shown", "discount"),
    [
        (1, "100", "100", "100", None),
        (2, "49.50", "79.84", "49.50", "19.16"),  # a bundle's rebate
        (2, "49.50", "99", "49.50", None),
        (2, "49.50", "119.76", None, None),  # dearer than its parts: no unit price would multiply to it
        (3, "10", "0", "10", "30"),
    ],
)
def test_quantity_times_unit_price_less_discount_is_the_total(
    quantity: int, unit_price: str, total: str, shown: str | None, discount: str | None
) -> None:
    (row,) = built(line(LineKind.GOODS, quantity, unit_price, total)).rows
    assert row.unit_price == (sek(shown) if shown else None)
    assert row.discount == (sek(discount) if discount else None)
    if row.unit_price is not None:
        assert row.unit_price * quantity - (row.discount or sek("0")) == row.total == sek(total)


def test_rows_that_only_move_stock_are_not_invoiced() -> None:
    charge, stock = line(LineKind.CHARGE, 1, "100", "100", "set", "S-1"), line(LineKind.STOCK, 2, "149", "0")
    delivery = line(LineKind.CHARGE, 1, "49", "49", None)
    invoice = built(charge, stock, delivery, amount="149")
    assert [row.sku for row in invoice.rows] == ["S-1", None]
    assert sum(row.total.value for row in invoice.rows) == invoice.total.value


def test_a_notification_key_leads_back_to_its_purchase() -> None:
    assert purchase_notified(notification_key(ID, SECRET), SECRET) == ID


def test_addresses_that_seqr_has_stay_good() -> None:
    assert notification_key(ID, SECRET) == f"{ID}._TPnvtmxSNjNA66yPlBXhmKLuGxPwRyE"


@pytest.mark.parametrize(
    "key",
    [
        "",
        ID,
        f"{ID}.",
        "." + notification_key(ID, SECRET).partition(".")[2],
        notification_key(ID, SECRET)[:-1],
        notification_key(ID, SECRET) + "A",
        notification_key(ID, SECRET).replace(ID, ID[:-1] + "2"),
        notification_key(ID, "another secret of another shop"),
        "ö\N{REPLACEMENT CHARACTER}.\x00",
    ],
)
def test_a_forged_key_is_nobodys(key: str) -> None:
    assert purchase_notified(key, SECRET) is None


def test_keys_are_fit_for_an_address_and_differ_between_purchases() -> None:
    first, second = notification_key(ID, SECRET), notification_key(ID[:-1] + "2", SECRET)
    assert first.partition(".")[2] != second.partition(".")[2]
    assert all(character.isascii() and (character.isalnum() or character in "-_.") for character in first)
