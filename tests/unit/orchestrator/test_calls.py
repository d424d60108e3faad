"""Calls to SEQR counted in memory: right over several processes, bounded whatever comes."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from statistics import quantiles

import pytest

from orchestrator.calls import CallBook, Calls, Failure, merged
from orchestrator.latency import Latency
from orchestrator.seqr.messages import Exchange, Verdict

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """A monotonic clock that the test turns."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def call(
    operation: str = "getPaymentStatus",
    verdict: Verdict = Verdict.ANSWERED,
    code: int | None = 0,
    milliseconds: float = 40,
    detail: str = "SEQR says ISSUED.",
    at: datetime = AT,
) -> Exchange:
    return Exchange(operation, at, milliseconds, verdict, code, detail, "<request/>", "<response/>")


def counted(durations: list[float]) -> Latency:
    latency = Latency()
    for milliseconds in durations:
        latency.note(milliseconds)
    return latency


@pytest.mark.parametrize("scale", [3.0, 40.0, 900.0])
def test_percentiles_are_right_to_a_tenth_however_many_processes_counted(scale: float) -> None:
    chance = random.Random(1)
    durations = [chance.lognormvariate(0, 0.6) * scale for _ in range(5000)]
    together = Latency.merged(
        [counted(durations[:100]), counted(durations[100:1200]), counted(durations[1200:])]
    )
    exact = quantiles(durations, n=100)
    assert together.number == 5000
    for percent in (50, 95, 99):
        assert together.percentile(percent / 100) == pytest.approx(exact[percent - 1], rel=0.1)


def test_the_percentile_of_a_merge_is_not_the_mean_of_percentiles() -> None:
    slow, quick = counted([1000.0] * 10), counted([10.0] * 190)
    assert Latency.merged([slow, quick]).percentile(0.5) == pytest.approx(10, rel=0.1)
    assert Latency.merged([slow, quick]).percentile(0.99) == pytest.approx(1000, rel=0.1)


def test_nothing_has_no_percentile_and_extremes_have_a_place() -> None:
    assert Latency().percentile(0.5) is None
    extremes = counted([0.0, -1.0, 0.5, 10_000_000.0, float("inf")])
    assert (extremes.number, set(extremes.counts)) == (5, {0, 128})


def test_a_histogram_has_at_most_129_numbers() -> None:
    latency = counted([1.01**power for power in range(2000)])
    latency.add(Latency({-5: 1, 4000: 1}))
    assert len(latency.counts) <= 129
    assert (min(latency.counts), max(latency.counts)) == (0, 128)


def test_calls_are_counted_by_operation_and_failures_by_what_seqr_said() -> None:
    book = CallBook(Clock())
    book.observe(call())
    book.observe(call(verdict=Verdict.BUSY, code=93, detail="SEQR did nothing this time."))
    book.observe(call(verdict=Verdict.UNKNOWN, code=None, detail="No answer within 10 s."))
    book.observe(call(verdict=Verdict.UNKNOWN, code=None, detail="Cut off.", at=AT + timedelta(seconds=5)))
    book.observe(call("sendInvoice", Verdict.REFUSED, 49, detail="SEQR refused: 49."))
    status, invoice = book.lately()
    assert (status.operation, status.number, status.failed, status.unanswered) == (
        "getPaymentStatus",
        4,
        3,
        3,
    )
    assert status.failures == (Failure("unknown", None, 2), Failure("busy", 93, 1))
    assert status.succeeded_at == AT + timedelta(milliseconds=40)
    assert (status.failed_at, status.failed_with) == (AT + timedelta(seconds=5.04), "Cut off.")
    assert (invoice.number, invoice.failed, invoice.unanswered, invoice.succeeded_at) == (1, 1, 0, None)
    assert status.median == pytest.approx(40, rel=0.1)
    assert status.p95 == pytest.approx(40, rel=0.1)


def test_calls_are_forgotten_after_five_minutes_but_not_the_last_ones() -> None:
    clock = Clock()
    book = CallBook(clock)
    book.observe(call())
    clock.seconds += 200
    book.observe(call(milliseconds=80, verdict=Verdict.BUSY, code=93))
    assert book.lately()[0].number == 2
    clock.seconds += 150
    assert (book.lately()[0].number, book.lately()[0].failed) == (1, 1)
    clock.seconds += 200
    (status,) = book.lately()
    assert (status.number, status.median, status.p95, status.failures) == (0, None, None, ())
    assert status.succeeded_at is not None
    assert status.failed_at is not None


def test_memory_is_bounded_whatever_comes() -> None:
    clock = Clock()
    book = CallBook(clock)
    for number in range(20_000):
        clock.seconds += 0.5
        operation = f"operation{number}" if number < 100 else "getPaymentStatus"
        detail = "x" * 10_000
        book.observe(call(operation, Verdict.REFUSED, number, milliseconds=number, detail=detail))
    found = book.lately()
    assert len(found) <= 13
    assert all(len(each.failures) <= 27 and len(each.failed_with) <= 300 for each in found)
    assert {each.operation: each.number for each in found if each.number} == {"other": 581}
    assert sum(each.failed for each in found) == 581


def test_calls_of_several_processes_add_up() -> None:
    later = AT + timedelta(seconds=9)
    here = Calls("a", counted([10.0]), (Failure("busy", 93, 1),), AT, AT, "first")
    there = Calls(
        "a", counted([10.0, 10.0]), (Failure("busy", 93, 2), Failure("unknown", None, 1)), None, later, "last"
    )
    silent = Calls("a", Latency())
    total = merged("a", [here, there, silent])
    assert total.number == 3
    assert total.failures == (Failure("busy", 93, 3), Failure("unknown", None, 1))
    assert (total.succeeded_at, total.failed_at, total.failed_with) == (AT, later, "last")
    assert merged("", []) == Calls("", Latency())
