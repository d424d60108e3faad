"""Prometheus metrics. What this process does is counted as it happens, what there is when somebody asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orchestrator import census
from orchestrator.census import Census
from orchestrator.database import Database, DatabaseUnavailable
from orchestrator.identity import now
from orchestrator.invoice import NOTIFICATION_PATH
from orchestrator.parts import Parts
from orchestrator.seqr.messages import Exchange

CREATE_PURCHASE_PATH = "/seqr/createPurchase"
COUNT_IS_GOOD_FOR = 1.0
"""Seconds for which a count of the database answers further scrapes too."""

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
_OUTCOMES = {
    200: "answered",
    400: "invalid",
    401: "unauthorized",
    404: "unknown_token",
    409: "out_of_stock",
    413: "invalid",
    415: "invalid",
    422: "invalid",
    429: "too_many",
    499: "caller_left",
    502: "refused",
    503: "unavailable",
}
_NOTIFIED = {200: "known", 404: "unknown"}


class Metrics:
    """Counters in a registry of their own.

    The composition root hands ``observe`` to the SEQR client and ``request`` to the request log.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        seqr_calls = Counter(
            "orchestrator_seqr_calls",
            "Calls to SEQR, by operation and outcome (answered, refused, busy, unknown).",
            ["operation", "outcome"],
            registry=self.registry,
        )
        seqr_seconds = Histogram(
            "orchestrator_seqr_call_seconds",
            "How long calls to SEQR took.",
            ["operation"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        orders = Counter(
            "orchestrator_create_purchase_requests",
            "createPurchase requests, by outcome.",
            ["outcome"],
            registry=self.registry,
        )
        self._order_seconds = Histogram(
            "orchestrator_create_purchase_seconds",
            "How long createPurchase took to answer.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        notifications = Counter(
            "orchestrator_notifications",
            "Calls of a notification address, by whether it is one of ours (known, unknown, failed).",
            ["outcome"],
            registry=self.registry,
        )
        # Looking a label up takes longer than to count.
        self._seqr_calls, self._seqr_seconds = cache(seqr_calls.labels), cache(seqr_seconds.labels)
        self._orders, self._notifications = cache(orders.labels), cache(notifications.labels)

    def observe(self, exchange: Exchange) -> None:
        """Count a call to SEQR."""
        self._seqr_calls(exchange.operation, exchange.verdict.value).inc()
        self._seqr_seconds(exchange.operation).observe(exchange.duration_ms / 1000)

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count an HTTP request, if it is createPurchase or a notification."""
        if path == CREATE_PURCHASE_PATH:
            self._orders(_OUTCOMES.get(status, "failed")).inc()
            self._order_seconds.observe(seconds)
        elif path.startswith(NOTIFICATION_PATH):
            self._notifications(_NOTIFIED.get(status, "failed")).inc()


PROCESS = Metrics()
"""What this process counts."""
observe = PROCESS.observe
request = PROCESS.request


class Figures:
    """Everything that one scrape shows: the process' own counts, and those of the database."""

    def __init__(self, database: Database, metrics: Metrics = PROCESS) -> None:
        self._database = database
        self._metrics = metrics
        self.registry = CollectorRegistry()
        self._up = Gauge(
            "orchestrator_database_up",
            "1 when the database answered, else 0; then the figures from it are missing.",
            registry=self.registry,
        )
        self._census = _CensusCollector()
        self.registry.register(self._census)
        self._counting = asyncio.Lock()
        self._counted_at = -COUNT_IS_GOOD_FOR

    async def text(self) -> bytes:
        """All metrics in Prometheus' text format. Without the database, those of the process alone."""
        async with self._counting:
            if time.monotonic() - self._counted_at >= COUNT_IS_GOOD_FOR:
                await self._count()
        return generate_latest(self._metrics.registry) + generate_latest(self.registry)

    async def _count(self) -> None:
        try:
            self.show(await self._database.read(census.take, now()))
        except DatabaseUnavailable:
            self.show(None)
        self._counted_at = time.monotonic()

    def show(self, latest: Census | None) -> None:
        """Show this census from now on; None when there is none to be had."""
        self._census.latest = latest
        self._up.set(latest is not None)


def routes(parts: Parts, metrics: Metrics = PROCESS) -> list[Route]:
    """``/metrics``; it does not ask who calls."""
    figures = Figures(parts.database, metrics)

    async def answer(_request: Request) -> Response:
        return Response(await figures.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [Route("/metrics", answer, methods=["GET"])]


class _CensusCollector(Collector):
    """Shows the latest census as gauges."""

    def __init__(self) -> None:
        self.latest: Census | None = None

    def describe(self) -> Iterator[Metric]:
        yield from ()

    def collect(self) -> Iterator[Metric]:
        if self.latest is None:
            return
        found = self.latest
        yield _by_state("orchestrator_purchases", "Purchases, by state.", found.purchases)
        yield GaugeMetricFamily(
            "orchestrator_purchases_attention", "Purchases that wait for somebody.", found.attention
        )
        yield _by_state(
            "orchestrator_purchase_oldest_seconds",
            "For each state before stocked, how long the purchase that moved least recently has stood still.",
            found.oldest,
        )
        yield _by_state(
            "orchestrator_purchase_state_seconds",
            "How long purchases were in a state that they left in the last 10 minutes, on average.",
            found.stays,
        )
        yield GaugeMetricFamily(
            "orchestrator_open_invoices", "Invoices that a customer may pay.", found.open_invoices
        )
        yield GaugeMetricFamily(
            "orchestrator_longest_unasked_seconds",
            "How long ago SEQR was asked about the open invoice that waits longest. Alert at 10.",
            found.longest_unasked,
        )
        yield _by_state("orchestrator_outbox_mails", "Mails, by state.", found.mails)


def _by_state(name: str, meaning: str, values: dict[str, int] | dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=["state"])
    for state, value in values.items():
        family.add_metric([state], value)
    return family
