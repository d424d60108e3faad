"""A fresh sandbox for every test."""

from collections.abc import AsyncIterator

import pytest

from tests.fixtures.sandbox import Scene, played


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """A sandbox driven by the WSDL that ships with the project, and a web-shop."""
    async with played() as scene:
        yield scene
