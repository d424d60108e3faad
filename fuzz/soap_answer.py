"""What SEQR answers: any bytes at all on the wire, read by the real client over the real transport.

The first line of an input names the call, the rest is what comes back, head and body, until SEQR hangs up::

    getPaymentStatus
    HTTP/1.1 200 OK

    <S:Envelope ...

Whatever comes, the call has an outcome. It is *Answered* only where the answer says so in so many words,
once: here it is read again, in another way. What a receipt says of another invoice is seen to be about
another.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import unescape

from lxml import etree

from fuzz.listening import Listener, listening
from fuzz.soap_samples import REFERENCE, SEEDS, WORDS
from fuzz.target import Judge, Target, within
from orchestrator.attempt import Attempt
from orchestrator.closing import of_another
from orchestrator.money import Money, MoneyError
from orchestrator.seqr.client import SoapSeqr
from orchestrator.seqr.envelope import SOAP
from orchestrator.seqr.http_answer import HttpAnswer
from orchestrator.seqr.messages import (
    TRANSIENT_CODES,
    Answered,
    Busy,
    IssuedInvoice,
    Outcome,
    PaymentStatus,
    Refused,
    Unknown,
)
from orchestrator.seqr.transport import HttpTransport
from orchestrator.seqr.wsdl import NAMESPACE, OPERATIONS
from orchestrator.settings import Settings
from tests.fixtures.soap import CREDENTIALS, PASSWORD, SHIPPED, invoice

_VERSION = 3
_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
_ATTEMPT = Attempt("a", "p", 1, "open", REFERENCE, _VERSION, None, None, _AT, _AT, None)
_LONGEST_DETAIL = 1100
_TIMEOUT = 10.0

_VERDICTS: dict[type, str] = {Answered: "answered", Refused: "refused", Busy: "busy", Unknown: "unknown"}


class _NotedTransport:
    """The real transport; keeps the answer that came, if one came whole."""

    def __init__(self, endpoint: str) -> None:
        self._real = HttpTransport(endpoint, timeout=_TIMEOUT, connections=1, user_agent="fuzz")
        self.came: HttpAnswer | None = None

    async def post(self, message: bytes) -> HttpAnswer:
        self.came = None
        self.came = await self._real.post(message)
        return self.came

    async def close(self) -> None:
        await self._real.close()


class _Seqr:
    """Takes a call, says what it was told to say, and hangs up."""

    def __init__(self) -> None:
        self.says = b""
        self._server: asyncio.Server | None = None

    async def open(self) -> str:
        """Returns the address."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        writer.write(self.says)
        writer.close()


class _Door:
    """Lets answers in, one after the other."""

    def __init__(self, loop: asyncio.AbstractEventLoop, listener: Listener) -> None:
        self._loop, self._listener = loop, listener
        self._seqr = _Seqr()
        self._transport = _NotedTransport(loop.run_until_complete(self._seqr.open()))
        self._client = SoapSeqr(SHIPPED, self._transport, CREDENTIALS, client_id="fuzz")

    def judge(self, data: bytes) -> str:
        """Let one answer in."""
        line, _, self._seqr.says = data.partition(b"\n")
        operation = line.decode("latin-1").strip()
        operation = operation if operation in OPERATIONS else "getPaymentStatus"
        outcome = self._loop.run_until_complete(self._call(operation))
        self._listener.check()
        _check_exchange(operation, outcome)
        if not isinstance(outcome, Answered):
            return _VERDICTS[type(outcome)]
        assert self._transport.came is not None
        says = _Said.read(operation, self._transport.came)
        return _check_value(says, outcome.value)

    async def _call(self, operation: str) -> Outcome[Any]:
        match operation:
            case "sendInvoice":
                return await self._client.send_invoice(invoice())
            case "cancelInvoice":
                return await self._client.cancel_invoice(REFERENCE)
        return await self._client.payment_status(REFERENCE, _VERSION)

    def close(self) -> None:
        self._loop.run_until_complete(self._client.close())
        self._loop.run_until_complete(self._seqr.close())


@dataclass(frozen=True, slots=True)
class _Said:
    """What an answer says, found in it in the plainest way."""

    returned: etree._Element

    @classmethod
    def read(cls, operation: str, came: HttpAnswer) -> _Said:
        """Raises AssertionError unless the answer is one to this call, and says SUCCESS."""
        assert 200 <= came.status < 300, came.status
        root = _parsed(came)
        document: Any = root.getroottree().docinfo
        assert not document.doctype, "a document type was accepted"
        assert root.tag == f"{{{SOAP}}}Envelope", root.tag
        (body,) = root.iterchildren(f"{{{SOAP}}}Body")
        (told,) = body.iterchildren(f"{{{NAMESPACE}}}{operation}Response")
        (returned,) = _children(told, "return")
        said = cls(returned)
        assert [int(code) for code in said.texts("resultCode")] == [0], said.texts("resultCode")
        return said

    def texts(self, *path: str) -> list[str]:
        """What stands in all the elements of that name, at the end of the path."""
        found = [self.returned]
        for name in path:
            found = [child for element in found for child in _children(element, name)]
        return [(element.text or "").strip() for element in found]


