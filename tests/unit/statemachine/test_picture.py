"""The machine's picture shows the table, all of it and nothing else."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from statemachine import MEANINGS, TABLE, State
from statemachine.picture import document, svg

DOCS = Path(__file__).parents[3] / "docs"
NAMES = {"s": "http://www.w3.org/2000/svg"}


def groups(picture: str, kind: str) -> list[etree._Element]:
    tree = etree.fromstring(picture.encode())
    found = tree.xpath(f"//s:g[contains(concat(' ', @class, ' '), ' {kind} ')]", namespaces=NAMES)
    assert isinstance(found, list)
    return [element for element in found if isinstance(element, etree._Element)]


def words(group: etree._Element) -> list[str]:
    return [str(text.text) for text in group.iterfind("s:text", NAMES)]


def test_the_states_are_those_of_the_table() -> None:
    drawn = groups(svg(), "state")
    assert [words(state) for state in drawn] == [[state.value] for state in State]
    assert [state.findtext("s:title", None, NAMES) for state in drawn] == list(MEANINGS.values())


def test_the_arrows_are_those_of_the_table() -> None:
    drawn = {
        (arrow.get("data-source"), word, arrow.get("data-target"))
        for arrow in groups(svg(), "arrow")
        for word in words(arrow)
    }
    assert drawn == {(arrow.source, arrow.trigger.replace("_", " "), arrow.target) for arrow in TABLE}


def test_arrows_say_what_they_mean() -> None:
    told = "\n".join(arrow.findtext("s:title", "", NAMES) for arrow in groups(svg(), "arrow"))
    assert all(f"{arrow.trigger}: {arrow.meaning}" in told for arrow in TABLE)


def test_the_way_taken_is_marked() -> None:
    picture = svg("failed", ("received", "invoiced", "failed"))
    taken = {(arrow.get("data-source"), arrow.get("data-target")) for arrow in groups(picture, "arrow taken")}
    assert taken == {("received", "invoiced"), ("invoiced", "failed")}
    assert [state.get("data-state") for state in groups(picture, "current")] == ["failed"]
    assert [
        state.get("data-state")
        for state in groups(picture, "state")
        if "taken" in str(state.get("class")).split()
    ] == ["received", "invoiced", "failed"]


def test_of_several_ways_between_two_states_the_one_taken_is_marked() -> None:
    way, fired = ("received", "invoiced", "failed"), {("received", "invoice"), ("invoiced", "close")}
    tree = etree.fromstring(svg("failed", way, fired=fired).encode())
    assert tree.xpath("//s:text[@class='taken']/text()", namespaces=NAMES) == ["invoice", "close"]


def test_the_file_in_the_documentation_is_up_to_date() -> None:
    assert (DOCS / "state-machine.svg").read_text() == document()


def test_in_a_page_it_is_drawn_as_in_the_file() -> None:
    style = document().partition("<style>")[2].partition("</style>")[0]
    assert document() == svg().replace("</defs>", f"</defs><style>{style}</style>") + "\n"


def test_only_the_file_brings_a_style() -> None:
    assert "style" not in svg("paid")
    assert "<style>" in document()
