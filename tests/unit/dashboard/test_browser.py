"""Browsers by the names that people know."""

from __future__ import annotations

import pytest

from dashboard.browser import described
from dashboard.language import language

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (CHROME, "Chrome on Windows"),
        (f"{CHROME} Edg/141.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 Version/18.1 Safari/605.1",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/141.0 Safari/537.36",
            "Chrome on Android",
        ),
        ("curl/8.5", "curl/8.5"),
        ("Linux", "Linux"),
        ("x" * 100, "x" * 40),
        ("", "unknown browser"),
    ],
)
def test_a_browser_is_named(user_agent: str, words: str) -> None:
    assert described(user_agent, language("en")) == words
