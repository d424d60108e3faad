"""Every answer that SEQR, or something in its place, may give ends as exactly one outcome."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from orchestrator.seqr.codes import described
from orchestrator.seqr.errors import Lost, NotSent
from orchestrator.seqr.http_answer import HttpAnswer
from orchestrator.seqr.messages import (
    TRANSIENT_CODES,
    Answered,
    Busy,
    Exchange,
    IssuedInvoice,
    Refused,
    Unknown,
    Verdict,
)
from tests.fixtures.soap import ISSUED, SOAP, answer, client, envelope, http, invoice, success


async def unknown(prepared: HttpAnswer | Exception | str) -> Unknown:
    seqr, _ = client(prepared)
    outcome = await seqr.send_invoice(invoice())
    assert isinstance(outcome, Unknown)
    assert outcome.exchange.verdict is Verdict.UNKNOWN
    assert outcome.exchange.result_code is None
    return outcome


async def test_an_invoice_is_made() -> None:
    seqr, _ = client(success("sendInvoice", ISSUED))
    outcome = await seqr.send_invoice(invoice())
    assert isinstance(outcome, Answered)
    assert outcome.value == IssuedInvoice("20150306072260070", "HTTP://SEQR.SE/R1")
    assert outcome.exchange.detail == "SEQR made invoice 20150306072260070."
    assert (outcome.exchange.verdict, outcome.exchange.result_code) == (Verdict.ANSWERED, 0)


async def test_an_invoice_is_cancelled() -> None:
    seqr, _ = client(success("cancelInvoice"))
    outcome = await seqr.cancel_invoice("1")
    assert isinstance(outcome, Answered)
    assert outcome.value is None
    assert outcome.exchange.detail == "SEQR carried out cancelInvoice."


@pytest.mark.parametrize("code", sorted(TRANSIENT_CODES))
async def test_a_transient_code_is_busy(code: int) -> None:
    seqr, _ = client(answer("cancelInvoice", f"<resultCode>{code}</resultCode>"))
    outcome = await seqr.cancel_invoice("1")
    assert isinstance(outcome, Busy)
    assert (outcome.code, outcome.exchange.result_code) == (code, code)
    assert outcome.exchange.verdict is Verdict.BUSY


@pytest.mark.parametrize("code", [11, 20, 49, 50, 54, 95, 12345, -1])
async def test_any_other_code_is_refused(code: int) -> None:
    inner = f"<resultDescription>Nej</resultDescription><resultCode>{code}</resultCode>"
    seqr, _ = client(answer("cancelInvoice", inner))
    outcome = await seqr.cancel_invoice("1")
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.description) == (code, "Nej")
    assert str(code) in outcome.exchange.detail


@pytest.mark.parametrize(
    ("code", "description", "said"),
    [
        (49, "The total is wrong.", "49 INVALID_INVOICE_DATA: The total is wrong"),
        (49, "INVALID_INVOICE_DATA: the total", "49 INVALID_INVOICE_DATA: the total"),
        (49, None, "49 INVALID_INVOICE_DATA"),
        (777, "Strange", "777: Strange"),
        (777, "", "777"),
    ],
)
def test_a_code_is_said_with_name_and_words(code: int, description: str | None, said: str) -> None:
    assert described(code, description) == said


async def test_a_code_without_words_gets_its_name() -> None:
    seqr, _ = client(answer("sendInvoice", "<resultCode>64</resultCode>"))
    outcome = await seqr.send_invoice(invoice())
    assert isinstance(outcome, Refused)
    assert outcome.description == "INVALID_NOTIFICATION_URL"
    assert outcome.exchange.detail == "SEQR refused: 64 INVALID_NOTIFICATION_URL."


def _twice(element: str) -> str:
    """A good answer, then in the same message another one."""
    good = success("sendInvoice", ISSUED)
    (whole,) = re.findall(rf"<{element}\b.*</{element}>", good)
    return good.replace(whole, whole + whole.replace("20150306072260070", "20150306072260071"))


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        (success("sendInvoice"), "no usable invoiceReference"),
        (success("sendInvoice", "<invoiceReference>  </invoiceReference>"), "no usable invoiceReference"),
        (success("sendInvoice", f"<invoiceReference>{'9' * 200}</invoiceReference>"), "no usable invoiceRef"),
        (
            success("sendInvoice", ISSUED + "<invoiceReference>2</invoiceReference>"),
            "no usable invoiceReference",
        ),
        (answer("sendInvoice", ISSUED), "no result code"),
        (answer("sendInvoice", f"<resultCode>zero</resultCode>{ISSUED}"), "no result code"),
        (answer("sendInvoice", f"<resultCode>{10**30}</resultCode>{ISSUED}"), "no result code"),
        (answer("sendInvoice", ""), "no result code"),
        (
            answer("sendInvoice", "<resultCode>0</resultCode><resultCode>49</resultCode>"),
            "no result code that is one",
        ),
        (success("cancelInvoice"), "cancelInvoiceResponse"),
        (envelope(""), "body is empty"),
        (
            envelope(
                "<sendInvoiceResponse><return><resultCode>0</resultCode></return></sendInvoiceResponse>"
            ),
            "instead",
        ),
        (_twice("S:Body"), "two things at once"),
        (_twice("n:sendInvoiceResponse"), "two things at once"),
        (_twice("return"), "no result code that is one"),
        ("<html><body>Hello</body></html>", "no SOAP envelope: <html>"),
        (f'<S:Envelope xmlns:S="{SOAP}"/>', "no SOAP envelope"),
        ("Service Temporarily Unavailable", "not XML (text/xml; charset=utf-8): Service Temporarily"),
        ("", "empty"),
        (" \n", "empty"),
        (success("sendInvoice", ISSUED)[:-30], "not XML"),
        ("{}", "not XML"),
    ],
)
async def test_an_unusable_answer_is_unknown(inner: str, said: str) -> None:
    assert said in (await unknown(inner)).description


@pytest.mark.parametrize("status", [301, 302, 401, 404, 429, 500, 502, 503, 299 + 1])
async def test_an_http_error_is_unknown_even_with_a_good_body(status: int) -> None:
    outcome = await unknown(http(success("sendInvoice", ISSUED), status))
    assert f"HTTP {status}" in outcome.description


async def test_an_http_error_page_names_the_status() -> None:
    outcome = await unknown(http("<html><p>Bad Gateway", 502, "text/html"))
    assert outcome.description.startswith(
        "The server answered HTTP 502 Reason. The answer is not XML (text/html)"
    )


@pytest.mark.parametrize("status", [200, 500])
async def test_a_fault_is_unknown_with_its_text(status: int) -> None:
    fault = "<S:Fault><faultcode>S:Server</faultcode><faultstring> Out of luck </faultstring></S:Fault>"
    outcome = await unknown(http(envelope(fault), status))
    assert outcome.description == f"SEQR answered with a SOAP fault: Out of luck (HTTP {status})."


async def test_a_fault_of_many_words_is_cut_short() -> None:
    outcome = await unknown(http(envelope(f"<S:Fault><faultstring>{'no ' * 99_999}</faultstring></S:Fault>")))
    assert len(outcome.description) < 1100
    assert len(outcome.exchange.detail) < 1100


async def test_a_fault_without_text_is_told_as_such() -> None:
    assert "without a reason" in (await unknown(http(envelope("<S:Fault/>"), 500))).description


@pytest.mark.parametrize(
    "subset", ["", '[<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]', '[<!ENTITY x SYSTEM "file:///etc/hostname">]']
)
async def test_a_document_type_is_unknown(subset: str) -> None:
    described = "<resultDescription>&x;</resultDescription>" if "SYSTEM" in subset else ""
    body = f"<!DOCTYPE x {subset}>{success('sendInvoice', ISSUED + described)}"
    outcome = await unknown(body)
    assert "document type" in outcome.description


async def test_a_deep_answer_is_unknown() -> None:
    assert "not XML" in (await unknown(success("sendInvoice", "<a>" * 5000 + "</a>" * 5000))).description


@pytest.mark.parametrize("content_type", ["text/plain", "text/html", "application/soap+xml", "", "nonsense"])
async def test_good_xml_of_any_content_type_is_taken(content_type: str) -> None:
    seqr, _ = client(http(success("sendInvoice", ISSUED), 200, content_type))
    assert isinstance(await seqr.send_invoice(invoice()), Answered)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
async def test_any_declared_encoding_is_read(encoding: str) -> None:
    inner = "<resultCode>49</resultCode><resultDescription>Räksmörgås</resultDescription>"
    body = f'<?xml version="1.0" encoding="{encoding}"?>{answer("sendInvoice", inner)}'.encode(encoding)
    seqr, _ = client(http(body))
    outcome = await seqr.send_invoice(invoice())
    assert isinstance(outcome, Refused)
    assert outcome.description == "Räksmörgås"
    assert "Räksmörgås" in outcome.exchange.response


async def test_an_encoding_that_only_http_declares_is_read() -> None:
    inner = "<resultCode>49</resultCode><resultDescription>Räksmörgås</resultDescription>"
    seqr, _ = client(
        http(answer("sendInvoice", inner).encode("iso-8859-1"), 200, "text/xml; charset=iso-8859-1")
    )
    outcome = await seqr.send_invoice(invoice())
    assert isinstance(outcome, Refused)
    assert outcome.description == "Räksmörgås"


@pytest.mark.parametrize("charset", ["klingon", "utf\x068", "utf-8\0", "\udcff"])
async def test_a_charset_that_nobody_knows_is_no_obstacle(charset: str) -> None:
    assert "not XML" in (await unknown(http(b"\xff<", 200, f"text/xml; charset={charset}"))).description


async def test_no_connection_is_busy() -> None:
    seqr, _ = client(NotSent("SEQR cannot be reached."))
    outcome = await seqr.send_invoice(invoice())
    assert isinstance(outcome, Busy)
    assert (outcome.code, outcome.description) == (None, "SEQR cannot be reached.")
    assert outcome.exchange.response == ""
    assert "Nothing was sent" in outcome.exchange.detail


async def test_a_lost_answer_is_unknown() -> None:
    assert (await unknown(Lost("No answer."))).description == "No answer."


async def test_the_observer_is_told_of_every_exchange() -> None:
    seen: list[Exchange] = []
    seqr, _ = client(success("sendInvoice", ISSUED), observe=seen.append)
    before = datetime.now(UTC)
    outcome = await seqr.send_invoice(invoice())
    await seqr.cancel_invoice("1")
    assert [exchange.operation for exchange in seen] == ["sendInvoice", "cancelInvoice"]
    assert seen[0] is outcome.exchange
    assert before <= seen[0].started_at <= datetime.now(UTC)
    assert seen[0].duration_ms > 0


async def test_a_failing_observer_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(exchange: Exchange) -> None:
        raise RuntimeError("metrics are down")

    seqr, _ = client(success("sendInvoice", ISSUED), observe=fail)
    assert isinstance(await seqr.send_invoice(invoice()), Answered)
    assert "metrics are down" in caplog.text


async def test_close_closes_the_transport() -> None:
    seqr, transport = client("")
    await seqr.close()
    assert transport.closed
