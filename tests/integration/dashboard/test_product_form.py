"""Adding and editing products over HTTP, also by two people at once."""

from __future__ import annotations

import asyncio
import html
import re
from typing import Any

import pytest

from orchestrator.catalogue import Product, find
from orchestrator.database import Database
from tests.fixtures.dashboard import Office, Visitor
from tests.fixtures.pages import text
from tests.integration.dashboard.test_products import deeds

NEW: dict[str, Any] = {
    "token": "fork",
    "title": "Fork",
    "price": "1 049,50",
    "currency": "sek",
    "tax_rate": "25",
    "sku": "F-1",
    "ean": "",
    "on_hand": "7",
    "for_sale": "yes",
}


async def product(database: Database, token: str) -> Product:
    found = await database.read(find, token)
    assert found is not None
    return found


async def drawn(visitor: Visitor, path: str) -> dict[str, str]:
    """What stands in the form that a page shows."""
    return fields_of(await visitor.get(path))


def fields_of(page: str) -> dict[str, str]:
    form = page[page.index('<form class="product-form"') : page.index("<template")]
    fields = {}
    for tag in re.findall(r"<input[^>]*>", form):
        given = {name: html.unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', tag)}
        if given.get("type") != "checkbox" or " checked" in tag:
            fields[given["name"]] = given["value"]
    return fields


async def save(
    visitor: Visitor, fields: dict[str, str], status: int = 200, path: str = "/products/mug/edit"
) -> str:
    async with visitor.http.post(visitor.base_url + path, data=fields) as answer:
        page = await answer.text()
        assert answer.status == status, page
        return page


async def test_a_product_is_added(office: Office) -> None:
    visitor = await office.signed_in()
    page = await visitor.send("/catalogue/new", form_at="/catalogue/new", **NEW)
    assert "Fork is added. Its QR code is on this page." in text(page)
    added = await product(office.database, "fork")
    assert (added.title, str(added.price), added.sku, added.ean) == ("Fork", "1049.50 SEK", "F-1", None)
    assert (added.on_hand, added.for_sale, added.revision) == (7, True, 0)
    ((actor, action, subject, detail),) = await deeds(office.database)
    assert (actor, action, subject) == ("operator:olle", "product.add", "fork")
    assert "price: – → 1049.50" in detail


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"token": "a b"}, "It should be 1 to 64 letters"),
        ({"token": "mug"}, "Another product has it already."),
        ({"title": " "}, "It is empty."),
        ({"title": "x" * 201}, "It has 201 characters; at most 200 fit."),
        ({"price": "0"}, "It should be more than 0."),
        ({"price": "cheap"}, "'cheap' should be a number such as 149.90."),
        ({"price": "1.999"}, "1.999 has more decimals than SEK has."),
        ({"currency": "XXQ"}, "'XXQ' should be an ISO 4217 code such as SEK."),
        ({"tax_rate": "101"}, "It should be 0 to 100 percent."),
        ({"ean": "12"}, "It should be 8 to 14 digits."),
        ({"on_hand": "-1"}, "'-1' should be a whole number, 0 or more."),
        ({"part-1": "mug", "quantity-1": ""}, "How many of mug? A whole number, 1 or more."),
        ({"part-1": "", "quantity-1": "2"}, "Row 1 names no product."),
        ({"part-1": "gone", "quantity-1": "2"}, "There is no product gone."),
        ({"part-1": "set", "quantity-1": "1"}, "set is a bundle itself: bundles do not nest."),
    ],
)
async def test_what_is_wrong_stands_at_its_field(
    sqlite_office: Office, changes: dict[str, str], words: str
) -> None:
    visitor = await sqlite_office.signed_in()
    sent = NEW | {"on_hand": ""} | changes
    page = await visitor.send("/catalogue/new", 422, form_at="/catalogue/new", **sent)
    assert words in text(page)
    kept = fields_of(page)
    assert {name: kept[name] for name in sent} == {name: value.strip() for name, value in sent.items()}
    assert await deeds(sqlite_office.database) == []


async def test_an_edit_raises_the_revision_and_tells_what_a_price_means(office: Office) -> None:
    visitor = await office.signed_in()
    fields = await drawn(visitor, "/products/mug/edit")
    assert "token" not in fields
    assert fields["price"] == "149.00"
    page = await save(visitor, fields | {"title": "Mug, blue", "price": "159"})
    assert "Saved: Title, Price. Purchases that exist already keep the price" in text(page)
    after = await product(office.database, "mug")
    assert (after.title, str(after.price), after.revision, after.on_hand) == (
        "Mug, blue",
        "159.00 SEK",
        1,
        10,
    )
    detail = "title: Mug → Mug, blue; price: 149.00 → 159.00"
    assert await deeds(office.database) == [("operator:olle", "product.edit", "mug", detail)]
    page = await save(visitor, await drawn(visitor, "/products/mug/edit"))
    assert "Nothing was different from before." in text(page)
    assert (await product(office.database, "mug")).revision == 1


