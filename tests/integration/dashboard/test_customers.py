"""The page of customers' data: looking, taking along, erasing; and what the others show afterwards."""

from __future__ import annotations

import json
import re
from datetime import timedelta

from sqlalchemy import Connection, insert, select, update

from orchestrator import outbox
from orchestrator.identity import new_id, now
from orchestrator.tables import audit, exchanges, purchases
from orchestrator.tables import outbox as mails
from tests.fixtures.dashboard import Office, Visitor
from tests.fixtures.pages import text
from tests.fixtures.traces import traces

HERE = "/system/customers"
ANNA = {"phone": "070-000 00 01", "email": ""}
BO = {"customer_name": "Bo Ek", "customer_email": "bo@example.com", "customer_msisdn": "46709998877"}
WORDS = ["Anna", "Svensson", "Storgatan 1", "903 26", "anna@example.com", "46700000001", "700000001"]


async def look(visitor: Visitor, phone: str = "", email: str = "", status: int = 200) -> str:
    return text(await visitor.send(HERE, status, form_at=HERE, phone=phone, email=email))


async def seen(visitor: Visitor) -> str:
    """What the page of the dry run would have the confirmation say."""
    found = re.search(r'name="seen" value="(\w+)"', await visitor.send(HERE, 200, form_at=HERE, **ANNA))
    assert found is not None
    return found[1]


def deeds(connection: Connection) -> list[tuple[str, str, str, str]]:
    columns = (audit.c.actor, audit.c.action, audit.c.detail, audit.c.address)
    return [
        tuple(row) for row in connection.execute(select(*columns).where(audit.c.action.like("customer.%")))
    ]


async def test_somebody_is_found_by_phone_or_mail_and_told_what_would_happen(sqlite_office: Office) -> None:
    office, old = sqlite_office, now() - timedelta(hours=1)
    await office.purchase("stocked", at=old)
    await office.purchase("invoiced")
    await office.purchase("stocked", customer_name="Åsa Öberg", attention="Look.")
    await office.purchase("stocked", **BO)
    ada = await office.signed_in("ada")
    anybody = [("070-000 00 01", ""), ("+46 700000001", "nobody@example.com"), ("", "ANNA@example.com")]
    for phone, email in anybody:
        said = await look(ada, phone, email)
        assert "3 purchases tell of the customer" in said
        assert "They have 2 different names: Anna Svensson, Åsa Öberg. Is it one customer?" in said
        assert said.count("can be erased") == 1
        assert "stays: not finished yet" in said
        assert "stays: needs attention" in said
        assert "Erase the customer of 1 purchase…" in said
        assert "Bo Ek" not in said
    assert "at least 7 digits" in await look(ada, status=422)
    assert "No purchase has that phone number" in await look(ada, "0799999999", status=404)
    assert "until somebody erases them" in text(await ada.get(HERE))
    assert await office.database.read(deeds) == []


async def test_an_export_is_a_file_that_is_written_down(sqlite_office: Office) -> None:
    await sqlite_office.purchase("stocked")
    ada = await sqlite_office.signed_in("ada")
    told = json.loads(await ada.send(f"{HERE}/export", 200, form_at=HERE, **ANNA))
    assert told["purchases"][0]["customer"]["street"] == "Storgatan 1"
    assert await sqlite_office.database.read(deeds) == [
        ("operator:ada", "customer.export", "1 exported", "127.0.0.1")
    ]
    assert "No purchase" in text(await ada.send(f"{HERE}/export", 404, form_at=HERE, phone="0799999999"))
    assert "at least" in text(await ada.send(f"{HERE}/export", 422, form_at=HERE))
    assert "Exported what is kept of a customer" in text(await ada.get("/audit?what=customer"))


