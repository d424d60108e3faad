"""SEQR's SOAP service on the wire: envelopes in, envelopes out, driven by a WSDL.

Reading is lax as SEQR is: elements may come in any order, and elements that the WSDL does not know are left
out. Entities and DTDs are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lxml import etree
from zeep import Client, Settings
from zeep.exceptions import Error as ZeepError

from sandbox.errors import MalformedRequest

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_ADDRESS = "{http://schemas.xmlsoap.org/wsdl/soap/}address"


class Wire:
    """Reads and writes the messages of one WSDL."""

    def __init__(self, wsdl: Path) -> None:
        self._wsdl = wsdl
        make_client: Any = Client
        document = make_client(str(wsdl), settings=Settings(strict=False)).wsdl
        port = next(port for service in document.services.values() for port in service.ports.values())
        self._operations: Mapping[str, Any] = port.binding.all()
        self._namespace: str = port.binding.name.namespace

    @property
    def operations(self) -> list[str]:
        """The names of all operations."""
        return sorted(self._operations)

    def wsdl(self, address: str) -> bytes:
        """The WSDL with the service's address replaced."""
        tree = etree.parse(str(self._wsdl), _parser())
        for element in tree.iter(_ADDRESS):
            element.set("location", address)
        return etree.tostring(tree, xml_declaration=True, encoding="UTF-8")

    def read(self, body: bytes) -> tuple[str, Any]:
        """The operation's name and its arguments.

        Raises:
            MalformedRequest: no SOAP envelope, an unknown operation, or values of a wrong type.
        """
        envelope = _parse(body)
        request = _request_element(envelope)
        name = etree.QName(request)
        operation = self._operations.get(name.localname)
        if operation is None or name.namespace != self._namespace:
            raise MalformedRequest(f"{name.text} is no operation of this service")
        _sort(request, operation.input.body.type)
        return name.localname, _deserialize(operation, envelope)

    def write(self, operation: str, answer: Mapping[str, Any]) -> bytes:
        """The envelope that answers an operation."""
        message = self._operations[operation].output.serialize(**{"return": answer})
        return etree.tostring(message.content, xml_declaration=True, encoding="UTF-8")


def fault(code: str, reason: str) -> bytes:
    """A SOAP 1.1 Fault; ``code`` is Client or Server."""
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soap": ENVELOPE})
    body = etree.SubElement(envelope, f"{{{ENVELOPE}}}Body")
    element = etree.SubElement(body, f"{{{ENVELOPE}}}Fault")
    etree.SubElement(element, "faultcode").text = f"soap:{code}"
    etree.SubElement(element, "faultstring").text = reason
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )


def _parse(body: bytes) -> etree._Element:
    try:
        envelope = etree.fromstring(body, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MalformedRequest(f"the request is not XML: {error}") from error
    if envelope.getroottree().docinfo.internalDTD is not None:
        raise MalformedRequest("a SOAP message must not have a document type")
    return envelope


def _request_element(envelope: etree._Element) -> etree._Element:
    body = envelope.find(f"{{{ENVELOPE}}}Body")
    if envelope.tag != f"{{{ENVELOPE}}}Envelope" or body is None or len(body) != 1:
        raise MalformedRequest("the request is not a SOAP 1.1 envelope with one element in its Body")
    return body[0]


def _sort(element: etree._Element, type_: Any) -> None:
    """Put the children into the schema's order, deeply; leave out those that it does not know."""
    known = {child.name: (place, child.type) for place, (_, child) in enumerate(_children(type_))}
    kept = sorted((child for child in element if child.tag in known), key=lambda child: known[child.tag][0])
    element[:] = kept
    for child in kept:
        _sort(child, known[child.tag][1])


def _children(type_: Any) -> list[tuple[str, Any]]:
    return list(getattr(type_, "elements", ()))


def _deserialize(operation: Any, envelope: etree._Element) -> Any:
    try:
        return operation.input.deserialize(envelope)
    except (ZeepError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        raise MalformedRequest(f"a value of {operation.name} has the wrong type: {error}") from error
