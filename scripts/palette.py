"""Pictures in few colours, which makes them small: a page has flat colours and the shades of letters."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

from playwright.sync_api import Page

_COUNT = """async address => {
  const bitmap = await createImageBitmap(await (await fetch(address)).blob());
  const drawing = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  drawing.drawImage(bitmap, 0, 0);
  const pixels = new Uint32Array(drawing.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer);
  const seen = new Map();
  for (const pixel of pixels) seen.set(pixel, (seen.get(pixel) ?? 0) + 1);
  const parts = colour => [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255];
  const common = [...seen].sort((a, b) => b[1] - a[1]).map(each => each[0]);
  const kinds = common.map(parts), places = new Map(common.map((pixel, place) => [pixel, place]));
  const far = kinds.map(() => Infinity), nearest = kinds.map(() => 0), colours = [];
  while (colours.length < Math.min(256, kinds.length)) {
    const next = colours.length < 64 ? colours.length : far.indexOf(Math.max(...far)), colour = kinds[next];
    kinds.forEach((kind, i) => {
      const way = kind.reduce((sum, part, j) => sum + (part - colour[j]) ** 2, 0);
      if (way < far[i]) [far[i], nearest[i]] = [way, colours.length];
    });
    colours.push(colour);
  }
  let indexes = "";
  for (const pixel of pixels) indexes += String.fromCharCode(nearest[places.get(pixel)]);
  return {width: bitmap.width, height: bitmap.height, colours, indexes};
}"""
"""For the browser, which can read pictures: the 64 commonest colours, 192 that lie farthest from those chosen
before, and for each pixel the nearest of all."""


def reduced(page: Page, picture: bytes) -> bytes:
    """The same picture as a PNG with a palette. ``page`` is an empty one, and is closed."""
    found: dict[str, Any] = page.evaluate(
        _COUNT, f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    )
    page.close()
    width, height = found["width"], found["height"]
    pixels = found["indexes"].encode("latin-1")
    rows = (b"\0" + pixels[start : start + width] for start in range(0, width * height, width))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", bytes(part for colour in found["colours"] for part in colour)),
            _chunk(b"IDAT", zlib.compress(b"".join(rows), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
