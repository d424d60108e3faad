"""Find out whether SEQR can be reached and takes our credentials, without changing anything there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.seqr.messages import Answered, Busy, Refused, ResultCode, Seqr, Unknown

CREDENTIAL_CODES = frozenset({20, 21, 29, 33, 37})
NO_SUCH_INVOICE = "0"


class Reach(StrEnum):
    """How far a probe came."""

    ACCEPTED = "accepted"
    """SEQR answered and knows us."""
    CREDENTIALS_REFUSED = "credentials_refused"
    """SEQR answered and does not let us in."""
    REACHED = "reached"
    """SEQR answered, with something that says nothing about our credentials."""
    UNCLEAR = "unclear"
    """Somebody took the call, and no answer of SEQR's came back."""
    UNREACHABLE = "unreachable"
    """No connection could be made."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a probe found; ``detail`` is one sentence for a merchant."""

    reach: Reach
    detail: str

    @property
    def ok(self) -> bool:
        return self.reach is Reach.ACCEPTED


async def probe(seqr: Seqr) -> Probe:
    """Ask for an invoice that cannot exist: 54 INVALID_INVOICE_REFERENCE is the good answer."""
    outcome = await seqr.payment_status(NO_SUCH_INVOICE, 0)
    match outcome:
        case Answered() | Refused(code=ResultCode.INVALID_INVOICE_REFERENCE):
            return Probe(Reach.ACCEPTED, "SEQR answers and accepts the credentials.")
        case Refused(code=code) if code in CREDENTIAL_CODES:
            return Probe(Reach.CREDENTIALS_REFUSED, outcome.exchange.detail)
        case Busy(code=None):
            return Probe(Reach.UNREACHABLE, outcome.description)
        case Unknown():
            return Probe(Reach.UNCLEAR, outcome.description)
        case _:
            return Probe(Reach.REACHED, outcome.exchange.detail)
