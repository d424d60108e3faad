"""A mail as it goes over the wire: headers that nothing can be smuggled into, text, HTML and the QR code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from typing import cast

from orchestrator.errors import OrchestratorError
from orchestrator.letter import CODE_ID
from orchestrator.outbox import Letter
from orchestrator.seqr.characters import legible
from orchestrator.settings import PREFIX, Settings, SettingsError

_LONGEST_ADDRESS = 254
_LONGEST_NAME = 45
# One unquoted local part and one domain. Letters of any script may stand in both (RFC 6531).
_ADDRESS = re.compile(r"""[^\s\x00-\x20\x7f-\x9f()<>\[\]:;@\\,"]+@[^\s\x00-\x20\x7f-\x9f()<>\[\]:;@\\,"]+""")


class BadAddress(OrchestratorError):
    """That is not an address to which mail can be sent."""

    code = "bad_mail_address"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message and the bare addresses that the mail server is told."""

    sender: str
    recipient: str
    message: EmailMessage


def sender_of(settings: Settings) -> Address:
    """``mail_from``, named after the shop unless it carries a name. Raises SettingsError."""
    name, spec = parseaddr(settings.mail_from)
    try:
        return address(spec, name or settings.shop_name)
    except BadAddress as error:
        raise SettingsError(f"{PREFIX}MAIL_FROM: {error.message}") from None


def address(spec: str, name: str = "") -> Address:
    """``spec`` as an address, its domain in ASCII (IDNA) for any mail server to find. Raises BadAddress."""
    if len(spec) > _LONGEST_ADDRESS or legible(spec) != spec or not _ADDRESS.fullmatch(spec):
        raise BadAddress(f"{spec[:_LONGEST_ADDRESS]!a} is not an address to which mail can be sent.")
    local, domain = spec.rsplit("@", 1)
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise BadAddress(f"{spec!a} has a domain to which no mail can be sent.") from None
    return Address(_fitting(_one_line(name)), local, domain)


def compose(
    sender: Address, recipient: Address, letter: Letter, message_id: str, at: datetime, code: bytes | None
) -> Envelope:
    """Put the mail together. ``code`` is a PNG that the HTML shows as ``cid:code@seqr``."""
    ascii_only = f"{sender.addr_spec}{recipient.addr_spec}".isascii()
    message = EmailMessage(policy=SMTP if ascii_only else SMTPUTF8)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = _one_line(letter.subject)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{message_id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    if code is not None:
        html = cast(list[MIMEPart], message.get_payload())[1]
        html.add_related(
            code, "image", "png", cid=f"<{CODE_ID}>", disposition="inline", filename="seqr-code.png"
        )
    return Envelope(sender.addr_spec, recipient.addr_spec, message)


def _fitting(name: str) -> str:
    """The name, or none where it is longer than one encoded word of RFC 2047 holds: the library would put
    spaces where it divides it."""
    return name if name.isascii() or len(name.encode()) <= _LONGEST_NAME else ""


def _one_line(text: str) -> str:
    """Without line breaks of any kind and without control characters."""
    return " ".join(legible(text).replace("\x7f", "").split())
