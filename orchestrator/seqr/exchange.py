"""One call from beginning to end, and what is kept of it: texts masked, time taken, how it ended."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from orchestrator.seqr.characters import decoded, legible
from orchestrator.seqr.codes import RESULT_CODE_NAMES, described
from orchestrator.seqr.mask import Mask
from orchestrator.seqr.messages import TRANSIENT_CODES, Busy, Exchange, Refused, Text, Unknown, Verdict
from orchestrator.seqr.template import Envelope

LONGEST_SENTENCE = 1000
"""Characters of a description or detail; a fault's text may have millions."""

_KEPT_AS_IT_CAME = 16 * 1024
"""Bytes of an answer that are kept as they came; of a larger one the text to show is made at once."""

_ONLY_ASKS = frozenset({"getPaymentStatus"})
"""Operations that need not be wondered about when no answer comes: they are asked again."""


class Call:
    """A call under way. ``came``, the answer's body, is set when it is known; then one of the endings."""

    def __init__(self, operation: str, envelope: Envelope, mask: Mask) -> None:
        self.operation = operation
        self.came = b""
        self._envelope = envelope
        self._mask = mask
        self._started_at = datetime.now(UTC)
        self._clock = time.perf_counter()

    def answered(self, detail: str) -> Exchange:
        return self._exchange(Verdict.ANSWERED, 0, detail)

    def declined(self, code: int, description: str | None) -> Refused | Busy:
        """SEQR answered with a code other than SUCCESS."""
        said = self._sentence(description or RESULT_CODE_NAMES.get(code, "no description"))
        reason = described(code, description)
        if code in TRANSIENT_CODES:
            detail = f"SEQR did nothing this time ({reason}); it can be tried again."
            return Busy(code, said, self._exchange(Verdict.BUSY, code, detail))
        return Refused(code, said, self._exchange(Verdict.REFUSED, code, f"SEQR refused: {reason}."))

    def not_sent(self, why: str) -> Busy:
        exchange = self._exchange(Verdict.BUSY, None, f"{why} Nothing was sent; it can be tried again.")
        return Busy(None, self._sentence(why), exchange)

    def unknown(self, why: str) -> Unknown:
        detail = why if self.operation in _ONLY_ASKS else f"{why} Nobody can tell whether SEQR did it."
        exchange = self._exchange(Verdict.UNKNOWN, None, detail)
        return Unknown(self._sentence(why), exchange)

    def _sentence(self, text: str) -> str:
        """Fit to be shown, stored and logged, whatever SEQR put into it."""
        return self._mask.keep(legible(text), LONGEST_SENTENCE)

    def _exchange(self, verdict: Verdict, code: int | None, detail: str) -> Exchange:
        took = (time.perf_counter() - self._clock) * 1000
        response: Text = self._response
        if len(self.came) > _KEPT_AS_IT_CAME:
            response, self.came = self._response(), b""
        said = self._sentence(detail)
        return Exchange(self.operation, self._started_at, took, verdict, code, said, self._request, response)

    def _request(self) -> str:
        return self._envelope.shown(self._mask)

    def _response(self) -> str:
        return self._mask.keep(decoded(self.came))
