"""What can go wrong between us and SEQR. Only SeqrSetupError gets out of here; the rest become outcomes."""

from __future__ import annotations

from orchestrator.errors import OrchestratorError


class SeqrSetupError(OrchestratorError):
    """The connection to SEQR is not set up rightly."""

    code = "seqr_setup"


class NotSent(OrchestratorError):
    """No connection was made, so nothing was sent."""

    code = "seqr_not_sent"
    retryable = True


class Lost(OrchestratorError):
    """The call may have gone out, and no whole answer came back."""

    code = "seqr_lost"


class Unintelligible(OrchestratorError):
    """What came back is not SEQR's answer to this call."""

    code = "seqr_unintelligible"
