"""What an operator's click means in each state: the contract's table, written out again."""

from __future__ import annotations

import pytest

from statemachine import ACTIONS, Action, Effect, NotAllowed, State, effect_of

EFFECTS = {
    ("check", "received"): Effect.ASK_SEQR,
    ("check", "invoiced"): Effect.ASK_SEQR,
    ("check", "paid"): Effect.ASK_SEQR,
    ("check", "stocked"): "It is paid and stocked: there is nothing left to check.",
    ("check", "failed"): Effect.ASK_SEQR,
    ("retry", "received"): Effect.SEND_INVOICE,
    ("retry", "invoiced"): Effect.ASK_SEQR,
    ("retry", "paid"): Effect.TAKE_STOCK,
    ("retry", "stocked"): "It is paid and stocked: there is nothing to retry.",
    ("retry", "failed"): Effect.START_OVER,
    ("cancel", "received"): Effect.FAIL,
    ("cancel", "invoiced"): Effect.CANCEL_INVOICE,
    ("cancel", "paid"): "It is paid: cancelling would keep the customer's money. Refund it.",
    ("cancel", "stocked"): "It is paid and stocked: it can no longer be cancelled.",
    ("cancel", "failed"): "It has failed already.",
}


def test_every_action_has_a_meaning_in_every_state() -> None:
    assert set(ACTIONS) == set(EFFECTS) == {(action, state) for action in Action for state in State}


@pytest.mark.parametrize(("action", "state"), EFFECTS)
def test_each_pair_has_the_contracts_effect_or_says_why_not(action: str, state: str) -> None:
    wanted = EFFECTS[action, state]
    if isinstance(wanted, Effect):
        assert effect_of(Action(action), State(state)) is wanted
        return
    with pytest.raises(NotAllowed) as refused:
        effect_of(Action(action), State(state))
    assert (refused.value.trigger, refused.value.state, refused.value.why) == (action, state, wanted)


@pytest.mark.parametrize(("action", "state"), EFFECTS)
def test_each_pair_has_one_sentence_for_the_button(action: str, state: str) -> None:
    words = ACTIONS[Action(action), State(state)].words
    assert words[0].isupper()
    assert words.endswith(".")
