"""What somebody may order before anything is paid, so that nobody holds the stock without buying.

Counted in the commit that places the order, so all processes count together. What is refused here is not
kept: a flood leaves no rows.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select, text

from orchestrator.errors import OrchestratorError
from orchestrator.purchase import Order
from orchestrator.settings import Settings
from orchestrator.stock import Needs
from orchestrator.tables import products, purchases

_C = purchases.c
_UNPAID = text("state IN ('received', 'invoiced')")
"""Word for word the condition of the index ``purchases_unpaid_of_phone``: so it is used."""
_WHOLE = 100


class TooManyUnpaid(OrchestratorError):
    """There are too many unpaid purchases. Pay or cancel some, or wait until they expire.

    Attributes:
        retry_after: seconds.
    """

    code = "too_many_requests"
    retryable = True
    retry_after = 30


def admit(connection: Connection, order: Order, settings: Settings) -> None:
    """Let a customer have one more unpaid purchase. Raises TooManyUnpaid.

    The phone number counts as SEQR wrote it; an order without one counts for its mail address.
    """
    if not settings.unpaid_per_phone:
        return
    _queue_up(connection, order)
    if unpaid_of(connection, order) >= settings.unpaid_per_phone:
        raise TooManyUnpaid(
            "This customer has too many unpaid purchases: pay one, or wait until one expires."
        )


def unpaid_of(connection: Connection, order: Order) -> int:
    """How many unpaid purchases the customer of an order has."""
    count = select(func.count()).select_from(purchases).where(_UNPAID, _C.customer_msisdn == order.msisdn)
    if not order.msisdn:
        count = count.where(_C.customer_email == order.email)
    return int(connection.execute(count).scalar_one())


def leave_some(connection: Connection, needs: Needs, settings: Settings) -> None:
    """See that what was held leaves the share of each product that unpaid purchases may not have; of a
    product with anything on hand they may always have one piece. Raises TooManyUnpaid."""
    if settings.unpaid_share == _WHOLE:
        return
    columns = (products.c.token, products.c.on_hand, products.c.reserved)
    for token, on_hand, reserved in connection.execute(
        select(*columns).where(products.c.token.in_(list(needs)))
    ):
        most = max(on_hand * settings.unpaid_share // _WHOLE, needs[token])
        if reserved > most:
            raise TooManyUnpaid(f"Unpaid purchases hold all of {token} that they may: repeat it in a moment.")


def _queue_up(connection: Connection, order: Order) -> None:
    """Let one order of a customer be counted after the other; SQLite's single writer does so by itself."""
    if connection.dialect.name == "postgresql":
        what = f"unpaid of {order.msisdn or order.email}"
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))
