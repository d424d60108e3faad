"""The catalogues of translations, brought up to date with the texts in the code: ``make translations``.

A text is found where it stands: in the dashboard's Python (``gettext``, ``ngettext``, ``mark``), in its
templates, and in what it shows from other rooms (``borrowed``). Each catalogue keeps the translations that it
has; what is no longer used is dropped, and what is new waits for its translation. English is the source and
has no catalogue.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from dashboard.language import LANGUAGES, LOCALES
from scripts.borrowed_texts import borrowed

ROOT = Path(__file__).parent.parent
SOURCE = next(iter(LANGUAGES))
WIDTH = 110

_IN_PYTHON: dict[str, tuple[int, ...] | None] = {"gettext": None, "ngettext": (1, 2), "mark": None, "_": None}
_IN_TEMPLATES: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "ngettext": (1, 2)}
_TEMPLATE_OPTIONS = {
    "trimmed": "true",
    "newstyle_gettext": "true",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
    "silent": "false",
}


class Text(NamedTuple):
    """One text, or its forms for one and for many, and the file that it stands in."""

    message: str | tuple[str, ...]
    file: str


def texts() -> list[Text]:
    """All texts that the dashboard can show."""
    dashboard = ROOT / "dashboard"
    found = [*_from_python(dashboard), *_from_templates(dashboard / "templates")]
    return [*found, *(Text(message, file) for message, file in borrowed())]


def _from_python(folder: Path) -> Iterator[Text]:
    for path in sorted(folder.rglob("*.py")):
        with path.open("rb") as file:
            for _, message, _, _ in extract("python", file, _IN_PYTHON):
                yield Text(message, _named(path))


def _from_templates(folder: Path) -> Iterator[Text]:
    for path in sorted(folder.rglob("*.html")):
        with path.open("rb") as file:
            for _, message, _, _ in extract("jinja2", file, _IN_TEMPLATES, options=_TEMPLATE_OPTIONS):
                yield Text(message, _named(path))


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def path_of(code: str) -> Path:
    """The file of a language's catalogue."""
    return LOCALES / code / "LC_MESSAGES" / "dashboard.po"


def merged(code: str, found: Iterable[Text]) -> Catalog:
    """A catalogue with just these texts, and the translations that are there already."""
    catalogue, path = Catalog(locale=code), path_of(code)
    known = Catalog(locale=code)
    if path.exists():
        with path.open("rb") as file:
            known = read_po(file, locale=code, ignore_obsolete=True)
    for text in found:
        there = known.get(_forms(text.message)[0])
        fits = there is not None and there.id == text.message
        catalogue.add(text.message, there.string if there and fits else None, locations=[(text.file, 0)])
    return catalogue


def written(code: str, catalogue: Catalog) -> bytes:
    """The catalogue as a file: sorted, and without dates, people and line numbers, so that its changes are
    those of the texts."""
    head = [
        'msgid ""',
        'msgstr ""',
        f'"Language: {code}\\n"',
        '"Content-Type: text/plain; charset=utf-8\\n"',
        '"Content-Transfer-Encoding: 8bit\\n"',
        f'"Plural-Forms: {catalogue.plural_forms};\\n"'.replace(";;", ";"),
    ]
    body = io.BytesIO()
    write_po(body, catalogue, width=WIDTH, omit_header=True, sort_output=True, include_lineno=False)
    return "\n".join([*head, "", ""]).encode() + body.getvalue()


def untranslated(catalogue: Catalog) -> list[str]:
    """The texts that wait for a translation, by their form for one."""
    return [" | ".join(_forms(entry.id)) for entry in catalogue if entry.id and not all(_forms(entry.string))]


def _forms(text: str | Iterable[str] | None) -> tuple[str, ...]:
    return (text or "",) if text is None or isinstance(text, str) else tuple(text)


def main() -> None:
    """Write every catalogue anew, and say what is missing."""
    found = texts()
    for code in LANGUAGES:
        if code == SOURCE:
            continue
        catalogue, path = merged(code, found), path_of(code)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written(code, catalogue))
        missing = untranslated(catalogue)
        print(f"{LANGUAGES[code]}: {len(catalogue)} texts, {len(missing)} without a translation")
        for message in missing:
            print(f"  {message}")


if __name__ == "__main__":
    main()
