"""The dashboard's public face: its routes.

To be mounted last, since they answer every address that is left.
"""

from __future__ import annotations

from datetime import timedelta

from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.routing import BaseRoute, Mount

from dashboard.assets import PREFIX, Assets
from dashboard.desk import open_desk
from dashboard.headers import SecureHeaders
from dashboard.pages import (
    audit,
    bulk,
    customers,
    events,
    export,
    failures,
    mails,
    me,
    overview,
    product,
    product_file,
    product_form,
    products,
    purchase,
    purchase_forms,
    purchases,
    settings,
    signin,
    system,
    tokens,
    users,
)
from dashboard.upload import HEARD_OUT
from orchestrator import session
from orchestrator.feed import Feed
from orchestrator.parts import Parts

COOKIE_SECONDS = session.LIFETIME // timedelta(seconds=1)
"""No shorter than a session; when that ends, the database says."""

LARGE_BODIES = {"/catalogue/import": HEARD_OUT}
"""By path: bodies that are larger than others, and bounded where they are read."""


def routes(parts: Parts, feed: Feed) -> list[BaseRoute]:
    """The static files and the pages. ``feed`` is started and stopped by the caller."""
    assets = Assets()
    desk = open_desk(parts, feed, assets)
    rooms = (
        signin,
        overview,
        bulk,
        purchases,
        export,
        purchase,
        purchase_forms,
        products,
        product,
        product_form,
        product_file,
        mails,
        me,
        system,
        settings,
        users,
        tokens,
        customers,
        audit,
        events,
    )
    middleware = [
        Middleware(SecureHeaders),
        Middleware(
            SessionMiddleware,
            secret_key=parts.secret,
            session_cookie="orchestrator_session",
            max_age=COOKIE_SECONDS,
            same_site="lax",
            https_only=parts.settings.public_url.startswith("https://"),
        ),
        Middleware(ExceptionMiddleware, handlers=failures.handlers(desk)),
    ]
    pages: list[BaseRoute] = [route for room in rooms for route in room.routes(desk)]
    return [Mount(PREFIX, assets, name="dashboard-static"), Mount("", routes=pages, middleware=middleware)]
