"""The stub's books: what is judged later is what it noted."""

from __future__ import annotations

import json
from itertools import count

from bench.stub import Books

ASK = b"<getPaymentStatus><invoiceReference>%b</invoiceReference></getPaymentStatus>"
SEND = b"<sendInvoice><notificationUrl>http://shop/a&amp;b</notificationUrl></sendInvoice>"


def watching() -> Books:
    """Books whose clock goes on by a second whenever it is looked at."""
    clock = count()
    return Books(lambda: float(next(clock)))


def test_an_invoice_is_paid_when_it_was_and_told_about_once() -> None:
    books = Books()
    assert b"<invoiceReference>00000000000000001<" in books.answer(b"/soap", SEND)
    assert json.loads(books.answer(b"/invoices", b"")) == {"00000000000000001": "http://shop/a&b"}
    assert json.loads(books.answer(b"/invoices", b"")) == {}
    assert b"<status>ISSUED<" in books.answer(b"/soap", ASK % b"00000000000000001")
    books.answer(b"/pay", b"00000000000000001")
    assert b"<status>PAID<" in books.answer(b"/soap", ASK % b"00000000000000001")
    assert list(json.loads(books.answer(b"/asked", b""))) == ["00000000000000001"]
    assert json.loads(books.answer(b"/asked", b"")) == {}


def test_the_longest_wait_is_that_of_the_one_who_waited_longest() -> None:
    books = watching()
    books.answer(b"/watch", b"often\nseldom")
    for _ in range(5):
        books.answer(b"/soap", ASK % b"often")
    books.answer(b"/soap", ASK % b"seldom")
    books.answer(b"/soap", ASK % b"unwatched")
    assert json.loads(books.answer(b"/watched", b"")) == {"count": 6, "longest": 6.0}


def test_one_that_was_never_asked_about_waits_since_the_beginning() -> None:
    books = watching()
    books.answer(b"/watch", b"often\nnever")
    for _ in range(5):
        books.answer(b"/soap", ASK % b"often")
    seen = json.loads(books.answer(b"/watched", b""))
    assert seen["count"] == 5
    assert seen["longest"] >= 5
