"""The doors hold for every seed and for some hundred inputs made of them, and no planted bug gets away."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update
from starlette.requests import Request

from fuzz import soap_answer
from fuzz.target import NAMES, load
from orchestrator import catalogue_cells, catalogue_csv, shopkeeper
from orchestrator.errors import OrchestratorError
from orchestrator.purchase import Order
from orchestrator.rest import create_purchase
from orchestrator.seqr import answer, envelope
from orchestrator.seqr.http_answer import HttpAnswer
from orchestrator.settlement import Settlement
from orchestrator.tables import products
from tests.fixtures.mutations import mutations

ENOUGH = {"create_purchase": 200, "soap_answer": 300, "csv_import": 150}


@pytest.mark.parametrize("name", NAMES)
def test_every_seed_ends_as_it_should(name: str, tmp_path: Path) -> None:
    target = load(name)
    with target.open(tmp_path) as judge:
        for ending, seeds in target.seeds.items():
            for seed in seeds:
                assert judge(seed) == ending, seed


@pytest.mark.parametrize("name", NAMES)
def test_whatever_comes_in_the_door_holds(name: str, tmp_path: Path) -> None:
    target = load(name)
    with target.open(tmp_path) as judge:
        endings = {judge(data) for data in mutations(target, ENOUGH[name], seed=1)}
    assert len(endings) >= 3, "they all ended alike"


def raise_what_nobody_foresaw(plant: pytest.MonkeyPatch) -> None:
    def parse(body: Any, parsed: Callable[[Any], Order] = create_purchase.parse) -> Order:
        order = parsed(body)
        if order.state:
            raise KeyError(order.state)
        return order

    plant.setattr(create_purchase, "parse", parse)


def lose_a_field(plant: pytest.MonkeyPatch) -> None:
    async def place(self: Settlement, order: Order, placed: Any = Settlement.place) -> str:
        return str(await placed(self, replace(order, msisdn="")))

    plant.setattr(Settlement, "place", place)


def let_anybody_in(plant: pytest.MonkeyPatch) -> None:
    def check(_: Request, __: object) -> None:
        """Who would lie?"""

    plant.setattr(create_purchase, "check_credentials", check)


def write_and_refuse(plant: pytest.MonkeyPatch) -> None:
    def count(connection: Connection) -> None:
        connection.execute(update(products).values(revision=products.c.revision + 1))

    async def place(self: Settlement, order: Order, placed: Any = Settlement.place) -> str:
        try:
            return str(await placed(self, order))
        except OrchestratorError:
            await self._database.write(count)
            raise

    plant.setattr(Settlement, "place", place)


def sell_twice(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(Order, "request_key", lambda self: f"{id(self)}{'0' * 48}"[:64])


def take_no_code_for_success(plant: pytest.MonkeyPatch) -> None:
    def result(fields: Any) -> answer.Result:
        return answer.Result(fields.get("resultCode") or 0, None, fields)

    plant.setattr(answer, "result", result)


def believe_any_status_line(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(HttpAnswer, "fine", True)


def choke_on_a_charset(plant: pytest.MonkeyPatch) -> None:
    def parse(came: Any, fault: Exception) -> None:
        raise ValueError(came.charset) from fault

    plant.setattr(envelope, "_parsed_as_declared_by_http", parse)


def take_anothers_answer(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(soap_answer, "of_another", lambda *_: False)


def show_the_password(plant: pytest.MonkeyPatch) -> None:
    plant.setattr("orchestrator.seqr.mask._literal", lambda _: None)
    plant.setattr("orchestrator.seqr.mask._IN_ELEMENT", "(?P<tag>nothing)")


def export_as_it_is(plant: pytest.MonkeyPatch) -> None:
    def export(found: Iterable[Any]) -> str:
        file = io.StringIO()
        rows = (catalogue_cells.fields_of(product).values() for product in found)
        csv.writer(file).writerows([catalogue_cells.COLUMNS, *rows])
        return file.getvalue()

    plant.setattr(catalogue_csv, "export", export)


def let_a_price_be_a_float(plant: pytest.MonkeyPatch) -> None:
    def number(self: Any, cell: str) -> Any:
        return Decimal(round(float(cell.replace(",", ".")), 2))

    plant.setattr(catalogue_cells.CellReader, "_number", number)


def import_the_right_lines_of_a_wrong_file(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(catalogue_csv, "parse", lambda data: list(catalogue_csv.read(data).records))


def keep_the_stock(plant: pytest.MonkeyPatch) -> None:
    def keep(connection: Connection, records: Any, *rest: Any, done: Any = shopkeeper.import_records) -> Any:
        return done(connection, [replace(r, change=replace(r.change, on_hand=None)) for r in records], *rest)

    plant.setattr(shopkeeper, "import_records", keep)


BUGS = {
    "create_purchase": (
        raise_what_nobody_foresaw,
        lose_a_field,
        let_anybody_in,
        write_and_refuse,
        sell_twice,
    ),
    "soap_answer": (
        take_no_code_for_success,
        believe_any_status_line,
        choke_on_a_charset,
        take_anothers_answer,
        show_the_password,
    ),
    "csv_import": (
        export_as_it_is,
        let_a_price_be_a_float,
        import_the_right_lines_of_a_wrong_file,
        keep_the_stock,
    ),
}


@pytest.mark.parametrize(("name", "bug"), [(name, bug) for name, bugs in BUGS.items() for bug in bugs])
def test_a_planted_bug_is_caught(
    name: str, bug: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = load(name)
    bug(monkeypatch)
    with target.open(tmp_path) as judge:
        for data in [*target.all_seeds(), *mutations(target, ENOUGH[name], seed=1)]:
            try:
                judge(data)
            except Exception:  # noqa: BLE001  # whatever a bug makes of it
                return
    pytest.fail(f"{bug.__name__} got away")
