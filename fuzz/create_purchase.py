"""createPurchase, called by anybody: the whole application, on a real database, with a SEQR that answers.

Whatever is sent, the answer is one of the contract's. 200 stands for one purchase, invoiced, that says what
was sent; anything else leaves the database as it was, but for an order that the stock could not fulfil.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Connection, insert, update
from starlette.types import ASGIApp

from fuzz.http_call import HttpCall, HttpResult, call, parted
from fuzz.listening import Listener, listening
from fuzz.order_samples import PASSWORD, SEEDS, USER, WORDS
from fuzz.target import Change, Judge, Target
from orchestrator import migration
from orchestrator.app import build_app, make_parts
from orchestrator.database import open_database
from orchestrator.identity import now
from orchestrator.rest.create_purchase import PATH
from orchestrator.settings import Settings
from orchestrator.tables import products
from tests.fixtures.seqr import ScriptedSeqr
from tests.fixtures.shop import ORDER, stocked

_ENOUGH = 10**9
_MOST_PURCHASES = 200
"""After so many the shop moves to an empty database."""

_PRICES = {"mug": 149_0000, "spoon": 49_5000, "set": 200_0000, "a.b-c_1": 1_0000}
"""As the database keeps them: in ten-thousandths."""
_ERRORS = {
    400: "INVALID_REQUEST",
    401: "UNAUTHORIZED",
    404: "UNKNOWN_PURCHASE_TOKEN",
    409: "OUT_OF_STOCK",
    413: "INVALID_REQUEST",
    415: "INVALID_REQUEST",
    422: "INVALID_REQUEST",
}
_COLUMNS = {
    "purchaseToken": "purchase_token",
    "clientName": "customer_name",
    "street": "customer_street",
    "city": "customer_city",
    "state": "customer_state",
    "zip": "customer_zip",
    "country": "customer_country",
    "email": "customer_email",
    "msisdn": "customer_msisdn",
}


class _Shop:
    """The application on a database of its own. ``look`` sees what it has committed."""

    def __init__(self, path: Path) -> None:
        database = open_database(f"sqlite:///{path}")
        seqr = ScriptedSeqr()
        self.parts = make_parts(_settings(), database, seqr)
        self.open = build_app(self.parts)
        guarded = _settings(create_purchase_user=USER, create_purchase_password=SecretStr(PASSWORD))
        self.guarded = build_app(make_parts(guarded, database, seqr))
        self.look = sqlite3.connect(path)
        self.look.row_factory = sqlite3.Row

    def version(self) -> int:
        """Another one whenever anything was written."""
        return int(self.look.execute("PRAGMA data_version").fetchone()[0])

    def purchases(self) -> int:
        return int(self.look.execute("SELECT count(*) FROM purchases").fetchone()[0])

    async def close(self) -> None:
        self.look.close()
        await self.parts.database.close()


class _Door:
    """Lets calls in, one after the other, and looks at what each has done."""

    def __init__(self, directory: Path, loop: asyncio.AbstractEventLoop, listener: Listener) -> None:
        self._directory, self._loop, self._listener = directory, loop, listener
        self._numbers = count(1)
        self._template = directory / "template.db"
        loop.run_until_complete(_furnished(self._template))
        self._shop = self._move_in()

    def judge(self, data: bytes) -> str:
        """Let one call in."""
        sent, shop = HttpCall.read(data), self._shop
        guarded = bool(sent.header(b"authorization"))
        app: ASGIApp = shop.guarded if guarded else shop.open
        version, purchases = shop.version(), shop.purchases()
        result = self._loop.run_until_complete(call(app, PATH, sent))
        self._listener.check()
        answer = _read(result)
        added = shop.purchases() - purchases
        if result.status == 200:
            assert _may_enter(sent), "it let in whom it should not"
            _check_purchase(shop, sent, answer, added)
        elif result.status == 409:
            _check_sold_out(shop, added)
        else:
            assert shop.version() == version, f"{result.status}, and yet something was written"
        if sent.leaves:
            assert result.status != 200, "it sold what was not ordered to the end"
        if shop.purchases() >= _MOST_PURCHASES:
            self._move()
        return str(result.status)

    def close(self) -> None:
        self._loop.run_until_complete(self._shop.close())

    def _move(self) -> None:
        self.close()
        self._shop = self._move_in()

    def _move_in(self) -> _Shop:
        for old in self._directory.glob("shop*"):
            old.unlink()
        path = self._directory / f"shop{next(self._numbers)}.db"
        shutil.copy(self._template, path)
        return _Shop(path)


def _settings(**changes: Any) -> Settings:
    """Nobody asks too often or holds too much: what is answered shall not depend on who came before."""
    return Settings(
        _env_file=None,
        secret_key=SecretStr("a secret that only the fuzzer knows"),
        seqr_password=SecretStr("12345678"),
        create_purchase_per_minute=0,
        unpaid_per_phone=0,
        trusted_proxies="127.0.0.1",
        **changes,
    )


async def _furnished(path: Path) -> None:
    """A migrated database with more goods than anybody orders, and two that nobody gets."""
    database = open_database(f"sqlite:///{path}")
    await migration.migrate(database)
    await database.write(_furnish)
    await database.close()


def _furnish(connection: Connection) -> None:
    stocked(connection)
    connection.execute(update(products).values(on_hand=_ENOUGH))
    at = now()
    common = {"title": "Odd", "price": 1, "currency": "SEK", "tax_rate": 25, "reserved": 0}
    rows = [
        {"token": "a.b-c_1", "on_hand": _ENOUGH, "for_sale": True},
        {"token": "gone", "on_hand": 0, "for_sale": True},
        {"token": "hidden", "on_hand": _ENOUGH, "for_sale": False},
    ]
    connection.execute(
        insert(products), [{**common, "created_at": at, "updated_at": at, **row} for row in rows]
    )


def _read(result: HttpResult) -> dict[str, Any]:
    """The answer, if it is one of the contract's."""
    assert result.header(b"content-type") == b"application/json", result
    assert all(b"\r" not in value and b"\n" not in value for _, value in result.headers), result.headers
    answer = json.loads(result.body.decode())
    assert isinstance(answer, dict), answer
    if result.status == 200:
        assert list(answer) == ["invoiceReferenceId"], answer
        return answer
    assert answer["errorCode"] == _ERRORS.get(result.status), (result.status, answer)
    assert isinstance(answer["message"], str), answer
    assert answer["message"], answer
    assert bool(answer.get("fields")) is (result.status == 422), answer
    return answer


