"""The postman: takes what is due from the outbox, writes it and carries it to the mail server.

Any number of processes may have one. No transaction is open while the mail server is spoken to.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime

import structlog

from orchestrator import outbox, qr, summary
from orchestrator.database import Database
from orchestrator.errors import OrchestratorError
from orchestrator.identity import now
from orchestrator.letter import LetterWriter
from orchestrator.mail import Envelope, address, compose, sender_of
from orchestrator.outbox import Letter, Mail, NothingToPay
from orchestrator.settings import Settings
from orchestrator.smtp import MailServer, Session
from orchestrator.summary import Summary
from statemachine import State

log = structlog.get_logger(__name__)

BATCH = 20
"""Mails claimed at a time: few enough to be through in ``LANES`` before their lease is over."""

LANES = 4
"""Connections to the mail server at a time: a slow mail holds up one lane only."""

_BATCHES_IN_A_RUN = 10


class Unexpected(OrchestratorError):
    """The mail could not be made or sent, for a reason nobody thought of. The log has it."""

    code = "unexpected"
    retryable = True


class Postman:
    """Sends what is due. Made once; raises SettingsError where sender or mail server are set wrong."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        server: MailServer | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """``server`` is the one of the settings unless given; without either, mails are kept."""
        self._database = database
        self._clock = clock
        self._writer = LetterWriter(settings)
        self._sender = sender_of(settings)
        if server is None and settings.smtp_url is not None:
            server = MailServer(settings.smtp_url.get_secret_value())
        self._server = server
        self._running = False

    async def run_once(self) -> int:
        """Handle what is due, 200 mails at most; returns how many. Nothing while another run is under way.

        Raises DatabaseUnavailable. What is wrong with a mail is written down with it and raised to nobody.
        """
        if self._running:
            return 0
        self._running = True
        try:
            return await self._run()
        finally:
            self._running = False

    async def _run(self) -> int:
        handled = 0
        for _ in range(_BATCHES_IN_A_RUN):
            mails = await self._database.write(outbox.claim, self._clock(), BATCH)
            await self._carry(mails)
            handled += len(mails)
            if len(mails) < BATCH:
                break
        return handled

    async def _carry(self, mails: list[Mail]) -> None:
        if self._server is None:
            await self._keep(mails)
            return
        waiting = deque(mails)
        lanes = [self._lane(self._server.session(), waiting) for _ in range(min(LANES, len(mails)))]
        for outcome in await asyncio.gather(*lanes, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _keep(self, mails: list[Mail]) -> None:
        """Nobody takes them: they are written for the dashboard. Read and recorded all at once, since that
        is most of what one costs."""
        if not mails:
            return
        facts = await self._database.read(summary.read_some, {mail.purchase_id for mail in mails})
        kept = []
        for mail in mails:
            letter = await self._handle(mail, facts[mail.purchase_id])
            if letter is not None:
                kept.append((mail, letter))
            await asyncio.sleep(0)  # customers first
        if kept:
            await self._database.write(outbox.record_kept, kept)
        for mail, _ in kept:
            log.info("mail.kept", mail_id=mail.id, purchase_id=mail.purchase_id)

    async def _lane(self, session: Session, waiting: deque[Mail]) -> None:
        try:
            while waiting:
                mail = waiting.popleft()
                facts = await self._database.glance(summary.read, mail.purchase_id)
                letter = await self._handle(mail, facts, session)
                if letter is not None:
                    await self._database.write_brief(outbox.record_sent, mail, letter, self._clock())
                    log.info("mail.sent", mail_id=mail.id, purchase_id=mail.purchase_id)
        finally:
            await session.close()

    async def _handle(self, mail: Mail, facts: Summary, session: Session | None = None) -> Letter | None:
        """Write a mail, and send it if there is a session; None if that failed, which is written down."""
        letter: Letter | None = None
        try:
            letter = self._write(mail, facts)
            if session is not None:
                await session.send(self._compose(mail, letter, facts))
        except OrchestratorError as error:
            await self._record_failure(mail, letter, error)
        except Exception:
            log.exception("mail.unexpected", mail_id=mail.id, purchase_id=mail.purchase_id)
            await self._record_failure(mail, letter, Unexpected())
        else:
            return letter
        return None

    def _write(self, mail: Mail, facts: Summary) -> Letter:
        if mail.kind == "payment_link" and (facts.state != State.INVOICED or facts.pay_code is None):
            raise NothingToPay(f"The purchase is {facts.state}: there is no open invoice to pay.")
        return self._writer.write(mail.kind, facts)

    def _compose(self, mail: Mail, letter: Letter, facts: Summary) -> Envelope:
        code = qr.png(facts.pay_code) if mail.kind == "payment_link" and facts.pay_code else None
        recipient = address(mail.recipient, facts.customer.name)
        return compose(self._sender, recipient, letter, mail.message_id, self._clock(), code)

    async def _record_failure(self, mail: Mail, letter: Letter | None, error: OrchestratorError) -> None:
        await self._database.write_brief(outbox.record_failure, mail, letter, error, self._clock())
        log.warning(
            "mail.not_sent",
            mail_id=mail.id,
            purchase_id=mail.purchase_id,
            attempt=mail.attempts,
            error=error.message,
        )
