"""What SEQR may say to a call, by the outcome that it must have, and words that mean something there."""

from __future__ import annotations

from orchestrator.seqr.wsdl import OPERATIONS
from tests.fixtures.soap import ISSUED, PASSWORD, answer, envelope, success

REFERENCE = "20150306072260070"
"""The invoice that is asked about."""


def _http(operation: str, body: str | bytes, *lines: str, status: str = "200 OK") -> bytes:
    content = body.encode() if isinstance(body, str) else body
    head = "\r\n".join([f"HTTP/1.1 {status}", *(lines or ["Content-Type: text/xml; charset=utf-8"]), "", ""])
    return f"{operation}\n{head}".encode() + content


def _receipt(reference: str, value: str = "298.00", currency: str = "SEK") -> str:
    amount = f"<totalAmount><currency>{currency}</currency><value>{value}</value></totalAmount>"
    return (
        f"<receipt><invoiceReference>{reference}</invoiceReference><paymentReference>P1</paymentReference>"
        f"<paymentDate>2015-03-06T07:22:26.070+01:00</paymentDate><invoice>{amount}</invoice></receipt>"
    )


def _status(status: str, more: str = "") -> str:
    return success("getPaymentStatus", f"<status>{status}</status><version>4</version>{more}")


_PAID = _status("PAID", f"<ersReference>E1</ersReference>{_receipt(REFERENCE)}")
_FAULT = envelope("<S:Fault><faultcode>S:Server</faultcode><faultstring>NullPointer</faultstring></S:Fault>")
_UTF16 = f'<?xml version="1.0" encoding="UTF-16"?>{_PAID}'.encode("utf-16")
_TYPED = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="int"'
_SENT = success("sendInvoice", ISSUED)
_CHUNKS = f"{len(_SENT):x}\r\n{_SENT}\r\n0\r\n\r\n"


def _code(operation: str, code: int, more: str = "") -> bytes:
    return _http(operation, answer(operation, f"<resultCode>{code}</resultCode>{more}"))


SEEDS = {
    "answered": (
        _http("sendInvoice", _SENT),
        _http("sendInvoice", _CHUNKS, "Transfer-Encoding: chunked", "Connection: close"),
        _http("sendInvoice", _SENT, f"Content-Length: {len(_SENT)}", "Content-Type: text/html"),
        _http("getPaymentStatus", _PAID),
        _http("getPaymentStatus", _UTF16, "Content-Type: text/xml"),
        _http("getPaymentStatus", _status("ISSUED"), "Content-Type: text/xml; charset=utf-32"),
        _http("getPaymentStatus", _status("PAID", _receipt(REFERENCE, "1e400", "sek"))),
        _http("getPaymentStatus", _status("REVERSED", "<new>x</new><!-- c --><?pi d?>")),
        _http("getPaymentStatus", _status("PAID").replace("<status>", f"<status {_TYPED}>")),
        _http("cancelInvoice", success("cancelInvoice")),
    ),
    "about another": (_http("getPaymentStatus", _status("PAID", _receipt("another"))),),
    "refused": (
        _code("sendInvoice", 49, "<resultDescription>INVALID_INVOICE_DATA: no total. </resultDescription>"),
        _code("getPaymentStatus", 54),
        _code("cancelInvoice", 50),
    ),
    "busy": (_code("sendInvoice", 93), _code("getPaymentStatus", 90), _code("cancelInvoice", 48)),
    "unknown": (
        _http("sendInvoice", success("sendInvoice")),
        _http("cancelInvoice", success("sendInvoice")),
        _http("cancelInvoice", answer("cancelInvoice", "<resultDescription>SUCCESS</resultDescription>")),
        _http("sendInvoice", answer("sendInvoice", ISSUED)),
        _http("cancelInvoice", envelope("")),
        _http("cancelInvoice", _FAULT, status="500 Internal Server Error"),
        _http("getPaymentStatus", _PAID, status="503 Service Unavailable"),
        _http("getPaymentStatus", _PAID, "Content-Length: 9999"),
        _http("getPaymentStatus", b"\x1f\x8b\x08\x00", "Content-Encoding: gzip"),
        _http("getPaymentStatus", "", "Location: http://127.0.0.1:1/", status="302 Found"),
        _http("getPaymentStatus", f'<!DOCTYPE x [<!ENTITY e "PAID">]>{_status("&e;")}'),
        _http("getPaymentStatus", "<html><h1>It works!</h1></html>", "Content-Type: text/html"),
        _http("getPaymentStatus", _status("")),
        b"getPaymentStatus\nSSH-2.0-OpenSSH_9.6\r\n",
        b"",
    ),
}

_NAMES = (
    "return",
    "resultCode",
    "status",
    "version",
    "receipt",
    "invoice",
    "invoiceReference",
    "ersReference",
)

WORDS = (
    *(f"{name}\nHTTP/1.1 200 OK\r\n\r\n".encode() for name in OPERATIONS),
    *(f"<{name}>".encode() for name in _NAMES),
    *(f"</{name}>".encode() for name in _NAMES),
    REFERENCE.encode(),
    _TYPED.encode(),
    *b"""
        PAID ISSUED CANCELED FAILED REVERSED 0 54 -0 1e999 NaN INF <value> <currency> <password>
        utf-16 utf-7 punycode idna hex rot13 gzip deflate br zstd UTF-16 IBM037 <![CDATA[ ]]> <!-- --> <? ?>
        &#0; &#xD800; &#x1F6D2; &amp; xsi:type="x" xsi:nil="true" xmlns: xmlns=""
    """.split(),
    *(b"Content-Type: ", b"text/xml; charset=", b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: "),
    *(b"Content-Length: ", b"Set-Cookie: a=b\r\n", b"Connection: upgrade\r\n", b"0\r\n\r\n", b"FFFFFFFF\r\n"),
    *(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 101 Switching\r\n\r\n", b"HTTP/1.1 204 \r\n\r\n"),
    *(
        b"HTTP/1.0 ",
        b'<?xml version="1.0" encoding="',
        b"<!DOCTYPE a>",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xfe\xff",
    ),
    PASSWORD.encode(),
)
