"""The calls to SEQR of the last five minutes, counted where they are made: constant cost, bounded memory."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.latency import Latency
from orchestrator.seqr.messages import Exchange, Verdict

SPAN = 300
"""Seconds that are looked back on."""

_SLOT = 10
_SLOTS = SPAN // _SLOT
_MOST_OPERATIONS = 12
_MOST_ERRORS = 24
_LONGEST_WORDS = 300
_REST = "other"


@dataclass(frozen=True, slots=True)
class Failure:
    """A kind of failed call: the verdict (``refused``, ``busy``, ``unknown``), SEQR's result code if it gave
    one, and how many there were."""

    verdict: str
    code: int | None
    number: int


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of one operation in the last five minutes; its last success and failure since the start."""

    operation: str
    latency: Latency
    failures: tuple[Failure, ...] = ()
    """Most frequent first."""
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    failed_with: str = ""
    """The last failure in a sentence, without secrets."""

    @property
    def number(self) -> int:
        return self.latency.number

    @property
    def failed(self) -> int:
        """How many SEQR refused, did not do, or never answered."""
        return sum(failure.number for failure in self.failures)

    @property
    def unanswered(self) -> int:
        """How many of the failed SEQR gave no decision on: busy or unknown."""
        return sum(each.number for each in self.failures if each.verdict != Verdict.REFUSED)

    @property
    def median(self) -> float | None:
        """Milliseconds; None without a call."""
        return self.latency.percentile(0.5)

    @property
    def p95(self) -> float | None:
        """Milliseconds; None without a call."""
        return self.latency.percentile(0.95)


def merged(operation: str, several: Iterable[Calls]) -> Calls:
    """Calls of several operations or processes as one."""
    parts = list(several)
    failures: dict[tuple[str, int | None], int] = {}
    for failure in (failure for part in parts for failure in part.failures):
        kind = (failure.verdict, failure.code)
        failures[kind] = failures.get(kind, 0) + failure.number
    failed_at, failed_with = max(
        ((part.failed_at, part.failed_with) for part in parts if part.failed_at), default=(None, "")
    )
    return Calls(
        operation,
        Latency.merged(part.latency for part in parts),
        _most_frequent(failures),
        max((part.succeeded_at for part in parts if part.succeeded_at), default=None),
        failed_at,
        failed_with,
    )


def _most_frequent(failures: dict[tuple[str, int | None], int]) -> tuple[Failure, ...]:
    found = [Failure(verdict, code, number) for (verdict, code), number in failures.items()]
    return tuple(sorted(found, key=lambda each: (-each.number, each.verdict, each.code or 0)))


def _few(failures: tuple[Failure, ...]) -> tuple[Failure, ...]:
    """The most frequent ones, and the rest of each verdict without its code."""
    kept = {(each.verdict, each.code): each.number for each in failures[:_MOST_ERRORS]}
    for each in failures[_MOST_ERRORS:]:
        kept[each.verdict, None] = kept.get((each.verdict, None), 0) + each.number
    return _most_frequent(kept)


@dataclass(slots=True)
class _Counted:
    """One operation in ten seconds."""

    latency: Latency = field(default_factory=Latency)
    failures: dict[tuple[str, int | None], int] = field(default_factory=dict)


@dataclass(slots=True)
class _Last:
    """How one operation went last, ever; the ends of calls as their beginnings and milliseconds."""

    succeeded_at: tuple[datetime, float] | None = None
    failed_at: tuple[datetime, float] | None = None
    failed_with: str = ""


def _reckoned(ended: tuple[datetime, float] | None) -> datetime | None:
    return ended and ended[0] + timedelta(milliseconds=ended[1])


class CallBook:
    """Counts the calls of this process; ``observe`` is what the SEQR client tells of each.

    Ten seconds share a slot, and the oldest slot is dropped for a new one. ``clock`` is a monotonic one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._slots: deque[tuple[int, dict[str, _Counted]]] = deque(maxlen=_SLOTS)
        self._last: dict[str, _Last] = {}

    def observe(self, exchange: Exchange) -> None:
        """Count a call."""
        name, last = self._named(exchange.operation)
        counted = self._counted(name)
        counted.latency.note(exchange.duration_ms)
        ended_at = (exchange.started_at, exchange.duration_ms)
        if exchange.verdict is Verdict.ANSWERED:
            last.succeeded_at = ended_at
            return
        kind = (exchange.verdict.value, exchange.result_code)
        if kind not in counted.failures and len(counted.failures) >= _MOST_ERRORS:
            kind = (exchange.verdict.value, None)
        counted.failures[kind] = counted.failures.get(kind, 0) + 1
        last.failed_at, last.failed_with = ended_at, exchange.detail[:_LONGEST_WORDS]

    def lately(self) -> tuple[Calls, ...]:
        """The last five minutes, by operation in the order in which they were first called."""
        oldest = self._now() - _SLOTS
        slots = [counted for number, counted in self._slots if number > oldest]
        return tuple(
            self._summed(name, last, [slot[name] for slot in slots if name in slot])
            for name, last in self._last.items()
        )

    def _summed(self, name: str, last: _Last, counted: list[_Counted]) -> Calls:
        parts = [Calls(name, each.latency, _most_frequent(each.failures)) for each in counted]
        total = merged(name, parts)
        return Calls(
            name,
            total.latency,
            _few(total.failures),
            _reckoned(last.succeeded_at),
            _reckoned(last.failed_at),
            last.failed_with,
        )

    def _named(self, operation: str) -> tuple[str, _Last]:
        last = self._last.get(operation)
        if last is None:
            operation = operation if len(self._last) < _MOST_OPERATIONS else _REST
            last = self._last.setdefault(operation, _Last())
        return operation, last

    def _counted(self, name: str) -> _Counted:
        """Where a call of now is counted."""
        number = self._now()
        if not self._slots or self._slots[-1][0] != number:
            self._slots.append((number, {}))
        slot = self._slots[-1][1]
        counted = slot.get(name)
        if counted is None:
            counted = slot[name] = _Counted()
        return counted

    def _now(self) -> int:
        return int(self._clock() // _SLOT)
