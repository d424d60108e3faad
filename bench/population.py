"""Made-up purchases, many of them and the same each time: as a shop has after a busy year.

A tenth is of the last day, and half of that is open. Names, mails and products are as uneven as in life.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from orchestrator import search
from orchestrator.identity import first_id

PRODUCTS = 200
DAYS = 365
STEP = timedelta(seconds=20)
"""Between two states."""
NEEDS_A_HAND = 0.3
"""Of what is paid."""
ONE_CALL_IN = 20
"""So many purchases have one SEQR call kept."""

_LINES = [line.split() for line in Path(__file__).with_name("names.txt").read_text("utf-8").splitlines()]
_FIRST, _COMMON, _HEADS, _TAILS, _THINGS, _KINDS = _LINES
_SURNAMES = [*_COMMON, *(head + tail for head, tail in itertools.product(_HEADS, _TAILS))]
_PROVIDERS = {
    "gmail.com": 45,
    "hotmail.com": 20,
    "telia.com": 12,
    "icloud.com": 10,
    "outlook.com": 8,
    "bredband.net": 5,
}
_REASONS = {
    "expired": 60,
    "cancelled_by_customer": 22,
    "payment_failed": 8,
    "out_of_stock": 5,
    "invoice_refused": 3,
    "cancelled_by_merchant": 2,
}
_WAYS = {
    "received": ["received"],
    "invoiced": ["received", "invoiced"],
    "paid": ["received", "invoiced", "paid"],
    "stocked": ["received", "invoiced", "paid", "stocked"],
    "failed": ["received", "invoiced", "failed"],
}
_TRIGGERS = {"received": "receive", "invoiced": "issue", "paid": "pay", "stocked": "stock", "failed": "fail"}

_TABLES = ("purchases", "purchase_lines", "invoice_attempts", "journal", "search_terms", "exchanges")

Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What chance decided about one purchase."""

    at: datetime
    state: str
    number: int

    @property
    def way(self) -> list[str]:
        """The states it went through."""
        return _WAYS[self.state]


