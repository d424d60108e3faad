"""Our WSDL, SEQR's, and files that only look like one."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.seqr.client import SoapSeqr
from orchestrator.seqr.errors import SeqrSetupError
from orchestrator.seqr.messages import Answered
from orchestrator.seqr.wsdl import SHIPPED_WSDL, Wsdl
from tests.fixtures.soap import CREDENTIALS, ISSUED, PUBLIC_WSDL, MemoryTransport, http, invoice, success

ENDPOINT = "https://seqr.example/service"


@pytest.fixture
def altered(tmp_path: Path) -> Path:
    return tmp_path / "altered.wsdl"


def shipped_with(old: str, new: str) -> str:
    text = SHIPPED_WSDL.read_text("utf-8")
    assert old in text
    return text.replace(old, new)


@pytest.mark.skipif(not PUBLIC_WSDL.exists(), reason="SEQR's own WSDL is not on this machine")
async def test_seqrs_own_wsdl_serves_as_well() -> None:
    transport = MemoryTransport(http(success("sendInvoice", ISSUED)))
    seqr = SoapSeqr(Wsdl.load(PUBLIC_WSDL), transport, CREDENTIALS)
    assert isinstance(await seqr.send_invoice(invoice()), Answered)
    assert isinstance(SoapSeqr.open(ENDPOINT, CREDENTIALS, wsdl=PUBLIC_WSDL), SoapSeqr)


def test_names_of_service_port_and_binding_do_not_matter(altered: Path) -> None:
    text = shipped_with("ERSWSExternalClientServiceServiceSoapBinding", "Renamed")
    altered.write_text(text.replace("ERSWSExternalClientServicePort", "AlsoRenamed"), "utf-8")
    assert isinstance(SoapSeqr.open(ENDPOINT, CREDENTIALS, wsdl=altered), SoapSeqr)


def test_opening_needs_no_event_loop_and_shows_no_secret() -> None:
    assert CREDENTIALS.password not in repr(SoapSeqr.open(ENDPOINT, CREDENTIALS))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "cannot be used"),
        ("<html>", "cannot be used"),
        ("<html/>", "no SOAP 1.1 binding"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", "cannot be used"),
        (
            shipped_with("http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/"),
            "no SOAP 1.1",
        ),
        (
            shipped_with("external.interfaces.ers", "other.interfaces.ers"),
            "no SOAP 1.1 binding for sendInvoice",
        ),
        (shipped_with('tns:cancelInvoice"', 'tns:nowhere"'), "cannot be used"),
        (shipped_with('name="notificationUrl"', 'name="callback"'), "cannot carry our sendInvoice"),
    ],
)
def test_a_wrong_wsdl_says_what_to_do(altered: Path, content: str, said: str) -> None:
    altered.write_text(content, "utf-8")
    with pytest.raises(SeqrSetupError) as caught:
        SoapSeqr.open(ENDPOINT, CREDENTIALS, wsdl=altered)
    assert said in caught.value.message
    assert "ORCHESTRATOR_SEQR_WSDL" in caught.value.message


def test_a_missing_wsdl_is_named(tmp_path: Path) -> None:
    with pytest.raises(SeqrSetupError, match=r"gone\.wsdl"):
        Wsdl.load(tmp_path / "gone.wsdl")


def test_an_address_of_nobody_is_named_without_its_password() -> None:
    with pytest.raises(SeqrSetupError) as caught:
        Wsdl.load("http://me:hidden@127.0.0.1:1/seqr.wsdl")
    assert "127.0.0.1:1/seqr.wsdl" in caught.value.message
    assert "hidden" not in caught.value.message


@pytest.mark.parametrize(
    "endpoint", ["", "seqr.example", "ftp://seqr.example", "http://", "https://[", "http://x:99999"]
)
def test_a_wrong_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(SeqrSetupError, match="ORCHESTRATOR_SEQR_ENDPOINT"):
        SoapSeqr.open(endpoint, CREDENTIALS)


@pytest.mark.parametrize("timeout", [0, -1])
def test_a_timeout_is_more_than_nothing(timeout: float) -> None:
    with pytest.raises(SeqrSetupError, match="ORCHESTRATOR_SEQR_TIMEOUT"):
        SoapSeqr.open(ENDPOINT, CREDENTIALS, timeout=timeout)
