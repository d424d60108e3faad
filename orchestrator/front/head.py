"""The head of a request, read so that no other program can have read it in another way.

RFC 9112 to the letter, where it leaves a choice the strictest one: what smugglers live on is what one program
forgives and the next one does not. Much is refused that no honest caller sends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 32 * 1024
"""Bytes of a request's line and headers."""
END = b"\r\n\r\n"

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_VALUE = rb"[\t -~\x80-\xff]*+"
_HEAD = re.compile(
    rb"(%(token)b) ([!-~]++) HTTP/(1\.[01])\r\n((?:%(token)b:%(value)b\r\n)*+)\r\n"
    % {b"token": _TOKEN, b"value": _VALUE}
)
_BEGINS = re.compile(_TOKEN)
_ODD_LINE = re.compile(rb"\n(?<!\r\n)|\r(?!\n|\Z)|\n[ \t]")
"""A line that ends with LF or CR alone, or goes on in the next one."""
_NUMBER = re.compile(rb"[0-9]{1,20}")
_OF_LENGTH = (b"content-length", b"transfer-encoding")


class Unreadable(Exception):
    """It is not HTTP, or may be understood in two ways."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a head says. ``headers`` have their names in lower case; ``length`` is None for chunks."""

    method: bytes
    target: bytes
    version: bytes
    headers: list[tuple[bytes, bytes]]
    length: int | None
    keeps_alive: bool
    expects_continue: bool


def read(text: bytes) -> Head:
    """The whole head, with the empty line that ends it. Raises Unreadable."""
    found = _HEAD.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        raise Unreadable
    method, target, version, lines = found.groups()
    headers = []
    for line in lines.split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        headers.append((name.lower(), value.strip(b" \t")))
    names = [name for name, _ in headers]
    latest = version == b"1.1"
    if names.count(b"host") != 1 and (latest or b"host" in names):
        raise Unreadable
    closes = b"connection" in names and b"close" in _words(headers, b"connection")
    expects = b"expect" in names and b"100-continue" in _words(headers, b"expect")
    length = _length(headers, latest)
    return Head(method, target, version, headers, length, latest and not closes, latest and expects)


def check_beginning(text: bytes | bytearray, looked: int) -> None:
    """Raise Unreadable for what no head begins with. Of its first ``looked`` bytes the lines were found
    right."""
    if len(text) > LONGEST or not _BEGINS.match(text) or _ODD_LINE.search(text, looked):
        raise Unreadable


def _length(headers: list[tuple[bytes, bytes]], latest: bool) -> int | None:
    """How long the body is; None for one in chunks."""
    said = [header for header in headers if header[0] in _OF_LENGTH]
    if not said:
        return 0
    name, value = said[0]
    if len(said) > 1:
        raise Unreadable
    if name == b"content-length" and _NUMBER.fullmatch(value):
        return int(value)
    if name == b"transfer-encoding" and value.lower() == b"chunked" and latest:
        return None
    raise Unreadable


def _words(headers: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    values = b",".join(value for known, value in headers if known == name)
    return [word.strip(b" \t") for word in values.lower().split(b",")]
