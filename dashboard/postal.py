"""Why a mail did not go out, in plain words, and what helps."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.language import Language, mark

_CHECK_SERVER = mark("See whether the mail server runs and whether ORCHESTRATOR_SMTP_URL names it rightly.")

_TROUBLES: tuple[tuple[str, str, str], ...] = (
    ("cannot be reached", mark("The mail server does not answer."), _CHECK_SERVER),
    ("did not finish within", mark("The mail server was too slow."), _CHECK_SERVER),
    (
        "refused the user name or password",
        mark("The mail server does not let us in."),
        mark("Correct the user name or password in ORCHESTRATOR_SMTP_URL."),
    ),
    (
        "did not take the mail",
        mark("The mail server refused the mail."),
        mark("Its answer says why. Often the customer’s address is wrong: ask for the right one."),
    ),
    (
        "to which mail can be sent",
        mark("The address is none to which mail can be sent."),
        mark("Ask the customer for the right one; the purchase’s page has a phone number, if one was given."),
    ),
    (
        "to which no mail can be sent",
        mark("The address is none to which mail can be sent."),
        mark("Ask the customer for the right one; the purchase’s page has a phone number, if one was given."),
    ),
    (
        "cannot be filled in",
        mark("The mail’s template has a mistake."),
        mark("Correct the template; docs/mail.md says what may stand in it."),
    ),
    (
        "no open invoice to pay",
        mark("There was nothing left to pay when it was due."),
        mark("Nothing needs to be done. Retry of the purchase sends a new link."),
    ),
)
"""By a piece of the error: what is the matter, what helps."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """``words`` say what is the matter, ``help`` what to do, ``said`` is the error as it was written down."""

    words: str
    help: str
    said: str


def trouble(language: Language, error: str) -> Trouble:
    """An error of the outbox in plain words."""
    for piece, words, help_ in _TROUBLES:
        if piece in error:
            return Trouble(language.gettext(words), language.gettext(help_), error)
    words, help_ = mark("The mail could not be sent."), mark("The log says more.")
    return Trouble(language.gettext(words), language.gettext(help_), error)
