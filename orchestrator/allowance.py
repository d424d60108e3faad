"""What somebody may order before anything is paid, so that nobody holds the stock without buying.

Counted in the commit that places the order, so all processes count together. What is refused here is not
kept: a flood leaves no rows.
"""

from __future__ import annotations

from sqlalchemy import Connection

from orchestrator import in_turn
from orchestrator.errors import OrchestratorError
from orchestrator.goods import Goods
from orchestrator.purchase import Order
from orchestrator.settings import Settings

_WHOLE = 100


class TooManyUnpaid(OrchestratorError):
    """There are too many unpaid purchases. Pay or cancel some, or wait until they expire.

    Attributes:
        retry_after: seconds.
    """

    code = "too_many_requests"
    retryable = True
    retry_after = 30


def admit(connection: Connection, order: Order, unpaid: int, settings: Settings) -> None:
    """Let a customer who has so many unpaid purchases have one more. Raises TooManyUnpaid.

    The phone number counts as SEQR wrote it; an order without one counts for its mail address.
    """
    most = settings.unpaid_per_phone
    if not most:
        return
    if unpaid >= most:
        raise TooManyUnpaid(
            "This customer has too many unpaid purchases: pay one, or wait until one expires."
        )
    in_turn.few_unpaid(connection, order.msisdn, order.email, most)


def leave_some(wanted: Goods, settings: Settings) -> None:
    """See that holding what is ``wanted`` leaves the share of each product that unpaid purchases may not
    have; of a product with anything on hand they may always have one piece. Raises TooManyUnpaid."""
    for token, quantity in wanted.needs.items():
        level = wanted.levels[token]
        most = max(level.on_hand * settings.unpaid_share // _WHOLE, quantity)
        if level.reserved + quantity > most:
            raise TooManyUnpaid(f"Unpaid purchases hold all of {token} that they may: repeat it in a moment.")
