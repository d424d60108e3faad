"""Values in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from dashboard.language import language
from dashboard.words import Words
from orchestrator.money import Money
from statemachine import Reason, State

AT = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


words = Words(language("en"), "sv_SE", ZoneInfo("Europe/Stockholm"))


@pytest.mark.parametrize(
    ("locale", "currency", "text"),
    [("sv_SE", "SEK", "1 249,50 kr"), ("en_IE", "EUR", "€1,249.50"), ("sv_SE", "EUR", "1 249,50 €")],
)
def test_money_is_written_as_where_the_shop_is(locale: str, currency: str, text: str) -> None:
    shop = Words(language("en"), locale, ZoneInfo("UTC"))
    assert shop.money(Money(Decimal("1249.5"), currency)).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=119), "1 h"),
        (timedelta(days=29), "29 d"),
        (timedelta(days=30), "2026-03-01"),
    ],
)
def test_an_age_says_no_more_than_it_needs(ago: timedelta, text: str) -> None:
    assert words.age(AT, AT + ago) == text


def test_exact_times_name_their_zone() -> None:
    assert words.exact(AT) == "2026-03-01 13:00:05 CET"


@pytest.mark.parametrize(("number", "text"), [(5, "+5"), (-1, "−1"), (0, "0")])
def test_changes_carry_their_sign(number: int, text: str) -> None:
    assert words.signed(number) == text


@pytest.mark.parametrize(
    ("name", "text"), [("operator:anna", "anna"), ("api:till", "API token till"), ("x", "x")]
)
def test_actors_are_people(name: str, text: str) -> None:
    assert words.actor(name) == text


def test_every_state_and_reason_has_words() -> None:
    assert all(words.state_meaning(state.value) for state in State)
    assert all(words.reason(reason.value) and words.reason_meaning(reason.value) for reason in Reason)
    assert words.state_meaning("elsewhere") == words.reason_meaning("odd") == ""
    assert words.reason("odd_thing") == "odd thing"


@pytest.mark.parametrize(("milliseconds", "text"), [(38.4, "38 ms"), (1200, "1,2 s")])
def test_durations(milliseconds: float, text: str) -> None:
    assert words.duration(milliseconds) == text


@pytest.mark.parametrize(("rate", "text"), [("25", "25 %"), ("12.5000", "12,5 %"), ("100", "100 %")])
def test_percent(rate: str, text: str) -> None:
    assert words.percent(Decimal(rate)).replace("\N{NO-BREAK SPACE}", " ") == text
