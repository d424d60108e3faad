"""Open a SOAP envelope that came over the network, trusting nothing in it."""

from __future__ import annotations

from lxml import etree

from orchestrator.seqr.characters import decoded
from orchestrator.seqr.errors import Unintelligible
from orchestrator.seqr.http_answer import HttpAnswer
from orchestrator.seqr.wsdl import NAMESPACE

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_ENVELOPE, _BODY, _FAULT = (f"{{{SOAP}}}{name}" for name in ("Envelope", "Body", "Fault"))
_SHOWN = 120


def open_answer(operation: str, answer: HttpAnswer) -> etree._Element:
    """The answer's element in the SOAP body. Raises Unintelligible, naming what came instead.

    The content type is not looked at: good XML is good XML. A fault is one whatever the HTTP status.
    """
    try:
        content = _soap_content(answer)
    except Unintelligible as fault:
        raise Unintelligible(f"{_http_problem(answer)}{fault.message}") from fault
    if content.tag == _FAULT:
        raise Unintelligible(
            f"SEQR answered with a SOAP fault: {_fault_text(content)} (HTTP {answer.status})."
        )
    if not answer.fine:
        raise Unintelligible(f"{_http_problem(answer)}The answer is not used.")
    if content.tag != f"{{{NAMESPACE}}}{operation}Response":
        raise Unintelligible(f"The answer to {operation} is a {content.tag} instead.")
    return content


def _http_problem(answer: HttpAnswer) -> str:
    return "" if answer.fine else f"The server answered HTTP {answer.status} {answer.reason}. "


def _soap_content(answer: HttpAnswer) -> etree._Element:
    if not answer.body or answer.body.isspace():
        raise Unintelligible("The answer is empty.")
    root = _parsed(answer)
    bodies = [child for child in root if child.tag == _BODY] if root.tag == _ENVELOPE else []
    if not bodies:
        raise Unintelligible(f"The answer is XML, but no SOAP envelope: <{root.tag}>.")
    if not len(bodies[0]):
        raise Unintelligible("The answer's SOAP body is empty.")
    if len(bodies) > 1 or len(bodies[0]) > 1:
        raise Unintelligible("The answer says two things at once.")
    return bodies[0][0]


def _parsed(answer: HttpAnswer) -> etree._Element:
    try:
        root = etree.fromstring(answer.body, _PARSER)
    except etree.XMLSyntaxError as fault:
        root = _parsed_as_declared_by_http(answer, fault)
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unintelligible("The answer has a document type declaration, which SOAP forbids.")
    return root


def _parsed_as_declared_by_http(answer: HttpAnswer, fault: etree.XMLSyntaxError) -> etree._Element:
    try:
        if answer.charset:
            return etree.fromstring(answer.body, _secure_parser(answer.charset))
    except (etree.XMLSyntaxError, LookupError, ValueError):
        pass  # the first reading's error tells more than one about the charset
    start = decoded(answer.body[:_SHOWN]).strip()
    raise Unintelligible(
        f"The answer is not XML ({answer.content_type or 'no content type'}): {start}"
    ) from fault


def _secure_parser(encoding: str | None = None) -> etree.XMLParser:
    return etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )


_PARSER = _secure_parser()


def _fault_text(fault: etree._Element) -> str:
    texts = {etree.QName(child).localname: (child.text or "").strip() for child in fault}
    return texts.get("faultstring") or texts.get("faultcode") or "without a reason"