async def test_an_erased_customer_is_nowhere_on_any_page_nor_in_the_database(office: Office) -> None:
    old = now() - timedelta(hours=1)
    erased = await office.purchase("failed", at=old)
    call = await office.database.write(_called, erased)
    await office.database.write(outbox.enqueue, erased, "payment_link", "anna@example.com", now())
    mail = await office.database.write(_sent)
    ada = await office.signed_in("ada")
    said = text(await ada.send(f"{HERE}/erase", 200, form_at=HERE, seen=await seen(ada), **ANNA))
    assert "The customer of 1 purchase is erased." in said
    assert await office.database.read(traces, WORDS) == []
    assert await office.database.read(deeds) == [
        ("operator:ada", "customer.erase", "1 erased, 0 left", "127.0.0.1")
    ]
    pages = {
        f"/purchases/{erased}": "Erased on",
        "/purchases": "Erased customer",
        "/": "Erased customer",
        f"/purchases/{erased}/exchanges/{call}": "Erased with the customer.",
        "/mails": "Erased customer",
        f"/mails/{mail}": "Erased with its customer on",
        "/audit": "Erased a customer",
    }
    for path, words in pages.items():
        page = text(await ada.get(path))
        assert words in page, path
        assert not [word for word in WORDS if word in page], path
    assert "there is nobody to send the goods" in text(await ada.get(f"/purchases/{erased}"))
    assert erased not in await ada.get("/purchases?q=svensson")
    assert "no address to send it to" in text(await ada.send(f"/mails/{mail}/resend", form_at="/me"))


def _called(connection: Connection, purchase_id: str) -> str:
    """SEQR was asked about it, and said more than it should."""
    call: dict[str, object] = {
        "id": new_id(),
        "purchase_id": purchase_id,
        "operation": "getPaymentStatus",
        "started_at": now(),
    }
    outcome = {"verdict": "answered", "result_code": 0, "detail": "ISSUED", "duration_ms": 12.5}
    texts = {"request": "<request/>", "response": "<answer>46700000001</answer>"}
    connection.execute(insert(exchanges).values({**call, **outcome, **texts}))
    return str(call["id"])


def _sent(connection: Connection) -> str:
    values = {"state": "sent", "subject": "Anna!", "text_body": "Anna Svensson", "html_body": "<p>Anna</p>"}
    connection.execute(update(mails).values(**values, next_attempt_at=None, sent_at=now()))
    return str(connection.execute(select(mails.c.id)).scalar_one())


async def test_only_what_was_seen_is_erased_and_only_once(sqlite_office: Office) -> None:
    office, old = sqlite_office, now() - timedelta(hours=1)
    first = await office.purchase("stocked", at=old)
    ada = await office.signed_in("ada")
    looked = await seen(ada)
    second = await office.purchase("stocked")
    said = text(await ada.send(f"{HERE}/erase", 409, form_at=HERE, seen=looked, **ANNA))
    assert "have changed since you looked, so nothing was erased" in said
    assert "2 purchases tell of the customer" in said
    await office.purchase("paid")
    said = text(await ada.send(f"{HERE}/erase", 200, form_at=HERE, seen=await seen(ada), **ANNA))
    assert "The customer of 2 purchases is erased. 1 purchase still tells of the customer" in said
    assert set(await office.database.read(_erased)) == {first, second}
    await ada.send(f"{HERE}/erase", 409, form_at=HERE, seen=looked, **ANNA)
    assert "at least" in text(await ada.send(f"{HERE}/erase", 422, form_at=HERE, seen=looked))
    assert len(await office.database.read(deeds)) == 1


def _erased(connection: Connection) -> list[str]:
    found = select(purchases.c.id).where(purchases.c.customer_erased_at.is_not(None))
    return list(connection.execute(found).scalars())


async def test_an_export_of_the_list_does_not_write_down_whom_it_was_about(sqlite_office: Office) -> None:
    await sqlite_office.purchase("paid")
    ada = await sqlite_office.signed_in("ada")
    await ada.get("/purchases.csv?q=anna@example.com&state=paid")
    assert "/purchases?state=paid (and words)" in text(await ada.get("/audit?what=purchase.export"))
