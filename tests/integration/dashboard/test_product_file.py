"""The catalogue as a file over HTTP: previewed, confirmed, refused when it would do something else by now."""

from __future__ import annotations

import html
import io
import re
from typing import Any

import aiohttp
import pytest
from sqlalchemy import Connection

from orchestrator import stock
from orchestrator.catalogue import list_products
from orchestrator.catalogue_cells import COLUMNS
from orchestrator.database import Database
from orchestrator.identity import now
from tests.fixtures.dashboard import Office, Visitor
from tests.fixtures.pages import text
from tests.integration.dashboard.test_products import deeds

HEADER = ",".join(COLUMNS)
MUG = 'mug,"Mug, blue",159,SEK,25,,,12,,'
SPOON = "spoon,Spoon,49.50,SEK,12,,,,,"
FORK = "fork,Fork,30,SEK,25,,,5,no,"


def file(*lines: str) -> str:
    return "\n".join([HEADER, *lines, ""])


async def upload(visitor: Visitor, data: str | bytes, status: int = 200, **fields: str) -> str:
    """Choose a file and look at what it would do."""
    form = aiohttp.FormData({"csrf": await _csrf(visitor), **fields})
    body = io.BytesIO(data if isinstance(data, bytes) else data.encode())
    form.add_field("file", body, filename="products.csv", content_type="text/csv")
    return await _sent(visitor, "/catalogue/import", form, status)


async def confirm(visitor: Visitor, preview: str, status: int = 200, **changes: str) -> str:
    """Press the button of a preview."""
    found = re.search(r'<textarea name="text" hidden[^>]*>\n(.*?)</textarea>', preview, re.DOTALL)
    mark = re.search(r'name="fingerprint" value="([^"]*)"', preview)
    assert found is not None
    assert mark is not None
    fields = {"csrf": await _csrf(visitor), "text": html.unescape(found[1]), "fingerprint": mark[1]}
    form = aiohttp.FormData(fields | changes, default_to_multipart=True)
    return await _sent(visitor, "/catalogue/import/confirm", form, status)


async def _csrf(visitor: Visitor) -> str:
    found = re.search(r'name="csrf" value="([^"]*)"', await visitor.get("/products"))
    assert found is not None
    return found[1]


async def _sent(visitor: Visitor, path: str, form: Any, status: int) -> str:
    async with visitor.http.post(visitor.base_url + path, data=form) as answer:
        page = await answer.text()
        assert answer.status == status, page
        return page


async def catalogue(database: Database) -> list[tuple[str, str, str, int]]:
    products = await database.read(list_products)
    return [(each.token, each.title, str(each.price.value), each.on_hand) for each in products]


async def test_a_file_is_previewed_and_imported_as_previewed(office: Office) -> None:
    visitor = await office.signed_in()
    before = await catalogue(office.database)
    page = await upload(visitor, file(MUG, SPOON, FORK))
    words = text(page)
    assert "added 1 changed 1 unchanged 1 wrong 0" in words
    assert "2 Mug, blue Title Mug Mug, blue Price 149.00 159.00 On hand 10 12" in words
    assert "4 Fork Token fork Price 30.00 Currency SEK Tax rate 25 On hand 5 For sale no" in words
    assert await catalogue(office.database) == before
    page = await confirm(visitor, page)
    assert "The file is imported: 1 product added, 1 changed." in text(page)
    after = {row[0]: row for row in await catalogue(office.database)}
    assert after["mug"] == ("mug", "Mug, blue", "159.00", 12)
    assert after["fork"] == ("fork", "Fork", "30.00", 5)
    detail = "1 added, 1 changed: fork, mug"
    assert await deeds(office.database) == [("operator:olle", "product.import", "catalogue", detail)]
    assert "olle" in text(await visitor.get("/products/mug"))


