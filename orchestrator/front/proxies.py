"""Who calls, when a proxy stands between: its word is believed, and nobody else's.

A proxy that is named in ``ORCHESTRATOR_TRUSTED_PROXIES`` says in a header for whom it calls. Anybody can
write such a header, so from others it counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator.front.header import first

log = structlog.get_logger(__name__)

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

FOR, PROTO, FORWARDED = "x-forwarded-for", "x-forwarded-proto", "forwarded"

_LONGEST = 64
"""Characters of an address, with the zone of an IPv6 address: what is longer is none."""
_REMEMBERED = 4096
"""So many addresses need not be read again when they come again."""

_PORT = re.compile(r"(?:\[([^]]*)\]|([^:]*))(?::[0-9_]+)?")
_PAIR = re.compile(r'([A-Za-z]+)=(?:"([^"]*)"|([^";,\s]*))')


def networks(text: str) -> tuple[Network, ...]:
    """The networks in a list such as ``10.0.0.0/8, ::1``. Raises ValueError."""
    return tuple(ip_network(word) for word in text.replace(",", " ").split())


def is_within(address: str, trusted: Iterable[Network]) -> bool:
    """Whether an address lies in one of the networks; what is no address lies in none."""
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in trusted)


def is_loopback(address: str) -> bool:
    """Whether it is this machine's own: one of its programs, or a proxy on it that was not named."""
    parsed = _parsed(address)
    return parsed is not None and parsed.is_loopback


def caller(peer: str, hops: Iterable[str], trusted: Iterable[Network]) -> str:
    """The first address, seen from us, that no trusted proxy has. ``hops`` are those that proxies told, the
    one farthest from us first; what is no address ends the search."""
    trusted = tuple(trusted)
    address = peer
    for hop in reversed(list(hops)):
        known = _parsed(_without_port(hop))
        if known is None or not is_within(address, trusted):
            break
        address = str(known)
    return address


class TrustedProxies:
    """Puts the caller that a trusted proxy tells of, and the scheme, in the place of the proxy's own."""

    def __init__(self, app: ASGIApp, trusted: tuple[Network, ...], header: str = FOR) -> None:
        self._app = app
        self._trusted = trusted
        self._is_trusted = lru_cache(_REMEMBERED)(partial(is_within, trusted=trusted))
        self._header = header
        self._name = header.encode()
        self._warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client"):
            self._look_through(scope)
        await self._app(scope, receive, send)

    def _look_through(self, scope: Scope) -> None:
        peer, port = scope["client"]
        if not self._is_trusted(peer):
            if not self._warned and first(scope, self._name) is not None:
                self._warn(peer)
            return
        told = list(self._told(Headers(scope=scope)))
        scope["client"] = (caller(peer, [hop for hop, _ in told], self._trusted), port)
        scheme = told[-1][1] if told else ""
        if scheme in ("http", "https"):
            scope["scheme"] = scheme

    def _told(self, headers: Headers) -> Iterator[tuple[str, str]]:
        """Address and scheme of each hop, the farthest first."""
        lists = ",".join(headers.getlist(self._header))
        if self._header == FORWARDED:
            for element in lists.split(","):
                pairs = {name.lower(): one or other for name, one, other in _PAIR.findall(element)}
                yield pairs.get("for", ""), pairs.get("proto", "").lower()
            return
        scheme = headers.get(PROTO, "").rpartition(",")[2].strip().lower()
        for hop in filter(None, (hop.strip() for hop in lists.split(","))):
            yield hop, scheme

    def _warn(self, peer: str) -> None:
        self._warned = True
        log.warning("proxy.unknown", address=peer, remedy="name it in ORCHESTRATOR_TRUSTED_PROXIES")


def _without_port(hop: str) -> str:
    """``[2001:db8::1]:4711`` and ``192.0.2.7:4711`` without what is not the address."""
    found = _PORT.fullmatch(hop.strip())
    return hop.strip() if found is None else found[1] or found[2] or ""


def _parsed(address: str) -> Address | None:
    return _read(address) if len(address) <= _LONGEST else None


@lru_cache(_REMEMBERED)
def _read(address: str) -> Address | None:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed
