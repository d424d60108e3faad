"""The composition root: builds the parts once and puts the rooms together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route

import dashboard.app
from orchestrator import (
    catalogue,
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
from orchestrator.parts import Parts
from orchestrator.postman import Postman
from orchestrator.product import Product
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
from sandbox.app import Sandbox, SandboxConfig, build_sandbox
from sandbox.product import ShopProduct
from sandbox.shop import build_shop

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


def build_app(parts: Parts, sandbox: Sandbox | None = None) -> Starlette:
    """The whole program as one ASGI application; with the sandbox and the demo shop if one is given."""
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
            if sandbox is not None:
                await sandbox.start()
                stack.push_async_callback(sandbox.close)
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
            *_demo_routes(parts, sandbox),
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
    """Forget what is old, in small bites, so that nothing waits for it: SEQR calls, sessions, failed
    sign-ins, reports of processes that are gone."""
    while await parts.database.write(exchange.prune, now(), parts.settings.exchange_days):
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


def make_sandbox(parts: Parts) -> Sandbox:
    """The sandbox that plays SEQR for the demo, at ``/sandbox`` of the public address."""
    settings = parts.settings
    user, password = settings.create_purchase_user, settings.create_purchase_password
    return build_sandbox(
        SandboxConfig(
            wsdl=SHIPPED_WSDL,
            base_url=f"{settings.public_url}/sandbox",
            create_purchase_url=f"{settings.public_url}{create_purchase.PATH}",
            create_purchase_auth=(user, password.get_secret_value()) if user and password else None,
            webshop_id=settings.webshop_id,
            dashboard_url=f"{settings.public_url}/",
            shop_url=f"{settings.public_url}/shop/",
            products=lambda: products_for_sale(parts),
            zone=settings.zone,
        )
    )


async def products_for_sale(parts: Parts) -> list[ShopProduct]:
    """The catalogue as the demo shop shows it."""
    found = await parts.database.read(catalogue.list_products)
    return [_shop_product(product) for product in found if product.for_sale]


def _demo_routes(parts: Parts, sandbox: Sandbox | None) -> Sequence[BaseRoute]:
    if sandbox is None:
        return []
    shop = build_shop(
        lambda: products_for_sale(parts),
        shop_name=parts.settings.shop_name,
        qr_base_url="",
        phone_url="/sandbox/phone",
        webshop_id=parts.settings.webshop_id,
        faults=sandbox.faults,
    )
    return [
        # A mount answers what lies below it; the bare name is what people type.
        Route("/shop", lambda _: RedirectResponse("/shop/")),
        Route("/sandbox", lambda _: RedirectResponse("/sandbox/")),
        Mount("/shop", shop),
        Mount("/sandbox", sandbox.app),
    ]


def _shop_product(product: Product) -> ShopProduct:
    return ShopProduct(
        token=product.token,
        title=product.title,
        price=str(product.price.value),
        currency=product.price.currency,
        available=product.available,
        description=None,
        parts=tuple((part.title, part.quantity) for part in product.bundle),
    )
