"""The catalogue in a real database: reading, changing, and what products may be beside each other."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select, update

from orchestrator import catalogue
from orchestrator.catalogue import CatalogueError, Part, Piece, Product, ProductChange
from orchestrator.database import Database
from orchestrator.money import Money
from orchestrator.tables import products, purchase_lines, purchases, stock_movements

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 12, tzinfo=UTC)


def change(token: str, price: str = "100", currency: str = "SEK", **fields: Any) -> ProductChange:
    return ProductChange(token, f"Title of {token}", Money.parse(price, currency), Decimal(25), **fields)


MUG = change("mug", on_hand=10)
SPOON = change("spoon", on_hand=7)
SET = change("set", price="250", bundle=(Piece("spoon", 3), Piece("mug", 1)))


async def save(database: Database, *changes: ProductChange, at: datetime = AT) -> Any:
    return await database.write(catalogue.save_all, list(changes), "cli", at)


async def found(database: Database, token: str) -> Product:
    product = await database.read(catalogue.find, token)
    assert product is not None
    return product


async def movements(database: Database, token: str) -> list[tuple[str, int, str, str]]:
    table = stock_movements.c
    statement = select(table.kind, table.on_hand, table.reason, table.actor)
    rows = await database.read(
        lambda connection: connection.execute(
            statement.where(table.product_token == token).order_by(table.id)
        ).all()
    )
    return [(kind, on_hand, reason, actor) for kind, on_hand, reason, actor in rows]


async def times(database: Database, token: str) -> tuple[datetime, datetime]:
    statement = select(products.c.created_at, products.c.updated_at).where(products.c.token == token)
    row = await database.read(lambda connection: connection.execute(statement).one())
    return row[0], row[1]


async def refused(database: Database, *changes: ProductChange) -> dict[str, dict[str, str]]:
    """What is said against the changes; nothing of them may be kept."""
    before = await database.read(catalogue.list_products)
    with pytest.raises(CatalogueError) as caught:
        await save(database, *changes)
    assert await database.read(catalogue.list_products) == before
    return caught.value.by_token


async def test_new_product_is_kept_as_given(database: Database) -> None:
    given = replace(MUG, title=" Mugg «Ä» <b>]]> 杯 ", sku=" M-1 ", ean="7312345678901")
    given = replace(given, tax_rate=Decimal("12.50"))
    product, created = await database.write(catalogue.save, given, "api:till", AT)
    assert created
    assert product == Product(
        token="mug",
        title="Mugg «Ä» <b>]]> 杯",
        price=Money.parse("100.00", "SEK"),
        tax_rate=Decimal("12.5"),
        sku="M-1",
        ean="7312345678901",
        for_sale=True,
        bundle=(),
        on_hand=10,
        reserved=0,
        available=10,
    )
    assert await found(database, "mug") == product
    assert await movements(database, "mug") == [("correct", 10, "set in the catalogue", "api:till")]


async def test_unknown_product_is_none(database: Database) -> None:
    assert await database.read(catalogue.find, "mug") is None
    assert await database.read(catalogue.find_many, ["mug"]) == {}
    assert await database.read(catalogue.list_products) == []


async def test_bundle_counts_whole_sets(database: Database) -> None:
    await save(database, SET, MUG, SPOON)
    bundle = await found(database, "set")
    assert bundle.bundle == (Part("spoon", "Title of spoon", 3), Part("mug", "Title of mug", 1))
    assert (bundle.on_hand, bundle.reserved, bundle.available) == (2, 0, 2)
    parts = await database.read(catalogue.parts_of, bundle)
    assert [part.token for part in parts] == ["spoon", "mug"]
    assert await database.read(catalogue.parts_of, await found(database, "mug")) == []


@pytest.mark.parametrize(("spoons", "counted"), [(2, (2, 1, 1)), (5, (2, 2, 0)), (9, (2, 2, 0))])
async def test_bundle_leaves_out_reserved_parts(
    database: Database, spoons: int, counted: tuple[int, int, int]
) -> None:
    await save(database, MUG, SPOON, SET)
    await database.write(
        lambda connection: connection.execute(
            update(products).where(products.c.token == "spoon").values(reserved=spoons)
        )
    )
    bundle = await found(database, "set")
    assert (bundle.on_hand, bundle.reserved, bundle.available) == counted
    spoon = await found(database, "spoon")
    assert (spoon.reserved, spoon.available) == (spoons, max(7 - spoons, 0))


async def test_list_is_one_query_by_token(database: Database) -> None:
    await save(database, SET, MUG, SPOON, change("Zebra"), change("a-1"), change("a.1"), change("a_1"))

    def counted(connection: Connection) -> tuple[list[Product], int]:
        statements: list[str] = []

        def note(*of: Any) -> None:
            if of[2].lstrip().startswith("SELECT"):
                statements.append(of[2])

        event.listen(connection, "before_cursor_execute", note)
        listed = catalogue.list_products(connection)
        return listed, len(statements)

    listed, queries = await database.read(counted)
    assert [product.token for product in listed] == ["Zebra", "a-1", "a.1", "a_1", "mug", "set", "spoon"]
    assert queries == 1


async def test_only_what_is_edited_is_written(database: Database) -> None:
    await save(database, MUG, SPOON, SET)
    same = await save(database, MUG, SPOON, SET, at=LATER)
    assert [change.token for change in same.unchanged] == ["mug", "spoon", "set"]
    assert await times(database, "mug") == (AT, AT)
    assert len(await movements(database, "mug")) == 1
    done = await save(database, replace(MUG, title="Cup"), SPOON, SET, at=LATER)
    assert [change.token for change in done.changed] == ["mug"]
    assert await times(database, "mug") == (AT, LATER)
    assert await times(database, "set") == (AT, AT)


EDITS: list[dict[str, Any]] = [
    {"title": "Cup"},
    {"price": Money.parse("120.50", "SEK")},
    {"price": Money.parse("120", "EUR")},
    {"tax_rate": Decimal("12.5")},
    {"sku": "S"},
    {"ean": "12345678"},
    {"for_sale": False},
    {"on_hand": 0},
    {"on_hand": 11, "title": "Cup"},
]


async def test_each_field_can_be_edited(database: Database) -> None:
    for fields in EDITS:
        await save(database, MUG)
        product, created = await database.write(catalogue.save, replace(MUG, **fields), "cli", LATER)
        assert not created
        assert {name: getattr(product, name) for name in fields} == fields
        assert (await times(database, "mug"))[1] == LATER
        await save(database, replace(MUG, for_sale=True))


async def test_parts_of_a_bundle_can_be_edited(database: Database) -> None:
    await save(database, MUG, SPOON, SET)
    turned = replace(SET, bundle=(Piece("mug", 1), Piece("spoon", 3)))
    done = await save(database, turned, at=LATER)
    assert [change.token for change in done.changed] == ["set"]
    assert [part.token for part in (await found(database, "set")).bundle] == ["mug", "spoon"]
    assert await times(database, "set") == (AT, LATER)


async def test_absent_stock_and_sale_stay(database: Database) -> None:
    await save(database, replace(MUG, for_sale=False))
    await save(database, replace(MUG, title="Cup", on_hand=None))
    mug = await found(database, "mug")
    assert (mug.title, mug.on_hand, mug.for_sale) == ("Cup", 10, False)


async def test_stock_correction_is_a_movement(database: Database) -> None:
    await save(database, MUG)
    await save(database, replace(MUG, on_hand=4))
    assert [(kind, by) for kind, by, _, _ in await movements(database, "mug")] == [
        ("correct", 10),
        ("correct", -6),
    ]


async def test_withdrawn_product_can_come_back(database: Database) -> None:
    await save(database, replace(MUG, for_sale=False))
    await save(database, replace(MUG, for_sale=True))
    assert (await found(database, "mug")).for_sale


async def test_bundle_becomes_a_product_with_stock(database: Database) -> None:
    await save(database, MUG, SPOON, SET)
    await save(database, replace(SET, bundle=(), on_hand=5))
    assert ((await found(database, "set")).bundle, (await found(database, "set")).on_hand) == ((), 5)


async def test_product_without_stock_becomes_a_bundle(database: Database) -> None:
    await save(database, MUG, SPOON, replace(SET, bundle=()))
    await save(database, SET)
    assert (await found(database, "set")).on_hand == 2


REFUSALS: list[tuple[list[ProductChange], dict[str, dict[str, str]]]] = [
    ([change("x", bundle=(Piece("gone", 1),))], {"x": {"bundle": "there is no such product"}}),
    ([change("x", bundle=(Piece("set", 1),))], {"x": {"bundle": "which is a bundle itself"}}),
    ([change("x", currency="EUR", bundle=(Piece("mug", 1),))], {"x": {"bundle": "priced in SEK"}}),
    ([change("x", bundle=(Piece("mug", 1),), on_hand=1)], {"x": {"on_hand": "not kept for a bundle"}}),
    ([replace(SET, on_hand=9)], {"set": {"on_hand": "not kept for a bundle"}}),
    ([change("lamp", bundle=(Piece("mug", 1),))], {"lamp": {"bundle": "10 are on hand"}}),
    ([change("x"), change("spoon", bundle=(Piece("x", 1),))], {"spoon": {"bundle": "a part of set"}}),
    ([change("mug", currency="EUR")], {"mug": {"price": "in SEK, as that of set"}}),
    (
        [change("x", bundle=(Piece("y", 1),)), change("y", bundle=(Piece("mug", 1),))],
        {"x": {"bundle": "a bundle itself"}, "y": {"bundle": "a part of x"}},
    ),
    ([change("good"), change("x", price="0")], {"x": {"price": "more than 0"}}),
]


async def test_what_does_not_fit_is_refused_whole(database: Database) -> None:
    await save(database, MUG, replace(SPOON, on_hand=0), SET, change("lamp", on_hand=10))
    for changes, said in REFUSALS:
        wrong = await refused(database, *changes)
        assert {token: set(fields) for token, fields in wrong.items()} == {
            token: set(fields) for token, fields in said.items()
        }
        for token, fields in wrong.items():
            assert all(said[token][field] in problem for field, problem in fields.items()), fields


async def test_derived_stock_of_a_bundle_may_be_sent_back(database: Database) -> None:
    await save(database, MUG, SPOON, SET)
    done = await save(database, replace(SET, on_hand=2))
    assert len(done.unchanged) == 1


async def test_currency_can_change_together_with_its_bundle(database: Database) -> None:
    await save(database, MUG, SPOON, SET)
    euro = Money.parse("9.95", "EUR")
    await save(database, *(replace(each, price=euro) for each in (MUG, SPOON, SET)))
    assert (await found(database, "set")).price == euro


async def _paid_purchase(database: Database, token: str) -> None:
    """A purchase of the product that was paid when nothing was left."""
    purchase = {
        "id": "0" * 36,
        "state": "paid",
        "revision": 3,
        "purchase_token": token,
        "title": "T",
        "amount": Decimal(1),
        "currency": "SEK",
        "request_key": "k",
        "holds_stock": False,
        "holds": 1,
        "checks_failed": 0,
        **{
            column.name: ""
            for column in purchases.c
            if column.name.startswith("customer_") and not column.nullable
        },
        **dict.fromkeys(("received_at", "created_at", "updated_at"), AT),
    }
    line = {
        "purchase_id": "0" * 36,
        "position": 1,
        "kind": "goods",
        "product_token": token,
        "title": "T",
        "quantity": 1,
        **dict.fromkeys(("unit_price", "total", "tax_rate"), Decimal(1)),
    }

    def write(connection: Connection) -> None:
        connection.execute(insert(purchases).values(purchase))
        connection.execute(insert(purchase_lines).values(line))

    await database.write(write)


async def test_stock_found_wakes_the_paid_purchase_that_waits(database: Database) -> None:
    await save(database, replace(MUG, on_hand=0), SPOON)
    await _paid_purchase(database, "mug")

    async def next_check() -> datetime | None:
        statement = select(purchases.c.next_check_at)
        return await database.read(lambda connection: connection.execute(statement).scalar_one())

    await save(database, replace(SPOON, on_hand=8), at=LATER)
    assert await next_check() is None
    await save(database, replace(MUG, on_hand=1), at=LATER)
    assert await next_check() == LATER


async def test_product_that_a_paid_purchase_waits_for_stays_a_product(database: Database) -> None:
    await save(database, replace(MUG, on_hand=0), SPOON)
    await _paid_purchase(database, "mug")
    wrong = await refused(database, change("mug", bundle=(Piece("spoon", 1),)))
    assert "a paid purchase waits" in wrong["mug"]["bundle"]


async def test_twins_make_one_product(database: Database) -> None:
    answers = await asyncio.gather(
        *(database.write(catalogue.save, replace(MUG, on_hand=3), "cli", AT) for _ in range(8))
    )
    assert [created for _, created in answers].count(True) == 1
    assert (await found(database, "mug")).on_hand == 3
    assert len(await movements(database, "mug")) == 1


async def test_two_cannot_nest_bundles_at_once(database: Database) -> None:
    await save(database, change("a"), change("b"), MUG)
    answers = await asyncio.gather(
        save(database, change("a", bundle=(Piece("b", 1),))),
        save(database, change("b", bundle=(Piece("a", 1),))),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["CatalogueError", "Plan"]


async def test_thousands_are_one_commit(database: Database) -> None:
    many = [change(f"p{number}", on_hand=number % 7) for number in range(3000)]
    done = await save(database, *many)
    assert len(done.created) == 3000
    done = await save(database, *(replace(each, on_hand=1) for each in many))
    assert len(done.changed) + len(done.unchanged) == 3000
    assert {product.on_hand for product in await database.read(catalogue.list_products)} == {1}
