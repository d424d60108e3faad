"""Planted bugs: each takes away one thing that the product does for a reason, while a run lasts.

They are put in from outside, into the running program; the product has no switches for them. A simulation
that does not find them is worth nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from simulation.planted import answers, asking, goods, mails

Bug = Callable[[], AbstractContextManager[object]]

BUGS: Mapping[str, Bug] = {
    bug.__name__: bug
    for bug in (
        goods.no_hold,
        goods.keep_hold,
        goods.take_twice,
        goods.forget_entry,
        goods.twins,
        goods.double_outcome,
        asking.endless_lease,
        asking.lost_lease,
        asking.resend_on_unknown,
        asking.forget_superseded,
        asking.let_late_invoice_be,
        asking.lose_patience_with_seqr,
        asking.wait_for_each_check,
        answers.fail_without_asking,
        answers.expire_without_cancelling,
        answers.believe_unknown_cancel,
        answers.paid_counts_as_cancelled,
        answers.trust_notification,
        answers.any_amount,
        answers.any_invoice,
        mails.outbox_of_its_own_commit,
        mails.mail_without_lease,
        mails.forget_claimed_mail,
        mails.new_message_id,
    )
}
"""By name. What each takes away stands in its docstring."""
