"""Who we are at SEQR."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """What SEQR gave the merchant. The password shows in no repr.

    ``principal_type`` is ``TERMINALID`` for a web-shop's terminal; ``RESELLERUSER`` goes with a ``user_id``,
    usually 9900 (facts, ClientContext).
    """

    principal_type: str
    principal_id: str
    password: str = field(repr=False)
    user_id: str | None = None
