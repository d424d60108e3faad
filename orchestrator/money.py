"""Money: a Decimal with its currency, exact in every sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

from babel.numbers import get_currency_precision, list_currencies

from orchestrator.errors import OrchestratorError

CURRENCIES = frozenset(list_currencies())
LARGEST_AMOUNT = Decimal("99999999999")


class MoneyError(OrchestratorError):
    """That is not an amount of money."""

    code = "invalid_money"


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in one currency, with exactly as many decimals as the currency has (ISO 4217)."""

    value: Decimal
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in CURRENCIES:
            raise MoneyError(f"{self.currency!r} is not an ISO 4217 currency code such as SEK.")
        if not self.value.is_finite() or abs(self.value) > LARGEST_AMOUNT:
            raise MoneyError(f"{self.value} is not an amount of money this shop can handle.")
        rounded = self.value.quantize(smallest_unit(self.currency))
        if rounded != self.value:
            raise MoneyError(f"{self.value} has more decimals than {self.currency} has.")
        object.__setattr__(self, "value", rounded)

    @classmethod
    def parse(cls, value: str, currency: str) -> Money:
        """Read a decimal string such as ``"149.90"``. Raises MoneyError."""
        try:
            return cls(Decimal(value), currency)
        except InvalidOperation:
            raise MoneyError(f"{value!r} is not a decimal number such as 149.90.") from None

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(Decimal(0), currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.value + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.value - self._same(other), self.currency)

    def __mul__(self, quantity: int) -> Money:
        return Money(self.value * quantity, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.value < self._same(other)

    def __ge__(self, other: Money) -> bool:
        return not self < other

    def __str__(self) -> str:
        return f"{self.value} {self.currency}"

    def _same(self, other: Money) -> Decimal:
        if other.currency != self.currency:
            raise MoneyError(f"{self.currency} and {other.currency} cannot be reckoned together.")
        return other.value

    def split(self, weights: Sequence[Decimal]) -> list[Money]:
        """Divide into parts proportional to ``weights`` (not negative) whose sum is exactly this amount.

        Equal parts where all weights are zero. Every part lies within one smallest unit of its exact share.
        """
        if not weights or any(weight < 0 for weight in weights):
            raise MoneyError("An amount is split over one or more weights, none of them negative.")
        total = sum(weights, Decimal(0))
        shares = weights if total else [Decimal(1)] * len(weights)
        total = total or Decimal(len(weights))
        unit = smallest_unit(self.currency)
        parts: list[Money] = []
        given = passed = Decimal(0)
        for share in shares:
            passed += share
            # Rounding the running sum, not each part, keeps every part within one unit of its share.
            upto = (self.value * passed / total).quantize(unit, ROUND_HALF_UP)
            parts.append(Money(upto - given, self.currency))
            given = upto
        return parts


@lru_cache(32)
def smallest_unit(currency: str) -> Decimal:
    """The currency's smallest amount: 0.01 for SEK, 1 for JPY."""
    return Decimal(1).scaleb(-get_currency_precision(currency))


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The exact sum; zero of ``currency`` when there is none."""
    result = Money.zero(currency)
    for amount in amounts:
        result += amount
    return result
