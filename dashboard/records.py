"""Records: sentences with names and numbers in them that other rooms made, told in the visitor's language.

The orchestrator knows no language: why an action was refused, how a job ended, what a check found is English
when it comes here, or has been written into the database so. One that is not known is shown as it stands.
What happened to a purchase is put into plainer words as well (``sayings``), and so is what is wrong with a
product (``flaws``).
"""

from __future__ import annotations

from functools import lru_cache

from dashboard.language import Language, mark
from dashboard.shapes import pattern, shown

LONGEST = 1000
"""Characters. What is longer is no sentence of ours."""
_KEPT = 4096
"""So many sentences are remembered with their translations."""
_TRANSLATED = ("what", "state")
"""Values of these names are texts of their own."""

_OF_REFUSALS = (
    mark("There is no purchase %(id)s."),
    mark("Purchase %(id)s has changed in the meantime. Look at it again."),
    mark("Purchase %(id)s has changed since it was looked at: %(what)s. Nothing was done: look at it again."),
    mark("The purchase is %(state)s and has no open invoice. Look at it again."),
    mark("The purchase is %(state)s: there is no open invoice to pay."),
    mark("SEQR did not answer. Try again when it does."),
    mark(
        "It was begun several times, and each time the process stopped before the end. Look at it by itself."
    ),
    mark("A run has at least one purchase and at most %(most)s. Choose fewer."),
    mark("%(number)s of the chosen purchases do not exist."),
    mark("A note has to say something. Write it and send it again."),
    mark("A note may have 1000 characters. Shorten it, or write two."),
    mark("SEQR refused the invoice: %(answer)s"),
    mark("SEQR refused the invoice."),
    mark("SEQR gave no invoice. Repeat the request in a moment."),
    mark("The purchase was cancelled meanwhile. Repeat the request in a moment."),
    mark("Another one made the same product at the same time."),
    mark("%(token)s is a bundle: change the stock of its parts."),
    mark("%(token)s has %(on_hand)s on hand: a change of %(change)s would leave %(left)s."),
    mark("%(token)s cannot have %(on_hand)s on hand."),
)
_OF_CALLS = (
    mark("%(what)s Nothing was sent; it can be tried again."),
    mark("%(what)s Nobody can tell whether SEQR did it."),
    mark("SEQR did nothing this time (%(answer)s); it can be tried again."),
    mark("SEQR refused: %(answer)s."),
    mark("SEQR made invoice %(reference)s."),
    mark("SEQR says %(status)s (version %(version)s)."),
    mark("SEQR carried out %(operation)s."),
    mark("The connection to SEQR has been closed: the orchestrator is stopping."),
    mark("No connection to SEQR within %(seconds)s s, at %(address)s."),
    mark("No answer from SEQR within %(seconds)s s, at %(address)s."),
    mark("The answer was cut off (%(error)s), at %(address)s."),
    mark("SEQR cannot be reached (%(error)s), at %(address)s."),
    mark("The server answered HTTP %(status)s. %(what)s"),
    mark("SEQR answered with a SOAP fault: %(answer)s."),
    mark("The answer is not used."),
    mark("The answer is empty."),
    mark("The answer has no result code."),
    mark("The answer is not XML (%(kind)s): %(answer)s"),
)
_PLAINER = {
    "SEQR says ISSUED (version %(version)s).": mark("Not paid yet (ISSUED)."),
    "SEQR says PAID (version %(version)s).": mark("Paid (PAID)."),
    "SEQR says CANCELED (version %(version)s).": mark("Cancelled (CANCELED)."),
}
"""By what is written of a call: what is shown."""
_OF_DEEDS = (
    mark("%(what)s. Why: %(why)s"),
    mark("counted %(counted)s: %(before)s → %(after)s; %(reason)s"),
    mark("%(added)s added, %(changed)s changed: %(tokens)s and %(number)s more"),
    mark("%(added)s added, %(changed)s changed: %(tokens)s"),
    mark("%(number)s left"),
)
_OF_JOBS = (
    mark("The run was cut off: the process is stopping."),
    mark("The job %(name)s has not ended a run for %(seconds)s s."),
    mark("The scheduler does not run."),
    mark("The database cannot be reached. Start it, or correct ORCHESTRATOR_DATABASE_URL."),
    mark("The database does not answer (%(reason)s). Start it, or correct ORCHESTRATOR_DATABASE_URL."),
    mark("The database is closed: the process is stopping."),
    mark("SQLite dropped the transaction: see whether the disk is full or failing."),
    mark("The database %(what)s. Type: orchestrator migrate"),
    mark("has no tables yet"),
    mark("is at %(found)s, this version needs %(needed)s"),
)
_OF_CHECKS = (
    mark("Missing: %(variables)s."),
    mark("Set them; SEQR gives them to you."),
    mark("Anybody may call createPurchase: it demands no user and password."),
    mark("Agree with SEQR on %(user)s and %(password)s."),
    mark("%(number)s settings are set, and all are valid."),
    mark("%(variable)s is no setting and has no effect. Did you mean %(near)s?"),
    mark("%(variable)s is no setting and has no effect. docs/operations.md has those that there are."),
    mark("Correct their names, or remove them."),
    mark("Every %(prefix)s variable is a setting."),
    mark("The key that signs sessions and notification addresses is set."),
    mark("The key is made and kept under var/ beside the database. Keep it in the backup."),
    mark("Each machine makes its own key, so notifications and sessions of one are unknown to the others."),
    mark("Set %(variable)s to the same 32 random characters or more on all of them."),
    mark("%(database)s answers in %(milliseconds)s ms."),
    mark("There is no database at %(path)s yet."),
    mark("The database is at %(revision)s, the newest."),
    mark("Type: orchestrator migrate"),
    mark("The WSDL that ships with the project describes %(operations)s."),
    mark("%(location)s describes %(operations)s."),
    mark("SEQR was not asked: its address or credentials are missing."),
    mark("SEQR answers and accepts the credentials."),
    mark("See the settings above."),
    mark("See docs/operations.md, settings."),
    mark("See whether a firewall is in the way."),
    mark("The check did not end within %(seconds)s s."),
    mark("The check itself failed: %(error)s"),
    mark("Please report this."),
    mark("Try again in a minute; if it stays so, ask SEQR."),
    mark("Correct %(variable)s, or let this machine through to it."),
    mark("Correct %(variable)s, _PRINCIPAL_ID, _USER_ID and _PASSWORD."),
    mark("No mail server is set: order confirmations are kept and shown in the dashboard only."),
    mark("The mail server %(name)s lets us in."),
    mark("The mail server %(name)s: %(answer)s"),
    mark("Set %(variable)s to the address under which the internet reaches you."),
    mark("Set %(variable)s."),
    mark("Correct %(variable)s."),
    mark("SEQR cannot call %(address)s: that address is this machine's own."),
    mark("%(address)s answers, but without TLS anybody on the way can read orders."),
    mark("Put a proxy with TLS in front and set %(variable)s to https://..."),
    mark("Start it (orchestrator serve), or correct the proxy in front of it."),
    mark("%(address)s does not answer (%(error)s)."),
    mark("%(address)s answers."),
    mark("%(address)s answers %(status)s."),
    mark("The clock is %(seconds)s s ahead of SEQR's."),
    mark("The clock is %(seconds)s s behind SEQR's."),
    mark("The clock agrees with SEQR's."),
    mark("Let the machine keep its time by NTP."),
    mark("The clock says %(time)s, which is long ago."),
    mark("Set the machine's clock; use NTP."),
    mark("The clock says %(time)s; SEQR gave no time to compare it with."),
    mark("See for yourself, or make SEQR's endpoint reachable."),
)
SHAPES = (*_OF_DEEDS, *_OF_REFUSALS, *_OF_CALLS, *_OF_JOBS, *_OF_CHECKS)
"""The first that fits counts."""


def told(language: Language, written: str) -> str:
    """The sentence in the language: one without values as the catalogue has it, else by its shape."""
    found = language.lookup(written)
    return _by_shape(language, written) if found == written and len(written) <= LONGEST else found


@lru_cache(maxsize=_KEPT)
def _by_shape(language: Language, written: str) -> str:
    if plainer := shown(language, _PLAINER, written):
        return plainer
    for shape in SHAPES:
        if found := pattern(shape).fullmatch(written):
            values = found.groupdict()
            return language.gettext(shape, **{name: _value(language, name, values[name]) for name in values})
    return written


def _value(language: Language, name: str, value: str) -> str:
    return told(language, value) if name in _TRANSLATED else value
