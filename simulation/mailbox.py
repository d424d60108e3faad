"""The mail server and the customers' letterboxes; and which mails a process has in hand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orchestrator import outbox
from orchestrator.mail import Envelope
from orchestrator.outbox import Mail
from orchestrator.smtp import MailRefused, MailServer, Session, SmtpError
from simulation.world import World

if TYPE_CHECKING:
    from simulation.process import Process

ONCE = "a mail goes out once, twice only after a crash"
_RECORDS = (outbox.record_sent, outbox.record_failure)
_PAY_LINK = re.compile(r"HTTP://SEQR\.SE/R(\w+)")


class Mailbox:
    """Every mail that the mail server took, by its Message-ID.

    ``excuses`` counts for each what may have led to a second one: a process that died or froze while it had
    the mail in hand, an answer of the mail server that got lost, a record that could not be written.
    """

    def __init__(self, world: World) -> None:
        self.taken: Counter[str] = Counter()
        self.excuses: Counter[str] = Counter()
        self.refused: set[str] = set()
        self.read_pay_link: Callable[[str], None] = lambda _: None
        """Called with the invoice reference of a pay link that has reached its customer."""
        self._world = world

    def take(self, envelope: Envelope) -> None:
        """The mail server takes a mail, and the customer reads it after a while."""
        message_id = name_of(envelope)
        self.taken[message_id] += 1
        again = self.taken[message_id] - 1
        excused = self.excuses[message_id]
        too_often = f"mail {message_id} went out {again + 1} times, with {excused} reasons for more than one"
        self._world.check(ONCE, [too_often] if again > excused else [])
        body = envelope.message.get_body(("plain",))
        link = _PAY_LINK.search(body.get_content()) if body else None
        if link:
            reference = link.group(1)
            self._world.later(self._world.random.uniform(1, 30), lambda: self.read_pay_link(reference))


def name_of(envelope: Envelope) -> str:
    """The left side of its Message-ID."""
    return str(envelope.message["Message-ID"]).strip("<>").partition("@")[0]


class Mailbag:
    """The mails that one process has claimed and not yet written down as sent."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._in_hand: set[str] = set()

    def done(self, work: Callable[..., Any], args: tuple[object, ...], result: object) -> None:
        """A unit of work was done, of whatever kind."""
        if work is outbox.claim and isinstance(result, list):
            self._in_hand.update(mail.message_id for mail in result)
        elif work in _RECORDS and isinstance(args[0], Mail):
            self._in_hand.discard(args[0].message_id)

    def failed(self, work: Callable[..., Any], args: tuple[object, ...]) -> None:
        """A unit of work failed, or nobody can tell."""
        if work in _RECORDS and isinstance(args[0], Mail):
            self._mailbox.excuses[args[0].message_id] += 1

    def interrupted(self) -> None:
        """The process is dead, or frozen for a while."""
        self._mailbox.excuses.update(sorted(self._in_hand))


class MailLine(MailServer):
    """A process' way to the mail server."""

    def __init__(self, world: World, mailbox: Mailbox, process: Process) -> None:
        super().__init__("smtp://mail.example")
        self.world, self.mailbox, self.process = world, mailbox, process

    def session(self) -> Session:
        return _Session(self)


class _Session(Session):
    def __init__(self, line: MailLine) -> None:
        super().__init__(line)
        self._line = line

    async def send(self, envelope: Envelope) -> None:
        line, world = self._line, self._line.world
        await line.process.gate()
        fate = world.fate("mail")
        await line.process.spend(world.latency())
        world.step("mail", line.process.name, f"mails {name_of(envelope)}{f'  [{fate}]' if fate else ''}")
        await self._break_before(fate, name_of(envelope))
        line.mailbox.take(envelope)
        if fate == "crash after the work":
            line.process.crash()
        if fate == "lost after the work":
            line.mailbox.excuses[name_of(envelope)] += 1
            await line.process.spend(line.deadline)
            raise SmtpError("The mail server did not finish.")
        await line.process.spend(world.latency())

    async def close(self) -> None:
        """Nothing is open."""

    async def _break_before(self, fate: str | None, message_id: str) -> None:
        line, world = self._line, self._line.world
        if fate == "crash before the work":
            line.process.crash()
            await line.process.gate()
        if fate == "lost before the work":
            await line.process.spend(line.deadline)
            raise SmtpError("The mail server did not finish.")
        if fate == "no connection" or "mail server" in world.away:
            raise SmtpError("The mail server cannot be reached.")
        if fate == "refused":
            line.mailbox.refused.add(message_id)
            raise MailRefused("The mail server does not know the recipient.")
