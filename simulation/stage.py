"""The stage: for one run, time and chance of the product are the world's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from random import Random
from unittest.mock import patch

from orchestrator import identity, postman, qr, reconcile
from orchestrator.letter import LetterWriter
from simulation.product_log import heard
from simulation.world import World


@contextmanager
def staged(world: World) -> Iterator[None]:
    """What the product takes from its surroundings, beside the parts that it is given.

    Two slow things that decide nothing are left out: drawing QR codes, and reading the mail templates anew
    in every process.
    """
    with ExitStack() as stack:
        stack.enter_context(patch.object(identity, "uuid7", _Ids(world).uuid7))
        stack.enter_context(patch.object(reconcile, "time", _Time(world)))
        stack.enter_context(patch.object(qr, "png", lambda _: b"a picture"))
        stack.enter_context(patch.object(postman, "LetterWriter", _WRITER))
        stack.enter_context(heard(world))
        yield


_WRITER = cache(LetterWriter)


class _Ids:
    """UUIDs of version 7 out of the world's time and a chance of their own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = Random(world.random.random())

    def uuid7(self, nanoseconds: int | None = None) -> str:
        """In the place of the library's: its text."""
        if nanoseconds is None:
            nanoseconds = int(self._world.loop.now().timestamp() * 1000) * 1_000_000
        digits = f"{nanoseconds // 1_000_000:012x}7{self._random.getrandbits(76):019x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@dataclass(frozen=True, slots=True)
class _Time:
    """In the place of the module ``time``."""

    world: World

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self.world.loop.elapsed
