"""The machine's picture, drawn from its table: an SVG for the documentation and for each purchase's page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from statemachine.table import MEANINGS, TABLE, State, Transition

WIDTH, HEIGHT = 760, 276
_HALF_WIDTH, _HALF_HEIGHT = 52, 17
_LINE = 15
_TAKEN = ' class="taken"'

_PLACES: dict[State, tuple[int, int]] = {
    State.RECEIVED: (62, 84),
    State.INVOICED: (274, 84),
    State.PAID: (486, 84),
    State.STOCKED: (698, 84),
    State.FAILED: (274, 248),
}

TITLE = "The states of a purchase and the ways between them"

Way = tuple[State, State]


@dataclass(frozen=True, slots=True)
class _Route:
    """Where an arrow runs and where its words stand (``anchor``: start, middle or end of them)."""

    path: str
    words: tuple[int, int]
    anchor: str = "middle"


_ROUTES: dict[Way, _Route] = {
    (State.RECEIVED, State.INVOICED): _Route("M114 84 H220", (167, 76)),
    (State.INVOICED, State.PAID): _Route("M326 84 H432", (379, 76)),
    (State.PAID, State.STOCKED): _Route("M538 84 H644", (591, 76)),
    (State.RECEIVED, State.PAID): _Route("M62 67 C62 8 486 8 486 65", (274, 16)),
    (State.RECEIVED, State.FAILED): _Route("M92 101 C104 170 150 236 220 242", (142, 140), "start"),
    (State.FAILED, State.RECEIVED): _Route("M222 254 C100 262 44 200 44 103", (44, 234)),
    (State.INVOICED, State.FAILED): _Route("M274 101 V229", (284, 160), "start"),
    (State.PAID, State.FAILED): _Route("M464 101 C452 170 404 236 328 242", (436, 156), "end"),
    (State.FAILED, State.PAID): _Route("M326 254 C450 260 504 200 504 103", (508, 196), "start"),
}

_STYLE = """
svg { color-scheme: light dark; font: 13px system-ui, sans-serif; }
.state rect { fill: none; stroke: #8a8f98; } .state text { fill: #6b7280; font-weight: 600; }
.arrow path { fill: none; stroke: #8a8f98; } .arrow text { fill: #6b7280; font-size: 12px; }
.head { fill: #8a8f98; }
"""


def svg(
    current: str | None = None,
    visited: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    fired: Collection[tuple[str, str]] = (),
) -> str:
    """The machine as SVG without any style of its own, to stand in a page.

    The state ``current`` gets the class ``current``; the states in ``visited`` (in the order in which they
    were entered) and the arrows between them get ``taken``, and so do the words of the triggers in
    ``fired`` (source, trigger). ``labels`` are other words for states, triggers, meanings and the title.
    """
    head = _head("machine", (labels or {}).get(TITLE, TITLE))
    return _drawing(head, current, visited, labels or {}, fired)


def document() -> str:
    """The machine as an SVG file that carries its own style."""
    return _drawing(_head("machine", TITLE) + f"<style>{_STYLE}</style>", None, (), {}) + "\n"


def ways() -> dict[Way, list[Transition]]:
    """The table's arrows by the two states that they join."""
    found: dict[Way, list[Transition]] = {}
    for arrow in TABLE:
        found.setdefault((arrow.source, arrow.target), []).append(arrow)
    return found


def _drawing(
    head: str,
    current: str | None,
    visited: Sequence[str],
    labels: Mapping[str, str],
    fired: Collection[tuple[str, str]] = (),
) -> str:
    taken = set(pairwise(visited))
    arrows = [_arrow(way, arrows, labels, fired, taken=way in taken) for way, arrows in ways().items()]
    entered = {*visited, current}
    states = [_state(state, labels, is_current=state == current, taken=state in entered) for state in State]
    return "\n".join([head, *arrows, *states, "</svg>"])


def _head(name: str, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{name}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">\n'
        '<defs><marker id="machine-head" class="head" viewBox="0 0 8 8" refX="7" refY="4" orient="auto" '
        'markerUnits="userSpaceOnUse" markerWidth="8" markerHeight="8">'
        '<path d="M0 0.5 L8 4 L0 7.5 z"/></marker></defs>'
    )


def _state(state: State, labels: Mapping[str, str], *, is_current: bool, taken: bool) -> str:
    x, y = _PLACES[state]
    marks = _classes("state", state.value, ("current", is_current), ("taken", taken))
    meaning = labels.get(MEANINGS[state], MEANINGS[state])
    return (
        f'<g class="{marks}" data-state="{state.value}"><title>{escape(meaning)}</title>'
        f'<rect x="{x - _HALF_WIDTH}" y="{y - _HALF_HEIGHT}" width="{2 * _HALF_WIDTH}" '
        f'height="{2 * _HALF_HEIGHT}" rx="{_HALF_HEIGHT}"/>'
        f'<text x="{x}" y="{y + 4.5}" text-anchor="middle">{escape(labels.get(state, state))}</text></g>'
    )


def _arrow(
    way: Way,
    arrows: Iterable[Transition],
    labels: Mapping[str, str],
    fired: Collection[tuple[str, str]],
    *,
    taken: bool,
) -> str:
    source, target = way
    route = _ROUTES[way]
    marks = _classes("arrow", ("taken", taken))
    said = [
        (
            labels.get(arrow.trigger, arrow.trigger),
            labels.get(arrow.meaning, arrow.meaning),
            (source, arrow.trigger) in fired,
        )
        for arrow in arrows
    ]
    meanings = "\n".join(f"{words}: {meaning}" for words, meaning, _ in said)
    return (
        f'<g class="{marks}" data-source="{source.value}" data-target="{target.value}">'
        f'<title>{escape(meanings)}</title><path d="{route.path}" marker-end="url(#machine-head)"/>'
        f"{_words(route, [(words, was_fired) for words, _, was_fired in said])}</g>"
    )


def _words(route: _Route, triggers: list[tuple[str, bool]]) -> str:
    x, y = route.words
    where = f'x="{x}" text-anchor="{route.anchor}"'
    return "".join(
        f'<text {where} y="{y + number * _LINE}"{_TAKEN if was_fired else ""}>'
        f"{escape(trigger.replace('_', ' '))}</text>"
        for number, (trigger, was_fired) in enumerate(triggers)
    )


def _classes(*names: str | tuple[str, bool]) -> str:
    return " ".join(
        name if isinstance(name, str) else name[0] for name in names if isinstance(name, str) or name[1]
    )
