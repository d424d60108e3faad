"""The composition root: builds the parts once and puts the rooms together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

import dashboard.app
from orchestrator import (
    erasure,
    exchange,
    lockout,
    logs,
    metrics,
    migration,
    pulse,
    session,
    tally,
)
from orchestrator.calls import CallBook
from orchestrator.clerk import Clerk
from orchestrator.database import Database, open_database
from orchestrator.feed import Feed
from orchestrator.front.bodies import BodyLimit
from orchestrator.front.headers import Fronted
from orchestrator.front.proxies import TrustedProxies, networks
from orchestrator.front.rate import Rate, RateLimit
from orchestrator.identity import now
from orchestrator.lasting import lasting
from orchestrator.parts import Parts
from orchestrator.postman import Postman
from orchestrator.reconcile import SLOTS, Reconciler
from orchestrator.rest import (
    create_purchase,
    errors,
    notification,
    nowhere,
    openapi,
    probes,
    products,
    purchases,
    qr,
)
from orchestrator.scheduler import Job, Scheduler
from orchestrator.secrecy import Secrecy
from orchestrator.seqr.client import Observer, SoapSeqr
from orchestrator.seqr.credentials import Credentials
from orchestrator.seqr.messages import Exchange, Seqr
from orchestrator.seqr.wsdl import SHIPPED_WSDL
from orchestrator.settings import PREFIX, Settings, SettingsError, load, secret_key
from orchestrator.settlement import Settlement
from orchestrator.stamp import Stamp
from orchestrator.users import ensure_admin

log = structlog.get_logger(__name__)

RECONCILE_EVERY = 0.25
MAIL_EVERY = 1.0
BULK_EVERY = 0.5
TALLY_EVERY = 1.0
PRUNE_EVERY = 3600.0
ERASE_EVERY = 600.0
ERASE_BITES = 200
"""At most so many hundred purchases forget their customers in one run: no other job waits long for it."""
API = "/api/"


def create() -> Starlette:
    """What ``serve`` runs in each of its processes."""
    settings = load()
    logs.configure(settings, secret_key(settings))
    with lasting():
        return build_app(make_parts(settings))


def make_parts(settings: Settings, database: Database | None = None, seqr: Seqr | None = None) -> Parts:
    """The parts that ``settings`` describe; a database or a line to SEQR may be put in their place.

    Raises:
        SettingsError, SeqrSetupError: something is missing or wrong; the message names it.
    """
    secret = secret_key(settings)
    database = database or open_database(settings.database)
    calls = CallBook()
    seqr = seqr or open_seqr(settings, calls)
    return Parts(settings, secret, database, seqr, Settlement(database, seqr, settings, secret), calls)


def open_seqr(settings: Settings, calls: CallBook | None = None) -> SoapSeqr:
    """The line to SEQR; what goes over it is counted in ``calls``.

    Raises SettingsError for what is missing, SeqrSetupError for what is wrong.
    """
    endpoint, principal, password = settings.seqr_endpoint, settings.seqr_principal_id, settings.seqr_password
    if endpoint is None or principal is None or password is None:
        given = {"SEQR_ENDPOINT": endpoint, "SEQR_PRINCIPAL_ID": principal, "SEQR_PASSWORD": password}
        missing = next(name for name, value in given.items() if value is None)
        raise SettingsError(f"{PREFIX}{missing} is missing: SEQR gives it to you. See docs/operations.md.")
    credentials = Credentials(
        settings.seqr_principal_type, principal, password.get_secret_value(), settings.seqr_user_id
    )
    return SoapSeqr.open(
        endpoint,
        credentials,
        wsdl=settings.seqr_wsdl or SHIPPED_WSDL,
        timeout=settings.seqr_timeout,
        # Should SEQR hang, the reconciler's calls must leave room for customers and notifications.
        connections=4 * SLOTS,
        observe=_observer(calls or CallBook()),
    )


def _observer(calls: CallBook) -> Observer:
    def observe(exchange: Exchange) -> None:
        metrics.observe(exchange)
        calls.observe(exchange)

    return observe


class Annex(Protocol):
    """What stands beside the program and lives as long: see ``demo``."""

    routes: Sequence[BaseRoute]

    async def start(self) -> None: ...

    async def close(self) -> None: ...


def build_app(parts: Parts, annex: Annex | None = None) -> Starlette:
    """The whole program as one ASGI application, with what ``annex`` adds."""
    feed = Feed(parts.database)
    reconciler = Reconciler(parts.database, parts.settlement, parts.settings)
    postman = Postman(parts.database, parts.settings)
    clerk = Clerk(parts.database, parts.settlement)
    jobs = [
        Job("reconcile", reconciler.run_once, RECONCILE_EVERY),
        Job("mail", postman.run_once, MAIL_EVERY),
        Job("bulk", clerk.run_once, BULK_EVERY),
        Job("tally", lambda: tally.run_once(parts.database), TALLY_EVERY),
        Job("prune", lambda: prune(parts), PRUNE_EVERY),
        Job("erase", lambda: erase(parts), ERASE_EVERY),
    ]
    hide = Secrecy.of(parts.settings, parts.secret).hide
    reporter = pulse.Reporter(parts.database, pulse.Sources(jobs, parts.calls, lambda: feed.listeners), hide)
    jobs.append(Job("pulse", reporter.run_once, pulse.EVERY))
    scheduler = Scheduler(jobs)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(parts.database.close)
            stack.push_async_callback(parts.seqr.close)
            await migration.check(parts.database)
            await first_user(parts)
            if annex is not None:
                await annex.start()
                stack.push_async_callback(annex.close)
            stack.push_async_callback(parts.settlement.close)
            stack.push_async_callback(reconciler.close)
            stack.push_async_callback(clerk.close)
            stack.push_async_callback(reporter.close)
            stack.push_async_callback(scheduler.stop)
            feed.start()
            stack.push_async_callback(feed.stop)
            await reporter.run_once()
            scheduler.start()
            log.info("orchestrator.started", public_url=parts.settings.public_url)
            yield
            log.info("orchestrator.stopping")

    for_programs = [
        *create_purchase.routes(parts),
        *notification.routes(parts),
        *purchases.routes(parts),
        *products.routes(parts),
        *openapi.routes(parts),
        *probes.routes(parts, scheduler.why_not_well),
        *metrics.routes(parts),
    ]
    return Fronted(
        routes=[
            *for_programs,
            *qr.routes(parts),
            *(annex.routes if annex is not None else ()),
            *nowhere.routes(for_programs, (API, "/seqr/")),
            *dashboard.app.routes(parts, feed),
        ],
        middleware=_front(parts.settings),
        exception_handlers=errors.handlers(),
        lifespan=lifespan,
        https=parts.settings.public_url.startswith("https://"),
    )


def _front(settings: Settings) -> list[Middleware]:
    """What every request passes, whatever it asks for."""
    return [
        Middleware(TrustedProxies, networks(settings.trusted_proxies), settings.forwarded_header),
        Middleware(logs.RequestLog, listener=metrics.request),
        Middleware(
            RateLimit,
            {
                create_purchase.PATH: Rate(settings.create_purchase_per_minute),
                API: Rate(settings.api_per_minute),
            },
        ),
        Middleware(BodyLimit, dashboard.app.LARGE_BODIES),
    ]


async def first_user(parts: Parts) -> None:
    """Make the user ``admin`` if its password is set and there is no admin yet."""
    password = parts.settings.admin_password
    if password is not None:
        await ensure_admin(parts.database, password.get_secret_value(), Stamp("settings", now()))


async def prune(parts: Parts) -> None:
    """Forget what is old, in small bites, so that nothing waits for it: calls to SEQR and from it, sessions,
    failed sign-ins, reports of processes that are gone."""
    for prune_calls in (exchange.prune, exchange.prune_notifications):
        while await parts.database.write(prune_calls, now(), parts.settings.exchange_days):
            pass
    for prune_some in (session.prune, lockout.prune, pulse.prune):
        while await parts.database.write(prune_some, now()):
            pass


async def erase(parts: Parts) -> int:
    """Erase the customers of purchases that finished longer ago than the setting says, in small bites, and
    what was searched for then; returns of how many purchases."""
    days, erased = parts.settings.customer_retention_days, 0
    if not days:
        return 0
    for _ in range(ERASE_BITES):
        bite = await parts.database.write(erasure.prune, now(), days)
        if not bite:
            break
        erased += bite
    await parts.database.write(erasure.prune_searches, now(), days)
    if erased:
        log.info("customers.erased", purchases=erased, days=days)
    return erased