async def test_a_pasted_text_is_as_good_as_a_file(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    page = await upload(visitor, "", text=file(FORK).replace("\n", "\r\n"))
    page = await confirm(visitor, page)
    assert "1 product added, 0 changed" in text(page)


async def test_what_changed_since_the_preview_is_shown_again(office: Office) -> None:
    visitor = await office.signed_in()
    page = await upload(visitor, file(MUG))

    def sell(connection: Connection) -> None:
        stock.receive(connection, "mug", -1, "broken", "cli", now())

    await office.database.write(sell)
    before = await catalogue(office.database)
    page = await confirm(visitor, page, 409)
    assert "has changed since you looked. Nothing was imported." in text(page)
    assert "On hand 9 12" in text(page)
    assert await catalogue(office.database) == before
    assert await deeds(office.database) == []
    assert "0 products added, 1 changed" in text(await confirm(visitor, page))


async def test_a_file_that_is_wrong_by_now_is_shown_so(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    page = await upload(visitor, file("pair,Pair,1,SEK,25,,,,,mug:2"))
    await _other_currency(visitor)
    page = await confirm(visitor, page, 409)
    assert "mug is priced in EUR: a bundle and its parts have one currency." in text(page)


async def _other_currency(visitor: Visitor) -> None:
    rows = (
        "mug,Mug,149,EUR,25,,,,,",
        "spoon,Spoon,49.50,EUR,12,,,,,",
        "set,Set,200,EUR,25,,,,,mug:1;spoon:2",
    )
    await confirm(visitor, await upload(visitor, file(*rows)))


async def test_wrong_lines_are_named_beside_what_the_others_would_do(office: Office) -> None:
    visitor = await office.signed_in()
    lines = ("knife,Knife,x,SEK,250,,,,,", "pair,Pair,1,SEK,25,,,,,knife:1", "one,two", FORK)
    page = await upload(visitor, file(*lines), 422)
    words = text(page)
    assert "added 1 changed 0 unchanged 0 wrong 4" in words
    assert "2 price 'x' should be a number such as 149.90" in words
    assert "2 tax_rate It should be 0 to 100 percent." in words
    assert "3 bundle There is no product knife." in words
    assert "4 – The line has 2 cells, the header has 10." in words
    assert "Import 1 product" not in words
    await confirm(visitor, page, 409)
    assert [row[0] for row in await catalogue(office.database)] == ["mug", "set", "spoon"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "Choose a file, or paste its text."),
        ("token,title\n", "Line 1: the column price is missing."),
        (b"\xff\xfe" + HEADER.encode(), "Line 1 is not UTF-8: save the file as CSV in UTF-8."),
        (HEADER + "\n" + "x" * 1_000_000, "at most 1000000 are possible"),
        (file(*[f"p{number},P,1,SEK,25,,,,," for number in range(10_001)]), "more than 10000 rows"),
    ],
)
async def test_a_file_that_is_none_is_refused(sqlite_office: Office, data: str | bytes, words: str) -> None:
    visitor = await sqlite_office.signed_in()
    assert words in text(await upload(visitor, data, 422))


async def test_a_body_that_is_far_too_large_is_heard_out_and_refused(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    assert "more than 4 MB" in text(await upload(visitor, "x" * 5_000_000, 413))


async def test_an_upload_from_elsewhere_is_refused(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    form = aiohttp.FormData({"csrf": "odd", "text": file(FORK)}, default_to_multipart=True)
    await _sent(visitor, "/catalogue/import", form, 403)
    await _sent(sqlite_office.visitor(), "/catalogue/import", form, 200)


async def test_what_goes_out_comes_in_unchanged(office: Office) -> None:
    visitor = await office.signed_in()
    await confirm(visitor, await upload(visitor, file("odd,'=1+1,1,SEK,25,''@x,,3,,")))
    exported = await visitor.get("/catalogue/export.csv")
    assert "odd,'=1+1,1.00,SEK,25,''@x,,3,yes," in exported
    words = text(await upload(visitor, exported))
    assert "added 0 changed 0 unchanged 4 wrong 0" in words
    assert "there is nothing to import" in words


async def test_a_large_preview_shows_the_first_lines_and_counts_all(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    rows = [f"p{number:04},P {number},1,SEK,25,,,,," for number in range(2_000)]
    page = await upload(visitor, file(*rows))
    assert "and 1800 more" in text(page)
    assert "2000 products added" in text(await confirm(visitor, page)).replace(",", "")
