"""Every state with every trigger: where it leads, or that it leads nowhere."""

from __future__ import annotations

from importlib.util import find_spec, module_from_spec
from itertools import product
from types import ModuleType

import pytest

from statemachine import NotAllowed, State, Subject, Trigger, fire, why_not

WAYS = {
    ("received", "invoice"): "invoiced",
    ("received", "refuse"): "failed",
    ("received", "give_up"): "failed",
    ("received", "run_out"): "failed",
    ("received", "cancel"): "failed",
    ("received", "pay"): "paid",
    ("invoiced", "pay"): "paid",
    ("invoiced", "close"): "failed",
    ("invoiced", "reverse"): "failed",
    ("paid", "stock"): "stocked",
    ("paid", "reverse"): "failed",
    ("failed", "retry"): "received",
    ("failed", "pay"): "paid",
}
"""Written out by hand from the contract; failed is reached from any but stocked."""

STATES = ("received", "invoiced", "paid", "stocked", "failed")
TRIGGERS = ("invoice", "refuse", "give_up", "run_out", "cancel", "pay", "close", "reverse", "stock", "retry")
PAIRS = list(product(STATES, TRIGGERS))


@pytest.fixture
def anew() -> ModuleType:
    """The machine is built when it is imported; here it is built once more, as after a restart."""
    spec = find_spec("statemachine.machine")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_no_other_states_and_triggers() -> None:
    assert tuple(State) == STATES
    assert tuple(Trigger) == TRIGGERS


@pytest.mark.parametrize(("state", "trigger"), PAIRS)
def test_each_pair_moves_as_the_contract_says_or_not_at_all(
    anew: ModuleType, state: str, trigger: str
) -> None:
    fire = anew.fire
    subject = Subject(state)
    if (state, trigger) in WAYS:
        assert why_not(subject, Trigger(trigger)) is None
        arrow = fire(subject, Trigger(trigger))
        assert (subject.state, arrow.source, arrow.target) == (
            WAYS[state, trigger],
            state,
            WAYS[state, trigger],
        )
    else:
        with pytest.raises(NotAllowed) as refused:
            fire(subject, Trigger(trigger))
        assert subject.state == state
        assert (refused.value.trigger, refused.value.state) == (trigger, state)
        assert refused.value.why == why_not(subject, Trigger(trigger))
        assert f"A purchase that is {state} has no way to {trigger.replace('_', ' ')}" in refused.value.why


@pytest.mark.parametrize(("state", "trigger"), [("paid", "stock"), ("failed", "retry")])
def test_missing_stock_stops_delivery_and_a_new_start(anew: ModuleType, state: str, trigger: str) -> None:
    subject = Subject(state, missing="2 × mug (1 left)")
    assert why_not(subject, Trigger(trigger)) == "The stock lacks 2 × mug (1 left)."
    with pytest.raises(NotAllowed, match="2 × mug") as refused:
        anew.fire(subject, Trigger(trigger))
    assert subject.state == state
    assert str(refused.value) == refused.value.why == "The stock lacks 2 × mug (1 left)."


@pytest.mark.parametrize("state", ["received", "invoiced", "failed"])
def test_a_sum_that_was_not_invoiced_is_not_paid(anew: ModuleType, state: str) -> None:
    subject = Subject(state, mismatch="SEQR took 1 SEK, which asked for 2 SEK.")
    assert why_not(subject, Trigger.PAY) == "SEQR took 1 SEK, which asked for 2 SEK."
    with pytest.raises(NotAllowed, match="SEQR took 1 SEK"):
        anew.fire(subject, Trigger.PAY)
    assert subject.state == state


def test_missing_stock_does_not_stop_a_payment() -> None:
    subject = Subject("invoiced", missing="1 × mug (0 left)")
    fire(subject, Trigger.PAY)
    assert subject.state == "paid"


def test_subjects_do_not_touch_each_other() -> None:
    first, second = Subject("received"), Subject("failed")
    fire(first, Trigger.INVOICE)
    fire(second, Trigger.RETRY)
    fire(first, Trigger.PAY)
    assert (first.state, second.state) == ("paid", "received")