def _parsed(came: HttpAnswer) -> etree._Element:
    options: Any = {
        "resolve_entities": False,
        "no_network": True,
        "remove_comments": True,
        "remove_pis": True,
    }
    try:
        return etree.fromstring(came.body, etree.XMLParser(**options))
    except etree.XMLSyntaxError:
        return etree.fromstring(came.body, etree.XMLParser(encoding=came.charset, **options))


def _children(element: etree._Element, name: str) -> Sequence[etree._Element]:
    return list(element.iterchildren(name, f"{{{NAMESPACE}}}{name}"))


def _check_exchange(operation: str, outcome: Outcome[Any]) -> None:
    """What is kept of the call fits its outcome, can be stored and shown, and betrays nothing."""
    verdict, exchange = _VERDICTS[type(outcome)], outcome.exchange
    assert (exchange.operation, exchange.verdict) == (operation, verdict), exchange
    assert exchange.result_code == (0 if verdict == "answered" else getattr(outcome, "code", None)), exchange
    for text in (exchange.detail, exchange.request, exchange.response, getattr(outcome, "description", "")):
        _check_text(text)
        assert PASSWORD not in text + unescape(text), "the password is shown"
    assert exchange.detail, "nobody is told what happened"
    assert len(exchange.detail) < _LONGEST_DETAIL, len(exchange.detail)
    if isinstance(outcome, Refused):
        assert outcome.code not in (0, *TRANSIENT_CODES), outcome.code
        assert abs(outcome.code) < 2**31, outcome.code
    if isinstance(outcome, Busy):
        assert outcome.code in TRANSIENT_CODES, "the call went out, and it says that it did not"


def _check_text(text: str) -> None:
    """A database takes it."""
    text.encode()
    assert "\0" not in text, text


def _check_value(says: _Said, value: object) -> str:
    match value:
        case IssuedInvoice():
            assert says.texts("invoiceReference") == [value.reference], value
            _check_text(value.reference)
            _check_text(value.qr_code or "")
        case PaymentStatus():
            return _check_status(says, value)
        case _:
            assert value is None, value
    return "answered"


def _check_status(says: _Said, value: PaymentStatus) -> str:
    assert says.texts("status") == [value.status], value
    assert value.version == _VERSION or [int(text) for text in says.texts("version")] == [value.version], (
        value
    )
    assert 0 <= value.version < 2**31, value.version
    for text in (value.status, value.ers_reference, value.payment_reference, value.invoice_reference):
        _check_text(text or "")
        assert len(text or "") <= 64, text
    _check_sum(says, value.paid)
    named = says.texts("receipt", "invoiceReference")
    about = [text for text in named if 0 < len(text) <= 64]
    another = len(named) > 1 or len(says.texts("receipt")) > 1 or about not in ([], [REFERENCE])
    assert of_another(value, _ATTEMPT) == another, (about, value)
    return "about another" if another else "answered"


def _check_sum(says: _Said, paid: Money | str | None) -> None:
    """It is the one on the receipt; what is none is told as it came, and is not taken for no word of it."""
    values = says.texts("receipt", "invoice", "totalAmount", "value")
    currencies = says.texts("receipt", "invoice", "totalAmount", "currency")
    match paid:
        case None:
            assert not any(values), values
        case Money():
            assert len(currencies) == 1, currencies
            assert [Money.parse(value, currencies[0].upper()) for value in values] == [paid], values
        case _:
            assert paid == "more than one sum" or not _is_sum(values, currencies), paid


def _is_sum(values: list[str], currencies: list[str]) -> bool:
    try:
        return len(values) == 1 and bool(Money.parse(values[0], "".join(currencies).upper()))
    except (MoneyError, ArithmeticError):
        return False


@contextmanager
def _open(_: Path) -> Iterator[Judge]:
    with asyncio.Runner() as runner, listening(Settings(_env_file=None)) as listener:
        loop = runner.get_loop()
        loop.set_exception_handler(listener.hear_loop)
        with closing(_Door(loop, listener)) as door:
            yield door.judge


TARGET = Target(
    open=_open,
    seeds=SEEDS,
    words=WORDS,
    longest=8192,
    vary=within(
        re.compile(rb"(?<=>)[^<>]*(?=<)"),  # a text
        re.compile(rb"<(\w+)>[^<]*</\1>"),  # an element that holds one
        re.compile(rb"<([\w:]+)\b[^<>]*>.*?</\1>", re.DOTALL),
        re.compile(rb"[^\r\n]+\r\n"),  # a line of the head
        anew=SEEDS["answered"],
    ),
)
