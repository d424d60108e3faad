"""Read an answer's elements by the types of a WSDL, whatever order they come in.

SEQR sends and takes elements in any order; zeep's strict parser refuses what is out of order and its lax one
drops it. So the types are zeep's and the walk is ours. What the schema does not know is passed over, what its
type cannot hold stays the text that it is, and what should be there once and is there again is ``TWICE``:
nothing that SEQR adds later, or gets wrong elsewhere, can hide what it says today.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lxml import etree

from orchestrator.seqr.request import Fields

TWICE = object()
"""In the place of a value: nobody can tell which of several is meant."""

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


class Reader:
    """Turns elements into fields by their zeep types. Keeps a plan per type, so make one per WSDL."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._plans: dict[int, _Plan] = {}

    def fields(self, node: etree._Element, xsd_type: Any) -> Fields:
        """What ``node`` holds as ``xsd_type`` (a complex zeep type) has it."""
        plan, found = self._plan(xsd_type), dict[str, Any]()
        for child in node:
            member = plan.get(child.tag)
            if member is None:
                continue
            name, value = member.name, self._value(child, member)
            if member.many:
                found.setdefault(name, []).append(value)
            else:
                found[name] = TWICE if name in found else value
        return found

    def _value(self, node: etree._Element, member: _Member) -> object:
        if member.nillable and node.get(_NIL) in ("true", "1"):
            return None
        return _leaf(node.text, member.type) if member.simple else self.fields(node, member.type)

    def _plan(self, xsd_type: Any) -> _Plan:
        plan = self._plans.get(id(xsd_type))  # zeep's types cannot be hashed, and live as long as the WSDL
        if plan is None:
            plan = {member.qname.localname: _Member.of(member) for member in _members(xsd_type)}
            plan |= {f"{{{self._namespace}}}{name}": member for name, member in plan.items()}
            self._plans[id(xsd_type)] = plan
        return plan


@dataclass(frozen=True, slots=True)
class _Member:
    """An element that a type may have. zeep reckons this out anew whenever it is asked."""

    name: str
    type: Any
    simple: bool
    nillable: bool
    many: bool

    @classmethod
    def of(cls, member: Any) -> _Member:
        simple = not _members(member.type)
        return cls(member.name, member.type, simple, member.nillable, member.accepts_multiple)


_Plan = dict[Any, _Member]
"""Members by their tags."""


def _members(xsd_type: Any) -> list[Any]:
    """None where the type is simple."""
    return [member for _, member in getattr(xsd_type, "elements", ()) if member.qname]


def _leaf(text: str | None, xsd_type: Any) -> object:
    if text is None:
        return None
    try:
        return xsd_type.pythonvalue(text)
    except (ValueError, TypeError, ArithmeticError):
        return text.strip() or None
