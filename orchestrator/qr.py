"""QR codes: what a product's code says, the link that does the same on a phone, and the drawings."""

from __future__ import annotations

import io
from urllib.parse import quote

import segno

from orchestrator.settings import Settings

SMALLEST_SCALE, LARGEST_SCALE = 1, 40
"""How many pixels a module, the smallest square of a code, may have a side."""

SCALE = 6
_QUIET_ZONE = 4
_SEQR = "HTTP://SEQR.SE/"
_SCHEMES = {"live": "seqr://", "demo": "seqr-demo://"}


def content(settings: Settings, token: str) -> str:
    """What the code of a product says: the template of the settings, filled in (facts, rule 8).

    ``{token}`` and ``{webshop_id}`` are percent-encoded; ``{public_url}`` stands as it is, so that a template
    may begin with it.
    """
    values = {"public_url": settings.public_url, "webshop_id": quote(settings.webshop_id, safe="")}
    text = settings.qr_template
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text.replace("{token}", quote(token, safe=""))


def seqr_link(content: str, mode: str = "live") -> str:
    """The link that does on the phone's own browser what scanning ``content`` does (facts, rule 8).

    ``seqr://`` instead of ``HTTP://``, or ``seqr-demo://`` for SEQR's demo app where ``mode`` is ``demo``.
    A code that leads elsewhere than to SEQR.SE is a link already.
    """
    if content[: len(_SEQR)].upper() != _SEQR:
        return content
    return _SCHEMES["demo" if mode == "demo" else "live"] + content[len("HTTP://") :]


def svg(content: str, scale: int = SCALE) -> bytes:
    """The code as an SVG of any size, black on white with its quiet zone, error level M or better."""
    code = segno.make_qr(content, error="m")
    drawing = io.BytesIO()
    code.save(
        drawing,
        kind="svg",
        border=_QUIET_ZONE,
        light="#fff",
        omitsize=True,
        svgclass=None,
        lineclass=None,
        xmldecl=False,
        nl=False,
    )
    side, _ = code.symbol_size(scale=_bounded(scale), border=_QUIET_ZONE)
    # Crisp edges: else some browsers leave hairlines between the rows where a module is no whole pixel.
    size = f'<svg width="{side}" height="{side}" shape-rendering="crispEdges" '
    return drawing.getvalue().replace(b"<svg ", size.encode(), 1)


def png(content: str, scale: int = SCALE) -> bytes:
    """The code as a PNG, black on white with its quiet zone, error level M or better."""
    picture = io.BytesIO()
    segno.make_qr(content, error="m").save(picture, kind="png", scale=_bounded(scale), border=_QUIET_ZONE)
    return picture.getvalue()


def side(content: str) -> int:
    """How many modules the code is wide, with its quiet zone."""
    width, _ = segno.make_qr(content, error="m").symbol_size(border=_QUIET_ZONE)
    return int(width)


def snippet(public_url: str, token: str, webshop_id: str) -> str:
    """What a merchant pastes into a page of his shop."""
    return f"""\
<div id="qrcode"></div>

<script src="{public_url}/static/seqrQRCode.js"></script>
<script>
  seqrQRCode.qrCode({{
    selector: "#qrcode",
    purchaseToken: "{token}",
    webshopId: "{webshop_id}"
  }});
</script>"""


def _bounded(scale: int) -> int:
    return max(SMALLEST_SCALE, min(scale, LARGEST_SCALE))
