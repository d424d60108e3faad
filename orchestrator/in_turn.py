"""What has to be looked at by one unit of work after the other, whatever else they do at once.

SQLite's single writer sees to that by itself. On PostgreSQL a function of ours (migration 0006) waits for its
turn and looks then; as a piece of the batch it is the first thing that the batch does.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Connection, Select, Text, bindparam, func, literal_column, select

from orchestrator import batch
from orchestrator.batch import Reading
from orchestrator.purchase import UNPAID
from orchestrator.tables import invoice_attempts, purchases

_ONE: Select[Any] = select(literal_column("1"))
_PHONE, _MAIL = bindparam("phone", type_=Text), bindparam("mail", type_=Text)
_MOST = bindparam("most", type_=BigInteger)
_REFERENCE, _PURCHASE_ID = bindparam("reference", type_=Text), bindparam("purchase_id", type_=Text)

_COUNT = select(func.count()).select_from(purchases).where(UNPAID, purchases.c.customer_msisdn == _PHONE)
OF_PHONE = _COUNT.scalar_subquery()
"""How many unpaid purchases a phone number has."""
OF_MAIL = _COUNT.where(purchases.c.customer_email == _MAIL).scalar_subquery()
"""How many a mail address has, of those without a phone number."""
_C = invoice_attempts.c
_ANOTHERS = select(_C.id).where(_C.reference == _REFERENCE, _C.purchase_id != _PURCHASE_ID)

_FEW_OF_PHONE, _FEW_OF_MAIL = (Reading(_ONE.where(count < _MOST)) for count in (OF_PHONE, OF_MAIL))
_FEW_IN_TURN = Reading(_ONE.where(func.unpaid_in_turn(_PHONE, _MAIL) < _MOST))
_NOBODYS = Reading(_ONE.where(~_ANOTHERS.exists()))
_NOBODYS_IN_TURN = Reading(_ONE.where(~func.invoiced_in_turn(_REFERENCE, _PURCHASE_ID)))


def few_unpaid(connection: Connection, phone: str, mail: str, most: int) -> None:
    """The unit of work goes through only while a customer has fewer than ``most`` unpaid purchases."""
    values = {"phone": phone, "mail": mail, "most": most}
    few = _FEW_OF_PHONE if phone else _FEW_OF_MAIL
    batch.must(connection, _FEW_IN_TURN if _has_turns(connection) else few, values)


def nobodys_invoice(connection: Connection, reference: str, purchase_id: str) -> None:
    """The unit of work goes through only while an invoice is not another purchase's."""
    values = {"reference": reference, "purchase_id": purchase_id}
    batch.must(connection, _NOBODYS_IN_TURN if _has_turns(connection) else _NOBODYS, values)


def _has_turns(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
