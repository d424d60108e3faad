"""Customers: they scan twice, pay at once or late or never, change their mind, and read their mail."""

from __future__ import annotations

import asyncio
from functools import partial

from orchestrator.errors import OrchestratorError
from orchestrator.purchase import Order
from simulation.bank import Bank, Booked
from simulation.process import Process, Shop
from simulation.world import World

_CALLS_TIME_OUT = 20.0
_TEMPERS = {"pays": 60, "pays late": 12, "is refused": 6, "backs out": 8, "withdraws": 8, "vanishes": 12}


class Customers:
    """Everybody who buys, and SEQR's Instant Checkout service, which calls createPurchase for them."""

    def __init__(self, world: World, shop: Shop, bank: Bank, tokens: list[str], ttl: float) -> None:
        self._world, self._shop, self._bank = world, shop, bank
        self._tokens, self._ttl = tokens, ttl

    def come(self, number: int, within: float) -> None:
        """So many customers come within so many seconds."""
        for each in range(number):
            arrival = self._world.random.uniform(0, within)
            self._world.later(arrival, partial(self._arrive, each + 1))

    def mailed(self, reference: str) -> None:
        """A pay link is read in a mail."""
        self._bank.learn(reference)
        self._world.begin(self._decide(f"reader of {reference}", reference))

    def _arrive(self, number: int) -> None:
        random = self._world.random
        name = f"customer {number}"
        # A few share everything, as one person who orders again.
        person = number if random.random() < 0.9 else 1 + number // 2
        order = Order(
            random.choice(self._tokens),
            f"Customer {person}",
            "Storgatan 1",
            "Umeå",
            "",
            "903 26",
            "Sweden",
            f"c{person}@example.com",
            f"46700{person:06d}",
        )
        for _ in range(random.choice((1, 1, 1, 1, 2, 2, 3))):
            self._world.later(random.uniform(0, 3), lambda: self._world.begin(self._buy(name, order)))

    async def _buy(self, name: str, order: Order) -> None:
        for _ in range(self._world.random.choice((1, 3, 5))):
            self._world.step("customer", name, f"orders {order.purchase_token}")
            reference = await self._ordered(name, order)
            if reference is not None:
                self._world.tell(name, f"learns of {reference}")
                self._bank.learn(reference)
                await self._decide(name, reference)
                return
            await asyncio.sleep(self._world.random.uniform(0.5, 6))

    async def _ordered(self, name: str, order: Order) -> str | None:
        """Call createPurchase; returns the invoice reference, None when that came to nothing."""
        answer: asyncio.Future[str | None] = self._world.loop.create_future()
        self._world.begin(_serve(self._shop.some(), order, answer))
        try:
            return await asyncio.wait_for(answer, _CALLS_TIME_OUT)
        except TimeoutError:
            self._world.tell(name, "gets no answer")
            return None

    async def _decide(self, name: str, reference: str) -> None:
        """See what becomes of an invoice that the customer knows of."""
        random = self._world.random
        temper = random.choices(list(_TEMPERS), list(_TEMPERS.values()))[0]
        if temper == "vanishes":
            return
        late = temper == "pays late"
        await asyncio.sleep(
            random.uniform(0.8, 1.1) * self._ttl
            if late
            else random.expovariate(1 / random.choice((4, 12, 40)))
        )
        if temper == "withdraws":
            self._world.step("customer", name, f"withdraws from {reference}")
            self._bank.withdraw(reference)
        elif self._bank.begin_payment(reference):
            self._world.step("customer", name, f"gives the PIN for {reference}")
            await asyncio.sleep(random.choice((0.0, 0.3, 1.5, 6.0)) * random.random())
            end = {"is refused": self._bank.fail, "backs out": self._bank.back_out}.get(
                temper, self._bank.pay
            )
            end(reference)


async def _serve(process: Process, order: Order, answer: asyncio.Future[str | None]) -> None:
    """One createPurchase request in one process."""
    await asyncio.sleep(process.world.latency())
    if not process.alive:
        return
    try:
        reference: str | None = await process.settlement.place(order)
    except OrchestratorError as error:
        process.world.tell(process.name, f"refuses the order: {error.message}")
        reference = None
    await process.spend(process.world.latency())
    if not answer.done():
        answer.set_result(reference)


class Notifier:
    """SEQR's notifications: lost, repeated, late, out of order; and forged by who has learnt an address."""

    def __init__(self, world: World, shop: Shop, bank: Bank) -> None:
        self._world, self._shop, self._bank = world, shop, bank

    def moved(self, booked: Booked) -> None:
        """SEQR tells of a change, if it gets through."""
        random = self._world.random
        fate = self._world.fate("notification")
        if fate == "lost" or (not booked.ers_reference and random.random() < 0.5):
            return
        for _ in range(random.randint(2, 4) if fate in ("repeated", "both") else 1):
            delay = random.expovariate(1 / 10) if fate in ("delayed", "both") else self._world.latency()
            self._world.later(delay, partial(self._call, "SEQR", booked))

    def forge(self) -> None:
        """Somebody who knows an address calls it for no reason, or one that was never ours."""
        if self._bank.invoices:
            booked = self._world.random.choice(list(self._bank.invoices.values()))
            self._world.faults["notification: forged"] += 1
            self._call("a stranger", booked)

    def _call(self, who: str, booked: Booked) -> None:
        self._world.step("notification", who, f"calls the address of {booked.purchase_id}")
        self._world.begin(self._deliver(self._shop.some(), booked.notification_key))

    async def _deliver(self, process: Process, key: str) -> None:
        if not process.alive:
            return
        try:
            await process.notified(key)
        except OrchestratorError as error:
            self._world.tell(process.name, f"refuses a notification: {error.message}")
