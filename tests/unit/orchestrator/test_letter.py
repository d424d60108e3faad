"""Letters from templates: ours, a merchant's, and wrong ones."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from orchestrator.letter import LetterError, LetterWriter, format_money
from orchestrator.money import Money
from orchestrator.pricing import Line, LineKind
from orchestrator.settings import Settings
from orchestrator.summary import Customer, Summary, taxes


def sek(value: str) -> Money:
    return Money.parse(value, "SEK")


MUGS = Line(LineKind.GOODS, "mug", "Mug", 2, sek("149"), sek("298"), Decimal(25))
DELIVERY = Line(LineKind.CHARGE, None, "Delivery", 1, sek("49"), sek("49"), Decimal(25))
GIFT = Line(LineKind.GOODS, "gift", "Card", 1, sek("20"), sek("20"), Decimal(0))
BOOK = Line(LineKind.GOODS, "book", "Book", 1, sek("106"), sek("106"), Decimal("6"))
ANNA = Customer("Anna", "Storgatan 1", "903 26", "Umeå", "", "Sweden", "anna@example.com", "")
ORDER = Summary(
    id="01a20a1a",
    state="stocked",
    title="Mug",
    ordered_at=datetime(2026, 11, 23, 20, 0, tzinfo=UTC),
    goods=(MUGS,),
    charges=(DELIVERY,),
    taxes=taxes((MUGS, DELIVERY)),
    total=sek("347"),
    customer=ANNA,
    reference=None,
    invoice_reference="1",
    pay_code="HTTP://SEQR.SE/R1",
)


def writer(templates: Path | None = None) -> LetterWriter:
    return LetterWriter(Settings(_env_file=None, mail_templates=templates, shop_name="Kaffe & Kök"))


def test_taxes_are_reckoned_once_a_rate_the_highest_first() -> None:
    found = taxes((BOOK, MUGS, GIFT, DELIVERY))
    assert [(tax.rate, tax.amount) for tax in found] == [(Decimal(25), sek("69.40")), (Decimal(6), sek("6"))]


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Money.parse("1149.9", "SEK"), "1 149,90 kr"),
        (Money.parse("1149.9", "EUR"), "€1,149.90"),
        (Money.parse("1149", "JPY"), "¥1,149"),
    ],
)
def test_money_is_written_as_its_currency_is_at_home(amount: Money, text: str) -> None:
    assert format_money(amount).replace("\xa0", " ") == text


@pytest.mark.parametrize("kind", ["order_confirmation", "payment_link"])
def test_our_templates_tell_what_was_bought(kind: str) -> None:
    letter = writer().write(kind, ORDER)
    assert letter.subject.endswith("order from Kaffe & Kök: Mug")
    for body in (letter.text, letter.html):
        said = body.replace("\xa0", " ")
        for fact in (
            "Mug",
            "298,00 kr",
            "Delivery",
            "49,00 kr",
            "347,00 kr",
            "25 % tax",
            "69,40 kr",
            "Umeå",
            "Anna",
        ):
            assert fact in said
    assert "SEQR reference" not in letter.text
    assert "\n\n\n" not in letter.text
    assert "<script" not in letter.html


def test_a_merchants_template_wins_and_may_use_ours(tmp_path: Path) -> None:
    (tmp_path / "order_confirmation.txt.j2").write_text(
        'Hej {{ customer.name }}!\n{% include "lines.txt.j2" %}'
    )
    letter = writer(tmp_path).write("order_confirmation", ORDER)
    assert letter.text.startswith("Hej Anna!\n2 × Mug")
    assert "<h1" in letter.html


def test_a_subject_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "order_confirmation.subject.txt.j2").write_text(
        "A\r\nBcc: b@example.com\n\u2028\x00C" + "x" * 500
    )
    subject = writer(tmp_path).write("order_confirmation", ORDER).subject
    assert subject.startswith("A Bcc: b@example.com \ufffdC")
    assert len(subject) == 200


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("one\n{{ nothing }}", "line 2, cannot be filled in: 'nothing' is undefined"),
        ("{% if %}", "line 1, cannot be filled in"),
        ("{{ 1 / 0 }}", "line 1, cannot be filled in: division by zero"),
        ("{{ order.total + 1 }}", "line 1, cannot be filled in"),
        ("\n\n{{ customer | money }}", "line 3, cannot be filled in"),
        ('{% include "none.j2" %}', "line 1, cannot be filled in: none.j2"),
        ("{{ order.__class__.__mro__ }}", "unsafe"),
        ("{{ ''.__class__ }}", "unsafe"),
    ],
)
def test_a_wrong_template_is_told_by_name_and_line(tmp_path: Path, source: str, why: str) -> None:
    (tmp_path / "order_confirmation.html.j2").write_text(source)
    with pytest.raises(LetterError, match=r"order_confirmation\.html\.j2, ") as told:
        writer(tmp_path).write("order_confirmation", ORDER)
    assert why in told.value.message
    assert told.value.retryable
