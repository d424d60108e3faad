"""The settings of one sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path

from sandbox.product import Products
from sandbox.terminals import PUBLIC_TEST_TERMINALS


@dataclass(frozen=True)
class SandboxConfig:
    """Where the sandbox stands and whom it talks to.

    Attributes:
        wsdl: the WSDL that drives the SOAP service.
        base_url: where this sandbox is reachable, with its prefix, for example ``http://127.0.0.1:8000/sandbox``.
        create_purchase_url: the shop's createPurchase.
        create_purchase_auth: user and password, when the shop demands HTTP Basic authentication.
        checkout_timeout: seconds that createPurchase may take.
        webshop_id: the one web-shop that the Instant Checkout service knows.
        terminals: password by principal id.
        reversal_seconds: how long a payment waits for getPaymentStatus (facts, rule 1).
        dashboard_url, shop_url: links on the panel and the phone.
        zone: the time zone in which panel and phone say times.
        products: what the phone offers to scan; None offers open invoices only.
    """

    wsdl: Path
    base_url: str
    create_purchase_url: str
    create_purchase_auth: tuple[str, str] | None = field(default=None, repr=False)
    checkout_timeout: float = 30.0
    webshop_id: str = "demo"
    terminals: Mapping[str, str] = field(default_factory=lambda: PUBLIC_TEST_TERMINALS, repr=False)
    reversal_seconds: float = 20.0
    dashboard_url: str | None = None
    shop_url: str | None = None
    zone: tzinfo = UTC
    products: Products | None = None
