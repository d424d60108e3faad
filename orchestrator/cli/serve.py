"""``orchestrator serve``, ``demo`` and ``sandbox``: the commands that run until they are stopped."""

from __future__ import annotations

import asyncio
import resource
from functools import partial
from typing import Annotated, Any

import typer
import uvicorn
from pydantic import SecretStr

from orchestrator import catalogue, configuration, migration, settings
from orchestrator.cli.run import reporting
from orchestrator.database import open_database
from orchestrator.front.connection import Connection, Limits
from orchestrator.front.proxies import networks
from orchestrator.identity import now
from orchestrator.lasting import lasting
from orchestrator.secret_file import kept_secret
from orchestrator.settings import VAR, Settings
from orchestrator.stamp import Stamp

GRACE = 15
"""Seconds that a stop leaves to what is in flight."""

SILENT = 30
"""Seconds after which a worker that says nothing counts as hung, and within which a new one has to be ready:
many that start at once on few cores take that long."""

_OTHER_FILES = 500
"""Open beside the connections: calls to SEQR, the database, what is read."""

Host = Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all.")]


@reporting
def serve(
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = 8000,
    workers: Annotated[
        int, typer.Option(help="How many processes; each does everything.", min=1, max=64)
    ] = 1,
) -> None:
    """Serve the REST endpoints, the dashboard and the reconciler.

    Reads its settings from ORCHESTRATOR_* variables and a .env file; 'orchestrator doctor' checks them. The
    database must be migrated: 'orchestrator migrate'.
    """
    found = settings.load()
    with lasting():
        from orchestrator.app import build_app, make_parts, open_seqr

    if workers > 1:
        # Each of them opens its own; what is wrong is told once, before there are any.
        asyncio.run(open_seqr(found).close())
        asyncio.run(_ready(found))
        _run("orchestrator.app:create", found, factory=True, host=host, port=port, workers=workers)
        return
    with lasting():
        parts = make_parts(found)
        app = build_app(parts)
    asyncio.run(_ready(found))
    _run(app, found, host=host, port=port)


@reporting
def demo(
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = 8000,
) -> None:
    """Try everything in one process: orchestrator, dashboard, a demo shop, and SEQR played by a sandbox.

    No money moves. Migrates its database, loads a demo catalogue, makes a login and prints where to go.
    To buy with a real phone, listen on 0.0.0.0 and set ORCHESTRATOR_PUBLIC_URL to this machine's address.
    """
    found = _demo_settings(port)
    with lasting():
        from orchestrator.app import build_app, make_parts
        from orchestrator.demo import Demo

        asyncio.run(_prepare_demo(found))
        parts = make_parts(found)
        beside = Demo(parts)
        app = build_app(parts, beside)
    _announce(found, beside.soap_url)
    _run(app, found, host=host, port=port)


def _run(app: Any, found: Settings, **options: Any) -> None:
    from orchestrator import logs

    logs.configure(found, settings.secret_key(found))
    for sentence in configuration.misspelt():
        typer.echo(f"orchestrator: {sentence}", err=True)
    options |= {"http": partial(Connection, limits=_limits(found)), "ws": "none"}
    # Ours know whom to believe, and what to tell: see the package front.
    uvicorn.run(
        app,
        loop="uvloop",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        timeout_worker_healthcheck=SILENT,
        **options,
    )


def _limits(found: Settings) -> Limits:
    """Those of a process, for which it may have files enough open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = found.connections + _OTHER_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return Limits(
        min(found.connections, max(soft - _OTHER_FILES, soft // 2)),
        found.connections_per_address,
        networks(found.trusted_proxies),
    )


async def _ready(found: Settings) -> None:
    database = open_database(found.database)
    try:
        await migration.check(database)
    finally:
        await database.close()


def _demo_settings(port: int) -> Settings:
    """The settings of the environment, with what the demo needs where nothing is set."""
    given = settings.load()
    defaults: dict[str, Any] = {
        "public_url": f"http://127.0.0.1:{port}",
        "admin_password": SecretStr(kept_secret(VAR / "demo_password", 9)),
        # Any phone's camera can open this code; SEQR's own scheme needs SEQR's app.
        "qr_template": "{public_url}/sandbox/phone?w={webshop_id}&t={token}",
    }
    chosen = {name: value for name, value in defaults.items() if name not in given.model_fields_set}
    public_url = chosen.get("public_url", given.public_url)
    return settings.load(
        **chosen,
        seqr_endpoint=f"{public_url}/sandbox/seqr",
        seqr_principal_type="TERMINALID",
        seqr_principal_id="public_test_shop_terminal",
        seqr_password=SecretStr("12345678"),
        seqr_wsdl=None,
    )


async def _prepare_demo(found: Settings) -> None:
    """Migrate, load the demo catalogue into an empty one, and let ``admin`` in with the printed password."""
    from orchestrator import catalogue_csv, users

    assert found.admin_password is not None
    database = open_database(found.database)
    try:
        await migration.migrate(database)
        if not await database.read(catalogue.list_products):
            await catalogue_csv.load_demo(database)
        await users.ensure_admin(database, found.admin_password.get_secret_value(), Stamp("cli", now()))
    finally:
        await database.close()


def _announce(found: Settings, soap_url: str) -> None:
    assert found.admin_password is not None
    rows = [
        ("Demo shop", f"{found.public_url}/shop/"),
        ("Dashboard", f"{found.public_url}/"),
        ("Login", f"admin / {found.admin_password.get_secret_value()}"),
        ("Phone", f"{found.public_url}/sandbox/phone"),
        ("Sandbox", f"{found.public_url}/sandbox/"),
        ("SEQR (SOAP)", soap_url),
    ]
    for name, value in rows:
        typer.echo(f"  {name:<12} {value}")
    typer.echo("  Stop with Ctrl+C.")


@reporting
def sandbox(
    host: Host = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)
    ] = 9090,
    create_purchase: Annotated[
        str, typer.Option(help="The address of the web-shop's createPurchase.")
    ] = "http://127.0.0.1:8000/seqr/createPurchase",
) -> None:
    """Play SEQR alone: SOAP service, Instant Checkout service, and a phone to pay with. No money moves.

    Prints the SOAP address to set as ORCHESTRATOR_SEQR_ENDPOINT. The terminal is public_test_shop_terminal,
    its password 12345678.
    """
    from orchestrator.seqr.wsdl import SHIPPED_WSDL
    from sandbox.serving import run

    found = settings.load()
    user, password = found.create_purchase_user, found.create_purchase_password
    run(
        wsdl=SHIPPED_WSDL,
        create_purchase_url=create_purchase,
        create_purchase_auth=(user, password.get_secret_value()) if user and password else None,
        host=host,
        port=port,
        webshop_id=found.webshop_id,
    )
