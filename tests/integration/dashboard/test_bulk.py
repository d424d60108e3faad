"""Acting on many purchases, with forms alone: dry run, confirmation, progress, stop, what was not done."""

from __future__ import annotations

import re

import aiohttp
import pytest
from sqlalchemy import Connection, insert, select

from dashboard import choice
from orchestrator import bulk
from orchestrator.bulk import Seen
from orchestrator.clerk import Clerk, NoAnswer
from orchestrator.identity import new_id, now
from orchestrator.tables import audit, bulk_runs, purchases
from statemachine import Action, Reason, Trigger
from tests.fixtures.bulk import begin, items
from tests.fixtures.dashboard import Office, Visitor, _purchase
from tests.fixtures.shop import until

NOBODYS = "0195aaaa-0000-7000-8000-000000000001"
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


async def rehearse(visitor: Visitor, action: str, *ids: str, at: str = "/purchases/bulk") -> str:
    return await visitor.send(at, form_at="/purchases", action=action, ids=" ".join(ids))


def hidden(page: str) -> dict[str, str]:
    """What the dry run's form sends besides the reason."""
    form = page[page.index('action="/bulk"') :]
    return dict(_HIDDEN.findall(form))


async def confirm(visitor: Visitor, dry_run: str, why: str = "") -> str:
    """Confirm a dry run; returns the run's page."""
    fields = hidden(dry_run) | {"why": why}
    return await visitor.send("/bulk", 200, form_at="/purchases", **fields)


async def through(office: Office) -> None:
    clerk = Clerk(office.database, office.settlement)
    await clerk.run_once()
    await clerk.idle()


async def runs(office: Office) -> list[str]:
    def read(connection: Connection) -> list[str]:
        return list(connection.execute(select(bulk_runs.c.id)).scalars())

    return await office.database.read(read)


