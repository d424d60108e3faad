"""What people do, as the audit log tells it: in words, and where to look at what it was done to."""

from __future__ import annotations

from urllib.parse import quote

from dashboard.language import Language, mark

DEEDS = {
    "purchase.check": mark("Checked a purchase"),
    "purchase.retry": mark("Retried a purchase"),
    "purchase.cancel": mark("Cancelled a purchase"),
    "purchase.note": mark("Wrote a note"),
    "purchase.export": mark("Exported purchases"),
    "bulk.start": mark("Started a bulk action"),
    "bulk.stop": mark("Stopped a bulk action"),
    "product.add": mark("Added a product"),
    "product.edit": mark("Edited a product"),
    "product.import": mark("Imported products"),
    "stock.receive": mark("Received stock"),
    "stock.correct": mark("Counted the stock"),
    "mail.resend": mark("Sent a mail again"),
    "user.sign_in": mark("Signed in"),
    "user.sign_out": mark("Signed out"),
    "user.refused": mark("Was refused at the sign-in"),
    "user.locked": mark("Was locked out"),
    "user.unlock": mark("Ended a lock-out"),
    "user.add": mark("Added a user"),
    "user.role": mark("Changed a role"),
    "user.password": mark("Set a password"),
    "user.remove": mark("Removed a user"),
    "session.end": mark("Signed other browsers out"),
    "customer.export": mark("Exported what is kept of a customer"),
    "customer.erase": mark("Erased a customer"),
    "token.make": mark("Made an API token"),
    "token.revoke": mark("Revoked an API token"),
}
"""By action."""

KINDS = {
    "purchase": mark("Everything about purchases"),
    "bulk": mark("Everything about bulk actions"),
    "product": mark("Everything about products"),
    "stock": mark("Everything about the stock"),
    "mail": mark("Everything about mails"),
    "user": mark("Everything about users"),
    "session": mark("Everything about sessions"),
    "customer": mark("Everything about customers’ data"),
    "token": mark("Everything about API tokens"),
}
"""By the part of an action before the dot."""

_PAGES = {
    "purchase": "/purchases/",
    "bulk": "/bulk/",
    "product": "/products/",
    "stock": "/products/",
    "mail": "/mails/",
}
_OF_MANY = {"product.import", "purchase.export"}
"""What is done to no single thing."""


def told(action: str, spoken: Language) -> str:
    """An action in words; as it is written where a newer version wrote it."""
    return spoken.gettext(DEEDS[action]) if action in DEEDS else action


def address_of(action: str, subject: str, *, may_administer: bool) -> str:
    """The page of what it was done to; empty where there is none, or not for the visitor."""
    kind = action.partition(".")[0]
    if kind in _PAGES:
        return "" if action in _OF_MANY else _PAGES[kind] + quote(subject, safe="")
    if not may_administer:
        return ""
    if kind in ("user", "session"):
        gone = action == "user.remove" or not subject
        return "" if gone else f"/system/users/{quote(subject, safe='@')}"
    return "/system/tokens" if kind == "token" else ""
