"""What a start makes: it lasts as long as the process, so nobody need look whether it is garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 5_000
"""So many new objects are looked through at a time, instead of Python's 700: most of what a request makes
is gone before anybody looks. What is left is looked through ten times as many at a time: with 20,000 here
that took a tenth of a second once hundreds of live pages had been opened."""


@contextmanager
def lasting() -> Iterator[None]:
    """Keep the garbage collector away from what is imported and made meanwhile, now and later.

    It would look through all of it a dozen times during the start, and through half a million objects at a
    time while requests wait.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(_YOUNG)
        gc.enable()
