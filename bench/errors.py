"""What can go wrong with a measurement."""

from __future__ import annotations


class BenchError(Exception):
    """Nothing was measured, and the message says why. A figure of a failing program is no figure."""
