"""What each kind of page is told while somebody looks at it: one function a page, chosen by ``?page=``."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.desk import Visit
from dashboard.streams import bulk, mails, overview, products, purchase, purchases, system
from dashboard.streams.event import Stream
from orchestrator.feed import Batches

KINDS: dict[str, Callable[[Visit, Batches], Stream]] = {
    "overview": overview.stream,
    "purchases": purchases.stream,
    "purchase": purchase.stream,
    "products": products.stream,
    "bulk": bulk.stream,
    "mails": mails.stream,
    "system": system.stream,
}
"""By the name that the page's address of the stream carries."""

__all__ = ["KINDS", "Stream"]
