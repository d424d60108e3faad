"""The one family of errors that the orchestrator raises."""


class OrchestratorError(Exception):
    """The orchestrator could not do what was asked.

    The first argument says what happened, to what, and what to do about it, in one sentence that a
    merchant's developer can act on. The docstring of a subclass is its default message.

    Attributes:
        code: a stable name for machines.
        retryable: whether the same call, unchanged, may succeed later.
    """

    code = "error"
    retryable = False

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])

    @property
    def message(self) -> str:
        """What happened, as one sentence."""
        return str(self.args[0])
