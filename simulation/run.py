"""One run: a storm over a shop with customers, then a quiet time, then the reckoning."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Connection, insert

from orchestrator.settings import Settings
from orchestrator.tables import bundle_parts, products
from simulation.bank import Bank, Booked
from simulation.clock import Standstill, VirtualLoop
from simulation.customers import Customers, Notifier
from simulation.database import Store, migrated, shared_store
from simulation.disasters import Disasters
from simulation.invariants import Invariants
from simulation.mailbox import Mailbox
from simulation.operators import Operators
from simulation.process import Shop
from simulation.reckoning import REST, Reckoning
from simulation.stage import staged
from simulation.world import Breach, World

_QUIET_AT_LEAST = 45.0
_QUIET_AT_MOST = 600.0
_LOOK_EVERY = 5.0
_GOODS = ("mug", "spoon", "plate")
_NAMES = """SELECT id, 'P' || row_number() OVER (ORDER BY id) FROM purchases UNION ALL
    SELECT a.id, 'A' || a.number || ' of ' || a.purchase_id FROM invoice_attempts a"""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one seed. Counts are by kind."""

    seed: int
    steps: dict[str, int]
    faults: dict[str, int]
    checks: dict[str, int]
    seconds: float
    """Virtual ones."""
    digest: str
    breach: Breach | None = None
    story: list[str] = field(default_factory=list)


def run(seed: int, *, tell: bool = False) -> Report:
    """Let the world of this seed happen. With ``tell`` the story is told even if all is well."""
    loop, store = VirtualLoop(), shared_store()
    store.committed, store.wrote_in_read = _nothing, _nothing
    store.reset(migrated())
    try:
        world = World(seed, loop)
        with staged(world):
            _let_happen(world, store)
        world.story.name(dict(store.rows(_NAMES)))
        return Report(
            seed,
            dict(world.steps),
            dict(world.faults),
            dict(world.checks),
            loop.elapsed,
            world.story.digest() if tell or world.breach else "",
            world.breach,
            list(world.story.lines()) if tell or world.breach else [],
        )
    finally:
        loop.close()


def run_and_tidy(seed: int) -> Report:
    """One of many: garbage is collected between the runs, not in them, where it would cost time."""
    report = run(seed)
    gc.collect()
    return report


def _let_happen(world: World, store: Store) -> None:
    try:
        world.loop.run_until_complete(Run(world, store).happen())
    except Standstill:
        world.complain(REST, "everybody waits for somebody else")
    world.over = True
    world.loop.run_until_complete(_bury_all())


async def _bury_all() -> None:
    """End everybody who still waits for something."""
    everybody = asyncio.all_tasks() - {asyncio.current_task()}
    for task in everybody:
        task.cancel()
    await asyncio.gather(*everybody, return_exceptions=True)


class Run:
    """The parts of one world, put together."""

    def __init__(self, world: World, store: Store) -> None:
        random = world.random
        self._world, self._store = world, store
        self._settings = _settings(random.choice((1, 2, 3)), random.choice((40, 90, 150)))
        self._storm = random.uniform(40, 150)
        self._stock = {token: random.choice((1, 2, 4, 6, 12)) for token in _GOODS}
        self._bank, self._mailbox = Bank(world), Mailbox(world)
        self._shop = Shop(world, store, self._bank, self._mailbox, self._settings)
        self._operators = Operators(world, self._shop, store, list(_GOODS))
        self._notifier = Notifier(world, self._shop, self._bank)
        ttl = self._settings.invoice_ttl
        self._customers = Customers(world, self._shop, self._bank, [*_GOODS, "set"], ttl)
        self._invariants = Invariants(world, store, self._bank, self._settings, self._stock)
        self._reckoning = Reckoning(world, store, self._bank, self._mailbox)

    async def happen(self) -> None:
        """From the first customer to the reckoning, or to the first breach."""
        self._open()
        random = self._world.random
        self._shop.open(random.randint(1, 3))
        Disasters(self._world, self._shop).begin()
        self._customers.come(random.randint(5, 30), within=self._storm * 0.8)
        self._world.begin(self._operators.work())
        self._world.begin(self._strangers())
        self._world.begin(self._pass())
        await self._world.ended
        if self._world.breach is None:
            self._reckoning.reckon(self._invariants.entries)

    def _open(self) -> None:
        """A migrated database with goods, and everybody knows whom to tell."""
        self._store.write(self._stocked)
        self._store.committed = self._invariants.committed
        self._store.wrote_in_read = self._invariants.wrote_in_read
        self._mailbox.read_pay_link = self._customers.mailed
        self._bank.about_to_move = self._operators.tempt
        self._bank.moved = self._moved

    def _stocked(self, connection: Connection) -> None:
        at = self._world.loop.now()
        common: dict[str, Any] = {"currency": "SEK", "tax_rate": Decimal(25), "for_sale": True, "reserved": 0}
        common |= {"created_at": at, "updated_at": at}
        goods = [
            {
                **common,
                "token": token,
                "title": token,
                "price": Decimal(49),
                "on_hand": self._stock.get(token, 0),
            }
            for token in (*_GOODS, "set")
        ]
        connection.execute(insert(products), goods)
        parts = [
            {"bundle_token": "set", "part_token": "mug", "position": 1, "quantity": 1},
            {"bundle_token": "set", "part_token": "spoon", "position": 2, "quantity": 2},
        ]
        connection.execute(insert(bundle_parts), parts)

    def _moved(self, booked: Booked) -> None:
        self._notifier.moved(booked)
        self._operators.tempt(booked)

    async def _strangers(self) -> None:
        """Forged notifications, now and then."""
        often = self._world.random.choice((5.0, 30.0, 1000.0))
        while not self._world.calm:
            await asyncio.sleep(self._world.random.expovariate(1 / often))
            self._notifier.forge()

    async def _pass(self) -> None:
        """The storm, and the quiet time after it, until everything rests."""
        await asyncio.sleep(self._storm)
        self._world.calm = True
        self._world.tell("world", "the storm is over")
        calm_since = self._world.loop.elapsed
        await asyncio.sleep(_QUIET_AT_LEAST)
        while self._world.loop.elapsed < calm_since + _QUIET_AT_MOST:
            everybody_up = len(self._shop.able()) == len(self._shop.processes)
            if everybody_up and not self._world.away and not self._reckoning.restless():
                break
            await asyncio.sleep(_LOOK_EVERY)
        self._world.end()


@cache
def _settings(poll_interval: float, invoice_ttl: float) -> Settings:
    return Settings(
        _env_file=None,
        poll_interval=poll_interval,
        invoice_ttl=invoice_ttl,
        seqr_timeout=8,
        delivery_charge=Decimal(19),
    )


def _nothing(*_: object) -> None:
    """Nobody looks yet."""
