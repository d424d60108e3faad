"""Product pictures for the demo shop: calm still lifes drawn from the product's token."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Palette:
    wall: str
    light: str
    table: str
    body: str
    shade: str
    accent: str


_PALETTES = (
    _Palette("#efe3d3", "#f8efe2", "#d9bf9f", "#b4573a", "#8f402a", "#f3d9b1"),
    _Palette("#dfe6dd", "#edf2ea", "#b9a88c", "#4d6b57", "#38513f", "#e8c98f"),
    _Palette("#e4dfe8", "#f2eef4", "#c4b0a4", "#6a5a86", "#4f4268", "#e9c3a4"),
    _Palette("#dce6ea", "#ecf3f5", "#c9b79c", "#3f6c7d", "#2e5361", "#f0cf9c"),
    _Palette("#f1dfd6", "#f9ede7", "#cdb193", "#c08a3e", "#98692a", "#7a8f6a"),
    _Palette("#e8e4d8", "#f4f1e8", "#bfa583", "#7d4f50", "#5f3a3c", "#d9c9a3"),
)


def draw(token: str) -> str:
    """An SVG of 480 × 360; the same token gives the same picture."""
    seed = hashlib.sha256(token.encode()).digest()
    palette = _PALETTES[seed[0] % len(_PALETTES)]
    shape = _SHAPES[seed[1] % len(_SHAPES)]
    sun_x, sun_y = 90 + seed[2] % 300, 70 + seed[3] % 60
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 360">'
        f'<rect width="480" height="360" fill="{palette.wall}"/>'
        f'<circle cx="{sun_x}" cy="{sun_y}" r="{46 + seed[4] % 30}" fill="{palette.light}"/>'
        f'<path d="M0 268 H480 V360 H0 Z" fill="{palette.table}"/>'
        f'<ellipse cx="248" cy="296" rx="118" ry="13" fill="{palette.shade}" opacity=".22"/>'
        f"{shape(palette)}</svg>"
    )


def _cup(p: _Palette) -> str:
    return (
        f'<path d="M318 190 a38 38 0 0 1 0 68" fill="none" stroke="{p.shade}" stroke-width="16"/>'
        f'<path d="M160 164 H322 V238 a58 58 0 0 1 -58 58 H218 a58 58 0 0 1 -58 -58 Z" fill="{p.body}"/>'
        f'<path d="M282 164 H322 V238 a58 58 0 0 1 -58 58 H244 C276 280 284 240 282 164 Z" fill="{p.shade}"/>'
        f'<ellipse cx="241" cy="164" rx="81" ry="15" fill="{p.accent}"/>'
        f'<path d="M212 130 q-16 -22 0 -42 M252 126 q-16 -22 0 -42" fill="none" stroke="{p.light}" '
        'stroke-width="8" stroke-linecap="round"/>'
    )


def _bag(p: _Palette) -> str:
    return (
        f'<path d="M172 132 L240 112 L308 132 L322 294 H158 Z" fill="{p.body}"/>'
        f'<path d="M240 112 L308 132 L322 294 H262 Z" fill="{p.shade}"/>'
        f'<path d="M172 132 L180 106 H300 L308 132 Z" fill="{p.shade}"/>'
        f'<rect x="188" y="176" width="104" height="72" rx="6" fill="{p.accent}"/>'
        f'<path d="M206 200 H274 M206 220 H254" stroke="{p.shade}" stroke-width="7" stroke-linecap="round"/>'
    )


def _vase(p: _Palette) -> str:
    return (
        f'<path d="M240 172 C236 120 214 98 196 70 M244 172 C246 118 266 96 290 84" fill="none" '
        f'stroke="{p.shade}" stroke-width="6" stroke-linecap="round"/>'
        f'<circle cx="194" cy="66" r="20" fill="{p.accent}"/><circle cx="294" cy="80" r="24" fill="{p.accent}"/>'
        f'<circle cx="194" cy="66" r="8" fill="{p.shade}"/><circle cx="294" cy="80" r="9" fill="{p.shade}"/>'
        f'<path d="M214 166 H266 C264 196 318 210 308 254 C302 284 284 296 240 296 C196 296 178 284 172 254 '
        f'C162 210 216 196 214 166 Z" fill="{p.body}"/>'
        f'<path d="M252 166 H266 C264 196 318 210 308 254 C302 284 284 296 248 296 C286 262 262 214 252 166 Z" '
        f'fill="{p.shade}"/>'
    )


def _box(p: _Palette) -> str:
    return (
        f'<path d="M140 184 L240 156 L340 184 L240 214 Z" fill="{p.accent}"/>'
        f'<path d="M140 184 L240 214 V300 L140 268 Z" fill="{p.body}"/>'
        f'<path d="M340 184 L240 214 V300 L340 268 Z" fill="{p.shade}"/>'
        f'<path d="M190 170 L290 199 V284 L272 290 V204 L172 175 Z" fill="{p.light}" opacity=".85"/>'
        f'<path d="M240 160 q-46 -44 -62 -14 q-4 22 62 14 q46 -44 62 -14 q4 22 -62 14" fill="{p.light}"/>'
    )


def _bottle(p: _Palette) -> str:
    return (
        f'<rect x="222" y="66" width="36" height="34" rx="6" fill="{p.shade}"/>'
        f'<path d="M226 98 H254 V138 C254 158 296 160 296 196 V276 a20 20 0 0 1 -20 20 H204 a20 20 0 0 1 -20 -20 '
        f'V196 C184 160 226 158 226 138 Z" fill="{p.body}"/>'
        f'<path d="M244 98 H254 V138 C254 158 296 160 296 196 V276 a20 20 0 0 1 -20 20 H250 C276 250 262 170 244 98 Z" '
        f'fill="{p.shade}"/>'
        f'<rect x="184" y="204" width="112" height="52" fill="{p.accent}"/>'
        f'<path d="M204 222 H268 M204 238 H244" stroke="{p.shade}" stroke-width="6" stroke-linecap="round"/>'
    )


def _books(p: _Palette) -> str:
    return (
        f'<rect x="136" y="258" width="216" height="38" rx="6" fill="{p.body}"/>'
        f'<rect x="154" y="218" width="190" height="40" rx="6" fill="{p.accent}"/>'
        f'<rect x="144" y="180" width="176" height="38" rx="6" fill="{p.shade}"/>'
        f'<path d="M164 277 H260 M180 238 H250 M166 199 H230" stroke="{p.light}" stroke-width="6" '
        'stroke-linecap="round"/>'
        f'<circle cx="262" cy="146" r="34" fill="{p.body}"/><path d="M262 114 q2 -20 18 -24" fill="none" '
        f'stroke="{p.shade}" stroke-width="7" stroke-linecap="round"/>'
    )


_SHAPES: tuple[Callable[[_Palette], str], ...] = (_cup, _bag, _vase, _box, _bottle, _books)