def products(at: datetime) -> list[dict[str, Any]]:
    """The catalogue: prices from 19 to 4,999, cheap things are more."""
    chance = random.Random(7)
    rows = []
    for number in range(PRODUCTS):
        kind, thing = _KINDS[number // len(_THINGS) % len(_KINDS)], _THINGS[number % len(_THINGS)]
        title = f"{kind} {thing.lower()} {number}"
        price = round(min(19 + chance.expovariate(1 / 250), 4999))
        row = {"token": f"product-{number}", "title": title, "price": price * 10_000, "currency": "SEK"}
        rest = {"tax_rate": 250_000, "sku": f"SKU{number}", "for_sale": True, "on_hand": 100_000}
        rows.append(row | rest | {"reserved": 0, "revision": 0, "created_at": at, "updated_at": at})
    return rows


def purchases(number: int, end: datetime, chunk: int = 10_000) -> Iterator[Rows]:
    """``number`` purchases made until ``end``, oldest first, some at a time, by table."""
    chance = random.Random(11)
    catalogue = products(end)
    journal_ids = itertools.count(1)
    for first in range(0, number, chunk):
        some = (_chosen(chance, which, number, end) for which in range(first, min(first + chunk, number)))
        yield written(some, chance, catalogue, journal_ids)


def written(
    some: Iterable[Chosen], chance: random.Random, catalogue: list[dict[str, Any]], journal_ids: Iterator[int]
) -> Rows:
    """The rows of these purchases by table; each is of something in ``catalogue`` (rows of products)."""
    rows: Rows = {name: [] for name in _TABLES}
    for chosen in some:
        _add(rows, chance, chosen, catalogue, journal_ids)
    return rows


def _chosen(chance: random.Random, which: int, number: int, end: datetime) -> Chosen:
    recent = number // 10
    old = number - recent
    if which < old:
        at = end - timedelta(days=DAYS) + timedelta(days=DAYS - 1) * (which / old)
        state = chance.choices(("stocked", "failed", "paid"), (850, 145, 5))[0]
    else:
        at = end - timedelta(days=1) + timedelta(days=1) * ((which - old) / recent)
        state = chance.choices(("invoiced", "received", "stocked", "failed", "paid"), (490, 10, 420, 70, 10))[
            0
        ]
    return Chosen(at, state, which)


def _uneven(chance: random.Random, things: int) -> int:
    """An index: the first are much likelier than the last."""
    return min(int(things * chance.random() ** 2.2), things - 1)


def _add(
    rows: Rows, chance: random.Random, chosen: Chosen, catalogue: list[dict[str, Any]], ids: Iterator[int]
) -> None:
    bought = catalogue[_uneven(chance, len(catalogue))]
    quantity = chance.choices((1, 2, 3), (85, 12, 3))[0]
    purchase = _purchase(chance, chosen, bought, quantity)
    id_, at = purchase["id"], chosen.at
    rows["purchases"].append(purchase)
    rows["purchase_lines"].append(_line(purchase, bought, quantity))
    if chosen.state != "received":
        rows["invoice_attempts"].append(_attempt(chance, purchase))
    for number, target in enumerate(chosen.way, 1):
        when, source = at + number * STEP, chosen.way[number - 2] if number > 1 else None
        entry = {"id": next(ids), "purchase_id": id_, "sequence": number, "at": when}
        about = {"trigger": _TRIGGERS[target], "source": source, "target": target, "actor": "reconciler"}
        rows["journal"].append({**entry, **about, "detail": f"It became {target}."})
    rows["search_terms"] += [{"term": term, "purchase_id": id_} for term in purchase["search_text"].split()]
    if chosen.number % ONE_CALL_IN == 0:
        rows["exchanges"].append(_exchange(chance, id_, at))


def _purchase(chance: random.Random, chosen: Chosen, bought: dict[str, Any], quantity: int) -> dict[str, Any]:
    at, state = chosen.at, chosen.state
    id_, is_open = _id(chance, at), state in ("received", "invoiced")
    customer = _customer(chance, chosen.number)
    terms = search.terms(customer["customer_name"], customer["customer_email"], customer["customer_msisdn"])
    reference = None if state == "received" else f"{chosen.number + 10**9}"
    reason = chance.choices(list(_REASONS), list(_REASONS.values()))[0] if state == "failed" else None
    lacks = state == "paid" and chance.random() < NEEDS_A_HAND
    return {
        "id": id_,
        "state": state,
        "reason": reason,
        "attention": "The stock lacks it; the customer has paid." if lacks else None,
        "revision": len(chosen.way),
        "purchase_token": bought["token"],
        "title": bought["title"],
        "amount": bought["price"] * quantity,
        "currency": "SEK",
        **customer,
        "invoice_reference": reference,
        "invoice_qr_code": f"HTTP://SEQR.SE/R{reference}" if reference else None,
        "ers_reference": f"20261{chosen.number:012d}" if state in ("paid", "stocked") else None,
        "search_text": search.search_text(terms),
        "request_key": id_,
        "holds_stock": is_open,
        "holds": 1,
        "checks_failed": 0,
        "received_at": at,
        "created_at": at,
        "updated_at": at + len(chosen.way) * STEP,
        "next_check_at": None,  # nobody pays here: what it costs to ask is measured by itself
    }


def _customer(chance: random.Random, number: int) -> dict[str, str]:
    name = f"{_FIRST[_uneven(chance, len(_FIRST))]} {_SURNAMES[_uneven(chance, len(_SURNAMES))]}"
    provider = chance.choices(list(_PROVIDERS), list(_PROVIDERS.values()))[0]
    lives = {"street": "Storgatan 1", "city": "Umeå", "state": "", "zip": "903 26", "country": "Sweden"}
    mail = f"{search.fold(name).replace(' ', '.')}{number % 997}@{provider}"
    reached = {"name": name, "email": mail, "msisdn": f"467{chance.randrange(10**8):08d}"}
    return {f"customer_{key}": value for key, value in {**reached, **lives}.items()}


def _line(purchase: dict[str, Any], bought: dict[str, Any], quantity: int) -> dict[str, Any]:
    prices = {"unit_price": bought["price"], "total": purchase["amount"], "tax_rate": bought["tax_rate"]}
    product = {"product_token": bought["token"], "title": bought["title"], "sku": bought["sku"]}
    about = {"purchase_id": purchase["id"], "position": 1, "kind": "goods", "quantity": quantity}
    return {**about, **product, **prices}


def _attempt(chance: random.Random, purchase: dict[str, Any]) -> dict[str, Any]:
    at, is_open = purchase["created_at"], purchase["holds_stock"]
    return {
        "id": _id(chance, at),
        "purchase_id": purchase["id"],
        "number": 1,
        "state": "open" if is_open else "closed",
        "reference": purchase["invoice_reference"],
        "qr_code": purchase["invoice_qr_code"],
        "version": 0,
        "sent_at": at,
        "issued_at": at,
        "closed_at": None if is_open else purchase["updated_at"],
    }


def _exchange(chance: random.Random, purchase_id: str, at: datetime) -> dict[str, Any]:
    texts = {"request": "<sendInvoice/>", "response": "<return/>", "detail": ""}
    outcome = {"duration_ms": chance.expovariate(1 / 80), "verdict": "answered", "result_code": 0}
    about = {"id": _id(chance, at), "purchase_id": purchase_id, "operation": "sendInvoice", "started_at": at}
    return {**about, **outcome, **texts}


def _id(chance: random.Random, at: datetime) -> str:
    """Like ``new_id``, but the same in each run."""
    bits = f"{chance.getrandbits(74):019x}"
    return f"{first_id(at)}-7{bits[:3]}-{'89ab'[int(bits[3], 16) % 4]}{bits[4:7]}-{bits[7:19]}"
