"""The errors of the state machine."""


class StateMachineError(Exception):
    """The state machine cannot do that."""


class TableError(StateMachineError):
    """The table of transitions contradicts itself."""


class NotAllowed(StateMachineError):
    """The purchase may not do that now.

    Attributes:
        trigger: what was tried.
        state: the state the purchase is in.
        why: one sentence for the merchant.
    """

    def __init__(self, trigger: str, state: str, why: str) -> None:
        super().__init__(why)
        self.trigger = trigger
        self.state = state
        self.why = why
