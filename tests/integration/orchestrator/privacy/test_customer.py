"""One customer on request: whose purchases are found, what is exported, what is erased and what is not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, insert

from orchestrator import customer, dossier, note, outbox
from orchestrator.customer import Hindrance, HoldingsChanged, NobodyNamed, Wanted
from orchestrator.dossier import NobodyKnown
from orchestrator.identity import new_id, now
from orchestrator.stamp import Stamp
from orchestrator.tables import audit, bulk_runs
from tests.fixtures.dashboard import place
from tests.fixtures.desk import Desk
from tests.fixtures.traces import traces, words_of
from tests.integration.orchestrator.privacy.test_erasure import ASA, sold

BO = replace(ASA, name="Bo Ek", street="Byn 4", email="bo@elsewhere.example", msisdn="46709998877")
ADA = Stamp("operator:ada", now())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("46701234567", "+46 70-123 45 67", True),
        ("46701234567", "070 123 45 67", True),
        ("0046701234567", "0701234567", True),
        ("46701234567", "47701234567", False),
        ("46701234567", "46701234568", False),
        ("46701234567", "234567", False),
        ("46701234567", "", False),
        ("", "", False),
    ],
)
def test_a_phone_number_is_the_same_however_it_is_written(one: str, other: str, same: bool) -> None:
    assert customer.same_phone(one, other) is customer.same_phone(other, one) is same


@pytest.mark.parametrize(("phone", "email"), [("", ""), ("12345", ""), ("nobody", "anna@example.com")])
def test_a_customer_is_named_by_phone_or_mail(phone: str, email: str) -> None:
    with pytest.raises(NobodyNamed, match="at least 7 digits"):
        Wanted(phone, email)


async def test_what_is_found_is_the_customers_and_nobody_elses(desk: Desk) -> None:
    first = await sold(desk, ASA)
    second = await desk.buy(replace(ASA, purchase_token="spoon"))
    await desk.buy(BO)
    await desk.buy(replace(BO, msisdn="46701234568", email="xasa.hoog@nordan.example"))
    mail = " ASA.Hoog@nordan.example"
    for wanted in (
        Wanted("070-123 45 67"),
        Wanted("+46701234567"),
        Wanted(email=mail),
        Wanted(ASA.msisdn, mail),
    ):
        found = await desk.database.read(customer.read, wanted)
        assert [holding.id for holding in found.erasable] == [first]
        assert [(holding.id, holding.hindrance) for holding in found.left] == [(second, Hindrance.OPEN)]
        assert (found.number, found.names, found.mentions) == (2, (ASA.name,), 0)


async def test_erasing_leaves_no_trace_of_the_customer_and_all_of_the_others(desk: Desk) -> None:
    purchase_id = await sold(desk, ASA)
    other = await sold(desk, BO)
    await desk.database.write(searched)
    await desk.database.write(dossier.export, Wanted(ASA.msisdn), "Shop", ADA)
    before = await desk.database.read(traces, words_of(BO))

    found = await desk.database.write(customer.erase, Wanted(ASA.msisdn), ADA, "192.0.2.7")
    assert [holding.id for holding in found.erasable] == [purchase_id]
    shared = {BO.city, BO.state, BO.zip, BO.country}
    words = [word for word in words_of(ASA) if word not in shared]
    assert await desk.database.read(traces, words) == []
    assert await desk.database.read(traces, words_of(BO)) == before
    assert (await desk.database.read(customer.read, Wanted(email=ASA.email))).number == 0
    assert (await desk.database.read(customer.read, Wanted(email=BO.email))).erasable[0].id == other


def searched(connection: Connection) -> None:
    """Runs on purchases that were found by the customer's name, and by another's."""
    common = {"action": "check", "actor": "operator:eva", "why": "", "state": "done", "total": 1}
    for selection in ("/purchases?q=HAGSTR%C3%96M", "/purchases?q=bo"):
        run = {"id": new_id(), "selection": selection, "created_at": now(), "done": 1}
        connection.execute(insert(bulk_runs).values({**common, **run, "refused": 0, "failed": 0}))


async def test_the_audit_log_tells_who_when_and_how_many_but_not_whom(desk: Desk) -> None:
    await sold(desk, ASA)
    await desk.buy(ASA)
    await desk.database.write(dossier.export, Wanted(email=ASA.email), "Shop", ADA, "192.0.2.7")
    await desk.database.write(customer.erase, Wanted(email=ASA.email), ADA, "192.0.2.7")
    told = [(row["actor"], row["action"], row["detail"], row["address"]) for row in await desk.rows(audit)]
    assert sorted(told, key=str) == [
        ("operator:ada", "customer.erase", "1 erased, 1 left", "192.0.2.7"),
        ("operator:ada", "customer.export", "2 exported", "192.0.2.7"),
    ]
    found = await desk.database.read(traces, words_of(ASA))
    assert [trace for trace in found if trace.startswith("audit.")] == []


async def test_what_is_not_finished_or_waits_keeps_its_customer(desk: Desk) -> None:
    old = now() - timedelta(days=1)
    hindered = {
        await desk.database.write(place, "paid", old): Hindrance.OPEN,
        await desk.database.write(place, "stocked", old, attention="Look."): Hindrance.ATTENTION,
        await desk.database.write(place, "failed", old, next_check_at=old): Hindrance.ASKED,
        (mailed := await desk.database.write(place, "stocked", old)): Hindrance.MAIL,
    }
    await desk.database.write(outbox.enqueue, mailed, "order_confirmation", "anna@example.com", old)
    wanted = Wanted(email="anna@example.com")
    found = await desk.database.write(customer.erase, wanted, ADA)
    assert ({holding.id: holding.hindrance for holding in found.left}, found.erasable) == (hindered, ())
    assert [row["customer_erased_at"] for row in await desk.purchases()] == [None] * 4
    assert await desk.rows(audit) == []


async def test_only_what_was_looked_at_is_erased(desk: Desk) -> None:
    await sold(desk, ASA)
    wanted = Wanted(ASA.msisdn)
    seen = (await desk.database.read(customer.read, wanted)).fingerprint
    await sold(desk, replace(ASA, purchase_token="spoon"))
    with pytest.raises(HoldingsChanged, match="look again"):
        await desk.database.write(customer.erase, wanted, ADA, "", seen)
    assert [row["customer_erased_at"] for row in await desk.purchases()] == [None] * 2
    seen = (await desk.database.read(customer.read, wanted)).fingerprint
    await desk.database.write(customer.erase, wanted, ADA, "", seen)
    with pytest.raises(HoldingsChanged):
        await desk.database.write(customer.erase, wanted, ADA, "", seen)


async def test_the_dossier_has_all_that_is_kept_and_names_nobody_of_the_shop(desk: Desk) -> None:
    purchase_id = await sold(desk, ASA)
    await desk.database.write(
        note.add, purchase_id, "Åsa rang about the colour.", Stamp("operator:eva", now())
    )
    told = await desk.database.write(dossier.export, Wanted(ASA.msisdn), "Demo shop", ADA)
    (bought,) = told["purchases"]
    assert bought["customer"] == {
        "name": ASA.name,
        "street": ASA.street,
        "city": ASA.city,
        "state": ASA.state,
        "zip": ASA.zip,
        "country": ASA.country,
        "email": ASA.email,
        "msisdn": ASA.msisdn,
    }
    assert bought["lines"] == [
        {"title": "Mug", "quantity": 1, "total": {"currency": "SEK", "value": "149.00"}}
    ]
    assert bought["history"][-1]["detail"] == "Åsa rang about the colour."
    assert bought["mails"][0]["recipient"] == ASA.email
    assert ASA.name in bought["mails"][0]["text"]
    assert [answer["operation"] for answer in bought["seqr_answers"]] == ["sendInvoice", "getPaymentStatus"]
    assert "eva" not in json.dumps(told)
    with pytest.raises(NobodyKnown, match="No purchase has that"):
        await desk.database.write(dossier.export, Wanted(BO.msisdn), "Demo shop", ADA)


async def test_notes_that_name_the_customer_are_counted(desk: Desk) -> None:
    purchase_id = await sold(desk, ASA)
    for text in (
        "Åsa rang.",
        "Call +46701234567",
        "Asa.Hoog@nordan.example bounced",
        "Rang 070-123 45 67.",
        "Told the customer.",
    ):
        await desk.database.write(note.add, purchase_id, text, ADA)
    found = await desk.database.read(customer.read, Wanted(ASA.msisdn))
    assert found.mentions == 4
