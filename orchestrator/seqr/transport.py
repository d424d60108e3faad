"""How a SOAP message travels: HTTP over pooled connections, sent once, bounded in time and size.

The one question that matters when something breaks is whether SEQR may have seen the call. The moment a
connection is in hand counts as sent; only what fails before is :class:`NotSent`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from types import SimpleNamespace
from typing import Protocol

import aiohttp
from yarl import URL

from orchestrator.seqr.errors import Lost, NotSent, SeqrSetupError

_STATUSES = frozenset(HTTPStatus)

LARGEST_ANSWER = 4 * 1024 * 1024
"""Bytes of an answer's body; reading stops there."""

IDLE_SECONDS = 4.0
"""How long an unused connection is kept: shorter than servers do (uvicorn 5 s, Tomcat 20 s or more), so that
a call is seldom put on a connection which the server is closing at that moment."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back, whole, whatever it is. ``charset`` is the content type's, when it names one."""

    status: int
    reason: str
    content_type: str
    charset: str | None
    body: bytes

    @property
    def fine(self) -> bool:
        """Whether the HTTP status says that it went well."""
        return self.status in range(200, 300)


class Transport(Protocol):
    """Carries one message to SEQR's endpoint and its answer back."""

    async def post(self, message: bytes) -> HttpAnswer:
        """Send once, never again. Raises NotSent or Lost, and nothing else for what a network does."""

    async def close(self) -> None:
        """Let go of the connections."""


@dataclass(slots=True)
class _Progress:
    """How far one call has come; aiohttp's trace fills it."""

    connected: bool = False


class AiohttpTransport:
    """HTTP/1.1 with keep-alive. No redirect is followed, no cookie kept, no call repeated (aiohttp repeats
    only methods that HTTP calls idempotent; POST is not one).

    The session is made by the first call, because it belongs to the event loop that runs then; so this can be
    made anywhere, before there is a loop.
    """

    def __init__(self, endpoint: str, *, timeout: float, connections: int, user_agent: str) -> None:
        self._endpoint = checked_endpoint(endpoint)
        self._timeout = timeout
        self._connections = connections
        self._headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": '""',
            "Accept": "text/xml",
            "Accept-Encoding": "identity",
            "User-Agent": user_agent,
        }
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    @property
    def shown_endpoint(self) -> str:
        """Host and port, for people."""
        return f"{self._endpoint.host}:{self._endpoint.port}"

    async def post(self, message: bytes) -> HttpAnswer:
        if self._closed:
            raise NotSent("The connection to SEQR has been closed: the orchestrator is stopping.")
        progress = _Progress()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(message, progress)
        except TimeoutError as fault:
            what = "answer from" if progress.connected else "connection to"
            raise self._failure(progress, f"No {what} SEQR within {self._timeout:g} s") from fault
        except (aiohttp.ClientError, OSError, EOFError, ValueError) as fault:
            what = "The answer was cut off" if progress.connected else "SEQR cannot be reached"
            raise self._failure(progress, f"{what} ({_reason(fault)})") from fault

    async def _exchange(self, message: bytes, progress: _Progress) -> HttpAnswer:
        request = self._opened().post(
            self._endpoint,
            data=message,
            headers=self._headers,
            allow_redirects=False,
            trace_request_ctx=progress,
        )
        async with request as response:
            return HttpAnswer(
                status=response.status,
                reason=response.reason or _phrase(response.status),
                content_type=response.headers.get("Content-Type", ""),
                charset=response.charset,
                body=await _bounded_body(response),
            )

    def _failure(self, progress: _Progress, what: str) -> NotSent | Lost:
        kind = Lost if progress.connected else NotSent
        return kind(f"{what}, at {self.shown_endpoint}.")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=IDLE_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                trace_configs=[_progress_trace()],
            )
        return self._session

    async def close(self) -> None:
        self._closed = True
        if self._session is not None:
            await self._session.close()


def checked_endpoint(endpoint: str) -> URL:
    """The endpoint as an address. Raises SeqrSetupError unless it is http(s) with a host."""
    try:
        url = URL(endpoint)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise SeqrSetupError(
            "SEQR's endpoint is no http or https address. Set ORCHESTRATOR_SEQR_ENDPOINT to the one that "
            "SEQR gave you, such as https://host/extclientproxy/service/v2."
        )
    return url


async def _bounded_body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            response.close()
            raise Lost(
                f"The answer is larger than {LARGEST_ANSWER // 2**20} MiB, which no answer of SEQR's is."
            )
    return bytes(body)


def _progress_trace() -> aiohttp.TraceConfig:
    async def connected(session: aiohttp.ClientSession, context: SimpleNamespace, _: object) -> None:
        progress: _Progress = context.trace_request_ctx
        progress.connected = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(connected)
    return trace


def _reason(fault: BaseException) -> str:
    text = " ".join(str(fault).split())
    return f"{type(fault).__name__}: {text}" if text else type(fault).__name__


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in _STATUSES else ""
