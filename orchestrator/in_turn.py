"""What has to be looked at by one unit of work after the other, whatever else they do at once.

SQLite's single writer sees to that by itself. On PostgreSQL a function of ours (migration 0006) waits for its
turn and looks then; as a piece of the batch it is the first thing that the batch does.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Connection, Text, bindparam, func, literal_column, select

from orchestrator import batch
from orchestrator.batch import Reading

_FEW_UNPAID = Reading(
    select(literal_column("1")).where(
        func.unpaid_in_turn(bindparam("phone", type_=Text), bindparam("mail", type_=Text))
        < bindparam("most", type_=BigInteger)
    )
)
_NOBODYS_INVOICE = Reading(
    select(literal_column("1")).where(
        ~func.invoiced_in_turn(bindparam("reference", type_=Text), bindparam("purchase_id", type_=Text))
    )
)


def few_unpaid(connection: Connection, phone: str, mail: str, most: int) -> None:
    """The unit of work goes through only while a customer has fewer than ``most`` unpaid purchases."""
    if connection.dialect.name == "postgresql":
        batch.must(connection, _FEW_UNPAID, {"phone": phone, "mail": mail, "most": most})


def nobodys_invoice(connection: Connection, reference: str, purchase_id: str) -> None:
    """The unit of work goes through only while an invoice is not another purchase's."""
    if connection.dialect.name == "postgresql":
        values = {"reference": reference, "purchase_id": purchase_id}
        batch.must(connection, _NOBODYS_INVOICE, values)
