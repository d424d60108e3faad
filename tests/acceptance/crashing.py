"""The program as it is served, in processes that can be told where to die: by SIGKILL, without a word; or
where to freeze, by SIGSTOP, until somebody wakes them.

Run as a script this is a nursery: it imports the program once and then forks a process for every line of
JSON on its standard input (a ``Birth``), so that each is there in an instant. It answers each line with one
line: the process's id, or how it ended. When its input ends it ends, and all that it forked with it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar

import uvicorn
from sqlalchemy import Connection

from orchestrator import logs
from orchestrator.app import build_app, make_parts, open_seqr
from orchestrator.database import Database, open_database
from orchestrator.seqr.messages import Answered, Invoice, IssuedInvoice, Outcome, PaymentStatus, Seqr
from orchestrator.settings import Settings
from orchestrator.work import P, Work
from tests.fixtures.clock import wrong_clock

T = TypeVar("T")

HOUR = 3600.0
BACK, ON = signal.SIGUSR1, signal.SIGUSR2
"""Signals that set the clock of a process back and on by an hour."""


@dataclass(frozen=True)
class Crash:
    """Where to die.

    ``point`` is a unit of work (``placement.place``) or a call to SEQR (``seqr.send_invoice``). Before a
    unit of work's commit means that its statements have run; after it, that nobody has been told yet.
    ``number`` counts the times that the point is reached, only those that bear SEQR's word ``status`` where
    one is given.
    """

    point: str
    moment: Literal["before", "after"]
    number: int = 1
    status: str = ""
    freezes: bool = False
    """Stop there, as a machine that is suspended does, and go on when woken, as if nothing had happened."""

    def __str__(self) -> str:
        often = str(self.number) if self.number > 1 else ""
        words = ["frozen" if self.freezes else "", self.moment, self.point, self.status, often]
        return " ".join(word for word in words if word)


@dataclass(frozen=True)
class Birth:
    """A process to be: its settings, its port, where its log goes, and where it dies."""

    settings: dict[str, Any]
    port: int
    log: str
    crash: Crash | None = None

    def as_line(self) -> str:
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def of_line(cls, line: str) -> Birth:
        given = json.loads(line)
        crash = given.pop("crash")
        return cls(**given, crash=Crash(**crash) if crash else None)


class Fate:
    """Knows when the time has come, and does what is to be done then."""

    def __init__(self, crash: Crash | None) -> None:
        self._crash = crash
        self._reached = 0

    def at(self, point: str, moment: str, status: str = "") -> None:
        """Die at this point, or freeze, or go on."""
        crash = self._crash
        if crash is None or (crash.point, crash.moment) != (point, moment):
            return
        if crash.status and crash.status != status:
            return
        self._reached += 1
        if self._reached == crash.number:
            # Like a machine without power, or one that is suspended: nothing is flushed, closed or said.
            os.kill(os.getpid(), signal.SIGSTOP if crash.freezes else signal.SIGKILL)


class MortalDatabase(Database):
    """A database whose process may die just before or just after a commit."""

    def __init__(self, database: Database, fate: Fate) -> None:
        self.dialect = database.dialect
        self._database = database
        self._fate = fate

    async def write(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._write_with(self._database.write, work, *args, **kwargs)

    async def write_brief(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._write_with(self._database.write_brief, work, *args, **kwargs)

    async def write_once(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._write_with(self._database.write_once, work, *args, **kwargs)

    async def _write_with(
        self,
        write: Callable[[Callable[[Connection], T]], Awaitable[T]],
        work: Work[P, T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        point = f"{work.__module__.rpartition('.')[2]}.{work.__name__}"
        status = next((told for arg in args if (told := _status(arg))), "")

        def until_the_commit(connection: Connection) -> T:
            done = work(connection, *args, **kwargs)
            self._pass(point, "before", status, done)
            return done

        done = await write(until_the_commit)
        self._pass(point, "after", status, done)
        return done

    async def read(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._database.read(work, *args, **kwargs)

    async def glance(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._database.glance(work, *args, **kwargs)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await self._database.write(work)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        return await self._database.read(work)

    async def close(self) -> None:
        await self._database.close()

    def _pass(self, point: str, moment: str, status: str, done: object) -> None:
        """Die here, or go on. A claim that found nothing due is no point to die at."""
        if done != []:
            self._fate.at(point, moment, status)


def _status(outcome: object) -> str:
    """SEQR's word about an invoice, if that is what this is."""
    if isinstance(outcome, Answered) and isinstance(outcome.value, PaymentStatus):
        return outcome.value.status
    return ""


class MortalSeqr:
    """A line to SEQR whose process may die before a call, or when it is answered."""

    def __init__(self, seqr: Seqr, fate: Fate) -> None:
        self._seqr = seqr
        self._fate = fate

    async def send_invoice(self, invoice: Invoice) -> Outcome[IssuedInvoice]:
        self._pass("send_invoice", "before")
        outcome = await self._seqr.send_invoice(invoice)
        self._pass("send_invoice", "after")
        return outcome

    async def payment_status(self, reference: str, version: int) -> Outcome[PaymentStatus]:
        self._pass("payment_status", "before")
        outcome = await self._seqr.payment_status(reference, version)
        self._pass("payment_status", "after", _status(outcome))
        return outcome

    async def cancel_invoice(self, reference: str) -> Outcome[None]:
        self._pass("cancel_invoice", "before")
        outcome = await self._seqr.cancel_invoice(reference)
        self._pass("cancel_invoice", "after")
        return outcome

    async def close(self) -> None:
        await self._seqr.close()

    def _pass(self, call: str, moment: str, status: str = "") -> None:
        self._fate.at(f"seqr.{call}", moment, status)


def nurse() -> Birth | None:
    """Fork until the input ends; returns None then, and in each forked process what it is to be."""
    born: set[int] = set()
    _say({"ready": os.getpid()})
    for line in sys.stdin:
        given = json.loads(line)
        if "ended" in given:
            _, status = os.waitpid(given["ended"], 0)
            born.discard(given["ended"])
            _say({"status": os.waitstatus_to_exitcode(status)})
            continue
        pid = os.fork()
        if pid == 0:
            return Birth.of_line(line)
        born.add(pid)
        _say({"pid": pid})
    for pid in born:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return None


def _say(words: dict[str, int]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def live(birth: Birth) -> None:
    """Serve until killed. The time of day is whatever it was set to by signals."""
    _turn_to(birth.log)
    settings = Settings(_env_file=None, **birth.settings)
    logs.configure(settings)
    fate = Fate(birth.crash)
    with wrong_clock() as clock:
        for number, seconds in ((BACK, -HOUR), (ON, HOUR)):
            signal.signal(number, lambda *_, seconds=seconds: clock.turn(seconds))
        _serve(settings, birth, fate)


def _serve(settings: Settings, birth: Birth, fate: Fate) -> None:
    parts = make_parts(
        settings,
        MortalDatabase(open_database(settings.database), fate),
        MortalSeqr(open_seqr(settings), fate),
    )
    # The test holds the same port without listening: nobody else gets it between two lives.
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(("127.0.0.1", birth.port))
        config = uvicorn.Config(build_app(parts), log_config=None, access_log=False, ws="none")
        uvicorn.Server(config).run(sockets=[listening])


def _turn_to(log: str) -> None:
    """Read nothing, and write all words into the log."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(written, 1)
    os.dup2(written, 2)


if __name__ == "__main__":
    birth = nurse()
    if birth is not None:
        live(birth)
