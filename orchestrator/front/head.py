"""The head of a request, read so that no other program can have read it in another way.

RFC 9112 to the letter, where it leaves a choice the strictest one: what smugglers live on is what one program
forgives and the next one does not. Much is refused that no honest caller sends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

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
_MEANT = frozenset((b"connection", b"content-length", b"expect", b"host", b"transfer-encoding"))
"""Headers that are for the server itself."""


class Unreadable(Exception):
    """It is not HTTP, or may be understood in two ways."""


class Head(NamedTuple):
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
    meant: dict[bytes, list[bytes]] = {}
    for line in lines.split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        name, value = name.lower(), value.strip(b" \t")
        headers.append((name, value))
        if name in _MEANT:
            meant.setdefault(name, []).append(value)
    latest = version == b"1.1"
    hosts = len(meant.get(b"host", ()))
    if hosts > 1 or (latest and not hosts):
        raise Unreadable
    keeps_alive = latest and b"close" not in _words(meant, b"connection")
    expects_continue = latest and b"100-continue" in _words(meant, b"expect")
    return Head(method, target, version, headers, _length(meant, latest), keeps_alive, expects_continue)


def check_beginning(text: bytes | bytearray, looked: int) -> None:
    """Raise Unreadable for what no head begins with. Of its first ``looked`` bytes the lines were found
    right."""
    if len(text) > LONGEST or not _BEGINS.match(text) or _ODD_LINE.search(text, looked):
        raise Unreadable


def _length(meant: Mapping[bytes, list[bytes]], latest: bool) -> int | None:
    """How long the body is; None for one in chunks."""
    lengths, codings = meant.get(b"content-length", ()), meant.get(b"transfer-encoding", ())
    match lengths, codings:
        case (), ():
            return 0
        case [length], () if _NUMBER.fullmatch(length):
            return int(length)
        case (), [coding] if latest and coding.lower() == b"chunked":
            return None
    raise Unreadable


def _words(meant: Mapping[bytes, list[bytes]], name: bytes) -> Sequence[bytes]:
    if name not in meant:
        return ()
    return [word.strip(b" \t") for word in b",".join(meant[name]).lower().split(b",")]
