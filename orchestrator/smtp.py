"""The mail server: one connection at a time, every error either worth another try or final."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from orchestrator.errors import OrchestratorError
from orchestrator.mail import Envelope
from orchestrator.seqr.characters import legible
from orchestrator.settings import PREFIX, SettingsError

DEADLINE = 20.0
"""Seconds for one mail, with connecting and signing in."""

_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_PERMANENT = 500
_LONGEST_REASON = 300


class SmtpError(OrchestratorError):
    """The mail server did not take the mail this time."""

    code = "smtp_failed"
    retryable = True


class MailRefused(SmtpError):
    """The mail server will never take this mail."""

    code = "mail_refused"
    retryable = False


class MailServer:
    """Where mail goes: ``smtp://``, ``smtps://`` (TLS from the start) or ``smtp+starttls://`` (TLS demanded).

    User name and password are percent-decoded. Certificates are verified.
    """

    def __init__(self, url: str, tls: ssl.SSLContext | None = None, deadline: float = DEADLINE) -> None:
        """Raises SettingsError where the address is none; never with the password."""
        parts = urlsplit(url)
        try:
            port = parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError):
            raise _bad_url() from None
        if not parts.hostname:
            raise _bad_url()
        self.name = f"{parts.hostname}:{port}"
        self.deadline = deadline
        self._host, self._port, self._scheme = parts.hostname, port, parts.scheme
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password or "") if self._user else None
        self._tls = tls

    def session(self) -> Session:
        """A session that connects when its first mail is sent."""
        return Session(self)

    async def connect(self) -> SMTP:
        """Connect and sign in; the caller closes it. Raises what aiosmtplib and the network raise."""
        client = SMTP(
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            timeout=self.deadline,
            use_tls=self._scheme == "smtps",
            start_tls=self._scheme == "smtp+starttls",
            tls_context=self._tls,
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        return client

    def told(self, error: Exception) -> str:
        """What went wrong, in the server's words, without the password."""
        words = " ".join(legible(_words(error)).split())[:_LONGEST_REASON]
        return words.replace(self._password, "***") if self._password else words


class Session:
    """One connection to the mail server, made anew after any error so that no mail suffers for another."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._client: SMTP | None = None

    async def send(self, envelope: Envelope) -> None:
        """Hand the mail over; on return the mail server has it.

        Raises:
            SmtpError: it may work later. Where the connection broke late the server may have it all the same.
            MailRefused: the server refused this address or this mail for good.
        """
        try:
            async with asyncio.timeout(self._server.deadline):
                await self._connect()
                await self._send(envelope)
        except TimeoutError:
            self._drop()
            raise SmtpError(
                f"The mail server {self._server.name} did not finish within {self._server.deadline:g} s."
            ) from None
        except BaseException:
            self._drop()
            raise

    async def close(self) -> None:
        """Say goodbye, if the server still listens."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(SMTPException, OSError):
                await client.quit(timeout=1)
            client.close()

    async def _connect(self) -> None:
        if self._client is not None and self._client.is_connected:
            return
        server = self._server
        try:
            self._client = await server.connect()
        except SMTPAuthenticationError as error:
            raise SmtpError(
                f"The mail server {server.name} refused the user name or password ({error.code}). "
                f"Correct {PREFIX}SMTP_URL."
            ) from None
        except (SMTPException, OSError) as error:
            raise SmtpError(
                f"The mail server {server.name} cannot be reached: {server.told(error)}"
            ) from None

    async def _send(self, envelope: Envelope) -> None:
        assert self._client is not None
        server = self._server
        try:
            await self._client.send_message(
                envelope.message, sender=envelope.sender, recipients=[envelope.recipient]
            )
        except (SMTPException, OSError, ValueError) as error:
            kind = MailRefused if _is_final(error) else SmtpError
            raise kind(f"The mail server {server.name} did not take the mail: {server.told(error)}") from None

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def _is_final(error: Exception) -> bool:
    """Whether the server's no is about this mail and for good.

    A refused sender or sign-in is not: that is the shop's setting, and once it is right the mail can go.
    """
    match error:
        case SMTPRecipientsRefused():
            return all(refused.code >= _PERMANENT for refused in error.recipients)
        case SMTPDataError():
            return error.code >= _PERMANENT
        case _:
            # An address that needs SMTPUTF8 where the server has none, or that it cannot be told at all.
            return isinstance(error, SMTPNotSupported | ValueError)


def _words(error: Exception) -> str:
    match error:
        case SMTPRecipientsRefused():
            return "; ".join(_words(refused) for refused in error.recipients)
        case SMTPResponseException():
            return f"{error.code} {error.message}"
        case _:
            return str(error) or type(error).__name__


def _bad_url() -> SettingsError:
    return SettingsError(
        f"{PREFIX}SMTP_URL: should be smtp://user:pw@host:25, smtps://... or smtp+starttls://..., with odd "
        "characters of user and password percent-encoded."
    )