def _may_enter(sent: HttpCall) -> bool:
    """Whether the call carries no credentials, where none are needed, or the right ones."""
    words = sent.header(b"authorization").split(None, 1)
    if not words:
        return True
    try:
        given = base64.b64decode(words[-1])
    except binascii.Error:
        return False
    return words[0].lower() == b"basic" and given == f"{USER}:{PASSWORD}".encode()


def _check_purchase(shop: _Shop, sent: HttpCall, answer: dict[str, Any], added: int) -> None:
    """200: the purchase is there, once, and is what was sent."""
    order = json.loads(sent.body)
    query = "SELECT * FROM purchases WHERE invoice_reference = ?"
    (row,) = shop.look.execute(query, (answer["invoiceReferenceId"],)).fetchall()
    for name, column in _COLUMNS.items():
        assert row[column] == (order.get(name) or ""), (name, row[column], order.get(name))
        assert "\0" not in row[column], "PostgreSQL would not take it"
    assert row["state"] == "invoiced", row["state"]
    assert (row["amount"], row["currency"]) == (_PRICES[row["purchase_token"]], "SEK"), dict(row)
    twins = "SELECT count(*) FROM purchases WHERE request_key = ?"
    assert shop.look.execute(twins, (row["request_key"],)).fetchone()[0] == 1, "it sold the same order twice"
    assert added in (0, 1), added


def _check_sold_out(shop: _Shop, added: int) -> None:
    """409: the order is kept, once, as one that could have been sold, and holds nothing."""
    row = shop.look.execute("SELECT * FROM purchases ORDER BY id DESC LIMIT 1").fetchone()
    assert added in (0, 1), added
    if added:
        assert (row["state"], row["reason"], row["holds"]) == ("failed", "out_of_stock", 0), dict(row)


@contextmanager
def _open(directory: Path) -> Iterator[Judge]:
    with asyncio.Runner() as runner, listening(_settings()) as listener:
        loop = runner.get_loop()
        loop.set_exception_handler(listener.hear_loop)
        with closing(_Door(directory, loop, listener)) as door:
            yield door.judge


def _vary(data: bytes, change: Change, random: Random) -> bytes:
    """Mostly change one field, or add one, and leave it an order; else change whatever there is."""
    head, body = parted(data)
    try:
        order = json.loads(body)
    except (ValueError, RecursionError):
        order = None
    if not isinstance(order, dict) or random.random() < 0.3:
        return change(data)
    name = random.choice(list(ORDER))
    value = order.get(name, ORDER[name])
    text = value if isinstance(value, str) else json.dumps(value)
    order[name] = change(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
    varied = json.dumps(order, ensure_ascii=random.random() < 0.5)
    return head + b"\n\n" + varied.encode("utf-8", "surrogatepass")


TARGET = Target(open=_open, seeds=SEEDS, words=WORDS, longest=8192, vary=_vary)
