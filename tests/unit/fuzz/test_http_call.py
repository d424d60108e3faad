"""What bytes are sent as a call: nothing that the server's HTTP would not let through."""

from __future__ import annotations

import pytest

from fuzz.http_call import HttpCall

JSON = (b"content-type", b"application/json")


@pytest.mark.parametrize(
    ("data", "headers", "body", "leaves"),
    [
        (b"", (JSON,), b"", False),
        (b'{"a": 1}', (JSON,), b'{"a": 1}', False),
        (b"Accept: x\n\n{}", ((b"accept", b"x"), JSON), b"{}", False),
        (b"content-type:\n\n{}\n\n", ((b"content-type", b""),), b"{}\n\n", False),
        (b"a: 1\na: 2\nno header\nb c: d\ne: \0\n\n", ((b"a", b"1"), JSON), b"", False),
        (b"content-length: 2\n\n{}", ((b"content-length", b"2"), JSON), b"{}", False),
        (b"content-length: 1\n\n{}", ((b"content-length", b"1"), JSON), b"{", False),
        (b"content-length: 3\n\n{}", ((b"content-length", b"3"), JSON), b"{}", True),
        (b"content-length: -3\n\n{}", (JSON,), b"{}", False),
    ],
)
def test_a_call_is_what_an_input_describes(
    data: bytes, headers: tuple[tuple[bytes, bytes], ...], body: bytes, leaves: bool
) -> None:
    assert HttpCall.read(data) == HttpCall(headers, body, leaves)
