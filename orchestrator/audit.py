"""The audit log: who did what to what, when, why and from where. Rows are only ever added."""

from __future__ import annotations

from sqlalchemy import Connection, insert

from orchestrator.identity import new_id
from orchestrator.stamp import Stamp
from orchestrator.tables import audit

_LONGEST_ACTOR = 100
_LONGEST_SUBJECT = 100
_LONGEST_ADDRESS = 64


def record(
    connection: Connection, stamp: Stamp, action: str, subject: str, detail: str = "", address: str = ""
) -> None:
    """Write down what somebody does, in the commit that does it.

    ``action`` is a word with a dot such as ``purchase.cancel``, ``subject`` what it is done to, ``detail``
    why, or what is changed; ``address`` is the network address it came from. Never a secret.
    """
    connection.execute(
        insert(audit).values(
            id=new_id(),
            at=stamp.at,
            actor=stamp.actor[:_LONGEST_ACTOR],
            action=action,
            subject=subject[:_LONGEST_SUBJECT],
            detail=detail,
            address=address[:_LONGEST_ADDRESS],
        )
    )
