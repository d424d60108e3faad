"""Where a sign-in may lead."""

from __future__ import annotations

import pytest

from dashboard.pages.signin import inside


@pytest.mark.parametrize("path", ["/purchases?state=paid", "/products/mug", "/"])
def test_it_leads_back_to_our_pages(path: str) -> None:
    assert inside(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "https://evil.example", "//evil.example", "/\\evil.example", "/login?next=/", "/\r\nX: y", "/\t/e"],
)
def test_it_never_leads_elsewhere(path: str) -> None:
    assert inside(path) == "/"
