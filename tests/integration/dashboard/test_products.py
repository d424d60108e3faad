"""Products over HTTP: the list with its filters, one product, receiving and counting."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from orchestrator import stock
from orchestrator.database import Database
from orchestrator.identity import now
from orchestrator.stamp import Stamp
from orchestrator.tables import audit, products, purchases
from tests.fixtures.dashboard import Office
from tests.fixtures.pages import text
from tests.fixtures.shelf import hold


async def level(database: Database, token: str, **levels: Any) -> None:
    def change(connection: Connection) -> None:
        connection.execute(update(products).where(products.c.token == token).values(**levels))

    await database.write(change)


async def deeds(database: Database) -> list[tuple[str, str, str, str]]:
    def read(connection: Connection) -> list[tuple[str, str, str, str]]:
        c = audit.c
        rows = connection.execute(
            select(c.actor, c.action, c.subject, c.detail)
            .where(c.action.like("product.%") | c.action.like("stock.%"))
            .order_by(c.id)
        )
        return [(actor, action, subject, detail) for actor, action, subject, detail in rows]

    return await database.read(read)


def titles(page: str) -> list[str]:
    return re.findall(r'class="row-link" href="[^"]*">([^<]*)</a>', page)


def many(connection: Connection, number: int) -> None:
    at = now()
    common = {"currency": "SEK", "for_sale": True, "reserved": 0, "created_at": at, "updated_at": at}
    rows = [
        {"token": f"p{each:05}", "title": f"Thing {each:05}", "price": Decimal(each + 1), "on_hand": each}
        for each in range(number)
    ]
    connection.execute(insert(products), [{**common, "tax_rate": Decimal(25), **row} for row in rows])


async def test_the_list_filters_searches_and_sorts_in_its_address(office: Office) -> None:
    await level(office.database, "mug", on_hand=3, reserved=1)
    await level(office.database, "spoon", for_sale=False, sku="S-1")
    visitor = await office.signed_in("vera")
    page = await visitor.get("/products")
    assert titles(page) == ["Mug", "Set", "Spoon"]
    words = text(page)
    assert "all 3 for sale 2 low 2 sold out 0 bundles 1 not for sale 1" in words
    assert "2 left" in words
    assert titles(await visitor.get("/products?show=low")) == ["Mug", "Set"]
    assert titles(await visitor.get("/products?show=bundles")) == ["Set"]
    assert titles(await visitor.get("/products?show=withdrawn")) == ["Spoon"]
    assert titles(await visitor.get("/products?q=s-1")) == ["Spoon"]
    assert titles(await visitor.get("/products?sort=price&down=1")) == ["Set", "Mug", "Spoon"]
    assert titles(await visitor.get("/products?sort=available")) == ["Mug", "Set", "Spoon"]
    page = await visitor.get("/products?show=sale&q=m&sort=price&down=1")
    assert "/products?show=low&amp;q=m&amp;sort=price&amp;down=1" in page
    assert 'aria-sort="descending"' in page
    await level(office.database, "mug", on_hand=0, reserved=0)
    assert titles(await visitor.get("/products?show=out")) == ["Mug", "Set"]


async def test_odd_addresses_are_no_filter(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in("vera")
    page = await visitor.get("/products?show=odd&sort=odd&page=-1&down=x")
    assert titles(page) == ["Mug", "Set", "Spoon"]
    assert "Nothing found" in await visitor.get("/products?q=%25")
    assert "no such product" in await visitor.get("/products?page=99999999999999")
    assert "Nothing is sold out" in await visitor.get("/products?show=out")
    assert "or fewer left" in await visitor.get("/products?show=low")


async def test_ten_thousand_products_are_paged(office: Office) -> None:
    await office.database.write(many, 10_000)
    visitor = await office.signed_in("vera")
    page = await visitor.get("/products?q=Thing&sort=token&page=200")
    assert (titles(page)[0], titles(page)[-1], len(titles(page))) == ("Thing 09950", "Thing 09999", 50)
    assert 'rel="next"' not in page
    assert "/products?q=Thing&amp;sort=token&amp;page=199" in page


async def test_how_few_are_low_is_a_setting(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in("vera")
    assert "Available" in text(await visitor.get("/products/mug"))
    await level(sqlite_office.database, "mug", on_hand=5)
    assert "5 left" in text(await visitor.get("/products"))
    await level(sqlite_office.database, "mug", on_hand=6)
    assert "6 left" not in text(await visitor.get("/products"))


async def test_paid_purchases_that_wait_are_marked_where_it_lacks(office: Office) -> None:
    await level(office.database, "mug", on_hand=0)
    purchase_id = await office.purchase("paid", attention="The stock lacks 1 × mug.")
    await office.purchase("paid")
    visitor = await office.signed_in()
    page = await visitor.get("/products")
    assert "1 paid purchase waits for it" in text(page)
    assert 'href="/products/mug#waiting"' in page
    assert f'href="/purchases/{purchase_id}"' in await visitor.get("/products/mug")
    page = await visitor.send("/products/mug/stock", form_at="/products/mug", change="1", reason="Delivery")
    assert "1 piece received: 1 on hand." in text(page)
    assert "2 paid purchases that waited for it are looked at again now." in text(page)
    assert "waits for it" not in await visitor.get("/products")

    def due(connection: Connection) -> bool:
        where = purchases.c.id == purchase_id
        return connection.execute(select(purchases.c.next_check_at).where(where)).scalar_one() is not None

    assert await office.database.read(due)


async def test_stock_is_received_and_counted(office: Office) -> None:
    visitor = await office.signed_in()
    form: dict[str, Any] = {"form_at": "/products/mug", "reason": "Delivery <7>"}
    page = await visitor.send("/products/mug/stock", change=" +5 ", **form)
    assert "5 pieces received: 15 on hand." in text(page)
    assert "Delivery &lt;7&gt;" in page
    page = await visitor.send("/products/mug/stock", change="−2", **form)
    assert "2 pieces removed: 13 on hand." in text(page)
    page = await visitor.send("/products/mug/count", counted="11", seen="13", **form)
    assert "corrected from 13 to 11 on hand." in text(page)
    page = await visitor.send("/products/mug/count", counted="11", seen="11", **form)
    assert "The count agrees: 11 on hand." in text(page)
    assert await deeds(office.database) == [
        ("operator:olle", "stock.receive", "mug", "+5: 10 → 15; Delivery <7>"),
        ("operator:olle", "stock.receive", "mug", "-2: 15 → 13; Delivery <7>"),
        ("operator:olle", "stock.correct", "mug", "counted 11: 13 → 11; Delivery <7>"),
        ("operator:olle", "stock.correct", "mug", "counted 11: 11 → 11; Delivery <7>"),
    ]


async def test_a_button_that_is_pressed_twice_books_once(office: Office) -> None:
    visitor = await office.signed_in()
    drawn = re.search(r'name="drawn" value="([^"]+)"', await visitor.get("/products/mug"))
    assert drawn is not None
    form: dict[str, Any] = {"form_at": "/products/mug", "change": "5", "reason": "Delivery"}
    form["drawn"] = drawn[1]
    await visitor.send("/products/mug/stock", **form)
    page = await visitor.send("/products/mug/stock", 409, **form)
    assert "It was not booked a second time: 15 are on hand." in text(page)
    assert 'value="Delivery"' in page
    again = re.search(r'name="drawn" value="([^"]+)"', page)
    assert again is not None
    page = await visitor.send("/products/mug/stock", **{**form, "drawn": again[1]})
    assert "5 pieces received: 20 on hand." in text(page)
    assert [detail for *_, detail in await deeds(office.database)] == [
        "+5: 10 → 15; Delivery",
        "+5: 15 → 20; Delivery",
    ]


async def test_a_count_of_what_has_moved_since_is_refused(office: Office) -> None:
    visitor = await office.signed_in()
    form: dict[str, Any] = {"form_at": "/products/mug", "counted": "9", "reason": "Yearly count"}
    await office.database.write(hold, "p1", {"mug": 1}, Stamp("test", now()))
    await level(office.database, "mug", on_hand=8)
    page = await visitor.send("/products/mug/count", 409, seen="10", **form)
    assert "10 were on hand when you looked; there are 8 now." in text(page)
    assert 'value="9"' in page
    assert 'value="Yearly count"' in page
    assert 'name="seen" value="8"' in page
    assert await deeds(office.database) == []


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        ("", "x", "How many?"),
        ("0", "x", "How many?"),
        ("1.5", "x", "How many?"),
        ("٣", "x", "How many?"),
        ("9" * 5000, "x", "How many?"),
        ("1", " ", "Say why"),
        ("1", "x" * 201, "Say why"),
        ("-11", "x", "10 are on hand."),
    ],
)
async def test_a_wrong_receipt_keeps_what_was_typed(
    sqlite_office: Office, change: str, reason: str, words: str
) -> None:
    visitor = await sqlite_office.signed_in()
    page = await visitor.send(
        "/products/mug/stock", 422, form_at="/products/mug", change=change, reason=reason
    )
    assert words in text(page)
    assert f'value="{change}"' in page
    assert await deeds(sqlite_office.database) == []


@pytest.mark.parametrize(
    ("counted", "seen", "reason", "words"),
    [
        ("-1", "10", "x", "How many are there?"),
        ("x", "10", "x", "How many are there?"),
        ("5", "", "x", "How many are there?"),
        ("5", "10", "", "Say why"),
        ("1000000001", "10", "x", "The stock can be from 0 to"),
    ],
)
async def test_a_wrong_count_keeps_what_was_typed(
    sqlite_office: Office, counted: str, seen: str, reason: str, words: str
) -> None:
    visitor = await sqlite_office.signed_in()
    fields = {"counted": counted, "seen": seen, "reason": reason}
    page = await visitor.send("/products/mug/count", 422, form_at="/products/mug", **fields)
    assert words in text(page)
    assert f'value="{counted}"' in page


async def test_a_bundle_has_parts_and_no_stock_of_its_own(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    page = await visitor.get("/products/set")
    assert "2 × Spoon 20" in text(page)
    assert "/products/set/stock" not in page
    words = text(
        await visitor.send("/products/set/stock", 422, form_at="/products/mug", change="1", reason="x")
    )
    assert "Its stock is that of its parts" in words
    assert "Part of Set" in text(await visitor.get("/products/spoon"))
    for path in ("/products/nothing", "/products/%00", "/products/nothing/edit"):
        await visitor.get(path, 404)
    await visitor.send("/products/nothing/stock", 404, form_at="/products/mug", change="1", reason="x")


async def test_movements_are_filtered_and_paged(office: Office) -> None:
    def move(connection: Connection) -> None:
        for each in range(60):
            stock.receive(connection, "mug", 1, f"delivery {each}", "cli", now())
        hold(connection, "0190-purchase", {"mug": 2}, Stamp("createPurchase", now()))

    await office.database.write(move)
    visitor = await office.signed_in("vera")
    page = await visitor.get("/products/mug")
    assert "Held in the stock purchase Instant Checkout" in text(page)
    assert "/purchases/0190-purchase" in page
    older = re.search(r'href="(/products/mug\?older=[^"#]*)', page)
    assert older is not None
    words = text(await visitor.get(older[1]))
    assert "delivery 0 the command line" in words
    assert "delivery 59" not in words
    page = await visitor.get("/products/mug?kind=hold")
    assert "delivery" not in text(page)
    assert "No such movement." in await visitor.get("/products/mug?kind=take")


async def test_a_code_is_shown_while_the_product_is_for_sale(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in("vera")
    page = await visitor.get("/products/mug")
    prints = re.findall(r'href="(/qr/mug\.[^"]*)" download="([^"]*)"', page)
    assert [name for _, name in prints] == ["mug.svg", "mug-30mm.png", "mug-60mm.png", "mug-120mm.png"]
    for address, _ in prints:
        await visitor.http.get(visitor.base_url + address, raise_for_status=True)
    assert "purchaseToken: &#34;mug&#34;" in page
    await level(sqlite_office.database, "mug", for_sale=False)
    page = await visitor.get("/products/mug")
    assert "It has none while it is not for sale." in page
    assert "/qr/mug" not in page