async def test_a_product_is_withdrawn_and_comes_back(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    fields = await drawn(visitor, "/products/mug/edit")
    fields.pop("for_sale")
    await save(visitor, fields)
    assert not (await product(sqlite_office.database, "mug")).for_sale
    fields = await drawn(visitor, "/products/mug/edit")
    assert "for_sale" not in fields
    await save(visitor, fields | {"for_sale": "yes"})
    assert (await product(sqlite_office.database, "mug")).for_sale


async def test_who_comes_second_sees_both_and_loses_nothing(office: Office) -> None:
    olle, ada = await office.signed_in("olle"), await office.signed_in("ada")
    first, second = await drawn(olle, "/products/mug/edit"), await drawn(ada, "/products/mug/edit")
    await save(olle, first | {"title": "Mug, blue", "sku": "M-1"})
    page = await save(ada, second | {"title": "Mug, red", "price": "10"}, 409)
    words = text(page)
    assert "Nothing of yours is saved yet." in words
    assert "Title Mug Mug, blue Mug, red SKU – M-1 not touched" in words
    again = fields_of(page)
    assert (again["title"], again["price"], again["sku"]) == ("Mug, red", "10", "M-1")
    assert (await product(office.database, "mug")).title == "Mug, blue"
    await save(ada, again)
    after = await product(office.database, "mug")
    assert (after.title, str(after.price), after.sku, after.revision) == ("Mug, red", "10.00 SEK", "M-1", 2)


async def test_of_two_edits_at_the_same_time_one_is_refused(office: Office) -> None:
    people = [await office.signed_in(name) for name in ("olle", "ada")]
    forms = [await drawn(person, "/products/mug/edit") for person in people]

    async def send(number: int) -> int:
        data = forms[number] | {"title": f"Mug {number}"}
        path = people[number].base_url + "/products/mug/edit"
        async with people[number].http.post(path, data=data, allow_redirects=False) as answer:
            return answer.status

    assert sorted(await asyncio.gather(send(0), send(1))) == [303, 409]
    assert (await product(office.database, "mug")).revision == 1


async def test_sales_are_no_edit(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    fields = await drawn(visitor, "/products/mug/edit")
    await visitor.send("/products/mug/stock", form_at="/products/mug", change="5", reason="Delivery")
    await save(visitor, fields | {"title": "Mug, blue"})
    after = await product(sqlite_office.database, "mug")
    assert (after.title, after.on_hand) == ("Mug, blue", 15)


async def test_a_bundles_rows_are_added_and_removed_without_scripts(office: Office) -> None:
    visitor = await office.signed_in()
    path = "/products/set/edit"
    fields = await drawn(visitor, path)
    assert (fields["part-1"], fields["quantity-2"]) == ("mug", "2")
    page = await save(visitor, fields | {"rows": "add", "title": "Half typed"}, path=path)
    fields = fields_of(page)
    assert (fields["part-3"], fields["title"]) == ("", "Half typed")
    fields = fields_of(await save(visitor, fields | {"rows": "drop-1"}, path=path))
    assert (fields["part-1"], fields["part-2"]) == ("spoon", "")
    fields = fields_of(await save(visitor, fields | {"rows": "drop-9"}, path=path))
    await save(visitor, fields | {"quantity-1": "3"}, path=path)
    after = await product(office.database, "set")
    assert [(part.token, part.quantity) for part in after.bundle] == [("spoon", 3)]
    assert after.title == "Half typed"
    (deed,) = await deeds(office.database)
    assert deed[3] == "title: Set → Half typed; bundle: mug:1;spoon:2 → spoon:3"


async def test_two_edits_of_a_bundles_parts_clash(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    path = "/products/set/edit"
    fields = await drawn(visitor, path)
    await save(visitor, fields | {"quantity-1": "4"}, path=path)
    page = await save(visitor, fields | {"quantity-2": "7"}, 409, path)
    assert "Parts mug:1;spoon:2 mug:4;spoon:2 mug:1;spoon:7" in text(page)
    page = await save(visitor, fields | {"title": "Set of two"}, 409, path)
    assert "not touched" in text(page)
    assert fields_of(page)["quantity-1"] == "4"


async def test_a_form_of_fifty_parts_is_read(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    rows: dict[str, Any] = {}
    for number in range(1, 51):
        rows |= {f"part-{number}": f"part{number}", f"quantity-{number}": "1"}
    page = await visitor.send(
        "/catalogue/new", 422, form_at="/catalogue/new", **{**NEW, "on_hand": "", **rows}
    )
    assert "There is no product part1." in text(page)
    assert fields_of(page)["part-50"] == "part50"


async def test_lookers_may_not_edit(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in("vera")
    for path in ("/catalogue/new", "/products/mug/edit", "/catalogue/import"):
        await visitor.get(path, 403)
        await visitor.send(path, 403, form_at="/products")
    assert "/catalogue/new" not in await visitor.get("/products")
    assert "/edit" not in await visitor.get("/products/mug")
