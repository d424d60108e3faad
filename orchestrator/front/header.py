"""A header of a request, read where every request passes: without an object around all of them."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import Scope


def first(scope: Scope, name: bytes) -> bytes | None:
    """Its first value, as it came; None without one. ``name`` is in lower case, as ASGI has them."""
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    for known, value in headers:
        if known == name:
            return value
    return None
