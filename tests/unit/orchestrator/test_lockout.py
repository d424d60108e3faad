"""What counts as one address."""

from __future__ import annotations

import pytest

from orchestrator.lockout import network


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("a proxy's fancy" + "x" * 100, ("a proxy's fancy" + "x" * 100)[:64]),
    ],
)
def test_an_ipv6_network_is_one(address: str, counted: str) -> None:
    assert network(address) == counted