def words(page: str) -> str:
    """The text of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


async def test_a_dry_run_says_what_would_happen_and_does_nothing(office: Office) -> None:
    chosen = [await office.purchase(state) for state in ("invoiced", "invoiced", "stocked", "paid")]
    visitor = await office.signed_in()
    page = await rehearse(visitor, "cancel", *chosen)
    said = words(page)
    assert "Cancel 2 purchases?" in said
    assert "2 purchases would be acted on" in said
    assert "2 purchases would be refused" in said
    assert "Cancel the invoice at SEQR." in said
    assert "It is paid and stocked: it can no longer be cancelled." in said
    assert await rehearse(visitor, "cancel", *chosen) != ""  # a reload of the form changes nothing either
    assert await runs(office) == []
    assert office.settlement.recorded == []


async def test_boxes_without_a_script_are_fields_of_the_form(office: Office) -> None:
    first, second = await office.purchase(), await office.purchase()
    visitor = await office.signed_in()
    page = await visitor.get("/purchases")
    for id_ in (first, second):
        assert f'<input type="checkbox" name="id" value="{id_}" form="bulk"' in page
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token is not None
    data = aiohttp.FormData(
        [("csrf", token[1]), ("id", first), ("id", second), ("ids", ""), ("action", "check")]
    )
    async with visitor.http.post(f"{office.base_url}/purchases/bulk", data=data) as answer:
        assert "Check 2 purchases now?" in words(await answer.text())


async def test_a_confirmed_run_goes_to_its_end_and_says_what_was_done(office: Office) -> None:
    done, refused = await office.purchase("invoiced"), await office.purchase("stocked")
    visitor = await office.signed_in()
    page = await confirm(visitor, await rehearse(visitor, "cancel", done, refused), why="duplicate orders")
    assert "0 of 2" in words(page)
    assert "under way" in words(page)
    assert 'formaction="' not in page
    (run_id,) = await runs(office)
    await through(office)
    said = words(await visitor.get(f"/bulk/{run_id}"))
    assert "2 of 2" in said
    assert "Begun by olle" in said
    assert "Why: duplicate orders" in said
    assert "It is paid and stocked: it can no longer be cancelled." in said
    assert office.settlement.recorded == [(done, Action.CANCEL, "operator:olle")]
    assert office.settlement.reasons == ["duplicate orders"]
    listed = words(await visitor.get("/bulk"))
    assert "Cancel 2 purchases" in listed
    assert "1 of 2" in listed

    def trail(connection: Connection) -> list[tuple[str, str]]:
        rows = connection.execute(select(audit).where(audit.c.subject == run_id))
        return [(row.action, row.detail) for row in rows]

    assert await office.database.read(trail) == [
        ("bulk.start", "cancel: 2 × /purchases. Why: duplicate orders")
    ]


async def test_what_changed_between_dry_run_and_confirmation_is_refused(office: Office) -> None:
    purchase_id = await office.purchase("invoiced")
    visitor = await office.signed_in()
    dry_run = await rehearse(visitor, "check", purchase_id)
    await office.move(purchase_id, Trigger.PAY)
    await confirm(visitor, dry_run)
    await through(office)
    (run_id,) = await runs(office)
    said = words(await visitor.get(f"/bulk/{run_id}"))
    assert "has changed since it was looked at" in said
    assert office.settlement.recorded == []


async def test_all_that_match_is_the_lists_filter(office: Office) -> None:
    for _ in range(3):
        await office.purchase("failed", reason=Reason.EXPIRED.value)
    await office.purchase("paid")
    visitor = await office.signed_in()
    assert await visitor.get("/purchases/bulk/count?state=failed") == "all 3 that match"
    assert await visitor.get("/purchases/bulk/count?state=paid") == "the one that matches"
    page = await visitor.send(
        "/purchases/bulk?state=failed", form_at="/purchases", action="retry", everything="1", ids=""
    )
    assert "Retry 3 purchases?" in words(page)
    assert hidden(page)["selection"] == "/purchases?state=failed"
    assert 'href="/purchases?state=failed"' in await confirm(visitor, page)
    assert len(await items(office.database)) == 3


async def test_all_that_match_a_filter_that_makes_no_sense_is_nothing(sqlite_office: Office) -> None:
    await sqlite_office.purchase()
    visitor = await sqlite_office.signed_in()
    path = "/purchases/bulk?state=lost"
    page = await visitor.send(path, form_at="/purchases", action="cancel", everything="1", ids="")
    assert "There is no state" in words(page)
    assert "A dry run" not in page


async def test_more_than_ten_thousand_are_said_plainly(sqlite_office: Office) -> None:
    at = now()

    def fill(connection: Connection) -> None:
        over = {"state": "failed", "reason": "expired", "revision": 2}
        rows = [_purchase(at) | over for _ in range(bulk.MOST + 1)]
        connection.execute(insert(purchases), rows)

    await sqlite_office.database.write(fill)
    visitor = await sqlite_office.signed_in()
    assert "10" in await visitor.get("/purchases/bulk/count")
    assert "the first" in await visitor.get("/purchases/bulk/count")
    page = await visitor.send("/purchases/bulk", form_at="/purchases", action="check", everything="1", ids="")
    assert "which is the most for one run" in words(page)
    assert len(choice.unpack(hidden(page)["seen"])) == bulk.MOST
    await confirm(visitor, page)
    assert len(await items(sqlite_office.database)) == bulk.MOST


async def test_confirming_twice_begins_one_run(office: Office) -> None:
    visitor = await office.signed_in()
    dry_run = await rehearse(visitor, "check", await office.purchase())
    assert words(await confirm(visitor, dry_run)) == words(await confirm(visitor, dry_run))
    assert len(await runs(office)) == 1


async def test_stop_leaves_the_rest_undone(office: Office) -> None:
    visitor = await office.signed_in()
    await confirm(visitor, await rehearse(visitor, "check", await office.purchase(), await office.purchase()))
    (run_id,) = await runs(office)
    said = words(await visitor.send(f"/bulk/{run_id}/stop", form_at=f"/bulk/{run_id}"))
    assert "Stopped: what was begun is ended" in said
    assert "left undone 2" in said
    assert f"/bulk/{run_id}/stop" not in await visitor.get(f"/bulk/{run_id}")
    assert "It had ended before." in words(await visitor.send(f"/bulk/{run_id}/stop", form_at="/purchases"))
    await through(office)
    assert office.settlement.recorded == []


async def test_the_problems_of_a_run_have_pages(office: Office) -> None:
    ids = [await office.purchase("stocked", customer_name=f"Customer {number:02}") for number in range(51)]
    run_id = await begin(office.database, [Seen(id_, 4) for id_ in ids])
    await through(office)
    visitor = await office.signed_in()
    first = await visitor.get(f"/bulk/{run_id}")
    more = re.search(rf'href="(/bulk/{run_id}\?after=[^"]+)"', first)
    assert more is not None
    rest = await visitor.get(more[1])
    assert "sse-connect" not in rest
    shown = re.findall(r"Customer \d\d", first) + re.findall(r"Customer \d\d", rest)
    assert sorted(shown) == [f"Customer {number:02}" for number in range(51)]


async def test_the_runs_have_pages(sqlite_office: Office) -> None:
    chosen = [Seen(await sqlite_office.purchase(), 2)]
    for _ in range(51):
        await begin(sqlite_office.database, chosen)
    visitor = await sqlite_office.signed_in()
    first = await visitor.get("/bulk")
    older = re.search(r'href="(/bulk\?older=[^"]+)"', first)
    assert older is not None
    assert (first.count('<a href="/bulk/'), (await visitor.get(older[1])).count('<a href="/bulk/')) == (50, 1)


async def test_viewers_see_runs_and_may_do_nothing(office: Office) -> None:
    run_id = await begin(office.database, [Seen(await office.purchase(), 2)])
    visitor = await office.signed_in("vera")
    assert 'id="bulk"' not in await visitor.get("/purchases")
    assert "choosing" not in await visitor.get("/purchases")
    assert f"/bulk/{run_id}/stop" not in await visitor.get(f"/bulk/{run_id}")
    for path in ("/purchases/bulk", "/bulk", f"/bulk/{run_id}/stop"):
        await visitor.send(path, 403, form_at="/purchases", action="check", ids="")
    assert len(await runs(office)) == 1


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/purchases/bulk", {"action": "refund", "ids": "x"}, 400),
        ("/bulk", {"action": "check", "run": "no-uuid", "seen": ""}, 400),
        ("/bulk", {"action": "check", "run": NOBODYS, "seen": "torn!"}, 400),
        ("/bulk", {"action": "check", "run": NOBODYS, "seen": "AAAA"}, 400),
        (f"/bulk/{NOBODYS}/stop", {}, 404),
    ],
)
async def test_forms_that_are_not_ours_are_refused(
    sqlite_office: Office, path: str, fields: dict[str, str], status: int
) -> None:
    visitor = await sqlite_office.signed_in()
    await visitor.send(path, status, form_at="/purchases", **fields)


async def test_nothing_chosen_and_nothing_there_are_said(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    assert "Nothing is chosen" in words(await rehearse(visitor, "check"))
    await visitor.get(f"/bulk/{new_id()}", 404)
    assert "Nothing was done to many purchases at once yet." in await visitor.get("/bulk")
    assert "<h1>Purchases</h1>" in await visitor.get("/purchases/bulk")
    unknown = {"run": new_id(), "action": "check", "seen": choice.pack([Seen(new_id(), 1)])}
    for away in ("https://elsewhere.example/", "/purchases?state=failed"):
        page = await visitor.send("/bulk", 200, form_at="/purchases", **unknown, selection=away)
        assert "1 of the chosen purchases do not exist." in words(page)
    stocked = await sqlite_office.purchase("stocked")
    assert "There is nothing to do." in words(await rehearse(visitor, "cancel", stocked))


async def test_the_stream_tells_of_progress_until_the_end(office: Office) -> None:
    run_id = await begin(office.database, [Seen(await office.purchase("stocked"), 4)])
    visitor = await office.signed_in("vera")
    heard: list[str] = []

    async def listen(path: str, last: str) -> None:
        async with visitor.http.get(office.base_url + path) as answer:
            async for line in answer.content:
                heard.append(line.decode().rstrip())
                if f"event: {last}" in heard:
                    return

    await listen(f"/events?page=bulk&id={run_id}", "progress")
    await through(office)
    await listen(f"/events?page=bulk&id={run_id}", "ended")
    assert any("it can no longer be cancelled" in line for line in heard)
    await listen("/events?page=bulk", "runs")

    async def ended() -> bool:
        return "Stop</button>" not in await visitor.get(f"/bulk/{run_id}")

    await until(ended)


async def test_a_run_that_seqr_does_not_answer_says_so(sqlite_office: Office) -> None:
    ids = [await sqlite_office.purchase(), await sqlite_office.purchase()]
    run_id = await begin(sqlite_office.database, [Seen(id_, 2) for id_ in ids], Action.CHECK)
    visitor = await sqlite_office.signed_in()
    assert "SEQR does not answer" not in words(await visitor.get(f"/bulk/{run_id}"))
    task = await sqlite_office.database.write(bulk.claim, now())
    assert task is not None
    await sqlite_office.database.write(bulk.postpone, task, NoAnswer().message, now())
    assert "SEQR does not answer; it is tried again." in words(await visitor.get(f"/bulk/{run_id}"))
    task = await sqlite_office.database.write(bulk.claim, now())
    assert task is not None
    why = "SEQR refuses to tell about invoice R1: 54 UNKNOWN."
    await sqlite_office.database.write(bulk.record, task, bulk.ItemState.REFUSED, why)
    page = words(await visitor.get(f"/bulk/{run_id}", headers={"Accept-Language": "sv"}))
    assert "SEQR säger inte om faktura R1 är betald (54 UNKNOWN)." in page
    assert "SEQR svarar inte; det försöks igen." in page
