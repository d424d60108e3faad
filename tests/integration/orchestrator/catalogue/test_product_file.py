"""Product files against a real catalogue: planned, written whole or not at all, and back out again."""

from datetime import UTC, datetime

import pytest

from orchestrator import catalogue, catalogue_csv
from orchestrator.catalogue_cells import COLUMNS
from orchestrator.catalogue_csv import DEMO, WrongFile
from orchestrator.catalogue_edit import Plan
from orchestrator.database import Database

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def file(*lines: str) -> bytes:
    return "\n".join([",".join(COLUMNS), *lines, ""]).encode()


async def imported(database: Database, data: bytes) -> Plan:
    return await database.write(catalogue_csv.apply, catalogue_csv.parse(data), "cli", AT)


async def exported(database: Database) -> bytes:
    return catalogue_csv.export(await database.read(catalogue.list_products)).encode()


async def test_demo_catalogue_goes_in_and_comes_out(database: Database) -> None:
    await catalogue_csv.load_demo(database)
    once = await exported(database)
    assert sorted(once.splitlines()) == sorted(DEMO.read_bytes().splitlines())
    again = await imported(database, once)
    assert (len(again.created), len(again.changed), len(again.unchanged)) == (0, 0, 10)
    assert await exported(database) == once
    bundle = await database.read(catalogue.find, "fikapaket")
    assert bundle is not None
    assert bundle.available == 18


async def test_plan_tells_what_would_be_done_and_writes_nothing(database: Database) -> None:
    await catalogue_csv.load_demo(database)
    before = await exported(database)
    lines = DEMO.read_text(encoding="utf-8").splitlines()[1:4]
    data = file("new,New,1,SEK,25,,,5,,", lines[0].replace("69.00", "70"), lines[1])
    plan = await database.read(catalogue_csv.plan, catalogue_csv.parse(data))
    assert [change.token for change in plan.created] == ["new"]
    assert [change.token for change in plan.changed] == ["kaffe-250"]
    assert [change.token for change in plan.unchanged] == ["te-100"]
    assert await exported(database) == before
    assert await imported(database, data) == plan


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            ["set,S,1,SEK,25,,,,,gone:1"],
            ["line 2, column bundle: contains gone, but there is no such product"],
        ),
        (
            ["a,A,1,SEK,25,,,3,,", "", "b,B,1,EUR,25,,,,,a:1", "c,C,1,SEK,25,,,4,,a:1"],
            [
                "line 2, column price: should be in EUR, as that of b, which it is a part of",
                "line 4, column bundle: contains a, which is priced in SEK",
                "line 5, column on_hand: is not kept for a bundle: change the stock of its parts",
            ],
        ),
        (
            ["a,A,1,SEK,25,,,,,b:1", "b,B,1,SEK,25,,,,,fikapaket:1"],
            [
                "line 2, column bundle: contains b, which is a bundle itself",
                "line 3, column bundle: is not possible for a part of a: bundles do not nest",
            ],
        ),
    ],
)
async def test_what_does_not_fit_names_its_line_and_imports_nothing(
    database: Database, rows: list[str], said: list[str]
) -> None:
    await catalogue_csv.load_demo(database)
    before = await exported(database)
    records = catalogue_csv.parse(file(*rows))
    with pytest.raises(WrongFile) as planned:
        await database.read(catalogue_csv.plan, records)
    with pytest.raises(WrongFile) as applied:
        await database.write(catalogue_csv.apply, records, "cli", AT)
    assert list(planned.value.problems) == list(applied.value.problems) == said
    assert await exported(database) == before


async def test_loading_tells_everything_and_writes_only_what_is_edited(database: Database) -> None:
    await catalogue_csv.load_demo(database)
    text = DEMO.read_text(encoding="utf-8").replace("69.00", "70.00") + "new,New,1,SEK,25,,,5,,\n"
    done = await catalogue_csv.load(database, catalogue_csv.parse(text.encode()), "cli")
    assert [change.token for change in done.created] == ["new"]
    assert [change.token for change in done.changed] == ["kaffe-250"]
    assert len(done.unchanged) == 9
    again = await catalogue_csv.load(database, catalogue_csv.parse(text.encode()), "cli")
    assert (again.written, len(again.unchanged)) == ((), 11)
