"""Put the elements of an answer into the order that the schema, and so zeep, insists on.

SEQR sends and takes elements in any order; zeep's strict parser refuses what is out of order and its lax one
drops it. So before zeep reads a message we sort the children, leave out what the schema does not know, and
empty what its type cannot hold. Nothing that SEQR adds later can then hide what it says today.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


class SchemaOrder:
    """Sorts elements into the order of their zeep types. Keeps a plan per type, so make one per WSDL."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._plans: dict[int, dict[str, Any]] = {}

    def arrange(self, node: etree._Element, xsd_type: Any) -> None:
        """Arrange ``node`` and all within it, in place, as ``xsd_type`` (a zeep type) wants it."""
        if _XSI_TYPE in node.attrib:
            del node.attrib[_XSI_TYPE]
        elements = self._plan(xsd_type)
        if not elements:
            _empty_if_unreadable(node, xsd_type)
            return
        children = self._known_children(node, elements)
        for name, child in children:
            self.arrange(child, elements[name].type)
        position = {name: index for index, name in enumerate(elements)}
        children += _missing_ones(elements, {name for name, _ in children})
        node[:] = [child for _, child in sorted(children, key=lambda pair: position[pair[0]])]

    def _plan(self, xsd_type: Any) -> dict[str, Any]:
        plan = self._plans.get(id(xsd_type))  # zeep's types cannot be hashed, and live as long as the WSDL
        if plan is None:
            members = [member for _, member in getattr(xsd_type, "elements", ())]
            plan = {member.qname.localname: member for member in members if member.qname}
            self._plans[id(xsd_type)] = plan
        return plan

    def _known_children(
        self, node: etree._Element, elements: dict[str, Any]
    ) -> list[tuple[str, etree._Element]]:
        named = [(etree.QName(child), child) for child in node]
        return [
            (name.localname, child)
            for name, child in named
            if name.localname in elements and name.namespace in (None, self._namespace)
        ]


def _missing_ones(elements: dict[str, Any], present: set[str]) -> list[tuple[str, etree._Element]]:
    """An empty element reads as None: whoever needs the value says so better than a parser's error."""
    return [
        (name, etree.Element(name))
        for name, element in elements.items()
        if element.min_occurs and name not in present
    ]


def _empty_if_unreadable(leaf: etree._Element, xsd_type: Any) -> None:
    try:
        if leaf.text is not None:
            xsd_type.pythonvalue(leaf.text)
    except (ValueError, TypeError, ArithmeticError):
        leaf.text = None
