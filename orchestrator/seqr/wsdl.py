"""SEQR's WSDL at work: fields to messages and messages to fields. All that calls zeep is in this file.

zeep reads the WSDL, writes the first envelope of each shape, and says which type an element of an answer has.
HTTP is the transport's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from lxml import etree
from zeep.settings import Settings
from zeep.transports import Transport as WsdlLoader
from zeep.wsdl import Document
from zeep.wsdl.bindings import Soap11Binding

from orchestrator.seqr.errors import SeqrSetupError
from orchestrator.seqr.reader import Reader
from orchestrator.seqr.request import Fields

NAMESPACE = "http://external.interfaces.ers.seamless.com/"
SHIPPED_WSDL = Path(__file__).with_name("seqr.wsdl")
OPERATIONS = ("sendInvoice", "getPaymentStatus", "cancelInvoice")
"""The operations that the orchestrator calls; a WSDL without one of them is of no use."""

_LOAD_TIMEOUT = 10.0

# zeep leaves it without types: as Any it is called without claiming any.
_wsdl_loader: Any = WsdlLoader


class Dialect(Protocol):
    """How calls are written and answers read, apart from how they travel."""

    def create(self, operation: str, fields: Fields) -> bytes:
        """The SOAP envelope of a call. It may take long: :class:`~orchestrator.seqr.template.Letterhead`
        has it done once for each shape."""

    def read(self, operation: str, answer: etree._Element) -> Fields:
        """What the answer's ``return`` holds; ``answer`` is the child of the SOAP body. Raises
        Unintelligible when it does not fit."""


class Wsdl:
    """A :class:`Dialect` that follows a WSDL. Make it with :meth:`load`."""

    def __init__(self, document: Document, binding: Any) -> None:
        schema: Any = document.types
        self._answers = {
            name: schema.get_element(f"{{{NAMESPACE}}}{name}Response").type for name in OPERATIONS
        }
        self._operations: Mapping[str, Any] = {name: binding.get(name) for name in binding.all()}
        self._reader = Reader(NAMESPACE)

    @classmethod
    def load(cls, location: str | Path = SHIPPED_WSDL) -> Wsdl:
        """Read a WSDL from a path or an http(s) address, which blocks for up to ten seconds a document.

        The addresses in its ports are ignored. Raises SeqrSetupError when it cannot be read, is no WSDL, or
        does not describe what we call.
        """
        document = _document(str(location))
        return cls(document, _binding(document, str(location)))

    def create(self, operation: str, fields: Fields) -> bytes:
        envelope = self._operations[operation].create(**fields).content
        return bytes(etree.tostring(envelope, xml_declaration=True, encoding="utf-8"))

    def read(self, operation: str, answer: etree._Element) -> Fields:
        returned = self._reader.fields(answer, self._answers[operation]).get("return")
        return returned if isinstance(returned, Mapping) else {}


def _document(location: str) -> Document:
    loader = _wsdl_loader(timeout=_LOAD_TIMEOUT)
    try:
        return Document(location, loader, settings=Settings(forbid_dtd=True, force_https=False))
    except Exception as fault:  # zeep raises what it likes on a document that is no WSDL
        raise _setup_error(
            f"SEQR's WSDL {location} cannot be used: {str(fault) or type(fault).__name__}."
        ) from fault
    finally:
        loader.session.close()


def _setup_error(problem: str) -> SeqrSetupError:
    without_credentials = re.sub(r"//[^/@\s]*@", "//", problem)
    return SeqrSetupError(
        f"{without_credentials} Set ORCHESTRATOR_SEQR_WSDL to a path or address of SEQR's WSDL, or leave it "
        "out to use the one that ships with the project."
    )


def _binding(document: Document, location: str) -> Any:
    """The SOAP 1.1 binding that has our operations in SEQR's namespace, whatever it is called."""
    missing: Iterable[str] = OPERATIONS
    for binding in document.bindings.values():
        if not isinstance(binding, Soap11Binding):
            continue
        missing = [name for name in OPERATIONS if not _speaks(binding, name)]
        if not missing:
            return binding
    raise _setup_error(
        f"The WSDL {location} has no SOAP 1.1 binding for {', '.join(missing)} in the namespace {NAMESPACE}."
    )


def _speaks(binding: Any, name: str) -> bool:
    operation = binding.all().get(name)
    parts = (operation.input, operation.output) if operation else ()
    names = [part.body.qname.text for part in parts if part and part.body is not None]
    return names == [f"{{{NAMESPACE}}}{name}", f"{{{NAMESPACE}}}{name}Response"]
